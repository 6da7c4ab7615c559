//! The filters for fail2ban, with the real fail2ban: what they find in lines as Mailman and Exim
//! write them, and in lines as somebody forges them; and whom a real server bans.
//! `tools/setup tests` installs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts test functions, not their helpers"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn ours(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fail2ban").join(path)
}

/// The addresses that a filter finds in a log.
fn found(filter: &str, lines: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    fs::write(&log, lines.join("\n") + "\n").unwrap();
    let run = Command::new("fail2ban-regex")
        .args(["--usedns=no", "--out=ip"])
        .arg(&log)
        .arg(ours(&format!("filter.d/{filter}.conf")))
        .output()
        .expect("fail2ban (tools/setup tests)");
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    said.lines().map(str::to_owned).collect()
}

#[test]
fn the_subscribe_log() {
    let stamped = |text: &str| format!("Nov 25 22:03:04 2026 (4711) {text}");
    let one = |text: &str| found("mm-query-subscribe", &[&stamped(text)]);
    for (text, expected) in [
        ("team: pending a@example.org  203.0.113.7", "203.0.113.7"),
        ("c++: pending Some One <a+b@example.org>  203.0.113.7", "203.0.113.7"),
        ("team: pending \"One, Some\" <a@example.org>  2001:db8::7", "2001:db8::7"),
        ("team: pending a@example.org  192.0.2.1, 203.0.113.7", "203.0.113.7"),
        ("team: pending \"X <v@w.xy>  192.0.2.1\" <a@example.org>  203.0.113.7", "203.0.113.7"),
        (
            "team: pending \"\\(1\\) t: pending v@w.xy  192.0.2.1\" <a@b.org>  203.0.113.7",
            "203.0.113.7",
        ),
    ] {
        assert_eq!(one(text), [expected], "{text}");
    }
    for text in [
        "team: pending a@example.org ",
        "team: pending a@example.org  eve@example.net",
        "team: pending \"Eve",
        "team: new a@example.org, 203.0.113.7",
        "team: deleted a@example.org",
    ] {
        assert!(one(text).is_empty(), "{text}");
    }
    // A real name with a line end in it: its parentheses are escaped.
    let broken = stamped("team: pending \"Eve");
    let forged = [
        broken.as_str(),
        "Nov 25 22:03:04 2026 \\(1\\) team: pending v@w.xy  192.0.2.1",
        "\" <eve@example.net>  203.0.113.7",
    ];
    assert!(found("mm-query-subscribe", &forged).is_empty());
}

#[test]
fn the_mischief_log() {
    let one =
        |text: &str| found("mm-query-mischief", &[&format!("Nov 25 22:03:04 2026 (4711) {text}")]);
    let hostile = "Hostile listname: listname=";
    assert_eq!(one(&format!("{hostile}../../etc: remote=203.0.113.7")), ["203.0.113.7"]);
    assert_eq!(one(&format!("{hostile}x:remote=192.0.2.1: remote=2001:db8::7")), ["2001:db8::7"]);
    let own = "Attempt to self subscribe team@lists.example.org: ";
    assert_eq!(one(&format!("{own}203.0.113.7")), ["203.0.113.7"]);
    assert_eq!(one(&format!("{own}192.0.2.1, 203.0.113.7")), ["203.0.113.7"]);
    assert!(one(&format!("{hostile}x: remote=unidentified origin")).is_empty());
}

#[test]
fn exim_s_mainlog() {
    let refused = "rejected after DATA: mm-query: team: refused: Only members may post";
    let one = |text: &str| found("mm-query-exim", &[&format!("2026-11-25 22:03:04 {text}")]);
    for (client, expected) in [
        ("H=mx.example.net (mx) [203.0.113.7]", "203.0.113.7"),
        ("H=(client.example.com) [2001:db8::7]", "2001:db8::7"),
        ("H=([192.0.2.1]) [203.0.113.7]:52011 I=[192.0.2.25]:25", "203.0.113.7"),
        ("H=[203.0.113.7]", "203.0.113.7"),
    ] {
        let text = format!("1vO2ab-000123-4X {client} F=<a@example.net> {refused}");
        assert_eq!(one(&text), [expected], "{text}");
        let text = format!("1vO2ab-000123-4X {client} X=TLS1.3:x:256 CV=no F=<> {refused}");
        assert_eq!(one(&text), [expected], "{text}");
    }
    let join = "rejected after DATA: mm-query: team:join: refused: banned";
    assert_eq!(one(&format!("1a-b H=(x) [203.0.113.7] F=<a@b.c> {join}")), ["203.0.113.7"]);
    for text in [
        "1a-b H=(x) [203.0.113.7] F=<a@b.c> rejected after DATA: header syntax",
        "1a-b <= a@b.c H=(x) [203.0.113.7] P=esmtp S=300 T=\"rejected after DATA: mm-query: x: refused:\"",
        "mm-query: team: accepted unchecked (status 127): refused: x [203.0.113.7]",
    ] {
        assert!(one(text).is_empty(), "{text}");
    }
}

/// A fail2ban of our own, that writes down whom it bans.
struct Server {
    folder: tempfile::TempDir,
    daemon: Child,
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["filter.d", "action.d", "jail.d"] {
            fs::create_dir(at(name)).unwrap();
        }
        for filter in fs::read_dir(ours("filter.d")).unwrap().map(Result::unwrap) {
            fs::copy(filter.path(), at("filter.d").join(filter.file_name())).unwrap();
        }
        fs::copy(ours("jail.d/mm-query.conf"), at("jail.d/mm-query.conf")).unwrap();
        let here = folder.path().display();
        fs::write(
            at("fail2ban.conf"),
            format!(
                "[Definition]\nloglevel = INFO\nlogtarget = {here}/server.log\nsyslogsocket = auto\n\
                 socket = {here}/socket\npidfile = {here}/pid\ndbfile = None\ndbpurgeage = 1d\n"
            ),
        )
        .unwrap();
        fs::write(
            at("action.d/note.conf"),
            format!("[Definition]\nactionban = echo <name> <ip> >> {here}/banned\n"),
        )
        .unwrap();
        let mut jails = "[DEFAULT]\nbackend = polling\nusedns = no\naction = note\n".to_owned();
        for (jail, log) in [("subscribe", "subscribe"), ("mischief", "mischief"), ("exim", "main")]
        {
            fs::write(at(log), "").unwrap();
            jails += &format!("[mm-query-{jail}]\nenabled = true\nlogpath = {here}/{log}\n");
        }
        fs::write(at("jail.local"), jails).unwrap();
        fs::write(at("jail.conf"), "").unwrap();
        let daemon = Command::new("fail2ban-server")
            .arg("-f")
            .args(["-c".as_ref(), folder.path().as_os_str()])
            .args(["-s".as_ref(), at("socket").as_os_str()])
            .args(["-p".as_ref(), at("pid").as_os_str()])
            .arg("start")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("fail2ban (tools/setup tests)");
        let server = Server { folder, daemon };
        server.wait_for("server.log", "Jail 'mm-query-exim' started");
        server
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn append(&self, log: &str, lines: &[String]) {
        use std::io::Write;
        let file = self.folder.path().join(log);
        let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
        file.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    }

    fn wait_for(&self, name: &str, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.read(name).contains(words) {
            assert!(Instant::now() < deadline, "{words}: {}", self.read("server.log"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let socket = self.folder.path().join("socket");
        let _ = Command::new("fail2ban-client").arg("-s").arg(socket).arg("stop").output();
        let _ = self.daemon.wait();
    }
}

fn date(of: &str, format: &str) -> String {
    let run = Command::new("date").args(["-d", of, format]).env("LC_ALL", "C").output().unwrap();
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_real_server_bans_whom_it_should() {
    let server = Server::start();
    let mailman = |when: &str| date(when, "+%b %d %H:%M:%S %Y (4711)");
    let (now, long_ago) = (mailman("now"), mailman("3 hours ago"));
    let pending = |stamp: &str, n: usize, source: &str| {
        format!("{stamp} team: pending Some One <user{n}@example.org>  {source}")
    };
    let mut lines = Vec::new();
    for n in 0..12 {
        lines.push(pending(&long_ago, n, "203.0.113.66"));
    }
    for n in 0..9 {
        lines.push(pending(&now, n, "203.0.113.9"));
        let forged = date("now", "+%b %d %H:%M:%S %Y \\(1\\)");
        lines.push(format!("{now} team: pending \"Eve"));
        lines.push(pending(&forged, n, "192.0.2.1"));
        lines.push(pending(&forged, n, "192.0.2.1"));
        lines.push("\" <eve@example.net>  192.0.2.1".to_owned());
    }
    for n in 0..10 {
        lines.push(pending(&now, n, "203.0.113.7"));
        lines.push(pending(&now, n, "192.0.2.2, 2001:db8::7"));
    }
    server.append("subscribe", &lines);
    let hostile = |source: &str| format!("{now} Hostile listname: listname=../x: remote={source}");
    let probes: Vec<String> = (0..5).map(|_| hostile("203.0.113.8")).collect();
    server.append("mischief", &probes);
    server.append("mischief", &[hostile("203.0.113.9")]);
    let exim = date("now", "+%Y-%m-%d %H:%M:%S");
    let refused = format!(
        "{exim} 1a-b H=([192.0.2.1]) [203.0.113.5] F=<a@b.c> rejected after DATA: \
         mm-query: team: refused: no"
    );
    server.append("main", &vec![refused; 30]);

    server.wait_for("banned", "mm-query-subscribe 203.0.113.7");
    server.wait_for("banned", "mm-query-subscribe 2001:db8::7");
    server.wait_for("banned", "mm-query-mischief 203.0.113.8");
    server.wait_for("banned", "mm-query-exim 203.0.113.5");
    // And nobody else: everything was read before the last ban.
    let mut banned: Vec<String> = server.read("banned").lines().map(str::to_owned).collect();
    banned.sort();
    assert_eq!(
        banned,
        [
            "mm-query-exim 203.0.113.5",
            "mm-query-mischief 203.0.113.8",
            "mm-query-subscribe 2001:db8::7",
            "mm-query-subscribe 203.0.113.7",
        ]
    );
}
