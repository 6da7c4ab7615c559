//! `mm-query test-sender`

use crate::answer::{ListFacts, Policy, refusal_text};
use crate::cli::args::{Meaning, TestSender};
use crate::cli::given::Given;
use crate::cli::report::Report;
use crate::cli::{Failure, Outcome, find_site};
use crate::exit::Status;
use crate::limits;
use crate::list::store::{Loaded, Neighbours, both_forms};
use crate::list::value::PyValue;
use crate::mailman::language;
use crate::mailman::moderate::{self, List};
use crate::mailman::notice::Owner;
use crate::mailman::patterns::Context;
use crate::mailman::pipeline::pipeline_doubt;
use crate::mailman::senders::{SenderPolicy, Senders};
use crate::mailman::verdict::{Rule, Stop, Verdict};
use crate::python::Python;
use crate::python::re::Budget;
use crate::python::text::PyStr;
use crate::site::Site;
use std::os::unix::ffi::OsStrExt;

/// Judges the senders, and makes the verdict into the answer.
pub(super) fn run(args: &TestSender) -> Result<Outcome, Failure> {
    let given = Given::parse(args)?;
    let site = find_site(&args.site)?;
    let policies = site.sender_policies();
    let list = load(args, &site, &given, policies.as_deref().unwrap_or(&[]))?;
    let policy = Policy {
        refuse_held: args.held == Meaning::Refuse,
        refuse_discarded: args.discarded == Meaning::Refuse,
    };
    let facts = facts(&list);
    let mut trail = vec![site.describe()];
    let verdict = match &policies {
        _ if args.approved => Verdict::undecided(
            Rule::Approval,
            "the message carries an approval, which only Mailman can check",
        ),
        Err(why) => Verdict::undecided(Rule::Unknowable, why.clone()),
        Ok(policies) => Judge { site: &site, list: &list, facts: &facts, given: &given, policy }
            .judge(policies, &mut trail),
    };
    let permitted = policy.permits(verdict.decision);
    let text = if permitted { String::new() } else { refusal_text(&verdict, &facts, args.utf8) };
    let report = Report { list: &list, given: &given, verdict: &verdict, permitted, text, trail };
    let stdout = match (args.json, args.explain) {
        (true, _) => report.json(),
        (_, true) => report.explanation(),
        _ => report.plain(),
    };
    Ok(Outcome {
        status: (!permitted).then_some(Status::Refused),
        stdout,
        // Exim mixes standard error into the text for the sender.
        stderr: super::warnings(&list, !permitted || args.json || args.explain),
    })
}

/// Reads the list, looking up every address that the rules may ask for: those given, and, on a
/// list with equivalent domains, their equivalents, which only the list itself can tell.
fn load(
    args: &TestSender,
    site: &Site,
    given: &Given,
    policies: &[SenderPolicy],
) -> Result<Loaded, Failure> {
    let name = args.list.as_bytes();
    let all: Vec<Senders> = policies
        .iter()
        .flat_map(|policy| [(policy, Python::Two), (policy, Python::Three)])
        .flat_map(|(policy, python)| given.senders(policy, python))
        .flatten()
        .collect();
    let direct = unique(all.iter().flat_map(|s| s.all.clone()));
    let mut list = site.load(name, &direct)?;
    match list.settings.equivalent_domains.value() {
        Some(PyValue::Str(domains)) if too_many_equivalents(direct.len(), domains) => {
            list.doubts.push("the senders have too many equivalents to look up".into());
            Ok(list)
        }
        Some(domains) if domains.truth() != Some(false) => {
            let addresses = all.iter().flat_map(|s| moderate::addresses_in_question(s, domains));
            Ok(site.load(name, &unique(addresses))?)
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

struct Judge<'a> {
    site: &'a Site,
    list: &'a Loaded,
    facts: &'a ListFacts,
    given: &'a Given,
    policy: Policy,
}

impl Judge<'_> {
    fn judge(&self, policies: &[SenderPolicy], trail: &mut Vec<String>) -> Verdict {
        if let Some(doubt) = self.doubt() {
            return Verdict::undecided(Rule::Unknowable, doubt);
        }
        let mut budget = Budget::new(limits::PATTERN_STEPS);
        let mut verdicts = Vec::new();
        for policy in policies {
            for senders in self.given.senders(policy, self.list.settings.python) {
                verdicts.push(self.judge_one(senders, &mut budget, trail));
            }
        }
        match self.given {
            Given::Addresses(_) => self.any_permitted(verdicts),
            Given::Message(message) => self.all_agree(verdicts, message.cut),
        }
    }

    /// What keeps us from knowing whether Mailman sees the list as we do.
    fn doubt(&self) -> Option<String> {
        let settings = &self.list.settings;
        let pipeline = || match settings.pipeline.value() {
            Some(own) => pipeline_doubt(own).map(|doubt| format!("the list's pipeline {doubt}")),
            None => self.site.pipeline_doubt(),
        };
        settings.obstacle.clone().or_else(|| self.list.doubts.first().cloned()).or_else(pipeline)
    }

    fn judge_one(
        &self,
        senders: Result<Senders, Stop>,
        budget: &mut Budget,
        trail: &mut Vec<String>,
    ) -> Verdict {
        let senders = match senders {
            Ok(senders) => senders,
            Err(stop) => return stop.into(),
        };
        let site_default = |key: &str| self.site.list_default(key);
        let others = Neighbours::new(&self.site.lists, &site_default);
        let list = List {
            settings: &self.list.settings,
            roster: &self.list.roster,
            owner: Owner(self.facts.owner.clone()),
        };
        let mut context = Context {
            python: self.list.settings.python,
            own_name: self.list.name.as_str(),
            others: &others,
            budget,
            trail,
        };
        moderate::judge(&list, &senders, &mut context)
    }

    /// Of several senders, the one that may post decides.
    fn any_permitted(&self, verdicts: Vec<Verdict>) -> Verdict {
        let rank = |v: &Verdict| (!self.policy.permits(v.decision), v.decision);
        verdicts.into_iter().min_by_key(rank).unwrap_or_else(|| {
            Verdict::undecided(Rule::Unknowable, "no address was given but empty ones")
        })
    }

    /// A refusal must stand whichever way the message is read.
    fn all_agree(&self, verdicts: Vec<Verdict>, cut: bool) -> Verdict {
        let milder = verdicts.iter().find(|v| self.policy.permits(v.decision));
        let agree = milder.is_none();
        let milder = milder.map(|v| v.decision.word());
        let Some(first) = verdicts.into_iter().next() else {
            return Verdict::undecided(Rule::Unknowable, "nothing to judge");
        };
        if self.policy.permits(first.decision) {
            return first;
        }
        if !agree {
            let why = format!(
                "it depends on how the headers or mm_cfg.py are read: {} or {}",
                first.decision.word(),
                milder.unwrap_or_default()
            );
            return Verdict::undecided(Rule::Unknowable, why);
        }
        if cut {
            return Verdict::undecided(Rule::Unknowable, "Exim may have cut a header");
        }
        first
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
