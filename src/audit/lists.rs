//! The lists' own settings.

use super::Severity::{High, Low, Medium};
use super::settings::odd_ban;
use super::{Finding, Severity, named};
use crate::list::survey::Survey;
use crate::overview::patterns::{self, Entry, Kind};
use std::collections::BTreeMap;

/// The attributes that are looked at, besides those with patterns.
pub const KEYS: [&str; 9] = [
    "subscribe_policy",
    "generic_nonmember_action",
    "default_member_moderation",
    "member_moderation_action",
    "respond_to_post_requests",
    "forward_auto_discards",
    "discard_these_nonmembers",
    "preferred_language",
    "available_languages",
];

/// A policy that a list may have, and what is wrong with it.
struct Bad {
    severity: Severity,
    check: &'static str,
    is: fn(&Survey) -> bool,
    what: &'static str,
    why: &'static str,
    /// For `config_list -i`.
    line: &'static str,
}

const BAD: [Bad; 4] = [
    Bad {
        severity: High,
        check: "joining",
        is: |list| list.number("subscribe_policy") == Some(0.0),
        what: "subscriptions are open",
        why: "whoever fills in the form subscribes anybody, who is asked nothing",
        line: "subscribe_policy = 1",
    },
    Bad {
        severity: Medium,
        check: "posting",
        is: |list| list.number("generic_nonmember_action") == Some(0.0),
        what: "any nonmember may post",
        why: "so may every spammer",
        line: "generic_nonmember_action = 2",
    },
    Bad {
        severity: Medium,
        check: "answers",
        is: answers_held_posts,
        what: "senders of held posts get an answer",
        why: "most of these senders are forged: the answers go to strangers (backscatter)",
        line: "respond_to_post_requests = 0",
    },
    Bad {
        severity: Low,
        check: "discards",
        is: forwards_discards,
        what: "the owners get a copy of what is discarded",
        why: "so the spam goes to them, and their own servers blame this one for it",
        line: "forward_auto_discards = 0",
    },
];

/// `Hold.hold_for_approval` answers if the list says so; a post is held for nonmembers, for
/// moderated members, and for what Mailman finds odd in any post.
fn answers_held_posts(list: &Survey) -> bool {
    list.is_on("respond_to_post_requests")
        && (list.number("generic_nonmember_action") == Some(1.0)
            || !list.strings("hold_these_nonmembers").is_empty())
}

/// `Moderate.do_discard`.
fn forwards_discards(list: &Survey) -> bool {
    list.is_on("forward_auto_discards")
        && (list.number("generic_nonmember_action") == Some(3.0)
            || !list.strings("discard_these_nonmembers").is_empty())
}

/// Looks at all lists.
pub fn findings(lists: &[Survey]) -> Vec<Finding> {
    let mut found: Vec<Finding> = BAD.iter().filter_map(|bad| of_policy(bad, lists)).collect();
    let mut odd: BTreeMap<Odd, Vec<String>> = BTreeMap::new();
    for list in lists {
        for entry in patterns::of_list(list).into_iter().filter(|entry| entry.kind.is_odd()) {
            let Some(key) = Odd::of(&entry) else { continue };
            let names = odd.entry(key).or_default();
            if names.last().is_none_or(|last| *last != list.name.as_str()) {
                names.push(list.name.to_string());
            }
        }
    }
    found.extend(odd.into_iter().map(|(odd, names)| odd.finding(&names)));
    found
}

fn of_policy(bad: &Bad, lists: &[Survey]) -> Option<Finding> {
    let names: Vec<&str> =
        lists.iter().filter(|list| (bad.is)(list)).map(|list| list.name.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let text = format!("{}: {}", bad.what, named(&names));
    let remedy = format!("{}   (in each list's settings, or by config_list -i)", bad.line);
    Some(Finding::new(bad.severity, bad.check, text, bad.why, remedy))
}

/// An odd entry, the same on some lists.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Odd {
    severity: Severity,
    setting: &'static str,
    entry: String,
    words: String,
    why: &'static str,
    remedy: String,
}

impl Odd {
    /// What is wrong with it. An alias that is no pattern counts as it stands, which is no fault.
    fn of(entry: &Entry) -> Option<Odd> {
        let Entry { setting, text, kind } = entry;
        if *setting == "ban_list" {
            let (severity, why, remedy) = odd_ban(setting, text, kind)?;
            return Some(Odd::new(severity, entry, why, remedy));
        }
        let (severity, why) = match (kind, *setting) {
            (Kind::Invalid(_), "acceptable_aliases") => return None,
            (Kind::Everything, "accept_these_nonmembers") => (High, "everybody may post"),
            (Kind::Everything, "subscribe_auto_approval") => (High, "nobody's approval is needed"),
            (Kind::Everything, "acceptable_aliases") => {
                (Low, "require_explicit_destination has no effect")
            }
            (Kind::Everything, _) => (Medium, "it concerns all posts"),
            (Kind::Fails(_), _) => (High, "Mailman fails on each post that comes to it"),
            (Kind::Invalid(_), "header_filter_rules") => {
                (Medium, "it counts as what the pattern before it found")
            }
            (Kind::Invalid(_) | Kind::NoHeader, _) => (Medium, "it has no effect"),
            (Kind::LooksLikeAPattern, _) => {
                (Medium, "it matches nobody: only behind a ^ is it a pattern")
            }
            _ => return None,
        };
        let remedy = match kind {
            Kind::LooksLikeAPattern => format!("write ^{text}"),
            _ => format!("take it out of {setting}, or correct it"),
        };
        Some(Odd::new(severity, entry, why, remedy))
    }

    fn new(severity: Severity, entry: &Entry, why: &'static str, remedy: String) -> Odd {
        let (setting, entry, words) = (entry.setting, entry.text.clone(), entry.kind.words());
        Odd { severity, setting, entry, words, why, remedy }
    }

    fn finding(self, names: &[String]) -> Finding {
        let Odd { severity, setting, entry, words, why, remedy } = self;
        let text = format!("{setting} of {}: {entry} is {words}", named(names));
        Finding::new(severity, "pattern", text, why, remedy)
    }
}

/// Whether this is a language's code, such as en or pt_BR: nothing that would not go into a file of
/// Python.
pub fn is_language(text: &str) -> bool {
    (2..=16).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The languages that the lists use, and the site's own.
pub fn languages(lists: &[Survey], of_site: Option<String>) -> Vec<String> {
    let own = |list: &Survey| {
        let offered = list.strings("available_languages").into_iter();
        let offered = offered.map(|language| language.to_lossy().into_owned());
        offered.chain([list.text("preferred_language")]).collect::<Vec<_>>()
    };
    let mut all: Vec<String> = lists.iter().flat_map(own).chain(of_site).collect();
    all.retain(|language| is_language(language));
    all.sort();
    all.dedup();
    all
}
