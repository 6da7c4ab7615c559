//! `mm-query locks`

use crate::answer::{json_line, one_line};
use crate::cli::args::Locks;
use crate::cli::ban::lock_dir;
use crate::cli::table::table;
use crate::cli::{Failure, Outcome, admin, find_site};
use crate::list::write::lock_dir::LockDir;
use crate::list::write::survey::{Found, Removal, Role, State};
use serde_json::{Value, json};
use std::time::Duration;

/// What was done to a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Nothing was to be done.
    Shown,
    Removed,
    /// It was stale, and is not any longer.
    Changed,
    /// It is stale, but another host's.
    Elsewhere,
    /// It could not be removed.
    Failed(String),
}

/// Shows the locks; removes stale ones if asked to.
pub(super) fn run(args: &Locks) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let dir = match &args.locks.lock_dir {
        // Where the lists are does not matter then.
        Some(path) => LockDir::open(path)?,
        None => lock_dir(&find_site(&args.site)?, None)?,
    };
    let (mut status, mut stderr) = (None, String::new());
    let mut locks = Vec::new();
    for lock in dir.survey()? {
        let fate = match fate(args, &dir, &lock) {
            Ok(fate) => fate,
            Err(error) => {
                let why = error.to_string();
                status = status.or(Some(error.status()));
                stderr += &format!("mm-query: {}\n", one_line(&why));
                Fate::Failed(why)
            }
        };
        locks.push((lock, fate));
    }
    let stdout = if args.json { as_json(&dir, &locks) } else { as_text(&dir, &locks) };
    Ok(Outcome { status, stdout, stderr })
}

fn fate(args: &Locks, dir: &LockDir, lock: &Found) -> Result<Fate, crate::list::write::Error> {
    if !args.remove_stale || lock.state == State::Live {
        return Ok(Fate::Shown);
    }
    let named = |host: &String| lock.holder.as_ref().is_some_and(|holder| holder.host == *host);
    if !lock.local && !args.host.as_ref().is_some_and(named) {
        return Ok(Fate::Elsewhere);
    }
    Ok(match dir.remove(lock)? {
        Removal::Removed => Fate::Removed,
        Removal::Changed => Fate::Changed,
    })
}

fn as_text(dir: &LockDir, locks: &[(Found, Fate)]) -> String {
    if locks.is_empty() {
        return one_line(&format!("no locks in {}", dir.path().display())) + "\n";
    }
    let heading = ["LOCK", "HOST", "PID", "AGE", "LEFT", "STATE"].map(str::to_owned).to_vec();
    let rows = locks.iter().map(|(lock, fate)| {
        let (host, pid) = match &lock.holder {
            Some(holder) => (holder.host.clone(), holder.pid.to_string()),
            None => ("?".to_owned(), "?".to_owned()),
        };
        let left = match lock.left {
            Ok(left) => duration(left),
            Err(over) => format!("-{}", duration(over)),
        };
        let mut name = short_name(lock);
        if lock.role == Role::Claim {
            name += " (claim)";
        }
        vec![name, host, pid, duration(lock.age), left, describe(lock, fate)]
    });
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

/// A list's lock by the list's name.
fn short_name(lock: &Found) -> String {
    let name = lock.lock.to_string_lossy();
    name.strip_suffix(".lock").unwrap_or(&name).to_owned()
}

/// The state in words, and what was done.
fn describe(lock: &Found, fate: &Fate) -> String {
    let state = match lock.state {
        State::Live => "live",
        _ => "stale",
    };
    let fate = match fate {
        Fate::Shown => "",
        Fate::Removed => ": removed",
        Fate::Changed => ": changed meanwhile, left alone",
        Fate::Elsewhere => ": left alone, another host's",
        Fate::Failed(_) => ": could not be removed",
    };
    format!("{state}, {}{fate}", reason(lock))
}

fn reason(lock: &Found) -> String {
    match (lock.state, lock.running) {
        (State::Expired, Some(false)) => "its lifetime has ended and its process is gone",
        (State::Expired, _) => "its lifetime has ended",
        (State::Gone, _) => "its process is gone",
        (State::Live, Some(true)) if lock.role == Role::Claim => {
            "its process may wait for the lock"
        }
        (State::Live, Some(true)) => "its process is there",
        (State::Live, _) if lock.holder.is_none() => "it does not say whose it is",
        (State::Live, _) => "on another host",
    }
    .to_owned()
}

/// A time in its two largest units.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, ..) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

fn as_json(dir: &LockDir, locks: &[(Found, Fate)]) -> String {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let one = |(lock, fate): &(Found, Fate)| -> Value {
        let (fate, error) = match fate {
            Fate::Shown => ("none", None),
            Fate::Removed => ("removed", None),
            Fate::Changed => ("changed", None),
            Fate::Elsewhere => ("other-host", None),
            Fate::Failed(why) => ("failed", Some(why)),
        };
        json!({
            "lock": short_name(lock),
            "file": lock.file.to_string_lossy(),
            "claim": lock.role == Role::Claim,
            "host": lock.holder.as_ref().map(|h| &h.host),
            "pid": lock.holder.as_ref().map(|h| h.pid),
            "running": lock.running,
            "age": seconds(lock.age),
            "left": match lock.left { Ok(left) => seconds(left), Err(over) => -seconds(over) },
            "stale": lock.state != State::Live,
            "why": reason(lock),
            "removal": fate,
            "error": error,
        })
    };
    let locks: Vec<Value> = locks.iter().map(one).collect();
    let folder = dir.path().display().to_string();
    json_line(&json!({"lock_dir": folder, "host": dir.host(), "locks": locks}))
}
