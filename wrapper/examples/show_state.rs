//! Stands in for `mm-query` in the tests: writes down the process it finds itself in, then does the
//! deed that its second argument names, and ends with status 0.
//!
//! The lines go to `report/state` beside its own file, so that they arrive whatever the standard
//! streams are. It has no `main` of Rust's: std would open closed streams and ignore SIGPIPE
//! before looking, and hide what the wrapper left.
#![no_main]
#![allow(unsafe_code, reason = "a main without std's start-up, and system calls, for tests only")]

use std::fs;
use std::io::{Read, Result, Write, stderr, stdin, stdout};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;
use std::{env, ffi::OsString, ffi::c_int, fmt::Write as _, mem::MaybeUninit, thread};

/// 99, which the wrapper passes on as 70, when something failed here.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> c_int {
    let done = report().and_then(|()| deed(&args()?.nth(2).unwrap_or_default().to_string_lossy()));
    done.unwrap_or(99)
}

/// musl's library tells std the arguments only where std has the `main`.
fn args() -> Result<impl Iterator<Item = OsString>> {
    let mut line = fs::read("/proc/self/cmdline")?;
    line.pop();
    let args: Vec<_> = line.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    Ok(args.into_iter().map(OsString::from_vec))
}

/// A file beside this program's own.
fn beside(name: &str) -> Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(name))
}

fn report() -> Result<()> {
    let mut text = String::new();
    for line in fs::read_to_string("/proc/self/status")?.lines() {
        let _ = writeln!(text, "status {line}");
    }
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let target = fs::read_link(entry.path())?;
        let own_listing = target.starts_with("/proc") && target.ends_with("fd");
        if !own_listing {
            let _ = writeln!(text, "fd {} {}", entry.file_name().display(), target.display());
        }
    }
    for line in fs::read_to_string("/proc/self/limits")?.lines() {
        let _ = writeln!(text, "limit {line}");
    }
    for arg in args()? {
        let _ = writeln!(text, "arg {}", arg.as_bytes().escape_ascii());
    }
    for variable in fs::read("/proc/self/environ")?.split_inclusive(|&byte| byte == 0) {
        let _ = writeln!(text, "env {}", variable.escape_ascii());
    }
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        let mut now = MaybeUninit::<libc::itimerval>::zeroed();
        // SAFETY: `now` is large enough and outlives the call.
        unsafe { libc::getitimer(timer, now.as_mut_ptr()) };
        // SAFETY: zeros are a valid value, whether or not the call has written another.
        let left = unsafe { now.assume_init() }.it_value;
        let _ = writeln!(text, "timer {} {}", left.tv_sec, left.tv_usec);
    }
    // Process, parent, process group, session, terminal: what follows the name in parentheses.
    let stat = fs::read_to_string("/proc/self/stat")?;
    let _ = writeln!(text, "stat {}", stat.rsplit(") ").next().unwrap_or_default().trim_end());
    let _ = writeln!(text, "cwd {}", fs::read_link("/proc/self/cwd")?.display());
    let executable = env::current_exe()?.into_os_string().into_vec();
    let _ = writeln!(text, "exe {}", executable.escape_ascii());
    if args()?.nth(1).is_some_and(|command| command == "test-message") {
        let mut message = Vec::new();
        stdin().read_to_end(&mut message)?;
        let _ = writeln!(text, "stdin {}", message.escape_ascii());
    }
    note("state", &text)
}

/// Puts down `text`, all at once and never over what is there.
fn note(name: &str, text: &str) -> Result<()> {
    let (unfinished, file) = (beside("report")?.join(".new"), beside("report")?.join(name));
    fs::write(&unfinished, text)?;
    fs::hard_link(&unfinished, file)?;
    fs::remove_file(unfinished)
}

fn deed(name: &str) -> Result<c_int> {
    let (name, number) = name.split_once('=').unwrap_or((name, "0"));
    let number = number.parse().unwrap_or_default();
    match name {
        "exit" => {}
        "say" => {
            stdout().write_all(b"text\n")?;
            stderr().write_all(b"reason\n")?;
        }
        // SAFETY: no handler of ours will run.
        "signal" => drop(unsafe { libc::raise(number) }),
        "sleep" => thread::sleep(Duration::from_secs(1000)),
        "close-and-sleep" => {
            for stream in 0..3 {
                // SAFETY: nothing here uses the standard streams any more.
                unsafe { libc::close(stream) };
            }
            thread::sleep(Duration::from_secs(1000));
        }
        "flood" => loop {
            stdout().write_all(&[b'x'; 4096])?;
        },
        // A process that lives on with our standard streams, in our process group or its own.
        "offspring" | "runaway" => {
            // SAFETY: there is one thread.
            if unsafe { libc::fork() } == 0 {
                if name == "runaway" {
                    // SAFETY: changes nothing in memory.
                    unsafe { libc::setsid() };
                }
                note("offspring", &std::process::id().to_string())?;
                thread::sleep(Duration::from_secs(1000));
            }
            while !beside("report")?.join("offspring").exists() {
                thread::sleep(Duration::from_millis(1));
            }
        }
        "open" => drop(fs::File::open(beside("stuck/file")?)),
        _ => {}
    }
    Ok(number)
}
