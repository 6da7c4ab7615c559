//! The daemon, in this process and as a program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "clippy exempts test functions, not their helpers"
)]

mod agreement;
mod hostile;
mod lists;
mod machine;
mod requests;
mod support;
mod systemd;
