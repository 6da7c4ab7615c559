//! The process around us, and all system calls that have no safe function in `std` or `rustix`.
#![allow(unsafe_code, reason = "raw system calls; each block holds one and says why it is sound")]

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Resource, Rlimit, chdir, setrlimit, umask};
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

fn check(result: impl Into<i64>) -> Result<()> {
    if result.into() == -1 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// Puts right what a caller can have left in the process, but for timers and signals.
pub(crate) fn reset_surroundings() -> Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    umask(Mode::RWXG | Mode::RWXO);
    chdir("/")?;
    close_extra_files()?;
    // Closed standard streams become /dev/null, so that no file opened later lands there.
    loop {
        match open("/dev/null", OFlags::RDWR, Mode::empty()) {
            Ok(null) if null.as_raw_fd() <= 2 => drop(null.into_raw_fd()), // Stays open.
            Ok(_) | Err(rustix::io::Errno::MFILE) => return Ok(()),        // MFILE: all are taken.
            Err(error) => return Err(error.into()),
        }
    }
}

/// Closes everything but the standard streams; Exim leaves a message's body open, for one.
fn close_extra_files() -> Result<()> {
    // SAFETY: nothing in this program owns a descriptor yet.
    if unsafe { libc::syscall(libc::SYS_close_range, 3, i32::MAX, 0) } == 0 {
        return Ok(());
    }
    // Before Linux 5.9. The listing's own descriptor is in the list, and closed by then.
    let names = std::fs::read_dir("/proc/self/fd")?.map(|entry| Ok(entry?.file_name()));
    for name in names.collect::<Result<Vec<_>>>()? {
        if let Some(fd @ 3..) = name.to_str().and_then(|name| name.parse().ok()) {
            // SAFETY: as above; closing a number that is not open only fails.
            let _ = unsafe { libc::close(fd) };
        }
    }
    Ok(())
}

/// No interval timer, every signal at its default, none blocked. By the kernel's own calls: libc
/// hides signals 32 and 33. All three take what to set, the new value, the old, a set's size.
pub(crate) fn reset_timers_and_signals() -> Result<()> {
    let timers = (0..=2).map(|timer| (libc::SYS_setitimer, timer)); // REAL, VIRTUAL, PROF
    let signals = (1..=64).map(|signal| (libc::SYS_rt_sigaction, signal));
    let settable = signals.filter(|(_, s)| ![libc::SIGKILL, libc::SIGSTOP].contains(s));
    let mask = [(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK)];
    let (zeros, old) = ([0_u64; 8], std::ptr::null_mut::<u64>());
    for (call, which) in timers.chain(settable).chain(mask) {
        // SAFETY: `zeros` outlives the call, is larger than each of the three structures, and is
        // valid as each: a timer that is off, no handler (SIG_DFL), an empty set of 8 bytes.
        check(unsafe { libc::syscall(call, which, zeros.as_ptr(), old, 8_usize) })?;
    }
    Ok(())
}

/// Real, effective and saved user id, then the same of the group.
pub(crate) fn ids() -> Result<[u32; 6]> {
    let mut ids = [u32::MAX; 6];
    let [ruid, euid, suid, rgid, egid, sgid] = &mut ids;
    // SAFETY: three places for an id each, which outlive the call.
    check(unsafe { libc::getresuid(ruid, euid, suid) })?;
    // SAFETY: as above.
    check(unsafe { libc::getresgid(rgid, egid, sgid) })?;
    Ok(ids)
}

/// Runs the opened program in our place; returns only if that fails. The descriptor is closed on
/// exec, which only a script would not survive; /proc is not needed where there is execveat.
pub(crate) fn exec(program: &OwnedFd, args: &[std::ffi::CString]) -> Error {
    let given = args.iter().map(|arg| arg.as_ptr()).chain([std::ptr::null()]);
    let argv: Vec<_> = [c"mm-query".as_ptr()].into_iter().chain(given).collect();
    let environment = [c"PATH=/usr/bin:/bin".as_ptr(), c"LC_ALL=C".as_ptr(), std::ptr::null()];
    // SAFETY: both arrays end in null, and they and the strings they point to outlive the call.
    unsafe { libc::fexecve(program.as_raw_fd(), argv.as_ptr(), environment.as_ptr()) };
    Error::last_os_error()
}
