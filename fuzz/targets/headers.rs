//! Headers, addresses, encoded words and MIME parts of any bytes, in both Pythons.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mm_query::python::Python;
use mm_query::python::addresses::{getaddresses, parseaddr};
use mm_query::python::message::{Message, Payload, headers, parameter};

fuzz_target!(|bytes: &[u8]| {
    for python in [Python::Two, Python::Three] {
        let _ = parseaddr(bytes, python);
        let values: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let joined = getaddresses(&values, python);
        if let (Ok(found), [one]) = (&joined, values.as_slice()) {
            let alone = parseaddr(one, python).expect("the same value");
            assert_eq!(found.first().cloned().unwrap_or_default(), alone);
        }
        let Ok(message) = Message::parse_as(bytes, python) else { continue };
        let mut payloads = 0usize;
        for part in message.parts() {
            let _ = part.decoded();
            if let Payload::Text(text) = part.payload {
                payloads += text.len();
            }
            for header in part.headers.iter() {
                let _ = parameter(header.value, "name");
            }
        }
        assert!(payloads <= bytes.len(), "no byte is in two payloads");
        assert_eq!(message.parts()[0].depth, 0);
    }
    let _ = headers::read(bytes);
});
