//! What a query gives up once its files are open.
//!
//! A list's file, a message and the patterns in them are anybody's bytes. Should they ever get hold
//! of the program, it can read lists and write its answer, and nothing else: not because it does
//! not try, but because the kernel does not let it. What the kernel lacks is gone without: a query
//! that is less confined still answers, and `--explain` says what it lacked.

// The calls and the order of their arguments' bytes are known for these only.
#[cfg_attr(
    not(all(
        target_endian = "little",
        any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
    )),
    path = "no_calls.rs"
)]
pub mod calls;
pub mod files;
pub mod resources;

use crate::list::store::ListsDir;
use rustix::fs::{Mode, OFlags};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Gives up, for the whole process and for good, what is not needed to read the lists in this
/// directory and to answer. The directory and `mm_cfg.py` must have been opened before; a thread
/// that runs already must have called [`enter_idle`]. Returns what could not be given up, and why,
/// as ends of a sentence that begins "unconfined".
pub fn enter(lists: &ListsDir) -> Vec<String> {
    let mut gaps = resources::limit();
    let mut step = |name: &str, done: Result<(), String>| {
        gaps.extend(done.err().map(|why| format!("by {name}: {why}")));
    };
    step("no_new_privs", no_new_privs());
    step("Landlock", files::restrict(Some(lists.as_fd())));
    // Last: the steps above use calls that it forbids.
    step("seccomp", calls::filter());
    gaps
}

/// What the daemon gives up before it starts its threads: it can read the lists and what is beside
/// `mm_cfg.py`, remove files beside its sockets, and open nothing else. seccomp follows when all
/// threads run ([`calls::filter_server`]). Returns what could not be given up, as [`enter`] does.
pub fn enter_server(lists: &Path, settings: Option<&Path>, sockets: &[&Path]) -> Vec<String> {
    let mut gaps = resources::limit_core();
    let open = |path: &Path| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).ok()
    };
    let readable: Vec<_> = [Some(lists), settings].into_iter().flatten().filter_map(open).collect();
    let removable: Vec<_> = sockets.iter().copied().filter_map(open).collect();
    let mut step = |name: &str, done: Result<(), String>| {
        gaps.extend(done.err().map(|why| format!("by {name}: {why}")));
    };
    step("no_new_privs", no_new_privs());
    step("Landlock", files::restrict_all(&fds(&readable), &fds(&removable)));
    gaps
}

/// The same for a thread that only waits, and opens nothing at all. Landlock confines each thread
/// by itself; the rest comes with [`enter`].
pub fn enter_idle() {
    // As for gaps: the thread that works meets the same, and tells.
    let _ = no_new_privs().and_then(|()| files::restrict(None));
}

fn fds(fds: &[OwnedFd]) -> Vec<BorrowedFd<'_>> {
    fds.iter().map(AsFd::as_fd).collect()
}

/// No program that is executed gains rights; without this Landlock and seccomp are for root only.
fn no_new_privs() -> Result<(), String> {
    rustix::thread::set_no_new_privs(true).map_err(|e| e.to_string())
}
