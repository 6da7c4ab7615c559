//! A message as `email.message_from_string` of Python 2.7 (email 4.0.3) reads it: its headers,
//! its parts, and what is in them, for any bytes. Python 3 splits it alike, but for header lines
//! without a name, and what is stripped before a value.
//!
//! Nothing here recurses, and all that is read borrows from the message, so that the memory used
//! is that of the message and of 32 bytes a header. Splitting takes time in proportion to the
//! size, however many boundaries are open: a line is looked up among them once.
//!
//! The crate `mail-parser` splits messages by other rules; `docs/mime.md` has the comparison.

use std::borrow::Cow;
use std::fmt;

mod boundary;
mod charset;
mod dict;
mod encode;
pub mod headers;
mod lines;
mod params;
mod payload;
mod split;
mod text_3;
mod transfer;

pub use headers::{Header, Headers};
pub use lines::Text;
pub use params::{Parameter, parameter, unquote};
pub use payload::{Rewritten, Unwritable, rewrite};
pub use transfer::{Beginning, IllegalCharacter, Undecodable, decode};

use super::Python;
use crate::limits;

/// A message that cannot be read as Python would read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// It is too large.
    Size,
    /// The header block of the message or of a part is too large.
    HeaderBlock,
    /// The header blocks of all parts together are too large.
    Headers,
    /// It has too many parts.
    Parts,
    /// Its parts are nested too deeply.
    Depth,
    /// A boundary is in a charset that is not decoded here.
    BoundaryCharset,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, limit) = match self {
            Unreadable::Size => ("bytes in the message", limits::MESSAGE_BYTES),
            Unreadable::HeaderBlock => {
                ("bytes in a header block", limits::MESSAGE_HEADER_BLOCK_BYTES)
            }
            Unreadable::Headers => ("bytes in all header blocks", limits::MESSAGE_HEADER_BYTES),
            Unreadable::Parts => ("parts in the message", limits::MESSAGE_PARTS),
            Unreadable::Depth => ("parts around a part", limits::MESSAGE_DEPTH),
            Unreadable::BoundaryCharset => {
                return f.write_str("a boundary is in a charset that is not known here");
            }
        };
        write!(f, "more than {limit} {what}")
    }
}

impl std::error::Error for Unreadable {}

/// A message and its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    parts: Vec<Part<'a>>,
}

impl<'a> Message<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// It is over a limit, or has a boundary in a rare charset.
    pub fn parse(raw: &'a [u8]) -> Result<Self, Unreadable> {
        Message::parse_as(raw, Python::Two)
    }

    /// Reads a message as that Python does; as Python 3 (3.11) reads the text that these bytes are in
    /// UTF-8, others escaped.
    ///
    /// # Errors
    /// As [`Message::parse`].
    pub fn parse_as(raw: &'a [u8], python: Python) -> Result<Self, Unreadable> {
        Ok(Message { parts: split::split(raw, python)? })
    }

    /// All parts in the order of `walk()`: the message itself first, a container before what it
    /// holds.
    pub fn parts(&self) -> &[Part<'a>] {
        &self.parts
    }
}

/// What `get_payload()` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// A string: of a leaf, or of a multipart that has no part.
    Text(Text<'a>),
    /// A list: the parts that follow, as long as they are deeper.
    Parts,
}

/// One of a message's parts, or the message itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// How many parts are around it.
    pub depth: usize,
    /// The `From ` line that it begins with, without its line end.
    pub unixfrom: Option<&'a [u8]>,
    /// Its headers.
    pub headers: Headers<'a>,
    /// Its body, in its transfer encoding.
    pub payload: Payload<'a>,
    /// What stands before the first part; None if that is no line at all.
    pub preamble: Option<Text<'a>>,
    /// What stands behind the last part. A multipart has one even if nothing is there, unless
    /// the boundary of another one around it took its only line end.
    pub epilogue: Option<&'a [u8]>,
    content_type: Cow<'a, [u8]>,
}

impl<'a> Part<'a> {
    /// `get_content_type()`: lowered, text/plain (message/rfc822 in a multipart/digest) if the
    /// header is missing, text/plain if it is invalid.
    pub fn content_type(&self) -> &[u8] {
        &self.content_type
    }

    /// `get_content_maintype()`.
    pub fn maintype(&self) -> &[u8] {
        self.content_type.split(|&byte| byte == b'/').next().unwrap_or_default()
    }

    /// `get_content_subtype()`.
    pub fn subtype(&self) -> &[u8] {
        self.content_type.split(|&byte| byte == b'/').nth(1).unwrap_or_default()
    }

    /// `is_multipart()`: whether it holds parts. An attached message does, and a multipart
    /// without any boundary line does not.
    pub fn is_multipart(&self) -> bool {
        self.payload == Payload::Parts
    }

    /// `get_param(name, header=header)`: see [`parameter`].
    pub fn parameter(&self, name: &str, header: &str) -> Option<Parameter> {
        parameter(self.headers.get(header)?, name)
    }

    /// What `get_payload(decode=True)` begins with, read from so many bytes of the payload; None
    /// if it holds parts.
    pub fn decoded_beginning(&self, bytes: usize) -> Option<Beginning<'a>> {
        let Payload::Text(text) = self.payload else { return None };
        let encoding = self.headers.get("content-transfer-encoding").unwrap_or_default();
        Some(transfer::decode_beginning(encoding, text.bytes(), bytes))
    }

    /// `get_payload(decode=True)`: None if it holds parts.
    ///
    /// # Errors
    /// Python raises `binascii.Error`.
    pub fn decoded(&self) -> Result<Option<Cow<'a, [u8]>>, IllegalCharacter> {
        let Payload::Text(text) = self.payload else { return Ok(None) };
        let encoding = self.headers.get("content-transfer-encoding").unwrap_or_default();
        transfer::decode_2(encoding, text.bytes()).map(Some)
    }
}
