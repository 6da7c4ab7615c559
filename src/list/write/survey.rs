//! All locks of a site: whose they are, and which of them nobody holds any longer.

use super::Error;
use super::lock::LIFETIME;
use super::lock_dir::{Holder, LockDir, MASTER, Seen};
use rustix::io::Errno;
use rustix::process::Pid;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::{Duration, SystemTime};

/// How the locks of lists, and most others, end.
const SUFFIX: &[u8] = b".lock";

/// What a file of the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A lock.
    Lock,
    /// A claim that is not the second name of a lock: its process waits, or has died waiting.
    Claim,
}

/// Whether somebody still holds a lock, or waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is within its lifetime, and its process may be there.
    Live,
    /// Its lifetime has ended: Mailman itself breaks such a lock when it next wants it.
    Expired,
    /// It is within its lifetime, but its process on this host is gone. Mailman would wait.
    Gone,
}

/// A lock, or a claim that is left.
#[derive(Debug, Clone)]
pub struct Found {
    /// The file's name.
    pub file: OsString,
    /// The name of the lock that it is, or is a claim on.
    pub lock: OsString,
    /// Which of the two.
    pub role: Role,
    /// Whose it is, as far as that can be told.
    pub holder: Option<Holder>,
    /// Whether that process is on this host.
    pub local: bool,
    /// Whether a process of that number runs here; nothing if it is on another host.
    pub running: Option<bool>,
    /// Whether somebody still holds it or waits.
    pub state: State,
    /// Since it was taken or last refreshed.
    pub age: Duration,
    /// Until its lifetime ends, or else since then.
    pub left: Result<Duration, Duration>,
    seen: Seen,
}

/// What became of a stale lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// Meanwhile it has been refreshed, taken anew or removed.
    Changed,
}

impl LockDir {
    /// All locks, and claims that belong to none, sorted by name.
    ///
    /// # Errors
    /// [`Error::Failed`]
    pub fn survey(&self) -> Result<Vec<Found>, Error> {
        let failed = |e: Errno| Error::failed("read the directory of locks", self.path())(e);
        let (mut locks, mut claims) = (Vec::new(), Vec::new());
        for entry in rustix::fs::Dir::read_from(&self.handle).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let file = OsString::from_vec(entry.file_name().to_bytes().to_vec());
            match role(&file) {
                Some((Role::Lock, _)) => locks.extend(self.found(Role::Lock, &file, &file)?),
                Some((Role::Claim, lock)) => {
                    claims.extend(self.found(Role::Claim, &file, &lock)?)
                }
                None => {}
            }
        }
        // The claim of a held lock is the same file as the lock.
        claims
            .retain(|c: &Found| !locks.iter().any(|l: &Found| l.seen.identity == c.seen.identity));
        locks.append(&mut claims);
        locks.sort_by(|a, b| (&a.lock, &a.file).cmp(&(&b.lock, &b.file)));
        Ok(locks)
    }

    /// A file as it is now; nothing if it is gone, or is no file.
    fn found(&self, role: Role, file: &OsStr, lock: &OsStr) -> Result<Option<Found>, Error> {
        let Some(seen) = self.look(file)?.filter(Seen::is_file) else { return Ok(None) };
        let holder = match role {
            Role::Lock => self.holder_of(lock),
            Role::Claim => self.holder_in(lock, file),
        };
        let now = SystemTime::now();
        let local = holder.as_ref().is_some_and(|h| h.host == self.host());
        let running = holder.as_ref().filter(|_| local).map(|h| is_running(h.pid));
        Ok(Some(Found {
            file: file.to_owned(),
            lock: lock.to_owned(),
            role,
            holder,
            local,
            running,
            state: judge(role, seen.is_expired(now), running),
            age: now.duration_since(seen.changed).unwrap_or_default(),
            left: seen.expires.duration_since(now).map_err(|e| e.duration()),
            seen,
        }))
    }

    /// Removes a stale lock and the claim named in it, or a claim that is left, after another look.
    ///
    /// # Errors
    /// [`Error::Failed`]
    pub fn remove(&self, stale: &Found) -> Result<Removal, Error> {
        let again = self.found(stale.role, &stale.file, &stale.lock)?;
        let same = again.is_some_and(|now| {
            let unchanged = now.seen == stale.seen && now.holder == stale.holder;
            unchanged && now.state != State::Live
        });
        if !same {
            return Ok(Removal::Changed);
        }
        let removed = match stale.role {
            Role::Lock => self.remove_lock(&stale.lock, &stale.seen, LIFETIME)?,
            Role::Claim => {
                self.unlink(&stale.file)?;
                true
            }
        };
        Ok(if removed { Removal::Removed } else { Removal::Changed })
    }
}

/// What the file of this name is, and of which lock.
fn role(file: &OsStr) -> Option<(Role, OsString)> {
    let name = file.as_bytes();
    if name.ends_with(SUFFIX) || name == MASTER.as_bytes() {
        return Some((Role::Lock, file.to_owned()));
    }
    let master = [MASTER.as_bytes(), b"."].concat();
    let end = if name.starts_with(&master) {
        MASTER.len()
    } else {
        // The last one: a list's name, too, may have ".lock." in it.
        let suffix = [SUFFIX, b"."].concat();
        name.windows(suffix.len()).rposition(|part| part == suffix)? + SUFFIX.len()
    };
    Some((Role::Claim, OsString::from_vec(name.get(..end)?.to_vec())))
}

/// Mailman goes by time alone; it never looks for the process (RULES 9.2).
fn judge(role: Role, expired: bool, running: Option<bool>) -> State {
    match (role, expired, running) {
        (Role::Claim, _, Some(true)) => State::Live,
        (_, true, _) => State::Expired,
        (_, false, Some(false)) => State::Gone,
        (_, false, _) => State::Live,
    }
}

/// Whether there is a process of this number. It may be another than the one that took the lock.
fn is_running(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    rustix::process::test_kill_process(pid) != Err(Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_names() {
        let of = |name: &str| role(OsStr::new(name)).map(|(r, l)| (r, l.into_string().unwrap()));
        let lock = |name: &str| Some((Role::Lock, name.to_owned()));
        let claim = |name: &str| Some((Role::Claim, name.to_owned()));
        assert_eq!(of("team.lock"), lock("team.lock"));
        assert_eq!(of("master-qrunner"), lock("master-qrunner"));
        assert_eq!(of("gate_news.lock"), lock("gate_news.lock"));
        assert_eq!(of("team.lock.mail.example.org.12.0"), claim("team.lock"));
        assert_eq!(of("a.lock.b.lock.mail.12.0"), claim("a.lock.b.lock"));
        assert_eq!(of("a.lock.b.lock"), lock("a.lock.b.lock"));
        assert_eq!(of("master-qrunner.mail.12"), claim("master-qrunner"));
        assert_eq!(of("README"), None);
    }

    #[test]
    fn a_lock_is_stale_by_its_time_or_by_its_process() {
        for (role, expired, running, state) in [
            (Role::Lock, false, Some(true), State::Live),
            (Role::Lock, false, None, State::Live),
            (Role::Lock, false, Some(false), State::Gone),
            (Role::Lock, true, Some(true), State::Expired),
            (Role::Lock, true, Some(false), State::Expired),
            (Role::Lock, true, None, State::Expired),
            // A waiter does not refresh its claim.
            (Role::Claim, true, Some(true), State::Live),
            (Role::Claim, false, Some(false), State::Gone),
            (Role::Claim, false, None, State::Live),
            (Role::Claim, true, None, State::Expired),
        ] {
            assert_eq!(judge(role, expired, running), state, "{role:?} {expired} {running:?}");
        }
    }
}
