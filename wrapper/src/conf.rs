//! The ids, as numbers in a file that only root can have written: no name is looked up here.

use crate::{MISINSTALLED, Refusal, refuse};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::process::{getgid, getuid};
use std::{fs::File, io::Read, os::fd::OwnedFd};

const MAX_BYTES: u64 = 4096;

/// The ids to become, and whether the caller is named: None if nobody is (the file's mode decides).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Conf {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) caller_named: Option<bool>,
}

/// Opens a regular file of root's, not a link, that neither group nor others can write.
pub(crate) fn open_trusted(path: &str, access: OFlags) -> Result<OwnedFd, Refusal> {
    // NONBLOCK: a FIFO in its place must not hold us up.
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(path, flags, Mode::empty()).map_err(refuse(MISINSTALLED, path))?;
    let stat = fstat(&file).map_err(refuse(MISINSTALLED, path))?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let trusted = regular && stat.st_uid == 0 && stat.st_mode & 0o022 == 0;
    let why = "not a regular file of root's that only root can write";
    trusted.then_some(file).ok_or(why).map_err(refuse(MISINSTALLED, path))
}

/// Reads the configuration; any doubt about it is status 78.
pub(crate) fn load(path: &str) -> Result<Conf, Refusal> {
    let mut text = String::new();
    let mut file = File::from(open_trusted(path, OFlags::RDONLY)?).take(MAX_BYTES + 1);
    file.read_to_string(&mut text).map_err(refuse(MISINSTALLED, path))?;
    parse(&text, getuid().as_raw(), getgid().as_raw()).map_err(refuse(MISINSTALLED, path))
}

/// Lines of `key = number`, empty lines and `#` comments. The real ids are the caller's.
pub(crate) fn parse(text: &str, real_uid: u32, real_gid: u32) -> Result<Conf, &'static str> {
    let mut conf = Conf::default();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (key, value) = line.split_once('=').ok_or("a line without `=`")?;
        // No sign, no leading zero (octal to some), not what means "unchanged" to setresuid.
        let plain = |id: &u32| *id != u32::MAX && id.to_string() == value.trim();
        let id = value.trim().parse().ok().filter(plain).ok_or("not a plain decimal id")?;
        match key.trim() {
            "uid" if conf.uid == 0 && id != 0 => conf.uid = id,
            "gid" if conf.gid == 0 && id != 0 => conf.gid = id,
            "caller-uid" => *conf.caller_named.get_or_insert(false) |= id == real_uid,
            "caller-gid" => *conf.caller_named.get_or_insert(false) |= id == real_gid,
            _ => return Err("an unknown or repeated key, or uid or gid 0"),
        }
    }
    let whole = conf.uid != 0 && conf.gid != 0 && text.len() as u64 <= MAX_BYTES;
    whole.then_some(conf).ok_or("uid or gid missing, or file too large")
}
