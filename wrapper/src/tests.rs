//! The two pure parts: which arguments pass, and what a configuration may say.

use crate::conf::{Conf, parse};
use crate::policy::judge;
use crate::{Refusal, USAGE};

fn judged(args: &[&[u8]]) -> Result<Vec<Vec<u8>>, Refusal> {
    let passed = judge(args.iter().map(|arg| arg.to_vec()).collect())?;
    Ok(passed.into_iter().map(std::ffi::CString::into_bytes).collect())
}

fn passes(args: &[&[u8]]) {
    assert_eq!(judged(args).as_deref(), Ok(&*args.iter().map(|a| a.to_vec()).collect::<Vec<_>>()));
}

fn refused(args: &[&[u8]]) -> String {
    match judged(args) {
        Err(Refusal(USAGE, reason)) => reason,
        other => panic!("{args:?} gave {other:?}"),
    }
}

#[test]
fn passes_every_documented_argument_unchanged() {
    passes(&[b"list-domain", b"team"]);
    passes(&[b"list-domain", b"team", b"lists.example.org", b"--json"]);
    passes(&[b"test-sender", b"team", b"", b"joe@example.org"]);
    passes(&[
        b"test-sender",
        b"--from=\n \x80\xff $(id) --lists-dir=/",
        b"--envelope-from=",
        b"--reply-to=--",
        b"--sender==",
        b"--base64",
        b"--approved",
        b"--held=permit",
        b"--held=refuse",
        b"--discarded=permit",
        b"--discarded=refuse",
        b"--json",
        b"--explain",
        b"--utf8",
        b"team",
    ]);
}

#[test]
fn refuses_every_option_outside_the_list() {
    let options = "- -- -h --help -V --version --lists-dir --lists-dir=/tmp --mm-cfg --mm-cfg=/tmp/x \
        --config --config=x --jso --json= --json=1 --JSON --base --base64=1 --approve --approved=1 \
        --from --fro=x --From=x -from=x --envelope-from --envelope=x --reply-to --sender --held \
        --held= --held=perm --held=permitted --held=accept --discarded --discarded=drop --utf8=1 \
        --explain= -j -- --no-json";
    for option in options.split_whitespace() {
        let reason = refused(&[b"test-sender", b"team", option.as_bytes()]);
        assert_eq!(reason, format!("option not allowed: {option}"));
        refused(&[b"test-sender", option.as_bytes(), b"team"]);
    }
    for option in ["--from=x", "--base64", "--held=permit", "--explain", "--utf8", "--approved"] {
        refused(&[b"list-domain", b"team", option.as_bytes()]);
    }
}

#[test]
fn refuses_every_subcommand_outside_the_list() {
    let commands = ["ban", "unban", "banned", "locks"];
    let others =
        ["", "test", "test-sender ", "Test-Sender", "list-domains", "help", "--json", "-", "/"];
    for name in commands.into_iter().chain(others) {
        assert!(refused(&[name.as_bytes(), b"team"]).starts_with("subcommand not allowed: "));
    }
    assert_eq!(refused(&[]), "no subcommand");
}

#[test]
fn shows_what_it_refuses_short_and_escaped() {
    assert_eq!(refused(&[b"\x1b[2J\n\r\xff'"]), r"subcommand not allowed: \x1b[2J\n\r\xff\'");
    let reason = refused(&[b"list-domain", format!("--{}", "\n".repeat(10_000)).as_bytes()]);
    assert_eq!(reason, format!("option not allowed: --{}", r"\n".repeat(38)));
}

#[test]
fn limits_number_and_size_of_arguments() {
    let with = |count: usize, bytes: usize| {
        let data = vec![b'a'; bytes];
        let mut args: Vec<&[u8]> = vec![b"test-sender"];
        args.resize(count, &data);
        judged(&args).map(|_| ())
    };
    let too_much = Err(Refusal(USAGE, "too many or too long arguments".into()));
    assert_eq!(with(64, 1), Ok(()));
    assert_eq!(with(65, 1), too_much);
    assert_eq!(with(2, 256 * 1024), Ok(()));
    assert_eq!(with(2, 256 * 1024 + 1), too_much);
    assert_eq!(with(4, 256 * 1024), Ok(()));
    assert_eq!(with(5, 256 * 1024), too_much);
}

#[test]
fn refuses_a_nul_byte() {
    assert!(refused(&[b"list-domain", b"a\0b"]).starts_with("argument: "));
}

const EXIM: (u32, u32) = (102, 105);

fn parsed(text: &str) -> Result<Conf, &'static str> {
    parse(text, EXIM.0, EXIM.1)
}

#[test]
fn reads_a_configuration() {
    let conf = |caller_named| Ok(Conf { uid: 38, gid: 39, caller_named });
    assert_eq!(parsed("uid = 38\ngid = 39\n"), conf(None));
    assert_eq!(parsed("# ids\n\n  gid=39  \r\nuid\t=\t38"), conf(None));
    assert_eq!(parsed("uid=38\ngid=39\ncaller-uid=102"), conf(Some(true)));
    assert_eq!(parsed("uid=38\ngid=39\ncaller-gid=105"), conf(Some(true)));
    assert_eq!(parsed("uid=38\ngid=39\ncaller-gid=105\ncaller-uid=7"), conf(Some(true)));
    assert_eq!(parsed("uid=38\ngid=39\ncaller-gid=102\ncaller-uid=105"), conf(Some(false)));
    assert_eq!(parsed("uid=38\ngid=39\ncaller-uid=0"), conf(Some(false)));
}

#[test]
fn refuses_a_doubtful_configuration() {
    for line in [
        "uid",
        "uid 38",
        "uid=",
        "uid=list",
        "uid=+38",
        "uid=-1",
        "uid=038",
        "uid=0x26",
        "uid=3 8",
        "uid=38 # list",
        "uid=4294967295",
        "uid=4294967296",
        "uid=38",
        "gid=39",
        "UID=38",
        "=38",
        "program=1",
        "caller=105",
        "caller-uid=",
        "\u{feff}",
        "caller-uid=\u{661}",
    ] {
        assert!(parsed(&format!("uid=38\ngid=39\n{line}\n")).is_err(), "{line:?} was accepted");
    }
    for text in ["", "uid=38", "gid=39", "uid=0\ngid=39", "uid=38\ngid=0", "uid=0\nuid=38\ngid=39"]
    {
        assert!(parsed(text).is_err(), "{text:?} was accepted");
    }
    assert!(parsed(&format!("uid=38\ngid=39\n{}", "#".repeat(4096))).is_err());
}
