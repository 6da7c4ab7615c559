//! What becomes of a post, and why.

use crate::python::text::PyStr;

/// What Mailman does with a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It goes on to delivery.
    Accept,
    /// Mailman would shunt it, or it cannot be known here.
    Undecided,
    /// It waits for a moderator.
    Hold,
    /// Its sender gets a notice.
    Reject,
    /// It disappears.
    Discard,
}

impl Decision {
    /// The word for it in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Decision::Accept => "accept",
            Decision::Undecided => "undecided",
            Decision::Hold => "hold",
            Decision::Reject => "reject",
            Decision::Discard => "discard",
        }
    }
}

/// The rule that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A member whose Moderate bit is not set.
    Member,
    /// A member whose Moderate bit is set.
    MemberModeration,
    /// `accept_these_nonmembers`
    AcceptTheseNonmembers,
    /// `hold_these_nonmembers`
    HoldTheseNonmembers,
    /// `reject_these_nonmembers`
    RejectTheseNonmembers,
    /// `discard_these_nonmembers`
    DiscardTheseNonmembers,
    /// `generic_nonmember_action`
    GenericNonmemberAction,
    /// The message carries an approval, which only Mailman can check.
    Approval,
    /// Mailman would raise an exception and shunt the message.
    Shunt,
    /// Something outside the files decides, or a setting cannot be followed.
    Unknowable,
}

impl Rule {
    /// The name of the rule in `--json`; for a setting, Mailman's own name of it.
    pub fn word(self) -> &'static str {
        match self {
            Rule::Member => "member",
            Rule::MemberModeration => "member_moderation_action",
            Rule::AcceptTheseNonmembers => "accept_these_nonmembers",
            Rule::HoldTheseNonmembers => "hold_these_nonmembers",
            Rule::RejectTheseNonmembers => "reject_these_nonmembers",
            Rule::DiscardTheseNonmembers => "discard_these_nonmembers",
            Rule::GenericNonmemberAction => "generic_nonmember_action",
            Rule::Approval => "approval",
            Rule::Shunt => "shunt",
            Rule::Unknowable => "unknowable",
        }
    }

    /// Mailman's handler that has this rule, if it is one of Mailman's.
    pub fn handler(self) -> Option<&'static str> {
        match self {
            Rule::Approval => Some("Approve"),
            Rule::Unknowable => None,
            _ => Some("Moderate"),
        }
    }
}

/// The words a rejected sender gets from Mailman.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The verdict sends none.
    None,
    /// The list's own, as Mailman would mail it, in the list's charset.
    Own(Vec<u8>),
    /// Mailman's default wording.
    Default,
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the post.
    pub decision: Decision,
    /// The rule that decided.
    pub rule: Rule,
    /// The address it decided on, lowercased.
    pub sender: Option<PyStr>,
    /// The entry of a setting that matched.
    pub entry: Option<PyStr>,
    /// What the sender is told.
    pub notice: Notice,
    /// For people: why, where the rule's name does not say it all.
    pub reason: Option<String>,
}

impl Verdict {
    /// A verdict of a rule on an address, without a notice.
    pub fn new(decision: Decision, rule: Rule, sender: &PyStr) -> Verdict {
        Verdict {
            decision,
            rule,
            sender: Some(sender.clone()),
            entry: None,
            notice: Notice::None,
            reason: None,
        }
    }

    /// Nothing can be said, and why.
    pub fn undecided(rule: Rule, reason: impl Into<String>) -> Verdict {
        Verdict {
            decision: Decision::Undecided,
            rule,
            sender: None,
            entry: None,
            notice: Notice::None,
            reason: Some(reason.into()),
        }
    }
}

/// Why a rule could not come to a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Mailman raises an exception here that nothing catches: the message is shunted.
    Shunt(String),
    /// We cannot know what Mailman would find.
    Unknowable(String),
}

impl From<Stop> for Verdict {
    fn from(stop: Stop) -> Verdict {
        match stop {
            Stop::Shunt(reason) => Verdict::undecided(Rule::Shunt, reason),
            Stop::Unknowable(reason) => Verdict::undecided(Rule::Unknowable, reason),
        }
    }
}
