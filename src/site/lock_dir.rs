//! Where a site's locks are.

use super::{Error, LAYOUTS, Site, path_setting};
use crate::config;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where RHEL's Mailman has its locks.
const RHEL_LOCK_DIR: &str = "/var/lock/mailman";

impl Site {
    /// Where Mailman's locks are: where `/etc/mm-query.toml` says, else where `mm_cfg.py` says, else
    /// beside the lists, else where RHEL keeps them (RULES 1.1).
    ///
    /// # Errors
    /// [`Error`], also where there are two such directories: with another one than Mailman's, we
    /// would save over each other's changes.
    pub fn lock_dir(&self) -> Result<PathBuf, Error> {
        if let Some(dir) = &self.lock_dir {
            return Ok(dir.clone());
        }
        if let Some(dir) = path_setting(&self.settings, "LOCK_DIR", self.mm_cfg.as_deref())? {
            return Ok(dir);
        }
        let own = locks_of(&self.var_prefix);
        // Lists that were moved away from everything else.
        let of_mm_cfg =
            LAYOUTS.iter().find(|l| self.mm_cfg.as_deref() == Some(Path::new(l.mm_cfg)));
        let others = of_mm_cfg.map(|l| locks_of(Path::new(l.var_prefix))).unwrap_or_default();
        for dirs in [&own, &others] {
            if let Some(dir) = only_one(dirs)? {
                return Ok(dir);
            }
        }
        let tried: Vec<_> = own.iter().map(|dir| dir.display().to_string()).collect();
        Err(Error::NoInput(format!(
            "no directory of locks: there is no {}; say where by --lock-dir or in {}",
            tried.join(", no "),
            config::PATH
        )))
    }
}

/// Where an installation may have its locks.
fn locks_of(var_prefix: &Path) -> Vec<PathBuf> {
    let beside = var_prefix.join("locks");
    if var_prefix == Path::new(LAYOUTS[0].var_prefix) {
        vec![beside, PathBuf::from(RHEL_LOCK_DIR)]
    } else {
        vec![beside]
    }
}

/// The directory that is there.
fn only_one(dirs: &[PathBuf]) -> Result<Option<PathBuf>, Error> {
    let mut there = dirs.iter().filter(|dir| dir.is_dir());
    let Some(dir) = there.next() else { return Ok(None) };
    match there.find(|other| !is_same_directory(dir, other)) {
        None => Ok(Some(dir.clone())),
        Some(other) => Err(Error::Config(format!(
            "{} or {}: say by --lock-dir or in {} which one has Mailman's locks",
            dir.display(),
            other.display(),
            config::PATH
        ))),
    }
}

/// Whether two paths lead to the same directory, as Debian's `locks` leads to `/var/lock`.
fn is_same_directory(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|about| (about.dev(), about.ino())).ok();
    identity(one).is_some() && identity(one) == identity(other)
}
