//! `mm-query` itself: what the kernel says of it while it waits, and kernels that lack something.

use crate::support::{MM_QUERY, landlock, sample_lists, sandboxed, text};
use std::fs::{self, File};
use std::io::{PipeReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn query(args: &[&str]) -> Command {
    let mut command = Command::new(MM_QUERY);
    command.args(args).arg(sample_lists()).stdin(Stdio::null());
    command
}

/// A program that waits, in its sandbox.
struct Waiting(Child);

impl Waiting {
    /// Starts it, and waits until it is there.
    fn start(command: &mut Command) -> Waiting {
        let mut waiting = Waiting(command.stderr(Stdio::piped()).spawn().unwrap());
        let patience = Instant::now() + Duration::from_secs(15);
        while waiting.status("status").iter().all(|line| line != "Seccomp: 2") {
            let ended = waiting.0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < patience, "not confined: {ended:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
        waiting
    }

    fn file(&self, name: &str) -> String {
        let path = PathBuf::from(format!("/proc/{}/{name}", self.0.id()));
        fs::read_to_string(path).unwrap_or_default()
    }

    /// The lines of a file in `/proc`, with single spaces.
    fn status(&self, name: &str) -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        self.file(name).lines().map(words).collect()
    }

    /// All its threads have a filter and can gain no privileges; the limits are these.
    fn assert_confined(&self, limits: &[&str]) {
        let threads = fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let threads: Vec<_> = threads.map(|t| t.unwrap().file_name()).collect();
        assert_eq!(threads.len(), 2, "one works, one waits");
        for thread in threads {
            let status = self.status(&format!("task/{}/status", thread.display()));
            for line in ["NoNewPrivs: 1", "Seccomp: 2", "Seccomp_filters: 1"] {
                assert!(status.iter().any(|l| l == line), "{line}: {status:?}");
            }
        }
        let found = self.status("limits");
        for limit in limits {
            assert!(found.iter().any(|line| line.starts_with(limit)), "{limit}: {found:?}");
        }
    }
}

const LIMITS: [&str; 4] = [
    "Max address space 1073741824 1073741824 ",
    "Max cpu time 30 30 ",
    "Max core file size 0 0 ",
    "Max processes 0 0 ",
];
const NO_FILES: &str = "Max file size 0 0 ";

#[test]
fn a_query_that_waits_for_its_message_is_confined() {
    let mut command = query(&["test-message", "announce"]);
    let mut waiting = Waiting::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    waiting.assert_confined(&[&LIMITS[..], &[NO_FILES]].concat());
    waiting.0.stdin.take().unwrap().write_all(b"From: eve@example.net\n\nHello\n").unwrap();
    let output = waiting.0.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stdout).contains("Only members may post"), "{output:?}");
}

/// A pipe that is full, and the bytes in it.
fn full_pipe() -> (PipeReader, std::io::PipeWriter, usize) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    let mut written = 0;
    while let Ok(n) = writer.write(&[b'.'; 4096]) {
        written += n;
    }
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer, written)
}

#[test]
fn a_query_that_waits_for_its_reader_is_confined() {
    for (args, answer) in [
        (&["test-sender", "announce", "eve@example.net"][..], "Only members may post"),
        (&["list-domain", "announce"], "lists.example.org"),
    ] {
        let (mut reader, writer, written) = full_pipe();
        // The command keeps its end of the pipe as long as it lives.
        let waiting = Waiting::start(query(args).stdout(writer));
        waiting.assert_confined(&[&LIMITS[..], &[NO_FILES]].concat());
        let mut seen = Vec::new();
        reader.read_to_end(&mut seen).unwrap();
        assert!(text(&seen[written..]).starts_with(answer), "{args:?}");
        waiting.0.wait_with_output().unwrap();
    }
}

/// A person may keep the answer in a file.
#[test]
fn an_answer_can_go_to_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("answer");
    let mut command = query(&["test-message", "announce"]);
    let file = File::create(&path).unwrap();
    let mut waiting = Waiting::start(command.stdin(Stdio::piped()).stdout(file));
    waiting.assert_confined(&LIMITS);
    waiting.0.stdin.take().unwrap().write_all(b"From: eve@example.net\n\nHello\n").unwrap();
    assert_eq!(waiting.0.wait_with_output().unwrap().status.code(), Some(1));
    assert!(fs::read_to_string(path).unwrap().contains("Only members may post"));
}

#[test]
fn lower_limits_of_the_caller_stay() {
    let ask = |limits: &[&str], expected: &[&str]| {
        let mut command = Command::new("prlimit");
        command.args(limits).arg(MM_QUERY).args(["test-message", "announce"]).arg(sample_lists());
        if rustix::process::geteuid().is_root() {
            // Root could raise a hard limit; Mailman's user cannot.
            command.uid(65534).gid(65534);
        }
        let waiting = Waiting::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        waiting.assert_confined(expected);
        let output = waiting.0.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "an empty message is a stranger's: {output:?}");
    };
    ask(
        &["--as=536870912:", "--cpu=7:"],
        &["Max address space 536870912 1073741824 ", "Max cpu time 7 30 "],
    );
    ask(
        &["--as=536870912", "--cpu=7"],
        &["Max address space 536870912 536870912 ", "Max cpu time 7 7 ", "Max processes 0 0 "],
    );
}

/// A kernel, or a container, that lacks one of the calls: the answer is the same, and `--explain`
/// tells.
#[test]
fn what_is_missing_is_gone_without() {
    let enosys = libc::ENOSYS;
    for (call, errno, gaps) in [
        ("landlock_create_ruleset", enosys, &["by Landlock: the kernel has none"][..]),
        ("landlock_create_ruleset", libc::EOPNOTSUPP, &["by Landlock: the kernel has none"]),
        ("landlock_create_ruleset", libc::EPERM, &["by Landlock: the kernel has none"]),
        ("landlock_restrict_self", libc::EPERM, &["by Landlock: "]),
        ("seccomp", enosys, &["by seccomp: "]),
        ("seccomp", libc::EPERM, &["by seccomp: "]),
        ("seccomp", libc::EINVAL, &["by seccomp: "]),
        ("prctl", libc::EPERM, &["by no_new_privs: ", "by seccomp: "]),
        (
            "prlimit64",
            libc::EPERM,
            &["by a limit on core files: ", "by a limit on processes: ", "by a limit on the size"],
        ),
        ("openat2", enosys, &[]),
        ("openat2", libc::EPERM, &[]),
    ] {
        let run = |args: &[&str]| -> Output {
            let mut command = Command::new(sandboxed());
            command.args(["without", call, &errno.to_string(), MM_QUERY]).args(args);
            if rustix::process::geteuid().is_root() {
                // For root some of it would work.
                command.uid(65534).gid(65534);
            }
            command.arg(sample_lists()).stdin(Stdio::null()).output().unwrap()
        };
        let case = format!("{call} {errno}");
        for args in [
            &["test-sender", "announce", "eve@example.net"][..],
            &["test-sender", "team", "alice@example.org"],
            &["list-domain", "team"],
        ] {
            assert_eq!(run(args), query(args).output().unwrap(), "{case}: {args:?}");
        }
        let shown = run(&["test-sender", "announce", "eve@example.net", "--explain"]);
        assert_eq!(shown.status.code(), Some(1), "{case}: {shown:?}");
        let shown = text(&shown.stdout);
        let found: Vec<_> = shown.lines().filter_map(|l| l.strip_prefix("unconfined ")).collect();
        let none_here = landlock() == 0 && !call.starts_with("landlock");
        let expected = gaps.len() + usize::from(none_here);
        assert_eq!(found.len(), expected, "{case}: {found:?}");
        for gap in gaps {
            assert!(found.iter().any(|line| line.starts_with(gap)), "{case}: {gap}: {found:?}");
        }
    }
}
