//! What becomes of a subscription (`MailList.AddMember`, `Utils.ValidateEmail`; RULES 8.2-8.4).

use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::patterns::{Context, find_entry, find_entry_without_lists};
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::text::PyStr;

/// What Mailman does when somebody asks to be subscribed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Subscribes the address at once.
    Subscribed,
    /// Writes to the address, and subscribes it when that is confirmed.
    Confirm,
    /// Asks the owners.
    Approve,
    /// Writes to the address, and asks the owners when that is confirmed.
    ConfirmAndApprove,
    /// Refuses it.
    Refused(Refusal),
}

/// Why an address cannot subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No address that Mailman takes: the reason, to stand behind "because".
    BadAddress(&'static str),
    /// It is a member already.
    Member,
    /// The list has neither digests nor single messages.
    NoDelivery,
    /// An entry of a ban list matches it.
    Banned(PyStr, BanList),
}

/// Whose ban list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanList {
    /// The list's own.
    OfTheList,
    /// The site's `GLOBAL_BAN_LIST`.
    OfTheSite,
}

/// `Utils.LCDomain`: the part behind the first `@` lowercased.
#[must_use]
pub fn with_lower_domain(address: &PyStr, python: Python) -> PyStr {
    match address {
        PyStr::Bytes(bytes) => match bytes.iter().position(|c| *c == b'@') {
            Some(at) => {
                let (local, domain) = bytes.split_at(at);
                let domain = PyStr::Bytes(domain.to_vec()).lower(python);
                PyStr::Bytes([local, domain.as_bytes()].concat())
            }
            None => address.clone(),
        },
        PyStr::Text(text) => match text.split_once('@') {
            Some((local, domain)) => {
                let domain = PyStr::Text(domain.to_owned()).lower(python);
                PyStr::Text(format!("{local}@{}", domain.to_lossy()))
            }
            None => address.clone(),
        },
    }
}

/// `AddMember` by mail or from the web form. The address has been through [`with_lower_domain`],
/// and its lowercased form looked up in the list's roster. Requests that wait already
/// (`REFUSE_SECOND_PENDING`) and Spamhaus are not asked.
///
/// `of_the_site` is `GLOBAL_BAN_LIST`, or why that is not known.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception that it does not expect, or what it does cannot be
/// known.
pub fn judge(
    list: &List<'_>,
    address: &PyStr,
    of_the_site: &Result<PyValue, String>,
    context: &mut Context<'_>,
) -> Result<Outcome, Stop> {
    if let Some(why) = bad_address(address, context.python) {
        return Ok(Outcome::Refused(Refusal::BadAddress(why)));
    }
    let lowered = address.lower(context.python);
    if list.roster.is_member(&lowered)? {
        return Ok(Outcome::Refused(Refusal::Member));
    }
    if is_own(list, &lowered, context.python)? {
        let why = "it is the list's own address";
        return Ok(Outcome::Refused(Refusal::BadAddress(why)));
    }
    let own = list.settings.ban_list.reached("ban_list")?;
    if let Some(entry) = find_entry_without_lists(address, own, context)? {
        return Ok(Outcome::Refused(Refusal::Banned(entry, BanList::OfTheList)));
    }
    let of_the_site = of_the_site.as_ref().map_err(|why| Stop::Unknowable(why.clone()))?;
    if let Some(entry) = find_entry_without_lists(address, of_the_site, context)? {
        return Ok(Outcome::Refused(Refusal::Banned(entry, BanList::OfTheSite)));
    }
    let settings = list.settings;
    if !settings.nondigestable.is_true("nondigestable")?
        && !settings.digestable.is_true("digestable")?
    {
        return Ok(Outcome::Refused(Refusal::NoDelivery));
    }
    let outcome = by_policy(list, address, context)?;
    if outcome == Outcome::Subscribed {
        // A new member's options are set.
        list.roster.is_moderated(&lowered)?;
    }
    // The port cannot write to it.
    let unmailable = context.python == Python::Three && !address.as_bytes().is_ascii();
    if unmailable && outcome != Outcome::Approve {
        return Err(Stop::Shunt("an address with letters that mail does not carry".into()));
    }
    Ok(outcome)
}

fn by_policy(list: &List<'_>, address: &PyStr, context: &mut Context<'_>) -> Result<Outcome, Stop> {
    let policy = list.settings.subscribe_policy.reached("subscribe_policy")?;
    let is = |number: f64| policy.number() == Some(number);
    if is(0.0) {
        return Ok(Outcome::Subscribed);
    }
    if is(1.0) {
        return Ok(Outcome::Confirm);
    }
    // After a confirmation the policy is looked at again (`MailList.ProcessConfirmation`).
    let automatic = list
        .settings
        .subscribe_auto_approval
        .reached("subscribe_auto_approval")
        .and_then(|entries| Ok(find_entry(address, entries, context)?.is_some()));
    match (is(3.0), automatic) {
        (true, Ok(true)) => Ok(Outcome::Confirm),
        // Whatever comes after it, a confirmation is asked for.
        (true, _) => Ok(Outcome::ConfirmAndApprove),
        (false, Ok(true)) => Ok(Outcome::Subscribed),
        (false, Ok(false)) => Ok(Outcome::Approve),
        (false, Err(stop)) => Err(stop),
    }
}

/// Whether the address, lowercased, is that of the list's posts.
fn is_own(list: &List<'_>, lowered: &PyStr, python: Python) -> Result<bool, Stop> {
    match list.settings.host_name.reached("host_name")? {
        PyValue::Str(host) => {
            let own = [list.name.as_bytes(), b"@", host.as_bytes()].concat();
            let own = PyStr::native(&own, python).map(|own| own.lower(python));
            Ok(own.is_some_and(|own| own.as_bytes() == lowered.as_bytes()))
        }
        _ => Ok(false),
    }
}

/// What `Utils.ValidateEmail` has against an address; nothing if it takes it.
#[must_use]
pub fn bad_address(address: &PyStr, python: Python) -> Option<&'static str> {
    let text = characters(address);
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.contains(&' ') {
        return Some("it has a blank in it");
    }
    if text.iter().any(|c| is_hostile(*c)) {
        return Some("it has a character in it that Mailman takes for an attack");
    }
    // Domains are looked at lowercased (`Utils.ParseEmail`).
    let lowered = characters(&address.lower(python));
    let domain = match lowered.iter().position(|c| *c == '@') {
        None => return Some("it has no domain"),
        Some(0) => return Some("it has nothing before the @"),
        Some(at) => lowered.get(at.saturating_add(1)..).unwrap_or_default(),
    };
    let labels: Vec<&[char]> = domain.split(|c| *c == '.').collect();
    if labels.len() < 2 {
        return Some("its domain has no dot");
    }
    let bad = |label: &&[char]| {
        label.first().is_none_or(|c| *c == '-') || !label.iter().all(|c| is_of_a_domain(*c, python))
    };
    labels.iter().any(bad).then_some("its domain is none")
}

/// Bytes are the characters of their numbers.
fn characters(address: &PyStr) -> Vec<char> {
    match address {
        PyStr::Bytes(bytes) => bytes.iter().map(|c| char::from(*c)).collect(),
        PyStr::Text(text) => text.chars().collect(),
    }
}

/// `Utils._badchars`: its last range ends at `\377`, so the port lets pass what lies beyond.
fn is_hostile(c: char) -> bool {
    "[]()<>|:;^,\\\"".contains(c) || c < ' ' || ('\x7f'..='\u{ff}').contains(&c)
}

/// `Utils._valid_domain`, which ignores case: in Python 3 by Unicode, where two letters more count
/// as an `s` and an `i`.
fn is_of_a_domain(c: char, python: Python) -> bool {
    c.is_ascii_alphanumeric()
        || c == '-'
        || python == Python::Three && matches!(c, '\u{17f}' | '\u{131}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mailman_takes() {
        let bad = |text: &str| bad_address(&PyStr::Bytes(text.into()), Python::Two).is_some();
        for good in ["a@b.c", "a@b-.c-", "a!#$%&'*+/=?{}~@x.y", "A@B.C", "a@1.2", ".@b.c"] {
            assert!(!bad(good), "{good}");
        }
        for text in [
            "",
            "a b@c.d",
            "a",
            "@b.c",
            "a@b",
            "a@b..c",
            "a@.b.c",
            "a@b.c.",
            "a@-b.c",
            "a@b.-c",
            "a@b_.c",
            "a@b@c.d",
            "a,b@c.d",
            "a\"@b.c",
            "caf\u{e9}@b.c",
            "a@b.c\n",
            "a\x7f@b.c",
        ] {
            assert!(bad(text), "{text}");
        }
    }

    #[test]
    fn the_port_lets_more_pass() {
        let bad = |text: &str| bad_address(&PyStr::Text(text.into()), Python::Three).is_some();
        assert!(bad("\u{e9}@b.c") && bad("a@\u{100}.c"));
        assert!(!bad("\u{100}@b.c") && !bad("a@\u{17f}\u{131}\u{212a}.c"));
    }

    #[test]
    fn only_the_domain_is_lowered() {
        let lowered = |text: &str| with_lower_domain(&PyStr::Bytes(text.into()), Python::Two);
        assert_eq!(lowered("Bob@Example.ORG"), PyStr::Bytes(b"Bob@example.org".to_vec()));
        assert_eq!(lowered("BOB"), PyStr::Bytes(b"BOB".to_vec()));
    }
}
