//! Whether a configuration does with our snippets what they are for, beyond being taken by Exim:
//! what Exim would notice only when a message comes.

use crate::exim::ask::{Error, Exim};
use crate::exim::snippets;
use std::collections::BTreeMap;

/// The two options that name our ACLs, the macro for the site's ACL that ours calls, and what that
/// is unless the site says otherwise.
pub const ENTRIES: [Entry; 2] = [
    Entry { option: "acl_smtp_rcpt", ours: "mmq_rcpt", site: "MMQ_SITE_RCPT" },
    Entry { option: "acl_smtp_data", ours: "mmq_data", site: "MMQ_SITE_DATA" },
];

/// Those that a site chooses, by a macro. The macro for an ACL of its own may be undefined.
pub const CHOSEN: [(&str, Entry); 2] = [
    ("MMQ_PRDR", Entry { option: "acl_smtp_data_prdr", ours: "mmq_prdr", site: "MMQ_SITE_PRDR" }),
    ("MMQ_LOCAL", Entry { option: "acl_not_smtp", ours: "mmq_local", site: "MMQ_SITE_LOCAL" }),
];

/// A place where Exim asks an ACL.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The main option.
    pub option: &'static str,
    /// Our ACL.
    pub ours: &'static str,
    /// The macro that names the site's own.
    pub site: &'static str,
}

/// What a configuration comes to, as Exim tells it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Told {
    /// The values of [`ENTRIES`]' options.
    pub options: BTreeMap<String, String>,
    /// All macros.
    pub macros: BTreeMap<String, String>,
    /// The names of all ACLs.
    pub acls: Vec<String>,
    /// The ACLs that others call.
    pub called: Vec<String>,
    /// What Exim makes of [`MATCH`].
    pub domains: String,
}

/// Whether [`Told::domains`] can be a list of domains: matching anything against it shows.
pub const MATCH: &str = "${if match_domain{mm-query.invalid}{MMQ_DOMAINS}{yes}{no}}";

/// Asks Exim; as root, or Exim does not tell all.
///
/// # Errors
/// [`Error`]
pub fn ask(exim: &Exim) -> Result<Told, Error> {
    let macros = exim.macros()?;
    // Exim fails on the name of an option that it was built without.
    let chosen = CHOSEN.iter().filter(|(wanted, _)| macros.contains_key(*wanted));
    let entries = ENTRIES.iter().chain(chosen.map(|(_, entry)| entry));
    let options = exim.options(&entries.map(|entry| entry.option).collect::<Vec<_>>())?;
    let configuration = exim.configuration()?;
    let (acls, called) = (acls(&configuration), called(&configuration));
    let domains = exim.expand(&[MATCH.to_owned()])?.pop().unwrap_or_default();
    Ok(Told { options, macros, acls, called, domains })
}

/// The lines of a configuration's section of ACLs.
fn acl_section(configuration: &str) -> impl Iterator<Item = &str> {
    let section = configuration.lines().map(str::trim).skip_while(|line| *line != "begin acl");
    section.skip(1).take_while(|line| !line.starts_with("begin "))
}

/// The ACLs that conditions `acl = name` call.
fn called(configuration: &str) -> Vec<String> {
    let name = |line: &str| {
        let (left, right) = line.split_once('=')?;
        let condition = left.split_whitespace().next_back()?;
        let name = right.split_whitespace().next()?;
        ["acl", "!acl"].contains(&condition).then(|| name.to_owned())
    };
    acl_section(configuration).filter_map(name).collect()
}

/// The ACLs that a configuration defines.
fn acls(configuration: &str) -> Vec<String> {
    acl_section(configuration)
        .filter_map(|line| line.strip_suffix(':'))
        .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .map(str::to_owned)
        .collect()
}

/// The ACLs that our snippets define.
fn our_acls() -> impl Iterator<Item = &'static str> {
    let name = |line: &&str| line.starts_with("mmq_") && line.ends_with(':');
    snippets::ACL.lines().filter(name).filter_map(|line| line.strip_suffix(':'))
}

impl Told {
    /// The value of an option, as far as it is set.
    pub fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }

    /// Whether anything of our snippets is in the configuration.
    pub fn has_ours(&self) -> bool {
        ENTRIES.iter().any(|entry| self.option(entry.option) == entry.ours)
            || our_acls().any(|name| self.acls.iter().any(|acl| acl == name))
            || self.macros.keys().any(|name| name.starts_with("MMQ_"))
    }

    /// What keeps the snippets from working, in sentences; nothing if they work.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let chosen = CHOSEN.iter().filter(|(wanted, _)| self.macros.contains_key(*wanted));
        for entry in ENTRIES.iter().chain(chosen.clone().map(|(_, entry)| entry)) {
            let value = self.option(entry.option);
            let called = self.called.iter().any(|name| name == entry.ours);
            if value != entry.ours && (value.is_empty() || !called) {
                let value = if value.is_empty() { "not set" } else { value };
                faults.push(format!("{} is {value}, not {}", entry.option, entry.ours));
            }
        }
        let defined = |name: &str| self.acls.iter().any(|acl| acl == name);
        let missing: Vec<&str> = our_acls().filter(|name| !defined(name)).collect();
        if let [first, ..] = missing.as_slice() {
            faults.push(format!("the ACL {first} of the snippets is not in the configuration"));
        }
        for entry in &ENTRIES {
            if !self.macros.contains_key(entry.site) {
                faults.push(format!("the macro {} of the snippets is not defined", entry.site));
            }
        }
        for entry in ENTRIES.iter().chain(chosen.map(|(_, entry)| entry)) {
            let Some(name) = self.macros.get(entry.site) else { continue };
            // Exim takes the name of a file and the text of an ACL, too.
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if plain && !defined(name) {
                faults.push(format!("{} is {name}, and there is no such ACL", entry.site));
            }
        }
        if !["yes", "no"].contains(&self.domains.as_str()) {
            let value = self.macros.get("MMQ_DOMAINS").map_or("", String::as_str);
            faults.push(format!("MMQ_DOMAINS is {value}, which Exim cannot use: {}", self.domains));
        }
        faults
    }
}

/// Whether a text is letters, digits, dots and hyphens, so that Exim finds nothing to expand in it.
pub fn is_host_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    !text.is_empty() && text.len() <= 253 && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Told {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let acls = our_acls().chain(["acl_check_rcpt", "acl_check_data"]).map(str::to_owned);
        Told {
            options: [("acl_smtp_rcpt", "mmq_rcpt"), ("acl_smtp_data", "mmq_data")]
                .map(owned)
                .into(),
            macros: [
                ("MMQ_SITE_RCPT", "acl_check_rcpt"),
                ("MMQ_SITE_DATA", "acl_check_data"),
                ("MMQ_DOMAINS", "lists.example.org"),
            ]
            .map(owned)
            .into(),
            acls: acls.collect(),
            called: Vec::new(),
            domains: "no".to_owned(),
        }
    }

    fn fault(change: impl FnOnce(&mut Told)) -> String {
        let mut told = good();
        change(&mut told);
        let faults = told.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].clone()
    }

    #[test]
    fn what_works_has_no_faults_and_what_is_missing_is_one() {
        assert_eq!(good().faults(), Vec::<String>::new());
        assert!(good().has_ours() && !Told::default().has_ours());
        assert!(!Told::default().faults().is_empty());
        let set = |name: &str, value: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            move |told: &mut Told| drop(told.options.insert(name, value))
        };
        assert_eq!(fault(set("acl_smtp_data", "x")), "acl_smtp_data is x, not mmq_data");
        assert_eq!(fault(set("acl_smtp_rcpt", "")), "acl_smtp_rcpt is not set, not mmq_rcpt");
        let mut own = good();
        own.options.insert("acl_smtp_rcpt".into(), "acl_own".into());
        own.called.push("mmq_rcpt".into());
        assert_eq!(own.faults(), Vec::<String>::new(), "the site's own ACL calls ours");
        let local = |told: &mut Told| drop(told.macros.insert("MMQ_LOCAL".into(), "yes".into()));
        assert_eq!(fault(local), "acl_not_smtp is not set, not mmq_local");
        let said = fault(|told| told.acls.retain(|name| name != "mmq_ask"));
        assert!(said.contains("the ACL mmq_ask"), "{said}");
        let said = fault(|told| told.acls.retain(|name| name != "acl_check_data"));
        assert_eq!(said, "MMQ_SITE_DATA is acl_check_data, and there is no such ACL");
        let said = fault(|told| told.domains = "Failed: unknown".into());
        assert!(said.contains("lists.example.org") && said.contains("Failed"), "{said}");
    }

    #[test]
    fn acls_are_found_where_exim_prints_them() {
        let printed = "  acl_smtp_rcpt = x\nbegin acl\n  acl_check_mail:\n  accept\n  mmq_rcpt:\n  \
                       require acl       = acl_check_rcpt\nbegin routers\n  dnslookup:\n";
        assert_eq!(acls(printed), ["acl_check_mail", "mmq_rcpt"]);
        assert_eq!(called(printed), ["acl_check_rcpt"]);
    }
}
