//! The MIME structure: `FeedParser._parsegen` of Python 2.7, its nested generators turned into a
//! stack of containers.

use std::borrow::Cow;

use super::boundary::{Boundary, Mark};
use super::headers::{Headers, read_head};
use super::lines::{Lines, Text, without_line_end};
use super::params::content_type;
use super::{Part, Payload, Unreadable};
use crate::limits::{MESSAGE_BYTES, MESSAGE_DEPTH, MESSAGE_HEADER_BYTES, MESSAGE_PARTS};
use crate::python::Python;

/// The parts of a message, in the order of `walk()`.
pub(super) fn split(raw: &[u8], python: Python) -> Result<Vec<Part<'_>>, Unreadable> {
    if raw.len() > MESSAGE_BYTES {
        return Err(Unreadable::Size);
    }
    let mut splitter = Splitter {
        lines: Lines::new(raw, python),
        parts: Vec::new(),
        containers: Vec::new(),
        last: 0,
        header_bytes: 0,
    };
    loop {
        splitter.read_part()?;
        if !splitter.is_in_new_container() && !splitter.goes_on() {
            return Ok(splitter.parts);
        }
    }
}

/// A part that holds others, while these are read.
struct Container {
    /// Its index in the parts.
    part: usize,
    kind: Kind,
}

/// What ends the parts of a container.
enum Kind {
    /// A boundary.
    Multipart(Boundary),
    /// A blank line: message/delivery-status.
    Blocks,
    /// Only what ends the container itself: any other message type.
    Message,
}

/// Of bytes that are not UTF-8, Python 3 sees U+FFFD in some cases and fails in others; it fails, too,
/// where a parameter comes in pieces of which only some have a number (RFC 2231).
fn is_untold_to_python_3(content_type: &[u8]) -> bool {
    let pieces = b"boundary*";
    let in_pieces = |window: &[u8]| window.eq_ignore_ascii_case(pieces);
    let numbered = |window: &[u8]| matches!(window, [b'*', b'0'..=b'9']);
    std::str::from_utf8(content_type).is_err()
        || content_type.windows(pieces.len()).any(in_pieces)
        || content_type.windows(2).any(numbered)
}

struct Splitter<'a> {
    lines: Lines<'a>,
    parts: Vec<Part<'a>>,
    /// Those open, outermost first.
    containers: Vec<Container>,
    /// The index of the part that was begun last, or of the multipart whose part ended last.
    last: usize,
    /// Bytes of all header blocks so far.
    header_bytes: usize,
}

impl<'a> Splitter<'a> {
    /// Whether the part read last holds others, which begin here.
    fn is_in_new_container(&self) -> bool {
        self.containers.last().is_some_and(|inner| inner.part + 1 == self.parts.len())
    }

    /// Reads one part: all of it, or its head and what stands before the first part in it.
    fn read_part(&mut self) -> Result<(), Unreadable> {
        let mut part = self.read_part_head()?;
        let kind = match part.content_type() {
            b"message/delivery-status" => Some(Kind::Blocks),
            _ if part.maintype() == b"message" => Some(Kind::Message),
            _ if part.maintype() == b"multipart" => {
                self.read_preamble(&mut part)?.map(Kind::Multipart)
            }
            _ => {
                part.payload = Payload::Text(self.lines.rest());
                None
            }
        };
        if let Some(kind) = kind {
            part.payload = Payload::Parts;
            self.enter(&kind);
            self.containers.push(Container { part: self.parts.len(), kind });
        }
        self.last = self.parts.len();
        self.parts.push(part);
        Ok(())
    }

    fn read_part_head(&mut self) -> Result<Part<'a>, Unreadable> {
        if self.parts.len() >= MESSAGE_PARTS {
            return Err(Unreadable::Parts);
        }
        if self.containers.len() > MESSAGE_DEPTH {
            return Err(Unreadable::Depth);
        }
        let head = read_head(&mut self.lines)?;
        self.header_bytes += head.length;
        if self.header_bytes > MESSAGE_HEADER_BYTES {
            return Err(Unreadable::Headers);
        }
        let content_type = head.headers.get("content-type").unwrap_or_default();
        if self.lines.python == Python::Three && is_untold_to_python_3(content_type) {
            return Err(Unreadable::BoundaryCharset);
        }
        Ok(Part {
            depth: self.containers.len(),
            unixfrom: head.unixfrom,
            content_type: self.content_type(&head.headers),
            headers: head.headers,
            payload: Payload::Text(Text::default()),
            preamble: None,
            epilogue: None,
        })
    }

    /// `get_content_type`; the default in a multipart/digest is another one.
    fn content_type(&self, headers: &Headers<'a>) -> Cow<'a, [u8]> {
        if let Some(value) = headers.get("content-type") {
            return content_type(value);
        }
        let parent = self.containers.last().and_then(|inner| self.parts.get(inner.part));
        match parent.map(Part::content_type) {
            Some(b"multipart/digest") => Cow::Borrowed(b"message/rfc822"),
            _ => Cow::Borrowed(b"text/plain"),
        }
    }

    /// Reads a multipart up to its first part, and gives its boundary. None if it has no part:
    /// all of it has been read then.
    fn read_preamble(&mut self, part: &mut Part<'a>) -> Result<Option<Boundary>, Unreadable> {
        let Some(boundary) = part.parameter("boundary", "content-type") else {
            part.payload = Payload::Text(self.lines.rest());
            return Ok(None);
        };
        let boundary = Boundary::new(&boundary)?;
        let preamble = self.lines.up_to(Some(&boundary));
        if self.next_mark(&boundary) == Some(Mark::Part) {
            if !preamble.is_empty() {
                part.preamble = Some(preamble.without_last_line_end());
            }
            self.skip_marks(&boundary);
            return Ok(Some(boundary));
        }
        // Without a first boundary, Python loses what follows a last one.
        part.payload = Payload::Text(preamble);
        part.epilogue = Some(b"");
        self.lines.rest();
        Ok(None)
    }

    /// What the next line is to the multipart; None also if the next line ends it.
    fn next_mark(&self, boundary: &Boundary) -> Option<Mark> {
        boundary.mark(self.lines.peek()?)
    }

    /// Goes behind the boundary lines, of either kind, that follow each other here.
    fn skip_marks(&mut self, boundary: &Boundary) {
        while let Some(line) = self.lines.peek()
            && boundary.mark(line).is_some()
        {
            self.lines.advance(line);
        }
    }

    /// Closes all containers that end here. Whether another part follows.
    fn goes_on(&mut self) -> bool {
        while let Some(container) = self.containers.pop() {
            self.leave(&container.kind);
            let another = match &container.kind {
                Kind::Multipart(boundary) => self.goes_on_in_multipart(boundary, container.part),
                Kind::Blocks => self.goes_on_in_blocks(),
                Kind::Message => false,
            };
            if another {
                self.enter(&container.kind);
                self.containers.push(container);
                return true;
            }
        }
        false
    }

    /// What ends a part in that container ends all within it.
    fn enter(&mut self, kind: &Kind) {
        match kind {
            Kind::Multipart(boundary) => self.lines.open.push(boundary),
            Kind::Blocks => self.lines.blank_ends += 1,
            Kind::Message => (),
        }
    }

    fn leave(&mut self, kind: &Kind) {
        match kind {
            Kind::Multipart(boundary) => self.lines.open.pop(boundary),
            Kind::Blocks => self.lines.blank_ends -= 1,
            Kind::Message => (),
        }
    }

    /// Behind a part of a multipart: goes to the next one, or reads the epilogue.
    fn goes_on_in_multipart(&mut self, boundary: &Boundary, multipart: usize) -> bool {
        self.trim_last(multipart);
        match self.next_mark(boundary) {
            Some(Mark::Part) => {
                self.skip_marks(boundary);
                return true;
            }
            Some(Mark::Close) => {
                if let Some(line) = self.lines.peek() {
                    self.lines.advance(line);
                }
            }
            None => (),
        }
        let epilogue = self.lines.rest().rest;
        if let Some(part) = self.parts.get_mut(multipart) {
            part.epilogue = Some(epilogue);
        }
        false
    }

    /// The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1).
    fn trim_last(&mut self, multipart: usize) {
        let last = std::mem::replace(&mut self.last, multipart);
        let Some(last) = self.parts.get_mut(last) else { return };
        if last.maintype() == b"multipart" {
            last.epilogue = match last.epilogue {
                None | Some(b"") => None,
                Some(epilogue) => Some(without_line_end(epilogue)),
            };
        } else if let Payload::Text(text) = &mut last.payload {
            *text = text.without_line_end();
        }
    }

    /// Behind a block of a message/delivery-status: goes behind the blank line, if it is one that
    /// ended the block. Whether the part goes on behind that.
    fn goes_on_in_blocks(&mut self) -> bool {
        if let Some(line) = self.lines.peek() {
            self.lines.advance(line);
        }
        self.lines.peek().is_some()
    }
}
