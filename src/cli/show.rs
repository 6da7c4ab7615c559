//! `mm-query show`

use crate::answer::{json_line, one_line};
use crate::cli::args::Show;
use crate::cli::{Failure, Outcome, admin, find_site};
use crate::list::store::Wanted;
use crate::list::survey::Survey;
use crate::overview::patterns::{self, ADDRESS_SETTINGS, Entry, OTHER_SETTINGS};
use crate::overview::{self, POLICY_KEYS, policy};
use crate::python::Python;
use serde_json::json;
use std::os::unix::ffi::OsStrExt;

/// The settings that are shown and that are no patterns.
const MORE: [&str; 10] = [
    "description",
    "member_moderation_notice",
    "nonmember_rejection_notice",
    "forward_auto_discards",
    "require_explicit_destination",
    "max_num_recipients",
    "max_message_size",
    "administrivia",
    "equivalent_domains",
    "dmarc_moderation_action",
];

/// Reads one list.
pub(super) fn run(args: &Show) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let site = find_site(&args.site)?;
    let found = site.load(args.list.as_bytes(), Wanted::of_senders(&[]))?;
    let keys: Vec<&str> = [&POLICY_KEYS[..], &MORE, &ADDRESS_SETTINGS, &OTHER_SETTINGS].concat();
    let list = site.lists.survey(&found.name, &keys, &|key| site.list_default(key))?;
    let entries = patterns::of_list(&list);
    let stdout = if args.json { as_json(&list, &entries) } else { page(&list, &entries) };
    let warnings = list.warnings.iter().chain(&found.doubts);
    let stderr = warnings.map(|w| format!("mm-query: warning: {}\n", one_line(w))).collect();
    Ok(Outcome { status: None, stdout, stderr })
}

fn as_json(list: &Survey, entries: &[Entry]) -> String {
    let entry = |e: &Entry| json!({"setting": e.setting, "entry": e.text, "kind": e.kind.words(), "odd": e.kind.is_odd()});
    json_line(&json!({
        "list": list.name.as_str(),
        "domain": list.text("host_name"),
        "description": list.text("description"),
        "members": list.counts.map(|counts| counts.members),
        "digests": list.counts.map(|counts| counts.digests),
        "moderated": list.counts.map(|counts| counts.moderated),
        "new_members_moderated": list.is_on("default_member_moderation"),
        "emergency": list.is_on("emergency"),
        "posting": policy::posting(list),
        "nonmembers": policy::nonmembers(list),
        "nonmembers_text": list.text("nonmember_rejection_notice"),
        "moderated_members": policy::moderated(list),
        "moderated_members_text": list.text("member_moderation_notice"),
        "subscribing": policy::subscribing(list),
        "last_post": overview::last_post(list),
        "entries": entries.iter().map(entry).collect::<Vec<_>>(),
        "warnings": list.warnings,
    }))
}

/// Lines of a name and what there is to say; a text has lines of its own below.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, name: &str, text: &str) {
        self.0.push_str(format!("{name:<14}{}", one_line(text)).trim_end());
        self.0.push('\n');
    }

    fn text(&mut self, text: &str) {
        for line in text.trim().lines() {
            self.line("", &format!("  {line}"));
        }
    }
}

fn page(list: &Survey, entries: &[Entry]) -> String {
    let mut page = Page::default();
    let mailman = match list.python {
        Python::Two => "Mailman 2.1",
        Python::Three => "the Python 3 port of Mailman",
    };
    let domain = list.text("host_name");
    page.line("list", &format!("{}@{domain}, written by {mailman}", list.name));
    if !list.text("description").is_empty() {
        page.line("", &list.text("description"));
    }
    let members = list.counts.map_or("cannot be counted".to_owned(), |counts| {
        let (all, digests, moderated) = (counts.members, counts.digests, counts.moderated);
        format!("{all}, {digests} of them with digests, {moderated} moderated")
    });
    page.line("members", &members);
    let last = overview::last_post(list).map_or("never".to_owned(), |time| time + " UTC");
    page.line("last post", &last);
    page.line("joining", policy::subscribing(list));
    posting(&mut page, list, entries);
    limits(&mut page, list);
    for setting in ADDRESS_SETTINGS.iter().chain(&OTHER_SETTINGS) {
        let own: Vec<&Entry> = entries.iter().filter(|e| e.setting == *setting).collect();
        if !own.is_empty() {
            page.line(setting, "");
        }
        for entry in own {
            page.line("", &format!("{}  ({})", entry.text, entry.kind.words()));
        }
    }
    page.0
}

/// Who may post, and what the others are told.
fn posting(page: &mut Page, list: &Survey, entries: &[Entry]) {
    if list.is_on("emergency") {
        page.line("emergency", "all posts are held, whoever sends them");
    }
    page.line("posts of", "members may be posted");
    page.line("", &format!("moderated members {}", policy::moderated(list)));
    if policy::moderated(list) == "are refused" {
        refusal(page, &list.text("member_moderation_notice"));
    }
    if list.is_on("default_member_moderation") {
        page.line("", "new members are moderated");
    }
    for (setting, what) in [
        ("accept_these_nonmembers", "may be posted"),
        ("hold_these_nonmembers", "are held"),
        ("reject_these_nonmembers", "are refused"),
        ("discard_these_nonmembers", "are discarded"),
    ] {
        let count = entries.iter().filter(|e| e.setting == setting).count();
        if count > 0 {
            page.line("", &format!("nonmembers in {setting} ({count}) {what}"));
        }
    }
    page.line("", &format!("other nonmembers {}", policy::nonmembers(list)));
    if policy::nonmembers(list) == "are refused" {
        refusal(page, &list.text("nonmember_rejection_notice"));
    }
}

fn refusal(page: &mut Page, text: &str) {
    if text.trim().is_empty() {
        page.text("(with Mailman's own words)");
    } else {
        page.text(text);
    }
}

/// What else holds a post.
fn limits(page: &mut Page, list: &Survey) {
    let mut held = Vec::new();
    if list.is_on("require_explicit_destination") {
        held.push("those that do not name the list in To or Cc".to_owned());
    }
    if list.is_on("administrivia") {
        held.push("those that look like commands".to_owned());
    }
    for (key, what) in
        [("max_num_recipients", "recipients or more"), ("max_message_size", "KiB or more")]
    {
        if let Some(most) = list.number(key).filter(|most| *most > 0.0) {
            held.push(format!("those of {most} {what}"));
        }
    }
    let mut name = "held besides";
    for one in held {
        page.line(name, &one);
        name = "";
    }
    if list.is_on("forward_auto_discards") {
        page.line("owners", "get a copy of what is discarded");
    }
    let domains = list.text("equivalent_domains");
    if !domains.is_empty() {
        page.line("one domain", &domains);
    }
}
