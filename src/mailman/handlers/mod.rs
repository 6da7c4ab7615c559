//! Mailman's handlers that decide over a post, a file or a folder each, in the order of its
//! pipeline (`Mailman.Handlers`; RULES §6).

pub mod spam_detect;

pub mod approve;

pub mod moderate;
pub mod trusted;

pub mod hold;

pub mod mime_del;

pub mod scrubber;

pub mod emergency;

pub mod calc_recips;

use crate::list::settings::Settings;
use crate::list::value::PyValue;
use crate::mailman::notice::Owner;
use crate::mailman::patterns::Context;
use crate::mailman::post::Post;
use crate::mailman::roster::Roster;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Notice, Stop, Verdict};
use crate::python::text::PyStr;

/// A list as far as handlers look at it.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// Its internal name.
    pub name: &'a str,
    /// Its settings.
    pub settings: &'a Settings,
    /// Memberships of [`moderate::addresses_in_question`].
    pub roster: &'a Roster,
    /// `LIST-owner@host_name`, for its notices.
    pub owner: &'a Owner,
}

/// What a handler is: it may decide over the post, which then goes no further, or change it.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception that nothing catches, or where what it does cannot be
/// known.
pub type Handler =
    fn(&mut Post<'_>, &List<'_>, &SiteValues, &mut Context<'_>) -> Result<Option<Verdict>, Stop>;

/// The handlers that decide, by their names in a pipeline.
pub const BY_NAME: [(&str, Handler); 8] = [
    ("SpamDetect", spam_detect::process),
    ("Approve", approve::process),
    ("Moderate", moderate::process),
    ("Hold", hold::process),
    ("MimeDel", mime_del::process),
    ("Scrubber", scrubber::process),
    ("Emergency", emergency::process),
    ("CalcRecips", calc_recips::process),
];

/// A false value means Mailman's default wording; a true one must be a text.
fn own_notice(
    value: &PyValue,
    format: impl FnOnce(&PyStr) -> Result<PyStr, Stop>,
) -> Result<Notice, Stop> {
    match value {
        value if value.truth() == Some(false) => Ok(Notice::Default),
        PyValue::Str(text) => Ok(Notice::Own(format(text)?)),
        _ => Err(Stop::Shunt("a notice of the list is no text".into())),
    }
}
