//! `mm-query banned`

use crate::answer::{json_line, one_line};
use crate::cli::args::Banned;
use crate::cli::progress::Progress;
use crate::cli::table::table;
use crate::cli::which::{self, Failed};
use crate::cli::{Failure, Outcome, admin, find_site};
use crate::exit::Status;
use crate::limits;
use crate::list::name::ListName;
use crate::list::settings::DATA_VERSION;
use crate::list::value::{PyValue, decode};
use crate::mailman::bans::{banned_by, site_strings};
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::re::Budget;
use crate::python::text::PyStr;
use crate::site::Site;
use serde_json::json;
use std::os::unix::ffi::OsStrExt;

/// What one list says of the address.
struct Answer {
    list: ListName,
    python: Python,
    /// The entry of its own that bans it.
    entry: Option<String>,
}

/// Asks the lists one after the other, and the site.
pub(super) fn run(args: &Banned) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let address = args.address.as_bytes();
    if address.is_empty() {
        return Err(Failure::new(Status::Usage, "the address is empty"));
    }
    let site = find_site(&args.site)?;
    let (lists, mut failed) = which::find(&site, &args.list)?;
    let (mut answers, mut stderr) = (Vec::new(), String::new());
    let progress = Progress::new(lists.len());
    for list in lists {
        progress.step(list.as_str());
        match ask(&site, &list, address) {
            Ok((answer, warnings)) => {
                let line = |w: &String| format!("mm-query: warning: {list}: {}\n", one_line(w));
                stderr.extend(warnings.iter().map(line));
                answers.push(answer);
            }
            Err(failure) => failed.push(Failed::new(&list, failure)),
        }
    }
    drop(progress);
    let global = of_the_site(&site, address, &answers);
    if let Err(why) = &global {
        stderr += &format!("mm-query: GLOBAL_BAN_LIST: {}\n", one_line(why));
    }
    let unknown = global.is_err().then_some(Status::Config);
    let global = global.unwrap_or_default();
    let stdout = if args.json {
        let lists: Vec<_> =
            answers.iter().map(|a| json!({"list": a.list.as_str(), "entry": a.entry})).collect();
        let answer = json!({
            "address": String::from_utf8_lossy(address),
            "lists": lists,
            "global": global,
            "failed": which::as_json(&failed),
        });
        json_line(&answer)
    } else {
        text(address, &answers, global.as_deref())
    };
    let status = which::status(&failed).or(unknown);
    Ok(Outcome { status, stdout, stderr: which::complaints(&failed) + &stderr })
}

/// Looks the address up in one list's ban list.
fn ask(site: &Site, list: &ListName, address: &[u8]) -> Result<(Answer, Vec<String>), Failure> {
    let (mut picked, warnings) = site.lists.attributes(list, &["ban_list", "data_version"])?;
    let python = picked.python;
    let version = picked.values.remove("data_version").map(decode).and_then(|v| v.number());
    let ban_list = match picked.values.remove("ban_list") {
        Some(value) => decode(value),
        // `MailList.InitVars` of an older list, `MailList.__getattr__` of the port.
        None if python == Python::Three || version.is_some_and(|v| v < DATA_VERSION) => {
            PyValue::List(Vec::new())
        }
        None => {
            return Err(Failure::new(Status::Data, "it has no ban_list, which Mailman fails on"));
        }
    };
    let entry = look_up(address, &ban_list, python)?;
    Ok((Answer { list: list.clone(), python, entry }, warnings))
}

fn look_up(address: &[u8], ban_list: &PyValue, python: Python) -> Result<Option<String>, Failure> {
    // The port knows no address but text; one that is none cannot subscribe.
    let Some(address) = PyStr::native(address, python) else { return Ok(None) };
    let mut budget = Budget::new(limits::PATTERN_STEPS);
    match banned_by(&address, ban_list, python, &mut budget) {
        Ok(entry) => Ok(entry.map(|entry| entry.to_lossy().into_owned())),
        Err(Stop::Shunt(why) | Stop::Unknowable(why)) => Err(Failure::new(Status::Data, why)),
    }
}

/// The entry of GLOBAL_BAN_LIST that bans the address on these lists.
fn of_the_site(site: &Site, address: &[u8], answers: &[Answer]) -> Result<Option<String>, String> {
    let list = site.global_ban_list()?;
    let port = !answers.is_empty() && answers.iter().all(|a| a.python == Python::Three);
    let python = if port { Python::Three } else { Python::Two };
    look_up(address, &site_strings(list, python), python)
        .map_err(|Failure(_, why)| format!("{why:#}"))
}

fn text(address: &[u8], answers: &[Answer], global: Option<&str>) -> String {
    let row = |list: &str, entry: &str| vec![list.to_owned(), entry.to_owned()];
    let everywhere = global.map(|entry| row("all lists", &format!("{entry} in GLOBAL_BAN_LIST")));
    let own = answers.iter().filter_map(|a| Some(row(a.list.as_str(), a.entry.as_ref()?)));
    let rows: Vec<Vec<String>> = everywhere.into_iter().chain(own).collect();
    if rows.is_empty() {
        let address = String::from_utf8_lossy(address);
        let text = format!("{address} is not banned on any of {} lists", answers.len());
        return one_line(&text) + "\n";
    }
    table(&rows)
}
