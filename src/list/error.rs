//! What can be wrong with a list's files.

use super::name::ListName;
use crate::exit::Status;
use rustix::io::Errno;
use std::fmt;
use std::path::PathBuf;

/// Why a list could not be read. Never a reason to refuse a message.
#[derive(Debug)]
pub enum Error {
    /// The lists directory cannot be opened.
    NoDirectory(PathBuf, std::io::Error),
    /// None of the files that make a list is there.
    NoSuchList(String),
    /// A file is there and cannot be opened or read.
    Unreadable(PathBuf, std::io::Error),
    /// A file is no regular file, too large, or a link that leads out of the directory.
    Untrusted(PathBuf, &'static str),
    /// The file goes beyond what we read, though Mailman may read it.
    Unsupported(PathBuf, String),
    /// Mailman cannot read any of the list's files either.
    Corrupt(PathBuf, String),
    /// The list would have to be read first, for which whoever asks has no time.
    NotAtHand,
}

impl Error {
    /// There is no list of this name.
    pub fn no_such_list(name: &ListName) -> Error {
        Error::NoSuchList(format!("no such list: {name}"))
    }

    /// The exit status for it.
    pub fn status(&self) -> Status {
        match self {
            Error::NoDirectory(_, e) | Error::Unreadable(_, e) if is_passing(e) => Status::TryAgain,
            Error::NotAtHand => Status::TryAgain,
            Error::NoDirectory(..) | Error::Unreadable(..) => Status::NoInput,
            Error::NoSuchList(_) => Status::NoList,
            Error::Untrusted(..) | Error::Unsupported(..) | Error::Corrupt(..) => Status::Data,
        }
    }
}

/// Troubles of the machine rather than of the file.
fn is_passing(error: &std::io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|e| {
        [
            Errno::AGAIN,
            Errno::IO,
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::STALE,
            Errno::INTR,
        ]
        .contains(&e)
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoDirectory(path, e) => {
                write!(f, "cannot open the lists directory {}: {e}", path.display())
            }
            Error::NoSuchList(why) => f.write_str(why),
            Error::NotAtHand => f.write_str("the list is not at hand"),
            Error::Unreadable(path, e) => write!(f, "cannot read {}: {e}", path.display()),
            Error::Untrusted(path, why) => write!(f, "{} {why}", path.display()),
            Error::Unsupported(path, why) | Error::Corrupt(path, why) => {
                write!(f, "{}: {why}", path.display())
            }
        }
    }
}

impl std::error::Error for Error {}
