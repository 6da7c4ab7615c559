//! Which settings to install: what the options say, else what an earlier installation has, else
//! what suits this machine.

use crate::cli::args::{EximSetup, NoAnswer};
use crate::cli::exim_setup::{Machine, unanswered};
use crate::cli::{Failure, find_site};
use crate::exim::ask::Exim;
use crate::exim::layout::Layout;
use crate::exim::settings::{self, BadChange, Change};
use crate::exim::snippets::{self, DEFAULT_DOMAINS, DEFAULT_LISTS};
use crate::exim::verify::{ENTRIES, is_host_name};
use crate::exit::Status;
use crate::list::store::Wanted;
use crate::list::value::PyValue;
use crate::site::Site;
use std::collections::BTreeSet;
use std::path::Path;

/// Exim's own default, in bytes.
const DEFAULT_BODY_VISIBLE: &str = "500";
/// Domains of lists that Exim is asked about at most.
const MAX_DOMAINS: usize = 500;

/// A text of settings, and what to tell about it.
pub(super) struct Chosen {
    pub(super) settings: String,
    pub(super) notes: Vec<String>,
}

impl From<BadChange> for Failure {
    fn from(error: BadChange) -> Failure {
        Failure(Status::Config, error.into())
    }
}

/// What the options say, on top of the first settings; the machine is not looked at.
pub(super) fn without_looking(args: &EximSetup, layout: &Layout) -> Result<String, Failure> {
    let text = settings::change(&snippets::first_settings(), &of_layout(layout)?);
    Ok(settings::change(&text, &given(args)?))
}

/// For a page to print: what cannot be found out is left open.
pub(super) fn for_printing(
    args: &EximSetup,
    machine: &Machine,
    old: Option<&str>,
    present: Option<&[String; 2]>,
) -> Result<Chosen, Failure> {
    let mut chosen = begin(args, &machine.layout, old)?;
    let site = match find_site(&args.site) {
        Ok(site) => Some(site),
        Err(error) if args.site.lists_dir.is_some() => return Err(error),
        Err(_) => None,
    };
    if let Some(site) = &site {
        chosen.lists_dir(site)?;
        chosen.domains(&machine.exim, site)?;
    }
    let names = present.into_iter().flatten();
    for (entry, name) in ENTRIES.iter().zip(names) {
        let usual = if entry.site == "MMQ_SITE_RCPT" { "acl_check_rcpt" } else { "acl_check_data" };
        if !name.is_empty() && name != usual {
            chosen.default(entry.site, name)?;
        }
    }
    Ok(chosen)
}

/// For an installation: everything must be known. `exim` reads the present configuration, without
/// anything of ours in it unless `old` is there.
pub(super) fn for_installing(
    args: &EximSetup,
    exim: &Exim,
    layout: &Layout,
    old: Option<&str>,
) -> Result<Chosen, Failure> {
    let mut chosen = begin(args, layout, old)?;
    let site = find_site(&args.site)?;
    chosen.lists_dir(&site)?;
    chosen.domains(exim, &site)?;
    if settings::value(&chosen.settings, "MMQ_DOMAINS").is_none() && !has_default_domains(exim)? {
        let why = "which domains have mailing lists? Say so by --domains='lists.example.org'";
        let found = chosen.notes.iter().map(|note| format!(" ({note})")).collect::<String>();
        return Err(Failure::new(Status::Config, format!("{why}{found}")));
    }
    if old.is_none() {
        chosen.body_visible(exim)?;
    }
    Ok(chosen)
}

fn begin(args: &EximSetup, layout: &Layout, old: Option<&str>) -> Result<Chosen, Failure> {
    let text = match old {
        Some(old) => old.to_owned(),
        None => settings::change(&snippets::first_settings(), &of_layout(layout)?),
    };
    let settings = settings::change(&text, &given(args)?);
    Ok(Chosen { settings, notes: Vec::new() })
}

/// What the options say.
fn given(args: &EximSetup) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    if let Some(dir) = &args.site.lists_dir {
        changes.push(lists_at(dir)?);
    }
    if let Some(domains) = &args.settings.domains {
        changes.push(Change::define("MMQ_DOMAINS", domains)?);
    }
    if let Some(policy) = args.settings.no_answer {
        let word = match policy {
            NoAnswer::Accept => "accept",
            NoAnswer::Defer => "defer",
        };
        changes.push(Change::define("MMQ_NO_ANSWER", word)?);
    }
    changes.extend(args.settings.set.iter().chain(&args.settings.unset).cloned());
    Ok(changes)
}

/// cPanel keeps all domains' lists in one place, in folders named after both.
fn of_layout(layout: &Layout) -> Result<Vec<Change>, Failure> {
    if *layout != Layout::Cpanel {
        return Ok(Vec::new());
    }
    Ok(vec![
        Change::define("MMQ_LISTS", "/usr/local/cpanel/3rdparty/mailman/lists")?,
        Change::define("MMQ_FOLDER", "${acl_m_mmq_name}_$acl_m_mmq_domain")?,
        Change::define("MMQ_DOMAINS", "+local_domains")?,
    ])
}

/// A folder's name becomes part of a string that Exim expands: nothing in it may mean anything.
fn lists_at(dir: &Path) -> Result<Change, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._+@=-".contains(c);
    match dir.to_str().filter(|dir| dir.starts_with('/') && dir.chars().all(plain)) {
        Some(dir) => Ok(Change::define("MMQ_LISTS", dir)?),
        None => {
            let why = format!("{} cannot stand in Exim's configuration", dir.display());
            Err(Failure::new(Status::Config, why))
        }
    }
}

fn has_default_domains(exim: &Exim) -> Result<bool, Failure> {
    exim.has_list(DEFAULT_DOMAINS).map_err(unanswered)
}

impl Chosen {
    /// Sets what is not set yet.
    fn default(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        if settings::value(&self.settings, name).is_none() {
            let change = Change::define(name, value)?;
            self.settings = settings::change(&self.settings, &[change]);
        }
        Ok(())
    }

    fn lists_dir(&mut self, site: &Site) -> Result<(), Failure> {
        let dir = site.lists.path();
        if settings::value(&self.settings, "MMQ_LISTS").is_none() && dir != Path::new(DEFAULT_LISTS)
        {
            self.settings = settings::change(&self.settings, &[lists_at(dir)?]);
        }
        Ok(())
    }

    /// The lists' own domains, as far as Exim takes mail for them. A list's owner can give it any
    /// domain; mail to one that is not ours is no mail to a list.
    fn domains(&mut self, exim: &Exim, site: &Site) -> Result<(), Failure> {
        if settings::value(&self.settings, "MMQ_DOMAINS").is_some() || has_default_domains(exim)? {
            return Ok(());
        }
        let found: Vec<String> = domains_of(site).into_iter().take(MAX_DOMAINS).collect();
        let question = |domain: &String| {
            format!(
                "${{if match_domain{{{domain}}}{{+local_domains : +relay_to_domains}}{{yes}}{{no}}}}"
            )
        };
        let answers = exim.expand(&found.iter().map(question).collect::<Vec<_>>());
        let answers = answers.map_err(unanswered)?;
        let (ours, others): (Vec<_>, Vec<_>) =
            found.into_iter().zip(answers).partition(|(_, answer)| answer == "yes");
        let names = |pairs: Vec<(String, String)>| -> Vec<String> {
            pairs.into_iter().map(|(domain, _)| domain).collect()
        };
        if !others.is_empty() {
            let others = names(others).join(", ");
            self.notes
                .push(format!("lists say they are at {others}, for which Exim takes no mail"));
        }
        if ours.is_empty() { Ok(()) } else { self.default("MMQ_DOMAINS", &names(ours).join(" : ")) }
    }

    /// Exim takes no option twice, so that of the site stays.
    fn body_visible(&mut self, exim: &Exim) -> Result<(), Failure> {
        let name = "message_body_visible";
        let options = exim.options(&[name]).map_err(unanswered)?;
        let Some(value) = options.get(name).filter(|value| *value != DEFAULT_BODY_VISIBLE) else {
            return Ok(());
        };
        self.notes.push(format!("your {name} = {value} stays; 16000 or more is better"));
        self.default("MMQ_KEEP_BODY_VISIBLE", "yes")
    }
}

/// The domains that the lists give themselves, those that are host names.
fn domains_of(site: &Site) -> BTreeSet<String> {
    let names = site.lists.names().unwrap_or_default();
    let host =
        |name| match site.load_name(name, Wanted::of_senders(&[])).ok()?.settings.host_name.value()
        {
            Some(PyValue::Str(host)) => Some(host.to_lossy().to_ascii_lowercase()),
            _ => None,
        };
    names.iter().filter_map(host).filter(|host| is_host_name(host)).collect()
}
