//! Other programs, run by the administration commands only: never through a shell, with a constant
//! environment, for a limited time, and no more of their output read than a limit.

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// What a program may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From its start to its end.
    pub time: Duration,
    /// Of each of its two outputs.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { time: crate::limits::PROGRAM_TIME, bytes: crate::limits::PROGRAM_OUTPUT_BYTES }
    }
}

/// What a program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// Its standard output; what is not UTF-8 is replaced.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
}

impl Ran {
    /// Whether it ended with status 0.
    pub fn succeeded(&self) -> bool {
        self.status == Some(0)
    }

    /// What it complained of, else what it printed, else how it ended; for people.
    pub fn complaint(&self) -> String {
        let said = [&self.stderr, &self.stdout].into_iter().map(|text| text.trim());
        match (said.into_iter().find(|text| !text.is_empty()), self.status) {
            (Some(text), _) => text.to_owned(),
            (None, Some(status)) => format!("it ended with status {status}"),
            (None, None) => "a signal ended it".to_owned(),
        }
    }
}

/// Why there is no result.
#[derive(Debug)]
pub enum Error {
    /// It could not be run.
    NotRun(PathBuf, io::Error),
    /// It took too long, and was killed.
    TooSlow(PathBuf),
    /// It printed too much, and was killed.
    TooMuch(PathBuf),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotRun(program, error) => write!(f, "cannot run {}: {error}", program.display()),
            Error::TooSlow(program) => write!(f, "{} did not end in time", program.display()),
            Error::TooMuch(program) => write!(f, "{} prints too much", program.display()),
        }
    }
}

impl std::error::Error for Error {}

/// Runs a program, given by its absolute path, in `/` and without input.
///
/// # Errors
/// [`Error`]; a status other than 0 is none.
pub fn run<S: AsRef<OsStr>>(program: &Path, args: &[S], limits: Limits) -> Result<Ran, Error> {
    let not_run = |error| Error::NotRun(program.to_owned(), error);
    if !program.is_absolute() {
        return Err(not_run(io::ErrorKind::InvalidInput.into()));
    }
    let deadline = Instant::now().checked_add(limits.time);
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/")
        // A group of its own: what it has started ends with it, and a terminal's interrupt, which
        // is meant for us, does not end it halfway.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_run)?;
    let read = read_both(&mut child, deadline, limits.bytes);
    let ended = read.and_then(|outputs| Ok((wait(&mut child, deadline)?, outputs)));
    let (status, [stdout, stderr]) = ended.map_err(|stop| {
        end(&mut child);
        stop.error(program)
    })?;
    Ok(Ran { status: status.code(), stdout: text(&stdout), stderr: text(&stderr) })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Why a running program is stopped.
enum Stop {
    Late,
    TooMuch,
    Failed(io::Error),
}

impl Stop {
    fn error(self, program: &Path) -> Error {
        match self {
            Stop::Late => Error::TooSlow(program.to_owned()),
            Stop::TooMuch => Error::TooMuch(program.to_owned()),
            Stop::Failed(error) => Error::NotRun(program.to_owned(), error),
        }
    }
}

/// Which output, and all of it.
type Output = (usize, io::Result<Vec<u8>>);

/// Reads both outputs to their ends, in a thread each: a full pipe would block the program.
fn read_both(
    child: &mut Child,
    deadline: Option<Instant>,
    limit: usize,
) -> Result<[Vec<u8>; 2], Stop> {
    let (sender, receiver) = channel();
    read_in_thread(child.stdout.take(), 0, limit, &sender).map_err(Stop::Failed)?;
    read_in_thread(child.stderr.take(), 1, limit, &sender).map_err(Stop::Failed)?;
    let mut outputs = [Vec::new(), Vec::new()];
    for _ in 0..2 {
        let (which, bytes) = receive(&receiver, deadline)?;
        let bytes = bytes.map_err(Stop::Failed)?;
        if bytes.len() > limit {
            return Err(Stop::TooMuch);
        }
        if let Some(output) = outputs.get_mut(which) {
            *output = bytes;
        }
    }
    Ok(outputs)
}

fn read_in_thread(
    pipe: Option<impl Read + Send + 'static>,
    which: usize,
    limit: usize,
    sender: &Sender<Output>,
) -> io::Result<()> {
    let (sender, pipe) = (sender.clone(), pipe.ok_or(io::ErrorKind::BrokenPipe)?);
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    std::thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.take(limit).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody waits any more after the time limit.
        let _ = sender.send((which, read));
    })?;
    Ok(())
}

fn receive(receiver: &Receiver<Output>, deadline: Option<Instant>) -> Result<Output, Stop> {
    let left = deadline.map_or(Duration::ZERO, |d| d.saturating_duration_since(Instant::now()));
    receiver.recv_timeout(left).map_err(|error| match error {
        RecvTimeoutError::Timeout => Stop::Late,
        RecvTimeoutError::Disconnected => Stop::Failed(io::ErrorKind::BrokenPipe.into()),
    })
}

/// Waits for a program that has closed its outputs, which mostly is one that has ended.
fn wait(child: &mut Child, deadline: Option<Instant>) -> Result<ExitStatus, Stop> {
    loop {
        if let Some(status) = child.try_wait().map_err(Stop::Failed)? {
            return Ok(status);
        }
        if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
            return Err(Stop::Late);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Ends a program and whatever it has started.
fn end(child: &mut Child) {
    // Not waited for yet, so the number is still its own.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limits: Limits) -> Result<Ran, Error> {
        run(Path::new("/bin/sh"), &["-c", script], limits)
    }

    #[test]
    fn status_and_both_outputs_come_back() {
        let ran = shell("echo out; echo err >&2; exit 3", Limits::default()).unwrap();
        let expected =
            Ran { status: Some(3), stdout: "out\n".to_owned(), stderr: "err\n".to_owned() };
        assert_eq!(ran, expected);
        assert_eq!(ran.complaint(), "err");
        let killed = shell("kill -9 $$", Limits::default()).unwrap();
        assert_eq!((killed.status, killed.complaint().as_str()), (None, "a signal ended it"));
    }

    #[test]
    fn the_surroundings_are_constant() {
        let ran = run::<&str>(Path::new("/usr/bin/env"), &[], Limits::default()).unwrap();
        assert_eq!(ran.stdout, "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
        let ran = shell("pwd; cat", Limits::default()).unwrap();
        assert_eq!((ran.stdout.as_str(), ran.status), ("/\n", Some(0)));
    }

    #[test]
    fn large_outputs_of_both_kinds_do_not_block() {
        let both = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero";
        let ran = shell(both, Limits::default()).unwrap();
        assert_eq!((ran.stdout.len(), ran.stderr.len()), (300_000, 300_000));
    }

    #[test]
    fn an_endless_program_is_ended_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let pid = dir.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}; wait", pid.display());
        let limits = Limits { time: Duration::from_millis(500), ..Limits::default() };
        assert!(matches!(shell(&script, limits), Err(Error::TooSlow(_))));
        let started: i32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{started}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        while !gone() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_program_that_prints_for_ever_is_ended() {
        let limits = Limits { bytes: 1000, ..Limits::default() };
        assert!(matches!(shell("cat /dev/zero", limits), Err(Error::TooMuch(_))));
        assert!(matches!(shell("cat /dev/zero >&2", limits), Err(Error::TooMuch(_))));
        assert!(shell("head -c 1000 /dev/zero", limits).is_ok());
    }

    #[test]
    fn a_program_that_closes_its_outputs_is_waited_for() {
        let ran = shell("exec >&- 2>&-; sleep 0.05; exit 4", Limits::default()).unwrap();
        assert_eq!(ran.status, Some(4));
        let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
        assert!(matches!(shell("exec >&- 2>&-; sleep 1000", limits), Err(Error::TooSlow(_))));
    }

    #[test]
    fn what_cannot_be_run_is_said() {
        for program in ["/nonexistent/x", "/", "sh"] {
            let error = run::<&str>(Path::new(program), &[], Limits::default()).unwrap_err();
            assert!(error.to_string().starts_with(&format!("cannot run {program}: ")), "{error}");
        }
    }
}
