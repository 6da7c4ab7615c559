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
    good: Fresh,
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

/// A site as it is now.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The site.
    pub site: Arc<Site>,
    /// How often its settings had been read before.
    pub generation: u64,
}

impl Current {
    /// The site as it was found.
    pub fn new(site: Site) -> Current {
        let seen = look(&site);
        let state =
            State { good: Fresh { site: Arc::new(site), generation: 0 }, error: None, seen };
        Current { state: RwLock::new(state), reading: Mutex::new(()) }
    }

    /// The site, read again if it has changed.
    ///
    /// # Errors
    /// Why it cannot be read, as on the command line.
    pub fn get(&self) -> Result<Fresh, (Status, String)> {
        let state = self.state.read().map_err(|_| poisoned())?.clone();
        if state.error.is_none() && look(&state.good.site) == state.seen {
            return Ok(state.good);
        }
        self.reread()
    }

    /// Reads the site again whether or not it has changed.
    ///
    /// # Errors
    /// As [`Current::get`].
    pub fn reread(&self) -> Result<Fresh, (Status, String)> {
        let _reading = self.reading.lock().map_err(|_| poisoned())?;
        let good = self.state.read().map_err(|_| poisoned())?.good.clone();
        // Before it is read: what changes meanwhile is seen the next time.
        let seen = look(&good.site);
        let read = good.site.reread().map_err(|e: Error| (e.status(), e.to_string()));
        let mut state = self.state.write().map_err(|_| poisoned())?;
        state.seen = seen;
        match read {
            Ok(site) => {
                let generation = good.generation.wrapping_add(1);
                state.good = Fresh { site: Arc::new(site), generation };
                state.error = None;
                Ok(state.good.clone())
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
                let site = &state.good.site;
                (site.mm_cfg().map(Into::into), site.lists.path().to_owned())
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
