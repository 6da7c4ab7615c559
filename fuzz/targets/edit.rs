//! Changes of a ban list: any bytes are changed in it alone, or not at all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mm_query::pickle::{ErrorKind, Request, StringList, dict_keys, pick};
use mm_query::python::Python;
use mm_query::python::text::PyStr;

const OTHERS: [&str; 6] = [
    "accept_these_nonmembers",
    "hold_these_nonmembers",
    "data_version",
    "host_name",
    "bounce_info",
    "nonmember_rejection_notice",
];

fuzz_target!(|bytes: &[u8]| {
    let _ = dict_keys(bytes, "members", &mut drop);
    let Ok(list) = StringList::find(bytes, "ban_list") else { return };
    let entry = match list.python() {
        Python::Two => PyStr::Bytes(b"eve@example.net".to_vec()),
        Python::Three => PyStr::Text("eve@example.net".into()),
    };
    let first = list.entries().first().cloned();
    let request = Request { keys: &OTHERS, dicts: &[], addresses: &[] };
    // What cannot be read may lie in the ban list.
    let Ok(before) = pick(bytes, &request) else { return };
    for new in [list.with(&entry), list.without(&|entry| Some(entry) == first.as_ref())] {
        let Ok(new) = new else { continue };
        match pick(&new[..], &request) {
            Ok(after) => assert_eq!(format!("{before:?}"), format!("{after:?}")),
            Err(error) => assert!(matches!(error.kind, ErrorKind::Limit(_)), "{error}"),
        }
    }
});
