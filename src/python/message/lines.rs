//! The lines of a message, and the false ends that open containers put into them
//! (`email.feedparser.BufferedSubFile`).

use std::borrow::Cow;

use super::boundary::{Boundary, Open};
use crate::python::Python;

/// A stretch of a message as Python joins it from lines.
///
/// It is contiguous in the message except for one case: a `From ` line at the end of a header
/// block is the first line of the body, and the blank line between the two is in neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Text<'a> {
    /// That `From ` line with its line end; empty in all other cases.
    pub lead: &'a [u8],
    /// What follows.
    pub rest: &'a [u8],
}

impl<'a> Text<'a> {
    /// Bytes of it.
    pub fn len(self) -> usize {
        self.lead.len() + self.rest.len()
    }

    /// Whether it is the empty string.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The string; copied only where it is not contiguous.
    pub fn bytes(self) -> Cow<'a, [u8]> {
        match (self.lead, self.rest) {
            (lead, []) => Cow::Borrowed(lead),
            ([], rest) => Cow::Borrowed(rest),
            (lead, rest) => Cow::Owned([lead, rest].concat()),
        }
    }

    /// Without the line end that the string ends with, if it does (`NLCRE_eol`).
    pub(super) fn without_line_end(self) -> Self {
        match (self.lead, self.rest) {
            (lead, []) => Text { lead: without_line_end(lead), rest: &[] },
            // Joined, the two are one CRLF.
            ([lead @ .., b'\r'], b"\n") => Text { lead, rest: &[] },
            (lead, rest) => Text { lead, rest: without_line_end(rest) },
        }
    }

    /// Without the line end of its last line.
    pub(super) fn without_last_line_end(self) -> Self {
        match self.rest {
            [] => self.without_line_end(),
            rest => Text { rest: without_line_end(rest), ..self },
        }
    }
}

/// `line` without the LF, CRLF or CR at its end.
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    match line {
        [before @ .., b'\r', b'\n'] | [before @ .., b'\n' | b'\r'] => before,
        _ => line,
    }
}

/// Whether the line has nothing before its line end (`NLCRE.match`).
pub(super) fn is_blank(line: &[u8]) -> bool {
    matches!(line, [b'\n' | b'\r', ..])
}

/// The first line, its line end included, as `str.splitlines(True)` has it: LF, CRLF and a lone
/// CR end a line of bytes, and nothing else does. Empty only if `text` is.
pub(super) fn first_line(text: &[u8]) -> &[u8] {
    let end = match text.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(at) if matches!(text.get(at..), Some([b'\r', b'\n', ..])) => at + 2,
        Some(at) => at + 1,
        None => text.len(),
    };
    text.get(..end).unwrap_or(text)
}

/// Reads a message line by line, stopping before any line that ends an open container.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    raw: &'a [u8],
    /// Where the next line begins; always the begin of a line.
    at: usize,
    /// A `From ` line put back before that.
    put_back: Option<&'a [u8]>,
    /// Boundaries of the multiparts around what is being read.
    pub(super) open: Open,
    /// Header blocks around it which a blank line ends.
    pub(super) blank_ends: usize,
    /// Whose rules apply.
    pub(super) python: Python,
}

impl<'a> Lines<'a> {
    pub(super) fn new(raw: &'a [u8], python: Python) -> Self {
        Lines { raw, at: 0, put_back: None, open: Open::default(), blank_ends: 0, python }
    }

    /// What no line was read of yet, without a line put back.
    pub(super) fn unread(&self) -> &'a [u8] {
        self.raw.get(self.at..).unwrap_or_default()
    }

    /// The next line; None at the end of the message or of an open container.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        if self.put_back.is_some() {
            return self.put_back;
        }
        let line = first_line(self.unread());
        (!line.is_empty() && !self.is_end(line)).then_some(line)
    }

    /// Goes on behind the line that `peek` gave.
    pub(super) fn advance(&mut self, line: &[u8]) {
        if self.put_back.take().is_none() {
            self.at += line.len();
        }
    }

    /// Makes this the next line. It begins with `From `, so that it ends no container.
    pub(super) fn put_back(&mut self, from_line: &'a [u8]) {
        self.put_back = Some(from_line);
    }

    /// All lines up to the end of the message or of an open container.
    pub(super) fn rest(&mut self) -> Text<'a> {
        self.up_to(None)
    }

    /// The same, but `boundary` ends them as well.
    pub(super) fn up_to(&mut self, boundary: Option<&Boundary>) -> Text<'a> {
        let lead = self.put_back.take().unwrap_or_default();
        let unread = self.unread();
        let length = self.find_end(unread, boundary);
        self.at += length;
        Text { lead, rest: unread.get(..length).unwrap_or(unread) }
    }

    fn is_end(&self, line: &[u8]) -> bool {
        (self.blank_ends > 0 && is_blank(line)) || self.open.is_ended_by(line)
    }

    /// Where in `unread`, which begins with a line, the first line is that ends it.
    fn find_end(&self, unread: &[u8], boundary: Option<&Boundary>) -> usize {
        let is_end =
            |line| self.is_end(line) || boundary.is_some_and(|own| own.mark(line).is_some());
        let mut at = 0;
        if self.blank_ends > 0 {
            loop {
                let line = first_line(unread.get(at..).unwrap_or_default());
                if line.is_empty() || is_end(line) {
                    return at;
                }
                at += line.len();
            }
        }
        if boundary.is_none() && self.open.is_empty() {
            return unread.len();
        }
        while let Some(dashes) = find_dashes(unread, at) {
            let line = first_line(unread.get(dashes..).unwrap_or_default());
            if is_end(line) {
                return dashes;
            }
            at = dashes + line.len();
        }
        unread.len()
    }
}

/// Bytes that are looked at together for a dash.
const BLOCK: usize = 64;

/// Where, from `from` on, the first line of `text` is that begins with two dashes; both begin
/// with a line.
fn find_dashes(text: &[u8], from: usize) -> Option<usize> {
    let begins_line = |at: usize| {
        at == from
            || matches!(at.checked_sub(1).and_then(|before| text.get(before)), Some(b'\n' | b'\r'))
    };
    let mut block_at = from;
    for block in text.get(from..)?.chunks(BLOCK) {
        // Without an early exit this becomes a few vector instructions.
        if block.iter().fold(false, |seen, &byte| seen | (byte == b'-')) {
            for (index, _) in block.iter().enumerate().filter(|&(_, &byte)| byte == b'-') {
                let at = block_at + index;
                if text.get(at + 1) == Some(&b'-') && begins_line(at) {
                    return Some(at);
                }
            }
        }
        block_at += block.len();
    }
    None
}
