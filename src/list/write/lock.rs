//! The lock of one list, taken and given back as Mailman does (`LockFile.lock`, `refresh`,
//! `unlock`; RULES 9.1 to 9.3).

use super::Error;
use super::lock_dir::{LockDir, Seen, look_at_open, touch};
use crate::list::name::ListName;
use rustix::fs::{AtFlags, Gid, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// For how long we claim a list, counted anew with every step. Should we die, all others wait so
/// long; should we take longer, our change does not take place.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// What a waiter sleeps: this, and up to two seconds more (`LockFile.__sleep`).
const SHORTEST_SLEEP: Duration = Duration::from_millis(10);

/// Claims that are tried one after the other where their names are taken: another container may
/// have our host's name and our process number.
const NAMES: u32 = 100;

/// The number of our next claim.
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A list's lock, which is ours.
#[derive(Debug)]
pub struct Lock<'a> {
    dir: &'a LockDir,
    /// The lock's file name.
    lock: OsString,
    claim: Claim,
    /// Whether it has been given back.
    released: bool,
}

/// Our claim on a lock.
#[derive(Debug)]
struct Claim {
    file: File,
    name: OsString,
    /// Its whole path, which is also what is in it.
    path: Vec<u8>,
}

/// What an attempt came to.
enum Attempt {
    Taken,
    /// The lock is another's.
    Wait,
    /// It is worth another attempt at once.
    Again,
}

impl<'a> Lock<'a> {
    /// Takes the lock of a list, waiting no longer than `wait`, or a little.
    ///
    /// # Errors
    /// [`Error::Locked`] if another kept it; [`Error::Failed`].
    pub fn take(dir: &'a LockDir, list: &ListName, wait: Duration) -> Result<Lock<'a>, Error> {
        let lock = OsString::from(format!("{list}.lock"));
        let claim = Claim::make(dir, &lock)?;
        let mut taken = Lock { dir, lock, claim, released: false };
        // From here on the claim goes with the value, whatever happens.
        taken.wait(Instant::now().checked_add(wait))?;
        Ok(taken)
    }

    fn wait(&mut self, until: Option<Instant>) -> Result<(), Error> {
        loop {
            match self.attempt()? {
                Attempt::Taken => return Ok(()),
                Attempt::Again => continue,
                Attempt::Wait => {}
            }
            if until.is_none_or(|until| Instant::now() > until) {
                let why = match self.dir.holder_of(&self.lock) {
                    Some(holder) => format!("process {} on {}", holder.pid, holder.host),
                    None => "another process".to_owned(),
                };
                return Err(Error::Locked(format!("locked by {why}")));
            }
            std::thread::sleep(sleep());
        }
    }

    fn attempt(&mut self) -> Result<Attempt, Error> {
        self.touch()?;
        match rustix::fs::linkat(
            &self.dir.handle,
            &self.claim.name,
            &self.dir.handle,
            &self.lock,
            AtFlags::empty(),
        ) {
            Ok(()) => {
                self.touch()?;
                // A waiter that found no lock may just have removed ours (RULES 9.3).
                Ok(if self.is_held()? { Attempt::Taken } else { Attempt::Again })
            }
            Err(Errno::EXIST) => self.find_taken(),
            // Whoever broke a lock of ours has taken the claim with it.
            Err(Errno::NOENT) => {
                self.claim = Claim::make(self.dir, &self.lock)?;
                Ok(Attempt::Again)
            }
            Err(e) => Err(Error::failed("make", &self.dir.path_of(&self.lock))(e)),
        }
    }

    /// The lock was there already.
    fn find_taken(&mut self) -> Result<Attempt, Error> {
        // On NFS, a link may have been made although it was reported to fail.
        if self.is_held()? {
            return Ok(Attempt::Taken);
        }
        // Mailman takes a lock that has just gone for one that is stale, and removes whatever has
        // come in its place.
        let Some(seen) = self.dir.look_at_lock(&self.lock)? else { return Ok(Attempt::Again) };
        if !seen.is_expired(SystemTime::now()) {
            return Ok(Attempt::Wait);
        }
        self.dir.remove_lock(&self.lock, &seen, LIFETIME)?;
        Ok(Attempt::Again)
    }

    fn touch(&self) -> Result<(), Error> {
        touch(&self.claim.file, LIFETIME)
            .map_err(Error::failed("touch", &self.dir.path_of(&self.claim.name)))
    }

    /// Counts the lifetime anew, and says whether the lock is still ours.
    ///
    /// # Errors
    /// [`Error::Failed`]
    pub fn refresh(&self) -> Result<bool, Error> {
        self.touch()?;
        self.is_held()
    }

    /// Whether the lock is ours: it has two names, and it says so.
    ///
    /// # Errors
    /// [`Error::Failed`]
    pub fn is_held(&self) -> Result<bool, Error> {
        let Some(lock) = self.dir.look(&self.lock)? else { return Ok(false) };
        let claim = look_at_open(&self.claim.file)
            .map_err(Error::failed("look at", &self.dir.path_of(&self.claim.name)))?;
        let same = |seen: &Seen| seen.identity == claim.identity && seen.paired;
        Ok(same(&lock) && self.dir.content(&self.lock)?.as_ref() == Some(&self.claim.path))
    }

    /// Gives the lock back: first it, then the claim.
    ///
    /// # Errors
    /// [`Error::Failed`]: everybody waits for the end of its lifetime then.
    pub fn release(mut self) -> Result<(), Error> {
        self.give_back()
    }

    fn give_back(&mut self) -> Result<(), Error> {
        self.released = true;
        // That others may not break it while we look is a help, no more.
        let _ = self.touch();
        let lock = match self.is_held() {
            Ok(true) => self.dir.unlink(&self.lock),
            Ok(false) => Ok(()),
            Err(e) => Err(e),
        };
        lock.and(self.dir.unlink(&self.claim.name))
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if !self.released {
            // Who gets here has an error to report already.
            let _ = self.give_back();
        }
    }
}

impl Claim {
    /// Makes a claim that every user of Mailman's group can read, in the directory's own group.
    fn make(dir: &LockDir, lock: &OsStr) -> Result<Claim, Error> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..NAMES {
            let name = claim_name(dir, lock);
            let path = dir.path_of(&name);
            match rustix::fs::openat(&dir.handle, &name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(fd) => {
                    let claim =
                        Claim { file: fd.into(), name, path: path.as_os_str().as_bytes().to_vec() };
                    return match claim.fill(dir) {
                        Ok(()) => Ok(claim),
                        Err(error) => {
                            let _ = dir.unlink(&claim.name);
                            Err(Error::Failed { what: "write", path, source: error })
                        }
                    };
                }
                Err(Errno::EXIST) => {}
                Err(e) => return Err(Error::failed("make", &path)(e)),
            }
        }
        Err(Error::failed("make a claim to", &dir.path_of(lock))(Errno::EXIST))
    }

    fn fill(&self, dir: &LockDir) -> std::io::Result<()> {
        (&self.file).write_all(&self.path)?;
        let group = rustix::fs::fstat(&dir.handle)?.st_gid;
        if self.file.metadata()?.gid() != group {
            // Others than root may be unable to; the mode below will do.
            let _ = rustix::fs::fchown(&self.file, None, Some(Gid::from_raw(group)));
        }
        rustix::fs::fchmod(&self.file, Mode::from_raw_mode(0o664))?;
        Ok(())
    }
}

fn claim_name(dir: &LockDir, lock: &OsStr) -> OsString {
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = lock.to_owned();
    name.push(format!(".{}.{}.{counter}", dir.host(), std::process::id()));
    name
}

/// A random time between the shortest and two seconds more.
fn sleep() -> Duration {
    let mut random = [0u8; 4];
    let _ = rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty());
    let part = f64::from(u32::from_le_bytes(random)) / (f64::from(u32::MAX) + 1.0);
    SHORTEST_SLEEP + Duration::from_secs(2).mul_f64(part)
}
