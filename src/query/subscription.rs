//! May this address subscribe?

use super::{Source, unique};
use crate::limits;
use crate::list::neighbours::Neighbours;
use crate::list::settings::Scope;
use crate::list::store::{Loaded, Wanted};
use crate::list::value::PyValue;
use crate::mailman::bans::site_strings;
use crate::mailman::handlers::List;
use crate::mailman::notice::Owner;
use crate::mailman::patterns::Context;
use crate::mailman::subscribe::{self, Outcome, Refusal, bad_address, with_lower_domain};
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::re::Budget;
use crate::python::text::PyStr;
use crate::site::{Error, Site};

/// What became of the question.
#[derive(Debug)]
pub struct Judged {
    /// The list as it was read.
    pub list: Loaded,
    /// What Mailman does, or why that is not known.
    pub outcome: Result<Outcome, String>,
    /// Mailman discards mail to the list's `-request` address that has no command, and mail to its
    /// `-confirm` address that has no code, without a word to anybody. Certain, or false.
    pub unheard: bool,
    /// What was checked, in order; for people.
    pub trail: Vec<String>,
}

/// Judges the subscription of an address (bytes as Mailman gets them) by mail or the web form.
///
/// # Errors
/// [`Error`]: the list could not be read.
pub fn judge(
    site: &Site,
    name: &[u8],
    address: &[u8],
    dialect: Option<Python>,
) -> Result<Judged, Error> {
    judge_from(Source::files(site), name, address, dialect)
}

/// The same with lists from wherever they are.
///
/// # Errors
/// [`Error`]: the list could not be read.
pub fn judge_from(
    source: Source<'_>,
    name: &[u8],
    address: &[u8],
    dialect: Option<Python>,
) -> Result<Judged, Error> {
    // Which Python applies is known only when the list is read.
    let in_each = [Python::Two, Python::Three].map(|python| {
        PyStr::native(address, python).map(|given| with_lower_domain(&given, python).lower(python))
    });
    let known = unique(in_each.into_iter().flatten());
    let wanted = Wanted { scope: Scope::Subscriptions, addresses: &known, dialect };
    let list = source.site.load_from(source.lists, name, wanted)?;
    let mut trail = vec![source.site.describe()];
    let outcome = match list.doubt() {
        Some(doubt) => Err(doubt),
        None => of_list(source, &list, address, dialect, &mut trail),
    };
    let unheard = list.doubt().is_none() && is_unheard(source.site, &list);
    Ok(Judged { list, outcome, unheard, trail })
}

/// `CommandRunner._dispose`: neither an automatic answer (`Replybot`), nor one that there was no
/// command. What a code looks like must be as `Defaults.py` has it.
fn is_unheard(site: &Site, list: &Loaded) -> bool {
    let values = site.values();
    let discards = values.known("DISCARD_MESSAGE_WITH_NO_COMMAND").map(PyValue::truth);
    let answers = list.settings.autorespond_requests.is_true("autorespond_requests");
    discards == Ok(Some(true))
        && answers == Ok(false)
        && matches!(values.get("VERP_CONFIRM_REGEXP"), Ok(None))
}

fn of_list(
    source: Source<'_>,
    list: &Loaded,
    address: &[u8],
    dialect: Option<Python>,
    trail: &mut Vec<String>,
) -> Result<Outcome, String> {
    let python = list.settings.python;
    let Some(given) = PyStr::native(address, python) else {
        // In text each of these bytes is a character that no domain has.
        let text = PyStr::Text(String::from_utf8_lossy(address).into_owned());
        let why = "the port makes of bytes that are no UTF-8 what the caller gives it";
        return match bad_address(&text, python) {
            Some(bad) => Ok(Outcome::Refused(Refusal::BadAddress(bad))),
            None => Err(why.into()),
        };
    };
    let address = with_lower_domain(&given, python);
    let Source { site, lists } = source;
    let of_the_site = site.global_ban_list().map(|own| site_strings(own, python));
    let site_default = |key: &str| site.list_default(key);
    let others = Neighbours::new(lists, &site_default, dialect);
    let mut context = Context {
        python,
        own_name: list.name.as_str(),
        others: &others,
        budget: &mut Budget::keeping(limits::PATTERN_STEPS, list.patterns.clone()),
        trail,
    };
    let list = List {
        name: list.name.as_str(),
        settings: &list.settings,
        roster: &list.roster,
        // No text of the list's is made.
        owner: &Owner(Vec::new()),
    };
    subscribe::judge(&list, &address, &of_the_site, &mut context).map_err(|stop| match stop {
        Stop::Shunt(why) | Stop::Unknowable(why) => why,
    })
}
