//! An entry put in a list's `ban_list`, or taken out of it.

use super::Error;
use super::lock::Lock;
use super::lock_dir::LockDir;
use super::save::{Current, ListDir, Saved};
use crate::limits;
use crate::list::name::ListName;
use crate::list::settings::DATA_VERSION;
use crate::list::store::ListsDir;
use crate::list::value::{PyValue, decode};
use crate::mailman::bans::{Ban, Entry, banned_by};
use crate::pickle::{self, EditError, Request, StringList, dict_keys};
use crate::python::Python;
use crate::python::re::Budget;
use crate::python::text::PyStr;
use std::time::Duration;

/// The attribute that is changed.
const BAN_LIST: &str = "ban_list";

/// The dictionaries whose keys are a list's members.
const MEMBERS: [&str; 2] = ["members", "digest_members"];

/// How often a change begins anew because its lock was lost. Mailman takes a lock away by mistake
/// once in many thousand times.
const ATTEMPTS: usize = 20;

/// What is to become of a list.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// The entry is to be in its ban list.
    Add(&'a Entry),
    /// No such entry is to be in its ban list.
    Remove(&'a Entry),
}

/// What a change is, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Whether the list is another one by it.
    pub changed: bool,
    /// The entries that were put in, taken out, or there already.
    pub entries: Vec<String>,
    /// Another entry of the list that bans the address.
    pub also_by: Option<String>,
    /// What went wrong afterwards.
    pub warning: Option<String>,
}

/// A change worked out on one state of a list's file.
struct Plan {
    /// The new file, if it is another.
    bytes: Option<Vec<u8>>,
    done: Done,
}

/// Members whom an entry would ban.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// The first of them.
    pub some: Vec<String>,
    /// How many they are.
    pub count: usize,
    /// Whether some could not be compared: it would have taken too long.
    pub unsure: bool,
}

/// A list's file, looked at before anything is changed.
pub struct Preview {
    current: Current,
    python: Python,
}

impl Preview {
    /// Reads a list without its lock.
    ///
    /// # Errors
    /// [`Error`]
    pub fn read(lists: &ListsDir, name: &ListName) -> Result<Preview, Error> {
        let current = ListDir::open(lists, name)?.read()?;
        let python = check_version(&current.bytes)?;
        Ok(Preview { current, python })
    }

    /// Which Mailman wrote the list.
    pub fn python(&self) -> Python {
        self.python
    }

    /// What the change would do now.
    ///
    /// # Errors
    /// [`Error`]
    pub fn plan(&self, change: Change<'_>) -> Result<Done, Error> {
        plan(&self.current.bytes, change).map(|plan| plan.done)
    }

    /// The members whom `ban` hits, no more than `most` of them by name.
    ///
    /// # Errors
    /// [`Error::Refused`] where the members cannot be told.
    pub fn members_hit(&self, ban: &Ban, most: usize) -> Result<Hits, Error> {
        let mut hits = Hits::default();
        let mut budget = Budget::new(limits::PATTERN_STEPS);
        for dict in MEMBERS {
            let mut look = |member: PyStr| match ban.hits(&member, self.python, &mut budget) {
                Some(false) => {}
                None => hits.unsure = true,
                Some(true) => {
                    hits.count += 1;
                    if hits.some.len() < most {
                        hits.some.push(member.to_lossy().into_owned());
                    }
                }
            };
            dict_keys(&self.current.bytes, dict, &mut look)
                .map_err(|e| Error::Refused(format!("its members: {e}")))?;
        }
        hits.some.sort();
        Ok(hits)
    }
}

/// Makes the change under the list's lock, for which it waits no longer than `wait`.
///
/// When this says that the list has changed, the new file is on disk.
///
/// # Errors
/// [`Error`]: the list is as it was, unless a step after the rename failed ([`ListDir::replace`]).
pub fn change(
    lists: &ListsDir,
    locks: &LockDir,
    name: &ListName,
    change: Change<'_>,
    wait: Duration,
) -> Result<Done, Error> {
    // What an earlier attempt wrote, which somebody may have saved over.
    let mut written: Option<Done> = None;
    for _ in 0..ATTEMPTS {
        let lock = Lock::take(locks, name, wait)?;
        let dir = ListDir::open(lists, name)?;
        let current = dir.read()?;
        let Plan { bytes, done } = plan(&current.bytes, change)?;
        let Some(bytes) = bytes else {
            let warning = release(lock);
            return Ok(Done { warning, ..written.unwrap_or(done) });
        };
        let saved = dir.replace(&current, &bytes, locks.host(), &lock)?;
        let warning = release(lock);
        match saved {
            Saved::Done => return Ok(Done { warning, ..done }),
            Saved::LostBefore => {}
            Saved::LostAfter => written = Some(done),
        }
    }
    Err(Error::Unsteady("its lock was taken away each time".to_owned()))
}

/// Gives a lock back, or says why all others have to wait for the end of its lifetime.
fn release(lock: Lock<'_>) -> Option<String> {
    lock.release().err().map(|e| format!("its lock stays for a minute: {e}"))
}

/// Works the change out.
fn plan(bytes: &[u8], change: Change<'_>) -> Result<Plan, Error> {
    let python = check_version(bytes)?;
    let list = StringList::find(bytes, BAN_LIST).map_err(refused)?;
    let (Change::Add(entry) | Change::Remove(entry)) = change;
    let (there, others): (Vec<PyStr>, Vec<PyStr>) =
        list.entries().iter().cloned().partition(|stored| entry.is(stored, python));
    let mut entries: Vec<String> = there.iter().map(|e| e.to_lossy().into_owned()).collect();
    let new = match change {
        Change::Add(_) if !there.is_empty() => None,
        Change::Remove(_) if there.is_empty() => None,
        Change::Remove(_) => Some(list.without(&|stored| entry.is(stored, python))),
        Change::Add(_) => {
            let native = entry.native(python).ok_or_else(|| {
                Error::Refused("the port holds text, and the entry is no UTF-8".to_owned())
            })?;
            entries.push(native.to_lossy().into_owned());
            Some(list.with(&native))
        }
    };
    let bytes = new.transpose().map_err(refused)?;
    let also_by = match entry {
        Entry::Address(_) => other_ban(entry, others, python),
        Entry::Verbatim(_) => None,
    };
    Ok(Plan { done: Done { changed: bytes.is_some(), entries, also_by, warning: None }, bytes })
}

/// Which of the other entries bans the same address.
fn other_ban(entry: &Entry, others: Vec<PyStr>, python: Python) -> Option<String> {
    let address = entry.native(python)?;
    let others = PyValue::List(others.into_iter().map(PyValue::Str).collect());
    let found = banned_by(&address, &others, python, &mut Budget::new(limits::PATTERN_STEPS));
    found.ok().flatten().map(|entry| entry.to_lossy().into_owned())
}

/// Fails below the version that Mailman opens without converting the list first (RULES 1.9, 11.2).
fn check_version(bytes: &[u8]) -> Result<Python, Error> {
    let request = Request { keys: &["data_version"], dicts: &[], addresses: &[] };
    let picked = pickle::pick(bytes, &request)
        .map_err(|e| Error::Refused(format!("its config.pck: {e}")))?;
    let version = picked.values.get("data_version").cloned().map(decode);
    match version.and_then(|version| version.number()) {
        Some(version) if version >= DATA_VERSION => Ok(picked.python),
        Some(version) => Err(Error::Refused(format!(
            "its data_version is {version}: Mailman has to open and convert it first"
        ))),
        None => Err(Error::Refused("it has no usable data_version".to_owned())),
    }
}

fn refused(error: EditError) -> Error {
    Error::Refused(format!("its {BAN_LIST}: {error}"))
}
