//! Which domain does a list belong to?

use super::Source;
use crate::answer::json_line;
use crate::list::store::{Loaded, Wanted};
use crate::list::value::PyValue;
use crate::site::Error;

/// A list's domain.
#[derive(Debug)]
pub struct Domain {
    /// The list as it was read.
    pub list: Loaded,
    /// Its `host_name`; none if the list has none that is a text.
    pub host: Option<String>,
}

impl Domain {
    /// Why there is no answer, where there is none.
    pub fn missing(&self) -> String {
        format!("the list {} has no host_name", self.list.name)
    }

    /// Whether this is the list's domain, ASCII case aside.
    pub fn is(&self, domain: &[u8]) -> bool {
        self.host.as_ref().is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(domain))
    }

    /// The answer as one JSON object; `matches`: whether it is the domain asked about, if there is
    /// one.
    pub fn json(&self, matches: Option<bool>) -> String {
        let answer = serde_json::json!({
            "list": self.list.name.as_str(),
            "domain": self.host,
            "matches": matches,
            "warnings": self.list.warnings,
        });
        json_line(&answer)
    }
}

/// Reads the domain of a list.
///
/// # Errors
/// [`Error`]: the list could not be read.
pub fn of(source: Source<'_>, name: &[u8]) -> Result<Domain, Error> {
    let list = source.site.load_from(source.lists, name, Wanted::of_senders(&[]))?;
    let host = match list.settings.host_name.value() {
        Some(PyValue::Str(host)) => Some(host.to_lossy().into_owned()),
        _ => None,
    };
    Ok(Domain { list, host })
}
