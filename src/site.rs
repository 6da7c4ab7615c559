//! A Mailman site: where its lists are, and what its `mm_cfg.py` says.

mod lists;
mod lock_dir;
mod log_dir;

use crate::config::{self, Config};
use crate::exit::Status;
use crate::limits;
use crate::list::name::BadName;
use crate::list::settings::{Scope, Settings as ListSettings};
use crate::list::store::{Error as StoreError, ListsDir};
use crate::list::value::PyValue;
use crate::mailman::defaults::{self, ListDefault};
use crate::mailman::pipeline::pipeline_doubt;
use crate::mailman::senders::{SenderHeader, SenderPolicy};
use crate::mailman::site_values::SiteValues;
use crate::python::Python;
use crate::python::literal::{self, Literal, Setting, Settings};
use crate::python::text::PyStr;
use rustix::fs::{Mode, OFlags};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A known way to install Mailman (RULES 1.1).
struct Layout {
    var_prefix: &'static str,
    mm_cfg: &'static str,
}

const LAYOUTS: [Layout; 3] = [
    // Debian and RHEL
    Layout { var_prefix: "/var/lib/mailman", mm_cfg: "/etc/mailman/mm_cfg.py" },
    // from source
    Layout { var_prefix: "/usr/local/mailman", mm_cfg: "/usr/local/mailman/Mailman/mm_cfg.py" },
    // cPanel
    Layout {
        var_prefix: "/usr/local/cpanel/3rdparty/mailman",
        mm_cfg: "/usr/local/cpanel/3rdparty/mailman/Mailman/mm_cfg.py",
    },
];

/// Why a site could not be found or read. Never a reason to refuse a message.
#[derive(Debug)]
pub enum Error {
    /// A file or a directory is not there or not readable.
    NoInput(String),
    /// Configuration that cannot be followed.
    Config(String),
    /// The text cannot name a list.
    Name(BadName),
    /// A list or the directory of lists.
    Store(StoreError),
}

impl Error {
    /// The exit status for it.
    pub fn status(&self) -> Status {
        match self {
            Error::NoInput(_) => Status::NoInput,
            Error::Config(_) => Status::Config,
            Error::Name(BadName::Empty) => Status::Usage,
            Error::Name(_) => Status::NoList,
            Error::Store(error) => error.status(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoInput(why) | Error::Config(why) => f.write_str(why),
            Error::Name(why) => write!(f, "no such list: {why}"),
            Error::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        Error::Store(error)
    }
}

/// A site, its lists directory held open.
#[derive(Debug)]
pub struct Site {
    /// The lists.
    pub lists: ListsDir,
    settings: Settings,
    mm_cfg: Option<PathBuf>,
    /// What Mailman's own defaults derive directories from (`VAR_PREFIX`).
    var_prefix: PathBuf,
    /// Where the locks are, if `/etc/mm-query.toml` says it.
    lock_dir: Option<PathBuf>,
}

impl Site {
    /// Finds a site: where the options say, else where `/etc/mm-query.toml` says, else in the
    /// first known layout that exists.
    ///
    /// # Errors
    /// [`Error`]
    pub fn find(lists_dir: Option<&Path>, mm_cfg: Option<&Path>) -> Result<Site, Error> {
        let config = if lists_dir.is_some() {
            Config::default()
        } else {
            config::read(Path::new(config::PATH), 0).map_err(|e| Error::Config(format!("{e:#}")))?
        };
        let lists_dir = lists_dir.map(Path::to_owned).or(config.lists_dir);
        let mm_cfg = mm_cfg.map(Path::to_owned).or(config.mm_cfg);
        let site = match (lists_dir, mm_cfg) {
            (Some(dir), Some(file)) => Site::open(dir, Some(file)),
            (Some(dir), None) => {
                let file = mm_cfg_of(&dir);
                Site::open(dir, file)
            }
            (None, Some(file)) => Site::from_mm_cfg(file),
            (None, None) => Site::from_layouts(),
        }?;
        Ok(Site { lock_dir: config.lock_dir, ..site })
    }

    fn from_layouts() -> Result<Site, Error> {
        let found = LAYOUTS.iter().find(|l| Path::new(l.var_prefix).join("lists").is_dir());
        let Some(layout) = found else {
            let tried: Vec<&str> = LAYOUTS.iter().map(|l| l.var_prefix).collect();
            return Err(Error::NoInput(format!(
                "no lists directory: there is no {}/lists; say where by --lists-dir or in {}",
                tried.join("/lists, no "),
                config::PATH
            )));
        };
        let file = PathBuf::from(layout.mm_cfg);
        let default = Path::new(layout.var_prefix).join("lists");
        let file = may_exist(&file).then_some(file);
        let settings = read_settings(file.as_deref(), layout.var_prefix)?;
        let dir = lists_dir_of(&settings, file.as_deref())?.unwrap_or(default);
        Site::new(ListsDir::open(&dir)?, settings, file, layout.var_prefix.into())
    }

    /// Only `mm_cfg.py` is known: the lists are where it says, or where Mailman's own default
    /// puts them beside such a file.
    fn from_mm_cfg(file: PathBuf) -> Result<Site, Error> {
        let var_prefix = match LAYOUTS.iter().find(|l| Path::new(l.mm_cfg) == file) {
            Some(layout) => PathBuf::from(layout.var_prefix),
            None => {
                let folder = file.parent().unwrap_or(Path::new("/"));
                let inner = folder.file_name().is_some_and(|n| n == "Mailman");
                let outer = folder.parent().filter(|_| inner);
                outer.unwrap_or(folder).to_owned()
            }
        };
        let settings = read_settings(Some(&file), &var_prefix.to_string_lossy())?;
        let dir = lists_dir_of(&settings, Some(&file))?.unwrap_or(var_prefix.join("lists"));
        Site::new(ListsDir::open(&dir)?, settings, Some(file), var_prefix)
    }

    fn open(dir: PathBuf, mm_cfg: Option<PathBuf>) -> Result<Site, Error> {
        let lists = ListsDir::open(&dir)?;
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let var_prefix = dir.parent().unwrap_or(Path::new("/")).to_owned();
        let settings = read_settings(mm_cfg.as_deref(), &var_prefix.to_string_lossy())?;
        Site::new(lists, settings, mm_cfg, var_prefix)
    }

    fn new(
        lists: ListsDir,
        settings: Settings,
        mm_cfg: Option<PathBuf>,
        var_prefix: PathBuf,
    ) -> Result<Site, Error> {
        Ok(Site { lists, settings, mm_cfg, var_prefix, lock_dir: None })
    }

    /// Reads the same files' settings again, and opens the lists' directory anew.
    ///
    /// # Errors
    /// [`Error`]
    pub fn reread(&self) -> Result<Site, Error> {
        let settings = read_settings(self.mm_cfg.as_deref(), &self.var_prefix.to_string_lossy())?;
        Ok(Site {
            lists: ListsDir::open(self.lists.path())?,
            settings,
            mm_cfg: self.mm_cfg.clone(),
            var_prefix: self.var_prefix.clone(),
            lock_dir: self.lock_dir.clone(),
        })
    }

    /// What Mailman gives an attribute that an old list lacks (`MailList.InitVars`); `None` where
    /// the site sets it in a way that cannot be followed.
    pub fn list_default(&self, key: &str) -> Option<PyValue> {
        match defaults::of_list(key)? {
            ListDefault::Fixed(value) => Some(value),
            ListDefault::Site(name) => self.in_force(name).ok()?.as_ref().map(value),
        }
    }

    /// The settings that rules of whole messages read.
    pub fn values(&self) -> SiteValues {
        let own_pipeline = !matches!(self.setting("GLOBAL_PIPELINE"), Ok(None));
        SiteValues::new(own_pipeline, |name| match self.in_force(name) {
            Ok(literal) => Ok(literal.as_ref().map(value)),
            Err(line) => Err(self.unknown(name, line)),
        })
    }

    /// The value of a setting, Mailman's own where the site sets none.
    fn in_force(&self, name: &str) -> Result<Option<Literal>, usize> {
        match self.settings.with_library(name) {
            Setting::Known(literal, _) => Ok(Some(literal)),
            Setting::Absent => Ok(None),
            Setting::Unknown { line } => Err(line),
        }
    }

    /// A setting of the site: its value, nothing where neither the site nor Mailman sets it, or
    /// the line that cannot be followed.
    fn setting(&self, name: &str) -> Result<Option<Literal>, usize> {
        match self.settings.get(name) {
            Setting::Known(literal, _) => Ok(Some(literal)),
            Setting::Absent => Ok(None),
            Setting::Unknown { line } => Err(line),
        }
    }

    /// A setting as it is in force, Mailman's own value where the site sets none and we know it.
    ///
    /// # Errors
    /// The line (from 1) that cannot be followed.
    pub fn literal(&self, name: &str) -> Result<Option<Literal>, usize> {
        self.in_force(name)
    }

    /// `GLOBAL_BAN_LIST`.
    ///
    /// # Errors
    /// What cannot be followed.
    pub fn global_ban_list(&self) -> Result<PyValue, String> {
        match self.setting("GLOBAL_BAN_LIST") {
            Ok(literal) => Ok(literal.map_or(PyValue::List(Vec::new()), |l| value(&l))),
            Err(line) => Err(self.unknown("GLOBAL_BAN_LIST", line)),
        }
    }

    /// Where Mailman looks for senders: one way, or more where a setting cannot be followed.
    ///
    /// # Errors
    /// What cannot be followed, where any order of headers is possible.
    pub fn sender_policies(&self) -> Result<Vec<SenderPolicy>, String> {
        let sender_headers = match self.setting("SENDER_HEADERS") {
            Ok(None) => SenderPolicy::default().sender_headers,
            Ok(Some(literal)) => sender_headers(&literal)
                .ok_or_else(|| "SENDER_HEADERS is no list of names".to_owned())?,
            Err(line) => return Err(self.unknown("SENDER_HEADERS", line)),
        };
        let ways = match self.setting("USE_ENVELOPE_SENDER") {
            Ok(None) => vec![false],
            Ok(Some(literal)) => value(&literal).truth().map_or(vec![false, true], |t| vec![t]),
            Err(_) => vec![false, true],
        };
        let policy = |use_envelope_sender| SenderPolicy {
            use_envelope_sender,
            sender_headers: sender_headers.clone(),
        };
        Ok(ways.into_iter().map(policy).collect())
    }

    /// Why the site's posts may not meet Mailman's Moderate handler as it is, if that is so.
    pub fn pipeline_doubt(&self) -> Option<String> {
        match self.setting("GLOBAL_PIPELINE") {
            Ok(None) => None,
            Ok(Some(literal)) => pipeline_doubt(&value(&literal))
                .map(|doubt| format!("GLOBAL_PIPELINE of the site {doubt}")),
            Err(line) => Some(self.unknown("GLOBAL_PIPELINE", line)),
        }
    }

    fn unknown(&self, name: &str, line: usize) -> String {
        let file = self.mm_cfg.as_deref().unwrap_or(Path::new("mm_cfg.py"));
        format!("{name} in {}, line {line}, cannot be followed", file.display())
    }

    /// The file of site settings, if there is one.
    pub fn mm_cfg(&self) -> Option<&Path> {
        self.mm_cfg.as_deref()
    }

    /// Why Python would refuse that file, if it would; then nothing in it is known.
    pub fn syntax_error(&self) -> Option<literal::SyntaxError> {
        self.settings.error()
    }

    /// The settings that our rules read and that the site makes in a way that cannot be followed,
    /// with the line (from 1) that does so.
    pub fn not_followed(&self) -> Vec<(&'static str, usize)> {
        let own = ["LIST_DATA_DIR", "SENDER_HEADERS", "USE_ENVELOPE_SENDER"];
        let of_list = |key| match defaults::of_list(key)? {
            ListDefault::Site(name) => Some(name),
            ListDefault::Fixed(_) => None,
        };
        let of_lists = ListSettings::keys(Scope::Messages).into_iter().filter_map(of_list);
        let names = own.into_iter().chain(SiteValues::NAMES).chain(of_lists);
        let unknown = |name| Some((name, self.setting(name).err()?));
        names.filter_map(unknown).collect()
    }

    /// The site settings that were read, for people.
    pub fn describe(&self) -> String {
        let lists = self.lists.path().display();
        match &self.mm_cfg {
            Some(file) => format!("lists in {lists}, site settings from {}", file.display()),
            None => format!("lists in {lists}, no mm_cfg.py: Mailman's own settings"),
        }
    }
}

/// `mm_cfg.py` where only a lists directory is given: that of the layout it belongs to, or one
/// beside it as a source installation has it, else that of the first layout that has one.
fn mm_cfg_of(lists_dir: &Path) -> Option<PathBuf> {
    let own = LAYOUTS.iter().find(|l| Path::new(l.var_prefix).join("lists") == lists_dir);
    if let Some(layout) = own {
        return Some(PathBuf::from(layout.mm_cfg)).filter(|f| may_exist(f));
    }
    let beside = |file: &str| lists_dir.parent().map(|parent| parent.join(file));
    [beside("Mailman/mm_cfg.py"), beside("mm_cfg.py")]
        .into_iter()
        .flatten()
        .chain(LAYOUTS.iter().map(|layout| PathBuf::from(layout.mm_cfg)))
        .find(|f| may_exist(f))
}

/// Whether Mailman may have this file: a broken link, or a folder that we cannot look into, does not
/// mean that the site keeps Mailman's own settings.
fn may_exist(file: &Path) -> bool {
    match file.symlink_metadata() {
        Ok(_) => true,
        Err(e) => {
            use std::io::ErrorKind::{NotADirectory, NotFound};
            !matches!(e.kind(), NotFound | NotADirectory)
        }
    }
}

/// Reads the file as Python 2 does, or, where that refuses it, as the port's Python 3: it takes
/// UTF-8 without being told.
fn read_settings(file: Option<&Path>, var_prefix: &str) -> Result<Settings, Error> {
    let source = match file {
        Some(file) => read_all(file)?,
        // What Mailman's own file says.
        None => b"from Defaults import *\n".to_vec(),
    };
    let read = |python| {
        let mut library = defaults::defaults(python);
        library.values.push(("VAR_PREFIX", Literal::Bytes(var_prefix.as_bytes().to_vec())));
        literal::read(&source, python, &library)
    };
    let settings = read(Python::Two);
    if settings.error().is_none() {
        return Ok(settings);
    }
    let of_the_port = read(Python::Three);
    Ok(if of_the_port.error().is_none() { of_the_port } else { settings })
}

fn read_all(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |what: &str, e: std::io::Error| {
        Error::NoInput(format!("cannot {what} {}: {e}", path.display()))
    };
    // NONBLOCK, or opening a FIFO would wait for its writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = rustix::fs::openat(rustix::fs::CWD, path, flags, Mode::empty())
        .map(File::from)
        .map_err(|e| failed("open", e.into()))?;
    if !opened.metadata().map_err(|e| failed("check", e))?.is_file() {
        return Err(Error::NoInput(format!("{} is not a regular file", path.display())));
    }
    let mut source = Vec::new();
    opened
        .take(limits::MM_CFG_BYTES.saturating_add(1))
        .read_to_end(&mut source)
        .map_err(|e| failed("read", e))?;
    if u64::try_from(source.len()).is_ok_and(|n| n > limits::MM_CFG_BYTES) {
        return Err(Error::Config(format!("{} is too large", path.display())));
    }
    Ok(source)
}

/// `LIST_DATA_DIR`, if the site sets it. Rebinding `VAR_PREFIX` alone does not move it: Mailman's
/// defaults have derived it before `mm_cfg.py` is read.
fn lists_dir_of(settings: &Settings, file: Option<&Path>) -> Result<Option<PathBuf>, Error> {
    path_setting(settings, "LIST_DATA_DIR", file)
}

/// A directory, if the site sets it.
fn path_setting(
    settings: &Settings,
    name: &str,
    file: Option<&Path>,
) -> Result<Option<PathBuf>, Error> {
    match settings.get(name) {
        Setting::Absent => Ok(None),
        Setting::Known(literal, _) => match value(&literal) {
            PyValue::Str(path) if path.as_bytes().starts_with(b"/") => {
                Ok(Some(PathBuf::from(path.to_lossy().into_owned())))
            }
            _ => Err(Error::Config(format!("{name} is no absolute path"))),
        },
        Setting::Unknown { line } => {
            let remedy = match name {
                "LOCK_DIR" => format!("say lock_dir in {}", config::PATH),
                "LOG_DIR" => "name the files".to_owned(),
                _ => format!("say lists_dir in {}", config::PATH),
            };
            Err(Error::Config(format!(
                "{name} in {}, line {line}, cannot be followed: {remedy}",
                file.unwrap_or(Path::new("mm_cfg.py")).display()
            )))
        }
    }
}

fn sender_headers(literal: &Literal) -> Option<Vec<SenderHeader>> {
    let entry = |value: PyValue| match value {
        PyValue::None => Some(SenderHeader::Envelope),
        PyValue::Str(name) => Some(SenderHeader::Header(name.to_lossy().to_ascii_lowercase())),
        _ => None,
    };
    value(literal).iterate()?.into_iter().map(entry).collect()
}

/// A literal of `mm_cfg.py` as a plain value.
fn value(literal: &Literal) -> PyValue {
    match literal {
        Literal::None => PyValue::None,
        Literal::Bool(b) => PyValue::Bool(*b),
        Literal::Int(i) => PyValue::Int(*i),
        Literal::Float(f) => PyValue::Float(*f),
        Literal::Bytes(bytes) => PyValue::Str(PyStr::Bytes(bytes.clone())),
        Literal::Text(text) => PyValue::Str(PyStr::Text(text.clone())),
        Literal::List(items) | Literal::Tuple(items) => {
            PyValue::List(items.iter().map(value).collect())
        }
        Literal::Dict(entries) => PyValue::Dict(entries.iter().map(|(k, _)| value(k)).collect()),
    }
}
