//! What an administrator wants to know of a list: settings of all kinds, and how many members.

use super::identity::Seen;
use super::kept::{DIGEST_MEMBER, KEPT, MEMBER, MODERATED};
use super::name::ListName;
use super::store::{DICTS, Error, ListsDir, SiteDefault, both_forms};
use super::value::{PyValue, decode};
use crate::pickle::{self, Dict, Picked, Request, Roll};
use crate::python::Python;
use crate::python::text::PyStr;
use std::collections::{BTreeMap, HashMap, HashSet};

/// How many members a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// All, each once.
    pub members: usize,
    /// Those with digests.
    pub digests: usize,
    /// Those whose posts are moderated.
    pub moderated: usize,
}

/// Some of a list's attributes, of whatever type they are.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Its directory's name.
    pub name: ListName,
    /// Which Python wrote it, and so whose rules its patterns follow.
    pub python: Python,
    /// Its members; `None` where its dictionaries are not as Mailman writes them.
    pub counts: Option<Counts>,
    /// Bytes of its file.
    pub size: u64,
    /// `config.pck` is damaged or gone, and another file was read.
    pub fell_back: bool,
    /// What an administrator should know of its files.
    pub warnings: Vec<String>,
    values: BTreeMap<String, PyValue>,
}

impl Survey {
    /// A value; that of the site in the place of one that Mailman would fill in.
    pub fn value(&self, key: &str) -> Option<&PyValue> {
        self.values.get(key)
    }

    /// A number. `None`: absent, or something else.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.value(key)?.number()
    }

    /// Whether Python takes the value for true; absent is false.
    pub fn is_on(&self, key: &str) -> bool {
        self.value(key).and_then(PyValue::truth).unwrap_or(false)
    }

    /// A text; empty where there is none.
    pub fn text(&self, key: &str) -> String {
        match self.value(key) {
            Some(PyValue::Str(text)) => text.to_lossy().into_owned(),
            _ => String::new(),
        }
    }

    /// The strings of a list; a text's lines, as the web pages of old made them.
    pub fn strings(&self, key: &str) -> Vec<PyStr> {
        match self.value(key) {
            Some(PyValue::List(items)) => strings(items),
            Some(PyValue::Str(text)) => lines(text),
            _ => Vec::new(),
        }
    }
}

/// The strings among values.
fn strings(items: &[PyValue]) -> Vec<PyStr> {
    let string = |item: &PyValue| match item {
        PyValue::Str(string) => Some(string.clone()),
        _ => None,
    };
    items.iter().filter_map(string).collect()
}

/// The lines of a text that are not blank.
pub fn lines(text: &PyStr) -> Vec<PyStr> {
    let bytes = text.as_bytes().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let like = |line: &[u8]| match text {
        PyStr::Bytes(_) => PyStr::Bytes(line.to_vec()),
        PyStr::Text(_) => PyStr::Text(String::from_utf8_lossy(line).into_owned()),
    };
    bytes.filter(|line| !line.is_empty()).map(like).collect()
}

impl ListsDir {
    /// Reads attributes of a list, and counts its members.
    ///
    /// # Errors
    /// [`Error`]
    pub fn survey(
        &self,
        name: &ListName,
        keys: &[&str],
        site_default: SiteDefault<'_>,
    ) -> Result<Survey, Error> {
        let request = Request { keys, dicts: &DICTS, addresses: &[] };
        let mut seen = Seen::default();
        let (enrolled, warnings) =
            self.first(name, &mut seen, |file| pickle::enroll(file, &[request], &KEPT))?;
        let counts = enrolled.roll.as_ref().map(counts);
        let (picked, warnings) = match enrolled.picked.into_iter().next() {
            Some(Ok(picked)) => (picked, warnings),
            // It may lie in another file.
            _ => self.pick(name, &request)?,
        };
        let size = seen.files.iter().rev().find_map(|(_, file)| *file);
        let fell_back = seen.files.last().is_some_and(|(file, _)| *file != "config.pck");
        Ok(Survey {
            name: name.clone(),
            python: picked.python,
            counts,
            size: size.map_or(0, |file| file.size),
            fell_back,
            warnings,
            values: values(picked, keys, site_default),
        })
    }
}

/// What dictionaries of a list have under one address.
#[derive(Debug, Default, Clone)]
pub struct Entries(BTreeMap<String, PyValue>);

impl Entries {
    /// The values in these dictionaries, if any; a value of an unknown type is one.
    pub fn of<const N: usize>(&self, dicts: &[&str; N]) -> [Option<&PyValue>; N] {
        dicts.map(|dict| self.0.get(dict))
    }
}

impl ListsDir {
    /// Looks addresses up in dictionaries of a list, in one walk of its file; the answers are in the
    /// addresses' order.
    ///
    /// # Errors
    /// [`Error`]
    pub fn entries(
        &self,
        name: &ListName,
        dicts: &[&str],
        addresses: &[PyStr],
    ) -> Result<Vec<Entries>, Error> {
        // Either Python may have written the list, and a request has each form once.
        let forms: HashSet<PyStr> = addresses.iter().flat_map(both_forms).collect();
        let forms: Vec<PyStr> = forms.into_iter().collect();
        let (picked, _) = self.pick(name, &Request { keys: &[], dicts, addresses: &forms })?;
        let mut of_forms: HashMap<&PyStr, Entries> = HashMap::new();
        for (dict, found) in picked.dicts {
            let Dict::Entries(values) = found else { continue };
            for (form, value) in forms.iter().zip(values) {
                if let Some(value) = value {
                    of_forms.entry(form).or_default().0.insert(dict.clone(), decode(value));
                }
            }
        }
        let of_address = |address: &PyStr| {
            let mut all = Entries::default();
            for form in both_forms(address).iter().rev() {
                all.0.extend(of_forms.get(form).cloned().unwrap_or_default().0);
            }
            all
        };
        Ok(addresses.iter().map(of_address).collect())
    }
}

/// Someone in both dictionaries is counted as one, with digests.
fn counts(roll: &Roll) -> Counts {
    let (regular, digests) = (roll.count(MEMBER), roll.count(DIGEST_MEMBER));
    let both = roll.count(MEMBER | DIGEST_MEMBER);
    let moderated = roll.count(MEMBER | MODERATED) + roll.count(DIGEST_MEMBER | MODERATED)
        - roll.count(MEMBER | DIGEST_MEMBER | MODERATED);
    Counts { members: regular + digests - both, digests, moderated }
}

fn values(
    mut picked: Picked,
    keys: &[&str],
    site_default: SiteDefault<'_>,
) -> BTreeMap<String, PyValue> {
    let mut value = |key: &&str| {
        let own = picked.values.remove(*key).map(decode);
        Some(((*key).to_owned(), own.or_else(|| site_default(key))?))
    };
    keys.iter().filter_map(&mut value).collect()
}
