//! What all threads of the daemon share: the site, the lists, the counters, the log.

use super::answer::{self, Haste};
use super::cache::Cache;
use super::counters::Counters;
use super::current::Current;
use super::log::{Level, Log};
use super::reply::Reply;
use super::request::{Request, parse};
use crate::exit::Status;
use crate::list::name::ListName;
use crate::site::Site;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;

/// The daemon without its sockets.
#[derive(Debug)]
pub struct Service {
    /// The site.
    pub current: Current,
    /// Its lists.
    pub cache: Cache,
    /// What was done.
    pub counters: Counters,
    /// The log.
    pub log: Log,
}

/// What becomes of a request at first.
#[derive(Debug)]
pub enum Handled {
    /// It has its answer.
    Answered(Reply),
    /// It takes longer.
    Later(Request),
}

impl Service {
    /// A service for this site, with so many bytes for its lists.
    pub fn new(site: Site, cache_bytes: usize, log: Log) -> Service {
        let (cache, counters) = (Cache::new(cache_bytes), Counters::default());
        Service { current: Current::new(site), cache, counters, log }
    }

    /// Answers a request, if that takes no time.
    pub fn handle(&self, bytes: &[u8]) -> Handled {
        let handled = catch_unwind(AssertUnwindSafe(|| self.handle_or_panic(bytes)));
        handled.unwrap_or_else(|_| Handled::Answered(self.failed()))
    }

    fn handle_or_panic(&self, bytes: &[u8]) -> Handled {
        let request = match parse(bytes) {
            Ok(request) => request,
            Err(why) => {
                self.counters.asked(None);
                self.log.line(Level::Debug, format!("a request that is none: {why}"));
                return Handled::Answered(Reply::error(Status::Usage, &why));
            }
        };
        self.counters.asked(Some(&request));
        match self.try_answer(&request, Haste::Now) {
            Some((reply, _)) => Handled::Answered(reply),
            None => Handled::Later(request),
        }
    }

    /// Answers a request, however long it takes, and says which lists [`Service::keep`] is to read.
    pub fn answer(&self, request: &Request) -> (Reply, Vec<ListName>) {
        let answered = catch_unwind(AssertUnwindSafe(|| self.try_answer(request, Haste::Soon)));
        answered.ok().flatten().unwrap_or_else(|| (self.failed(), Vec::new()))
    }

    /// Reads lists, so that they are at hand.
    pub fn keep(&self, names: &[ListName]) {
        if names.is_empty() {
            return;
        }
        let Ok(fresh) = self.current.get() else { return };
        let keep = || answer::keep(&fresh, &self.cache, names);
        if catch_unwind(AssertUnwindSafe(keep)).is_err() {
            let _ = self.failed();
        }
    }

    /// Whether other questions about the same list need not wait for this one.
    pub fn is_at_hand(&self, request: &Request) -> bool {
        let (Ok(fresh), Some(list)) = (self.current.get(), request.list()) else { return true };
        let look = || answer::is_at_hand(&fresh, &self.cache, list);
        catch_unwind(AssertUnwindSafe(look)).unwrap_or(true)
    }

    fn try_answer(&self, request: &Request, haste: Haste) -> Option<(Reply, Vec<ListName>)> {
        let reply = match request {
            Request::Ping => Reply::accept(format!("mm-query {}\n", env!("CARGO_PKG_VERSION"))),
            Request::Status => Reply::accept(self.counters.status(self)),
            Request::Metrics => Reply::accept(self.counters.metrics(self)),
            question => match self.current.get() {
                Ok(fresh) => return answer::answer(&fresh, &self.cache, question, haste),
                Err((status, why)) => {
                    self.log.line(Level::Error, &why);
                    Reply::error(status, &why)
                }
            },
        };
        Some((reply, Vec::new()))
    }

    /// Reads the site's settings again.
    pub fn reload(&self) {
        match self.current.reread() {
            Ok(_) => self.log.line(Level::Notice, "read the site's settings again"),
            Err((_, why)) => self.log.line(Level::Error, why),
        }
    }

    fn failed(&self) -> Reply {
        self.counters.panics.fetch_add(1, Relaxed);
        self.log.line(Level::Error, "internal error at a request");
        Reply::error(Status::Internal, "internal error")
    }
}
