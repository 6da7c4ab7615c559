//! Which file it is, and whether it is still the same.

use rustix::fs::Stat;

/// A file as it was when it was opened. Mailman writes each anew and renames it, so that another
/// content is another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    /// In bytes.
    pub(crate) size: u64,
    /// When its content changed: seconds and nanoseconds.
    modified: (i64, i64),
}

impl Identity {
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "types differ by machine"
    )]
    pub(crate) fn of(about: &Stat) -> Identity {
        Identity {
            device: about.st_dev as u64,
            inode: about.st_ino as u64,
            size: u64::try_from(about.st_size).unwrap_or(u64::MAX),
            modified: (about.st_mtime as i64, about.st_mtime_nsec as i64),
        }
    }
}

/// What was found of a list's files, in the order in which they were looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Each file's name, and what it was, if it was there.
    pub(crate) files: Vec<(&'static str, Option<Identity>)>,
    /// Whether there was an `extend.py`.
    pub(crate) extended: bool,
}
