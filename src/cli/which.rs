//! The lists that a command is about, and those that it could not deal with.

use crate::answer::one_line;
use crate::cli::progress::Progress;
use crate::cli::{Failure, workers};
use crate::exit::Status;
use crate::list::name::{ListAddress, ListName};
use crate::list::store::Wanted;
use crate::list::survey::Survey;
use crate::site::Site;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// A list that was not dealt with, as it was called, and why.
pub(super) struct Failed {
    pub(super) list: String,
    pub(super) status: Status,
    pub(super) why: String,
}

impl Failed {
    pub(super) fn new(list: impl ToString, failure: impl Into<Failure>) -> Failed {
        let Failure(status, error) = failure.into();
        Failed { list: list.to_string(), status, why: format!("{error:#}") }
    }
}

/// The lists of these names, or all lists, each once.
pub(super) fn find(
    site: &Site,
    names: &[OsString],
) -> Result<(Vec<ListName>, Vec<Failed>), Failure> {
    let mut failed = Vec::new();
    let mut lists = Vec::new();
    if names.is_empty() {
        for name in site.lists.names()? {
            match site.lists.has(&name) {
                Ok(true) => lists.push(name),
                Ok(false) => {}
                Err(error) => failed.push(Failed::new(&name, error)),
            }
        }
        return Ok((lists, failed));
    }
    let mut seen = BTreeSet::new();
    for text in names {
        match named(site, text.as_bytes()) {
            Ok(name) if seen.insert(name.clone()) => lists.push(name),
            Ok(_) => {}
            Err(failure) => failed.push(Failed::new(text.to_string_lossy(), failure)),
        }
    }
    Ok((lists, failed))
}

/// A name alone is the directory's; with a domain, the list has to be looked at.
fn named(site: &Site, text: &[u8]) -> Result<ListName, Failure> {
    let address = ListAddress::parse(text).map_err(crate::site::Error::Name)?;
    if address.domain.is_some() {
        return Ok(site.load(text, Wanted::of_senders(&[]))?.name);
    }
    if !site.lists.has(&address.name)? {
        return Err(crate::list::store::Error::no_such_list(&address.name).into());
    }
    Ok(address.name)
}

/// Attributes of all lists of these names, several at a time, and what could not be read.
pub(super) fn survey(site: &Site, names: &[ListName], keys: &[&str]) -> (Vec<Survey>, Vec<Failed>) {
    let progress = Progress::new(names.len());
    let read = workers::all(names, |name| {
        progress.step(name.as_str());
        site.lists.survey(name, keys, &|key| site.list_default(key))
    });
    let (mut lists, mut failed) = (Vec::new(), Vec::new());
    for (name, read) in names.iter().zip(read) {
        match read {
            Ok(list) => lists.push(list),
            Err(error) => failed.push(Failed::new(name, error)),
        }
    }
    (lists, failed)
}

/// The status of the first list that failed.
pub(super) fn status(failed: &[Failed]) -> Option<Status> {
    failed.first().map(|failed| failed.status)
}

/// A line for each list that failed.
pub(super) fn complaints(failed: &[Failed]) -> String {
    failed
        .iter()
        .map(|f| format!("mm-query: {}: {}\n", one_line(&f.list), one_line(&f.why)))
        .collect()
}

/// The lists that failed, for `--json`.
pub(super) fn as_json(failed: &[Failed]) -> Vec<serde_json::Value> {
    let one =
        |f: &Failed| serde_json::json!({"list": f.list, "error": f.why, "status": f.status.code()});
    failed.iter().map(one).collect()
}
