//! What a query has given up: tried layer by layer in a program that does as `mm-query` does, and
//! looked at in `mm-query` itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "clippy exempts test functions, not their helpers"
)]

mod answers;
mod layers;
mod program;
mod support;
