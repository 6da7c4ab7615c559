//! The site as its `mm_cfg.py` is now.

use crate::exit::Status;
use crate::site::{Error, Site};
use rustix::fs::{Stat, stat};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};

/// What tells that a file is another one.
type Identity = (u64, u64, i64, i64, i64);

#[allow(clippy::unnecessary_cast, clippy::useless_conversion, reason = "types differ by machine")]
fn identity(about: &Stat) -> Identity {
    let time = (about.st_mtime as i64, about.st_mtime_nsec as i64);
    (about.st_dev as u64, about.st_ino as u64, about.st_size as i64, time.0, time.1)
}

/// A site that is read again when its settings, or its lists' directory, are others.
#[derive(Debug)]
pub struct Current {
    state: RwLock<State>,
    /// Held by whoever reads.
    reading: Mutex<()>,
}

#[derive(Debug, Clone)]
struct State {
    /// The last one that could be read.
    good: Arc<Site>,
    /// Why it cannot be read now.
    error: Option<(Status, String)>,
    seen: Seen,
}

/// What the files were.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    mm_cfg: Option<Identity>,
    lists: Option<(u64, u64)>,
}

/// A site, and whether it was read just now.
pub struct Fresh {
    /// The site.
    pub site: Arc<Site>,
    /// What is kept of its lists is worth nothing any more.
    pub changed: bool,
}

impl Current {
    /// The site as it was found.
    pub fn new(site: Site) -> Current {
        let seen = look(&site);
        let state = State { good: Arc::new(site), error: None, seen };
        Current { state: RwLock::new(state), reading: Mutex::new(()) }
    }

    /// The site, read again if it has changed.
    ///
    /// # Errors
    /// Why it cannot be read, as on the command line.
    pub fn get(&self) -> Result<Fresh, (Status, String)> {
        let state = self.state.read().map_err(|_| poisoned())?.clone();
        if state.error.is_none() && look(&state.good) == state.seen {
            return Ok(Fresh { site: state.good, changed: false });
        }
        self.reread()
    }

    /// Reads the site again whether or not it has changed.
    ///
    /// # Errors
    /// As [`Current::get`].
    pub fn reread(&self) -> Result<Fresh, (Status, String)> {
        let _reading = self.reading.lock().map_err(|_| poisoned())?;
        let good = Arc::clone(&self.state.read().map_err(|_| poisoned())?.good);
        // Before it is read: what changes meanwhile is seen the next time.
        let seen = look(&good);
        let read = good.reread().map_err(|e: Error| (e.status(), e.to_string()));
        let mut state = self.state.write().map_err(|_| poisoned())?;
        state.seen = seen;
        match read {
            Ok(site) => {
                state.good = Arc::new(site);
                state.error = None;
                Ok(Fresh { site: Arc::clone(&state.good), changed: true })
            }
            Err(error) => {
                state.error = Some(error.clone());
                Err(error)
            }
        }
    }

    /// The file of site settings, and the lists' directory.
    pub fn paths(&self) -> (Option<PathBuf>, PathBuf) {
        match self.state.read() {
            Ok(state) => {
                (state.good.mm_cfg().map(Into::into), state.good.lists.path().to_owned())
            }
            Err(_) => (None, PathBuf::new()),
        }
    }
}

fn look(site: &Site) -> Seen {
    let mm_cfg = site.mm_cfg().and_then(|file| stat(file).ok()).map(|about| identity(&about));
    let lists = stat(site.lists.path()).ok().map(|about| {
        let identity = identity(&about);
        (identity.0, identity.1)
    });
    Seen { mm_cfg, lists }
}

fn poisoned() -> (Status, String) {
    (Status::Internal, "the site's settings were lost".to_owned())
}
