//! Pickles that are cut off or damaged: an error, in bounded time and memory.

use std::fs;

use mm_query::pickle::{ErrorKind, Request, pick, pick_with_window};
use mm_query::python::text::PyStr;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::support::{damaged, of, value, values};

/// A pickle with something of everything.
const MIXED: &[u8] = b"\x80\x04}q\x00(U\x01kq\x01]q\x02(K\x01J\xff\xff\xff\xffI12\nI01\nL99999999999999999999L\n\
F1.5\nG?\xf8\x00\x00\x00\x00\x00\x00S'a\\x41'\nVb\\u20ac\nX\x02\x00\x00\x00abT\x02\x00\x00\x00cdN\x88\x89)\
(K\x01K\x02t\x8a\x02\xff\x00eU\x01mq\x03}q\x04(U\x03a@bq\x05K\x00U\x03c@dq\x06h\x05uU\x01b}q\x07U\x03a@b(cMailman.Bouncer\n\
_BounceInfo\nq\x08o}(U\x01sK\x01ubsU\x01rc__builtin__\nset\n(]K\x01atRu.";

fn request(addresses: &[PyStr]) -> Request<'_> {
    Request { keys: &["k", "b", "r"], dicts: &["m"], addresses }
}

fn addresses() -> Vec<PyStr> {
    vec![PyStr::Bytes(b"a@b".to_vec()), PyStr::Bytes(b"c@d".to_vec())]
}

#[test]
fn a_pickle_cut_off_anywhere_is_an_error() {
    let addresses = addresses();
    assert_eq!(pick(MIXED, &request(&addresses)).unwrap().values.len(), 3);
    for len in 0..MIXED.len() {
        for window in [24, 1 << 18] {
            let error = pick_with_window(&MIXED[..len], &request(&addresses), window).unwrap_err();
            assert!(matches!(error.kind, ErrorKind::Truncated), "{len} bytes: {error}");
        }
    }
}

#[test]
fn what_follows_the_stop_does_not_matter() {
    let longer = [MIXED, b"garbage"].concat();
    let addresses = addresses();
    assert_eq!(
        pick(&longer[..], &request(&addresses)).unwrap(),
        pick(MIXED, &request(&addresses)).unwrap()
    );
}

#[test]
fn damaged_pickles_neither_panic_nor_depend_on_the_window() {
    let mut rng = SmallRng::seed_from_u64(7);
    let rounds: usize = std::env::var("PICKLE_MUTATIONS").map_or(20_000, |n| n.parse().unwrap());
    let addresses = addresses();
    let mut read = 0;
    for _ in 0..rounds {
        let bytes = damaged(MIXED, &mut rng);
        let whole = pick(&bytes[..], &request(&addresses));
        let parts = pick_with_window(&bytes[..], &request(&addresses), 24);
        match (whole, parts) {
            (Ok(whole), Ok(parts)) => {
                assert!(whole == parts || format!("{whole:?}").contains("NaN"));
                read += 1;
            }
            // A string that reaches beyond the end, or the opcode that would follow it.
            (Err(whole), Err(parts)) if matches!(whole.kind, ErrorKind::Truncated) => {
                assert!(matches!(parts.kind, ErrorKind::Truncated), "{bytes:?}");
            }
            (Err(whole), Err(parts)) => {
                assert_eq!(whole.to_string(), parts.to_string(), "{bytes:?}");
            }
            (whole, parts) => panic!("{bytes:?}\n{whole:?}\n{parts:?}"),
        }
    }
    assert!(read > rounds / 100, "only {read} of {rounds} could be read");
}

#[test]
fn errors_say_what_and_where() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "at byte 0: the pickle is cut off"),
        (b"}\xfe.", "at byte 1: no pickle opcode: 0xfe"),
        (b"}h\x05.", "at byte 1: memo 5 was never put"),
        (b"q\x00}.", "at byte 0: too few items on the stack"),
        (b"}u.", "at byte 1: no mark on the stack"),
        (b"}(K\x01u.", "at byte 4: a key without a value"),
        (b".", "at byte 0: too few items on the stack"),
        (b"]q\x00.", "at byte 3: the pickle does not hold a dict"),
        (b"N.", "at byte 1: the pickle does not hold a dict"),
        (b"}P1\n.", "at byte 1: unsupported: persistent ids"),
        (b"}\x82\x01.", "at byte 1: unsupported: extension codes"),
        (b"}\x97.", "at byte 1: unsupported: out-of-band buffers"),
        (b"\x80\x06}.", "at byte 0: unsupported: a protocol above 5"),
        (b"}T\xff\xff\xff\xff.", "at byte 1: negative length"),
        (b"}X\xff\xff\xff\xff.", "at byte 1: beyond the limit on one string"),
        (b"}\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "at byte 1: beyond the limit on one string"),
    ];
    for (pickle, message) in cases {
        let error = value_error(pickle);
        assert!(error.starts_with(message), "{pickle:?}: {error}");
    }
}

fn value_error(pickle: &[u8]) -> String {
    values(pickle, &["k"]).unwrap_err().to_string()
}

#[test]
fn wanted_values_are_checked_strictly() {
    let kind = |opcodes: &[u8]| of(opcodes).unwrap_err().kind;
    assert!(matches!(kind(b"X\x01\x00\x00\x00\xff"), ErrorKind::Text));
    assert!(matches!(kind(b"S'a\n"), ErrorKind::Text));
    assert!(matches!(kind(b"Sa\n"), ErrorKind::Text));
    assert!(matches!(kind(b"S'\\x4'\n"), ErrorKind::Text));
    assert!(matches!(kind(b"V\\u12\n"), ErrorKind::Text));
    assert!(matches!(kind(b"I1x\n"), ErrorKind::Number));
    assert!(matches!(kind(b"L\n"), ErrorKind::Number));
    assert!(matches!(kind(b"Fx\n"), ErrorKind::Number));
    assert!(matches!(kind(b"}(]K\x01u"), ErrorKind::Unhashable));
    assert!(matches!(kind(b"K\x01K\x02a"), ErrorKind::Type(_)));
    assert!(matches!(kind(b"]p1\ng1\na"), ErrorKind::Recursive));
    assert!(matches!(kind(b"]p1\n(g1\nte"), ErrorKind::NoMark));
    assert!(matches!(kind(b"]p1\n(g1\ntp2\na"), ErrorKind::Recursive));
}

#[test]
fn a_number_beyond_what_python_reads_is_only_checked_where_asked_for() {
    assert!(value(b"}(U\x01kK\x01U\x01xI1x\nu.").is_ok());
}

#[test]
fn nesting_is_bounded() {
    let deep = |count: usize, open: &[u8], close: &[u8]| {
        of(&[open.repeat(count), close.repeat(count)].concat())
    };
    assert!(deep(900, b"(", b"t").is_ok());
    assert!(matches!(deep(1_001, b"(", b"t").unwrap_err().kind, ErrorKind::Limit("nesting")));
    assert!(deep(900, b"]", b"").is_err());
    let lists = [b"]".repeat(100_000), b"a".repeat(99_999)].concat();
    assert!(matches!(of(&lists).unwrap_err().kind, ErrorKind::Limit("nesting")));
    let tuples = [b"N".to_vec(), b"\x85".repeat(100_000)].concat();
    assert!(matches!(of(&tuples).unwrap_err().kind, ErrorKind::Limit("nesting")));
}

#[test]
fn shared_values_cannot_blow_up() {
    // Each list holds the one before it twice: 2 to the 60th items.
    let mut bomb = b"]p1\n".to_vec();
    for number in 1..60 {
        bomb.extend(format!("0(g{number}\ng{number}\nlp{}\n", number + 1).bytes());
    }
    assert!(matches!(of(&bomb).unwrap_err().kind, ErrorKind::Limit("values")));
    let long = [b"(S'".to_vec(), vec![b'a'; 1 << 20], b"'\np1\n".to_vec(), b"g1\n".repeat(9)];
    let long = [long.concat(), b"l".to_vec()].concat();
    assert!(matches!(of(&long).unwrap_err().kind, ErrorKind::Limit("the bytes of values")));
}

#[test]
fn amounts_are_bounded() {
    let limit = |pickle: &[u8]| match value(pickle).unwrap_err().kind {
        ErrorKind::Limit(what) => what,
        other => panic!("{other}"),
    };
    let keys = [b"}(".to_vec(), b"U\x01aN".repeat(5_000), b"u.".to_vec()].concat();
    assert_eq!(limit(&keys), "keys");
    let keys = [b"}".to_vec(), b"U\x01aNs".repeat(5_000), b".".to_vec()].concat();
    assert_eq!(limit(&keys), "keys");
    let loose = [b"}q\x09".to_vec(), b"q\x01".repeat(70_000), b".".to_vec()].concat();
    assert_eq!(limit(&loose), "memo numbers out of order");
    let digits = [b"}U\x01kL".to_vec(), b"7".repeat(5_000), b"\ns.".to_vec()].concat();
    assert_eq!(limit(&digits), "one number");
    let values = [b"}(U\x01k](".to_vec(), b"N".repeat(300_000), b"eu.".to_vec()].concat();
    assert_eq!(limit(&values), "values");
    // Every reference at a key's place is looked up in the file.
    let searches = [b"}(U\x01aq\x011".to_vec(), b"h\x010".repeat(300_000), b".".to_vec()];
    assert_eq!(limit(&searches.concat()), "memo references");
}

#[test]
fn length_fields_are_not_believed() {
    for opcode in [&b"T\xff\xff\xff\x0f"[..], b"X\xff\xff\xff\x0f", b"\x8b\xff\xff\xff\x0f"] {
        let pickle = [b"}(U\x01k", opcode, b"abc"].concat();
        assert!(matches!(value(&pickle).unwrap_err().kind, ErrorKind::Truncated));
    }
    // A memo number is not an amount of memory either.
    assert!(value(b"}r\xff\xff\xff\xff(U\x01kK\x01u.").is_ok());
}

#[test]
fn a_long_line_is_read_and_an_endless_one_is_not() {
    let long = [b"S'".to_vec(), vec![b'a'; 1 << 20], b"'\n".to_vec()].concat();
    assert!(of(&long).is_ok());
    let endless = [b"S'".to_vec(), vec![b'a'; 8 << 20], b"'\n".to_vec()].concat();
    assert!(matches!(of(&endless).unwrap_err().kind, ErrorKind::Limit("one line")));
}

#[test]
fn a_directory_is_an_error_of_reading() {
    let directory = fs::File::open(env!("CARGO_MANIFEST_DIR")).unwrap();
    let error = pick(&directory, &request(&[])).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Io(_)), "{error}");
}
