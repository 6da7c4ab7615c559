//! What the tests of the pickle reader share.

use mm_query::pickle::{Dict, Error, Picked, Request, pick, pick_with_window};
use mm_query::python::text::PyStr;
use rand::RngExt;
use rand::rngs::SmallRng;
use serde_pickle::Value;

/// The bytes that these hexadecimal digits are.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The pickle with one to three bytes changed, removed or inserted.
pub(crate) fn damaged(pickle: &[u8], rng: &mut SmallRng) -> Vec<u8> {
    let mut bytes = pickle.to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..4) {
            0 => bytes[at] = rng.random(),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, pickle[rng.random_range(0..pickle.len())]),
            _ => bytes[at] ^= 1 << rng.random_range(0..8),
        }
    }
    bytes
}

/// Picks the values of these top-level keys.
pub(crate) fn values(pickle: &[u8], keys: &[&str]) -> Result<Picked, Error> {
    pick(pickle, &Request { keys, dicts: &[], addresses: &[] })
}

/// The value of the top-level key `k`.
pub(crate) fn value(pickle: &[u8]) -> Result<Value, Error> {
    values(pickle, &["k"]).map(|picked| picked.values["k"].clone())
}

/// The value of `k` in the pickle `(dp0\nS'k'\n`, these opcodes, `s.`.
pub(crate) fn of(opcodes: &[u8]) -> Result<Value, Error> {
    value(&[b"(dp0\nS'k'\n", opcodes, b"s."].concat())
}

/// Looks byte strings up in the top-level dict `m`.
pub(crate) fn look_up(pickle: &[u8], addresses: &[&str]) -> Result<Option<Dict>, Error> {
    let addresses: Vec<PyStr> =
        addresses.iter().map(|a| PyStr::Bytes(a.as_bytes().to_vec())).collect();
    let request = Request { keys: &[], dicts: &["m"], addresses: &addresses };
    let picked = pick(pickle, &request)?;
    // Where the window ends must not matter.
    for window in [24, 25, 31, 64] {
        assert_eq!(pick_with_window(pickle, &request, window)?, picked);
    }
    Ok(picked.dicts.get("m").cloned())
}

/// Entries of a looked-up dict that are small numbers.
pub(crate) fn entries(values: &[Option<i64>]) -> Option<Dict> {
    Some(Dict::Entries(values.iter().map(|value| value.map(Value::I64)).collect()))
}
