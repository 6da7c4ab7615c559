//! seccomp: which system calls may be made.
//!
//! Any other fails with ENOSYS, and none ends the program: a signal would fail Exim's expansion
//! (EXIM.md 9), and a call that is not made does no harm. Paths are in memory, where a filter cannot
//! look; that is for Landlock ([`super::files`]).

mod bpf;
#[cfg(test)]
mod tests;

use bpf::{Argument, Call, Demand, assemble, length};
use libc::c_long;
use rustix::fs::OFlags;
use seccompiler::sock_filter;

/// As in linux/audit.h: the machine in an ELF file, of 64 bits, little endian.
const ARCHITECTURE: u32 = 0xC000_0000 | MACHINE as u32;
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = libc::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = libc::EM_AARCH64;
#[cfg(target_arch = "riscv64")]
const MACHINE: u16 = libc::EM_RISCV;

/// Opening to read, in any way that does not write, create or cut.
const READING: OFlags = OFlags::CLOEXEC
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::DIRECTORY)
    .union(OFlags::LARGEFILE);

/// Memory that cannot be executed.
const DATA: Demand = Demand::Without(libc::PROT_EXEC.cast_unsigned());

/// Memory that is no file's.
const OWN: Demand = Demand::Without(libc::MAP_SHARED.cast_unsigned());

const fn any(number: c_long) -> Call {
    Call { number, demands: &[] }
}

const fn only(number: c_long, demands: &'static [(Argument, Demand)]) -> Call {
    Call { number, demands }
}

const CALLS: &[Call] = &[
    // A list's files, beneath the directory that is open, and what is open already.
    any(libc::SYS_openat2),
    only(libc::SYS_openat, &[(2, Demand::Without(!READING.bits()))]),
    // musl's `open`, on the machine that still has that call.
    #[cfg(target_arch = "x86_64")]
    only(libc::SYS_open, &[(1, Demand::Without(!READING.bits()))]),
    any(libc::SYS_statx),
    any(libc::SYS_newfstatat),
    any(libc::SYS_fstat),
    any(libc::SYS_pread64),
    any(libc::SYS_read),
    any(libc::SYS_lseek),
    // The standard streams stay what they are, so that nothing else can be written.
    only(libc::SYS_close, &[(0, Demand::Above(2))]),
    only(libc::SYS_write, &[(0, Demand::Above(0)), (0, Demand::AtMost(2))]),
    // Memory of this process alone, for data.
    any(libc::SYS_brk),
    only(libc::SYS_mmap, &[(2, DATA), (3, OWN)]),
    only(libc::SYS_mprotect, &[(2, DATA)]),
    any(libc::SYS_mremap),
    any(libc::SYS_munmap),
    any(libc::SYS_madvise),
    // Seeds of hash tables.
    any(libc::SYS_getrandom),
    // Threads there are; the one that waits may still be starting.
    any(libc::SYS_futex),
    any(libc::SYS_gettid),
    any(libc::SYS_rseq),
    any(libc::SYS_sched_getaffinity),
    any(libc::SYS_sched_yield),
    any(libc::SYS_set_robust_list),
    any(libc::SYS_sigaltstack),
    only(libc::SYS_prctl, &[(0, Demand::Is(libc::PR_SET_NO_NEW_PRIVS.cast_unsigned()))]),
    any(libc::SYS_landlock_create_ruleset),
    any(libc::SYS_landlock_restrict_self),
    // Waiting, which a stopped program goes on with.
    any(libc::SYS_clock_gettime),
    any(libc::SYS_clock_nanosleep),
    any(libc::SYS_nanosleep),
    any(libc::SYS_restart_syscall),
    // The end; of a program out of stack or memory, too.
    any(libc::SYS_rt_sigaction),
    any(libc::SYS_rt_sigprocmask),
    any(libc::SYS_rt_sigreturn),
    any(libc::SYS_getpid),
    any(libc::SYS_exit),
    any(libc::SYS_exit_group),
];

const FILTER: [sock_filter; length(CALLS)] = assemble(ARCHITECTURE, CALLS);

/// What the daemon does in addition once it runs: it takes connections and answers them. It opens no
/// socket, starts no thread and no program.
const SERVER_CALLS: &[Call] = &[
    any(libc::SYS_accept4),
    any(libc::SYS_epoll_ctl),
    any(libc::SYS_epoll_pwait),
    any(libc::SYS_ppoll),
    any(libc::SYS_sendto),
    any(libc::SYS_recvfrom),
    any(libc::SYS_shutdown),
    any(libc::SYS_getsockopt),
    // Descriptors above the standard streams are its own connections; it has opened no file for
    // writing.
    any(libc::SYS_write),
    // Its socket's file; Landlock knows which directory that may be in.
    any(libc::SYS_unlinkat),
];

const SERVER: [Call; CALLS.len() + SERVER_CALLS.len() - 1] = server();

const SERVER_FILTER: [sock_filter; length(&SERVER)] = assemble(ARCHITECTURE, &SERVER);

/// Both lists, the query's own rule for `write` aside.
const fn server() -> [Call; CALLS.len() + SERVER_CALLS.len() - 1] {
    let mut all = [const { any(libc::SYS_write) }; CALLS.len() + SERVER_CALLS.len() - 1];
    let (mut to, mut from) = (0, 0);
    while let Some((head, rest)) = all.split_at_mut_checked(to)
        && let [slot, ..] = rest
    {
        let _ = head;
        let call = match CALLS.split_at_checked(from) {
            Some((_, [call, ..])) => call,
            _ => match SERVER_CALLS.split_at_checked(from - CALLS.len()) {
                Some((_, [call, ..])) => call,
                _ => break,
            },
        };
        from += 1;
        if call.number == libc::SYS_write && from <= CALLS.len() {
            continue;
        }
        *slot = Call { number: call.number, demands: call.demands };
        to += 1;
    }
    all
}

/// From now on all threads can make the daemon's calls only.
///
/// # Errors
/// Why it could not be done.
pub fn filter_server() -> Result<(), String> {
    seccompiler::apply_filter_all_threads(&SERVER_FILTER).map_err(|e| e.to_string())
}

/// From now on all threads can make these calls only.
///
/// # Errors
/// Why it could not be done.
pub fn filter() -> Result<(), String> {
    seccompiler::apply_filter_all_threads(&FILTER).map_err(|e| e.to_string())
}

/// The calls that may be made, whatever else is demanded of some.
pub fn numbers() -> Vec<c_long> {
    CALLS.iter().map(|call| call.number).collect()
}
