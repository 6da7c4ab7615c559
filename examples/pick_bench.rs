//! Times [`mm_query::pickle::pick`] on one file: `pick_bench FILE [ROUNDS] [MEMBER...]`.
//!
//! Prints the peak heap of a call, and, unless ROUNDS is 0, the best and the median time of one
//! call (opening the file included) and of reading the file through a 128 KiB buffer as `cat`
//! does. `WINDOW=BYTES` in the environment sets how much the walk reads at a time.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    unsafe_code,
    reason = "a tool for developers; a counting allocator takes two unsafe calls"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use mm_query::pickle::{Dict, Request, pick_with_window};
use mm_query::python::text::PyStr;

struct Counting;
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: both methods hand over to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promise is ours.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is ours.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const KEYS: &[&str] = &[
    "accept_these_nonmembers",
    "bounce_matching_headers",
    "data_version",
    "discard_these_nonmembers",
    "emergency",
    "equivalent_domains",
    "generic_nonmember_action",
    "hold_these_nonmembers",
    "host_name",
    "member_moderation_action",
    "member_moderation_notice",
    "nonmember_rejection_notice",
    "owner",
    "preferred_language",
    "real_name",
    "reject_these_nonmembers",
    "topics",
    "web_page_url",
    "reply_to_address",
    "subject_prefix",
];

fn call(path: &str, addresses: &[PyStr]) -> usize {
    let file = File::open(path).unwrap();
    let dicts = &["members", "digest_members", "user_options"];
    let window = std::env::var("WINDOW").ok().and_then(|w| w.parse().ok()).unwrap_or(256 << 10);
    let picked =
        pick_with_window(&file, &Request { keys: KEYS, dicts, addresses }, window).unwrap();
    let found = picked.dicts.values().map(|dict| match dict {
        Dict::Entries(entries) => entries.iter().flatten().count(),
        Dict::NotADict => 0,
    });
    picked.values.len() + found.sum::<usize>()
}

fn read(path: &str) {
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; 128 << 10];
    while file.read(&mut buffer).unwrap() > 0 {}
}

fn times(rounds: usize, mut work: impl FnMut()) -> (Duration, Duration) {
    let mut all: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    all.sort();
    (*all.first().unwrap(), *all.get(rounds / 2).unwrap())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let path = args.get(1).unwrap();
    let rounds = args.get(2).and_then(|arg| arg.parse().ok()).unwrap_or(20);
    let mut addresses: Vec<PyStr> =
        args.iter().skip(3).map(|arg| PyStr::Bytes(arg.clone().into_bytes())).collect();
    addresses.extend(args.iter().skip(3).map(|arg| PyStr::Text(arg.clone())));
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let found = call(path, &addresses);
    let heap = PEAK.load(Relaxed) - before;
    println!("found {found} values; peak heap {heap} bytes");
    if rounds == 0 {
        return;
    }
    let (best, median) = times(rounds, || assert!(call(path, &addresses) == found));
    let (read_best, read_median) = times(rounds, || read(path));
    println!(
        "pick: best {best:?}, median {median:?}; read alone: best {read_best:?}, median {read_median:?}"
    );
}
