//! Each layer by itself, and all of them.

use crate::support::{Scene, landlock};
use std::os::unix::process::{CommandExt, ExitStatusExt};

const PERM: &str = "errno 1";
const ACCES: &str = "errno 13";
const NOSYS: &str = "errno 38";
/// musl's library says EAGAIN whatever the kernel said.
const NO_THREAD: &str = if cfg!(target_env = "musl") { "errno 11" } else { NOSYS };

/// An attempt, and what becomes of it without a sandbox, under Landlock, and under seccomp.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// With Landlock of that version (0: without).
fn rows(abi: u32) -> Vec<Row> {
    let since = |version: u32, denied: &'static str| if abi >= version { denied } else { "ok" };
    vec![
        ("read-inside", "ok", "ok", "ok"),
        ("private-memory", "ok", "ok", "ok"),
        ("half-the-memory", "ok", "ok", "ok"),
        // seccomp sees no paths.
        ("read-outside", "ok", since(1, ACCES), "ok"),
        ("read-through-link", "ok", since(1, ACCES), "ok"),
        ("read-own-memory", "ok", since(1, ACCES), "ok"),
        // Nor what openat2 is to do; but what it makes cannot be written.
        ("create-by-openat2", "ok", since(1, ACCES), "ok"),
        ("list-directory", "ok", "ok", NOSYS),
        ("write", "ok", since(1, ACCES), NOSYS),
        ("create", "ok", since(1, ACCES), NOSYS),
        ("create-outside", "ok", since(1, ACCES), NOSYS),
        ("remove", "ok", since(1, ACCES), NOSYS),
        ("rename", "ok", since(1, ACCES), NOSYS),
        ("link", "ok", since(1, ACCES), NOSYS),
        ("make-directory", "ok", since(1, ACCES), NOSYS),
        // Landlock knows no rights for these.
        ("chmod", "ok", "ok", NOSYS),
        ("write-to-opened", "ok", "ok", NOSYS),
        ("cut-opened", "ok", "ok", NOSYS),
        ("run", "ok", since(1, ACCES), NOSYS),
        ("fork", "ok", "ok", NOSYS),
        ("thread", "ok", "ok", NO_THREAD),
        ("tcp", "ok", since(4, ACCES), NOSYS),
        ("unix", "ok", "ok", NOSYS),
        ("abstract", "ok", since(6, PERM), NOSYS),
        ("signal", "ok", since(6, PERM), NOSYS),
        ("trace", "ok", since(1, PERM), NOSYS),
        ("executable-memory", "ok", "ok", NOSYS),
        ("shared-memory", "ok", "ok", NOSYS),
        ("duplicate", "ok", "ok", NOSYS),
        ("limit", "ok", "ok", NOSYS),
        ("privileges", "ok", "ok", NOSYS),
        ("close-stdin", "ok", "ok", NOSYS),
    ]
}

fn check(layer: &str, expected: impl Fn(&Row) -> &'static str) {
    let rows = rows(landlock());
    let names: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let found = Scene::new().lines(layer, &names);
    for row in &rows {
        assert_eq!(found[row.0], expected(row), "{} under {layer}", row.0);
    }
}

#[test]
fn without_a_sandbox_all_of_it_is_possible() {
    check("none", |row| row.1);
}

#[test]
fn landlock_denies_files_and_whom_to_reach() {
    check("files", |row| row.2);
}

#[test]
fn seccomp_denies_calls() {
    check("calls", |row| row.3);
}

/// Either of them suffices. Where both deny, seccomp comes first.
#[test]
fn together_they_leave_reading_the_lists() {
    check("all", |row| match (row.2, row.3) {
        (landlock, "ok") => landlock,
        (_, seccomp) => seccomp,
    });
}

#[test]
fn every_other_system_call_is_denied() {
    assert_eq!(Scene::new().lines("all", &["other-calls"])["other-calls"], "ok");
}

#[test]
fn nothing_is_missing_here() {
    let gap = Scene::new().lines("all", &[]).remove("gap");
    match landlock() {
        0 => assert!(gap.unwrap().starts_with("by Landlock: "), "the kernel has none"),
        _ => assert_eq!(gap, None),
    }
}

/// The thread that waits opens nothing, not even lists.
#[test]
fn a_thread_that_waits_opens_nothing() {
    let expected = if landlock() > 0 { ACCES } else { "ok" };
    let found = Scene::new().lines("idle", &["read-inside", "read-outside", "write", "run"]);
    assert!(found.values().all(|result| result == expected), "{found:?}");
}

/// Some of them do so before it, some after.
#[test]
fn threads_that_begin_under_the_filter_do() {
    let scene = Scene::new();
    for _ in 0..20 {
        let found = scene.lines("threads", &["wait-for-threads", "read-inside", "write"]);
        assert_eq!(found["wait-for-threads"], "ok");
        assert_eq!(found["read-inside"], "ok");
        assert_eq!(found["write"], NOSYS);
    }
}

#[test]
fn the_clock_still_ends_the_program() {
    let (reader, writer) = std::io::pipe().unwrap();
    let scene = Scene::new();
    let output = scene.command("clock", &["wait-for-input"]).stdin(reader).output().unwrap();
    drop(writer);
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert_eq!(output.stderr, b"no answer in time\n");
}

#[test]
fn a_panic_can_be_caught() {
    let found = Scene::new().lines("all", &["panic", "read-inside"]);
    assert_eq!((&*found["panic"], &*found["read-inside"]), ("ok", "ok"));
}

/// What cannot be caught ends the program; it does not hang or go on.
#[test]
fn what_is_fatal_stays_fatal() {
    for attempt in ["abort", "abort-for-memory", "overflow-the-stack"] {
        let output = Scene::new().output("all", &[attempt, "read-inside"]);
        assert!(output.status.signal().is_some(), "{attempt}: {output:?}");
        assert!(output.stdout.is_empty(), "{attempt}: {output:?}");
    }
}

#[test]
fn memory_is_limited() {
    let all = ["half-the-memory", "more-memory"];
    let free = Scene::new().lines("none", &all);
    assert_eq!((&*free["half-the-memory"], &*free["more-memory"]), ("ok", "ok"));
    for layer in ["resources", "all"] {
        let found = Scene::new().lines(layer, &all);
        assert_eq!(found["half-the-memory"], "ok", "{layer}");
        assert!(found["more-memory"].contains("memory allocation failed"), "{layer}: {found:?}");
    }
}

#[test]
fn no_processes_can_be_started() {
    let scene = Scene::new();
    let mut command = scene.command("resources", &["fork"]);
    if rustix::process::geteuid().is_root() {
        // Root's are not limited, and Mailman's user is not root.
        let opened = scene.path().join("outside/opened");
        std::fs::write(&opened, "").unwrap();
        for path in [scene.path(), opened.as_path()] {
            std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
        }
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "fork errno 11\n");
}

#[test]
fn no_file_can_grow() {
    let output = Scene::new().output("resources", &["write-to-opened"]);
    assert_eq!(output.status.signal(), Some(libc::SIGXFSZ), "{output:?}");
}
