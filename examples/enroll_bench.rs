//! Times [`mm_query::pickle::enroll`] on one file: `enroll_bench FILE [ROUNDS]`, and says what the
//! members that are kept take.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool for developers"
)]

use mm_query::pickle::{KeptDict, Request, enroll};
use std::fs::File;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let path = args.first().expect("usage: enroll_bench FILE [ROUNDS]");
    let rounds: usize = args.get(1).map_or(10, |n| n.parse().unwrap());
    let request = Request {
        keys: &["host_name", "generic_nonmember_action", "accept_these_nonmembers"],
        dicts: &["members", "digest_members", "user_options"],
        addresses: &[],
    };
    let dicts = [
        KeptDict { key: "members", mark: 1, bits: None },
        KeptDict { key: "digest_members", mark: 2, bits: None },
        KeptDict { key: "user_options", mark: 4, bits: Some((128, 8)) },
    ];
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let enrolled = enroll(&File::open(path).unwrap(), &[request], &dicts).unwrap();
        times.push(start.elapsed());
        let Some(roll) = enrolled.roll else {
            println!("not a plain list");
            return;
        };
        if times.len() == rounds {
            let (strings, bytes) = (roll.string_bytes(), roll.bytes());
            println!("{} members, {strings} bytes of addresses, {bytes} bytes kept", roll.len());
            println!(
                "{:.1} bytes a member above the addresses",
                (bytes - strings) as f64 / roll.len() as f64
            );
        }
    }
    times.sort();
    println!("best {:?}, median {:?}", times[0], times[rounds / 2]);
}
