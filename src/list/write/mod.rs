//! What writes in Mailman's directories: one change, to a list's `ban_list`, under Mailman's own
//! lock.
//!
//! No query comes here. A change keeps to the order of `MailList.Lock` and `MailList.Save`, so that
//! Mailman and any number of ours take their turns, and every reader at any moment finds the list as
//! it was or as it is now.

pub mod bans;
pub mod lock;
pub mod lock_dir;
pub mod save;
pub mod survey;

use crate::exit::Status;
use crate::list::store;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a list, or a lock, was left as it is.
#[derive(Debug)]
pub enum Error {
    /// The list cannot be read.
    Store(store::Error),
    /// Somebody else kept the list's lock for as long as we were to wait.
    Locked(String),
    /// Something that was there is another one now, again and again.
    Unsteady(String),
    /// A system call failed.
    Failed {
        /// What was tried, as in "cannot ... the file".
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The list's data does not allow the change.
    Refused(String),
}

impl Error {
    /// The exit status for it.
    pub fn status(&self) -> Status {
        match self {
            Error::Store(error) => error.status(),
            Error::Locked(_) | Error::Unsteady(_) => Status::TryAgain,
            Error::Refused(_) => Status::Data,
            Error::Failed { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => Status::NotAllowed,
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Status::NoInput,
                _ => Status::Output,
            },
        }
    }

    /// For a system call's error.
    fn failed<E: Into<io::Error>>(
        what: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Error + use<E> {
        let path = path.to_owned();
        move |error| Error::Failed { what, path, source: error.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Store(error) => error.fmt(f),
            Error::Locked(why) | Error::Unsteady(why) | Error::Refused(why) => f.write_str(why),
            Error::Failed { what, path, source } => {
                write!(f, "cannot {what} {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        Error::Store(error)
    }
}
