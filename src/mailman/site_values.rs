//! The site's settings that rules read, as plain values (RULES §10).

use crate::list::value::PyValue;
use crate::mailman::verdict::Stop;
use std::collections::BTreeMap;

/// Settings of `mm_cfg.py` by their names there. A setting that the file makes in a way that a
/// reader of literals cannot follow holds the reason instead of a value.
#[derive(Debug, Clone, Default)]
pub struct SiteValues {
    values: BTreeMap<&'static str, Result<Option<PyValue>, String>>,
    /// Whether `GLOBAL_PIPELINE` is the site's own, and not Mailman's.
    pub own_pipeline: bool,
}

impl SiteValues {
    /// All that the rules of whole messages ask for.
    pub const NAMES: [&'static str; 11] = [
        "ARCHIVE_HTML_SANITIZER",
        "DEFAULT_MAIL_COMMANDS_MAX_LINES",
        "DISCARD_MESSAGE_WITH_NO_COMMAND",
        "GLOBAL_PIPELINE",
        "HTML_TO_PLAIN_TEXT_COMMAND",
        "KNOWN_SPAMMERS",
        "NORMALIZE_FORM",
        "OWNERS_CAN_PRESERVE_FILTERED_MESSAGES",
        "TRUSTEDLOCALSERVER",
        "TRUSTEDREMOTESERVER",
        "VERP_CONFIRM_REGEXP",
    ];

    /// Asks for each of [`SiteValues::NAMES`]: nothing where neither the site nor Mailman sets it,
    /// an error where it cannot be told.
    pub fn new(
        own_pipeline: bool,
        ask: impl Fn(&str) -> Result<Option<PyValue>, String>,
    ) -> SiteValues {
        let values = SiteValues::NAMES.iter().map(|name| (*name, ask(name))).collect();
        SiteValues { values, own_pipeline }
    }

    /// The value of a setting, if anybody sets it.
    ///
    /// # Errors
    /// [`Stop::Unknowable`] where it cannot be followed.
    pub fn get(&self, name: &str) -> Result<Option<&PyValue>, Stop> {
        match self.values.get(name) {
            Some(Ok(value)) => Ok(value.as_ref()),
            Some(Err(why)) => Err(Stop::Unknowable(why.clone())),
            None => Err(Stop::Unknowable(format!("{name} was not asked for"))),
        }
    }

    /// The value of a setting that Mailman's own `Defaults.py` makes.
    ///
    /// # Errors
    /// As [`SiteValues::get`].
    pub fn known(&self, name: &str) -> Result<&PyValue, Stop> {
        self.get(name)?.ok_or_else(|| Stop::Unknowable(format!("nobody sets {name}")))
    }
}
