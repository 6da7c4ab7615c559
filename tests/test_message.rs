//! `mm-query test-message` as a program: where the message comes from, its options and limits.
//! Whether the verdicts are Mailman's is for `tests/corpus.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "clippy exempts test functions, not their helpers"
)]

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const FROM_EVE: &str = "From: Eve <eve@example.net>\nTo: announce@lists.example.org\n\nHello\n";
const FROM_ALICE: &str = "From: alice@example.org\nTo: team@lists.example.org\n\nHello\n";

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stderr))
    }

    fn verdict(&self) -> String {
        self.json()["verdict"].as_str().unwrap().to_owned()
    }
}

fn lists() -> String {
    format!("--lists-dir={}/tests/fixtures/lists", env!("CARGO_MANIFEST_DIR"))
}

/// Runs the program with the message on standard input.
fn ask(args: &[&str], message: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mm-query"))
        .arg("test-message")
        .args(args)
        .arg(lists())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that stops reading has its answer already.
    let _ = stdin.write_all(message);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Run {
        code: output.status.code().expect("no signal"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A site of its own: the sample lists with these lines in `mm_cfg.py`.
fn site(lines: &str) -> (TempDir, String) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("mm_cfg.py");
    fs::write(&file, format!("from Defaults import *\n{lines}\n")).unwrap();
    let option = format!("--mm-cfg={}", file.display());
    (dir, option)
}

#[test]
fn a_stranger_is_refused_and_a_member_is_not() {
    let refused = ask(&["announce"], FROM_EVE.as_bytes());
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stdout.contains("Only members may post"), "{}", refused.stdout);
    let taken = ask(&["team"], FROM_ALICE.as_bytes());
    assert_eq!((taken.code, taken.stdout.as_str()), (0, ""), "{}", taken.stderr);
}

#[test]
fn the_message_may_be_a_file_and_have_either_line_end() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("message");
    for message in [FROM_EVE.to_owned(), FROM_EVE.replace('\n', "\r\n")] {
        fs::write(&file, &message).unwrap();
        assert_eq!(ask(&["announce", file.to_str().unwrap()], b"").code, 1);
        assert_eq!(ask(&["announce"], message.as_bytes()).code, 1);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let missing = ask(&["announce", "/nonexistent/message"], b"");
    assert_eq!(missing.code, 66);
    assert!(missing.stderr.contains("/nonexistent/message"), "{}", missing.stderr);
    let directory = ask(&["announce", "/tmp"], b"");
    assert_eq!((directory.code, directory.stdout.as_str()), (66, ""), "{}", directory.stderr);
}

#[test]
fn the_envelope_sender_is_a_sender_too() {
    let message = "From: eve@example.net\nTo: team@lists.example.org\n\nHello\n";
    let json = |sender: &str| {
        let option = format!("--envelope-from={sender}");
        ask(&["team", "--json", &option], message.as_bytes()).verdict()
    };
    assert_eq!(json("alice@example.org"), "accept");
    assert_ne!(json(""), "accept");
    let two_lines = ask(&["team", "--envelope-from=a@b\nFrom: alice@example.org"], b"x");
    assert_eq!(two_lines.code, 64);
}

#[test]
fn an_empty_message_and_garbage_have_verdicts() {
    for message in [&b""[..], b"\0", b"\xff\xfe\n\n", b"From \n", b"\n\n\n", b":\n:\n"] {
        let run = ask(&["team", "--json"], message);
        assert!([0, 1].contains(&run.code), "{message:?}: {}", run.stderr);
        assert!(run.json()["verdict"].is_string());
    }
}

#[test]
fn what_is_over_a_limit_is_undecided() {
    let mut huge = b"From: eve@example.net\n\n".to_vec();
    huge.resize((64 << 20) + 1, b'x');
    let long_header = format!("From: eve@example.net\nX: {}\n\nx\n", "y".repeat(1 << 20));
    let parts = format!(
        "From: eve@example.net\nContent-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\n\nx\n".repeat(40_000)
    );
    let deep: String = (0..300)
        .map(|i| format!("Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n"))
        .collect();
    let cases = [huge, long_header.into_bytes(), parts.into_bytes(), deep.into_bytes()];
    for message in cases {
        let run = ask(&["announce", "--json"], &message);
        assert_eq!((run.code, run.verdict().as_str()), (0, "undecided"), "{}", run.stderr);
        assert!(run.json()["reason"].as_str().unwrap().contains("more than"), "{}", run.stdout);
    }
}

#[test]
fn dialects_and_policies_are_words_of_a_list() {
    for option in ["--dialect=2.1", "--dialect=2.2", "--dmarc-policy=reject", "--headers-only"] {
        let run = ask(&["team", option, "--json"], FROM_ALICE.as_bytes());
        assert_eq!((run.code, run.verdict().as_str()), (0, "accept"), "{option}: {}", run.stderr);
    }
    for option in ["--dialect=3", "--dmarc-policy=maybe", "--dmarc-policy="] {
        assert_eq!(ask(&["team", option], FROM_ALICE.as_bytes()).code, 64, "{option}");
    }
}

#[test]
fn a_setting_that_cannot_be_followed_is_named_with_its_line() {
    let (_dir, mm_cfg) = site("import os\nKNOWN_SPAMMERS = os.environ['X']");
    let run = ask(&["announce", "--explain", &mm_cfg], FROM_EVE.as_bytes());
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stdout.contains("KNOWN_SPAMMERS"), "{}", run.stdout);
    assert!(run.stdout.contains("line 3"), "{}", run.stdout);
}

const TRUSTED: &str = "TRUSTEDLOCALSERVER = ['192.0.2.1']\nTRUSTEDREMOTESERVER = ['192.0.2.25']";
const ROUTE: &str = "Received: from relay ([192.0.2.1]) by lists\n\
    Received: from smtp ([192.0.2.25]) by relay\nReceived: from c ([198.51.100.7]) by smtp\n";

#[test]
fn trusted_servers_let_a_strangers_message_in_where_it_would_be_held() {
    let message = format!("{ROUTE}From: eve@example.net\nTo: held@lists.example.org\n\nHello\n");
    let verdict = |settings: &str| {
        let (_dir, mm_cfg) = site(settings);
        ask(&["held", "--json", &mm_cfg], message.as_bytes()).verdict()
    };
    assert_eq!(verdict(""), "hold");
    assert_eq!(verdict(TRUSTED), "accept");
    assert_eq!(verdict("TRUSTEDREMOTESERVER = ['192.0.2.25']"), "hold", "both are needed");
    let pipeline = |moderate: &str| {
        format!("{TRUSTED}\nGLOBAL_PIPELINE = ['SpamDetect', 'Approve', '{moderate}', 'Hold']")
    };
    assert_eq!(verdict(&pipeline("Moderate")), "hold", "Mailman's own handler trusts nobody");
    assert_eq!(verdict(&pipeline("ModerateTrusted")), "accept");
    let (_dir, mm_cfg) = site(TRUSTED);
    let announce = ask(&["announce", &mm_cfg], message.as_bytes());
    assert_eq!(announce.code, 1, "a list that rejects strangers still does");
}

#[test]
fn a_pipeline_with_a_handler_of_the_sites_own_is_undecided_from_there_on() {
    let verdict = |list: &str, message: &str| {
        let (_dir, mm_cfg) =
            site("GLOBAL_PIPELINE = ['SpamDetect', 'Approve', 'Moderate', 'Mine', 'Hold']");
        ask(&[list, "--json", &mm_cfg], message.as_bytes()).verdict()
    };
    assert_eq!(verdict("announce", FROM_EVE), "reject");
    assert_eq!(verdict("team", FROM_ALICE), "undecided");
}

#[test]
fn no_list_and_no_argument_are_errors() {
    assert_eq!(ask(&["nosuch"], FROM_EVE.as_bytes()).code, 67);
    assert_eq!(ask(&[], FROM_EVE.as_bytes()).code, 64);
    assert!(!Path::new("nosuch").exists());
}
