//! Stands in for `mm-query` in the tests: writes down the process it finds itself in.
//!
//! The lines go to `report/state` beside its own file, so that they arrive whatever the standard
//! streams are. It has no `main` of Rust's: std would open closed streams and ignore SIGPIPE
//! before looking, and hide what the wrapper left.
#![no_main]
#![allow(unsafe_code, reason = "a main without std's start-up, and getitimer, for tests only")]

use std::fs::{self, OpenOptions};
use std::io::{Result, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::{env, ffi::c_int, fmt::Write as _, mem::MaybeUninit};

/// Status 0 when the report was written, 99 (which the wrapper never gives) otherwise.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> c_int {
    if report().is_ok() { 0 } else { 99 }
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
    for arg in env::args_os() {
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
    let _ = writeln!(text, "cwd {}", fs::read_link("/proc/self/cwd")?.display());
    let executable = env::current_exe()?.into_os_string().into_vec();
    let _ = writeln!(text, "exe {}", executable.escape_ascii());
    let file = env::current_exe()?.with_file_name("report").join("state");
    OpenOptions::new().write(true).create_new(true).open(file)?.write_all(text.as_bytes())
}
