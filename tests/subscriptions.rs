//! `mm-query subscriptions`, on the sample log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts test functions, not their helpers"
)]

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs/subscribe")
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mm-query")).arg("subscriptions").args(args).output().unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = run(&[args, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(args: &[&str]) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn nothing_is_dropped_silently() {
    let log = sample();
    let report = json(&[log.to_str().unwrap()]);
    let lines = fs::read(&log).unwrap().iter().filter(|c| **c == b'\n').count() as u64;
    let total = &report["total"];
    let counted: u64 =
        ["pending", "new", "deleted", "other"].iter().map(|k| total[*k].as_u64().unwrap()).sum();
    assert_eq!(counted + report["unread"].as_u64().unwrap(), lines);
    assert_eq!(report["unread"], 3);
    assert_eq!(report["unread_examples"].as_array().unwrap().len(), 3);
    assert_eq!(report["by"]["network"][0]["name"], "203.0.113.0/24");
    assert_eq!(report["by"]["network"][1]["name"], "2001:db8:bad::/64");
    assert_eq!(report["bursts_of_sources"][0]["who"], "203.0.113.7");
    assert_eq!(report["bursts_of_addresses"][0]["who"], "victim@example.org");
    // The forged line names nobody.
    assert!(!report["by"].to_string().contains("president"));
}

#[test]
fn compressed_and_rotated_logs_are_found_where_mailman_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::create_dir(folder.path().join("lists")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&fs::read(sample()).unwrap()).unwrap();
    fs::write(logs.join("subscribe.2.gz"), gzip.finish().unwrap()).unwrap();
    fs::copy(sample(), logs.join("subscribe")).unwrap();
    fs::copy(sample(), logs.join("subscribe-20261120")).unwrap();
    for other in ["subscribe.bak", "subscribers", "vette", "subscribe.1.xz"] {
        fs::write(logs.join(other), "not a log\n").unwrap();
    }
    let mm_cfg = folder.path().join("mm_cfg.py");
    fs::write(&mm_cfg, format!("LOG_DIR = '{}'\n", logs.display())).unwrap();
    let site = [
        format!("--lists-dir={}", folder.path().join("lists").display()),
        format!("--mm-cfg={}", mm_cfg.display()),
    ];
    let report = json(&[&site[0], &site[1]]);
    assert_eq!((&report["files"], &report["unread"]), (&3.into(), &9.into()));
}

#[test]
fn since_when_and_by_what() {
    let log = sample();
    let log = log.to_str().unwrap();
    let since = json(&[log, "--since=2026-11-26"]);
    assert_eq!(since["total"]["pending"], 1);
    assert_eq!(json(&[log, "--since=2026-11-25 23:00"])["total"]["pending"], 7);
    assert_eq!(json(&[log, "--since=1m"])["total"]["new"], 0);
    let by = text(&[log, "--by=list", "--top=2"]);
    assert!(by.contains("team") && by.contains("announce") && !by.contains("club"), "{by}");
    assert!(!by.contains("by hour") && !by.contains("Bursts"), "{by}");
    let hours = text(&[log, "--by=hour"]);
    assert!(hours.contains("Nov 25 2026 22:00       68  ████"), "{hours}");
    for bad in ["--since=yesterday", "--by=nothing", "--top=0"] {
        assert_eq!(run(&[log, bad]).status.code(), Some(64), "{bad}");
    }
}

#[test]
fn a_log_is_a_stranger_s_text() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut lines =
        b"Nov 25 22:03:04 2026 (1) team: pending \x1b[2J <a@b.c>  \x1b[31mred\x07\n".to_vec();
    lines.extend(b"\x1b]0;title\x07 \x9b31m\n");
    lines.extend(vec![b'x'; 300_000]);
    lines.extend(b"\nNov 25 22:03:04 2026 (1) team: pending a@b.c  \xe2\x80\xae192.0.2.1");
    fs::write(&log, lines).unwrap();
    let report = text(&[log.to_str().unwrap()]);
    let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!report.contains(odd), "{report:?}");
    let missing = run(&[log.to_str().unwrap(), "/nonexistent"]);
    assert_eq!(missing.status.code(), Some(66));
    assert!(!missing.stdout.is_empty(), "the other file is reported on");
    assert_eq!(run(&["/dev/null"]).status.code(), Some(66));
}

#[test]
fn the_picture_in_the_documentation_is_what_it_draws() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("out.svg");
    let option = format!("--svg={}", picture.display());
    text(&[sample().to_str().unwrap(), &option]);
    let drawn = fs::read_to_string(&picture).unwrap();
    let documented = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/subscriptions.svg");
    if std::env::var_os("MMQ_UPDATE").is_some() {
        fs::write(&documented, &drawn).unwrap();
    }
    assert_eq!(drawn, fs::read_to_string(documented).unwrap());
    assert!(drawn.contains("Nov 25 2026 22:00: 68 pending, 0 new"));
}
