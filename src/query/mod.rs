//! A question about a post, from the list's file to the verdict.
//!
//! What the command line and other front ends have in common: which addresses are looked up, what
//! is unknown about a list, and when a refusal is certain.

pub mod domain;
pub mod given;
pub mod message;
pub mod senders;
pub mod subscription;

use crate::answer::{ListFacts, Policy};
use crate::limits;
use crate::list::settings::Scope;
use crate::list::store::{Lists, Loaded, Wanted, both_forms};
use crate::list::value::PyValue;
use crate::mailman::handlers::moderate;
use crate::mailman::language;
use crate::mailman::senders::Senders;
use crate::mailman::verdict::{Rule, Verdict};
use crate::python::Python;
use crate::python::text::PyStr;
use crate::site::{Error, Site};

/// What became of a question.
#[derive(Debug)]
pub struct Judged {
    /// The list as it was read.
    pub list: Loaded,
    /// What its texts need to know of it.
    pub facts: ListFacts,
    /// The verdict.
    pub verdict: Verdict,
    /// What was checked, in order; for people.
    pub trail: Vec<String>,
}

/// Where answers come from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The site, for its settings.
    pub site: &'a Site,
    /// Its lists.
    pub lists: &'a dyn Lists,
}

impl<'a> Source<'a> {
    /// A site and the files of its lists.
    pub fn files(site: &'a Site) -> Source<'a> {
        Source { site, lists: &site.lists }
    }
}

/// Reads the list that `name` names, looking up every address that the rules may ask for: the
/// senders, and, on a list with equivalent domains, their equivalents, which only the list itself
/// can tell.
fn load(
    source: Source<'_>,
    name: &[u8],
    scope: Scope,
    dialect: Option<Python>,
    senders: &[Senders],
) -> Result<Loaded, Error> {
    let direct = unique(senders.iter().flat_map(|s| s.all.clone()));
    let mut list =
        source.site.load_from(source.lists, name, Wanted { scope, addresses: &direct, dialect })?;
    match list.settings.equivalent_domains.value() {
        Some(PyValue::Str(domains)) if too_many_equivalents(direct.len(), domains) => {
            list.doubts.push("the senders have too many equivalents to look up".into());
            Ok(list)
        }
        Some(domains) if domains.truth() != Some(false) => {
            let all = senders.iter().flat_map(|s| moderate::addresses_in_question(s, domains));
            source.site.load_from(
                source.lists,
                name,
                Wanted { scope, addresses: &unique(all), dialect },
            )
        }
        _ => Ok(list),
    }
}

/// Each sender has as many equivalents as the setting has domains.
fn too_many_equivalents(senders: usize, domains: &PyStr) -> bool {
    senders.saturating_mul(domains.as_bytes().len()) > limits::EQUIVALENT_BYTES
}

/// Each address once, in either Python's form.
fn unique(addresses: impl Iterator<Item = PyStr>) -> Vec<PyStr> {
    let mut seen = std::collections::HashSet::new();
    addresses.flat_map(|a| both_forms(&a)).filter(|a| seen.insert(a.clone())).collect()
}

fn facts(list: &Loaded) -> ListFacts {
    let text = |value: Option<&PyValue>| match value {
        Some(PyValue::Str(text)) => text.as_bytes().to_vec(),
        _ => Vec::new(),
    };
    let host = text(list.settings.host_name.value());
    let language = text(list.settings.preferred_language.value());
    ListFacts {
        name: list.name.to_string(),
        owner: [list.name.as_str().as_bytes(), b"-owner@", &host].concat(),
        charset: language::charset(&language),
    }
}

/// A refusal must stand whichever way the message or the site's settings are read.
fn all_agree(verdicts: Vec<Verdict>, policy: Policy) -> Verdict {
    let milder = verdicts.iter().find(|v| policy.permits(v.decision)).map(|v| v.decision.word());
    let Some(first) = verdicts.into_iter().next() else {
        return Verdict::undecided(Rule::Unknowable, "nothing to judge");
    };
    match milder {
        Some(milder) if !policy.permits(first.decision) => {
            let first = first.decision.word();
            let why =
                format!("it depends on how the headers or mm_cfg.py are read: {first} or {milder}");
            Verdict::undecided(Rule::Unknowable, why)
        }
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalents_multiply_and_are_bounded() {
        let domains = |n: usize| PyStr::Bytes(b"a,".repeat(n));
        assert!(!too_many_equivalents(8, &domains(1_000)));
        assert!(too_many_equivalents(16_000, &domains(300)));
    }
}
