//! Random data that Python pickled, against what Python says it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use mm_query::pickle::{Dict, Request, pick_with_window};
use mm_query::python::Python;
use mm_query::python::text::PyStr;
use serde_json::Value as Json;
use serde_pickle::{HashableValue, Value};

use crate::support::unhex;

const CASES: &str = "150";

/// A value as `tools/pickle_peer.py` writes it.
fn read(json: &Json) -> Value {
    let Json::Object(object) = json else {
        return json.as_bool().map_or(Value::None, Value::Bool);
    };
    let (kind, inner) = object.iter().next().unwrap();
    let text = || inner.as_str().unwrap();
    let items = || inner.as_array().unwrap().iter().map(read);
    let keys = || items().map(|item| item.into_hashable().unwrap());
    match kind.as_str() {
        "i" => match text().parse() {
            Ok(small) => Value::I64(small),
            Err(_) => Value::Int(text().parse().unwrap()),
        },
        "f" => Value::F64(f64::from_be_bytes(unhex(text()).try_into().unwrap())),
        "b" => Value::Bytes(unhex(text())),
        "t" => Value::String(text().to_owned()),
        "l" => Value::List(items().collect()),
        "u" => Value::Tuple(items().collect()),
        "s" => Value::Set(keys().collect()),
        "z" => Value::FrozenSet(keys().collect::<BTreeSet<HashableValue>>()),
        "d" => {
            let pair = |pair: &Json| (read(&pair[0]).into_hashable().unwrap(), read(&pair[1]));
            Value::Dict(inner.as_array().unwrap().iter().map(pair).collect::<BTreeMap<_, _>>())
        }
        other => panic!("{other}"),
    }
}

fn address(json: &Json) -> PyStr {
    match read(json) {
        Value::Bytes(bytes) => PyStr::Bytes(bytes),
        Value::String(text) => PyStr::Text(text),
        other => panic!("{other}"),
    }
}

fn check(case: &Json, window: usize) {
    let pickle = unhex(case["pickle"].as_str().unwrap());
    let names: Vec<&str> = case["values"].as_object().unwrap().keys().map(String::as_str).collect();
    let addresses: Vec<PyStr> = case["addresses"].as_array().unwrap().iter().map(address).collect();
    let dicts = ["members", "digest_members", "user_options", "absent"];
    let request = Request { keys: &names, dicts: &dicts, addresses: &addresses };
    let picked = pick_with_window(&pickle[..], &request, window).unwrap();
    let python = if case["two"].as_bool().unwrap() { Python::Two } else { Python::Three };
    assert_eq!(picked.python, python);
    assert_eq!(picked.foreign_class.is_some(), case["foreign"].as_bool().unwrap());
    for (name, value) in case["values"].as_object().unwrap() {
        assert_eq!(picked.values[name], read(value), "{name}, window {window}");
        // Alone, its shared parts lie in values that nobody asked for.
        let one = [name.as_str()];
        let request = Request { keys: &one, dicts: &[], addresses: &[] };
        let alone = pick_with_window(&pickle[..], &request, window).unwrap();
        assert_eq!(alone.values[name], picked.values[name], "{name} alone");
    }
    assert_eq!(picked.values.len(), names.len());
    let expected = case["dicts"].as_object().unwrap();
    assert_eq!(picked.dicts.len(), expected.len());
    for (name, found) in expected {
        let dict = match found.as_array() {
            None => Dict::NotADict,
            Some(found) => Dict::Entries(
                found.iter().map(|value| value.as_array().map(|one| read(&one[0]))).collect(),
            ),
        };
        assert_eq!(picked.dicts[name], dict, "{name}, window {window}");
    }
}

#[test]
fn what_python_pickled_reads_as_python_says() {
    let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/pickle_peer.py");
    let seed = std::env::var("PICKLE_SEED").unwrap_or_else(|_| "1".to_owned());
    let cases = std::env::var("PICKLE_CASES").unwrap_or_else(|_| CASES.to_owned());
    let output = Command::new("python3").arg(peer).args([seed, cases]).output();
    let output = match output {
        Ok(output) => output,
        Err(e) if std::env::var_os("CI").is_none() => {
            eprintln!("no python3 ({e}): nothing compared");
            return;
        }
        Err(e) => panic!("python3: {e}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let windows = [24, 40, 61, 256, 4096, 1 << 18];
    let mut run = 0;
    for (number, line) in text.lines().enumerate() {
        let case: Json = serde_json::from_str(line).unwrap();
        check(&case, windows[number % windows.len()]);
        run += 1;
    }
    assert!(run > 0);
}
