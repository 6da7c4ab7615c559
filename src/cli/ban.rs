//! `mm-query ban` and `mm-query unban`

use crate::cli::args::ChangeBans;
use crate::cli::progress::Progress;
use crate::cli::table::table;
use crate::cli::which::{self, Failed};
use crate::cli::{Failure, Outcome, admin, find_site, workers};
use crate::exit::Status;
use crate::limits;
use crate::list::name::ListName;
use crate::list::write::bans::{Change, Done, Hits, Preview, change};
use crate::list::write::lock_dir::LockDir;
use crate::mailman::bans::{Ban, Entry, banned_by};
use crate::python::Python;
use crate::python::re::Budget;
use crate::site::Site;
use serde_json::{Value, json};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// Members and lists that a refusal names, of each so many.
const NAMED: usize = 5;

/// Which of the two commands it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Ban { force: bool },
    Unban,
}

impl Action {
    fn name(self) -> &'static str {
        if self == Action::Unban { "unban" } else { "ban" }
    }

    /// What it did to a list, or would do.
    fn result(self, changed: bool, dry_run: bool) -> &'static str {
        match (self == Action::Unban, changed, dry_run) {
            (false, true, false) => "banned",
            (false, true, true) => "would be banned",
            (false, false, _) => "already banned",
            (true, true, false) => "unbanned",
            (true, true, true) => "would be unbanned",
            (true, false, _) => "not banned",
        }
    }
}

/// Changes the lists, several at a time, and reports what became of each.
pub(super) fn run(args: &ChangeBans, action: Action) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let text = args.entry.as_bytes();
    let entry = match action {
        Action::Ban { .. } => Entry::to_ban(text),
        Action::Unban => Entry::to_unban(text),
    };
    let entry = entry.map_err(|why| {
        Failure::new(Status::Usage, format!("{}: {why}", String::from_utf8_lossy(text)))
    })?;
    let site = find_site(&args.site)?;
    let (lists, mut failed) = which::find(&site, &args.lists.list)?;
    let mut report = Report { entry: &entry, action, dry_run: args.dry_run, lists: Vec::new() };
    let lists = match action {
        Action::Ban { force } => check(&site, lists, &entry, force, &mut failed)?,
        Action::Unban => lists,
    };
    let wanted = match action {
        Action::Ban { .. } => Change::Add(&entry),
        Action::Unban => Change::Remove(&entry),
    };
    let wait = Duration::from_secs(u64::from(args.wait));
    let locks =
        if args.dry_run { None } else { Some(lock_dir(&site, args.locks.lock_dir.as_ref())?) };
    let progress = Progress::new(lists.len());
    let results = workers::all(&lists, |name| {
        progress.step(name.as_str());
        match &locks {
            Some(locks) => change(&site.lists, locks, name, wanted, wait),
            None => Preview::read(&site.lists, name).and_then(|preview| preview.plan(wanted)),
        }
    });
    for (name, result) in lists.into_iter().zip(results) {
        match result {
            Ok(done) => report.lists.push((name, done)),
            Err(error) => failed.push(Failed::new(&name, error)),
        }
    }
    drop(progress);
    let global = global_ban(&site, &entry, action);
    let stdout =
        if args.json { report.json(&failed, global) } else { report.text(&failed, global) };
    Ok(Outcome { status: which::status(&failed), stdout, stderr: which::complaints(&failed) })
}

/// Opens the directory of locks.
pub(super) fn lock_dir(site: &Site, option: Option<&PathBuf>) -> Result<LockDir, Failure> {
    let path = match option {
        Some(path) => path.clone(),
        None => site.lock_dir()?,
    };
    Ok(LockDir::open(&path)?)
}

/// Makes sure, before anything is changed, that the entry means something to every list's Mailman
/// and, without `force`, that it bans no members. The lists that can be read are left.
fn check(
    site: &Site,
    lists: Vec<ListName>,
    entry: &Entry,
    force: bool,
    failed: &mut Vec<Failed>,
) -> Result<Vec<ListName>, Failure> {
    let ban = |python| {
        Ban::new(entry, python).map_err(|why| {
            let text = String::from_utf8_lossy(entry.as_bytes());
            Failure::new(Status::Usage, format!("{text} cannot be banned: {why}"))
        })
    };
    let mut bans: [Option<Ban>; 2] = [None, None];
    let mut hits = Vec::new();
    let mut readable = Vec::new();
    let progress = Progress::new(lists.len());
    for name in lists {
        progress.step(name.as_str());
        let preview = match Preview::read(&site.lists, &name) {
            Ok(preview) => preview,
            Err(error) => {
                failed.push(Failed::new(&name, error));
                continue;
            }
        };
        let [two, three] = &mut bans;
        let (slot, python) = match preview.python() {
            Python::Two => (two, Python::Two),
            Python::Three => (three, Python::Three),
        };
        let ban = match slot {
            Some(ban) => ban,
            None => slot.insert(ban(python)?),
        };
        if !force {
            match preview.members_hit(ban, NAMED) {
                Ok(hit) if hit.count == 0 && !hit.unsure => {}
                Ok(hit) => hits.push((name.clone(), hit)),
                Err(error) => {
                    failed.push(Failed::new(&name, error));
                    continue;
                }
            }
        }
        readable.push(name);
    }
    if readable.is_empty() && hits.is_empty() {
        ban(Python::Two)?;
    }
    match hits.is_empty() {
        true => Ok(readable),
        false => Err(Failure::new(Status::Usage, protest(&hits))),
    }
}

/// Whom the entry would ban.
fn protest(hits: &[(ListName, Hits)]) -> String {
    let more = |shown: usize, all: usize| match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let of_list = |(name, hits): &(ListName, Hits)| {
        if hits.count == 0 {
            return format!("{name} (perhaps: it takes too long to tell)");
        }
        let all = more(hits.some.len(), hits.count);
        format!("{name} ({}{all})", hits.some.join(", "))
    };
    let lists: Vec<String> = hits.iter().take(NAMED).map(of_list).collect();
    let all = more(lists.len(), hits.len());
    format!(
        "nothing changed: it would ban members of {}{all}; if so be it: --force",
        lists.join(", ")
    )
}

/// The site's own entry that bans the address all the same.
fn global_ban(site: &Site, entry: &Entry, action: Action) -> Option<String> {
    let (Entry::Address(_), Action::Unban) = (entry, action) else { return None };
    let list = site.global_ban_list().ok()?;
    let address = entry.native(Python::Two)?;
    let mut budget = Budget::new(limits::PATTERN_STEPS);
    let found = banned_by(&address, &list, Python::Two, &mut budget).ok()??;
    Some(found.to_lossy().into_owned())
}

/// What became of the lists.
struct Report<'a> {
    entry: &'a Entry,
    action: Action,
    dry_run: bool,
    lists: Vec<(ListName, Done)>,
}

impl Report<'_> {
    fn text(&self, failed: &[Failed], global: Option<String>) -> String {
        let rows = self.lists.iter().map(|(name, done)| {
            let result = self.action.result(done.changed, self.dry_run);
            vec![name.to_string(), result.to_owned(), self.note(done)]
        });
        let mut text = table(&rows.collect::<Vec<_>>());
        if let Some(entry) = global {
            text +=
                &crate::answer::one_line(&format!("still banned by {entry} in GLOBAL_BAN_LIST"));
            text.push('\n');
        }
        let changed = self.lists.iter().filter(|(_, done)| done.changed).count();
        let verb = if self.dry_run { "would change" } else { "changed" };
        text += &format!("{changed} of {} lists {verb}", self.lists.len() + failed.len());
        if !failed.is_empty() {
            text += &format!(", {} failed", failed.len());
        }
        text + "\n"
    }

    fn note(&self, done: &Done) -> String {
        let given = String::from_utf8_lossy(self.entry.as_bytes());
        let other: Vec<&str> =
            done.entries.iter().map(String::as_str).filter(|e| **e != given).collect();
        let as_stored =
            if other.is_empty() { None } else { Some(format!("as {}", other.join(", "))) };
        let word = if self.action == Action::Unban { "still banned by" } else { "also banned by" };
        let also = done.also_by.as_ref().map(|entry| format!("{word} {entry}"));
        let notes: Vec<String> =
            [as_stored, also, done.warning.clone()].into_iter().flatten().collect();
        notes.join("; ")
    }

    fn json(&self, failed: &[Failed], global: Option<String>) -> String {
        let lists: Vec<Value> = self
            .lists
            .iter()
            .map(|(name, done)| {
                json!({
                    "list": name.as_str(),
                    "result": self.action.result(done.changed, self.dry_run),
                    "changed": done.changed && !self.dry_run,
                    "entries": done.entries,
                    "also_by": done.also_by,
                    "warning": done.warning,
                })
            })
            .collect();
        let report = json!({
            "action": self.action.name(),
            "entry": String::from_utf8_lossy(self.entry.as_bytes()),
            "dry_run": self.dry_run,
            "lists": lists,
            "failed": which::as_json(failed),
            "still_by_global_ban_list": global,
        });
        crate::answer::json_line(&report)
    }
}
