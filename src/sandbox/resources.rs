//! Resource limits: a second line behind the program's own (`limits`).

use crate::limits;
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, prlimit, setrlimit};
use std::os::fd::AsFd;

/// Limits memory, processor time, core files, new processes and, unless the answer goes to a file,
/// the size of files. Limits that the caller set lower stay. Returns what could not be limited.
pub fn limit() -> Vec<String> {
    let no_files = !writes_to_a_file();
    [
        (Resource::As, limits::ADDRESS_SPACE_BYTES, "memory", true),
        (Resource::Cpu, limits::CPU_SECONDS, "processor time", true),
        // It would hold addresses of members.
        (Resource::Core, 0, "core files", true),
        (Resource::Nproc, 0, "processes", true),
        // A write beyond it would be death by SIGXFSZ.
        (Resource::Fsize, 0, "the size of files", no_files),
    ]
    .into_iter()
    .filter(|(.., wanted)| *wanted)
    .filter_map(|(resource, most, what, _)| {
        let error = lower(resource, most).err()?;
        Some(format!("by a limit on {what}: {error}"))
    })
    .collect()
}

/// Limits core files alone, for what runs on.
pub fn limit_core() -> Vec<String> {
    let error = lower(Resource::Core, 0).err();
    error.map(|e| format!("by a limit on core files: {e}")).into_iter().collect()
}

fn lower(resource: Resource, most: u64) -> rustix::io::Result<()> {
    let ours = Rlimit { current: Some(most), maximum: Some(most) };
    // Not asked for first: rustix takes for granted that getrlimit works.
    let before = match prlimit(None, resource, ours) {
        Ok(before) => before,
        // The caller's is lower already. Where the kernel forbids the call itself, the limits that
        // are to be 0 tell.
        Err(Errno::PERM) if most > 0 => return Ok(()),
        Err(error) => return Err(error),
    };
    let lower = |limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
    let lowest = Rlimit { current: lower(before.current), maximum: lower(before.maximum) };
    if lowest == ours { Ok(()) } else { setrlimit(resource, lowest) }
}

/// Whether standard output or error is a regular file, or might be.
fn writes_to_a_file() -> bool {
    fn is_file(stream: impl AsFd) -> bool {
        fstat(stream).map_or(true, |s| FileType::from_raw_mode(s.st_mode) == FileType::RegularFile)
    }
    is_file(std::io::stdout()) || is_file(std::io::stderr())
}
