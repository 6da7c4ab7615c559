//! Text parts in Python 3 (3.11), where a message is text: what `get_payload(decode=True)` and
//! `set_payload` do differently there.

use super::encode::is_quoted;
use crate::python::binascii::a2b_base64;
use crate::python::text::byte_lines;
use std::borrow::Cow;

/// Why there is no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoBytes {
    /// `UnicodeEncodeError`: it has characters beside bytes that are not UTF-8.
    Raises,
}

/// The bytes that Python makes of a payload before it undoes the transfer encoding. Python reads
/// a message as UTF-8, bytes that are not are escaped, and other characters than ASCII get an
/// encoding of Python's own.
pub(super) fn to_bytes(payload: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, NoBytes> {
    if payload.is_ascii() {
        return Ok(payload);
    }
    let Ok(text) = std::str::from_utf8(&payload) else {
        let is_ascii = payload.utf8_chunks().all(|chunk| chunk.valid().is_ascii());
        return if is_ascii { Ok(payload) } else { Err(NoBytes::Raises) };
    };
    let mut bytes = Vec::with_capacity(payload.len());
    for c in text.chars() {
        match u32::from(c) {
            code @ 0..=0xff => bytes.extend(u8::try_from(code)),
            code @ 0x100..=0xffff => bytes.extend(format!("\\u{code:04x}").into_bytes()),
            code => bytes.extend(format!("\\U{code:08x}").into_bytes()),
        }
    }
    Ok(Cow::Owned(bytes))
}

/// `email._encoded_words.decode_b` of the joined lines, which come back where they are too short.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut joined = byte_lines(text).fold(Vec::with_capacity(text.len() + 2), |mut all, line| {
        all.extend_from_slice(line);
        all
    });
    if let Some(decoded) = a2b_base64(&joined) {
        return decoded;
    }
    joined.extend_from_slice(b"==");
    if let Some(decoded) = a2b_base64(&joined) {
        return decoded;
    }
    joined.truncate(joined.len().saturating_sub(2));
    joined
}

/// Columns of a line in quoted-printable, the soft line break not counted.
const COLUMNS: usize = 75;

/// `quoprimime.body_encode`.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(body.len() + body.len() / 16);
    let mut lines = byte_lines(body).peekable();
    while let Some(line) = lines.next() {
        encode_line(line, &mut encoded);
        if lines.peek().is_some() || body.ends_with(b"\n") || body.ends_with(b"\r") {
            encoded.push(b'\n');
        }
    }
    encoded
}

fn encode_line(line: &[u8], encoded: &mut Vec<u8>) {
    let mut quoted = Vec::with_capacity(line.len());
    for &byte in line {
        if is_quoted(byte) {
            quoted.extend(format!("={byte:02X}").into_bytes());
        } else {
            quoted.push(byte);
        }
    }
    let mut rest = quoted.as_slice();
    // Python goes on while more than a line and one character is left.
    while rest.len() > COLUMNS + 1 {
        // An escape sequence is not broken up.
        let length = match rest.get(COLUMNS - 2..COLUMNS) {
            Some([b'=', _]) => COLUMNS - 2,
            Some([_, b'=']) => COLUMNS - 1,
            _ => COLUMNS,
        };
        let (piece, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        encoded.extend_from_slice(piece);
        encoded.extend_from_slice(b"=\n");
        rest = behind;
    }
    match rest {
        [before @ .., blank @ (b' ' | b'\t')] => {
            encoded.extend_from_slice(before);
            let quoted = format!("={blank:02X}").into_bytes();
            match COLUMNS + 2 - rest.len() {
                3.. => encoded.extend(quoted),
                2 => encoded.extend_from_slice(&[*blank, b'=', b'\n']),
                _ => {
                    encoded.extend_from_slice(b"=\n");
                    encoded.extend(quoted);
                }
            }
        }
        _ => encoded.extend_from_slice(rest),
    }
}
