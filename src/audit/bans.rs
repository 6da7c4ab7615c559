//! Who is banned from some lists, and not from others.

use super::Severity::Low;
use super::{Finding, named};
use crate::list::survey::Survey;
use std::collections::BTreeMap;

/// Entries that are named one by one, at most.
const MOST: usize = 20;

/// Entries that most lists ban, and some do not. Lists without any bans are none of them.
pub fn findings(lists: &[Survey]) -> Vec<Finding> {
    let mut banned: BTreeMap<String, usize> = BTreeMap::new();
    let mut banning = Vec::new();
    for list in lists {
        let mut entries: Vec<String> =
            list.strings("ban_list").iter().map(|entry| entry.to_lossy().into_owned()).collect();
        entries.sort();
        entries.dedup();
        for entry in &entries {
            *banned.entry(entry.clone()).or_default() += 1;
        }
        if !entries.is_empty() {
            banning.push((list.name.as_str(), entries));
        }
    }
    // Banned by one list alone: its own affair. By all: no difference.
    let differs = |count: usize| count > 1 && count < banning.len() && 2 * count >= banning.len();
    let uneven: Vec<&String> =
        banned.iter().filter(|(_, count)| differs(**count)).map(|(entry, _)| entry).collect();
    let one = |entry: &&String| {
        let without = banning.iter().filter(|(_, entries)| entries.binary_search(entry).is_err());
        let without: Vec<&str> = without.map(|(name, _)| *name).collect();
        let text = format!("{entry} is banned by most lists, and not by {}", named(&without));
        let why = "who is turned away there comes in here";
        let remedy = format!("mm-query ban {} --list {}", quoted(entry), without.join(" "));
        Finding::new(Low, "bans", text, why, remedy)
    };
    let mut found: Vec<Finding> = uneven.iter().take(MOST).map(one).collect();
    let more = uneven.len().saturating_sub(found.len());
    if more > 0 {
        let text = format!("{more} more entries are banned by most lists, and not by all");
        let why = "who is turned away there comes in here";
        found.push(Finding::new(Low, "bans", text, why, "mm-query banned ADDRESS"));
    }
    found
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
