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

/// Python's codecs that do not leave all ASCII as it is: their names and aliases
/// (`encodings.aliases`) without what is neither letter nor digit, in order.
#[rustfmt::skip]
const NOT_ASCII: [&str; 85] = [
    "037", "1026", "1140", "424", "500", "864", "base64", "base64codec", "bz2", "bz2codec",
    "cp037", "cp1026", "cp1140", "cp424", "cp500", "cp864", "cp875", "csibm037", "csibm1026",
    "csibm424", "csibm500", "csibm864", "csiso2022jp", "csiso2022kr", "dbcs", "ebcdiccpbe",
    "ebcdiccpca", "ebcdiccpch", "ebcdiccphe", "ebcdiccpnl", "ebcdiccpus", "ebcdiccpwt", "hex",
    "hexcodec", "hz", "hzgb", "hzgb2312", "ibm037", "ibm039", "ibm1026", "ibm1140", "ibm424",
    "ibm500", "ibm864", "idna", "iso2022jp", "iso2022jp1", "iso2022jp2", "iso2022jp2004",
    "iso2022jp3", "iso2022jpext", "iso2022kr", "mbcs", "punycode", "quopri", "quopricodec",
    "quotedprintable", "rawunicodeescape", "rot13", "shiftjis2004", "shiftjisx0213", "sjis2004",
    "sjisx0213", "stringescape", "u16", "u32", "u7", "undefined", "unicode11utf7",
    "unicodebigunmarked", "unicodeescape", "unicodeinternal", "unicodelittleunmarked", "utf16",
    "utf16be", "utf16le", "utf32", "utf32be", "utf32le", "utf7", "uu", "uucodec", "zip", "zlib",
    "zlibcodec",
];

/// `unicode(value, charset, 'replace')`. Any charset, known to Python or not, gives ASCII for
/// ASCII, except those above. Others than ASCII are decoded in the charsets that mail has.
/// Characters beyond U+00FF may be other ones than Python's.
fn decode(value: &[u8], charset: &[u8]) -> Result<String, Unreadable> {
    let name = String::from_utf8_lossy(charset).to_ascii_lowercase();
    if value.is_ascii() && !name.contains('\0') {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        return match NOT_ASCII.binary_search(&plain.as_str()) {
            Ok(_) => Err(Unreadable::BoundaryCharset),
            Err(_) => Ok(value.iter().copied().map(char::from).collect()),
        };
    }
    match name.as_str() {
        "" | "us-ascii" | "ascii" => {
            let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' };
            Ok(value.iter().map(ascii).collect())
        }
        "utf-8" | "utf8" | "utf_8" => Ok(String::from_utf8_lossy(value).into_owned()),
        "iso-8859-1" | "iso8859-1" | "latin-1" | "latin1" => {
            Ok(value.iter().copied().map(char::from).collect())
        }
        _ => Err(Unreadable::BoundaryCharset),
    }
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
