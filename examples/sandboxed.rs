//! A program for tests (`tests/sandbox`): enters the sandbox of `mm-query`, or one layer of it, and
//! tries what it should not be able to do.
//!
//!     sandboxed LAYER LISTS OUTSIDE ATTEMPT...    a line for each attempt: its name, and ok or why not
//!     sandboxed without CALL ERRNO PROGRAM...     runs PROGRAM where system call CALL fails so
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::exit,
    reason = "a test's helper; it makes system calls that no library offers"
)]

use mm_query::list::store::ListsDir;
use mm_query::sandbox;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{SeccompAction, SeccompFilter, TargetArch};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["without", call, errno, program @ ..] => without(call, errno.parse().unwrap(), program),
        [layer, lists, outside, attempts @ ..] => {
            let scene = Scene::new(Path::new(lists), Path::new(outside));
            scene.enter(layer);
            for attempt in attempts {
                if *attempt == "landlock" {
                    // SAFETY: asks for the version; no pointer is followed.
                    let abi = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, 1) };
                    say(&format!("landlock {}", abi.max(0)));
                    continue;
                }
                let result = match scene.attempt(attempt) {
                    Ok(()) => "ok".to_owned(),
                    Err(e) => {
                        e.raw_os_error().map_or_else(|| e.to_string(), |n| format!("errno {n}"))
                    }
                };
                say(&format!("{attempt} {result}"));
            }
        }
        _ => panic!("see the top of this file"),
    }
}

fn say(line: &str) {
    // `println!` would do, but for a panic if it fails.
    io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Makes one system call fail as on a kernel or in a container that lacks it, then runs the program.
fn without(call: &str, errno: u32, program: &[&str]) {
    let number = match call {
        "landlock_create_ruleset" => libc::SYS_landlock_create_ruleset,
        "landlock_restrict_self" => libc::SYS_landlock_restrict_self,
        "seccomp" => libc::SYS_seccomp,
        "prctl" => libc::SYS_prctl,
        "prlimit64" => libc::SYS_prlimit64,
        "openat2" => libc::SYS_openat2,
        other => panic!("{other}: not known here"),
    };
    let arch: TargetArch = std::env::consts::ARCH.try_into().unwrap();
    let rules = [(number, Vec::new())].into_iter().collect();
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), arch).unwrap();
    let filter: seccompiler::BpfProgram = filter.try_into().unwrap();
    // Its own no_new_privs stays with the program; the filter is what is in question.
    seccompiler::apply_filter(&filter).unwrap();
    panic!("{}", Command::new(program[0]).args(&program[1..]).exec());
}

/// What the attempts are made on.
struct Scene {
    lists: PathBuf,
    outside: PathBuf,
    dir: ListsDir,
    /// Where somebody listens.
    port: u16,
    /// Open for writing since before the sandbox.
    opened: File,
    /// Threads that were started before it.
    begun: &'static AtomicU32,
}

/// Threads that may not have begun when the sandbox is entered. No more: the C library may reserve
/// 128 MiB of address space for each.
const THREADS: u32 = 4;

impl Scene {
    fn new(lists: &Path, outside: &Path) -> Scene {
        Scene {
            lists: lists.to_owned(),
            outside: outside.to_owned(),
            dir: ListsDir::open(lists).unwrap(),
            port: fs::read_to_string(outside.join("port")).unwrap().parse().unwrap(),
            opened: File::create(outside.join("opened")).unwrap(),
            begun: Box::leak(Box::default()),
        }
    }

    /// As `mm-query` does it (`all`), or in parts.
    fn enter(&self, layer: &str) {
        let gap = |done: Result<(), String>| done.err().into_iter().collect();
        let gaps: Vec<String> = match layer {
            "none" => Vec::new(),
            "all" => sandbox::enter(&self.dir),
            "idle" => {
                sandbox::enter_idle();
                Vec::new()
            }
            "files" => {
                rustix::thread::set_no_new_privs(true).unwrap();
                gap(sandbox::files::restrict(Some(self.dir.as_fd())))
            }
            "calls" => gap(sandbox::calls::filter()),
            "resources" => sandbox::resources::limit(),
            "threads" => {
                for _ in 0..THREADS {
                    let begun = self.begun;
                    std::thread::spawn(move || {
                        sandbox::enter_idle();
                        std::thread::sleep(Duration::from_millis(1));
                        begun.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(Duration::from_secs(60));
                    });
                }
                sandbox::enter(&self.dir)
            }
            "clock" => {
                std::thread::spawn(|| {
                    sandbox::enter_idle();
                    std::thread::sleep(Duration::from_millis(200));
                    let _ = io::stderr().write_all(b"no answer in time\n");
                    std::process::exit(75);
                });
                sandbox::enter(&self.dir)
            }
            other => panic!("{other}: no such layer"),
        };
        for gap in gaps {
            say(&format!("gap {gap}"));
        }
    }

    fn attempt(&self, name: &str) -> io::Result<()> {
        let inside = |file: &str| self.lists.join("team").join(file);
        let by_openat2 = |flags: OFlags| {
            let all = ResolveFlags::empty();
            let mode = Mode::RUSR | Mode::WUSR;
            rustix::fs::openat2(&self.dir, "team/made", flags, mode, all).map(drop)
        };
        match name {
            "read-inside" => fs::read(inside("config.pck")).map(drop),
            "read-outside" => fs::read("/etc/passwd").map(drop),
            "read-through-link" => fs::read(inside("link")).map(drop),
            "read-own-memory" => File::open("/proc/self/mem").map(drop),
            "list-directory" => fs::read_dir(&self.lists)?.try_for_each(|entry| entry.map(drop)),
            "write" => OpenOptions::new().write(true).open(inside("config.pck")).map(drop),
            "create" => File::create(inside("new")).map(drop),
            "create-outside" => File::create(self.outside.join("new")).map(drop),
            "create-by-openat2" => Ok(by_openat2(OFlags::WRONLY | OFlags::CREATE)?),
            "remove" => fs::remove_file(inside("old")),
            "rename" => fs::rename(inside("config.pck"), inside("config.pck")),
            "link" => fs::hard_link(inside("config.pck"), inside("linked")),
            "make-directory" => fs::create_dir(inside("dir")),
            "chmod" => fs::set_permissions(inside("config.pck"), fs::Permissions::from_mode(0o644)),
            "write-to-opened" => (&self.opened).write_all(b"x"),
            "cut-opened" => self.opened.set_len(0),
            "run" => Command::new("/bin/true").spawn().and_then(|mut child| child.wait()).map(drop),
            "replace" => call(libc::SYS_execve, [c"".as_ptr() as i64, 0, 0, 0, 0, 0]),
            "fork" => fork(),
            "thread" => std::thread::Builder::new().spawn(|| ()).map(|t| t.join().unwrap()),
            "tcp" => TcpStream::connect(("127.0.0.1", self.port)).map(drop),
            "unix" => UnixStream::connect(self.outside.join("socket")).map(drop),
            "abstract" => {
                let name = self.outside.as_os_str().as_encoded_bytes();
                UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?).map(drop)
            }
            // Signal 0 only asks whether it could be sent.
            "signal" => call(libc::SYS_kill, [i64::from(parent_id()), 0, 0, 0, 0, 0]),
            "trace" => {
                let seize = i64::from(libc::PTRACE_SEIZE);
                call(libc::SYS_ptrace, [seize, i64::from(parent_id()), 0, 0, 0, 0])
            }
            "executable-memory" => self.map(libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE),
            "shared-memory" => self.map(libc::PROT_READ, libc::MAP_SHARED),
            "private-memory" => self.map(libc::PROT_READ, libc::MAP_PRIVATE),
            "duplicate" => call(libc::SYS_dup3, [0, 9, 0, 0, 0, 0]),
            "close-stdin" => call(libc::SYS_close, [0; 6]),
            "limit" => {
                let limit = Rlimit { current: Some(64), maximum: Some(64) };
                Ok(setrlimit(Resource::Nofile, limit)?)
            }
            "privileges" => {
                // The one operation of prctl(2) that is allowed gives privileges up.
                call(
                    libc::SYS_prctl,
                    [i64::from(libc::PR_SET_NAME), c"x".as_ptr() as i64, 0, 0, 0, 0],
                )
            }
            "half-the-memory" => memory(512 << 20),
            "more-memory" => memory(2 << 30),
            "panic" => std::panic::catch_unwind(|| panic!("a defect"))
                .map_or(Ok(()), |never: i32| panic!("{never}")),
            "abort" => std::process::abort(),
            "abort-for-memory" => {
                let many: Vec<u8> = vec![1; 2 << 30];
                Err(io::Error::other(format!("{} bytes", many.len())))
            }
            "overflow-the-stack" => Err(io::Error::other(format!("{}", deeper(1)))),
            "wait-for-threads" => {
                while self.begun.load(Ordering::SeqCst) < THREADS {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Ok(())
            }
            "wait-for-input" => io::stdin().read_exact(&mut [0]),
            "other-calls" => other_calls(),
            other => panic!("{other}: no such attempt"),
        }
    }

    fn map(&self, protection: i32, flags: i32) -> io::Result<()> {
        let handle = File::open(self.lists.join("team/config.pck"))?;
        let fd = i64::from(std::os::fd::AsRawFd::as_raw_fd(&handle));
        call(libc::SYS_mmap, [0, 4096, i64::from(protection), i64::from(flags), fd, 0])
    }
}

fn memory(bytes: usize) -> io::Result<()> {
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(io::Error::other)
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { deeper(depth + 1) + frame[7] }
}

fn call(number: libc::c_long, a: [i64; 6]) -> io::Result<()> {
    // SAFETY: the calls made with this change nothing that Rust relies on: pointers are of C
    // strings or null, mappings are new, descriptors are nobody's.
    match unsafe { libc::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn fork() -> io::Result<()> {
    // SAFETY: the child ends at once.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => std::process::exit(0),
        _ => Ok(()),
    }
}

/// Makes every system call that the sandbox does not list; an error unless all of them are denied.
fn other_calls() -> io::Result<()> {
    let listed = sandbox::calls::numbers();
    // uretprobe and uprobe on x86-64 do not pass filters; both are for the kernel's own trampolines,
    // and a signal to anybody else.
    let unfiltered = if cfg!(target_arch = "x86_64") { 335..337 } else { 0..0 };
    let others = (0..600)
        .chain(0x4000_0000..0x4000_0258)
        .filter(|n| !listed.contains(n) && !unfiltered.contains(n));
    let denied =
        |number: i64| call(number, [0; 6]).is_err_and(|e| e.raw_os_error() == Some(libc::ENOSYS));
    let made: Vec<_> = others.filter(|&number| !denied(number)).collect();
    if made.is_empty() { Ok(()) } else { Err(io::Error::other(format!("made: {made:?}"))) }
}
