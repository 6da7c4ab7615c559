//! The program runs, and the wrapper stays: how a query ends, whatever the program does.

use crate::site::{Report, Site};
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// A query under way. What runs when its test ends is killed.
pub(crate) struct Running(Child);

impl Running {
    /// Starts the wrapper, and waits until the program has written its report.
    pub(crate) fn start(site: &Site, deed: &str) -> (Running, Report) {
        let mut command = site.command(&["list-domain", deed]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = Running(command.spawn().unwrap());
        let report = soon(|| site.report()).expect("the program was not run");
        (running, report)
    }

    /// The wrapper's process: `setpriv` has become it.
    pub(crate) fn wrapper(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        kill(signal, self.wrapper());
    }

    /// Waits for the end of the wrapper and of its two streams.
    pub(crate) fn end(mut self) -> Output {
        let mut output = Output { status: self.0.wait().unwrap(), stdout: vec![], stderr: vec![] };
        for (pipe, text) in [
            (&mut self.0.stdout.take().unwrap() as &mut dyn std::io::Read, &mut output.stdout),
            (&mut self.0.stderr.take().unwrap(), &mut output.stderr),
        ] {
            pipe.read_to_end(text).unwrap();
        }
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn kill(signal: &str, pid: u32) {
    let kill = Command::new("kill").args(["-s", signal, "--", &pid.to_string()]).status();
    assert!(kill.unwrap().success());
}

/// What `look` finds within ten seconds.
pub(crate) fn soon<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..1000 {
        let found = look();
        if found.is_some() {
            return found;
        }
        sleep(Duration::from_millis(10));
    }
    None
}

/// The third field of /proc/PID/stat; nothing for a process that is no more, waited for or not.
pub(crate) fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next().filter(|state| *state != 'Z')
}

pub(crate) fn assert_gone(pid: u32) {
    assert!(soon(|| state(pid).is_none().then_some(())).is_some(), "process {pid} lives");
}

pub(crate) fn pid(report: &Report) -> u32 {
    report.status("Pid").parse().unwrap()
}

fn offspring(site: &Site) -> u32 {
    let file = site.path("report/offspring");
    soon(|| fs::read_to_string(&file).ok()).expect("no offspring").parse().unwrap()
}

pub(crate) const NO_ANSWER: &str = "mm-query-wrapper: no answer in time\n";

/// Nothing is on standard output, whose end has come, and the reason is there.
fn assert_given_up(output: &Output) {
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert_eq!(
        (output.stdout.as_slice(), output.stderr.as_slice()),
        (&b""[..], NO_ANSWER.as_bytes())
    );
}

#[test]
fn the_programs_statuses_and_texts_are_passed_on() {
    let Some(site) = Site::new() else { return };
    for status in [0, 1, 64, 65, 66, 67, 70, 74, 75, 77, 78] {
        let ran = site.run(&["list-domain", &format!("say={status}")]);
        assert_eq!(ran.status.code(), Some(status), "{ran:?}");
        assert_eq!((&*ran.stdout, &*ran.stderr), (&b"text\n"[..], &b"reason\n"[..]), "{status}");
        site.report().unwrap();
    }
}

#[test]
fn no_other_status_and_no_text_of_a_crash_gets_out() {
    let Some(site) = Site::new() else { return };
    for status in [2, 3, 63, 79, 99, 101, 126, 127, 134, 139, 255] {
        let ran = site.run(&["list-domain", &format!("say={status}")]);
        assert_eq!(ran.status.code(), Some(70), "{ran:?}");
        let reason = format!("mm-query: exit status: {status}\n");
        assert!(String::from_utf8_lossy(&ran.stderr).ends_with(&reason), "{ran:?}");
        assert!(ran.stdout.is_empty(), "{ran:?}");
        site.report().unwrap();
    }
}

#[test]
fn death_of_the_program_by_a_signal_is_a_status() {
    let Some(site) = Site::new() else { return };
    for signal in [1, 2, 4, 6, 7, 8, 9, 11, 13, 14, 15, 24, 31, 34, 64] {
        let ran = site.run(&["list-domain", &format!("signal={signal}")]);
        assert_eq!(ran.status.code(), Some(70), "{ran:?}");
        let reason = format!("mm-query: signal: {signal}");
        assert!(String::from_utf8_lossy(&ran.stderr).contains(&reason), "{ran:?}");
        assert!(ran.stdout.is_empty(), "{ran:?}");
        site.report().unwrap();
    }
}

#[test]
fn a_program_that_does_not_end_is_killed_and_is_no_answer() {
    let Some(site) = Site::quick() else { return };
    for deed in ["sleep", "signal=19", "flood"] {
        let (running, report) = Running::start(&site, deed);
        assert_given_up(&running.end());
        assert_gone(pid(&report));
    }
}

#[test]
fn a_program_that_closes_its_streams_is_killed_too() {
    let Some(site) = Site::quick() else { return };
    let (running, report) = Running::start(&site, "close-and-sleep");
    let ran = running.end();
    assert_eq!(ran.status.code(), Some(70), "{ran:?}");
    assert!(ran.stdout.is_empty(), "{ran:?}");
    assert_gone(pid(&report));
}

#[test]
fn what_the_program_left_running_is_killed_and_holds_no_pipe() {
    let Some(site) = Site::quick() else { return };
    let (running, _) = Running::start(&site, "offspring");
    assert_given_up(&running.end());
    assert_gone(offspring(&site));
}

#[test]
fn what_escapes_from_the_process_group_holds_nothing_of_the_callers() {
    let Some(site) = Site::quick() else { return };
    let (running, _) = Running::start(&site, "runaway");
    assert_given_up(&running.end());
    let runaway = offspring(&site);
    assert!(state(runaway).is_some());
    kill("KILL", runaway);
    assert_gone(runaway);
}

#[test]
fn the_program_ends_with_the_wrapper() {
    let Some(site) = Site::new() else { return };
    for (signal, number) in [("KILL", 9), ("TERM", 15), ("INT", 2), ("HUP", 1), ("ALRM", 14)] {
        let (running, report) = Running::start(&site, "sleep");
        running.signal(signal);
        let ran = running.end();
        assert_eq!(ran.status.signal(), Some(number), "{ran:?}");
        assert!(ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran:?}");
        assert_gone(pid(&report));
    }
}

#[test]
fn a_stopped_wrapper_goes_on() {
    let Some(site) = Site::new() else { return };
    let (running, report) = Running::start(&site, "sleep");
    for signal in ["STOP", "CONT", "WINCH", "CHLD"] {
        running.signal(signal);
    }
    kill("KILL", pid(&report));
    assert_eq!(running.end().status.code(), Some(70));
}

#[test]
fn the_program_is_away_from_the_callers_session_and_terminal() {
    let Some(site) = Site::new() else { return };
    // With a terminal: script(1) gives the wrapper one.
    let mut command = Command::new("script");
    let query = format!("exec {} list-domain team", site.wrapper().display());
    command.args(["--quiet", "--return", "--command", &query, "/dev/null"]);
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let report = site.report().unwrap();
    let stat: Vec<&str> = report.all("stat")[0].split(' ').collect();
    let (group, session, terminal) = (stat[2], stat[3], stat[4]);
    assert_eq!((group, session), (report.status("Pid"), report.status("Pid")));
    assert_eq!(terminal, "0");
}

#[test]
fn standard_input_arrives() {
    let Some(site) = Site::new() else { return };
    for message in ["", "From: joe@example.org\r\n\r\nHello\n", &"x".repeat(200_000)] {
        let file = site.path("scratch/message");
        fs::write(&file, message).unwrap();
        let ran = site
            .command(&["test-message", "team"])
            .stdin(fs::File::open(&file).unwrap())
            .output()
            .unwrap();
        let report = site.assert_run(&ran);
        assert_eq!(report.all("stdin"), [message.as_bytes().escape_ascii().to_string()]);
    }
    // From a pipe, too.
    let mut command = site.command(&["test-message", "team"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Hello").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(site.report().unwrap().all("stdin"), ["Hello"]);
}

#[test]
fn a_caller_who_reads_nothing_does_not_keep_a_process_for_ever() {
    let Some(site) = Site::quick() else { return };
    for deeds in ["POSIX::dup2(fileno($w), 1)", "POSIX::dup2(fileno($w), 2)"] {
        // A pipe that is full and stays open at both ends.
        let deeds = format!(
            "pipe(my $r, my $w); $w->blocking(0); 1 while syswrite($w, 'x' x 4096);
             1 while syswrite($w, 'x'); $w->blocking(1); {deeds};
             if (my $pid = fork) {{ waitpid($pid, 0); exit(($? & 127) + 100) }}"
        );
        let ran = site.run_after(&format!("use IO::Handle; {deeds}"), &["list-domain", "say=1"]);
        assert_eq!(ran.status.code(), Some(100 + libc::SIGALRM), "{ran:?}");
        site.report().unwrap();
    }
}
