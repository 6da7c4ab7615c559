//! Who is on a list (`Mailman.OldStyleMemberships`; RULES §4).

use crate::list::value::PyValue;
use crate::mailman::verdict::Stop;
use crate::python::text::PyStr;
use std::collections::HashMap;

/// The bit of a member's options that moderates them (`Defaults.Moderate`).
pub const MODERATE: i64 = 128;

/// What one dictionary of the list says of the addresses asked for.
#[derive(Debug, Clone, Default)]
pub enum Entries {
    /// The attribute is absent: reading it raises AttributeError.
    #[default]
    Absent,
    /// It is no dictionary: looking something up in it raises an exception.
    NotADict,
    /// The value of each address that is a key of it.
    Found(HashMap<PyStr, PyValue>),
}

/// Memberships and options of the addresses in question, no others.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// `members`: who gets single messages.
    pub members: Entries,
    /// `digest_members`: who gets digests.
    pub digest_members: Entries,
    /// `user_options`: bit fields.
    pub user_options: Entries,
}

fn find<'a>(
    entries: &'a Entries,
    what: &str,
    address: &PyStr,
) -> Result<Option<&'a PyValue>, Stop> {
    match entries {
        Entries::Absent => Err(Stop::Shunt(format!("the list has no {what}"))),
        Entries::NotADict => Err(Stop::Shunt(format!("the list's {what} is no dictionary"))),
        Entries::Found(found) => Ok(found.get(address)),
    }
}

impl Roster {
    /// Whether a lowercased address is a key of either member dictionary; its value, delivery
    /// status and bounce state play no part.
    ///
    /// # Errors
    /// [`Stop::Shunt`] where Mailman raises an exception.
    pub fn is_member(&self, address: &PyStr) -> Result<bool, Stop> {
        Ok(find(&self.members, "members", address)?.is_some()
            || find(&self.digest_members, "digest_members", address)?.is_some())
    }

    /// Whether a member's Moderate bit is set.
    ///
    /// # Errors
    /// [`Stop::Shunt`] where the options are no integer.
    pub fn is_moderated(&self, address: &PyStr) -> Result<bool, Stop> {
        match find(&self.user_options, "user_options", address)? {
            None => Ok(false),
            Some(options) => match options.integer() {
                Some(bits) => Ok(bits & MODERATE != 0),
                None => Err(Stop::Shunt("a member's options are no integer".into())),
            },
        }
    }
}
