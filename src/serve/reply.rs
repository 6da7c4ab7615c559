//! An answer as it goes (docs/protocol.md). Pure.

use crate::answer::one_line;
use crate::exit::Status;
use crate::limits;
use crate::mailman::senders::Origin;
use crate::mailman::verdict::Decision;
use crate::query::Judged;
use crate::query::domain::Domain;
use crate::query::subscription;
use crate::report::subscription::{as_json, explanation, is_refused, sentence};
use crate::report::{Report, Style};

/// The first line of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A verdict; of other questions, `accept` and `reject`.
    Verdict(Decision),
    /// No answer, for this reason.
    Error(Status),
}

impl Word {
    /// As it stands in the answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Word::Verdict(decision) => decision.word(),
            Word::Error(_) => "error",
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The first line.
    pub word: Word,
    /// The rest, its lines ended by LF; or empty.
    pub text: String,
    /// What the log says of a refusal.
    pub refusal: Option<String>,
}

impl Reply {
    /// No answer; `why` may hold any bytes.
    pub fn error(status: Status, why: &str) -> Reply {
        let text = format!("{} {}\n", status.code(), one_line(why));
        Reply { word: Word::Error(status), text, refusal: None }
    }

    /// An answer to something else than a question about a post.
    pub fn accept(text: String) -> Reply {
        Reply { word: Word::Verdict(Decision::Accept), text, refusal: None }
    }

    /// A verdict.
    pub fn judged(judged: &Judged, origin: Option<&Origin>, style: Style) -> Reply {
        let verdict = &judged.verdict;
        let report = Report::new(judged, origin, &[], style);
        let text = match verdict.decision {
            Decision::Hold if report.is_permitted() && !report.is_complete() => {
                let name = &judged.list.name;
                format!("The moderators of the mailing list {name} will look at it first.\n")
            }
            _ => report.answer(),
        };
        let refusal = (!report.is_permitted()).then(|| {
            let sender = verdict.sender.as_ref().map(|sender| sender.to_lossy());
            let (word, rule) = (verdict.decision.word(), verdict.rule.word());
            let sender = sender.unwrap_or_default();
            one_line(&format!("{}: {word} <{sender}> by {rule}", judged.list.name))
        });
        Reply { word: Word::Verdict(verdict.decision), text, refusal }
    }

    /// A list's domain.
    pub fn domain(found: &Domain, matches: Option<bool>, json: bool) -> Reply {
        let Some(host) = &found.host else {
            return Reply::error(Status::Data, &found.missing());
        };
        let text = if json { found.json(matches) } else { format!("{}\n", one_line(host)) };
        let decision = if matches == Some(false) { Decision::Reject } else { Decision::Accept };
        Reply { word: Word::Verdict(decision), text, refusal: None }
    }

    /// What becomes of a subscription.
    pub fn subscription(
        judged: &subscription::Judged,
        address: &[u8],
        json: bool,
        explain: bool,
    ) -> Reply {
        let text = match (json, explain) {
            (true, _) => as_json(judged, address),
            (_, true) => explanation(judged, address, &[]),
            _ => one_line(&sentence(judged, address)) + "\n",
        };
        let (decision, refusal) = match is_refused(judged) {
            true => (Decision::Reject, Some(one_line(&sentence(judged, address)))),
            false if judged.outcome.is_err() => (Decision::Undecided, None),
            false => (Decision::Accept, None),
        };
        Reply { word: Word::Verdict(decision), text, refusal }
    }

    /// The bytes of it; an answer that is too long is an error.
    pub fn bytes(&self) -> Vec<u8> {
        let word = self.word.as_str();
        if self.text.len() > limits::ANSWER_BYTES {
            return Reply::error(Status::Output, "the answer is too long").bytes();
        }
        [word.as_bytes(), b"\n", self.text.as_bytes()].concat()
    }
}
