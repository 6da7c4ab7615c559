//! A pickle that is enrolled answers as one in which each address is looked up.

use mm_query::pickle::{Dict, KeptDict, Request, Roll, dict_keys, enroll, pick};
use mm_query::python::text::PyStr;
use proptest::prelude::*;
use serde_pickle::Value;
use std::fs;
use std::path::{Path, PathBuf};

const DICTS: [&str; 3] = ["members", "digest_members", "user_options"];
const MARKS: [u8; 3] = [1, 2, 4];
const MODERATED: u8 = 8;

fn kept() -> [KeptDict<'static>; 3] {
    [0, 1, 2].map(|n| KeptDict {
        key: DICTS[n],
        mark: MARKS[n],
        bits: (n == 2).then_some((128, MODERATED)),
    })
}

/// Addresses that may be in it, in both forms, and one that is not.
fn addresses(bytes: &[u8]) -> Vec<PyStr> {
    let mut found = vec![PyStr::Bytes(b"nobody@example.org".to_vec()), PyStr::Text(String::new())];
    for dict in DICTS {
        let _ = dict_keys(bytes, dict, &mut |key| {
            found.push(PyStr::Bytes(key.as_bytes().to_vec()));
            if let Ok(text) = String::from_utf8(key.as_bytes().to_vec()) {
                found.push(PyStr::Text(text));
            }
        });
    }
    found.truncate(400);
    found
}

/// Compares; says how many addresses were found, or nothing where the list has to be read.
fn compare(bytes: &[u8]) -> Option<usize> {
    let request = Request { keys: &["host_name"], dicts: &DICTS, addresses: &[] };
    let enrolled = match enroll(bytes, &[request], &kept()) {
        Ok(enrolled) => enrolled,
        Err(error) => {
            let other = pick(bytes, &request).expect_err("both");
            assert_eq!(error.to_string(), other.to_string());
            return None;
        }
    };
    let alone = pick(bytes, &request);
    match (&enrolled.picked[0], &alone) {
        (Ok(one), Ok(other)) => assert_eq!(one, other),
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("{one:?} but {other:?}"),
    }
    let roll = enrolled.roll?;
    let addresses = addresses(bytes);
    let picked = pick(bytes, &Request { addresses: &addresses, ..request }).ok()?;
    Some(addresses.iter().enumerate().filter(|(n, a)| same(&roll, a, *n, &picked.dicts)).count())
}

/// Whether it is anywhere; fails where the two do not say the same.
fn same(
    roll: &Roll,
    address: &PyStr,
    index: usize,
    dicts: &std::collections::BTreeMap<String, Dict>,
) -> bool {
    let marks = roll.marks(address);
    for (dict, mark) in DICTS.into_iter().zip(MARKS) {
        let value = match dicts.get(dict) {
            Some(Dict::Entries(values)) => values[index].clone(),
            _ => None,
        };
        assert_eq!(marks & mark != 0, value.is_some(), "{dict}: {address:?}");
        if dict == "user_options" {
            let bits = match value {
                Some(Value::I64(bits)) => bits,
                Some(Value::Bool(bit)) => i64::from(bit),
                None => 0,
                other => panic!("{other:?} in a plain dict"),
            };
            assert_eq!(marks & MODERATED != 0, bits & 128 != 0, "{address:?}");
        }
    }
    marks != 0
}

fn lists() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("tests/fixtures/lists")];
    for corpora in ["tests/fixtures/corpus", "../shared/corpus"] {
        let sites = fs::read_dir(root.join(corpora)).into_iter().flatten();
        folders.extend(sites.map(|site| site.unwrap().path().join("lists")));
    }
    let lists = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    lists.map(|list| list.unwrap().path().join("config.pck")).filter(|file| file.exists()).collect()
}

#[test]
fn every_list_of_the_corpora_is_the_same_enrolled() {
    let (mut enrolled, mut streamed, mut found) = (0, 0, 0);
    for path in lists() {
        match compare(&fs::read(&path).unwrap()) {
            Some(addresses) => {
                enrolled += 1;
                found += addresses;
            }
            None => streamed += 1,
        }
    }
    assert!(enrolled > 30 && found > 100, "{enrolled} {streamed} {found}");
    assert!(streamed < enrolled / 4, "{enrolled} {streamed}");
}

#[test]
fn what_is_not_plain_is_left_to_the_walk() {
    for plain in [
        &b"}(U\x07members}q\x01(U\x03a@bq\x02K\x00U\x03c@dq\x03U\x03C@dq\x04uU\x0cuser_options}(h\x02M\x80\x01h\x03K\x00uu."[..],
        // Keys that are first seen elsewhere, before and behind.
        b"}(U\x01x](U\x03a@bq\x05eU\x07members}(h\x05K\x00uu.",
        b"}(U\x07members}U\x03a@bK\x00sU\x0edigest_members}(U\x03a@bK\x00X\x03\x00\x00\x00e@fNuu.",
        b"}(X\x07\x00\x00\x00members}(X\x03\x00\x00\x00a@bK\x00uu.",
        b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x07members\x94}\x94\x8c\x03a@b\x94K\x00su.",
    ] {
        assert!(compare(plain).is_some_and(|found| found > 0), "{}", plain.escape_ascii());
    }
    for odd in [
        // A key twice, a number as a key, options that are none, a number that is put twice, a dict
        // made elsewhere, bytes in Python 3.
        &b"}(U\x07members}(U\x03a@bK\x00U\x03a@bK\x01uu."[..],
        b"}(U\x07members}(K\x01K\x00uu.",
        b"}(U\x0cuser_options}(U\x03a@bNuu.",
        b"}(U\x01x](U\x03a@bq\x05U\x03c@dq\x05eU\x07members}(h\x05K\x00uu.",
        b"}(U\x01x}q\x01U\x07membersh\x01u.",
        b"}(X\x07\x00\x00\x00members}(C\x03a@bK\x00uu.",
        b"(dp0\nS'members'\np1\n(dp2\nS'a@b'\np3\nI0\nss.",
    ] {
        assert_eq!(compare(odd), None, "{}", odd.escape_ascii());
    }
}

fn bases() -> Vec<Vec<u8>> {
    lists()
        .iter()
        .map(|path| fs::read(path).unwrap())
        .filter(|bytes| bytes.len() < 40_000)
        .collect()
}

proptest! {
    /// Whatever is wrong with a pickle, an enrolled one is no other.
    #[test]
    fn a_changed_list_is_the_same_or_is_not_enrolled(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        thread_local!(static BASES: Vec<Vec<u8>> = bases());
        let mut bytes = BASES.with(|bases| which.get(bases).clone());
        for (at, byte, insert) in changes {
            let at = at.index(bytes.len());
            if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        }
        compare(&bytes);
    }
}
