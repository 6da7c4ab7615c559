//! A message on its way through Mailman's handlers.

use crate::mailman::senders::{FromLine, Origins, Senders};
use crate::mailman::verdict::Decision;
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

/// Something that cannot be known, and how mild Mailman's verdict might be for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The verdict that is possible besides ours.
    pub could_be: Decision,
    /// For people: why.
    pub why: String,
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
    /// Set by Approve.
    pub approval: Approval,
    /// Parts that Approve has changed, by their index in [`Message::parts`].
    pub edits: BTreeMap<usize, Edit>,
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
            approval: Approval::None,
            edits: BTreeMap::new(),
            doubts: Vec::new(),
        }
    }

    /// The message itself, as opposed to the parts in it.
    pub fn outer(&self) -> Option<&'a Part<'a>> {
        self.message.parts().first()
    }

    /// The values of all headers of this name of the message itself.
    pub fn headers(&self, name: &str) -> Vec<&'a [u8]> {
        self.outer().map(|part| part.headers.get_all(name).collect()).unwrap_or_default()
    }

    /// The first value of that header, `msg[name]`.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.outer()?.headers.get(name)
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
        self.doubts.push(Doubt { could_be, why: why.into() });
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
