//! The pickle reader, against real lists, serde-pickle's own decoder and Python's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail by any of these"
)]

mod broken;
mod corpus;
mod edit;
mod enroll;
mod lookup;
mod peer;
mod support;
mod values;
