//! A real Exim, with our snippets, asks about lists that Mailman wrote.
//!
//! Every test starts an Exim of its own on a loopback port, with its own spool and logs, and
//! compares what its clients and its logs say. The tests run as root (Exim changes to its own
//! user) and need `tools/setup exim`. `MMQ_TEST_EXIM` names another Exim binary,
//! `MMQ_TEST_PROGRAM` another `mm-query`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

mod checker;
mod config;
mod daemon;
mod machine;
mod recorder;
mod server;
mod smtp;

mod approval;
mod asked;
mod commands;
mod connection;

mod doctor;
mod domains;
mod headers;
mod holds;
mod installed;
mod local;
mod package;
mod posting;
mod recipients;
mod setup;
mod several;
mod soak;
mod trouble;
