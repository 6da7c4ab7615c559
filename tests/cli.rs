//! The program itself: its statuses, its two outputs, and what hostile surroundings do to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "clippy exempts test functions, not their helpers"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BIN: &str = env!("CARGO_BIN_EXE_mm-query");
/// The program behind the wrapper.
const QUICK: &str = env!("CARGO_BIN_EXE_mm-query-quick");

fn lists() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lists")
}

#[derive(Debug, PartialEq, Eq)]
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs the program, and if that is a query, the one behind the wrapper too: they say the same.
fn run_with(dir: &Path, args: &[&dyn AsRef<OsStr>]) -> Run {
    let run = |program| {
        let mut command = Command::new(program);
        command.args(args.iter().map(|a| a.as_ref()));
        command.arg(format!("--lists-dir={}", dir.display()));
        finish(&mut command)
    };
    let ran = run(BIN);
    let queries = ["test-sender", "test-message", "test-subscribe", "list-domain"];
    if args.first().is_some_and(|first| queries.iter().any(|query| first.as_ref() == *query)) {
        assert_eq!(run(QUICK), ran);
    }
    ran
}

fn finish(command: &mut Command) -> Run {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let run = Run {
        code: output.status.code().expect("ended by itself, not by a signal"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    };
    assert!(!run.stderr.contains("panicked"), "{command:?}: {run:?}");
    assert!([0, 1, 64, 65, 66, 67, 74, 75, 77, 78].contains(&run.code), "{command:?}: {run:?}");
    match run.code {
        0 => {}
        1 => assert!(!run.stdout.is_empty() && run.stderr.is_empty(), "{command:?}: {run:?}"),
        _ => assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{command:?}: {run:?}"),
    }
    run
}

fn run(args: &[&str]) -> Run {
    let args: Vec<&dyn AsRef<OsStr>> = args.iter().map(|a| a as &dyn AsRef<OsStr>).collect();
    run_with(&lists(), &args)
}

#[test]
fn behind_the_wrapper_is_nothing_but_queries() {
    let commands = "serve ask exim-setup doctor lists show members ban unban banned audit harden \
        subscriptions locks help";
    for name in commands.split_whitespace() {
        let ran = finish(Command::new(QUICK).args([name, "team"]));
        assert!(ran.code == 64 && ran.stderr.contains("unrecognized subcommand"), "{ran:?}");
    }
    let help = finish(Command::new(QUICK).arg("--help"));
    assert!(help.stdout.contains("/usr/bin/mm-query has all commands"), "{help:?}");
    let version = |program| finish(Command::new(program).arg("--version"));
    assert_eq!(version(QUICK), version(BIN));
}

fn verdict(args: &[&str]) -> String {
    let args = [args, &["--json"]].concat();
    let run = run(&args);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let permitted = answer["permitted"].as_bool().unwrap();
    assert_eq!(permitted, run.code == 0, "{run:?}");
    assert_eq!(answer["text"].as_str().unwrap().is_empty(), permitted, "{run:?}");
    format!("{} {}", answer["verdict"].as_str().unwrap(), answer["rule"].as_str().unwrap())
}

#[test]
fn verdicts_on_the_sample_lists() {
    for (args, expected) in [
        (&["team", "alice@example.org"][..], "accept member"),
        (&["team", "ALICE@Example.ORG"], "accept member"),
        (&["team", "carol@example.org"], "accept member"),
        (&["team", "dave@example.org"], "accept member"),
        (&["team", "erin@example.org"], "accept member"),
        (&["team", "bob@example.org"], "reject member_moderation_action"),
        (&["team", "eve@example.net"], "reject generic_nonmember_action"),
        (&["team", "", "eve@example.net", "", "alice@example.org"], "accept member"),
        (&["team", "bob@example.org", "alice@example.org"], "accept member"),
        (&["team", ""], "undecided unknowable"),
        (&["team", "--from=a <alice@example.org>", "--envelope-from=x@y"], "accept member"),
        (&["team", "--from=eve@example.net", "--envelope-from=alice@example.org"], "accept member"),
        (&["team", "--from=eve@example.net", "--sender=alice@example.org"], "accept member"),
        (&["team", "--from=eve@example.net", "--reply-to=alice@example.org"], "accept member"),
        (
            &["team", "--from=bob@example.org", "--reply-to=alice@example.org"],
            "reject member_moderation_action",
        ),
        (&["team", "--from=x@y", "--from=alice@example.org"], "accept member"),
        (&["team", "--envelope-from="], "reject generic_nonmember_action"),
        (&["team", "--from=eve@example.net", "--approved"], "undecided approval"),
        (&["open", "eve@example.net"], "accept generic_nonmember_action"),
        (&["held", "eve@example.net"], "hold generic_nonmember_action"),
        (&["dropped", "eve@example.net"], "discard generic_nonmember_action"),
        (&["accept4", "eve@example.net"], "accept generic_nonmember_action"),
        (&["empty", "eve@example.net"], "reject generic_nonmember_action"),
        (&["bouncing", "alice@example.org"], "accept member"),
        (&["bouncing", "eve@example.net"], "reject generic_nonmember_action"),
        (&["shared", "eve@example.net"], "reject generic_nonmember_action"),
        (&["old", "alice@example.org"], "accept member"),
        (&["older", "eve@example.net"], "undecided unknowable"),
        (&["missing", "eve@example.net"], "undecided shunt"),
        (&["badtypes", "eve@example.net"], "undecided shunt"),
        (&["badaction", "eve@example.net"], "undecided shunt"),
        (&["atcorrupt", "eve@example.net"], "undecided shunt"),
        (&["overflow", "eve@example.net"], "undecided shunt"),
        (&["extended", "eve@example.net"], "undecided unknowable"),
        (&["pipeline", "eve@example.net"], "undecided unknowable"),
        (&["fallback", "alice@example.org"], "accept member"),
        (&["proto0", "bob@example.org"], "reject member_moderation_action"),
        (&["proto2", "bob@example.org"], "reject member_moderation_action"),
        (&["proto4", "alice@example.org"], "accept member"),
        (&["py3", "josé@bücher.example"], "accept member"),
        (&["py3", "eve@example.net"], "reject generic_nonmember_action"),
        (&["py3bouncing", "alice@example.org"], "accept member"),
        (&["equiv", "kim@dept.example.edu"], "accept member"),
    ] {
        let args = [&["test-sender"], args].concat();
        assert_eq!(verdict(&args), expected, "{args:?}");
    }
}

#[test]
fn a_broken_file_falls_back_with_a_warning_and_never_beside_a_refusal() {
    let permitted = run(&["test-sender", "fallback", "alice@example.org"]);
    assert_eq!((permitted.code, permitted.stdout.as_str()), (0, ""));
    assert!(permitted.stderr.contains("config.pck.last"), "{permitted:?}");
    assert!(permitted.stderr.contains("at byte"), "{permitted:?}");
    assert_eq!(run(&["test-sender", "fallback", "eve@example.net"]).code, 1);
}

#[test]
fn errors_have_statuses_of_their_own() {
    for (args, code, word) in [
        (&["test-sender", "corrupt", "a@b"][..], 65, "corrupt/config.pck"),
        (&["test-sender", "marshal", "a@b"], 65, "marshal"),
        (&["list-domain", "corrupt"], 65, "at byte"),
        (&["test-sender", "nosuch", "a@b"], 67, "no such list: nosuch"),
        (&["test-sender", "../lists/team", "a@b"], 67, "no such list"),
        (&["test-sender", "..", "a@b"], 67, "no such list"),
        (&["test-sender", ".", "a@b"], 67, "no such list"),
        (&["test-sender", "/etc", "a@b"], 67, "no such list"),
        (&["test-sender", "Team", "a@b"], 67, "no such list"),
        (&["test-sender", "team@example.com", "a@b"], 67, "no such list"),
        (&["test-sender", "team@a/../../team", "a@b"], 67, "no such list"),
        (&["test-sender", "", "a@b"], 64, "empty"),
        (&["test-sender", "team"], 64, "no sender"),
        (&["test-sender"], 64, "LIST"),
        (&["nonsense"], 64, "nonsense"),
        (&["test-sender", "team", "a@b", "--nonsense"], 64, "nonsense"),
        (&["test-sender", "team", "a@b", "--from=x"], 64, "cannot be used"),
        (&["test-sender", "team", "--held=maybe", "a@b"], 64, "maybe"),
        (&["test-sender", "team", "--base64", "--from=***"], 64, "base64"),
    ] {
        let run = run(args);
        assert_eq!(run.code, code, "{args:?}: {run:?}");
        assert!(run.stderr.contains(word), "{args:?}: {run:?}");
    }
    let nothing = finish(&mut Command::new(BIN));
    assert_eq!(nothing.code, 64, "{nothing:?}");
    assert!(nothing.stderr.contains("subcommand"), "{nothing:?}");
    let gone = run_with(Path::new("/nonexistent"), &[&"test-sender", &"team", &"a@b"]);
    assert_eq!(gone.code, 66, "{gone:?}");
}

#[test]
fn names_with_a_domain() {
    let domain = |args: &[&str]| run(&[&["list-domain"], args].concat());
    assert_eq!(domain(&["team@LISTS.example.ORG"]).stdout, "lists.example.org\n");
    assert_eq!(domain(&["club@lists.example.com"]).stdout, "lists.example.com\n");
    assert_eq!(domain(&["club@lists.example.net"]).stdout, "lists.example.net\n");
    assert_eq!(domain(&["club"]).code, 67);
    assert_eq!(domain(&["team", "Lists.Example.Org"]).code, 0);
    let other = domain(&["team", "example.org"]);
    assert_eq!((other.code, other.stdout.as_str()), (1, "lists.example.org\n"));
}

#[test]
fn base64_and_exim_s_lists_of_headers() {
    let b64 = |text: &str| STANDARD.encode(text);
    let judge = |from: &str, envelope: &str| {
        let (from, envelope) =
            (format!("--from={}", b64(from)), format!("--envelope-from={}", b64(envelope)));
        verdict(&["test-sender", "team", "--base64", &from, &envelope])
    };
    let refused = "reject generic_nonmember_action";
    assert_eq!(judge("Alice <alice@example.org>\n", ""), "accept member");
    assert_eq!(judge("eve@x\n:alice@example.org\n", ""), "accept member");
    assert_eq!(judge("friends:: alice@example.org;\n", ""), "accept member");
    assert_eq!(judge("eve@example.net", "alice@example.org"), "accept member");
    assert_eq!(judge("", ""), refused);
    assert_eq!(judge("eve@x\n:mallory@y\n", "eve@x"), refused);
    // Exim cuts at 64 KiB, and alice may be behind the cut.
    let long = format!("{}<eve@x>", "x, ".repeat(22_000));
    assert_eq!(judge(&long, "eve@x"), "undecided unknowable");
}

#[test]
fn texts_are_ready_for_smtp() {
    for list in ["team", "announce", "umlaut", "latin", "status", "long", "percent", "py3"] {
        let run = run(&["test-sender", list, "eve@example.net"]);
        assert_eq!(run.code, 1, "{list}");
        assert!(run.stdout.len() < 4_000, "{list}: {} bytes", run.stdout.len());
        assert!(run.stdout.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{run:?}");
        assert!(!run.stdout.as_bytes()[..3].iter().all(u8::is_ascii_digit), "{run:?}");
    }
    let utf8 = run(&["test-sender", "umlaut", "eve@example.net", "--utf8"]);
    assert!(utf8.stdout.contains('ü'), "{utf8:?}");
}

#[test]
fn a_sender_cannot_write_into_the_reply() {
    let nasty = "\"a\r\n250 ok\x1b[2J\u{202e}\" <eve@x\r\n250 y>";
    let run = run(&["test-sender", "announce", nasty]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.lines().all(|line| !line.starts_with("250")), "{run:?}");
    assert!(!run.stdout.contains(['\r', '\x1b']), "{run:?}");
}

#[test]
fn a_sender_adds_no_lines_to_the_reply() {
    let run = run(&["test-sender", "announce", "eve\n550 x\n@x"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("<eve?550?x?@x>"), "{run:?}");
}

/// A copy of a sample list under another lists directory.
fn copy_list(from: &str, dir: &Path, name: &str) {
    fs::create_dir(dir.join(name)).unwrap();
    fs::copy(lists().join(from).join("config.pck"), dir.join(name).join("config.pck")).unwrap();
}

#[test]
fn nothing_leads_out_of_the_lists_directory() {
    let dir = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    copy_list("team", outside.path(), "secret");
    copy_list("team", dir.path(), "real");
    symlink(outside.path().join("secret"), dir.path().join("linked")).unwrap();
    symlink("real", dir.path().join("alias")).unwrap();
    fs::create_dir(dir.path().join("file")).unwrap();
    symlink(outside.path().join("secret/config.pck"), dir.path().join("file/config.pck")).unwrap();
    fs::create_dir(dir.path().join("dir")).unwrap();
    fs::create_dir(dir.path().join("dir/config.pck")).unwrap();
    fs::create_dir(dir.path().join("pipe")).unwrap();
    let pipe = dir.path().join("pipe/config.pck");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::create_dir(dir.path().join("proc")).unwrap();
    symlink("/proc/self/fd/0", dir.path().join("proc/config.pck")).unwrap();
    fs::create_dir(dir.path().join("device")).unwrap();
    symlink("/dev/zero", dir.path().join("device/config.pck")).unwrap();

    let ask = |name: &str| run_with(dir.path(), &[&"test-sender", &name, &"eve@example.net"]);
    for name in ["linked", "file", "dir", "pipe", "proc", "device"] {
        let run = ask(name);
        assert_eq!(run.code, 65, "{name}: {run:?}");
    }
    assert_eq!(ask("real").code, 1);
    assert_eq!(ask("alias").code, 1, "a link within the directory is Mailman's business");
}

#[test]
fn an_unreadable_list_is_no_refusal() {
    let dir = tempfile::tempdir().unwrap();
    copy_list("team", dir.path(), "team");
    let run = |mode: &str, path: &Path| {
        assert!(Command::new("chmod").arg(mode).arg(path).status().unwrap().success());
        let mut command = Command::new(BIN);
        command.args(["test-sender", "team", "eve@example.net"]);
        command.arg(format!("--lists-dir={}", dir.path().display()));
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        finish(&mut command)
    };
    run("755", dir.path());
    let readable = run("644", &dir.path().join("team/config.pck"));
    assert_eq!(readable.code, 1, "{readable:?}");
    assert_eq!(run("000", &dir.path().join("team/config.pck")).code, 66);
    assert_eq!(run("700", &dir.path().join("team")).code, 66);
    run("755", &dir.path().join("team"));
    assert_eq!(run("000", dir.path()).code, 66);
    run("755", dir.path());
}

#[test]
fn an_answer_that_cannot_be_written_is_none() {
    for args in
        [&["test-sender", "team", "eve@example.net"][..], &["list-domain", "team"], &["--help"]]
    {
        let mut command = Command::new(BIN);
        command.args(args);
        if args.len() > 1 {
            command.arg(format!("--lists-dir={}", lists().display()));
        }
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(74), "{args:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let nobody_reads = Command::new(BIN)
        .args(["test-sender", "team", "eve@example.net"])
        .arg(format!("--lists-dir={}", lists().display()))
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(nobody_reads.status.code(), Some(74));
}

#[test]
fn odd_bytes_and_long_arguments_are_only_data() {
    let name = OsStr::from_bytes(b"te\xffam\n\x1b[2J");
    let run = run_with(&lists(), &[&"test-sender", &name, &"a@b"]);
    assert_eq!(run.code, 67, "{run:?}");
    assert!(!run.stderr.contains('\x1b'), "{run:?}");
    let long = "x".repeat(100_000);
    assert_eq!(run_with(&lists(), &[&"test-sender", &long, &"a@b"]).code, 67);
    assert_eq!(run_with(&lists(), &[&"test-sender", &"team", &long]).code, 1);
    let odd = OsStr::from_bytes(b"--from=\x80\xff <\xfe@\xfd>");
    assert_eq!(run_with(&lists(), &[&"test-sender", &"team", &odd]).code, 1);
    assert_eq!(run_with(&lists(), &[&"test-sender", &"py3", &odd]).code, 0);
    let unknown = OsStr::from_bytes(b"--\x1b[2J\xff");
    let bad = run_with(&lists(), &[&"test-sender", &"team", &unknown]);
    assert_eq!(bad.code, 64);
    assert!(!bad.stderr.contains('\x1b'), "{bad:?}");
}

#[test]
fn site_settings_are_found_beside_the_lists() {
    let site = tempfile::tempdir().unwrap();
    let dir = site.path().join("lists");
    fs::create_dir(&dir).unwrap();
    copy_list("team", &dir, "team");
    let ask = |mm_cfg: &str| {
        let text = format!("from Defaults import *\n{mm_cfg}");
        fs::write(site.path().join("mm_cfg.py"), text).unwrap();
        let from: &dyn AsRef<OsStr> = &"--from=eve@example.net";
        let args = [&"test-sender" as _, &"team" as _, from, &"--sender=alice@example.org" as _];
        run_with(&dir, &args).code
    };
    assert_eq!(ask(""), 0);
    assert_eq!(ask("SENDER_HEADERS = ('from', None)\n"), 1);
    assert_eq!(ask("SENDER_HEADERS = open('/etc/x').read()\n"), 0, "unknown: undecided");
    assert_eq!(ask("SENDER_HEADERS = ('from',)\nGLOBAL_PIPELINE = ['Hold']\n"), 0);
    assert_eq!(ask("SENDER_HEADERS = ('from',)\nX = '\n"), 0);
    assert_eq!(
        ask("# \u{e9}, as only the port's Python 3 takes it\nSENDER_HEADERS = ('from',)\n"),
        1
    );
    let insert =
        |h: &str| format!("SENDER_HEADERS = ('from',)\nGLOBAL_PIPELINE.insert(2, '{h}')\n");
    assert_eq!(ask(&insert("Replybot")), 1);
    assert_eq!(ask(&insert("MyFilter")), 0, "a handler before Moderate may take the message");
    assert_eq!(ask("SENDER_HEADERS = ('from',)\nGLOBAL_PIPELINE.append('MyFilter')\n"), 1);
}

#[test]
fn a_header_that_was_not_given_may_name_an_earlier_member() {
    let site = tempfile::tempdir().unwrap();
    let dir = site.path().join("lists");
    fs::create_dir(&dir).unwrap();
    copy_list("team", &dir, "team");
    let ask = |headers: &str| {
        let text = format!("from Defaults import *\nSENDER_HEADERS = {headers}\n");
        fs::write(site.path().join("mm_cfg.py"), text).unwrap();
        let from: &dyn AsRef<OsStr> = &"--from=bob@example.org";
        run_with(&dir, &[&"test-sender" as _, &"team" as _, from]).code
    };
    assert_eq!(ask("('from', 'x-author')"), 1, "the moderated member comes first");
    assert_eq!(ask("('x-author', 'from')"), 0);
}

#[test]
fn an_mm_cfg_that_cannot_be_read_is_not_taken_for_none() {
    let site = tempfile::tempdir().unwrap();
    let dir = site.path().join("lists");
    fs::create_dir(&dir).unwrap();
    copy_list("team", &dir, "team");
    let args: [&dyn AsRef<OsStr>; 3] = [&"test-sender", &"team", &"eve@example.net"];
    assert_eq!(run_with(&dir, &args).code, 1);
    symlink("nowhere", site.path().join("mm_cfg.py")).unwrap();
    assert_eq!(run_with(&dir, &args).code, 66);
}

#[test]
fn python_2_strips_vertical_tabs_before_a_value() {
    assert_eq!(run(&["test-sender", "team", "--from=\u{b} alice@example.org"]).code, 0);
}

#[test]
fn mm_cfg_can_tell_where_the_lists_are() {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir_all(site.path().join("Mailman")).unwrap();
    fs::create_dir_all(site.path().join("elsewhere")).unwrap();
    fs::create_dir_all(site.path().join("lists")).unwrap();
    copy_list("team", &site.path().join("elsewhere"), "there");
    copy_list("team", &site.path().join("lists"), "here");
    let mm_cfg = site.path().join("Mailman/mm_cfg.py");
    let ask = |text: &str, list: &str| {
        fs::write(&mm_cfg, format!("from Defaults import *\n{text}")).unwrap();
        let mut command = Command::new(BIN);
        command.args(["list-domain", list]).arg(format!("--mm-cfg={}", mm_cfg.display()));
        finish(&mut command)
    };
    let elsewhere = format!("LIST_DATA_DIR = '{}/elsewhere'\n", site.path().display());
    assert_eq!(ask(&elsewhere, "there").code, 0);
    assert_eq!(ask("LIST_DATA_DIR = VAR_PREFIX + '/elsewhere'\n", "there").code, 0);
    assert_eq!(ask("VAR_PREFIX = '/nonexistent'\n", "here").code, 0, "Defaults came first");
    let unknown = ask("LIST_DATA_DIR = os.path.join(x, 'y')\n", "here");
    assert_eq!(unknown.code, 78, "{unknown:?}");
    assert!(unknown.stderr.contains("line 2"), "{unknown:?}");
}

#[test]
fn files_replaced_while_they_are_read_are_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    copy_list("team", dir.path(), "team");
    let config = dir.path().join("team/config.pck");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                let list = if round % 2 == 0 { "announce" } else { "team" };
                let new = dir.path().join("team/config.pck.tmp");
                fs::copy(lists().join(list).join("config.pck"), &new).unwrap();
                fs::rename(&new, &config).unwrap();
            }
        });
        for _ in 0..200 {
            let run = run_with(dir.path(), &[&"test-sender", &"team", &"alice@example.org"]);
            assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// Runs a script as root where `/etc` and `/var/lib` are its own; `$BIN` and `$LISTS` are set.
fn in_a_machine_of_its_own(script: &str) -> Option<Run> {
    if !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "CI must run the tests as root");
        return None;
    }
    let set_up = "set -e; mount -t tmpfs tmpfs /etc; mount -t tmpfs tmpfs /var/lib; umask 022; ";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation=private", "/bin/sh", "-c"]);
    command.arg(format!("{set_up}{script}")).env("BIN", BIN).env("LISTS", lists());
    Some(finish(&mut command))
}

#[test]
fn the_configuration_of_the_machine_tells_where_the_lists_are() {
    let config = "printf 'lists_dir = \"%s\"\\n' \"$LISTS\" > /etc/mm-query.toml; ";
    let ask = "exec $BIN list-domain team";
    // Nothing can be known of this mm_cfg.py, so nobody is refused.
    let judge = "$BIN test-sender team --from=eve@example.net && exec $BIN list-domain team";
    for (script, code, word) in [
        (format!("{config}{ask}"), 0, ""),
        (format!("{config}chmod g+w /etc/mm-query.toml; {ask}"), 78, "written by others"),
        (format!("{config}chown 1 /etc/mm-query.toml; {ask}"), 78, "not owned by root"),
        (
            format!("{config}mv /etc/mm-query.toml /etc/x; ln -s x /etc/mm-query.toml; {ask}"),
            78,
            "open",
        ),
        (format!("mkdir /etc/mm-query.toml; {ask}"), 78, "not a regular file"),
        (format!("echo 'lists_dri = 1' > /etc/mm-query.toml; {ask}"), 78, "unknown field"),
        (format!("echo 'mm_cfg = \"/etc/none.py\"' > /etc/mm-query.toml; {ask}"), 66, "none.py"),
        (ask.to_owned(), 66, "no lists directory"),
        (
            format!("{config}mkdir /etc/mailman; echo 'x = \"' > /etc/mailman/mm_cfg.py; {judge}"),
            0,
            "",
        ),
        (format!("mkdir /var/lib/mailman; ln -s \"$LISTS\" /var/lib/mailman/lists; {ask}"), 0, ""),
        (
            format!(
                "mkdir -p /var/lib/mailman/lists /etc/mailman; \
                 printf 'LIST_DATA_DIR = \"%s\"\\n' \"$LISTS\" > /etc/mailman/mm_cfg.py; {ask}"
            ),
            0,
            "",
        ),
    ] {
        let Some(run) = in_a_machine_of_its_own(&script) else { return };
        assert_eq!(run.code, code, "{script}: {run:?}");
        assert!(run.stderr.contains(word), "{script}: {run:?}");
        if code == 0 {
            assert_eq!(run.stdout, "lists.example.org\n", "{script}");
        }
    }
}

#[test]
fn the_layout_of_the_machine_tells_where_the_locks_are() {
    let own_dirs = "mount -t tmpfs tmpfs /srv; mount -t tmpfs tmpfs $(readlink -f /var/lock); ";
    let debian = "mkdir -p /var/lib/mailman /var/lock/mailman; \
                  ln -s \"$LISTS\" /var/lib/mailman/lists; ";
    let link = "ln -s /var/lock/mailman /var/lib/mailman/locks; ";
    let own = "mkdir /var/lib/mailman/locks; ";
    let mm_cfg = "mkdir -p /etc/mailman /srv/locks; echo LOCK_DIR = \\\"/srv/locks\\\" > /etc/mailman/mm_cfg.py; ";
    let joined = "mkdir -p /etc/mailman; echo 'import os; LOCK_DIR = os.path.join(VAR_PREFIX, \"x\")' \
                  > /etc/mailman/mm_cfg.py; ";
    let config =
        "mkdir -p /srv/other; printf 'lock_dir = \"/srv/other\"\\n' > /etc/mm-query.toml; ";
    let moved = "mkdir -p /etc/mailman /var/lib/mailman/locks /var/lib/mailman/lists; \
                 printf 'LIST_DATA_DIR = \"%s\"\\n' \"$LISTS\" > /etc/mailman/mm_cfg.py; ";
    for (before, code, word) in [
        (format!("{debian}{link}"), 0, "/var/lib/mailman/locks"),
        (debian.to_owned(), 0, "/var/lock/mailman"),
        (format!("{debian}{own}"), 78, "which one"),
        (format!("{debian}{own}rmdir /var/lock/mailman; "), 0, "/var/lib/mailman/locks"),
        (format!("{debian}{link}{mm_cfg}"), 0, "/srv/locks"),
        (format!("{debian}{link}{joined}"), 78, "lock_dir"),
        (format!("{debian}{link}{joined}{config}"), 0, "/srv/other"),
        (moved.to_owned(), 0, "/var/lib/mailman/locks"),
        (format!("{debian}rmdir /var/lock/mailman; "), 66, "--lock-dir"),
    ] {
        let script = format!("{own_dirs}{before}exec $BIN locks");
        let Some(run) = in_a_machine_of_its_own(&script) else { return };
        assert_eq!(run.code, code, "{script}: {run:?}");
        let said = if code == 0 { &run.stdout } else { &run.stderr };
        assert!(said.contains(word), "{script}: {run:?}");
        if code == 0 {
            assert_eq!(run.stdout, format!("no locks in {word}\n"), "{script}");
        }
    }
}
