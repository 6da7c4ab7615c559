//! `mm-query lists`

use crate::answer::{json_line, one_line};
use crate::cli::args::{Lists, SortBy};
use crate::cli::table::table;
use crate::cli::which;
use crate::cli::{Failure, Outcome, admin, find_site};
use crate::list::name::ListName;
use crate::list::survey::Survey;
use crate::overview::{self, POLICY_KEYS, policy};
use regex::Regex;
use serde_json::json;
use std::cmp::Reverse;

/// Reads all lists.
pub(super) fn run(args: &Lists) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let site = find_site(&args.site)?;
    let pattern = args.pattern.as_deref().map(Pattern::new);
    let (mut names, mut failed) = which::find(&site, &[])?;
    names.retain(|name| pattern.as_ref().is_none_or(|pattern| pattern.may_match(name)));
    let (mut lists, unread) = which::survey(&site, &names, &POLICY_KEYS);
    failed.extend(unread);
    lists.retain(|list| pattern.as_ref().is_none_or(|pattern| pattern.matches(list)));
    sort(&mut lists, args.sort);
    let stdout = if args.json {
        let all: Vec<_> = lists.iter().map(as_json).collect();
        json_line(&json!({"lists": all, "failed": which::as_json(&failed)}))
    } else {
        text(&lists)
    };
    let stderr = which::complaints(&failed) + &warnings(&lists);
    Ok(Outcome { status: which::status(&failed), stdout, stderr })
}

/// Which lists are wanted.
struct Pattern {
    regex: Option<Regex>,
    part: String,
    with_domain: bool,
}

impl Pattern {
    fn new(text: &str) -> Pattern {
        let text = text.to_lowercase();
        let with_domain = text.contains('@');
        // Nothing but letters, and the two that stand for any.
        let regex = text.contains(['*', '?']).then(|| {
            let escaped = regex::escape(&text).replace(r"\*", ".*").replace(r"\?", ".");
            Regex::new(&format!("(?s)^{escaped}$")).ok()
        });
        Pattern { regex: regex.flatten(), part: text, with_domain }
    }

    /// By its name alone, as far as that tells.
    fn may_match(&self, name: &ListName) -> bool {
        self.with_domain || self.matches_text(name.as_str())
    }

    fn matches(&self, list: &Survey) -> bool {
        let address = || format!("{}@{}", list.name, list.text("host_name").to_lowercase());
        !self.with_domain || self.matches_text(&address())
    }

    fn matches_text(&self, text: &str) -> bool {
        match &self.regex {
            Some(regex) => regex.is_match(&text.to_lowercase()),
            None => text.to_lowercase().contains(&self.part),
        }
    }
}

fn members(list: &Survey) -> usize {
    list.counts.map_or(0, |counts| counts.members)
}

/// They come by name.
fn sort(lists: &mut [Survey], by: SortBy) {
    match by {
        SortBy::Name => {}
        SortBy::Domain => lists.sort_by_key(|list| list.text("host_name").to_lowercase()),
        SortBy::Members => lists.sort_by_key(|list| Reverse(members(list))),
        SortBy::Posting => lists.sort_by_key(policy::posting),
        SortBy::Subscribing => lists.sort_by_key(policy::subscribing),
        SortBy::LastPost => lists.sort_by_key(|list| Reverse(overview::last_post(list))),
        SortBy::Size => lists.sort_by_key(|list| Reverse(list.size)),
    }
}

fn as_json(list: &Survey) -> serde_json::Value {
    json!({
        "list": list.name.as_str(),
        "domain": list.text("host_name"),
        "members": list.counts.map(|counts| counts.members),
        "digests": list.counts.map(|counts| counts.digests),
        "moderated": list.counts.map(|counts| counts.moderated),
        "new_members_moderated": list.is_on("default_member_moderation"),
        "posting": policy::posting(list),
        "subscribing": policy::subscribing(list),
        "last_post": overview::last_post(list),
        "size": list.size,
        "warnings": list.warnings,
    })
}

fn text(lists: &[Survey]) -> String {
    let header = [
        "LIST",
        "DOMAIN",
        "MEMBERS",
        "DIGESTS",
        "POSTING",
        "JOINING",
        "MODERATED",
        "LAST POST",
        "SIZE",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(lists.iter().map(|list| {
        let counts = |pick: fn(crate::list::survey::Counts) -> usize| {
            list.counts.map_or("?".to_owned(), |counts| pick(counts).to_string())
        };
        vec![
            list.name.to_string(),
            list.text("host_name"),
            counts(|c| c.members),
            counts(|c| c.digests),
            policy::posting(list),
            policy::subscribing(list).to_owned(),
            policy::moderation(list),
            overview::last_post(list).unwrap_or_else(|| "never".to_owned()),
            overview::size(list.size),
        ]
    }));
    table(&rows)
}

/// A line for each warning about a list's files.
fn warnings(lists: &[Survey]) -> String {
    let of = |list: &Survey| {
        let line = |w: &String| format!("mm-query: warning: {}: {}\n", list.name, one_line(w));
        list.warnings.iter().map(line).collect::<String>()
    };
    lists.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_parts_or_whole_names() {
        let name = |text: &str| ListName::parse(text.as_bytes()).unwrap();
        let may = |pattern: &str, list: &str| Pattern::new(pattern).may_match(&name(list));
        assert!(may("ea", "team") && may("TEAM", "team") && !may("x", "team"));
        assert!(may("t*m", "team") && may("t??m", "team") && !may("t*", "a-team"));
        assert!(!may("te.m", "team") && !may("t+*", "team"));
        assert!(may("@lists", "team"), "the domain is not known yet");
    }
}
