//! The pickle reader: any bytes are read within its limits, or are an error; twice the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mm_query::list::settings::{Scope, Settings};
use mm_query::list::value::{Reader, decode};
use mm_query::pickle::{Dict, KeptDict, Request, enroll, pick};
use mm_query::python::Python;
use mm_query::python::text::PyStr;

/// Where members can be kept, they are those that the walk finds.
fn enrolled_is_the_same(bytes: &[u8], request: &Request<'_>) {
    let dicts = [
        KeptDict { key: "members", mark: 1, bits: None },
        KeptDict { key: "digest_members", mark: 2, bits: None },
        KeptDict { key: "user_options", mark: 4, bits: Some((128, 8)) },
    ];
    let settings = Request { addresses: &[], ..*request };
    let Ok(enrolled) = enroll(bytes, &[settings], &dicts) else { return };
    let (Some(roll), Ok(picked)) = (enrolled.roll, pick(bytes, request)) else { return };
    for (index, address) in request.addresses.iter().enumerate() {
        let marks = roll.marks(address);
        for dict in dicts {
            let value = match picked.dicts.get(dict.key) {
                Some(Dict::Entries(values)) => values[index].as_ref(),
                _ => None,
            };
            assert_eq!(marks & dict.mark != 0, value.is_some(), "{} {address:?}", dict.key);
            if let (Some((bits, mark)), Some(value)) = (dict.bits, value) {
                let options = decode(value.clone()).integer().expect("a plain dict");
                assert_eq!(marks & mark != 0, options & bits != 0, "{address:?}");
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let keys = Settings::keys(Scope::Messages);
    let addresses =
        [PyStr::Bytes(b"alice@example.org".to_vec()), PyStr::Text("alice@example.org".into())];
    let request = Request {
        keys: &keys,
        dicts: &["members", "digest_members", "user_options", "language"],
        addresses: &addresses,
    };
    enrolled_is_the_same(bytes, &request);
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
