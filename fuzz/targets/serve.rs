//! Any request to the daemon has one answer, of its form, the same each time; without a socket.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mm_query::serve::log::{self, Level, Sink};
use mm_query::serve::request;
use mm_query::serve::service::{Handled, Service};
use mm_query::site::Site;
use std::path::Path;
use std::sync::OnceLock;

static SERVICE: OnceLock<Service> = OnceLock::new();

fn open() -> Service {
    // The daemon answers "internal error" where it panics; here that is a finding.
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/lists");
    let site = Site::find(Some(&lists), None).expect("a site");
    let (log, _) = log::new(Sink::Stderr { journal: false }, Level::Error);
    Service::new(site, 16 << 20, log)
}

/// What a request begins with: nothing that the bytes have not, or the lines of a query.
const BEGINNINGS: [&str; 6] = [
    "",
    "mm-query: 1\n",
    "mm-query: 1\nquery: test-sender\nlist: announce\n",
    "mm-query: 1\nquery: test-message\nlist: team\n",
    "mm-query: 1\nquery: list-domain\n",
    "mm-query: 1\nquery: test-sender\n",
];

fn answer(service: &Service, bytes: &[u8]) -> Vec<u8> {
    match service.handle(bytes) {
        Handled::Answered(reply) => reply.bytes(),
        Handled::Later(request) => {
            let (reply, postponed) = service.answer(&request);
            service.keep(&postponed);
            reply.bytes()
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [which, rest @ ..] = bytes else { return };
    let service = SERVICE.get_or_init(open);
    let beginning = BEGINNINGS[usize::from(*which) % BEGINNINGS.len()];
    let request = [beginning.as_bytes(), rest].concat();
    let end = request::end(&request, 0).unwrap_or(request.len());
    assert!(end <= request.len());
    let first = answer(service, &request[..end]);
    let text = std::str::from_utf8(&first).expect("UTF-8");
    let (word, text) = text.split_once('\n').expect("two parts");
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    assert!(text.chars().all(|c| !c.is_control() || c == '\n'), "{text:?}");
    match word {
        "error" => {
            let (code, _) = text.split_once(' ').expect("a status");
            assert!(["64", "65", "66", "67", "74", "75"].contains(&code), "{text:?}");
        }
        "reject" => assert!(!text.is_empty()),
        "accept" | "hold" | "discard" | "undecided" => {}
        _ => panic!("{word:?}"),
    }
    // The counters are others each time.
    if word != "accept" {
        assert_eq!(answer(service, &request[..end]), first);
    }
});
