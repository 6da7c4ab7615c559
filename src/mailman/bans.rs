//! Entries of ban lists: what an administrator may call for, and whom they ban
//! (`MailList.GetBannedPattern`; RULES 5, 8.2).

use crate::list::value::PyValue;
use crate::mailman::patterns::{Context, OtherList, OtherLists, find_entry};
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::re::{Budget, CompileError, Flags, Pattern};
use crate::python::text::PyStr;
use std::fmt;

/// Bytes of an entry: an address has at most 320 (RFC 5321 4.5.3.1), and a pattern fits in too.
const ENTRY_BYTES: usize = 4_096;

/// Characters that no address of a subscriber has (`Utils.ValidateEmail`), control characters and
/// those above ASCII aside.
const NEVER_IN_ADDRESSES: &[u8] = b"[]()<>|:;^,\\\" ";

/// Something to be banned, or not any longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An address, compared without regard to case.
    Address(Vec<u8>),
    /// A regular expression that begins with `^`, searched for without regard to case; or what bans
    /// nobody, as `@list` does. Compared as it stands.
    Verbatim(Vec<u8>),
}

/// Why something cannot be banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadEntry {
    /// Nothing in it.
    Empty,
    /// Over 4,096 bytes.
    TooLong,
    /// A control character.
    Control,
    /// `@...`, which bans nobody.
    OtherList,
    /// Neither an address that could subscribe, nor a pattern.
    NoAddress,
}

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadEntry::Empty => "nothing to ban",
            BadEntry::TooLong => "longer than 4,096 bytes",
            BadEntry::Control => "a control character in it",
            BadEntry::OtherList => {
                "an entry that begins with @ bans nobody: for a domain, ban a pattern such as \
                 '^.*@example\\.org$'"
            }
            BadEntry::NoAddress => {
                "neither an address that could subscribe, nor a pattern: patterns begin with ^"
            }
        })
    }
}

impl Entry {
    /// What is to be banned.
    ///
    /// # Errors
    /// [`BadEntry`]
    pub fn to_ban(text: &[u8]) -> Result<Entry, BadEntry> {
        let entry = Entry::to_unban(text)?;
        match &entry {
            Entry::Verbatim(text) if text.starts_with(b"@") => Err(BadEntry::OtherList),
            Entry::Address(address) if !may_subscribe(address) => Err(BadEntry::NoAddress),
            _ => Ok(entry),
        }
    }

    /// What is not to be banned any longer: any entry that a list may have.
    ///
    /// # Errors
    /// [`BadEntry`]
    pub fn to_unban(text: &[u8]) -> Result<Entry, BadEntry> {
        match text.trim_ascii() {
            [] => Err(BadEntry::Empty),
            _ if text.len() > ENTRY_BYTES => Err(BadEntry::TooLong),
            _ if text.iter().any(u8::is_ascii_control) => Err(BadEntry::Control),
            _ if text.starts_with(b"^") || text.starts_with(b"@") => {
                Ok(Entry::Verbatim(text.to_vec()))
            }
            address => Ok(Entry::Address(address.to_vec())),
        }
    }

    /// As it stands.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Entry::Address(text) | Entry::Verbatim(text) => text,
        }
    }

    /// As a string of that Python; none if it is no UTF-8 and the port would have to call it text.
    pub fn native(&self, python: Python) -> Option<PyStr> {
        PyStr::native(self.as_bytes(), python)
    }

    /// Whether a list's entry is this one: to Mailman they do the same.
    pub fn is(&self, stored: &PyStr, python: Python) -> bool {
        match self {
            Entry::Verbatim(text) => stored.as_bytes() == text,
            Entry::Address(_) => {
                let special = matches!(stored.as_bytes().first(), Some(b'^' | b'@'));
                let lowered = self.native(python).map(|own| own.lower(python));
                let stored = stored.strip(python).lower(python);
                !special && lowered.is_some_and(|own| own.as_bytes() == stored.as_bytes())
            }
        }
    }
}

fn may_subscribe(address: &[u8]) -> bool {
    let parted = address.iter().position(|c| *c == b'@');
    parted.is_some_and(|at| at > 0 && at + 1 < address.len())
        && !address.iter().any(|c| NEVER_IN_ADDRESSES.contains(c))
}

/// Whom an entry bans, compiled once.
#[derive(Debug)]
pub enum Ban {
    /// This address, lowercased.
    Address(PyStr),
    /// Whoever the pattern is found in.
    Pattern(Pattern),
}

impl Ban {
    /// Makes an entry ready to be compared with addresses, by the rules of that Python.
    ///
    /// # Errors
    /// Why the entry is none there.
    pub fn new(entry: &Entry, python: Python) -> Result<Ban, String> {
        let native = entry.native(python).ok_or("it is no UTF-8, which the port needs")?;
        match entry {
            Entry::Address(_) => Ok(Ban::Address(native.lower(python))),
            Entry::Verbatim(_) => {
                let flags = Flags { ignore_case: true, ..Flags::default() };
                Pattern::compile(&native, flags, python).map(Ban::Pattern).map_err(|e| match e {
                    CompileError::Invalid(why) => format!("Python finds it invalid: {why}"),
                    CompileError::Crash(why) => format!("Mailman would fail on it: {why}"),
                })
            }
        }
    }

    /// Whether it bans this address; unknown if that takes too long to tell.
    pub fn hits(&self, address: &PyStr, python: Python, budget: &mut Budget) -> Option<bool> {
        match self {
            Ban::Address(banned) => Some(address.lower(python) == *banned),
            Ban::Pattern(pattern) => pattern.search(address, budget).ok(),
        }
    }
}

/// The entry of a ban list that bans an address.
///
/// # Errors
/// [`Stop`] where Mailman fails, or takes too long.
pub fn banned_by(
    address: &PyStr,
    ban_list: &PyValue,
    python: Python,
    budget: &mut Budget,
) -> Result<Option<PyStr>, Stop> {
    let mut context =
        Context { python, own_name: "", others: &NotAsked, budget, trail: &mut Vec::new() };
    find_entry(address, ban_list, &mut context)
}

/// A list of strings of `mm_cfg.py` as that Python reads it: the reader takes the file for Python
/// 2's where it can be.
#[must_use]
pub fn site_strings(list: PyValue, python: Python) -> PyValue {
    match (list, python) {
        (PyValue::List(items), Python::Three) => {
            let text = |item| match item {
                PyValue::Str(string) => PyValue::Str(PyStr::Text(string.to_lossy().into_owned())),
                other => other,
            };
            PyValue::List(items.into_iter().map(text).collect())
        }
        (list, _) => list,
    }
}

/// Entries `@list` are not looked at in ban lists.
struct NotAsked;

impl OtherLists for NotAsked {
    fn member_of(&self, _: &PyStr, _: &PyStr) -> OtherList {
        OtherList::Read(false)
    }
}
