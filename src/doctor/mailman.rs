//! Mailman's side: where it is, which it is, what its lists and settings are like for us.

use crate::doctor::{Finding, State, named};
use crate::list::settings::Scope;
use crate::list::store::{Error as StoreError, Wanted};
use crate::list::value::PyValue;
use crate::python::Python;
use crate::python::literal::{self, Library, Literal, Setting};
use crate::site::{Error as SiteError, Site};
use crate::{files, limits};
use std::path::{Path, PathBuf};

/// A list that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadList {
    /// Its folder's name.
    pub name: String,
    /// Its own domain.
    pub domain: Option<String>,
}

/// What other checks need to know of the lists.
#[derive(Debug, Default)]
pub struct Lists {
    /// The folder of all lists.
    pub folder: PathBuf,
    /// Those that could be read.
    pub read: Vec<ReadList>,
}

/// Looks at everything as whoever runs it; `who` names that user.
pub fn examine(
    lists_dir: Option<&Path>,
    mm_cfg: Option<&Path>,
    who: &str,
) -> (Vec<Finding>, Option<Lists>) {
    let site = match Site::find(lists_dir, mm_cfg) {
        Ok(site) => site,
        Err(error) => return (vec![no_site(&error, who)], None),
    };
    let mut findings = vec![Finding::good("site", site.describe())];
    findings.extend(version(&site));
    findings.extend(settings(&site));
    let (of_lists, lists) = lists(&site, who);
    findings.extend(of_lists);
    (findings, Some(lists))
}

fn no_site(error: &SiteError, who: &str) -> Finding {
    let advice = match error {
        SiteError::Config(_) => "correct it; docs: \"Where the lists are\" in README.md".to_owned(),
        SiteError::NoInput(_) if !is_permission(error) => {
            "write lists_dir = \"...\" and mm_cfg = \"...\" into /etc/mm-query.toml".to_owned()
        }
        _ => format!("let the user {who}, as whom mm-query runs, read it"),
    };
    Finding::problem("site", error.to_string(), advice)
}

/// The error's own words tell; its kind is lost in text by then.
fn is_permission(error: &SiteError) -> bool {
    error.to_string().contains("ermission denied")
}

/// Mailman's version, told by itself.
fn version(site: &Site) -> Vec<Finding> {
    let beside = |file: Option<&Path>| file.and_then(Path::parent).map(Path::to_owned);
    let folders = [
        beside(site.mm_cfg()),
        beside(Some(site.lists.path())).map(|prefix| prefix.join("Mailman")),
        Some(PathBuf::from("/usr/lib/mailman/Mailman")),
    ];
    let found = folders.into_iter().flatten().find_map(|folder| {
        let path = folder.join("Version.py");
        let file = files::read(&path, limits::MM_CFG_BYTES).ok().flatten()?;
        Some((path, version_in(&file.bytes)?))
    });
    let Some((path, version)) = found else {
        let text = "Mailman itself was not found, so its version is not known";
        let advice = "nothing, if its lists are only copied to this machine";
        return vec![Finding::other("mailman", State::Skipped, text, advice)];
    };
    let text = format!("Mailman {version} ({})", path.display());
    if version.starts_with("2.1.") || version.starts_with("2.2.") {
        vec![Finding::good("mailman", text)]
    } else {
        vec![Finding::problem("mailman", text, "mm-query knows Mailman 2.1 and its Python 3 port")]
    }
}

/// The `VERSION` that a `Version.py` assigns.
fn version_in(source: &[u8]) -> Option<String> {
    let library = Library { modules: &[], values: Vec::new(), functions: Vec::new() };
    match literal::read(source, Python::Two, &library).get("VERSION") {
        Setting::Known(Literal::Bytes(version), _) => String::from_utf8(version).ok(),
        Setting::Known(Literal::Text(version), _) => Some(version),
        _ => None,
    }
}

/// What of `mm_cfg.py` cannot be followed.
fn settings(site: &Site) -> Vec<Finding> {
    let Some(file) = site.mm_cfg() else { return Vec::new() };
    let file = file.display();
    if let Some(error) = site.syntax_error() {
        let text = format!("{file}, {error}; nothing in it is known, and posts are permitted");
        return vec![Finding::problem("mm_cfg", text, "correct it: Mailman cannot read it either")];
    }
    let mut findings: Vec<Finding> = site
        .not_followed()
        .into_iter()
        .map(|(name, line)| {
            let text = format!(
                "{name} in {file}, line {line}, cannot be followed; posts that depend on it are \
                 permitted"
            );
            Finding::warning("mm_cfg", text, "assign a plain value there")
        })
        .collect();
    if let Some(doubt) = site.pipeline_doubt().filter(|_| findings.is_empty()) {
        let text = format!("{doubt}; all posts are permitted");
        findings.push(Finding::warning("mm_cfg", text, "nothing, if Mailman is to judge alone"));
    }
    if findings.is_empty() {
        findings.push(Finding::good("mm_cfg", format!("{file} is understood")));
    }
    findings
}

/// What is wrong with lists, by kind.
#[derive(Default)]
struct Kinds {
    unreadable: Vec<String>,
    corrupt: Vec<String>,
    fallback: Vec<String>,
    doubtful: Vec<String>,
    pythons: [usize; 2],
}

fn lists(site: &Site, who: &str) -> (Vec<Finding>, Lists) {
    let folder = site.lists.path().to_owned();
    let mut lists = Lists { folder, read: Vec::new() };
    let names = match site.lists.names() {
        Ok(names) => names,
        Err(error) => {
            let advice = format!("let the user {who}, as whom mm-query runs, list this folder");
            return (vec![Finding::problem("lists", error.to_string(), advice)], lists);
        }
    };
    let mut kinds = Kinds::default();
    for name in names {
        let wanted = Wanted { scope: Scope::Messages, addresses: &[], dialect: None };
        match site.load_name(&name, wanted) {
            Ok(list) => {
                let domain = match list.settings.host_name.value() {
                    Some(PyValue::Str(host)) => Some(host.to_lossy().into_owned()),
                    _ => None,
                };
                lists.read.push(ReadList { name: name.to_string(), domain });
                let [two, three] = &mut kinds.pythons;
                let count = match list.settings.python {
                    Python::Two => two,
                    Python::Three => three,
                };
                *count = count.saturating_add(1);
                kinds.fallback.extend(list.warnings.first().map(|w| format!("{name} ({w})")));
                kinds.doubtful.extend(list.doubt().map(|doubt| format!("{name} ({doubt})")));
            }
            // A folder without a list's files, such as Mailman's own leftovers.
            Err(StoreError::NoSuchList(_)) => {}
            Err(error @ (StoreError::Corrupt(..) | StoreError::Unsupported(..))) => {
                kinds.corrupt.push(format!("{name} ({error})"));
            }
            Err(error) => kinds.unreadable.push(format!("{name} ({error})")),
        }
    }
    (kinds.findings(&lists, who), lists)
}

impl Kinds {
    fn findings(&self, lists: &Lists, who: &str) -> Vec<Finding> {
        let folder = lists.folder.display();
        let mut findings = Vec::new();
        if !self.unreadable.is_empty() {
            let text = format!("the user {who} cannot read {}", named(&self.unreadable));
            let advice = format!(
                "give them to Mailman's user: check_perms -f of Mailman does; or name another user \
                 than {who} in wrapper.conf"
            );
            findings.push(Finding::problem("lists", text, advice));
        }
        if !self.corrupt.is_empty() {
            let text = format!("cannot be read as lists: {}", named(&self.corrupt));
            let advice = "see whether Mailman can (dumpdb); their posts are not checked";
            findings.push(Finding::warning("lists", text, advice));
        }
        if !self.fallback.is_empty() {
            let text = format!("read from a second file: {}", named(&self.fallback));
            let advice = "restore config.pck; Mailman goes on with config.pck.last, too";
            findings.push(Finding::warning("lists", text, advice));
        }
        if !self.doubtful.is_empty() {
            let text = format!("left to Mailman: {}", named(&self.doubtful));
            findings.push(Finding::warning("lists", text, "nothing; their posts are permitted"));
        }
        let [two, three] = self.pythons;
        if two == 0 && three == 0 {
            let advice = "create a list, or say where they are: lists_dir in /etc/mm-query.toml";
            findings.push(Finding::problem("lists", format!("no list in {folder}"), advice));
        } else {
            let written = match (two, three) {
                (_, 0) => "by Mailman 2.1 (Python 2)".to_owned(),
                (0, _) => "by the port to Python 3".to_owned(),
                _ => format!("{two} by Mailman 2.1 (Python 2), {three} by the port to Python 3"),
            };
            let sum = two.saturating_add(three);
            let text = format!("{sum} read as the user {who}; written {written}");
            findings.push(Finding::good("lists", text));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailman_tells_its_version() {
        let source = b"# Mailman version\nVERSION = '2.1.39'\nHEX_VERSION = ((2<<24)|(1<<16))\n";
        assert_eq!(version_in(source), Some("2.1.39".to_owned()));
        assert_eq!(version_in(b"VERSION = make()\n"), None);
        assert_eq!(version_in(b""), None);
    }

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lists")
    }

    #[test]
    fn the_sample_lists_are_counted_by_kind() {
        let (findings, lists) = examine(Some(&fixtures()), None, "me");
        let all = crate::doctor::page(&findings);
        for words in
            ["cannot be read as lists: corrupt", "second file: fallback", "read as the user me"]
        {
            assert!(all.contains(words), "{words}: {all}");
        }
        let lists = lists.unwrap();
        let team = lists.read.iter().find(|list| list.name == "team").unwrap();
        assert_eq!(team.domain.as_deref(), Some("lists.example.org"));
    }

    #[test]
    fn settings_that_cannot_be_followed_are_named_with_their_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mm_cfg.py");
        let page = |text: &str| {
            std::fs::write(&file, format!("from Defaults import *\n{text}")).unwrap();
            crate::doctor::page(&examine(Some(&fixtures()), Some(&file), "me").0)
        };
        let good = page("USE_ENVELOPE_SENDER = Yes\n");
        assert!(good.contains("mm_cfg.py is understood"), "{good}");
        let odd = page("import os\nUSE_ENVELOPE_SENDER = os.environ['X']\n");
        assert!(odd.contains("USE_ENVELOPE_SENDER in "), "{odd}");
        assert!(odd.contains("line 3, cannot be followed"), "{odd}");
        let wrong = page("X = (\n");
        assert!(wrong.contains("PROBLEM  mm_cfg"), "{wrong}");
        let own = page("GLOBAL_PIPELINE.remove('Moderate')\n");
        assert!(own.contains("warning  mm_cfg    GLOBAL_PIPELINE"), "{own}");
    }

    #[test]
    fn no_site_is_a_problem_with_a_way_out() {
        let (findings, lists) = examine(Some(Path::new("/nonexistent/lists")), None, "me");
        assert!(lists.is_none());
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].state, State::Problem);
    }
}
