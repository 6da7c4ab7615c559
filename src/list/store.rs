//! The lists' files, opened and read: the only place that touches them.
//!
//! Order and fallbacks are those of `MailList.Load` (RULES 1.4). A name cannot lead out of the
//! lists directory: the kernel resolves it beneath an open handle, and what was opened is checked
//! before a byte of it is read.

use crate::limits;
pub use crate::list::error::Error;
use crate::list::identity::{Identity, Seen};
use crate::list::name::ListName;
use crate::list::settings::{Scope, Settings};
use crate::list::value::{PyValue, Reader, decode};
use crate::mailman::roster::{Entries, Roster};
use crate::pickle::{self, Dict, Picked, Request};
use crate::python::Python;
use crate::python::re::Patterns;
use crate::python::text::PyStr;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that can change anything about a list.
pub(super) const EXTENSION: &str = "extend.py";

/// The dictionaries in which addresses are looked up. Of `language` it only matters that it is one:
/// Mailman asks for the sender's language before any rule.
pub(super) const DICTS: [&str; 4] = ["members", "digest_members", "user_options", "language"];

/// What Mailman puts in the place of an absent attribute of an old list.
pub type SiteDefault<'a> = &'a dyn Fn(&str) -> Option<PyValue>;

/// What is asked of a list.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Which settings.
    pub scope: Scope,
    /// Addresses to look up. They may be given as bytes and as text: the Python that wrote the list
    /// tells which of the two can be a key.
    pub addresses: &'a [PyStr],
    /// The Python that reads the list, if that is another than wrote it.
    pub dialect: Option<Python>,
}

impl<'a> Wanted<'a> {
    /// What Moderate asks, with the Python that wrote the list.
    pub fn of_senders(addresses: &'a [PyStr]) -> Wanted<'a> {
        Wanted { scope: Scope::Senders, addresses, dialect: None }
    }
}

/// Where lists are read from.
pub trait Lists {
    /// Reads a list, and looks addresses up in it.
    ///
    /// # Errors
    /// [`Error`]
    fn load(
        &self,
        name: &ListName,
        wanted: Wanted<'_>,
        site_default: SiteDefault<'_>,
    ) -> Result<Loaded, Error>;
}

/// The directory of all lists, held open.
#[derive(Debug)]
pub struct ListsDir {
    handle: OwnedFd,
    path: PathBuf,
}

impl AsFd for ListsDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// One list, read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Its directory's name.
    pub name: ListName,
    /// The settings that decide over posts.
    pub settings: Arc<Settings>,
    /// Memberships of the addresses asked for, in the form that the list's Python gives them.
    pub roster: Roster,
    /// Reasons why Mailman may see another list than the file shows.
    pub doubts: Vec<String>,
    /// What an administrator should know.
    pub warnings: Vec<String>,
    /// Patterns of the list that are compiled, if they are kept.
    pub patterns: Option<Arc<Patterns>>,
}

impl Loaded {
    /// What keeps us from knowing whether Mailman sees the list as we do.
    pub fn doubt(&self) -> Option<String> {
        self.settings.obstacle.clone().or_else(|| self.doubts.first().cloned())
    }
}

impl ListsDir {
    /// Opens the directory itself; links in its path are followed.
    ///
    /// # Errors
    /// [`Error::NoDirectory`]
    pub fn open(path: &Path) -> Result<ListsDir, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // Not `open`, which is another system call on some machines: see `sandbox::calls`.
        match rustix::fs::openat(rustix::fs::CWD, path, flags, Mode::empty()) {
            Ok(handle) => Ok(ListsDir { handle, path: path.to_owned() }),
            Err(e) => Err(Error::NoDirectory(path.to_owned(), e.into())),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The handle of the directory.
    pub(crate) fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    /// The names of all directories that may be lists, sorted. What is in them is not looked at.
    ///
    /// # Errors
    /// [`Error::NoDirectory`]
    pub fn names(&self) -> Result<Vec<ListName>, Error> {
        let failed = |e: Errno| Error::NoDirectory(self.path.clone(), e.into());
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.handle).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Ok(name) = ListName::parse(entry.file_name().to_bytes()) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether Mailman sees a list of this name: one of its files is there (`Utils.list_exists`).
    ///
    /// # Errors
    /// [`Error::Unreadable`]
    pub fn has(&self, name: &ListName) -> Result<bool, Error> {
        for file in ["config.pck", "config.pck.last", "config.db", "config.db.last"] {
            if self.exists(name, file)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads some of a list's attributes, and warnings about its files.
    ///
    /// # Errors
    /// [`Error`]
    pub fn attributes(
        &self,
        name: &ListName,
        keys: &[&str],
    ) -> Result<(Picked, Vec<String>), Error> {
        self.pick(name, &Request { keys, dicts: &[], addresses: &[] })
    }

    /// What lies beside a list's file and can change anything about it.
    pub(super) fn doubts(
        &self,
        name: &ListName,
        foreign_class: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let mut doubts = Vec::new();
        if self.exists(name, EXTENSION)? {
            doubts.push("the list has an extend.py, which can change anything about it".into());
        }
        if let Some(class) = foreign_class {
            doubts.push(format!("the list holds an instance of {class}, which Mailman may lack"));
        }
        Ok(doubts)
    }

    /// Values and entries of the first of the list's files that holds a dictionary, and warnings.
    pub(super) fn pick(
        &self,
        name: &ListName,
        request: &Request<'_>,
    ) -> Result<(Picked, Vec<String>), Error> {
        self.first(name, &mut Seen::default(), |file| pickle::pick(file, request))
    }

    /// What `read` makes of the first of the list's files that it can read, and warnings about
    /// those before; `seen` gets what was found of each.
    pub(super) fn first<T>(
        &self,
        name: &ListName,
        seen: &mut Seen,
        read: impl Fn(&File) -> Result<T, pickle::Error>,
    ) -> Result<(T, Vec<String>), Error> {
        let mut failures: Vec<(PathBuf, String)> = Vec::new();
        for file in ["config.pck", "config.pck.last"] {
            let opened = self.open_file(name, file)?;
            seen.files.push((file, opened.as_ref().map(|(.., identity)| *identity)));
            let Some((opened, path, _)) = opened else { continue };
            match read(&opened) {
                Ok(made) => {
                    let warnings = failures
                        .iter()
                        .map(|(bad, why)| format!("{}: {why}", bad.display()))
                        .chain((file != "config.pck").then(|| format!("using {}", path.display())))
                        .collect();
                    return Ok((made, warnings));
                }
                Err(error) => failures.push((path.clone(), broken(error, path)?)),
            }
        }
        for file in ["config.db", "config.db.last"] {
            if self.exists(name, file)? {
                let why = "the marshal format of Mailman before 2.1 is not supported".to_owned();
                return Err(Error::Unsupported(self.path_of(name, file), why));
            }
        }
        match failures.into_iter().next() {
            Some((path, why)) => Err(Error::Corrupt(path, why)),
            None => Err(Error::no_such_list(name)),
        }
    }

    /// What a file of a list is now, links followed; nothing if there is none.
    pub(crate) fn identity(&self, name: &ListName, file: &str) -> Result<Option<Identity>, Error> {
        match rustix::fs::statat(&self.handle, format!("{name}/{file}"), AtFlags::empty()) {
            Ok(about) => Ok(Some(Identity::of(&about))),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok(None),
            Err(e) => Err(Error::Unreadable(self.path_of(name, file), e.into())),
        }
    }

    fn path_of(&self, name: &ListName, file: &str) -> PathBuf {
        self.path.join(name.as_str()).join(file)
    }

    /// Opens a file of a list, and makes sure that it is one.
    fn open_file(
        &self,
        name: &ListName,
        file: &str,
    ) -> Result<Option<(File, PathBuf, Identity)>, Error> {
        let path = self.path_of(name, file);
        let opened = match self.open_beneath(name, file) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => return Ok(None),
            Err(Errno::XDEV | Errno::LOOP) => {
                return Err(Error::Untrusted(path, "leads out of the lists directory"));
            }
            Err(Errno::NXIO) => return Err(Error::Untrusted(path, "is no regular file")),
            Err(e) => return Err(Error::Unreadable(path, e.into())),
        };
        let about =
            rustix::fs::fstat(&opened).map_err(|e| Error::Unreadable(path.clone(), e.into()))?;
        if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
            return Err(Error::Untrusted(path, "is no regular file"));
        }
        let identity = Identity::of(&about);
        if identity.size > limits::PICKLE_BYTES {
            return Err(Error::Untrusted(path, "is too large"));
        }
        Ok(Some((opened, path, identity)))
    }

    /// Links within the lists directory are followed, as Mailman does; others are not.
    fn open_beneath(&self, name: &ListName, file: &str) -> Result<OwnedFd, Errno> {
        // NONBLOCK, or opening a FIFO would wait for its writer.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let relative = format!("{name}/{file}");
        match rustix::fs::openat2(&self.handle, &relative, flags, Mode::empty(), beneath) {
            // Linux before 5.6 has no openat2, and some sandboxes deny what they do not know.
            Err(Errno::NOSYS | Errno::PERM) => self.open_without_links(name, file, flags),
            other => other,
        }
    }

    fn open_without_links(
        &self,
        name: &ListName,
        file: &str,
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::NOFOLLOW;
        let dir = rustix::fs::openat(
            &self.handle,
            name.as_str(),
            flags | OFlags::DIRECTORY,
            Mode::empty(),
        )?;
        rustix::fs::openat(&dir, file, flags, Mode::empty())
    }

    pub(super) fn exists(&self, name: &ListName, file: &str) -> Result<bool, Error> {
        let relative = format!("{name}/{file}");
        match rustix::fs::statat(&self.handle, &relative, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok(false),
            Err(e) => Err(Error::Unreadable(self.path_of(name, file), e.into())),
        }
    }
}

impl Lists for ListsDir {
    fn load(
        &self,
        name: &ListName,
        wanted: Wanted<'_>,
        site_default: SiteDefault<'_>,
    ) -> Result<Loaded, Error> {
        let Wanted { scope, addresses, .. } = wanted;
        let keys = Settings::keys(scope);
        let request = Request { keys: &keys, dicts: &DICTS, addresses };
        let (picked, warnings) = self.pick(name, &request)?;
        let doubts = self.doubts(name, picked.foreign_class.as_deref())?;
        Ok(assemble(name, wanted, picked, doubts, warnings, site_default))
    }
}

/// Whether Mailman would try the next file: then the reason, else the error.
fn broken(error: pickle::Error, path: PathBuf) -> Result<String, Error> {
    match error.kind {
        pickle::ErrorKind::Io(source) => Err(Error::Unreadable(path, source)),
        // These are our limits, not Mailman's.
        pickle::ErrorKind::Limit(_) | pickle::ErrorKind::Recursive => {
            Err(Error::Unsupported(path, error.to_string()))
        }
        _ => Ok(error.to_string()),
    }
}

/// The list that was picked out of a file.
pub(super) fn assemble(
    name: &ListName,
    wanted: Wanted<'_>,
    mut picked: Picked,
    mut doubts: Vec<String>,
    warnings: Vec<String>,
    site_default: SiteDefault<'_>,
) -> Loaded {
    let Wanted { addresses, dialect, .. } = wanted;
    let reader = Reader { wrote: picked.python, reads: dialect.unwrap_or(picked.python) };
    let settings = Settings::from_values(&mut picked.values, reader, site_default);
    let mut entries = |dict: &str| match picked.dicts.remove(dict) {
        None if settings.fills_absent => Entries::Found(HashMap::new()),
        None => Entries::Absent,
        Some(Dict::NotADict) => Entries::NotADict,
        Some(Dict::Entries(values)) => Entries::Found(
            addresses
                .iter()
                .zip(values)
                .filter_map(|(address, value)| {
                    Some((reader.key(address), reader.value(decode(value?))))
                })
                .collect(),
        ),
    };
    let roster = Roster {
        members: entries("members"),
        digest_members: entries("digest_members"),
        user_options: entries("user_options"),
    };
    if !matches!(entries("language"), Entries::Found(_)) {
        doubts.push("the list's language is no dictionary, which Mailman fails on".into());
    }
    let settings = Arc::new(settings);
    Loaded { name: name.clone(), settings, roster, doubts, warnings, patterns: None }
}

/// An address as either Python would hold it, for [`ListsDir::load`].
pub fn both_forms(address: &PyStr) -> Vec<PyStr> {
    let bytes = address.as_bytes().to_vec();
    match String::from_utf8(bytes.clone()) {
        Ok(text) => vec![PyStr::Bytes(bytes), PyStr::Text(text)],
        Err(_) => vec![PyStr::Bytes(bytes)],
    }
}
