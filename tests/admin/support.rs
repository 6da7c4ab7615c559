//! A site of lists and locks that a test may change.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use tempfile::TempDir;

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_mm-query");

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Run {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let run = Run {
        code: output.status.code().unwrap_or_else(|| panic!("{command:?}: {output:?}")),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!run.stderr.contains("internal error"), "{command:?}: {run:?}");
    run
}

/// A lists directory and a directory of locks.
pub(crate) struct Site {
    dir: TempDir,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn fixtures() -> PathBuf {
    repository().join("tests/fixtures/lists")
}

impl Site {
    /// A site with these of the sample lists.
    pub(crate) fn of(lists: &[&str]) -> Site {
        let site = Site::empty();
        for list in lists {
            site.add(&fixtures().join(list), list);
        }
        site
    }

    pub(crate) fn empty() -> Site {
        let site = Site { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(site.lists()).unwrap();
        fs::create_dir(site.locks()).unwrap();
        site
    }

    /// A site whose lists lie elsewhere, to be read only.
    pub(crate) fn at(lists: &Path) -> Site {
        let site = Site::empty();
        fs::remove_dir(site.lists()).unwrap();
        std::os::unix::fs::symlink(lists, site.lists()).unwrap();
        site
    }

    /// Copies a list's directory.
    pub(crate) fn add(&self, from: &Path, name: &str) {
        fs::create_dir(self.lists().join(name)).unwrap();
        for file in fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            let bytes = fs::read(file.path()).unwrap();
            // The source may be read-only, and its copy would be, too.
            fs::write(self.lists().join(name).join(file.file_name()), bytes).unwrap();
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn lists(&self) -> PathBuf {
        self.dir.path().join("lists")
    }

    pub(crate) fn locks(&self) -> PathBuf {
        self.dir.path().join("locks")
    }

    pub(crate) fn file(&self, list: &str) -> PathBuf {
        self.lists().join(list).join("config.pck")
    }

    pub(crate) fn last(&self, list: &str) -> PathBuf {
        self.lists().join(list).join("config.pck.last")
    }

    /// The path of a list's lock.
    pub(crate) fn lock(&self, list: &str) -> PathBuf {
        self.locks().join(format!("{list}.lock"))
    }

    /// The program on this site.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(BIN);
        command.args(args).arg(format!("--lists-dir={}", self.lists().display()));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        finish(&mut self.command(args))
    }

    /// A run that does all it should.
    pub(crate) fn succeed(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert!(run.code == 0 && run.stderr.is_empty(), "{args:?}: {run:?}");
        run.stdout
    }

    /// The list's ban list as Python reads it.
    pub(crate) fn bans(&self, list: &str) -> Vec<String> {
        bans_in(&self.file(list))
    }

    /// What is in the directories of a list and of locks, but for the list's two files.
    pub(crate) fn litter(&self, list: &str) -> Vec<String> {
        let mut names: Vec<String> = [self.lists().join(list), self.locks()]
            .iter()
            .flat_map(|dir| fs::read_dir(dir).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "config.pck" && name != "config.pck.last")
            .collect();
        names.sort();
        names
    }
}

/// The ban list of a pickle as Python reads it.
pub(crate) fn bans_in(file: &Path) -> Vec<String> {
    let output = python(&["ban_list"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}: {output:?}", file.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `tools/lock_peer.py` with these arguments, on Python 3.
pub(crate) fn python(args: &[&str]) -> Command {
    peer("python3", args)
}

/// The same on Python 2.7 where there is one.
pub(crate) fn old_python(args: &[&str]) -> Command {
    let works = Command::new("python2.7")
        .args(["-c", ""])
        .env("PYENV_VERSION", "2.7.18")
        .output()
        .is_ok_and(|output| output.status.success());
    peer(if works { "python2.7" } else { "python3" }, args)
}

fn peer(python: &str, args: &[&str]) -> Command {
    let mut command = Command::new(python);
    if python == "python2.7" {
        command.env("PYENV_VERSION", "2.7.18");
    }
    command.arg(repository().join("tools/lock_peer.py")).args(args);
    command
}

/// A process that holds a lock, or waits for one, in Mailman's way.
pub(crate) struct Holder {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Holder {
    /// Takes a lock for `lifetime` seconds from now, which may be over already.
    pub(crate) fn take(lock: &Path, lifetime: i32) -> Holder {
        Holder::start(lock, lifetime, &[])
    }

    /// Only lays claim to the lock.
    pub(crate) fn claim(lock: &Path, lifetime: i32) -> Holder {
        Holder::start(lock, lifetime, &["claim"])
    }

    fn start(lock: &Path, lifetime: i32, more: &[&str]) -> Holder {
        let mut command = old_python(&["hold"]);
        command.arg(lock).arg(lifetime.to_string()).args(more);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        let stdin = child.stdin.take();
        Holder { child, stdin }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it so that its lock stays.
    pub(crate) fn kill(mut self) -> u32 {
        drop(self.stdin.take());
        self.child.wait().unwrap();
        self.child.id()
    }

    pub(crate) fn release(mut self) {
        self.stdin.take().unwrap().write_all(b"release\n").unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Ends at the end of its input.
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// A Python that says, pair by pair, how two pickles differ.
pub(crate) struct Differ {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<Box<dyn Read>>,
}

impl Differ {
    pub(crate) fn start(mut python: Command) -> Differ {
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout: Box<dyn Read> = Box::new(child.stdout.take().unwrap());
        Differ { child, stdin, stdout: BufReader::new(stdout) }
    }

    /// The keys whose values differ, and the entries added to and removed from the ban list.
    pub(crate) fn differ(&mut self, old: &Path, new: &Path) -> [Vec<String>; 3] {
        writeln!(self.stdin, "{} {}", old.display(), new.display()).unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).expect("both can be loaded");
        let strings = |key: &str| serde_json::from_value(answer[key].clone()).unwrap();
        [strings("keys"), strings("added"), strings("removed")]
    }
}

impl Drop for Differ {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
