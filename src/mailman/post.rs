//! A message on its way through Mailman's handlers.

use crate::mailman::senders::{FromLine, Origins, Senders};
use crate::mailman::verdict::{Decision, Verdict};
use crate::python::Python;
use crate::python::message::headers::Block;
use crate::python::message::{Message, Part, Payload};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a lookup of the From domain's DMARC record gave (`p=`, RFC 7489 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DmarcPolicy {
    /// `p=none`
    None,
    /// `p=quarantine`
    Quarantine,
    /// `p=reject`
    Reject,
}

/// How much of the message is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The headers, and perhaps the beginning of the body.
    Beginning,
}

/// Whether the message carries a password of the list (`Approve`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// None that is right.
    None,
    /// One, so neither Moderate nor Hold nor Emergency looks at the message.
    Given,
}

/// A part whose payload Approve has written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The payload in its transfer encoding.
    pub payload: Vec<u8>,
    /// The new `Content-Type:` header's value; it is the part's last header now.
    pub content_type: Vec<u8>,
    /// The new `Content-Transfer-Encoding:` header's value, if it has one.
    pub transfer_encoding: Option<Vec<u8>>,
}

impl Edit {
    /// What became of the header of this name; nothing if it is as it was.
    fn header(&self, name: &str) -> Option<Option<&[u8]>> {
        if name.eq_ignore_ascii_case("content-type") {
            Some(Some(&self.content_type))
        } else if name.eq_ignore_ascii_case("content-transfer-encoding") {
            Some(self.transfer_encoding.as_deref())
        } else {
            name.eq_ignore_ascii_case("mime-version").then_some(Some(b"1.0"))
        }
    }
}

/// Something that cannot be known, and how mild Mailman's verdict might be for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The verdict that is possible besides ours.
    pub could_be: Decision,
    /// The handlers whose verdicts would be another one; none: all that follow.
    pub handlers: &'static [&'static str],
    /// For people: why.
    pub why: String,
}

impl Doubt {
    /// Whether the verdict may be a milder one for this.
    pub fn concerns(&self, verdict: &Verdict) -> bool {
        let is_named = verdict.handler.is_some_and(|handler| self.handlers.contains(&handler));
        self.could_be < verdict.decision && (self.handlers.is_empty() || is_named)
    }
}

/// A message, what is known about it, and what the handlers so far have made of it.
#[derive(Debug)]
pub struct Post<'a> {
    /// The Python that runs Mailman.
    pub python: Python,
    /// The message as Mailman reads it, its `From ` line included.
    pub message: &'a Message<'a>,
    /// How much of it is there.
    pub extent: Extent,
    /// Who sent it.
    pub senders: Senders,
    /// What DNS says of the From domain; `None`: no DMARC record.
    pub dmarc: Option<DmarcPolicy>,
    /// Whoever has the whole body says that there is no approval in it.
    pub no_approval_in_body: bool,
    /// Set by Approve.
    pub approval: Approval,
    /// Parts that Approve has changed, by their index in [`Message::parts`].
    pub edits: BTreeMap<usize, Edit>,
    /// The message's own content type, where MimeDel has changed it.
    pub filtered_type: Option<Vec<u8>>,
    /// What keeps a refusal from being certain.
    pub doubts: Vec<Doubt>,
}

impl<'a> Post<'a> {
    /// The message before any handler.
    pub fn new(message: &'a Message<'a>, senders: Senders, python: Python) -> Post<'a> {
        Post {
            python,
            message,
            extent: Extent::Whole,
            senders,
            dmarc: None,
            no_approval_in_body: false,
            approval: Approval::None,
            edits: BTreeMap::new(),
            filtered_type: None,
            doubts: Vec::new(),
        }
    }

    /// The message itself, as opposed to the parts in it.
    pub fn outer(&self) -> Option<&'a Part<'a>> {
        self.message.parts().first()
    }

    /// The values of all headers of this name of the message itself, as Approve left them.
    pub fn headers(&self, name: &str) -> Vec<&[u8]> {
        let edited = self.edits.get(&0).and_then(|edit| edit.header(name));
        match (edited, self.outer()) {
            (Some(value), _) => value.into_iter().collect(),
            (None, Some(part)) => part.headers.get_all(name).collect(),
            (None, None) => Vec::new(),
        }
    }

    /// The first value of that header, `msg[name]`.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        match self.edits.get(&0).and_then(|edit| edit.header(name)) {
            Some(value) => value,
            None => self.outer()?.headers.get(name),
        }
    }

    /// `get_payload()` of a part in its transfer encoding, as Approve left it; `None` of a
    /// container.
    pub fn payload(&self, index: usize) -> Option<Cow<'_, [u8]>> {
        if let Some(edit) = self.edits.get(&index) {
            return Some(Cow::Borrowed(&edit.payload));
        }
        match self.message.parts().get(index)?.payload {
            Payload::Text(text) => Some(text.bytes()),
            Payload::Parts => None,
        }
    }

    /// Notes that Mailman may come to a milder verdict for a reason that cannot be known here.
    pub fn doubt(&mut self, could_be: Decision, why: impl Into<String>) {
        self.doubt_in(&[], could_be, why);
    }

    /// The same for the verdicts of these handlers only.
    pub fn doubt_in(
        &mut self,
        handlers: &'static [&'static str],
        could_be: Decision,
        why: impl Into<String>,
    ) {
        self.doubts.push(Doubt { could_be, handlers, why: why.into() });
    }
}

impl Origins for Block<'_> {
    fn values(&self, name: &str, _python: Python) -> Option<Vec<&[u8]>> {
        Some(self.headers.get_all(name).collect())
    }

    fn unixfrom(&self) -> Option<FromLine<'_>> {
        self.unixfrom.map(FromLine::Whole)
    }
}

impl Origins for Message<'_> {
    fn values(&self, name: &str, _python: Python) -> Option<Vec<&[u8]>> {
        let outer = self.parts().first()?;
        Some(outer.headers.get_all(name).collect())
    }

    fn unixfrom(&self) -> Option<FromLine<'_>> {
        self.parts().first()?.unixfrom.map(FromLine::Whole)
    }
}
