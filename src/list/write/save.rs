//! A list's file, read and replaced as `MailList.Save` does it (RULES 1.5, 9.4).

use super::Error;
use super::lock::Lock;
use super::lock_dir::touch;
use crate::limits;
use crate::list::name::ListName;
use crate::list::store::{self, ListsDir};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

const FILE: &str = "config.pck";
const LAST: &str = "config.pck.last";

/// A mode that lets all of Mailman's users, who share a group, read and write.
const GROUP_READS_AND_WRITES: u32 = 0o060;

/// The directory of one list, held open.
#[derive(Debug)]
pub struct ListDir {
    handle: OwnedFd,
    path: PathBuf,
}

/// A list's file as it was when it was read.
#[derive(Debug)]
pub struct Current {
    /// All of it.
    pub bytes: Vec<u8>,
    about: Stat,
}

/// What became of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// The new file is in place and on disk.
    Done,
    /// The lock was lost, or another has saved: the file is as that one left it.
    LostBefore,
    /// The new file was put in place; then the lock was found lost. Another, having read the old
    /// file before, may yet save over it.
    LostAfter,
}

impl ListDir {
    /// Opens the directory of a list. A link to another list is none: its lock would be another.
    ///
    /// # Errors
    /// [`Error`]
    pub fn open(lists: &ListsDir, name: &ListName) -> Result<ListDir, Error> {
        let path = lists.path().join(name.as_str());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match rustix::fs::openat(lists.handle(), name.as_str(), flags, Mode::empty()) {
            Ok(handle) => Ok(ListDir { handle, path }),
            Err(Errno::NOENT) => Err(store::Error::no_such_list(name).into()),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                Err(Error::Refused(format!("{} is a link, or no directory", path.display())))
            }
            Err(e) => Err(Error::failed("open", &path)(e)),
        }
    }

    fn path_of(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }

    /// Reads the list's file. Only Mailman itself falls back to another (and then mends the list).
    ///
    /// # Errors
    /// [`Error`]
    pub fn read(&self) -> Result<Current, Error> {
        let path = self.path_of(FILE);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = match rustix::fs::openat(&self.handle, FILE, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => {
                return Err(Error::Refused(format!("there is no {}", path.display())));
            }
            Err(Errno::LOOP) => {
                return Err(Error::Refused(format!("{} is a link", path.display())));
            }
            Err(e) => return Err(Error::failed("open", &path)(e)),
        };
        let about = rustix::fs::fstat(&file).map_err(Error::failed("look at", &path))?;
        if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
            return Err(Error::Refused(format!("{} is no regular file", path.display())));
        }
        let size = u64::try_from(about.st_size).unwrap_or(0).min(limits::PICKLE_BYTES);
        let mut bytes = Vec::with_capacity(usize::try_from(size + 1).unwrap_or(0));
        file.take(limits::PICKLE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(Error::failed("read", &path))?;
        if bytes.len() as u64 > limits::PICKLE_BYTES {
            return Err(Error::Refused(format!("{} is too large", path.display())));
        }
        Ok(Current { bytes, about })
    }

    /// Puts `new` in the place of what was read, with its owner, group and mode; the old file
    /// becomes `config.pck.last`. The caller holds the list's lock.
    ///
    /// # Errors
    /// [`Error::Failed`]: the file is the old one; after the rename, the new one, of which it is not
    /// known whether it is on disk and will stay.
    pub fn replace(
        &self,
        old: &Current,
        new: &[u8],
        host: &str,
        lock: &Lock<'_>,
    ) -> Result<Saved, Error> {
        let mut tmp = Temporary::make(self, host)?;
        tmp.fill(new, &old.about)?;
        if !(lock.refresh()? && self.is_still(old)?) {
            return Ok(Saved::LostBefore);
        }
        self.keep_old()?;
        tmp.touch()?;
        if !(lock.is_held()? && self.is_still(old)?) {
            return Ok(Saved::LostBefore);
        }
        tmp.rename()?;
        // A Mailman that read the old file in the meantime compares this time with that of its
        // reading, in whole seconds, to see that the file is another one.
        tmp.touch()?;
        rustix::fs::fsync(&self.handle).map_err(Error::failed("write to disk", &self.path))?;
        let ours = lock.refresh()? && self.look()?.is_some_and(|now| now.st_ino == tmp.inode);
        Ok(if ours { Saved::Done } else { Saved::LostAfter })
    }

    fn look(&self) -> Result<Option<Stat>, Error> {
        match rustix::fs::statat(&self.handle, FILE, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(about) => Ok(Some(about)),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(Error::failed("look at", &self.path_of(FILE))(e)),
        }
    }

    /// Whether the list's file is the one that was read. (A new name changes its `ctime`.)
    fn is_still(&self, old: &Current) -> Result<bool, Error> {
        let key = |s: &Stat| (s.st_dev, s.st_ino, s.st_size, s.st_mtime, s.st_mtime_nsec);
        Ok(self.look()?.is_some_and(|now| key(&now) == key(&old.about)))
    }

    /// Makes the list's file `config.pck.last`, too.
    fn keep_old(&self) -> Result<(), Error> {
        match rustix::fs::unlinkat(&self.handle, LAST, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(e) => return Err(Error::failed("remove", &self.path_of(LAST))(e)),
        }
        rustix::fs::linkat(&self.handle, FILE, &self.handle, LAST, AtFlags::empty())
            .map_err(Error::failed("make", &self.path_of(LAST)))
    }
}

/// The new file, before it has the list's name. It goes if it never gets it.
struct Temporary<'a> {
    dir: &'a ListDir,
    name: String,
    file: File,
    inode: u64,
    renamed: bool,
}

impl<'a> Temporary<'a> {
    fn make(dir: &'a ListDir, host: &str) -> Result<Temporary<'a>, Error> {
        let name = format!("{FILE}.tmp.{host}.{}", std::process::id());
        let failed = || Error::failed("make", &dir.path_of(&name));
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let make = || rustix::fs::openat(&dir.handle, &name, flags, Mode::RUSR | Mode::WUSR);
        let made = match make() {
            // Of a process that had our number and died: whoever saves holds the lock, as we do.
            Err(Errno::EXIST) => {
                rustix::fs::unlinkat(&dir.handle, &name, AtFlags::empty())
                    .map_err(Error::failed("remove", &dir.path_of(&name)))?;
                make()
            }
            made => made,
        };
        let file = File::from(made.map_err(failed())?);
        let mut tmp = Temporary { dir, name, file, inode: 0, renamed: false };
        tmp.inode = rustix::fs::fstat(&tmp.file).map_err(tmp.failed("look at"))?.st_ino;
        Ok(tmp)
    }

    fn failed<E: Into<std::io::Error>>(
        &self,
        what: &'static str,
    ) -> impl FnOnce(E) -> Error + use<E> {
        Error::failed(what, &self.dir.path_of(&self.name))
    }

    /// Writes it, gives it the owner, group and mode of the old file, and has it on disk.
    fn fill(&mut self, bytes: &[u8], old: &Stat) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(self.failed("write"))?;
        let own = rustix::fs::fstat(&self.file).map_err(self.failed("look at"))?;
        if own.st_gid != old.st_gid {
            rustix::fs::fchown(&self.file, None, Some(Gid::from_raw(old.st_gid)))
                .map_err(self.failed("keep the list's group for"))?;
        }
        if own.st_uid != old.st_uid {
            match rustix::fs::fchown(&self.file, Some(Uid::from_raw(old.st_uid)), None) {
                // As when one of Mailman's users saves after another: they share the group.
                Err(Errno::PERM)
                    if old.st_mode & GROUP_READS_AND_WRITES == GROUP_READS_AND_WRITES => {}
                changed => changed.map_err(self.failed("keep the list's owner for"))?,
            }
        }
        rustix::fs::fchmod(&self.file, Mode::from_raw_mode(old.st_mode & 0o7777))
            .map_err(self.failed("keep the list's mode for"))?;
        rustix::fs::fsync(&self.file).map_err(self.failed("write to disk"))
    }

    /// Gives it this moment as its time.
    fn touch(&self) -> Result<(), Error> {
        touch(&self.file, Duration::ZERO).map_err(self.failed("touch"))
    }

    fn rename(&mut self) -> Result<(), Error> {
        rustix::fs::renameat(&self.dir.handle, &self.name, &self.dir.handle, FILE)
            .map_err(self.failed("rename"))?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            // Who gets here has an error to report already.
            let _ = rustix::fs::unlinkat(&self.dir.handle, &self.name, AtFlags::empty());
        }
    }
}
