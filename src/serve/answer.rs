//! From a question to its answer.

use super::cache::{Cache, CachedLists};
use super::current::Fresh;
use super::reply::Reply;
use super::request::{DomainQuestion, MessageQuestion, Request, SenderQuestion, SubscribeQuestion};
use crate::answer::Policy;
use crate::list::name::ListName;
use crate::list::store::{Lists, Wanted};
use crate::mailman::post::Extent;
use crate::mailman::verdict::{Decision, Rule, Verdict};
use crate::query::given::Given;
use crate::query::message::{self, Question};
use crate::query::{Judged, Source, domain, senders, subscription};
use crate::site::Error;

/// Whether a question may be answered right away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// Only if that takes well under a millisecond.
    Now,
    /// Soon: a long file is read for this question alone, and once more later, to be kept.
    Soon,
    /// However long it takes.
    Anytime,
}

/// Answers a question about a list; nothing if that takes longer than is wanted. With it, the lists
/// that are still to be read and kept.
pub fn answer(
    fresh: &Fresh,
    cache: &Cache,
    request: &Request,
    haste: Haste,
) -> Option<(Reply, Vec<ListName>)> {
    let lists = CachedLists::new(fresh, cache, haste);
    let source = Source { site: &fresh.site, lists: &lists };
    let reply = match request {
        Request::Message(_) if haste == Haste::Now => return None,
        Request::Sender(question) => sender(source, question),
        Request::Message(question) => post(source, question),
        Request::Domain(question) => list_domain(source, question),
        Request::Subscribe(question) => subscribe(source, question),
        Request::Ping | Request::Status | Request::Metrics => return None,
    };
    // Whatever came of it, it would not have come so had the list been at hand.
    if lists.missed() {
        return None;
    }
    let failed = |error: Error| Reply::error(error.status(), &error.to_string());
    Some((reply.unwrap_or_else(failed), lists.postponed()))
}

/// Reads lists, so that they are at hand.
pub fn keep(fresh: &Fresh, cache: &Cache, names: &[ListName]) {
    let lists = CachedLists::new(fresh, cache, Haste::Anytime);
    for name in names {
        // What is wrong with it, the next question finds, too.
        let default = |key: &str| fresh.site.list_default(key);
        let _ = lists.load(name, Wanted::of_senders(&[]), &default);
    }
}

/// Whether the list of a question is at hand, or would not be found.
pub fn is_at_hand(fresh: &Fresh, cache: &Cache, list: &[u8]) -> bool {
    let lists = CachedLists::new(fresh, cache, Haste::Now);
    let _ = fresh.site.load_from(&lists, list, Wanted::of_senders(&[]));
    !lists.missed()
}

fn sender(source: Source<'_>, question: &SenderQuestion) -> Result<Reply, Error> {
    let SenderQuestion { list, given, approved, style } = question;
    let judged = senders::judge_from(source, list, given, *approved, style.policy)?;
    let origin = match given {
        Given::Message(message) => message.readings.first(),
        Given::Addresses(_) => None,
    };
    Ok(Reply::judged(&judged, origin, *style))
}

fn list_domain(source: Source<'_>, question: &DomainQuestion) -> Result<Reply, Error> {
    let found = domain::of(source, &question.list)?;
    let matches = question.domain.as_ref().map(|domain| found.is(domain));
    Ok(Reply::domain(&found, matches, question.json))
}

fn subscribe(source: Source<'_>, question: &SubscribeQuestion) -> Result<Reply, Error> {
    let SubscribeQuestion { list, address, dialect, json, explain } = question;
    let judged = subscription::judge_from(source, list, address, *dialect)?;
    Ok(Reply::subscription(&judged, address, *json, *explain))
}

fn post(source: Source<'_>, question: &MessageQuestion) -> Result<Reply, Error> {
    let policy = question.style.policy;
    let judged = if question.approved == Some(true) {
        by_senders(source, question)?
    } else if question.cut {
        of_a_cut_block(source, question)?
    } else {
        by_message(source, question, policy)?
    };
    Ok(Reply::judged(&judged, None, question.style))
}

fn by_message(
    source: Source<'_>,
    question: &MessageQuestion,
    policy: Policy,
) -> Result<Judged, Error> {
    let whole = question.complete && !question.cut;
    let asked = Question {
        raw: &question.raw,
        extent: if whole { Extent::Whole } else { Extent::Beginning },
        dmarc: question.dmarc,
        dialect: question.dialect,
        policy,
        no_approval_in_body: question.approved == Some(false),
    };
    message::judge_from(source, &question.list, &asked)
}

fn by_senders(source: Source<'_>, question: &MessageQuestion) -> Result<Judged, Error> {
    let nobody = Given::Addresses(Vec::new());
    let given = question.given.as_ref().unwrap_or(&nobody);
    let approved = question.approved == Some(true);
    senders::judge_from(source, &question.list, given, approved, question.style.policy)
}

/// What is behind the cut can only be told of the headers that came by themselves. They decide; the
/// block can only make the verdict milder.
fn of_a_cut_block(source: Source<'_>, question: &MessageQuestion) -> Result<Judged, Error> {
    let by_senders = by_senders(source, question)?;
    let policy = question.style.policy;
    if !policy.permits(by_senders.verdict.decision) {
        let block = by_message(source, question, policy)?;
        if !matches!(block.verdict.decision, Decision::Accept | Decision::Hold) {
            return Ok(by_senders);
        }
    }
    let why = "Exim may have cut the block of headers";
    let verdict = Verdict::undecided(Rule::Unknowable, why);
    Ok(Judged { verdict, ..by_senders })
}
