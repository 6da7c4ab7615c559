//! The daemon's life: kills, restarts, signals, many questions.

use crate::support::{Running, command, copy_lists, fixtures};
use mm_query::serve::listen::Address;
use rustix::process::Signal;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

#[test]
fn a_killed_daemon_is_replaced_at_the_same_socket() {
    let mut running = Running::new(&[]);
    for _ in 0..5 {
        assert_eq!(running.sender("team", "alice@example.org"), "accept");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        assert!(running.socket().exists(), "a killed daemon leaves its socket's file");
        assert!(running.ask("query: ping\n").is_err());
        running.restart();
    }
    assert_eq!(running.sender("announce", "eve@example.net"), "reject");
    let beside = running.dir.path().read_dir().unwrap().count();
    assert_eq!(beside, 3, "lists, mm_cfg.py, socket");
}

#[test]
fn a_second_daemon_leaves_the_first_alone() {
    let running = Running::new(&[]);
    let listen = format!("--listen={}", running.socket().display());
    let output = command(running.dir.path()).arg(&listen).output().unwrap();
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let file = running.dir.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    let output =
        command(running.dir.path()).arg(format!("--listen={}", file.display())).output().unwrap();
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
    assert_eq!(running.sender("team", "alice@example.org"), "accept");
}

#[test]
fn the_socket_has_the_mode_and_the_owner_that_were_asked_for() {
    let running = Running::new(&["--socket-mode=0606"]);
    let about = std::fs::metadata(running.socket()).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o606);
    assert_eq!(about.uid(), rustix::process::geteuid().as_raw());
    if rustix::process::geteuid().is_root() {
        let running = Running::new(&["--socket-owner=7:9"]);
        let about = std::fs::metadata(running.socket()).unwrap();
        assert_eq!((about.uid(), about.gid(), about.mode() & 0o777), (7, 9, 0o660));
    }
}

#[test]
fn a_sigterm_ends_it_and_a_sighup_reloads() {
    let mut running = Running::new(&[]);
    running.line_with("is ready");
    running.signal(Signal::HUP);
    running.line_with("read the site's settings again");
    running.signal(Signal::TERM);
    running.line_with("ending");
    assert!(running.child.wait().unwrap().success());
    assert!(!running.socket().exists());
}

#[test]
fn refusals_are_logged_on_one_harmless_line() {
    let mut running = Running::new(&["--log=info"]);
    running.sender("announce", "eve@example.net");
    let line = running.line_with("refused");
    assert_eq!(
        line,
        "mm-query: refused: announce: reject <eve@example.net> by generic_nonmember_action\n"
    );
    use base64::Engine;
    let evil = base64::engine::general_purpose::STANDARD.encode("\"a\x1b[1m\n<9>x\"@example.net");
    running
        .ask(&format!("query: test-sender\nlist: announce\nheader-from-base64: {evil}\n"))
        .unwrap();
    let line = running.line_with("refused");
    assert!(line.chars().filter(|c| c.is_control()).eq(['\n']), "{line:?}");
}

#[test]
fn a_hundred_thousand_questions_leave_no_trace() {
    let questions: u32 = std::env::var("SERVE_QUESTIONS").map_or(100_000, |n| n.parse().unwrap());
    let running = Running::new(&["--log=error"]);
    let ask = |count: u32| {
        std::thread::scope(|scope| {
            for client in 0..4 {
                let running = &running;
                scope.spawn(move || {
                    for n in 0..count / 4 {
                        let sender = format!("u{client}x{n}@example.net");
                        assert_eq!(running.sender("announce", &sender), "reject");
                    }
                });
            }
        });
    };
    ask(10_000);
    let before = running.size();
    ask(questions);
    let after = running.size();
    assert!(after.0 <= before.0 + 4, "descriptors {before:?} {after:?}");
    assert!(after.1 <= before.1 + 4096, "memory {before:?} {after:?}");
    let status = running.ask("query: status\n").unwrap();
    assert!(status.text.contains("0 panics"), "{}", status.text);
}

fn ask(options: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mm-query"))
        .arg("ask")
        .args(options)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn ask_answers_as_test_sender_does_with_and_without_a_daemon() {
    let running = Running::new(&[]);
    let socket = format!("--socket={}", running.socket().display());
    let nobody = "--socket=/nonexistent/socket";
    let lists = format!("--lists-dir={}", fixtures().join("lists").display());
    for question in [
        &["team", "alice@example.org"][..],
        &["announce", "eve@example.net", "bob@example.net"],
        &["announce", "--from=Eve <eve@example.net>", "--envelope-from="],
        &["announce", "--from=two\n lines <eve@example.net>", "--json"],
        &["held", "eve@example.net"],
        &["held", "eve@example.net", "--held=refuse"],
        &["announce", "--base64", "--from=ZXZlQGV4YW1wbGUubmV0", "--envelope-from=eA=="],
        &["announce", "--from=eve@example.net", "--approved"],
        &["nosuch", "a@b"],
        &["announce"],
        &["announce", "--base64", "--from=?"],
    ] {
        let mut args = vec!["test-sender"];
        args.extend(question);
        args.push(&lists);
        let output = Command::new(env!("CARGO_BIN_EXE_mm-query")).args(&args).output().unwrap();
        let wanted = (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap());
        for more in [&[socket.as_str(), "--no-fallback"][..], &[nobody, &lists]] {
            let (code, stdout, stderr) = ask(&[question, more].concat());
            assert_eq!((code, stdout), wanted, "{question:?} {more:?}: {stderr}");
        }
    }
    let (code, stdout, stderr) = ask(&["team", "a@b", nobody, "--no-fallback"]);
    assert_eq!((code, stdout.as_str()), (75, ""), "{stderr}");
    assert!(stderr.contains("no daemon at /nonexistent/socket"), "{stderr}");
    let (code, _, stderr) = ask(&["team", "a@b", nobody, "--lists-dir=/nonexistent"]);
    assert_eq!(code, 75, "{stderr}");
}

#[test]
fn counters_count() {
    let running = Running::new(&[]);
    let status = |option: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_mm-query"))
            .args(["serve", option, &format!("--listen={}", running.socket().display())])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for _ in 0..5 {
        running.sender("announce", "eve@example.net");
    }
    running.sender("team", "alice@example.org");
    let _ = running.ask("query: nonsense\n");
    let text = status("--status");
    assert!(text.contains("test-sender 6,") && text.contains("reject 5,"), "{text}");
    assert!(text.contains("malformed 1") && text.contains("2 lists,"), "{text}");
    let metrics = status("--metrics");
    for line in [
        "mm_query_queries_total{query=\"test-sender\"} 6",
        "mm_query_answers_total{verdict=\"reject\"} 5",
        "mm_query_cache_lists 2",
        "# TYPE mm_query_latency_microseconds histogram",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line}\n{metrics}");
    }
    // A histogram's buckets rise to the count of all.
    let of = |start: &str| {
        metrics.lines().find_map(|l| l.strip_prefix(start)).unwrap().parse::<u64>().unwrap()
    };
    let all = of("mm_query_latency_microseconds_count ");
    assert_eq!(of("mm_query_latency_microseconds_bucket{le=\"+Inf\"} "), all);
    assert!(of("mm_query_latency_microseconds_bucket{le=\"50\"} ") <= all);
}

#[test]
fn addresses_are_paths_or_inet() {
    let parse = |text: &str| Address::parse(text.as_ref());
    assert_eq!(parse("inet:127.0.0.1:25"), Ok(Address::Inet("127.0.0.1:25".parse().unwrap())));
    assert_eq!(parse("/run/x"), Ok(Address::Unix("/run/x".into())));
    assert!(parse("inet:x:1").is_err() && parse("run/x").is_err() && parse("").is_err());
}

#[test]
fn as_another_user_it_reads_the_lists_and_nothing_else() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    copy_lists(&dir.path().join("lists"));
    std::fs::write(dir.path().join("mm_cfg.py"), "from Defaults import *\n").unwrap();
    std::os::unix::fs::symlink("/etc", dir.path().join("lists/etc")).unwrap();
    let socket = dir.path().join("socket");
    let mut child = Command::new("setpriv")
        .args([
            "--reuid=38",
            "--regid=38",
            "--clear-groups",
            env!("CARGO_BIN_EXE_mm-query"),
            "serve",
        ])
        .arg(format!("--lists-dir={}", dir.path().join("lists").display()))
        .arg(format!("--listen={}", socket.display()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ask = |lines: &str| {
        let request = format!("mm-query: 1\nquery: test-sender\n{lines}from: eve@example.net\n");
        mm_query::serve::client::ask(&Address::Unix(socket.clone()), request.as_bytes())
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let word = loop {
        match ask("list: announce\n") {
            Ok(answer) => break answer.word,
            Err(_) => assert!(std::time::Instant::now() < deadline),
        }
    };
    assert_eq!(word, "reject");
    assert_eq!(ask("list: etc\n").unwrap().word, "error");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!socket.exists(), "it may remove its socket's file");
}
