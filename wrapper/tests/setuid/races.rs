//! The files that the wrapper trusts are exchanged while it runs. What runs is the program that root
//! installed, as the list user, or nothing.

use crate::faults::{assert_no_false_answer, calls, traced, without_repetition};
use crate::site::{EXIM_GID, EXIM_UID, EXTRA_GID, STRANGER, Site, as_user, output, set_mode};
use crate::supervision::soon;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Exchanges two files, atomically.
fn exchange(one: &Path, other: &Path) {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

/// What an attacker would put in place of the program and of the configuration: a program that
/// answers 0, ids of his own; a link to each.
struct Foreign {
    program: [PathBuf; 2],
    conf: [PathBuf; 2],
}

impl Foreign {
    fn new(site: &Site) -> Foreign {
        let paths = |name: &str| {
            let path = |kind| site.path(&format!("foreign-{name}-{kind}"));
            let paths = [path("file"), path("link")];
            paths.iter().for_each(|path| crate::site::remove(path));
            symlink(site.path(&format!("foreign-{name}-target")), &paths[1]).unwrap();
            paths
        };
        let foreign = Foreign { program: paths("program"), conf: paths("conf") };
        for file in [foreign.program[0].clone(), site.path("foreign-program-target")] {
            fs::copy("/bin/true", &file).unwrap();
            set_mode(&file, EXIM_UID, EXIM_GID, 0o755);
        }
        for file in [foreign.conf[0].clone(), site.path("foreign-conf-target")] {
            fs::write(&file, format!("uid = {STRANGER}\ngid = {STRANGER}\ncaller-uid = 1\n"))
                .unwrap();
            set_mode(&file, EXIM_UID, EXIM_GID, 0o644);
        }
        foreign
    }
}

/// Stops the wrapper after each of its system calls in turn, and exchanges the files there.
#[test]
fn an_exchange_at_any_moment_never_runs_anything_else() {
    let Some(site) = Site::new() else { return };
    let foreign = Foreign::new(&site);
    let mut calls = without_repetition(calls(&site));
    // How often the heap grows depends on where the kernel happens to put it.
    calls.retain(|call| !["exit_group", "brk"].contains(&call.name.as_str()));
    let number = calls.len();
    let mut ran_and_refused = [0, 0];
    for call in calls {
        let stop = format!("inject={}:signal=SIGSTOP:when={}", call.name, call.number);
        let log = site.path("scratch/stopped");
        let options = ["-o", log.to_str().unwrap(), "-e", &stop];
        let mut command = traced(&site, &options, &["list-domain", "team"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = child.spawn().unwrap();
        let stopped =
            || fs::read_to_string(&log).ok().filter(|it| it.contains("stopped by SIGSTOP"));
        soon(stopped).unwrap_or_else(|| panic!("not stopped at {call:?}"));
        for (ours, theirs) in [(site.program(), &foreign.program), (site.conf(), &foreign.conf)] {
            exchange(&ours, &theirs[call.number % 2]);
        }
        fs::remove_file(&log).unwrap();
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let wrapper = fs::read_to_string(children).unwrap();
        Command::new("kill").args(["-s", "CONT", wrapper.trim()]).status().unwrap();
        let ran = child.wait_with_output().unwrap();
        for (ours, theirs) in [(site.program(), &foreign.program), (site.conf(), &foreign.conf)] {
            exchange(&ours, &theirs[call.number % 2]);
        }
        ran_and_refused[usize::from(!ran.status.success())] += 1;
        assert_no_false_answer(&site, &ran, &call.line);
        assert!([Some(0), Some(78)].contains(&ran.status.code()), "{call:?}: {ran:?}");
    }
    let [ran, refused] = ran_and_refused;
    assert!(ran > 10 && refused > 10 && ran + refused + 10 > number, "{ran}, {refused}, {number}");
}

/// Thousands of queries, while the files are exchanged as fast as that goes.
#[test]
fn exchanges_in_a_loop_never_run_anything_else() {
    let Some(site) = Site::new() else { return };
    let foreign = Foreign::new(&site);
    // Root's own program: it does nothing but refuse.
    fs::copy("/bin/false", site.program()).unwrap();
    set_mode(&site.program(), 0, 0, 0o755);
    let perl = "my %times;
        for (1..3000) {
            my $pid = fork // die;
            if (!$pid) { open(STDERR, '>', '/dev/null'); exec @ARGV; exit 126 }
            waitpid($pid, 0);
            $times{$?}++;
        }
        print join ' ', map { ($_ >> 8) . \":$times{$_}\" } sort keys %times";
    let mut command = as_user(EXIM_UID, EXIM_GID, &[EXTRA_GID]);
    command.args(["perl", "-e", perl]).arg(site.wrapper()).args(["list-domain", "team"]);
    let done = AtomicBool::new(false);
    let ran = thread::scope(|scope| {
        scope.spawn(|| {
            for round in (0..2).cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                for (ours, theirs) in [
                    (site.program(), &foreign.program[round]),
                    (site.conf(), &foreign.conf[1 - round]),
                    (site.program(), &foreign.program[round]),
                    (site.conf(), &foreign.conf[1 - round]),
                ] {
                    exchange(&ours, theirs);
                }
            }
        });
        let ran = output(&mut command);
        done.store(true, Ordering::Relaxed);
        ran
    });
    let counts = String::from_utf8(ran.stdout).unwrap();
    let count = |status: &str| {
        let found = counts.split(' ').find_map(|it| it.strip_prefix(status)?.strip_prefix(':'));
        found.map_or(0, |times| times.parse::<u32>().unwrap())
    };
    // 1 is ours, 0 would be the foreign program, 77 the foreign configuration.
    let (ours, refused) = (count("1"), count("78"));
    assert!(ours > 100 && refused > 100 && ours + refused == 3000, "{counts}");
}
