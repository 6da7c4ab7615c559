//! Mailman's directory of locks (`LOCK_DIR`), and the files in it (`Mailman.LockFile`; RULES §9).
//!
//! A lock is a file with a second name: that of a claim, `<lock>.<host>.<pid>.<counter>`, which is
//! also what is in it, with its whole path. Its modification time is when its lifetime ends.

use super::Error;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long beyond its lifetime a lock is left alone (`LockFile.CLOCK_SLOP`).
pub const CLOCK_SLOP: Duration = Duration::from_secs(10);

/// Bytes that the path in a lock may have.
const CONTENT_BYTES: u64 = 8 << 10;

/// The directory, held open.
#[derive(Debug)]
pub struct LockDir {
    pub(super) handle: OwnedFd,
    path: PathBuf,
    host: String,
}

/// A file of the directory, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which file it is, whatever its name.
    pub identity: (u64, u64),
    /// Whether it has two names, as a held lock does.
    pub paired: bool,
    /// When its lifetime ends.
    pub expires: SystemTime,
    /// When it was last taken or refreshed.
    pub changed: SystemTime,
    regular: bool,
}

impl Seen {
    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.regular
    }

    /// Whether Mailman would break the lock now.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.checked_add(CLOCK_SLOP).is_some_and(|end| now > end)
    }
}

/// What a file is named after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The host's own name, as `gethostname` gives it.
    pub host: String,
    /// The process on that host.
    pub pid: u32,
}

impl LockDir {
    /// Opens the directory.
    ///
    /// # Errors
    /// [`Error::Failed`]
    pub fn open(path: &Path) -> Result<LockDir, Error> {
        // Waiters remove a claim by the path that is in it, wherever they are.
        let path = std::path::absolute(path).map_err(Error::failed("find", path))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(&path, flags, Mode::empty())
            .map_err(Error::failed("open the directory of locks", &path))?;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(LockDir { handle, path, host })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// This machine's name, as it stands in claims.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn path_of(&self, file: &OsStr) -> PathBuf {
        self.path.join(file)
    }

    /// A file as it is now; nothing if there is none. Links are not followed.
    pub(super) fn look(&self, file: &OsStr) -> Result<Option<Seen>, Error> {
        match rustix::fs::statat(&self.handle, file, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(about) => Ok(Some(seen(&about))),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(Error::failed("look at", &self.path_of(file))(e)),
        }
    }

    /// As [`LockDir::look`]; anything but a regular file is an error: a lock would never end.
    pub(super) fn look_at_lock(&self, lock: &OsStr) -> Result<Option<Seen>, Error> {
        match self.look(lock)? {
            Some(seen) if !seen.regular => {
                Err(Error::Refused(format!("{} is no file", self.path_of(lock).display())))
            }
            other => Ok(other),
        }
    }

    /// What is in a lock: the path of its claim. Nothing if it is gone.
    pub(super) fn content(&self, lock: &OsStr) -> Result<Option<Vec<u8>>, Error> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = match rustix::fs::openat(&self.handle, lock, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(e) => return Err(Error::failed("open", &self.path_of(lock))(e)),
        };
        let mut content = Vec::with_capacity(256);
        file.take(CONTENT_BYTES)
            .read_to_end(&mut content)
            .map_err(Error::failed("read", &self.path_of(lock)))?;
        Ok(Some(content))
    }

    /// The claim that a lock names, as a file of this directory; nothing if it cannot be told.
    pub(super) fn claim_in(&self, lock: &OsStr) -> Option<OsString> {
        let content = self.content(lock).ok()??;
        let name = content.rsplit(|c| *c == b'/').next()?;
        let rest = name.strip_prefix(lock.as_bytes())?;
        let proper = rest.first() == Some(&b'.') && !rest.contains(&0);
        proper.then(|| OsString::from_vec(name.to_vec()))
    }

    /// Who holds a lock, as far as it says.
    pub(super) fn holder_of(&self, lock: &OsStr) -> Option<Holder> {
        let claim = self.claim_in(lock)?;
        self.holder_in(lock, &claim)
    }

    /// Whose claim on a lock this is, by its name.
    pub(super) fn holder_in(&self, lock: &OsStr, claim: &OsStr) -> Option<Holder> {
        let rest = claim.as_bytes().strip_prefix(lock.as_bytes())?.strip_prefix(b".")?;
        let rest = std::str::from_utf8(rest).ok()?;
        // The lock of the master qrunner was handed from one process to the next, and so has no
        // counter (`LockFile._transfer_to`).
        let counted = lock != MASTER;
        holder(rest, &self.host, counted)
    }

    /// Removes a lock that was judged to be nobody's, and the claim named in it, as
    /// `LockFile.__break` does. Says whether it was still the same lock.
    pub(super) fn remove_lock(
        &self,
        lock: &OsStr,
        judged: &Seen,
        lifetime: Duration,
    ) -> Result<bool, Error> {
        // From here on it looks alive to every other waiter.
        match touch_name(&self.handle, lock, lifetime) {
            Ok(()) | Err(Errno::PERM | Errno::ACCESS) => {}
            Err(Errno::NOENT) => return Ok(false),
            Err(e) => return Err(Error::failed("touch", &self.path_of(lock))(e)),
        }
        let claim = self.claim_in(lock);
        let now = self.look(lock)?;
        if now.is_none_or(|now| now.identity != judged.identity) {
            return Ok(false);
        }
        self.unlink(lock)?;
        if let Some(claim) = claim
            && self.look(&claim)?.is_some_and(|seen| seen.identity == judged.identity)
        {
            self.unlink(&claim)?;
        }
        Ok(true)
    }

    /// Removes a file; one that is gone already is fine.
    pub(super) fn unlink(&self, file: &OsStr) -> Result<(), Error> {
        match rustix::fs::unlinkat(&self.handle, file, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(Error::failed("remove", &self.path_of(file))(e)),
        }
    }
}

/// The lock of Mailman's master process (`MASTER_LOCK_FILE`).
pub const MASTER: &str = "master-qrunner";

fn seen(about: &rustix::fs::Stat) -> Seen {
    let time = |seconds: i64, nanoseconds: u64| {
        let part = Duration::from_nanos(nanoseconds);
        match u64::try_from(seconds) {
            Ok(seconds) => UNIX_EPOCH.checked_add(Duration::from_secs(seconds) + part),
            Err(_) => None,
        }
        .unwrap_or(UNIX_EPOCH)
    };
    Seen {
        identity: (about.st_dev, about.st_ino),
        paired: about.st_nlink == 2,
        expires: time(about.st_mtime, about.st_mtime_nsec),
        changed: time(about.st_ctime, about.st_ctime_nsec),
        regular: FileType::from_raw_mode(about.st_mode) == FileType::RegularFile,
    }
}

/// What an open file is now.
pub(super) fn look_at_open(file: &File) -> Result<Seen, Errno> {
    rustix::fs::fstat(file).map(|about| seen(&about))
}

/// Both of a file's times, this long from now.
fn times(lifetime: Duration) -> Timestamps {
    let end = SystemTime::now().checked_add(lifetime).unwrap_or(UNIX_EPOCH);
    let since = end.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let time = Timespec { tv_sec: seconds, tv_nsec: i64::from(since.subsec_nanos()) };
    Timestamps { last_access: time, last_modification: time }
}

/// Gives an open file a lifetime from now.
///
/// The time is the exact one, not the kernel's own, which may lie some milliseconds back.
pub(super) fn touch(file: impl AsFd, lifetime: Duration) -> Result<(), Errno> {
    rustix::fs::futimens(file, &times(lifetime))
}

fn touch_name(dir: &OwnedFd, file: &OsStr, lifetime: Duration) -> Result<(), Errno> {
    rustix::fs::utimensat(dir, file, &times(lifetime), AtFlags::SYMLINK_NOFOLLOW)
}

/// Host and process in `<host>.<pid>.<counter>`, or in `<host>.<pid>` if not `counted`. A host's
/// name may hold dots, and numbers between them; ours is known.
fn holder(text: &str, here: &str, counted: bool) -> Option<Holder> {
    let number =
        |text: &str| text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?;
    let made = |host: &str, pid: &str| {
        Some(Holder { host: host.to_owned(), pid: number(pid)? }).filter(|h| !h.host.is_empty())
    };
    if let Some(rest) = text.strip_prefix(here).and_then(|rest| rest.strip_prefix('.')) {
        let (pid, counter) = rest.split_once('.').unwrap_or((rest, "0"));
        if let Some(holder) = made(here, pid).filter(|_| number(counter).is_some()) {
            return Some(holder);
        }
    }
    let (host, last) = text.rsplit_once('.')?;
    let before_counter = if counted { number(last).and(host.rsplit_once('.')) } else { None };
    if let Some(holder) = before_counter.and_then(|(host, pid)| made(host, pid)) {
        return Some(holder);
    }
    made(host, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_from_the_right() {
        let of = |text, counted| holder(text, "here.example", counted).map(|h| (h.host, h.pid));
        let some = |host: &str, pid| Some((host.to_owned(), pid));
        assert_eq!(of("mail.12.0", true), some("mail", 12));
        assert_eq!(of("mail.example.org.12.345", true), some("mail.example.org", 12));
        assert_eq!(of("mail.example.org.12", true), some("mail.example.org", 12));
        assert_eq!(of("mail.example.org.12", false), some("mail.example.org", 12));
        assert_eq!(of("10.0.0.5.12", false), some("10.0.0.5", 12));
        assert_eq!(of("10.0.0.5.12.3", true), some("10.0.0.5", 12));
        assert_eq!(of("here.example.12", false), some("here.example", 12));
        assert_eq!(of("here.example.12.0", false), some("here.example", 12));
        for bad in
            ["", "mail", "mail.", ".12", "mail.x", "mail.12.x", "mail.-1", "mail.99999999999"]
        {
            assert_eq!(of(bad, true), None, "{bad}");
        }
    }
}
