//! Exim's side: its version, and whether our snippets are in its live configuration and fit it.

use crate::accounts::{Accounts, Identity};
use crate::doctor::mailman::{Lists, ReadList};
use crate::doctor::{Finding, State, named};
use crate::exim::ask::{Exim, PROGRAMS};
use crate::exim::layout::DEBIAN;
use crate::exim::snippets::{self, DEFAULT_LISTS};
use crate::exim::verify::{self, Told};
use crate::{files, limits};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Domains that Exim is asked about at most.
const MAX_DOMAINS: usize = 500;
const SETUP: &str = "mm-query exim-setup shows how to set it up";

/// What other checks need to know of Exim.
#[derive(Debug, Default)]
pub struct Facts {
    /// Whom it runs the wrapper as.
    pub user: Option<Identity>,
    /// The command that it runs, as the snippets have it.
    pub wrapper: Option<PathBuf>,
    /// The daemon's address, if the snippets ask it in place of the wrapper.
    pub socket: Option<String>,
    /// The words that the site adds to each question.
    pub options: Vec<String>,
}

/// Looks at Exim and its configuration.
pub fn examine(
    program: Option<&Path>,
    accounts: &Accounts,
    lists: Option<&Lists>,
) -> (Vec<Finding>, Facts) {
    let mut facts = Facts::default();
    let Some(exim) = Exim::find(program) else {
        let text = format!("no Exim at {}", PROGRAMS.join(", "));
        return (vec![Finding::problem("exim", text, "say where it is, by --exim")], facts);
    };
    let mut findings = vec![match version(&exim) {
        Ok(good) => good,
        Err(finding) => return (vec![finding], facts),
    }];
    let options = exim.options(&["exim_user", "exim_group"]).unwrap_or_default();
    facts.user = user(&options, accounts);
    let told = match exim.check().and_then(|()| verify::ask(&exim)) {
        Ok(told) => told,
        Err(error) if !rustix::process::geteuid().is_root() => {
            let text = format!("Exim's configuration was not looked at: {error}");
            findings.push(Finding::other("snippets", State::Skipped, text, "run this as root"));
            return (findings, facts);
        }
        Err(error) => {
            let text = format!("Exim refuses its configuration: {error}");
            findings.push(Finding::problem(
                "exim",
                text,
                "correct it, or mm-query exim-setup --remove",
            ));
            return (findings, facts);
        }
    };
    findings.extend(snippets(&told));
    if told.has_ours() {
        facts.wrapper = told.macros.get("MMQ_WRAPPER").map(PathBuf::from);
        facts.socket = told.macros.get("MMQ_SOCKET").cloned();
        let options = told.macros.get("MMQ_OPTIONS").map_or("", String::as_str);
        facts.options = options.split_whitespace().map(str::to_owned).collect();
        if let Some(lists) = lists {
            findings.extend(folders(&told, lists, facts.user.as_ref()));
            findings.extend(domains(&exim, lists));
        }
    }
    (findings, facts)
}

fn version(exim: &Exim) -> Result<Finding, Finding> {
    let about = exim
        .about()
        .map_err(|error| Finding::problem("exim", error.to_string(), "name Exim by --exim"))?;
    let program = exim.program().display();
    let text = format!("Exim {} ({program})", about.version);
    if about.version.is_supported() {
        Ok(Finding::good("exim", text))
    } else {
        let text = format!("{text} is too old for the snippets");
        Err(Finding::problem("exim", text, "upgrade Exim: they need 4.92 or later"))
    }
}

fn user(options: &BTreeMap<String, String>, accounts: &Accounts) -> Option<Identity> {
    let user = accounts.user(options.get("exim_user")?)?;
    let group = options.get("exim_group").and_then(|group| accounts.group(group));
    Some(Identity { gid: group.unwrap_or(user.gid), ..user })
}

/// Whether they are there, complete, and of our version.
fn snippets(told: &Told) -> Vec<Finding> {
    if !told.has_ours() {
        let text = "the snippets are not in Exim's configuration: nothing is checked";
        return vec![Finding::problem("snippets", text, SETUP)];
    }
    let problem = |fault| Finding::problem("snippets", fault, SETUP);
    let mut findings: Vec<Finding> = told.faults().into_iter().map(problem).collect();
    let folder = Path::new(DEBIAN).join("mm-query");
    let old = ["macros", "acl"].into_iter().filter(|name| {
        let file = files::read(&folder.join(name), limits::CONFIGURATION_BYTES).ok().flatten();
        let text = file.map(|file| file.text()).filter(|text| snippets::is_ours(text));
        text.is_some_and(|text| Some(text) != snippets::shared(name))
    });
    let old: Vec<&str> = old.collect();
    if !old.is_empty() {
        let text = format!("{} in {} are of another version", old.join(" and "), folder.display());
        findings.push(Finding::warning("snippets", text, "mm-query exim-setup --install --reload"));
    }
    if findings.is_empty() {
        let text = "Exim asks mm-query at RCPT and at DATA";
        findings.push(Finding::good("snippets", text));
    }
    let policy = told.macros.get("MMQ_NO_ANSWER").map_or("", String::as_str);
    if !["accept", "defer"].contains(&policy) {
        let text = format!("MMQ_NO_ANSWER is {policy}, which counts as accept");
        findings.push(Finding::warning("snippets", text, "set it to accept or to defer"));
    }
    findings
}

/// Whether Exim finds the lists where the snippets look for them.
fn folders(told: &Told, lists: &Lists, user: Option<&Identity>) -> Vec<Finding> {
    if told.macros.contains_key("MMQ_ASK_DOMAIN") {
        return Vec::new();
    }
    let place = Path::new(told.macros.get("MMQ_LISTS").map_or(DEFAULT_LISTS, String::as_str));
    let same = |path: &Path| path.canonicalize().ok();
    if same(place).is_none() || same(place) != same(&lists.folder) {
        let text = format!(
            "MMQ_LISTS is {}, and the lists are in {}",
            place.display(),
            lists.folder.display()
        );
        let advice =
            format!("mm-query exim-setup --install --lists-dir={}", lists.folder.display());
        return vec![Finding::problem("snippets", text, advice)];
    }
    let Some(user) = user else { return Vec::new() };
    let hidden = user.run(|| hidden(place, &lists.read));
    let Ok(hidden) = hidden else {
        let text = format!("whether Exim's user {} sees the lists was not looked at", user.name);
        return vec![Finding::other("snippets", State::Skipped, text, "run this as root")];
    };
    if hidden.is_empty() {
        let text = format!("Exim's user {} sees all lists in {}", user.name, place.display());
        return vec![Finding::good("snippets", text)];
    }
    let text = format!(
        "Exim's user {} cannot look into the folders of {}: it takes them for no lists",
        user.name,
        named(&hidden)
    );
    let advice = format!("chmod o+x {} and the folders in it and above it", place.display());
    vec![Finding::problem("snippets", text, advice)]
}

/// The lists of which Exim's `exists` would say that they are none.
fn hidden(place: &Path, lists: &[ReadList]) -> Vec<String> {
    let denied = |name: &str, file: &str| {
        let seen = place.join(name).join(file).metadata();
        seen.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    };
    let names = lists.iter().map(|list| &list.name);
    names.filter(|name| denied(name, "config.pck")).cloned().collect()
}

/// Whether the lists' own domains are among those that are asked about.
fn domains(exim: &Exim, lists: &Lists) -> Vec<Finding> {
    let mut by_domain: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for list in &lists.read {
        let domain = list.domain.as_deref().unwrap_or_default().to_ascii_lowercase();
        by_domain.entry(domain).or_default().push(&list.name);
    }
    // What is no host name is not handed to Exim, which would expand it: owners choose it.
    let known: Vec<&String> =
        by_domain.keys().filter(|domain| verify::is_host_name(domain)).take(MAX_DOMAINS).collect();
    let question =
        |domain: &&String| format!("${{if match_domain{{{domain}}}{{MMQ_DOMAINS}}{{yes}}{{no}}}}");
    let Ok(answers) = exim.expand(&known.iter().map(question).collect::<Vec<_>>()) else {
        return Vec::new();
    };
    let asked = known.iter().zip(&answers).filter(|(_, answer)| *answer == "yes");
    let asked: Vec<&String> = asked.map(|(domain, _)| *domain).collect();
    let left: Vec<String> = by_domain
        .iter()
        .filter(|(domain, _)| !asked.contains(domain))
        .map(|(domain, names)| {
            let domain = if domain.is_empty() { "no domain" } else { domain };
            format!("{} at {domain}", named(names))
        })
        .collect();
    let mut findings = Vec::new();
    if !asked.is_empty() {
        let text = format!("lists are checked at {}", named(&asked));
        findings.push(Finding::good("snippets", text));
    }
    if !left.is_empty() {
        let text = format!("MMQ_DOMAINS leaves out lists: {}", left.join("; "));
        let advice = "if Exim takes mail for them: mm-query exim-setup --install --domains=...";
        findings.push(Finding::warning("snippets", text, advice));
    }
    findings
}
