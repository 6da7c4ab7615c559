//! Every list of the corpus, against the decoder of serde-pickle where that one is right.

use std::path::{Path, PathBuf};
use std::{fs, str};

use mm_query::pickle::{Dict, Request, pick};
use mm_query::python::Python;
use mm_query::python::text::PyStr;
use serde_pickle::{DeOptions, HashableValue, Value};

use crate::support::values;

/// The corpus lies beside the repository, or beside a folder that its worktrees are in.
fn lists() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.ancestors().map(|dir| dir.join("shared/corpus")).find(|dir| dir.is_dir());
    let Some(corpus) = corpus else {
        eprintln!("no shared/corpus beside the repository: nothing compared");
        return Vec::new();
    };
    let mut found = Vec::new();
    for site in fs::read_dir(corpus).unwrap() {
        let lists = site.unwrap().path().join("lists");
        for list in fs::read_dir(lists).into_iter().flatten() {
            found.push(list.unwrap().path().join("config.pck"));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "a corpus without lists");
    found
}

fn name(key: &HashableValue) -> String {
    match key {
        HashableValue::Bytes(bytes) => str::from_utf8(bytes).unwrap().to_owned(),
        HashableValue::String(text) => text.clone(),
        other => panic!("{other}"),
    }
}

/// A pickle without the value of `bounce_info`: serde-pickle loses instances.
fn without_instances(bytes: &[u8]) -> Option<Value> {
    if bytes.windows(11).any(|w| w == b"_BounceInfo") {
        return None;
    }
    Some(serde_pickle::value_from_slice(bytes, DeOptions::new()).unwrap())
}

#[test]
fn every_list_loads_and_equals_what_serde_pickle_reads() {
    let mut compared = 0;
    for path in lists() {
        let bytes = fs::read(&path).unwrap();
        let picked = values(&bytes, &["bounce_info", "host_name", "data_version"]).unwrap();
        assert_eq!(picked.values.len(), 3, "{}", path.display());
        assert_eq!(picked.foreign_class, None);
        let port = path.components().any(|part| part.as_os_str() == "c");
        assert_eq!(picked.python, if port { Python::Three } else { Python::Two });
        let Some(Value::Dict(all)) = without_instances(&bytes) else { continue };
        let names: Vec<String> = all.keys().map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let picked = values(&bytes, &names).unwrap();
        for (key, value) in &all {
            assert_eq!(&picked.values[&name(key)], value, "{} {key}", path.display());
        }
        compared += 1;
    }
    eprintln!("{compared} lists compared");
}

#[test]
fn every_member_is_found() {
    for path in lists() {
        let bytes = fs::read(&path).unwrap();
        let keys = ["members", "digest_members", "user_options"];
        let all = values(&bytes, &keys).unwrap();
        let mut addresses = vec![PyStr::Bytes(b"nobody@example.org".to_vec())];
        for dict in all.values.values() {
            let Value::Dict(dict) = dict else { panic!() };
            addresses.extend(dict.keys().map(|key| match key {
                HashableValue::Bytes(bytes) => PyStr::Bytes(bytes.clone()),
                HashableValue::String(text) => PyStr::Text(text.clone()),
                other => panic!("{other}"),
            }));
        }
        let found =
            pick(&bytes[..], &Request { keys: &[], dicts: &keys, addresses: &addresses }).unwrap();
        for (key, dict) in &all.values {
            let Value::Dict(dict) = dict else { panic!() };
            let expected = addresses.iter().map(|address| {
                let key = match address {
                    PyStr::Bytes(bytes) => HashableValue::Bytes(bytes.clone()),
                    PyStr::Text(text) => HashableValue::String(text.clone()),
                };
                dict.get(&key).cloned()
            });
            assert_eq!(found.dicts[key], Dict::Entries(expected.collect()), "{}", path.display());
        }
    }
}
