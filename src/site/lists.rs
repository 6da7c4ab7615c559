//! A list of a site by what people and Exim call it.

use super::{Error, Site};
use crate::list::name::{ListAddress, ListName};
use crate::list::store::{Error as StoreError, Lists, Loaded, Wanted};
use crate::list::value::PyValue;

impl Site {
    /// Reads the list that `text` names: `name`, or `name@domain`, which is the list `name` if
    /// that is its domain, else the list `name_domain` as cPanel calls it.
    ///
    /// # Errors
    /// [`Error`]
    pub fn load(&self, text: &[u8], wanted: Wanted<'_>) -> Result<Loaded, Error> {
        self.load_from(&self.lists, text, wanted)
    }

    /// The same from another place than the files themselves.
    ///
    /// # Errors
    /// [`Error`]
    pub fn load_from(
        &self,
        lists: &dyn Lists,
        text: &[u8],
        wanted: Wanted<'_>,
    ) -> Result<Loaded, Error> {
        let load = |name| lists.load(name, wanted, &|key| self.list_default(key));
        let list = ListAddress::parse(text).map_err(Error::Name)?;
        let Some(domain) = &list.domain else {
            return Ok(load(&list.name)?);
        };
        let plain = match load(&list.name) {
            Ok(loaded) if has_domain(&loaded, domain) => return Ok(loaded),
            Ok(_) | Err(StoreError::NoSuchList(_)) => None,
            // A broken list of that name may still be another domain's.
            Err(error) => Some(error),
        };
        let missing = || {
            let shown = crate::answer::one_line(&String::from_utf8_lossy(text));
            StoreError::NoSuchList(format!("no such list: {shown}"))
        };
        let Some(cpanel) = list.cpanel_name() else {
            return Err(plain.unwrap_or_else(missing).into());
        };
        match load(&cpanel) {
            Err(StoreError::NoSuchList(_)) => Err(plain.unwrap_or_else(missing).into()),
            other => Ok(other?),
        }
    }

    /// Reads the list in the directory of this name.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn load_name(&self, name: &ListName, wanted: Wanted<'_>) -> Result<Loaded, StoreError> {
        self.lists.load(name, wanted, &|key| self.list_default(key))
    }
}

fn has_domain(list: &Loaded, domain: &[u8]) -> bool {
    match list.settings.host_name.value() {
        Some(PyValue::Str(host)) => host.as_bytes().eq_ignore_ascii_case(domain),
        _ => false,
    }
}
