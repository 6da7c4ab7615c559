//! The pickle reader: any bytes are read within its limits, or are an error; twice the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mm_query::list::settings::{Scope, Settings};
use mm_query::list::value::{Reader, decode};
use mm_query::pickle::{Request, pick};
use mm_query::python::Python;
use mm_query::python::text::PyStr;

fuzz_target!(|bytes: &[u8]| {
    let keys = Settings::keys(Scope::Messages);
    let addresses =
        [PyStr::Bytes(b"alice@example.org".to_vec()), PyStr::Text("alice@example.org".into())];
    let request = Request {
        keys: &keys,
        dicts: &["members", "digest_members", "user_options", "language"],
        addresses: &addresses,
    };
    let first = pick(bytes, &request);
    let again = pick(bytes, &request);
    match (first, again) {
        (Ok(mut picked), Ok(again)) => {
            assert_eq!(format!("{picked:?}"), format!("{again:?}"));
            for value in picked.values.values() {
                let _ = decode(value.clone());
            }
            for reads in [Python::Two, Python::Three] {
                let reader = Reader { wrote: picked.python, reads };
                let _ = Settings::from_values(&mut picked.values.clone(), reader, &|_| None);
            }
            picked.values.clear();
        }
        (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
        (one, other) => panic!("{one:?} and then {other:?}"),
    }
});
