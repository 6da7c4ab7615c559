//! A list that was read once, for all questions until its file changes.

use super::identity::Seen;
use super::name::ListName;
use super::settings::{Scope, Settings};
use super::store::{DICTS, EXTENSION, Error, ListsDir, Loaded, SiteDefault, Wanted, assemble};
use super::value::{PyValue, Reader};
use crate::mailman::roster::Entries;
use crate::pickle::{self, KeptDict, Picked, Request, Roll};
use crate::python::re::Patterns;
use crate::python::text::PyStr;
use serde_pickle::{HashableValue, Value};
use std::sync::Arc;

pub(super) const MEMBER: u8 = 1;
pub(super) const DIGEST_MEMBER: u8 = 2;
const OPTIONS: u8 = 4;
pub(super) const MODERATED: u8 = 8;

/// The dictionaries whose keys are kept; of a member's options, whether one moderates them.
pub(super) const KEPT: [KeptDict<'_>; 3] = [
    KeptDict { key: "members", mark: MEMBER, bits: None },
    KeptDict { key: "digest_members", mark: DIGEST_MEMBER, bits: None },
    KeptDict {
        key: "user_options",
        mark: OPTIONS,
        bits: Some((crate::mailman::roster::MODERATE, MODERATED)),
    },
];

/// Bytes that a list takes beside what is counted.
const OVERHEAD: usize = 4 << 10;

/// A list that was read, or what was found in its place.
#[derive(Debug)]
pub struct Kept {
    seen: Seen,
    content: Content,
    bytes: usize,
}

#[derive(Debug)]
enum Content {
    Whole(Box<Whole>),
    /// Something about its members is odd, so each question reads the file.
    Streamed,
    /// It cannot be read; no question finds more.
    Broken(Error),
}

#[derive(Debug)]
struct Whole {
    /// The list for questions about senders, without members; unless something odd keeps it from
    /// being read so, then these questions read the file.
    senders: Option<Loaded>,
    /// Likewise for questions about messages.
    messages: Option<Loaded>,
    /// Likewise for questions about subscriptions.
    subscriptions: Option<Loaded>,
    roll: Roll,
}

impl Kept {
    /// Reads a list.
    ///
    /// # Errors
    /// [`Error`], where it may be another one the next time.
    pub fn read(
        lists: &ListsDir,
        name: &ListName,
        site_default: SiteDefault<'_>,
    ) -> Result<Kept, Error> {
        let mut seen = Seen { extended: lists.exists(name, EXTENSION)?, ..Seen::default() };
        let keys = [Scope::Senders, Scope::Messages, Scope::Subscriptions].map(Settings::keys);
        let requests = keys.each_ref().map(|keys| Request { keys, dicts: &DICTS, addresses: &[] });
        let read = lists
            .first(name, &mut seen, |file| pickle::enroll(file, &requests, &KEPT))
            .map(|(enrolled, warnings)| (enrolled.roll, enrolled.picked, warnings));
        let (content, bytes) = match read {
            Ok((Some(roll), picked, warnings)) => {
                // What cannot be picked may lie in another file; each question finds out.
                let mut picked = picked.into_iter().map(Result::ok);
                let mut next = || picked.next().flatten();
                let (senders, messages, subscriptions) = (next(), next(), next());
                let all = [&senders, &messages, &subscriptions];
                let bytes = all.into_iter().flatten().map(weight);
                let bytes = bytes.fold(roll.bytes(), usize::saturating_add);
                let patterns = Arc::new(Patterns::default());
                let list = |picked: Picked| -> Result<Loaded, Error> {
                    let doubts = lists.doubts(name, picked.foreign_class.as_deref())?;
                    let (wanted, warnings) = (Wanted::of_senders(&[]), warnings.clone());
                    let list = assemble(name, wanted, picked, doubts, warnings, site_default);
                    Ok(Loaded { patterns: Some(Arc::clone(&patterns)), ..list })
                };
                let whole = Whole {
                    senders: senders.map(list).transpose()?,
                    messages: messages.map(list).transpose()?,
                    subscriptions: subscriptions.map(list).transpose()?,
                    roll,
                };
                (Content::Whole(Box::new(whole)), bytes)
            }
            Ok(_) => (Content::Streamed, 0),
            Err(error @ (Error::Corrupt(..) | Error::Unsupported(..))) => {
                (Content::Broken(error), 0)
            }
            Err(error) => return Err(error),
        };
        Ok(Kept { seen, content, bytes: bytes.saturating_add(OVERHEAD) })
    }

    /// Whether the list's files are still those that were read.
    ///
    /// # Errors
    /// [`Error::Unreadable`]
    pub fn is_current(&self, lists: &ListsDir, name: &ListName) -> Result<bool, Error> {
        for (file, seen) in &self.seen.files {
            if lists.identity(name, file)? != *seen {
                return Ok(false);
            }
        }
        Ok(lists.exists(name, EXTENSION)? == self.seen.extended)
    }

    /// What a question finds; nothing if it has to read the file.
    pub fn load(&self, wanted: Wanted<'_>) -> Option<Result<Loaded, Error>> {
        let whole = match &self.content {
            Content::Whole(whole) => whole,
            Content::Streamed => return None,
            Content::Broken(Error::Corrupt(path, why)) => {
                return Some(Err(Error::Corrupt(path.clone(), why.clone())));
            }
            Content::Broken(Error::Unsupported(path, why)) => {
                return Some(Err(Error::Unsupported(path.clone(), why.clone())));
            }
            Content::Broken(_) => return None,
        };
        let list = match wanted.scope {
            Scope::Senders => &whole.senders,
            Scope::Messages => &whole.messages,
            Scope::Subscriptions => &whole.subscriptions,
        };
        let mut list = list.clone()?;
        let wrote = list.settings.python;
        if wanted.dialect.is_some_and(|python| python != wrote) {
            return None;
        }
        let reader = Reader { wrote, reads: wrote };
        for address in wanted.addresses {
            whole.look_up(address, reader, &mut list);
        }
        Some(Ok(list))
    }

    /// About how many bytes of memory it takes, compiled patterns aside.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many addresses are kept, and in how many bytes, of which so many are the addresses'
    /// own.
    pub fn members(&self) -> (usize, usize, usize) {
        match &self.content {
            Content::Whole(whole) => {
                (whole.roll.len(), whole.roll.bytes(), whole.roll.string_bytes())
            }
            Content::Streamed | Content::Broken(_) => (0, 0, 0),
        }
    }
}

impl Whole {
    /// Enters what is known of an address into a list that was read without addresses.
    fn look_up(&self, address: &PyStr, reader: Reader, list: &mut Loaded) {
        let marks = self.roll.marks(address);
        let roster = &mut list.roster;
        // A member's own entry in `members` plays no part; see `Roster`.
        let options = if marks & MODERATED != 0 { crate::mailman::roster::MODERATE } else { 0 };
        for (mark, entries, value) in [
            (MEMBER, &mut roster.members, 0),
            (DIGEST_MEMBER, &mut roster.digest_members, 0),
            (OPTIONS, &mut roster.user_options, options),
        ] {
            if let Entries::Found(found) = entries
                && marks & mark != 0
            {
                found.insert(reader.key(address), PyValue::Int(value));
            }
        }
    }
}

/// About the bytes of memory that picked values take once decoded.
fn weight(picked: &Picked) -> usize {
    let mut total = 0usize;
    let mut values: Vec<&Value> = picked.values.values().collect();
    while let Some(value) = values.pop() {
        let own = match value {
            Value::Bytes(bytes) => bytes.len(),
            Value::String(text) => text.len(),
            Value::List(items) | Value::Tuple(items) => {
                values.extend(items);
                0
            }
            Value::Set(items) | Value::FrozenSet(items) => keys_weight(items.iter()),
            Value::Dict(entries) => {
                values.extend(entries.values());
                keys_weight(entries.keys())
            }
            _ => 0,
        };
        total = total.saturating_add(own).saturating_add(size_of::<PyValue>() * 2);
    }
    total
}

fn keys_weight<'a>(keys: impl Iterator<Item = &'a HashableValue>) -> usize {
    let weight = |key: &HashableValue| match key {
        HashableValue::Bytes(bytes) => bytes.len(),
        HashableValue::String(text) => text.len(),
        _ => 0,
    };
    keys.map(|key| weight(key).saturating_add(size_of::<PyValue>())).sum()
}
