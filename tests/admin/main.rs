//! The commands that write: real lists, real locks, real processes, and a system that fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test may fail by any of these"
)]

mod audit;
mod bans;
mod concurrent;
mod faults;
mod locks;
mod looking;
mod rounds;
mod support;
