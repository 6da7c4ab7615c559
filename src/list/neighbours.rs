//! The lists beside one, for entries `@name`.

use super::name::{BadName, ListName};
use super::store::{Error, Lists, SiteDefault, Wanted, both_forms};
use crate::mailman::patterns::{OtherList, OtherLists};
use crate::python::Python;
use crate::python::text::PyStr;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The lists beside one; each is read once for each address.
pub struct Neighbours<'a> {
    lists: &'a dyn Lists,
    site_default: SiteDefault<'a>,
    dialect: Option<Python>,
    seen: RefCell<BTreeMap<(ListName, Vec<u8>), OtherList>>,
}

impl<'a> Neighbours<'a> {
    /// All lists, read by the Python that wrote each or by this one.
    pub fn new(
        lists: &'a dyn Lists,
        site_default: SiteDefault<'a>,
        dialect: Option<Python>,
    ) -> Neighbours<'a> {
        Neighbours { lists, site_default, dialect, seen: RefCell::default() }
    }

    fn read(&self, name: &ListName, address: &PyStr) -> OtherList {
        let addresses = both_forms(address);
        let wanted = Wanted { dialect: self.dialect, ..Wanted::of_senders(&addresses) };
        let loaded = match self.lists.load(name, wanted, self.site_default) {
            Ok(loaded) => loaded,
            Err(Error::NoSuchList(_)) => return OtherList::Unknown,
            Err(error @ Error::Corrupt(..)) => return OtherList::Unreadable(error.to_string()),
            Err(error) => return OtherList::Unknowable(error.to_string()),
        };
        if let Some(doubt) = loaded.doubts.first().or(loaded.settings.obstacle.as_ref()) {
            return OtherList::Unknowable(doubt.clone());
        }
        let address = match (loaded.settings.python, address) {
            (Python::Two, address) => PyStr::Bytes(address.as_bytes().to_vec()),
            (Python::Three, address) => PyStr::Text(address.to_lossy().into_owned()),
        };
        match loaded.roster.is_member(&address) {
            Ok(member) => OtherList::Read(member),
            Err(_) => OtherList::Unreadable("it lacks its members".into()),
        }
    }
}

/// Whether nothing but its dots keeps this from being a list's name.
fn is_hidden_name(name: &[u8]) -> bool {
    let dots = name.iter().take_while(|c| **c == b'.').count();
    ListName::parse(name.get(dots..).unwrap_or_default()).is_ok()
}

impl OtherLists for Neighbours<'_> {
    fn member_of(&self, name: &PyStr, address: &PyStr) -> OtherList {
        let name = match ListName::parse(name.as_bytes()) {
            Ok(name) => name,
            // Mailman would open it, if it is there; we open nothing of that name.
            Err(BadName::LeadingDot) if is_hidden_name(name.as_bytes()) => {
                return OtherList::Unknowable("a name that begins with a dot".into());
            }
            Err(_) => return OtherList::Unknown,
        };
        let key = (name, address.as_bytes().to_vec());
        if let Some(known) = self.seen.borrow().get(&key) {
            return known.clone();
        }
        let found = self.read(&key.0, address);
        self.seen.borrow_mut().insert(key, found.clone());
        found
    }
}
