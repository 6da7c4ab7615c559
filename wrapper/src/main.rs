//! `mm-query-wrapper`: Exim runs it, it becomes the list user and nothing more, and runs `mm-query`
//! with arguments from a fixed list. The reasons and the tests: `docs/security.md`.

mod conf;
mod identity;
mod policy;
mod sys;
#[cfg(test)]
mod tests;

use rustix::process::getuid;
use std::os::unix::ffi::OsStringExt;
use std::{convert::Infallible, env, fmt::Display, io::Write, panic, process::ExitCode};

// Both paths are fixed when the wrapper is built; the environment it runs with has no say.
const CONF: Option<&str> = option_env!("MMQ_WRAPPER_CONF");
const PROGRAM: Option<&str> = option_env!("MMQ_WRAPPER_PROGRAM");

const USAGE: u8 = 64; // Arguments outside the allowed list.
const INTERNAL: u8 = 70; // A system call failed that should not.
const NOT_ALLOWED: u8 = 77; // The configuration does not name the caller.
const MISINSTALLED: u8 = 78; // Owner, mode or content of a file, or our powers, are wrong.

/// Why nothing was run: exit status and a reason, without any unescaped byte of the caller's.
#[derive(Debug, PartialEq, Eq)]
struct Refusal(u8, String);

/// For `map_err`: the file or operation that failed, before the error's own words.
fn refuse<E: Display>(status: u8, what: &str) -> impl Fn(E) -> Refusal {
    move |error| Refusal(status, format!("{what}: {error}"))
}

fn main() -> ExitCode {
    panic::set_hook(Box::new(|_| ())); // A panic is reported below, as all else is.
    let outcome = panic::catch_unwind(become_list_and_run);
    let Err(Refusal(status, reason)) =
        outcome.unwrap_or_else(|_| Err(Refusal(INTERNAL, "unexpected failure".into())));
    // Some files check who writes to them, not who opened them: as the caller, then.
    let _ = rustix::thread::set_thread_res_uid(getuid(), getuid(), getuid());
    let _ = std::io::stderr().write_all(format!("mm-query-wrapper: {reason}\n").as_bytes());
    ExitCode::from(status)
}

/// Everything in order. It returns only to say why nothing was run.
fn become_list_and_run() -> Result<Infallible, Refusal> {
    sys::reset_surroundings().map_err(refuse(INTERNAL, "resetting the process"))?;
    let args = policy::judge(env::args_os().skip(1).map(OsStringExt::into_vec).collect())?;
    let conf = conf::load(CONF.unwrap_or("/etc/mm-query/wrapper.conf"))?;
    identity::become_list(&conf)?;
    let path = PROGRAM.unwrap_or("/usr/lib/mm-query/mm-query");
    // Opened as the list user; what was checked is what runs, whatever becomes of the path.
    let program = conf::open_trusted(path, rustix::fs::OFlags::PATH)?;
    // Last: until here SIGPIPE stays ignored (by std), so that a refusal is never a signal.
    sys::reset_timers_and_signals().map_err(refuse(INTERNAL, "resetting signals"))?;
    Err(refuse(MISINSTALLED, path)(sys::exec(&program, &args)))
}
