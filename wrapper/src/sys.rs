//! The process around us, the program's process, and all that takes `unsafe`.
#![allow(unsafe_code, reason = "one operation a block, with what it requires and why that holds")]

use crate::{INTERNAL, MISINSTALLED, OUTPUT, Refusal, TRY_AGAIN, give_up, refuse};
use rustix::{event::*, fs::*, io::retry_on_intr, pipe::fcntl_setpipe_size, process::*};
use std::io::{self, Error, Write};
use std::process::{Command, Stdio};
use std::{ffi::*, os::unix::prelude::*, ptr::null_mut, slice};

const LIMIT: i64 = if option_env!("MMQ_WRAPPER_QUICK").is_some() { 1 } else { 20 }; // Seconds.

/// C's `main` in place of std's, which would use the heap and read files before it comes to us.
// SAFETY: requires that no other `main` is linked: with `no_main`, rustc and std give none.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub(crate) extern "C" fn main(count: i32, args: *const *const c_char) -> i32 {
    // SAFETY: requires so many pointers there, which stay as they are: C's promise to `main`.
    let args = unsafe { slice::from_raw_parts(args, count as usize) };
    // SAFETY: requires a C string there, which stays as it is: the same promise.
    let arg = |arg: &*const c_char| OsStr::from_bytes(unsafe { CStr::from_ptr(*arg) }.to_bytes());
    crate::query_as_list(args.iter().skip(1).map(arg)).unwrap_or_else(|no| give_up(no)).into()
}

/// Puts right what a caller can have left in the process, but for open files.
pub(crate) fn reset_surroundings() -> io::Result<()> {
    let (none, old, size) = ([0_usize; 8], null_mut::<usize>(), size_of::<u64>());
    for signal in 1..=64 {
        // At default; SIGPIPE, which the program gets at default, ignored: a refusal is a status.
        let action = [usize::from(signal == libc::SIGPIPE), 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: requires a kernel's sigaction to read, a place for the old one or null, a set's
        // size. `action` is larger, and valid: no flags, no mask. (libc's own hides 32 and 33.)
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), old, size) };
    }
    // SAFETY: requires a set of `size` bytes to read: `none` is larger; and the old as above.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, none.as_ptr(), old, size) };
    // SAFETY: requires nothing. SIGALRM ends us where even writing takes too long.
    unsafe { libc::alarm(LIMIT as u32 + 5) };
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    umask(Mode::RWXG | Mode::RWXO);
    chdir("/")?;
    // Closed standard streams become /dev/null, so that no file opened later lands there.
    while open("/dev/null", OFlags::RDWR, Mode::empty())?.into_raw_fd() <= 2 {}
    Ok(())
}

/// Opens a regular file of root's, not a link, that neither group nor others can write.
pub(crate) fn open_trusted(path: &str) -> io::Result<OwnedFd> {
    // NONBLOCK: a FIFO in its place must not hold us up.
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(path, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    let trusted = stat.st_uid == 0 && stat.st_mode & (libc::S_IFMT | 0o022) == libc::S_IFREG;
    trusted.then_some(file).ok_or_else(|| Error::other("not a file that only root can write"))
}

/// Closes everything but the standard streams; Exim leaves a message's body open, for one.
pub(crate) fn close_extra_files() -> io::Result<()> {
    let names = std::fs::read_dir("/proc/self/fd")?.map(|entry| Ok(entry?.file_name()));
    for name in names.collect::<io::Result<Vec<_>>>()? {
        if let Some(fd @ 3..) = name.to_str().and_then(|name| name.parse().ok()) {
            // SAFETY: requires that nobody uses it any more: at this point no OwnedFd lives.
            unsafe { libc::close(fd) };
        }
    }
    Ok(())
}

/// Runs the program and gives its status. Of the caller's it has standard input only: its output is
/// kept until it has ended, so half an answer is none, and not even a program that cannot be killed
/// holds what the caller waits for.
pub(crate) fn run(path: &str, args: &[&OsStr]) -> Result<u8, Refusal> {
    // Opened as the list user; what was checked is what runs. It is closed on exec: no script runs.
    let file = open_trusted(path).map_err(refuse(MISINSTALLED, path))?;
    let mut command = Command::new(format!("/proc/self/fd/{}", file.as_raw_fd()));
    command.arg0("mm-query").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").env("MMQ_TIMED", "1");
    // Out of the caller's terminal and process group; and never without us.
    let leave = || Ok(setsid().and_then(|_| set_parent_process_death_signal(Some(Signal::KILL)))?);
    // SAFETY: requires only what may be done between fork and exec: it makes two system calls.
    unsafe { command.pre_exec(leave) };
    let child = command.spawn().map_err(refuse(MISINSTALLED, path))?;
    // Its end closes this pipe, which takes all of an answer: nobody reads before.
    let _ = child.stdout.as_ref().map(|pipe| fcntl_setpipe_size(pipe, 1 << 20));
    let mut ends: Vec<_> = child.stdout.iter().map(|p| PollFd::new(p, PollFlags::HUP)).collect();
    let ended = retry_on_intr(|| poll(&mut ends, Some(&Timespec { tv_sec: LIMIT, tv_nsec: 0 })));
    // And what it has started. The status of a process that is ending already stays as it is.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    ended.ok().filter(|ends| *ends > 0).ok_or((TRY_AGAIN, "no answer in time".into()))?;
    let end = child.wait_with_output().map_err(refuse(INTERNAL, path))?;
    let _ = io::stderr().write_all(&end.stderr);
    let status = end.status.code().filter(|code| matches!(code, 0 | 1 | 64..=78));
    let status = status.ok_or(end.status).map_err(refuse(INTERNAL, path))?;
    let written = io::stdout().write_all(&end.stdout).and_then(|()| io::stdout().flush());
    written.map(|()| status as u8).map_err(refuse(OUTPUT, "standard output"))
}
