//! The bytes of a source file: encoding declaration, line ends.

use super::SyntaxError;
use crate::python::Python;

/// How the bytes of string literals become characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Latin1,
    /// Some other charset that is ASCII with one byte for every further character.
    SingleByte,
}

/// A source file with `\n` line ends, as Python's tokenizer sees it.
pub(super) struct Source {
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: Encoding,
}

/// The error of a file which Python would refuse, or whose charset is not understood.
fn refused(line: usize, reason: &'static str) -> SyntaxError {
    SyntaxError { line, reason }
}

impl Source {
    /// Applies PEP 263: a byte order mark, or `coding:` in a comment of the first two lines.
    pub(super) fn new(raw: &[u8], python: Python) -> Result<Self, SyntaxError> {
        let (raw, has_mark) = match raw.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => (rest, true),
            None => (raw, false),
        };
        let bytes = with_plain_line_ends(raw)?;
        if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
            return Err(refused(line_of(&bytes, at), "NUL byte"));
        }
        let declared = declared_encoding(&bytes);
        let is_ascii_only = match &declared {
            Some(name) => name == "us-ascii" || name == "ascii",
            None => python == Python::Two && !has_mark,
        };
        let first_high = bytes.iter().position(|byte| !byte.is_ascii());
        if let (true, Some(at)) = (is_ascii_only, first_high) {
            return Err(refused(
                line_of(&bytes, at),
                "non-ASCII byte without an encoding declared",
            ));
        }
        let encoding = match &declared {
            Some(name) => known_encoding(name).ok_or(refused(1, "encoding not supported"))?,
            None => Encoding::Utf8,
        };
        if has_mark && encoding != Encoding::Utf8 {
            return Err(refused(1, "byte order mark contradicts the encoding declared"));
        }
        if encoding == Encoding::Utf8
            && let Err(error) = std::str::from_utf8(&bytes)
        {
            return Err(refused(line_of(&bytes, error.valid_up_to()), "not UTF-8"));
        }
        // Python 2 reads other charsets by a codec, which sees line ends in these too.
        let is_odd = |byte: &u8| matches!(byte, 0x0b | 0x0c | 0x1c..=0x1e | 0x85);
        if encoding == Encoding::SingleByte
            && let Some(at) = bytes.iter().position(is_odd)
        {
            return Err(refused(line_of(&bytes, at), "control character"));
        }
        Ok(Self { bytes, encoding })
    }
}

/// CRLF becomes LF, within string literals too. What a CR alone is depends on how Python came to
/// read the file.
fn with_plain_line_ends(raw: &[u8]) -> Result<Vec<u8>, SyntaxError> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte == b'\r' {
            if rest.peek() != Some(&b'\n') {
                return Err(refused(line_of(&bytes, bytes.len()), "CR without LF"));
            }
        } else {
            bytes.push(byte);
        }
    }
    Ok(bytes)
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|&&byte| byte == b'\n').count()
}

/// The name after `coding:` or `coding=`, lowercased, with `-` for `_`. The second line counts if
/// the first is blank or a comment.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|&byte| byte == b'\n').take(2) {
        let text = line.trim_ascii_start();
        if !text.is_empty() && !text.starts_with(b"#") {
            return None;
        }
        if let Some(name) = encoding_in_comment(text) {
            return Some(name);
        }
    }
    None
}

fn encoding_in_comment(comment: &[u8]) -> Option<String> {
    let found = comment
        .windows(7)
        .position(|w| w.strip_prefix(b"coding").is_some_and(|next| next == b":" || next == b"="))?;
    let after = comment.get(found + 7..)?.trim_ascii_start();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let name: Vec<u8> = after.iter().copied().take_while(is_part).collect();
    let name = String::from_utf8(name).ok()?.to_ascii_lowercase().replace('_', "-");
    (!name.is_empty()).then_some(name)
}

fn known_encoding(name: &str) -> Option<Encoding> {
    match name {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => Some(Encoding::Utf8),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "iso-latin-1" => Some(Encoding::Latin1),
        "koi8-r" | "koi8-u" => Some(Encoding::SingleByte),
        _ => {
            let is_number = |prefix| {
                let rest: &str = name.strip_prefix(prefix).unwrap_or_default();
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
            };
            let prefixes = ["iso-8859-", "iso8859-", "windows-125", "cp125"];
            prefixes.into_iter().any(is_number).then_some(Encoding::SingleByte)
        }
    }
}
