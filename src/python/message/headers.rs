//! A header block as `email.feedparser` of Python 2.7 reads it.
//!
//! A line belongs to the block if it begins with `From `, with a blank, or with a name and a
//! colon; the name has no blank, no control and no 8-bit byte. The first other line ends the
//! block: it is dropped if it is blank, and begins the body if not.

use super::Unreadable;
use super::lines::{Lines, Text, first_line, is_blank, without_line_end};
use crate::limits::{MESSAGE_BYTES, MESSAGE_HEADER_BLOCK_BYTES};
use crate::python::Python;
use crate::python::text::is_space_byte;

/// One header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name as it is written, without the colon.
    pub name: &'a [u8],
    /// The value with its folds: no white space before it, no line end behind it.
    pub value: &'a [u8],
}

/// The headers of a message or a part, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers<'a>(Vec<Header<'a>>);

impl<'a> Headers<'a> {
    /// `items()`.
    pub fn iter(&self) -> impl Iterator<Item = Header<'a>> + '_ {
        self.0.iter().copied()
    }

    /// `msg[name]`: the first of that name, in any case; None if there is none.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// `get_all(name)`: the values of all of that name, in any case.
    pub fn get_all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        let of_that_name =
            move |header: &&Header<'a>| header.name.eq_ignore_ascii_case(name.as_bytes());
        self.0.iter().filter(of_that_name).map(|header| header.value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The head of a message, and all that follows it, MIME or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block<'a> {
    /// The `From ` line that the message begins with, without its line end.
    pub unixfrom: Option<&'a [u8]>,
    /// The headers.
    pub headers: Headers<'a>,
    /// What Python reads next.
    pub body: Text<'a>,
}

/// Reads the head of a message.
///
/// # Errors
/// The message or its header block is over its limit.
pub fn read(raw: &[u8]) -> Result<Block<'_>, Unreadable> {
    read_as(raw, Python::Two)
}

/// Reads the head of a message as that Python does.
///
/// # Errors
/// As [`read`].
pub fn read_as(raw: &[u8], python: Python) -> Result<Block<'_>, Unreadable> {
    if raw.len() > MESSAGE_BYTES {
        return Err(Unreadable::Size);
    }
    let mut lines = Lines::new(raw, python);
    let head = read_head(&mut lines)?;
    Ok(Block { unixfrom: head.unixfrom, headers: head.headers, body: lines.rest() })
}

/// What `_parse_headers` finds.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) unixfrom: Option<&'a [u8]>,
    pub(super) headers: Headers<'a>,
    /// Bytes of the block.
    pub(super) length: usize,
}

/// Reads a header block and leaves the cursor on the first line of the body.
pub(super) fn read_head<'a>(lines: &mut Lines<'a>) -> Result<Head<'a>, Unreadable> {
    let mut head = Head::default();
    // Only a line put back can be apart from the others. It is a `From ` line, and the first.
    let behind = lines.unread();
    if let Some(line) = lines.peek().filter(|line| line.starts_with(b"From ")) {
        head.unixfrom = Some(without_line_end(line));
        lines.advance(line);
    }
    let start = lines.unread();
    head.length = behind.len() - start.len();
    let block = skip_block(lines)?;
    head.length += block.len();
    let from_line = split_block(block, lines.python, &mut head.headers.0);
    if let Some(line) = from_line {
        lines.put_back(line);
    }
    Ok(head)
}

/// Goes behind the header block and the blank line that ends it. Gives the block.
fn skip_block<'a>(lines: &mut Lines<'a>) -> Result<&'a [u8], Unreadable> {
    let start = lines.unread();
    let mut length = 0;
    while let Some(line) = lines.peek() {
        if !is_header_line(line, lines.python) {
            if is_blank(line) {
                lines.advance(line);
            }
            break;
        }
        lines.advance(line);
        length += line.len();
        if length > MESSAGE_HEADER_BLOCK_BYTES {
            return Err(Unreadable::HeaderBlock);
        }
    }
    Ok(start.get(..length).unwrap_or(start))
}

/// `headerRE` of `email.feedparser`. To Python 3, a line that begins with a colon is one, too.
fn is_header_line(line: &[u8], python: Python) -> bool {
    line.starts_with(b"From ")
        || matches!(line, [b' ' | b'\t', ..])
        || split_name(line).is_some()
        || (python == Python::Three && line.starts_with(b":"))
}

/// The name that a header line begins with, and what follows the colon.
fn split_name(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':' || !byte.is_ascii_graphic())?;
    match line.split_at_checked(colon)? {
        (name @ [_, ..], [b':', value @ ..]) => Some((name, value)),
        _ => None,
    }
}

/// Takes the headers out of the lines of a block, which does not begin with its first `From `
/// line. Gives the `From ` line that ends it.
///
/// Any other `From ` line is dropped and closes the header before it: the folded lines that
/// follow are dropped too. Python 3 drops a line without a name likewise, and strips blanks and tabs
/// alone before a value, not the end of an empty first line.
fn split_block<'a>(
    block: &'a [u8],
    python: Python,
    headers: &mut Vec<Header<'a>>,
) -> Option<&'a [u8]> {
    let mut open: Option<OpenHeader<'a>> = None;
    let mut rest = block;
    while !rest.is_empty() {
        let from_here = rest;
        let line = first_line(rest);
        rest = rest.get(line.len()..).unwrap_or_default();
        if matches!(line, [b' ' | b'\t', ..]) {
            if let Some(header) = &mut open {
                header.length += line.len();
            }
            continue;
        }
        headers.extend(open.take().map(OpenHeader::close));
        if line.starts_with(b"From ") {
            if rest.is_empty() {
                return Some(line);
            }
        } else if let Some((name, value)) = split_name(line) {
            let is_blank = |byte: u8| match python {
                Python::Two => is_space_byte(byte),
                Python::Three => matches!(byte, b' ' | b'\t'),
            };
            let blanks = value.iter().take_while(|&&byte| is_blank(byte)).count();
            let behind = from_here.get(name.len() + 1 + blanks..).unwrap_or_default();
            open = Some(OpenHeader { name, behind, length: value.len() - blanks });
        }
    }
    headers.extend(open.map(OpenHeader::close));
    None
}

/// A header that may be folded further.
struct OpenHeader<'a> {
    name: &'a [u8],
    /// The block from the value on.
    behind: &'a [u8],
    /// Bytes of the value so far, its line end included.
    length: usize,
}

impl<'a> OpenHeader<'a> {
    fn close(self) -> Header<'a> {
        let mut value = self.behind.get(..self.length).unwrap_or(self.behind);
        while let [before @ .., b'\r' | b'\n'] = value {
            value = before;
        }
        Header { name: self.name, value }
    }
}
