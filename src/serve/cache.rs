//! Lists that were read, least recently used ones evicted.

use super::answer::Haste;
use super::current::Fresh;
use crate::limits;
use crate::list::kept::Kept;
use crate::list::name::ListName;
use crate::list::store::{Error, Lists, Loaded, SiteDefault, Wanted};
use crate::site::Site;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, RwLock};

/// The lists, and how they were used.
#[derive(Debug)]
pub struct Cache {
    /// Bytes that the lists may take together.
    most: usize,
    lists: RwLock<HashMap<ListName, Entry>>,
    clock: AtomicU64,
    bytes: AtomicUsize,
    /// Questions to a list that was at hand.
    pub hits: AtomicU64,
    /// Lists that were read.
    pub reads: AtomicU64,
    /// Questions that had to read the file.
    pub streamed: AtomicU64,
    /// Lists that had to go.
    pub evicted: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    /// Which reading of the site's settings it was read under: old lists take defaults from them.
    generation: u64,
    kept: Arc<Kept>,
    used: AtomicU64,
}

impl Cache {
    /// An empty one for so many bytes.
    pub fn new(most: usize) -> Cache {
        Cache {
            most,
            lists: RwLock::default(),
            clock: AtomicU64::new(0),
            bytes: AtomicUsize::new(0),
            hits: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            streamed: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    /// The list as it was read last, whether or not it is still so.
    fn get(&self, name: &ListName, generation: u64) -> Option<Arc<Kept>> {
        let lists = self.lists.read().ok()?;
        let entry = lists.get(name).filter(|entry| entry.generation == generation)?;
        entry.used.store(self.clock.fetch_add(1, Relaxed), Relaxed);
        Some(Arc::clone(&entry.kept))
    }

    /// Keeps a list, if there can be room for it.
    fn put(&self, name: &ListName, generation: u64, kept: Arc<Kept>) {
        let Ok(mut lists) = self.lists.write() else { return };
        let mut bytes = self.bytes.load(Relaxed);
        if let Some(old) = lists.remove(name) {
            bytes = bytes.saturating_sub(old.kept.bytes());
        }
        if kept.bytes() <= self.most {
            while bytes.saturating_add(kept.bytes()) > self.most {
                let oldest = lists.iter().min_by_key(|(_, entry)| entry.used.load(Relaxed));
                let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
                if let Some(old) = lists.remove(&name) {
                    bytes = bytes.saturating_sub(old.kept.bytes());
                    self.evicted.fetch_add(1, Relaxed);
                }
            }
            bytes = bytes.saturating_add(kept.bytes());
            let used = AtomicU64::new(self.clock.fetch_add(1, Relaxed));
            lists.insert(name.clone(), Entry { generation, kept, used });
        }
        self.bytes.store(bytes, Relaxed);
    }

    fn remove(&self, name: &ListName) {
        let Ok(mut lists) = self.lists.write() else { return };
        if let Some(old) = lists.remove(name) {
            self.bytes.fetch_sub(old.kept.bytes(), Relaxed);
        }
    }

    /// How many lists there are, and their bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.lists.read().map_or(0, |lists| lists.len()), self.bytes.load(Relaxed))
    }

    /// How many addresses are kept, the bytes that they take, and those of the addresses alone.
    pub fn members(&self) -> (usize, usize, usize) {
        let lists: Vec<Arc<Kept>> = match self.lists.read() {
            Ok(lists) => lists.values().map(|entry| Arc::clone(&entry.kept)).collect(),
            Err(_) => Vec::new(),
        };
        lists
            .iter()
            .map(|kept| kept.members())
            .fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2))
    }
}

/// The lists of a site for one question.
pub struct CachedLists<'a> {
    site: &'a Site,
    generation: u64,
    cache: &'a Cache,
    haste: Haste,
    missed: Cell<bool>,
    postponed: RefCell<Vec<ListName>>,
}

impl<'a> CachedLists<'a> {
    /// Lists that are read now only where there is time for it.
    pub fn new(fresh: &'a Fresh, cache: &'a Cache, haste: Haste) -> CachedLists<'a> {
        let Fresh { site, generation } = fresh;
        let (missed, postponed) = (Cell::new(false), RefCell::default());
        CachedLists { site, generation: *generation, cache, haste, missed, postponed }
    }

    /// Whether there was a list for which there was no time.
    pub fn missed(&self) -> bool {
        self.missed.get()
    }

    /// Lists that are to be read later.
    pub fn postponed(self) -> Vec<ListName> {
        self.postponed.into_inner()
    }

    /// Whether a list is so long that a question had better not wait for all of it.
    fn is_postponed(&self, name: &ListName) -> Result<bool, Error> {
        if self.haste != Haste::Soon {
            return Ok(false);
        }
        let file = self.site.lists.identity(name, "config.pck")?;
        let long = file.is_some_and(|file| file.size > limits::LONG_LIST_BYTES);
        let mut postponed = self.postponed.borrow_mut();
        if long && !postponed.contains(name) {
            postponed.push(name.clone());
        }
        Ok(long)
    }

    /// Fails where there is no time.
    fn take_time(&self) -> Result<(), Error> {
        if self.haste == Haste::Now {
            self.missed.set(true);
            return Err(Error::NotAtHand);
        }
        Ok(())
    }
}

impl Lists for CachedLists<'_> {
    fn load(
        &self,
        name: &ListName,
        wanted: Wanted<'_>,
        site_default: SiteDefault<'_>,
    ) -> Result<Loaded, Error> {
        let files = &self.site.lists;
        let kept = match self.cache.get(name, self.generation) {
            Some(kept) if kept.is_current(files, name)? => {
                self.cache.hits.fetch_add(1, Relaxed);
                kept
            }
            // Finding that there is no such list takes no time.
            None if !files.has(name)? => return Err(Error::no_such_list(name)),
            stale => {
                self.take_time()?;
                if self.is_postponed(name)? {
                    return files.load(name, wanted, site_default);
                }
                self.cache.reads.fetch_add(1, Relaxed);
                match Kept::read(files, name, site_default) {
                    Ok(kept) => {
                        let kept = Arc::new(kept);
                        self.cache.put(name, self.generation, Arc::clone(&kept));
                        kept
                    }
                    Err(error) => {
                        if stale.is_some() {
                            self.cache.remove(name);
                        }
                        return Err(error);
                    }
                }
            }
        };
        if let Some(loaded) = kept.load(wanted) {
            return loaded;
        }
        self.take_time()?;
        self.cache.streamed.fetch_add(1, Relaxed);
        files.load(name, wanted, site_default)
    }
}
