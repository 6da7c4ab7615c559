//! What would become of a subscription, for programs and for people.

use crate::answer::{json_line, one_line};
use crate::mailman::subscribe::{self, BanList, Refusal};
use crate::query::subscription::Judged;
use serde_json::json;

/// Whether Mailman would refuse it.
pub fn is_refused(judged: &Judged) -> bool {
    matches!(judged.outcome, Ok(subscribe::Outcome::Refused(_)))
}

/// The outcome in one word.
pub fn word(judged: &Judged) -> &'static str {
    use subscribe::Outcome::{Approve, Confirm, ConfirmAndApprove, Refused, Subscribed};
    match &judged.outcome {
        Ok(Subscribed) => "ok",
        Ok(Confirm) => "confirm",
        Ok(Approve) => "approve",
        Ok(ConfirmAndApprove) => "confirm+approve",
        Ok(Refused(Refusal::Banned(..))) => "banned",
        Ok(Refused(Refusal::Member)) => "member",
        Ok(Refused(Refusal::BadAddress(_))) => "bad-address",
        Ok(Refused(Refusal::NoDelivery)) => "no-delivery",
        Err(_) => "undecided",
    }
}

/// The outcome in words; may hold any characters of the address.
pub fn sentence(judged: &Judged, address: &[u8]) -> String {
    use subscribe::Outcome::{Approve, Confirm, ConfirmAndApprove, Refused, Subscribed};
    let list = &judged.list.name;
    let address = String::from_utf8_lossy(address);
    let what = match &judged.outcome {
        Ok(Subscribed) => "would be subscribed at once".to_owned(),
        Ok(Confirm) => "would be subscribed once its owner confirms it by mail".to_owned(),
        Ok(Approve) => "would be subscribed once the list's owners approve it".to_owned(),
        Ok(ConfirmAndApprove) => {
            "would be subscribed once its owner confirms it by mail and the list's owners \
             approve it"
                .to_owned()
        }
        Ok(Refused(Refusal::Banned(entry, whose))) => {
            let entry = entry.to_lossy();
            format!("is banned by the entry {entry} of {}", of_whom(*whose))
        }
        Ok(Refused(Refusal::Member)) => "is a member already".to_owned(),
        Ok(Refused(Refusal::BadAddress(why))) => format!("cannot subscribe: {why}"),
        Ok(Refused(Refusal::NoDelivery)) => {
            "cannot subscribe: the list has neither digests nor single messages".to_owned()
        }
        Err(why) => format!("may subscribe for all that is known here: {why}"),
    };
    format!("{list}: {address} {what}")
}

fn of_whom(whose: BanList) -> &'static str {
    match whose {
        BanList::OfTheList => "the list's ban_list",
        BanList::OfTheSite => "the site's GLOBAL_BAN_LIST",
    }
}

/// One JSON object on one line.
pub fn as_json(judged: &Judged, address: &[u8]) -> String {
    let banned = match &judged.outcome {
        Ok(subscribe::Outcome::Refused(Refusal::Banned(entry, whose))) => {
            Some((entry.to_lossy().into_owned(), *whose))
        }
        _ => None,
    };
    let answer = json!({
        "list": judged.list.name.as_str(),
        "address": String::from_utf8_lossy(address),
        "outcome": word(judged),
        "refused": matches!(judged.outcome, Ok(subscribe::Outcome::Refused(_))),
        "entry": banned.as_ref().map(|(entry, _)| entry),
        "ban_list": banned.as_ref().map(|(_, whose)| match whose {
            BanList::OfTheList => "list",
            BanList::OfTheSite => "site",
        }),
        "text": sentence(judged, address),
        "unheard": judged.unheard,
        "warnings": judged.list.warnings,
    });
    json_line(&answer)
}

/// A page for a person at a shell; `gaps`: what could not be given up.
pub fn explanation(judged: &Judged, address: &[u8], gaps: &[String]) -> String {
    let mut lines = vec![format!("list       {}", judged.list.name)];
    lines.extend(judged.list.warnings.iter().map(|w| format!("warning    {w}")));
    lines.extend(gaps.iter().map(|gap| format!("unconfined {gap}")));
    lines.extend(judged.trail.iter().map(|step| format!("checked    {step}")));
    lines.push(format!("outcome    {}", word(judged)));
    lines.push(format!("text       {}", sentence(judged, address)));
    lines.iter().map(|line| format!("{}\n", one_line(line))).collect()
}
