//! May this message be posted?

use super::{Judged, Source, all_agree, facts, load};
use crate::answer::Policy;
use crate::limits;
use crate::list::neighbours::Neighbours;
use crate::list::settings::Scope;
use crate::list::store::Loaded;
use crate::mailman::handlers::List;
use crate::mailman::notice::Owner;
use crate::mailman::patterns::Context;
use crate::mailman::pipeline;
use crate::mailman::post::{DmarcPolicy, Extent, Post};
use crate::mailman::senders::{SenderPolicy, Senders, envelope_word, senders};
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Rule, Verdict};
use crate::python::Python;
use crate::python::message::{Message, Unreadable, headers};
use crate::python::re::Budget;
use crate::site::{Error, Site};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The message as Mailman would read it, a `From ` line of the mail server's included.
    pub raw: &'a [u8],
    /// Whether that is all of it.
    pub extent: Extent,
    /// What DNS says of the From domain; `None`: no DMARC record.
    pub dmarc: Option<DmarcPolicy>,
    /// Whose rules apply; `None`: those of the Python that wrote the list.
    pub dialect: Option<Python>,
    /// What holds and discards mean to the caller.
    pub policy: Policy,
    /// The caller has seen all of the body, and no approval in it.
    pub no_approval_in_body: bool,
}

/// The line that Exim's pipe transport writes before the message; nothing if the sender would make
/// more lines of it. Its date tells Mailman nothing.
pub fn from_line(sender: &[u8]) -> Option<Vec<u8>> {
    if sender.iter().any(|c| matches!(c, b'\r' | b'\n')) {
        return None;
    }
    Some([b"From ", envelope_word(sender).as_slice(), b" Mon Jan  1 00:00:00 2024\n"].concat())
}

/// Judges a message by the rules of Mailman's whole pipeline.
///
/// # Errors
/// [`Error`]: the list could not be read.
pub fn judge(site: &Site, name: &[u8], question: &Question<'_>) -> Result<Judged, Error> {
    judge_from(Source::files(site), name, question)
}

/// The same with lists from wherever they are.
///
/// # Errors
/// [`Error`]: the list could not be read.
pub fn judge_from(
    source: Source<'_>,
    name: &[u8],
    question: &Question<'_>,
) -> Result<Judged, Error> {
    let site = source.site;
    let policies = site.sender_policies();
    let pythons = match question.dialect {
        Some(python) => vec![python],
        None => vec![Python::Two, Python::Three],
    };
    // Which Python applies is known only when the list is read, and what is looked up there
    // depends on it.
    let known: Vec<Senders> = pythons
        .iter()
        .filter_map(|python| Some((*python, headers::read_as(question.raw, *python).ok()?)))
        .flat_map(|(python, block)| {
            let found = |policy| senders(&block, policy, python).ok();
            policies.iter().flatten().filter_map(found).collect::<Vec<_>>()
        })
        .collect();
    let list = load(source, name, Scope::Messages, question.dialect, &known)?;
    let facts = facts(&list);
    let mut trail = vec![site.describe()];
    let python = list.settings.python;
    let verdict = match (policies, Message::parse_as(question.raw, python)) {
        _ if list.doubt().is_some() => {
            Verdict::undecided(Rule::Unknowable, list.doubt().unwrap_or_default())
        }
        (Err(why), _) => Verdict::undecided(Rule::Unknowable, why),
        (_, Err(why)) => unreadable(why),
        (Ok(policies), Ok(message)) => {
            let values = site.values();
            let owner = Owner(facts.owner.clone());
            let judge = Judge { source, list: &list, values, owner, python, question };
            let mut budget = Budget::keeping(limits::PATTERN_STEPS, list.patterns.clone());
            let verdicts =
                policies.iter().map(|p| judge.judge_one(&message, p, &mut budget, &mut trail));
            all_agree(verdicts.collect(), question.policy)
        }
    };
    Ok(Judged { list, facts, verdict, trail })
}

/// Python's parser may fail on the message, or what it makes of it is not known.
fn unreadable(why: Unreadable) -> Verdict {
    Verdict::undecided(Rule::Unknowable, format!("the message has {why}"))
}

struct Judge<'a> {
    source: Source<'a>,
    list: &'a Loaded,
    values: SiteValues,
    owner: Owner,
    python: Python,
    question: &'a Question<'a>,
}

impl Judge<'_> {
    fn judge_one(
        &self,
        message: &Message<'_>,
        policy: &SenderPolicy,
        budget: &mut Budget,
        trail: &mut Vec<String>,
    ) -> Verdict {
        let senders = match senders(message, policy, self.python) {
            Ok(senders) => senders,
            Err(stop) => return stop.into(),
        };
        let site_default = |key: &str| self.source.site.list_default(key);
        let others = Neighbours::new(self.source.lists, &site_default, self.question.dialect);
        let list = List {
            name: self.list.name.as_str(),
            settings: &self.list.settings,
            roster: &self.list.roster,
            owner: &self.owner,
        };
        let mut context = Context {
            python: self.python,
            own_name: self.list.name.as_str(),
            others: &others,
            budget,
            trail,
        };
        let mut post = Post::new(message, senders, self.python);
        post.extent = self.question.extent;
        post.dmarc = self.question.dmarc;
        post.no_approval_in_body = self.question.no_approval_in_body;
        pipeline::judge(&mut post, &list, &self.values, &mut context)
    }
}
