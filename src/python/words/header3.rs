//! Encoded words as `email.header.decode_header` of Python 3 (3.11) reads them: a word needs no blank
//! behind it, and blanks between words and plain text stay.

use super::transfer::{decode_base64, decode_quoted};
use super::{Fragment, HeaderParseError};
use crate::python::Python;
use crate::python::text::{PyStr, is_space, split_lines};

/// A stretch of a line.
enum Piece {
    Plain(String),
    Word { charset: String, bytes: Vec<u8> },
}

/// `decode_header(value)`; nothing where there is no encoded word, so that the value stays text.
///
/// # Errors
/// One word's base64 cannot be decoded.
pub fn decode_header(value: &str) -> Result<Option<Vec<Fragment>>, HeaderParseError> {
    if next_word(value).is_none() {
        return Ok(None);
    }
    let mut pieces = Vec::new();
    for line in split_lines(&PyStr::Text(value.to_owned())) {
        split_line(&line.to_lossy(), &mut pieces)?;
    }
    drop_blanks_between_words(&mut pieces);
    Ok(Some(collapse(pieces)))
}

/// The parts of `=?charset?encoding?encoded?=`, what stands before it and behind.
struct Found<'a> {
    before: &'a str,
    charset: &'a str,
    is_base64: bool,
    encoded: &'a str,
    behind: &'a str,
}

/// The first encoded word; it may not go over a line feed.
fn next_word(text: &str) -> Option<Found<'_>> {
    for (at, _) in text.match_indices("=?") {
        let after = text.get(at + 2..)?;
        let (charset, rest) = after.split_once('?')?;
        let is_base64 = match rest.as_bytes() {
            [b'q' | b'Q', b'?', ..] => false,
            [b'b' | b'B', b'?', ..] => true,
            _ => continue,
        };
        let rest = rest.get(2..).unwrap_or_default();
        let (encoded, behind) = rest.split_once("?=")?;
        if !encoded.contains('\n') {
            let before = text.get(..at).unwrap_or_default();
            return Some(Found { before, charset, is_base64, encoded, behind });
        }
    }
    None
}

fn split_line(line: &str, pieces: &mut Vec<Piece>) -> Result<(), HeaderParseError> {
    let mut rest = line;
    let mut is_first = true;
    loop {
        let found = next_word(rest);
        let plain = found.as_ref().map_or(rest, |found| found.before);
        let plain = match is_first {
            true => plain.trim_start_matches(|c| is_space(c, Python::Three)),
            false => plain,
        };
        is_first = false;
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain.to_owned()));
        }
        let Some(found) = found else { return Ok(()) };
        let encoded = found.encoded.as_bytes();
        let bytes = match found.is_base64 {
            true => decode_base64(encoded)?,
            false => decode_quoted(encoded),
        };
        pieces.push(Piece::Word { charset: found.charset.to_lowercase(), bytes });
        rest = found.behind;
    }
}

/// Python looks at a word and the piece two before it, but for the first two pieces.
fn drop_blanks_between_words(pieces: &mut Vec<Piece>) {
    let is_word = |piece: Option<&Piece>| matches!(piece, Some(Piece::Word { .. }));
    let is_blank = |piece: &Piece| match piece {
        Piece::Plain(text) => text.chars().all(|c| is_space(c, Python::Three)),
        Piece::Word { .. } => false,
    };
    let dropped: Vec<bool> = pieces
        .iter()
        .enumerate()
        .map(|(at, piece)| {
            at > 0 && is_blank(piece) && is_word(pieces.get(at - 1)) && is_word(pieces.get(at + 1))
        })
        .collect();
    let mut at = 0;
    pieces.retain(|_| {
        at += 1;
        !dropped.get(at - 1).copied().unwrap_or(false)
    });
}

/// Neighbours of one charset are one fragment; plain ones with a space between.
fn collapse(pieces: Vec<Piece>) -> Vec<Fragment> {
    let mut fragments: Vec<Fragment> = Vec::new();
    for piece in pieces {
        let (bytes, charset) = match piece {
            Piece::Plain(text) => (raw_unicode_escape(&text), None),
            Piece::Word { charset, bytes } => (bytes, Some(charset.into_bytes())),
        };
        match fragments.last_mut() {
            Some(last) if last.charset == charset => {
                if charset.is_none() {
                    last.bytes.push(b' ');
                }
                last.bytes.extend(bytes);
            }
            _ => fragments.push(Fragment { bytes, charset }),
        }
    }
    fragments
}

/// `bytes(text, 'raw-unicode-escape')`
fn raw_unicode_escape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match (u8::try_from(c), u32::from(c)) {
            (Ok(byte), _) => bytes.push(byte),
            (_, code @ ..=0xffff) => bytes.extend(format!("\\u{code:04x}").into_bytes()),
            (_, code) => bytes.extend(format!("\\U{code:08x}").into_bytes()),
        }
    }
    bytes
}
