//! Python's own answers, and what hostile headers may cost.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use mm_query::limits::ADDRESS_DEPTH;
use mm_query::python::Python;
use mm_query::python::addresses::{Mailbox, TooDeep, getaddresses, parseaddr};
use mm_query::python::text::{PyStr, is_space_byte};
use proptest::prelude::*;
use serde::Deserialize;

/// A line of `vectors/addresses.jsonl`: bytes are code points 0 to 255.
#[derive(Deserialize)]
struct Vector {
    value: String,
    /// Name and lowercased address of `getaddresses` on the unfolded value.
    python: Vec<(String, String)>,
    /// Address of `parseaddr` on the value as it is.
    parseaddr: String,
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// What a message's parser leaves of a header value: no blanks before it, no line end after it.
fn as_header_value(value: &[u8]) -> Vec<u8> {
    let blanks = value.iter().take_while(|&&byte| is_space_byte(byte)).count();
    let end = value.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    value.get(blanks..end).unwrap_or_default().to_vec()
}

fn pairs(mailboxes: Vec<Mailbox>) -> Vec<(Vec<u8>, Vec<u8>)> {
    mailboxes.into_iter().map(|m| (m.name, m.address)).collect()
}

/// Name and address of each, for Python 2.
fn two(value: &str) -> Vec<(String, String)> {
    strings(value, Python::Two)
}

/// Name and address of each, for Python 3.
fn three(value: &str) -> Vec<(String, String)> {
    strings(value, Python::Three)
}

fn strings(value: &str, python: Python) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let found = getaddresses(&[value.as_bytes()], python).unwrap();
    found.into_iter().map(|m| (text(m.name), text(m.address))).collect()
}

fn pair(name: &str, address: &str) -> (String, String) {
    (name.to_owned(), address.to_owned())
}

#[test]
fn every_vector_gives_python_2s_addresses() {
    let lines = include_str!("fixtures/vectors/addresses.jsonl").lines();
    let mut count = 0;
    for line in lines {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let value = as_header_value(&latin1(&vector.value));
        let unfolded = PyStr::Bytes(value.clone()).join_lines();
        let mut found = pairs(getaddresses(&[unfolded.as_bytes()], Python::Two).unwrap());
        for (_, address) in &mut found {
            address.make_ascii_lowercase();
        }
        let expected: Vec<_> = vector.python.iter().map(|(n, a)| (latin1(n), latin1(a))).collect();
        assert_eq!(found, expected, "{line}");
        let first = parseaddr(&value, Python::Two).unwrap();
        assert_eq!(first.address, latin1(&vector.parseaddr), "{line}");
        count += 1;
    }
    assert_eq!(count, 616);
}

#[test]
fn values_are_joined_before_they_are_parsed() {
    let joined = |values: &[&[u8]]| pairs(getaddresses(values, Python::Two).unwrap()).len();
    assert_eq!(joined(&[]), 0);
    assert_eq!(joined(&[b""]), 0);
    assert_eq!(joined(&[b"", b"a@b"]), 2);
    assert_eq!(joined(&[b"a@b", b"c@d"]), 2);
    assert_eq!(joined(&[b"\"a@b", b"c@d"]), 1);
    assert_eq!(parseaddr(b"", Python::Two), Ok(Mailbox::default()));
}

#[test]
fn python_3_keeps_blanks_between_words() {
    assert_eq!(two("a b@c"), [pair("", "ab@c")]);
    assert_eq!(three("a b@c"), [pair("", "a b@c")]);
    assert_eq!(three("a \t(c) b@d"), [pair("c c", "a \t b@d")]);
    assert_eq!(three("a . b @ c"), [pair("", "a.b@c")]);
    assert_eq!(three("<a b "), [pair("", "a b ")]);
    assert_eq!(three("\"q\" x@y"), [pair("", "\"q\" x@y")]);
}

#[test]
fn python_3_drops_a_local_part_of_unicode_blanks() {
    assert_eq!(two("\u{a0}@b"), [pair("", "\u{a0}@b")]);
    assert_eq!(three("\u{a0}@b"), [pair("", "@b")]);
    assert_eq!(three("a \u{2003}.\x1f@b"), [pair("", "a .@b")]);
}

#[test]
fn nesting_is_counted_in_pythons_frames() {
    let count = |value: String| getaddresses(&[value.as_bytes()], Python::Two).map(|m| m.len());
    let groups = ADDRESS_DEPTH - 1;
    let comments = (ADDRESS_DEPTH - 1) / 2;
    assert_eq!(count("g:".repeat(groups)), Ok(1));
    assert_eq!(count("g:".repeat(groups + 1)), Err(TooDeep));
    assert_eq!(count("(".repeat(comments)), Ok(1));
    assert_eq!(count("(".repeat(comments + 1)), Err(TooDeep));
    assert_eq!(count("g:".repeat(groups) + "("), Err(TooDeep));
    assert_eq!(count("a@b, ".to_owned() + &"(".repeat(comments + 1)), Err(TooDeep));
    assert_eq!(count("g:a@b;".repeat(10_000)), Ok(10_000));
    assert_eq!(count("()".repeat(10_000)), Ok(1));
}

/// Each is 256 KiB long. Anything quadratic in one of them would take minutes.
#[test]
fn anything_repeated_is_read_in_one_pass() {
    let pieces = [
        "(", "\"", "<", "[", "(\r", "\"\r", "[\r", "<(", "()", "(a) ", "\"\" ", ".", "a ", "a . ",
        "@", "a@", "<@", "<a@b", "a@[", ",", ";", ":;", "g:;", "a,", ">", "\\", "a@b(c)", "\u{a0}",
        " ", "\t(a)", "a b.", "<@a:", "a\"b\"",
    ];
    for python in [Python::Two, Python::Three] {
        for piece in pieces {
            let value = piece.repeat((1 << 18) / piece.len());
            for value in [value.clone(), value.clone() + "@x", "(".to_owned() + &value] {
                if let Ok(mailboxes) = getaddresses(&[value.as_bytes()], python) {
                    let held: usize =
                        mailboxes.iter().map(|m| m.name.len() + m.address.len()).sum();
                    assert!(mailboxes.len() <= value.len() && held <= 4 * value.len(), "{piece:?}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_have_addresses(value in proptest::collection::vec(any::<u8>(), 0..200)) {
        for python in [Python::Two, Python::Three] {
            let found = getaddresses(&[&value], python).unwrap();
            prop_assert_eq!(found.is_empty(), value.is_empty());
            prop_assert_eq!(parseaddr(&value, python).unwrap(), found.into_iter().next().unwrap_or_default());
        }
    }

    #[test]
    fn any_specials_have_addresses(value in r#"[()<>@,:;."\[\] \t\r\n\\a]{0,60}"#) {
        for python in [Python::Two, Python::Three] {
            let found = getaddresses(&[value.as_bytes()], python).unwrap();
            prop_assert!(found.len() <= value.len());
        }
    }
}
