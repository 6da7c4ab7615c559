//! Small files of the administrator's: read whole, replaced whole.

use rustix::fs::{Mode, OFlags};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// What a regular file holds, and how it stands in its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regular {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The permission bits, set-id bits included.
    pub mode: u32,
    /// The owner's id.
    pub uid: u32,
    /// The group's id.
    pub gid: u32,
}

impl Regular {
    /// A file that everybody may read and only root may write.
    pub fn of_root(text: &str) -> Regular {
        Regular { bytes: text.as_bytes().to_vec(), mode: 0o644, uid: 0, gid: 0 }
    }

    /// The bytes as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Reads a file of at most `limit` bytes; `None` if there is none of that name.
///
/// # Errors
/// It cannot be read, is larger, or is no regular file; a symbolic link is none.
pub fn read(path: &Path, limit: u64) -> Result<Option<Regular>> {
    // NONBLOCK, or opening a FIFO would wait for its writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(Error::other("is a symbolic link")),
        Err(error) => return Err(error.into()),
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(Error::other("is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(Error::other("is too large"));
    }
    Ok(Some(Regular { bytes, mode: about.mode() & 0o7777, uid: about.uid(), gid: about.gid() }))
}

/// Puts a file in place of whatever has its name, in one step: others see the old one or the new
/// one, whole. One writer at a time.
///
/// # Errors
/// Any of the steps failed; then the old file is still there.
pub fn replace(path: &Path, new: &Regular) -> Result<()> {
    let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
    let temporary = temporary(path)?;
    // Left behind by a run that was killed.
    remove(&temporary)?;
    let written = write_new(&temporary, new).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    File::open(directory)?.sync_all()
}

/// Where [`replace`] writes before the file has its name. Debian's run-parts and Exim's users take
/// no file whose name begins with a dot.
fn temporary(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".mm-query");
    Ok(path.with_file_name(hidden))
}

fn write_new(path: &Path, new: &Regular) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&new.bytes)?;
    fchown(&file, Some(new.uid), Some(new.gid))?;
    // After the owner: changing that takes set-id bits away. The umask has no say here.
    file.set_permissions(Permissions::from_mode(new.mode))?;
    file.sync_all()
}

/// Removes a file; that there is none is fine.
///
/// # Errors
/// It is there and cannot be removed.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Of whoever runs the tests.
    fn ours(text: &str, mode: u32) -> Regular {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        Regular { mode, uid, gid, ..Regular::of_root(text) }
    }

    #[test]
    fn a_file_comes_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        assert_eq!(read(&path, 10).unwrap(), None);
        for (text, mode) in [("one", 0o644), ("", 0o600), ("three", 0o640)] {
            let new = ours(text, mode);
            replace(&path, &new).unwrap();
            assert_eq!(read(&path, 10).unwrap(), Some(new));
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(read(&path, 10).unwrap(), None);
    }

    #[test]
    fn what_a_killed_run_left_behind_is_no_hindrance() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let elsewhere = dir.path().join("elsewhere");
        std::fs::write(&elsewhere, "kept").unwrap();
        symlink(&elsewhere, temporary(&path).unwrap()).unwrap();
        replace(&path, &ours("new", 0o644)).unwrap();
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), "kept");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn only_small_regular_files_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        replace(&path, &ours("12345", 0o644)).unwrap();
        assert!(read(&path, 5).unwrap().is_some());
        assert_eq!(read(&path, 4).unwrap_err().to_string(), "is too large");
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(read(&link, 5).unwrap_err().to_string(), "is a symbolic link");
        assert_eq!(read(dir.path(), 5).unwrap_err().to_string(), "is no regular file");
    }

    #[test]
    fn a_failure_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::create_dir_all(path.join("full")).unwrap();
        assert!(replace(&path, &ours("new", 0o644)).is_err());
        assert!(path.join("full").is_dir());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
