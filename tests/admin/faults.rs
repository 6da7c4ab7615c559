//! The writer killed before each of its system calls, and each of them failing.

use crate::support::{Site, bans_in};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const ENTRY: &str = "eve@example.net";

/// What a list's files are before and after the change.
struct Change {
    site: Site,
    old: Vec<u8>,
    new: Vec<u8>,
    log: PathBuf,
}

/// A system call of the writer's main thread.
struct Call {
    name: String,
    /// Its number among those of its name.
    number: usize,
    line: String,
}

impl Change {
    fn new() -> Change {
        let site = Site::of(&["bouncing"]);
        let old = fs::read(site.file("bouncing")).unwrap();
        site.succeed(&["ban", ENTRY, "--list", "bouncing"]);
        assert_eq!(site.bans("bouncing"), [ENTRY]);
        let new = fs::read(site.file("bouncing")).unwrap();
        let log = site.path().join("strace");
        let change = Change { site, old, new, log };
        change.reset();
        change
    }

    /// The list as it was, with a `.last` that is older still, and nobody about.
    fn reset(&self) {
        let list = self.site.lists().join("bouncing");
        for name in self.site.litter("bouncing") {
            let _ = fs::remove_file(list.join(&name));
            let _ = fs::remove_file(self.site.locks().join(&name));
        }
        let _ = fs::remove_file(self.site.file("bouncing"));
        let _ = fs::remove_file(self.site.last("bouncing"));
        fs::write(self.site.file("bouncing"), &self.old).unwrap();
        fs::write(self.site.last("bouncing"), b"older").unwrap();
    }

    fn ban(&self, strace: &[&str]) -> Output {
        let mut command = Command::new("strace");
        command.args(["-f", "-o"]).arg(&self.log).args(strace).arg(crate::support::BIN);
        command.args(["ban", ENTRY, "--list", "bouncing", "--wait=0", "--lists-dir"]);
        command.arg(self.site.lists()).stdin(Stdio::null()).output().expect("strace")
    }

    /// The list's file must be the old one or the new one; says whether it is the new one.
    fn is_new(&self, what: &str) -> bool {
        let now = fs::read(self.site.file("bouncing")).unwrap();
        assert!(now == self.old || now == self.new, "{what}: neither old nor new");
        if let Ok(last) = fs::read(self.site.last("bouncing")) {
            assert!(last == self.old || last == b"older", "{what}: config.pck.last");
        }
        now == self.new
    }

    /// Whoever comes later finds a way: the change is in the list, and nobody holds it.
    fn recover(&self, what: &str) {
        self.site.succeed(&["locks", "--remove-stale"]);
        let run = self.site.run(&["ban", ENTRY, "--list", "bouncing", "--wait=0"]);
        assert_eq!(run.code, 0, "{what}: {run:?}");
        assert!(self.is_new(what), "{what}: lost");
        let locks = fs::read_dir(self.site.locks()).unwrap().count();
        assert_eq!(locks, 0, "{what}: {:?}", self.site.litter("bouncing"));
    }

    /// All calls, and the number of the one that makes the claim.
    fn calls(&self) -> (Vec<Call>, usize) {
        let output = self.ban(&[]);
        assert!(output.status.success(), "{output:?}");
        let log = fs::read_to_string(&self.log).unwrap();
        let main = log.split(' ').next().unwrap();
        let mut calls: Vec<Call> = Vec::new();
        for line in log.lines() {
            let Some((pid, call)) = line.split_once(' ') else { continue };
            let Some((name, _)) = call.trim_start().split_once('(').filter(|_| pid == main) else {
                continue;
            };
            let number = 1 + calls.iter().filter(|c| c.name == name).count();
            calls.push(Call { name: name.to_owned(), number, line: line.to_owned() });
        }
        let first = |c: &Call| c.line.contains(".lock.") && c.line.contains("O_CREAT");
        let from = calls.iter().position(first).expect("a claim");
        self.reset();
        (calls, from)
    }
}

/// Whether to take the time for all there is.
fn everything() -> bool {
    std::env::var_os("ALL_FAULTS").is_some()
}

#[test]
fn killed_before_any_system_call_the_list_is_whole() {
    let change = Change::new();
    let (calls, claim) = change.calls();
    // Earlier calls only read, and are many; before the first one there is only strace.
    let first = if everything() { 1 } else { claim };
    let (mut old, mut new, mut told) = (0, 0, 0);
    for call in calls.iter().skip(first) {
        let what = format!("killed before {}", call.line);
        let inject = format!("inject={}:signal=KILL:when={}", call.name, call.number);
        let output = change.ban(&["-e", &inject]);
        let is_new = change.is_new(&what);
        let done = String::from_utf8_lossy(&output.stdout).contains("  banned");
        assert!(is_new || !done, "{what}: reported, and not done");
        assert_eq!(output.status.signal(), Some(9), "{what}: {output:?}");
        told += usize::from(done);
        if is_new {
            new += 1
        } else {
            old += 1
        }
        // Python's opinion, where the bytes have moved.
        if is_new && new == 1 {
            assert_eq!(bans_in(&change.site.file("bouncing")), [ENTRY]);
        }
        change.recover(&what);
        change.reset();
    }
    eprintln!("killed: old {old} times, new {new} times, told {told} times");
    assert!(old > 40 && new >= 10 && told >= 1, "{old} old, {new} new, {told} told");
}

/// Errors of a full, broken or forbidden disk.
const ERRORS: [&str; 4] = ["ENOSPC", "EIO", "EDQUOT", "EACCES"];

/// Calls that fail as a disk fails.
const DISK: [&str; 13] = [
    "openat",
    "write",
    "fchown",
    "fchmod",
    "fsync",
    "linkat",
    "unlinkat",
    "renameat",
    "utimensat",
    "statx",
    "fstat",
    "newfstatat",
    "read",
];

#[test]
fn any_system_call_that_fails_leaves_the_list_whole() {
    let change = Change::new();
    let (calls, claim) = change.calls();
    let (mut tried, mut failed, mut new, mut stayed) = (0, 0, 0, 0);
    for (index, call) in calls.iter().enumerate().skip(claim) {
        if !DISK.contains(&call.name.as_str()) {
            continue;
        }
        // All of them for each call take long and tell little more.
        let errors = if everything() { &ERRORS[..] } else { &ERRORS[index % ERRORS.len()..][..1] };
        for error in errors {
            let what = format!("{error} from {}", call.line);
            let inject = format!("inject={}:error={error}:when={}", call.name, call.number);
            let output = change.ban(&["-e", &inject]);
            let code = output.status.code().unwrap_or_else(|| panic!("{what}: {output:?}"));
            let is_new = change.is_new(&what);
            let text = String::from_utf8_lossy(&output.stdout);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(is_new || !text.contains("  banned"), "{what}: reported, and not done");
            assert!(!stderr.contains("internal error"), "{what}: {stderr}");
            assert!(code == 0 || !stderr.is_empty(), "{what}: {output:?}");
            assert!([0, 65, 66, 74, 75, 77].contains(&code), "{what}: {output:?}");
            tried += 1;
            failed += usize::from(code != 0);
            new += usize::from(is_new);
            // What could not be removed stays, and a lock of which it could not be told whose it is.
            let litter = change.site.litter("bouncing");
            if call.name != "unlinkat" && litter != Vec::<String>::new() {
                assert_eq!(litter, ["bouncing.lock"], "{what}: {stderr}");
                assert!(text.contains("its lock stays"), "{what}: {text}");
                stayed += 1;
            }
            change.recover(&what);
            change.reset();
        }
    }
    eprintln!("{tried} calls failed: {failed} runs said so, {new} times the list was new");
    assert!(stayed < tried / 8, "{stayed} locks stayed");
    assert!(tried > 30 && failed > 20 && new > 3, "{tried} calls, {failed} failed, {new} new");
}

#[test]
fn a_full_disk_is_reported_as_such() {
    let change = Change::new();
    for (call, error, words) in [
        ("write:error=ENOSPC:when=2", "No space left on device", "config.pck.tmp."),
        ("fsync:error=EDQUOT:when=1", "Disk quota exceeded", "config.pck.tmp."),
        ("renameat:error=EIO:when=1", "Input/output error", "config.pck.tmp."),
        // The file has been renamed: whether it is on disk nobody knows.
        ("fsync:error=EIO:when=2", "Input/output error", "bouncing"),
    ] {
        let output = change.ban(&["-e", &format!("inject={call}")]);
        assert_eq!(output.status.code(), Some(74), "{call}: {output:?}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(error) && stderr.contains(words), "{call}: {stderr}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("0 of 1 lists changed, 1 failed"));
        change.is_new(call);
        change.reset();
    }
}

#[test]
fn a_temporary_file_of_a_dead_process_is_no_obstacle() {
    // Nobody can choose a process number, so all the next ones are taken.
    let change = Change::new();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let next = std::process::id();
    let name = |pid: u32| format!("bouncing/config.pck.tmp.{}.{pid}", host.trim());
    let all: Vec<PathBuf> =
        (next..next + 3000).map(|pid| change.site.lists().join(name(pid))).collect();
    for path in &all {
        fs::write(path, b"left").unwrap();
    }
    let there = |path: &&PathBuf| Path::exists(path);
    change.site.succeed(&["ban", ENTRY, "--list", "bouncing"]);
    assert!(change.is_new("left temporary files"));
    let left = all.iter().filter(there).count();
    assert!(left == all.len() - 1 || left == all.len(), "{left} of {}", all.len());
}
