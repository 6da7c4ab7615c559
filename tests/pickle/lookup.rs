//! Looking addresses up in a dict of the pickle.

use mm_query::pickle::{Dict, Request, pick};
use mm_query::python::Python;
use mm_query::python::text::PyStr;
use serde_pickle::Value;

use crate::support::{entries, look_up};

#[test]
fn only_keys_count_not_values() {
    let pickle = b"}(U\x01m}(U\x01aU\x01bU\x01cK\x03uu.";
    let found = look_up(pickle, &["a", "b", "c"]).unwrap().unwrap();
    let expected =
        Dict::Entries(vec![Some(Value::Bytes(b"b".to_vec())), None, Some(Value::I64(3))]);
    assert_eq!(found, expected);
}

#[test]
fn only_this_dict_counts() {
    let pickle = b"}(U\x01n}(U\x01aK\x01uU\x01m}(U\x01b}(U\x01aK\x02uuU\x01o}U\x01aK\x03su.";
    let found = look_up(pickle, &["a"]).unwrap();
    assert_eq!(found, entries(&[None]));
}

#[test]
fn an_item_of_a_list_is_no_key() {
    // One-element lists and dicts are written without a mark, right where a next key may be.
    let pickle = b"}(U\x01m}(U\x01c]U\x01aaU\x01d}U\x01aK\x01sU\x01b(U\x01aK\x01tU\x01eK\x02uu.";
    let found = look_up(pickle, &["a", "e"]).unwrap();
    assert_eq!(found, entries(&[None, Some(2)]));
}

#[test]
fn one_entry_without_a_mark_is_found() {
    let pickle = b"}(U\x01xK\x00U\x01m}q\x01U\x01aq\x02K\x05sU\x01yK\x00u.";
    assert_eq!(look_up(pickle, &["a"]).unwrap(), entries(&[Some(5)]));
    let pickle = b"(dp0\nS'm'\np1\n(dp2\nS'b'\np3\nI1\nsS'a'\nI2\nssS'z'\nI0\ns.";
    assert_eq!(look_up(pickle, &["a", "b", "m"]).unwrap(), entries(&[Some(2), Some(1), None]));
}

#[test]
fn a_dict_made_at_once_is_one() {
    let pickle = b"(S'm'\n(S'a'\nI1\nS'b'\nI2\ndS'z'\nI0\nd.";
    assert_eq!(look_up(pickle, &["b", "z"]).unwrap(), entries(&[Some(2), None]));
}

#[test]
fn keys_from_the_memo_are_found() {
    let pickle = b"}(U\x01n](U\x01aq\x05U\x01bq\x06eU\x01m}(h\x06K\x01h\x05K\x02uu.";
    assert_eq!(look_up(pickle, &["a", "b", "c"]).unwrap(), entries(&[Some(2), Some(1), None]));
    // The name of the dict, too.
    let pickle = b"}(U\x01n](U\x01aq\x05U\x01mq\x06eh\x06}(U\x01xK\x01h\x05K\x02uu.";
    assert_eq!(look_up(pickle, &["a"]).unwrap(), entries(&[Some(2)]));
}

#[test]
fn a_memo_number_that_is_used_again_counts_as_last_put() {
    let pickle = b"}(U\x01n](U\x01aq\x05U\x01bq\x05eU\x01m}(h\x05K\x01uu.";
    assert_eq!(look_up(pickle, &["a", "b"]).unwrap(), entries(&[None, Some(1)]));
    let pickle = b"}(U\x01n](U\x01bq\x09U\x01aq\x05U\x01bq\x05h\x05q\x09eU\x01m}(h\x09K\x01uu.";
    assert_eq!(look_up(pickle, &["a", "b"]).unwrap(), entries(&[None, Some(1)]));
}

#[test]
fn the_last_of_equal_keys_wins() {
    let pickle = b"}(U\x01m}(U\x01aK\x01U\x01aK\x02u(U\x01aK\x03uu.";
    assert_eq!(look_up(pickle, &["a"]).unwrap(), entries(&[Some(3)]));
    let pickle = b"}(U\x01m}(U\x01aK\x01uU\x01m}(U\x01bK\x02uu.";
    assert_eq!(look_up(pickle, &["a", "b"]).unwrap(), entries(&[None, Some(2)]));
}

#[test]
fn what_is_thrown_away_does_not_count() {
    let pickle = b"}(U\x01m}(U\x01aK\x01\x30\x30U\x01bK\x02uu.";
    assert_eq!(look_up(pickle, &["a", "b"]).unwrap(), entries(&[None, Some(2)]));
    let pickle = b"}(U\x01m}(U\x01aK\x01\x31U\x01nK\x02u.";
    assert_eq!(look_up(pickle, &["a"]).unwrap(), entries(&[None]));
    let pickle = b"}(U\x01m}(U\x01aK\x01u0K\x07U\x01nK\x02u.";
    assert_eq!(look_up(pickle, &["a"]).unwrap(), Some(Dict::NotADict));
}

#[test]
fn values_may_be_anything() {
    let pickle =
        b"}(U\x01m}(U\x01aK\x01K\x02\x86q\x07U\x01b](K\x01K\x02eU\x01c}U\x01xU\x01ysU\x01dh\x07uu.";
    let found = look_up(pickle, &["a", "b", "c", "d"]).unwrap().unwrap();
    let Dict::Entries(found) = found else { panic!() };
    let shown: Vec<String> = found.into_iter().map(|v| v.unwrap().to_string()).collect();
    assert_eq!(shown, ["(1, 2)", "[1, 2]", "{b[120]: b[121]}", "(1, 2)"]);
}

#[test]
fn not_a_dict_and_absent_are_told_apart() {
    assert_eq!(look_up(b"}(U\x01m](U\x01aK\x01eu.", &["a"]).unwrap(), Some(Dict::NotADict));
    assert_eq!(look_up(b"}(U\x01mNu.", &["a"]).unwrap(), Some(Dict::NotADict));
    assert_eq!(look_up(b"}(U\x01nNu.", &["a"]).unwrap(), None);
    assert_eq!(look_up(b"}(U\x01m}u.", &["a"]).unwrap(), entries(&[None]));
}

#[test]
fn a_dict_that_two_keys_share_is_looked_up_for_both() {
    let pickle = b"}(U\x01n}q\x01(U\x01aK\x01U\x01bK\x02uU\x01mh\x01u.";
    assert_eq!(look_up(pickle, &["b", "x"]).unwrap(), entries(&[Some(2), None]));
}

#[test]
fn an_ordered_dict_is_a_dict() {
    let pickle = b"}(U\x01mccollections\nOrderedDict\n)R(U\x01aK\x01uu.";
    assert_eq!(look_up(pickle, &["a"]).unwrap(), entries(&[Some(1)]));
    let pickle = b"}(U\x01mccollections\nOrderedDict\n(](](U\x01aK\x01e](U\x01bK\x02eetRu.";
    assert_eq!(look_up(pickle, &["b"]).unwrap(), entries(&[Some(2)]));
}

/// What is found under `addresses` in `m`.
fn entry(pickle: &[u8], addresses: &[PyStr]) -> (Python, Vec<Option<Value>>) {
    let picked = pick(pickle, &Request { keys: &[], dicts: &["m"], addresses }).unwrap();
    match picked.dicts.get("m") {
        Some(Dict::Entries(entries)) => (picked.python, entries.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn types_of_keys_compare_as_in_the_generation() {
    let addresses = [
        PyStr::Bytes(b"a".to_vec()),
        PyStr::Text("a".to_owned()),
        PyStr::Bytes("é".into()),
        PyStr::Text("é".to_owned()),
    ];
    let one = Some(Value::I64(1));
    let two = b"}(U\x01m}(X\x01\x00\x00\x00aK\x01U\x02\xc3\xa9K\x01uu.";
    let found = entry(two, &addresses);
    assert_eq!(found, (Python::Two, vec![one.clone(), one.clone(), one.clone(), None]));
    let three = b"}(X\x01\x00\x00\x00m}(X\x01\x00\x00\x00aK\x01C\x02\xc3\xa9K\x01uu.";
    let found = entry(three, &addresses);
    assert_eq!(found, (Python::Three, vec![None, one.clone(), one, None]));
}

#[test]
fn the_same_address_may_be_asked_for_twice() {
    let pickle = b"}(U\x01m}(U\x01aK\x01uu.";
    assert_eq!(look_up(pickle, &["a", "b", "a"]).unwrap(), entries(&[Some(1), None, Some(1)]));
}

#[test]
fn long_and_short_addresses_are_found_in_long_lists() {
    let name = |n: usize| match n % 4 {
        0 => format!("{n}"),
        1 => format!("user{n:04}@example.org"),
        2 => format!("{n}{}@example.org", "x".repeat(300)),
        _ => format!("{}{n:04}", "y".repeat(251)),
    };
    for text in [false, true] {
        let string = |s: &str| {
            let mut out = vec![if text { b'X' } else { b'T' }];
            out.extend(u32::try_from(s.len()).unwrap().to_le_bytes());
            if !text && s.len() < 256 {
                out = vec![b'U', u8::try_from(s.len()).unwrap()];
            }
            out.extend(s.bytes());
            out
        };
        let mut pickle = [b"}q\x01(".to_vec(), string("m"), b"}(".to_vec()].concat();
        for n in 0..999 {
            pickle.extend(string(&name(n)));
            pickle.extend([b'M', u8::try_from(n & 255).unwrap(), u8::try_from(n >> 8).unwrap()]);
        }
        pickle.extend(b"uu.");
        for n in (0..999).step_by(37) {
            let wanted = if text { PyStr::Text(name(n)) } else { PyStr::Bytes(name(n).into()) };
            let (_, found) = entry(&pickle, &[wanted]);
            assert_eq!(found, [Some(Value::I64(i64::try_from(n).unwrap()))], "{}", name(n));
        }
    }
}
