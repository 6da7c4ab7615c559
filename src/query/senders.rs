//! May a message with these senders be posted?

use super::given::Given;
use super::{Judged, Source, all_agree, facts, load};
use crate::answer::Policy;
use crate::limits;
use crate::list::neighbours::Neighbours;
use crate::list::settings::Scope;
use crate::list::store::Loaded;
use crate::mailman::handlers::{List, moderate};
use crate::mailman::notice::Owner;
use crate::mailman::patterns::Context;
use crate::mailman::pipeline::pipeline_doubt;
use crate::mailman::senders::{SenderPolicy, Senders};
use crate::mailman::verdict::{Rule, Stop, Verdict};
use crate::python::Python;
use crate::python::re::Budget;
use crate::site::{Error, Site};

/// Judges the senders of a message, which `approved` says carries an approval.
///
/// # Errors
/// [`Error`]: the list could not be read.
pub fn judge(
    site: &Site,
    name: &[u8],
    given: &Given,
    approved: bool,
    policy: Policy,
) -> Result<Judged, Error> {
    judge_from(Source::files(site), name, given, approved, policy)
}

/// The same with lists from wherever they are.
///
/// # Errors
/// [`Error`]: the list could not be read.
pub fn judge_from(
    source: Source<'_>,
    name: &[u8],
    given: &Given,
    approved: bool,
    policy: Policy,
) -> Result<Judged, Error> {
    let site = source.site;
    let policies = site.sender_policies();
    let known: Vec<Senders> = policies
        .iter()
        .flatten()
        .flat_map(|policy| [(policy, Python::Two), (policy, Python::Three)])
        .flat_map(|(policy, python)| given.senders(policy, python))
        .flatten()
        .collect();
    let list = load(source, name, Scope::Senders, None, &known)?;
    let facts = facts(&list);
    let mut trail = vec![site.describe()];
    let verdict = match &policies {
        _ if approved => Verdict::undecided(
            Rule::Approval,
            "the message carries an approval, which only Mailman can check",
        ),
        Err(why) => Verdict::undecided(Rule::Unknowable, why.clone()),
        Ok(policies) => {
            let owner = Owner(facts.owner.clone());
            Judge { source, list: &list, owner, given, policy }.judge(policies, &mut trail)
        }
    };
    Ok(Judged { list, facts, verdict, trail })
}

struct Judge<'a> {
    source: Source<'a>,
    list: &'a Loaded,
    owner: Owner,
    given: &'a Given,
    policy: Policy,
}

impl Judge<'_> {
    fn judge(&self, policies: &[SenderPolicy], trail: &mut Vec<String>) -> Verdict {
        if let Some(doubt) = self.doubt() {
            return Verdict::undecided(Rule::Unknowable, doubt);
        }
        let mut budget = Budget::keeping(limits::PATTERN_STEPS, self.list.patterns.clone());
        let mut verdicts = Vec::new();
        for policy in policies {
            for senders in self.given.senders(policy, self.list.settings.python) {
                verdicts.push(self.judge_one(senders, &mut budget, trail));
            }
        }
        match self.given {
            Given::Addresses(_) => self.any_permitted(verdicts),
            Given::Message(message) => match all_agree(verdicts, self.policy) {
                verdict if message.cut && !self.policy.permits(verdict.decision) => {
                    Verdict::undecided(Rule::Unknowable, "Exim may have cut a header")
                }
                verdict => verdict,
            },
        }
    }

    /// What keeps us from knowing whether Mailman sees the list as we do.
    fn doubt(&self) -> Option<String> {
        let pipeline = || match self.list.settings.pipeline.value() {
            Some(own) => pipeline_doubt(own).map(|doubt| format!("the list's pipeline {doubt}")),
            None => self.source.site.pipeline_doubt(),
        };
        self.list.doubt().or_else(pipeline)
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
        let site_default = |key: &str| self.source.site.list_default(key);
        let others = Neighbours::new(self.source.lists, &site_default, None);
        let list = List {
            name: self.list.name.as_str(),
            settings: &self.list.settings,
            roster: &self.list.roster,
            owner: &self.owner,
        };
        let mut context = Context {
            python: self.list.settings.python,
            own_name: self.list.name.as_str(),
            others: &others,
            budget,
            trail,
        };
        moderate::judge_senders(&list, &senders, &mut context)
    }

    /// Of several senders, the one that may post decides.
    fn any_permitted(&self, verdicts: Vec<Verdict>) -> Verdict {
        let rank = |v: &Verdict| (!self.policy.permits(v.decision), v.decision);
        verdicts.into_iter().min_by_key(rank).unwrap_or_else(|| {
            Verdict::undecided(Rule::Unknowable, "no address was given but empty ones")
        })
    }
}
