//! `mm-query-wrapper`: Exim runs it, it becomes the list user and nothing more, and runs `mm-query`
//! with arguments from a fixed list. The reasons and the tests: `docs/security.md`.
#![cfg_attr(not(test), no_main)] // C's `main` is in sys.rs.

mod identity;
mod policy;
mod sys;
#[cfg(test)]
mod tests;

use rustix::{io::write, process::getuid, stdio::stderr, thread::set_thread_uid};
use std::{ffi::OsStr, fmt::Display, panic, process::exit};

const USAGE: u8 = 64; // Arguments outside the allowed list.
const INTERNAL: u8 = 70; // What should not be: a system call failed, the program crashed.
const OUTPUT: u8 = 74; // The answer could not be written.
const TRY_AGAIN: u8 = 75; // No answer in time.
const NOT_ALLOWED: u8 = 77; // The configuration does not name the caller.
const MISINSTALLED: u8 = 78; // Owner, mode or content of a file, or our powers, are wrong.

/// Why there is no answer: exit status and a reason, without any unescaped byte of the caller's.
type Refusal = (u8, String);

/// For `map_err`: the file or operation that failed, before the error's own words.
fn refuse<E: Display>(status: u8, what: &str) -> impl Fn(E) -> Refusal {
    move |error| (status, format!("{what}: {error}"))
}

/// Everything in order. Nothing of it uses the heap before the privileges are gone.
fn query_as_list(args: impl Iterator<Item = &'static OsStr>) -> Result<u8, Refusal> {
    panic::set_hook(Box::new(|_| give_up((INTERNAL, "unexpected failure".into()))));
    sys::reset_surroundings().map_err(refuse(INTERNAL, "resetting the process"))?;
    // Both paths are fixed when the wrapper is built; the environment it runs with has no say.
    identity::become_list(option_env!("MMQ_WRAPPER_CONF").unwrap_or("/etc/mm-query/wrapper.conf"))?;
    sys::close_extra_files().map_err(refuse(INTERNAL, "/proc/self/fd"))?;
    let args = policy::judge(args.collect())?;
    sys::run(option_env!("MMQ_WRAPPER_PROGRAM").unwrap_or("/usr/lib/mm-query/mm-query"), &args)
}

#[allow(clippy::exit, reason = "also from a panic, and from the thread that keeps the time")]
fn give_up((status, reason): Refusal) -> ! {
    let _ = set_thread_uid(getuid()); // Some files look at who writes, not at who opened them.
    let _ = write(stderr(), format!("mm-query-wrapper: {reason}\n").as_bytes());
    exit(status.into())
}
