//! Lists changed in place, judged by Python's unpicklers.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mm_query::pickle::{EditError, ErrorKind, StringList, dict_keys};
use mm_query::python::Python;
use mm_query::python::text::PyStr;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::Value as Json;

use crate::support::{damaged, unhex, values};

const CASES: &str = "80";

fn peer() -> Command {
    let mut command = Command::new("python3");
    command.arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tools/edit_peer.py"));
    command
}

fn string(hex: &str, two: bool) -> PyStr {
    let bytes = unhex(hex);
    if two { PyStr::Bytes(bytes) } else { PyStr::Text(String::from_utf8(bytes).unwrap()) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the edits of one case; a line for the judge for each.
fn edited(case: &Json) -> Vec<String> {
    let mut bytes = unhex(case["pickle"].as_str().unwrap());
    let two = case["two"].as_bool().unwrap();
    if case["error"].as_bool().unwrap() {
        let refused = StringList::find(&bytes, "ban_list");
        assert!(
            matches!(refused, Err(EditError::NotAList | EditError::NotAString)),
            "{refused:?}, {case}"
        );
        return Vec::new();
    }
    let mut lines = Vec::new();
    for edit in case["edits"].as_array().unwrap() {
        let (kind, entry) = (edit[0].as_str().unwrap(), edit[1].as_str().unwrap());
        let this = string(entry, two);
        let list = StringList::find(&bytes, "ban_list").unwrap();
        assert_eq!(list.python() == Python::Two, two);
        let new = match kind {
            "add" => list.with(&this).unwrap(),
            _ => list.without(&|e| *e == this).unwrap(),
        };
        let (old, changed) = (hex(&bytes), hex(&new));
        lines.push(format!("{} {old} {changed} {kind} {entry}", u8::from(two)));
        bytes = new;
    }
    lines
}

#[test]
fn what_python_pickled_changes_in_its_ban_list_alone() {
    let seed = std::env::var("PICKLE_SEED").unwrap_or_else(|_| "1".to_owned());
    let cases = std::env::var("PICKLE_CASES").unwrap_or_else(|_| CASES.to_owned());
    let generated = peer().args(["generate", &seed, &cases]).output().expect("python3");
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    let text = String::from_utf8(generated.stdout).unwrap();
    let lines: Vec<String> =
        text.lines().flat_map(|line| edited(&serde_json::from_str(line).unwrap())).collect();
    assert!(lines.len() > 60, "{}", lines.len());
    let mut judge =
        peer().arg("judge").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    judge.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    let judged = judge.wait_with_output().unwrap();
    assert!(judged.status.success());
    assert_eq!(String::from_utf8(judged.stdout).unwrap().trim(), lines.len().to_string());
}

/// A pickle of Python 2 with these opcodes as the value of `ban_list`.
fn pickle(value: &[u8], more: &[u8]) -> Vec<u8> {
    [b"}q\x01(U\x08ban_list", value, b"U\x01k", more, b"u."].concat()
}

fn bytes(text: &str) -> PyStr {
    PyStr::Bytes(text.as_bytes().to_vec())
}

fn added(pickle: &[u8], entry: &str) -> Vec<u8> {
    StringList::find(pickle, "ban_list").unwrap().with(&bytes(entry)).unwrap()
}

fn removed(pickle: &[u8], entry: &str) -> Vec<u8> {
    let gone = bytes(entry);
    StringList::find(pickle, "ban_list").unwrap().without(&|e| *e == gone).unwrap()
}

#[test]
fn an_entry_comes_and_goes_without_a_trace() {
    for value in
        [&b"]"[..], b"]q\x02", b"(lp2\n", b"]q\x02U\x01xq\x03a", b"]q\x02(U\x01xU\x01yq\x03e"]
    {
        let old = pickle(value, b"N");
        let new = added(&old, "a@b");
        assert_eq!(new, pickle(&[value, b"U\x03a@ba"].concat(), b"N"));
        assert_eq!(removed(&new, "a@b"), old);
        assert_eq!(removed(&new, "absent"), new);
    }
    let long = "x".repeat(300);
    let old = pickle(b"]", b"N");
    let expected = [b"]T\x2c\x01\0\0", long.as_bytes(), b"a"].concat();
    assert_eq!(added(&old, &long), pickle(&expected, b"N"));
}

#[test]
fn an_entry_that_others_refer_to_stays_for_them() {
    let single = pickle(b"]q\x02U\x01xq\x03a", b"h\x03");
    assert_eq!(removed(&single, "x"), pickle(b"]q\x02U\x01xq\x030", b"h\x03"));
    let batch = pickle(b"]q\x02(U\x01xq\x03U\x01yq\x04h\x03e", b"h\x03");
    let without = pickle(b"]q\x02(U\x01xq\x030U\x01yq\x04e", b"h\x03");
    assert_eq!(removed(&batch, "x"), without);
    assert_eq!(removed(&without, "y"), pickle(b"]q\x02(U\x01xq\x030e", b"h\x03"));
    // Nobody but the entries that go with it.
    let own = pickle(b"]q\x02(U\x01xq\x03h\x03U\x01yq\x04e", b"h\x04");
    assert_eq!(removed(&own, "x"), pickle(b"]q\x02(U\x01yq\x04e", b"h\x04"));
}

#[test]
fn a_list_that_has_two_names_becomes_two() {
    let lent = pickle(b"]q\x02U\x01xq\x03a", b"h\x02");
    let parted = pickle(b"]q\x02U\x01xq\x03a0]U\x01xaU\x03a@ba", b"h\x02");
    assert_eq!(added(&lent, "a@b"), parted);
    assert_eq!(removed(&parted, "x"), pickle(b"]q\x02U\x01xq\x03a0]U\x03a@ba", b"h\x02"));
    let borrowed = b"}q\x01(U\x01k]q\x02U\x01xaU\x08ban_listh\x02u.";
    let parted = b"}q\x01(U\x01k]q\x02U\x01xaU\x08ban_list]U\x01xaU\x03a@bau.";
    assert_eq!(added(borrowed, "a@b"), parted);
}

#[test]
fn the_last_of_equal_keys_is_the_list() {
    let old = b"}q\x01(U\x08ban_list]U\x01xaU\x08ban_list]U\x01yau.";
    let new = b"}q\x01(U\x08ban_list]U\x01xaU\x08ban_list]U\x01yaU\x01zau.";
    assert_eq!(added(old, "z"), new);
}

#[test]
fn an_absent_list_is_put_last() {
    assert_eq!(added(b"}U\x01kNs.rest", "a@b"), b"}U\x01kNsU\x08ban_list]U\x03a@bas.rest");
    assert_eq!(removed(b"}U\x01kNs.rest", "a@b"), b"}U\x01kNs.rest");
}

#[test]
fn what_is_not_as_mailman_writes_it_is_left_alone() {
    let find =
        |value: &[u8]| StringList::find(&pickle(value, b"N"), "ban_list").map(|_| ()).unwrap_err();
    assert!(matches!(find(b"]U\x01xa20"), EditError::Shape(_)), "DUP");
    assert!(matches!(find(b"(U\x01xl"), EditError::Shape(_)), "LIST with items");
    assert!(matches!(find(b"]K\x01a"), EditError::NotAString));
    assert!(matches!(find(b"]X\x01\0\0\0\xffa"), EditError::Pickle(_)));
    assert!(
        matches!(find(b"]q\x02h\x02a"), EditError::Pickle(e) if matches!(e.kind, ErrorKind::Recursive))
    );
    for protocol in [&b"\x80\x03"[..], b"\x80\x04\x95\x0f\0\0\0\0\0\0\0"] {
        let newer = [protocol, b"}X\x08\0\0\0ban_list]s."].concat();
        let refused = StringList::find(&newer, "ban_list").map(|_| ());
        assert!(matches!(refused, Err(EditError::Protocol)), "{refused:?}");
    }
    let memoized = b"}X\x08\0\0\0ban_list]\x94s.";
    assert!(matches!(StringList::find(memoized, "ban_list"), Err(EditError::Protocol)));
    let text = b"}X\x08\0\0\0ban_list]s.";
    let list = StringList::find(text, "ban_list").unwrap();
    assert!(matches!(list.with(&bytes("a@b")), Err(EditError::NotAString)));
}

#[test]
fn all_keys_of_a_dict_are_called() {
    let keys = |pickle: &[u8]| {
        let mut keys = Vec::new();
        dict_keys(pickle, "m", &mut |key| {
            keys.push(String::from_utf8_lossy(key.as_bytes()).into_owned())
        })
        .map(|()| keys)
    };
    let here = b"}(U\x01o]U\x01xq\x01aU\x01m}q\x02(h\x01K\0U\x01y}U\x01zK\0sK\x07NuU\x01w](NNesu.";
    assert_eq!(keys(here).unwrap(), ["x", "y", "w"]);
    assert_eq!(keys(b"(dp0\nS'm'\n(dp1\nS'a'\nI0\nsS'b'\nNss.").unwrap(), ["a", "b"]);
    assert_eq!(keys(b"(dp0\nS'm'\n(S'a'\nI0\nV\xe9\nNds.").unwrap(), ["a", "é"]);
    assert_eq!(keys(b"}U\x01kNs.").unwrap(), Vec::<String>::new());
    assert!(keys(b"}(U\x01o}q\x01U\x01mh\x01u.").is_err(), "made elsewhere");
    assert!(keys(b"}U\x01m]s.").is_err(), "no dict");
}

#[test]
fn keys_are_those_that_the_reader_finds() {
    let file =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lists/team/config.pck");
    let pickle = std::fs::read(file).unwrap();
    let mut keys = Vec::new();
    for dict in ["members", "digest_members"] {
        dict_keys(&pickle, dict, &mut |key| keys.push(key)).unwrap();
    }
    keys.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    let names =
        ["alice", "bob", "carol", "dave", "erin"].map(|n| bytes(&format!("{n}@example.org")));
    assert_eq!(keys, names);
    assert!(values(&pickle, &["members"]).is_ok());
}

/// A list's pickle in small, its parts referring to each other.
const SMALL: &[u8] =
    b"}q\x01(U\x03accq\x02](U\x01aq\x03U\x01bq\x04eU\x08ban_listq\x05]q\x06(h\x03U\x01cq\x07\
U\x01dU\x01cq\x08eU\x01m}q\x09(U\x01aK\x00h\x04U\x01xuU\x01kh\x07U\x01zh\x08u.";

#[test]
fn damaged_pickles_neither_panic_nor_change_elsewhere() {
    let mut rng = SmallRng::seed_from_u64(11);
    let rounds: usize = std::env::var("PICKLE_MUTATIONS").map_or(10_000, |n| n.parse().unwrap());
    let (mut changed, mut other) = (0, 0);
    for _ in 0..rounds {
        let pickle = damaged(SMALL, &mut rng);
        let _ = dict_keys(&pickle, "m", &mut drop);
        let Ok(list) = StringList::find(&pickle, "ban_list") else { continue };
        let rest = |pickle: &[u8]| {
            let picked = values(pickle, &["acc", "k", "z", "m"]);
            format!("{:?}", picked.map(|picked| picked.values).map_err(|e| e.kind.to_string()))
        };
        let c = bytes("c");
        for new in [list.with(&bytes("new")), list.without(&|entry| *entry == c)] {
            match new {
                Ok(new) => {
                    // What made a value recursive, or let it grow, may have been the ban list.
                    let (before, after) = (rest(&pickle), rest(&new));
                    assert!(before == after || before.starts_with("Err"), "{pickle:?}\n{new:?}");
                    changed += 1;
                }
                Err(EditError::NotAString) => {}
                Err(_) => other += 1,
            }
        }
    }
    assert!(changed > rounds / 10, "only {changed} of {rounds}");
    assert!(other < rounds / 100, "{other} of {rounds} found and not changed");
}
