//! What values become.

use mm_query::pickle::ErrorKind;
use mm_query::python::Python;
use serde_pickle::{HashableValue, Value};

use crate::support::{of, value, values};

fn bytes(text: &[u8]) -> Value {
    Value::Bytes(text.to_vec())
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[test]
fn strings_of_protocol_0() {
    let cases: &[(&[u8], &[u8])] = &[
        (b"S'it\\'s \"x\"'\n", b"it's \"x\""),
        (b"S\"it's\"\n", b"it's"),
        (b"S'a\\n\\t\\r\\\\\\a\\b\\f\\v'\n", b"a\n\t\r\\\x07\x08\x0c\x0b"),
        (b"S'\\x41\\xe9\\101\\0\\7z\\400'\n", b"A\xe9A\0\x07z\0"),
        (b"S'\\q'\n", b"\\q"),
        (b"S'a' \r\n", b"a"),
        (b"S''\n", b""),
    ];
    for (opcodes, expected) in cases {
        assert_eq!(of(opcodes).unwrap(), bytes(expected), "{opcodes:?}");
    }
}

#[test]
fn unicode_of_protocol_0() {
    let cases: &[(&[u8], &str)] = &[
        (b"Vab\n", "ab"),
        (b"V\xe9\n", "é"),
        (b"Va\r\n", "a\r"),
        (b"V\\u20ac\\U0001f600\n", "€😀"),
        (b"V\\\\u20ac\\\\\\u20ac\n", "\\\\u20ac\\\\€"),
        (b"V\\n\\\n", "\\n\\"),
        (b"V\\ud800\n", "\u{fffd}"),
    ];
    for (opcodes, expected) in cases {
        assert_eq!(of(opcodes).unwrap(), text(expected), "{opcodes:?}");
    }
    assert_eq!(of(b"X\x04\x00\x00\x00a\xed\xa0\x80").unwrap(), text("a\u{fffd}"));
}

#[test]
fn numbers() {
    let big = "9223372036854775808";
    let cases: &[(&[u8], Value)] = &[
        (b"I00\n", Value::Bool(false)),
        (b"I01\n", Value::Bool(true)),
        (b"I1\n", Value::I64(1)),
        (b"I-7\n", Value::I64(-7)),
        (b"L5L\n", Value::I64(5)),
        (b"L5\n", Value::I64(5)),
        (b"I9223372036854775808\n", Value::Int(big.parse().unwrap())),
        (b"L9223372036854775808L\n", Value::Int(big.parse().unwrap())),
        (b"\x8a\x00", Value::I64(0)),
        (b"\x8a\x01\xff", Value::I64(-1)),
        (b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00", Value::Int(big.parse().unwrap())),
        (b"\x8b\x02\x00\x00\x00\x00\x80", Value::I64(-32768)),
        (b"J\xfe\xff\xff\xff", Value::I64(-2)),
        (b"M\x00\x80", Value::I64(32768)),
        (b"F-1e3\n", Value::F64(-1000.0)),
        (b"Finf\n", Value::F64(f64::INFINITY)),
        (b"G\xbf\xf0\x00\x00\x00\x00\x00\x00", Value::F64(-1.0)),
    ];
    for (opcodes, expected) in cases {
        assert_eq!(&of(opcodes).unwrap(), expected, "{opcodes:?}");
    }
}

#[test]
fn instances_become_their_state() {
    let state = |key: &[u8]| {
        Value::Dict([(HashableValue::Bytes(key.to_vec()), Value::I64(1))].into_iter().collect())
    };
    let cases: &[&[u8]] = &[
        b"(cm\nC\no}S'a'\nI1\nsb",
        b"(im\nC\n}S'a'\nI1\nsb",
        b"(I9\nim\nC\n}S'a'\nI1\nsb",
        b"ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR}S'a'\nI1\nsb",
        b"cm\nC\n)\x81}S'a'\nI1\nsb",
        b"cm\nC\n)}\x92}S'a'\nI1\nsb",
        b"cm\nf\n(I1\ntR}S'a'\nI1\nsb",
    ];
    for opcodes in cases {
        assert_eq!(of(opcodes).unwrap(), state(b"a"), "{opcodes:?}");
    }
    assert_eq!(of(b"(cm\nC\no").unwrap(), Value::None);
    assert_eq!(of(b"cm\nC\n").unwrap(), Value::None);
}

#[test]
fn what_stands_below_an_instance_stays() {
    let Value::List(items) = of(b"(I1\n(cm\nC\noI3\nl").unwrap() else { panic!() };
    assert_eq!(items, [Value::I64(1), Value::None, Value::I64(3)]);
}

#[test]
fn sets_and_bytes_are_plain_however_written() {
    let one = HashableValue::I64(1);
    let set = Value::Set([one.clone()].into_iter().collect());
    assert_eq!(of(b"c__builtin__\nset\n((lI1\natR").unwrap(), set);
    assert_eq!(of(b"\x8f(K\x01\x90").unwrap(), set);
    let frozen = Value::FrozenSet([one].into_iter().collect());
    assert_eq!(of(b"cbuiltins\nfrozenset\n(](K\x01etR").unwrap(), frozen);
    assert_eq!(of(b"(K\x01\x91").unwrap(), frozen);
    let latin = b"c_codecs\nencode\n(X\x02\x00\x00\x00\xc3\xa9X\x06\x00\x00\x00latin1tR";
    assert_eq!(of(latin).unwrap(), bytes(b"\xe9"));
    assert_eq!(of(b"c__builtin__\nbytes\n)R").unwrap(), bytes(b""));
    assert_eq!(of(b"\x96\x01\x00\x00\x00\x00\x00\x00\x00a").unwrap(), bytes(b"a"));
}

#[test]
fn shared_values_are_equal_in_both_places() {
    let Value::List(items) = of(b"(S's'\np9\n(lp3\ng9\nag3\ng9\nl").unwrap() else { panic!() };
    assert_eq!(items[1], items[2]);
    assert_eq!(items[0], items[3]);
}

#[test]
fn references_into_other_values_are_followed() {
    let pickle = b"}(U\x01a](U\x01xq\x01U\x01yq\x02K\x05q\x04](K\x01K\x02eq\x03eU\x01k](h\x02h\x04h\x03h\x01eu.";
    assert_eq!(value(pickle).unwrap().to_string(), "[b[121], 5, [1, 2], b[120]]");
    // In two steps.
    let pickle = b"}(U\x01a](K\x07\x85q\x01eU\x01b](h\x01\x85q\x02eU\x01kh\x02u.";
    assert_eq!(value(pickle).unwrap().to_string(), "((7, ), )");
}

#[test]
fn many_references_over_long_distances_are_followed() {
    let mut pickle = b"}q\x00(U\x01a](".to_vec();
    for n in 1..5_000_u32 {
        pickle.extend(format!("U\x08{n:08}r").bytes());
        pickle.extend(n.to_le_bytes());
    }
    pickle.extend(b"eU\x01k](");
    for n in (1..5_000_u32).rev().step_by(7) {
        pickle.push(b'j');
        pickle.extend(n.to_le_bytes());
    }
    pickle.extend(b"eu.");
    let Value::List(items) = value(&pickle).unwrap() else { panic!() };
    for (item, n) in items.iter().zip((1..5_000).rev().step_by(7)) {
        assert_eq!(item, &bytes(format!("{n:08}").as_bytes()));
    }
}

#[test]
fn a_value_that_contains_the_whole_is_recursive() {
    let error = value(b"}q\x01(U\x01kh\x01u.").unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Recursive), "{error}");
    // Of no matter where it is not asked for.
    assert_eq!(value(b"}q\x01(U\x01xh\x01U\x01kK\x01u.").unwrap(), Value::I64(1));
}

#[test]
fn the_last_of_equal_keys_wins() {
    assert_eq!(value(b"}(U\x01kK\x01U\x01kK\x02u.").unwrap(), Value::I64(2));
    assert_eq!(of(b"}(U\x01aK\x01X\x01\x00\x00\x00aK\x02u").unwrap().to_string(), "{b[97]: 2}");
    let three = b"}(X\x01\x00\x00\x00k}(C\x01aK\x01X\x01\x00\x00\x00aK\x02uu.";
    assert_eq!(value(three).unwrap().to_string(), "{b[97]: 1, \"a\": 2}");
}

#[test]
fn strings_of_python_2_are_text_to_the_port() {
    let pickle = b"}(X\x01\x00\x00\x00k](U\x02\xc3\xa9U\x01\xe9eu.";
    let picked = values(pickle, &["k"]).unwrap();
    assert_eq!(picked.python, Python::Three);
    assert_eq!(picked.values["k"], Value::List(vec![text("é"), text("é")]));
}

#[test]
fn foreign_classes_are_named() {
    let named = |pickle: &[u8]| values(pickle, &[]).unwrap().foreign_class;
    assert_eq!(named(b"}(U\x01a(cMailman.Bouncer\n_BounceInfo\nou."), None);
    assert_eq!(named(b"}(U\x01a(cos\nsystem\nou.").as_deref(), Some("os.system"));
    assert_eq!(named(b"}(U\x01a(ix\x1b\ny\nu.").as_deref(), Some("x\\x1b.y"));
    assert_eq!(named(b"}(U\x01a\x8c\x01xq\x00\x8c\x01yq\x01\x93u.").as_deref(), Some("x.y"));
    let shared = b"}(U\x01z](\x8c\x01xq\x00\x8c\x01yq\x01eU\x01ah\x00h\x01\x93u.";
    assert_eq!(named(shared).as_deref(), Some("x.y"));
    assert_eq!(named(b"}(U\x01ac__builtin__\nset\n(]tRu."), None);
    assert_eq!(named(b"}(U\x01acbuiltins\nset\n(]tRu.").as_deref(), Some("builtins.set"));
    assert_eq!(named(b"}(X\x01\x00\x00\x00acbuiltins\nset\n(]tRu."), None);
}
