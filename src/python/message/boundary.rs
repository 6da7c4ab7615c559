//! Boundaries of multiparts, and the lines that they mark.

use std::collections::HashMap;

use super::lines::without_line_end;
use super::params::{Parameter, unquote};
use super::{Python, Unreadable};
use crate::python::text::{is_space, is_space_byte};

/// What a line is to a multipart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// `--boundary`: a part begins.
    Part,
    /// `--boundary--`: the last part has ended.
    Close,
}

/// A boundary as its lines have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Boundary {
    /// None if no line of bytes can match: it has characters beyond U+00FF.
    delimiter: Option<Vec<u8>>,
}

/// What stands behind the dashes of a line, without the blanks and the line end behind it.
fn behind_dashes(line: &[u8]) -> Option<&[u8]> {
    let mut text = without_line_end(line.strip_prefix(b"--")?);
    while let [before @ .., b' ' | b'\t'] = text {
        text = before;
    }
    Some(text)
}

impl Boundary {
    /// `get_boundary`, from what `get_param('boundary')` found. A boundary given by RFC 2231 is
    /// text for Python, matched against bytes by code point.
    pub(super) fn new(parameter: &Parameter) -> Result<Self, Unreadable> {
        match parameter {
            Parameter::Plain(value) => {
                let mut delimiter = unquote(value);
                while delimiter.last().is_some_and(|&byte| is_space_byte(byte)) {
                    delimiter.pop();
                }
                Ok(Boundary { delimiter: Some(delimiter) })
            }
            Parameter::Extended { charset, value, .. } => {
                let text = decode(&unquote(value), charset.as_deref().unwrap_or_default())?;
                let text = text.trim_end_matches(|c| is_space(c, Python::Two));
                let delimiter = text.chars().map(|c| u8::try_from(c).ok()).collect();
                Ok(Boundary { delimiter })
            }
        }
    }

    /// What the line is to this multipart; None if it is nothing special.
    ///
    /// The boundary has no blank at its end, so that the blanks behind it are no part of it.
    pub(super) fn mark(&self, line: &[u8]) -> Option<Mark> {
        match behind_dashes(line)?.strip_prefix(self.delimiter.as_deref()?)? {
            b"" => Some(Mark::Part),
            b"--" => Some(Mark::Close),
            _ => None,
        }
    }
}

/// Charsets whose decoding of ASCII is ASCII, white space and `-` taken out of the names.
const ASCII_SUPERSETS: [&str; 12] = [
    "usascii", "ascii", "utf8", "latin1", "koi8r", "koi8u", "gb2312", "gbk", "gb18030", "big5",
    "eucjp", "euckr",
];

/// `unicode(value, charset, 'replace')` for the charsets that mail has; more than these would
/// need Python's whole table of codecs. Characters beyond U+00FF may be other ones than Python's.
fn decode(value: &[u8], charset: &[u8]) -> Result<String, Unreadable> {
    let name = String::from_utf8_lossy(charset).to_ascii_lowercase();
    match name.as_str() {
        "" | "us-ascii" | "ascii" => {
            Ok(String::from_utf8_lossy(value).replace(|c: char| !c.is_ascii(), "\u{fffd}"))
        }
        "utf-8" | "utf8" | "utf_8" => Ok(String::from_utf8_lossy(value).into_owned()),
        "iso-8859-1" | "iso8859-1" | "latin-1" | "latin1" => {
            Ok(value.iter().copied().map(char::from).collect())
        }
        _ if value.is_ascii() && is_ascii_superset(&name) => {
            Ok(String::from_utf8_lossy(value).into_owned())
        }
        _ => Err(Unreadable::BoundaryCharset),
    }
}

/// Whether the charset, if Python knows it, has ASCII in it; if not, Python takes ASCII.
fn is_ascii_superset(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect();
    let family =
        ["iso8859", "windows125", "cp125"].iter().find_map(|family| plain.strip_prefix(family));
    ASCII_SUPERSETS.contains(&plain.as_str())
        || family.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The boundaries of all multiparts around a line. Any of them ends everything within its
/// multipart (RFC 2046, 5.1.2), in one look-up however many there are.
#[derive(Debug, Default)]
pub(super) struct Open {
    counts: HashMap<Vec<u8>, usize>,
}

impl Open {
    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub(super) fn push(&mut self, boundary: &Boundary) {
        if let Some(delimiter) = &boundary.delimiter {
            *self.counts.entry(delimiter.clone()).or_default() += 1;
        }
    }

    pub(super) fn pop(&mut self, boundary: &Boundary) {
        if let Some(delimiter) = &boundary.delimiter
            && let Some(count) = self.counts.get_mut(delimiter)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(delimiter);
            }
        }
    }

    pub(super) fn is_ended_by(&self, line: &[u8]) -> bool {
        if self.counts.is_empty() {
            return false;
        }
        let Some(text) = behind_dashes(line) else { return false };
        self.counts.contains_key(text)
            || text.strip_suffix(b"--").is_some_and(|text| self.counts.contains_key(text))
    }
}
