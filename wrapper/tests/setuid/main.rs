//! The wrapper as it is installed: a real setuid file, run by unprivileged and hostile users.
//! `docs/security.md` says which test holds which row of its table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "clippy exempts test functions, not their helpers"
)]

mod build;
mod callers;
mod faults;
mod identity;
mod installation;
mod process;
mod races;
mod site;
mod stuck;
mod supervision;
