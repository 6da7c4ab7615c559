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
    /// No handler held, rejected or discarded the message.
    Passed,
    /// `dmarc_moderation_action`
    DmarcModerationAction,
    /// The site's `KNOWN_SPAMMERS`.
    KnownSpammers,
    /// `header_filter_rules`
    HeaderFilterRules,
    /// An approval line that Mailman cannot take out of an HTML part.
    ApprovedInHtml,
    /// The list's own `X-BeenThere:`, so the message has been there.
    BeenThere,
    /// The site's `TRUSTEDLOCALSERVER` and `TRUSTEDREMOTESERVER`.
    TrustedServer,
    /// `administrivia`
    Administrivia,
    /// `max_num_recipients`
    MaxNumRecipients,
    /// `require_explicit_destination`
    RequireExplicitDestination,
    /// `bounce_matching_headers`
    BounceMatchingHeaders,
    /// `max_message_size`
    MaxMessageSize,
    /// `news_moderation`
    NewsModeration,
    /// `filter_mime_types`
    FilterMimeTypes,
    /// `pass_mime_types`
    PassMimeTypes,
    /// `filter_filename_extensions`
    FilterFilenameExtensions,
    /// `pass_filename_extensions`
    PassFilenameExtensions,
    /// Content filtering leaves nothing of the message.
    FilterContent,
    /// The site's `ARCHIVE_HTML_SANITIZER`, with `scrub_nondigest`.
    ScrubNondigest,
    /// `emergency`
    Emergency,
    /// An `Urgent:` header without a password of the list.
    Urgent,
    /// Mailman would raise an exception and shunt the message.
    Shunt,
    /// Something outside the files decides, or a setting cannot be followed.
    Unknowable,
}

impl Rule {
    /// The name of the rule in `--json`; for a setting, Mailman's own name of it.
    pub fn word(self) -> &'static str {
        self.names().0
    }

    /// Mailman's handler that has this rule, if it is one of Mailman's.
    pub fn handler(self) -> Option<&'static str> {
        self.names().1
    }

    fn names(self) -> (&'static str, Option<&'static str>) {
        const MODERATE: Option<&str> = Some("Moderate");
        const SPAM_DETECT: Option<&str> = Some("SpamDetect");
        const APPROVE: Option<&str> = Some("Approve");
        const HOLD: Option<&str> = Some("Hold");
        const MIME_DEL: Option<&str> = Some("MimeDel");
        match self {
            Rule::Member => ("member", MODERATE),
            Rule::MemberModeration => ("member_moderation_action", MODERATE),
            Rule::AcceptTheseNonmembers => ("accept_these_nonmembers", MODERATE),
            Rule::HoldTheseNonmembers => ("hold_these_nonmembers", MODERATE),
            Rule::RejectTheseNonmembers => ("reject_these_nonmembers", MODERATE),
            Rule::DiscardTheseNonmembers => ("discard_these_nonmembers", MODERATE),
            Rule::GenericNonmemberAction => ("generic_nonmember_action", MODERATE),
            Rule::TrustedServer => ("trusted_server", MODERATE),
            Rule::DmarcModerationAction => ("dmarc_moderation_action", SPAM_DETECT),
            Rule::KnownSpammers => ("KNOWN_SPAMMERS", SPAM_DETECT),
            Rule::HeaderFilterRules => ("header_filter_rules", SPAM_DETECT),
            Rule::Approval => ("approval", APPROVE),
            Rule::ApprovedInHtml => ("approved_in_html", APPROVE),
            Rule::BeenThere => ("been_there", APPROVE),
            Rule::Administrivia => ("administrivia", HOLD),
            Rule::MaxNumRecipients => ("max_num_recipients", HOLD),
            Rule::RequireExplicitDestination => ("require_explicit_destination", HOLD),
            Rule::BounceMatchingHeaders => ("bounce_matching_headers", HOLD),
            Rule::MaxMessageSize => ("max_message_size", HOLD),
            Rule::NewsModeration => ("news_moderation", HOLD),
            Rule::FilterMimeTypes => ("filter_mime_types", MIME_DEL),
            Rule::PassMimeTypes => ("pass_mime_types", MIME_DEL),
            Rule::FilterFilenameExtensions => ("filter_filename_extensions", MIME_DEL),
            Rule::PassFilenameExtensions => ("pass_filename_extensions", MIME_DEL),
            Rule::FilterContent => ("filter_content", MIME_DEL),
            Rule::ScrubNondigest => ("scrub_nondigest", Some("Scrubber")),
            Rule::Emergency => ("emergency", Some("Emergency")),
            Rule::Urgent => ("urgent", Some("CalcRecips")),
            Rule::Passed => ("passed", None),
            Rule::Shunt => ("shunt", None),
            Rule::Unknowable => ("unknowable", None),
        }
    }
}

/// The words a rejected sender gets from Mailman.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The verdict sends none.
    None,
    /// The list's own, as Mailman would mail it: bytes in the list's charset, or text.
    Own(PyStr),
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
    /// Mailman's handler that decided, or in which Mailman fails.
    pub handler: Option<&'static str>,
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
        Verdict { sender: Some(sender.clone()), ..Verdict::of(decision, rule) }
    }

    /// A verdict of a rule that looks at no address, without a notice.
    pub fn of(decision: Decision, rule: Rule) -> Verdict {
        Verdict {
            decision,
            rule,
            handler: rule.handler(),
            sender: None,
            entry: None,
            notice: Notice::None,
            reason: None,
        }
    }

    /// A rejection in Mailman's own words.
    pub fn default_rejection(rule: Rule) -> Verdict {
        Verdict { notice: Notice::Default, ..Verdict::of(Decision::Reject, rule) }
    }

    /// Nothing can be said, and why.
    pub fn undecided(rule: Rule, reason: impl Into<String>) -> Verdict {
        Verdict { reason: Some(reason.into()), ..Verdict::of(Decision::Undecided, rule) }
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

impl Stop {
    /// The verdict, with the handler in which it came to this.
    pub fn within(self, handler: &'static str) -> Verdict {
        Verdict { handler: Some(handler), ..Verdict::from(self) }
    }
}

impl From<Stop> for Verdict {
    fn from(stop: Stop) -> Verdict {
        match stop {
            Stop::Shunt(reason) => Verdict::undecided(Rule::Shunt, reason),
            Stop::Unknowable(reason) => Verdict::undecided(Rule::Unknowable, reason),
        }
    }
}
