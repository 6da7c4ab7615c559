//! Payloads in their transfer encodings, as `email.quoprimime` and `email.base64mime` of Python 2.7
//! (`body_encode`) write them.

use crate::python::text::byte_lines;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes of data on a line of base64.
const BASE64_LINE: usize = 57;
/// Columns of a line in quoted-printable.
const COLUMNS: usize = 76;

/// `base64mime.body_encode`: each line ends with LF.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    let lines = body.len().div_ceil(BASE64_LINE);
    let mut encoded = String::with_capacity(body.len().div_ceil(3) * 4 + lines);
    for line in body.chunks(BASE64_LINE) {
        STANDARD.encode_string(line, &mut encoded);
        encoded.push('\n');
    }
    encoded.into_bytes()
}

/// `quoprimime.body_encode`: every line end becomes LF.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(body.len() + body.len() / 16);
    let mut lines = byte_lines(body).peekable();
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        let has_end = !is_last || body.ends_with(b"\n") || body.ends_with(b"\r");
        encode_line(line, is_last, &mut encoded);
        if has_end {
            encoded.push(b'\n');
        }
    }
    encoded
}

/// One line without its line end. A blank at the end of a line comes before a soft line break, at
/// the end of the body it is quoted.
fn encode_line(line: &[u8], is_last: bool, encoded: &mut Vec<u8>) {
    let (line, blank) = match line {
        [before @ .., blank @ (b' ' | b'\t')] => (before, Some(*blank)),
        _ => (line, None),
    };
    let mut columns = 0;
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let written = if is_quoted(byte) { 3 } else { 1 };
        // A plain character may stand in the last column if it is the last of the line.
        let is_free = behind.is_empty() && blank.is_none() && written == 1;
        if !is_free && columns + written >= COLUMNS {
            encoded.extend_from_slice(b"=\n");
            columns = 0;
        }
        push(byte, written == 3, encoded);
        columns += written;
    }
    match blank {
        Some(blank) if is_last => {
            if columns + 3 > COLUMNS {
                encoded.extend_from_slice(b"=\n");
            }
            push(blank, true, encoded);
        }
        Some(blank) => encoded.extend_from_slice(&[blank, b'=', b'\n']),
        None => {}
    }
}

/// Whether the byte is anything but a printable ASCII character, a space or a tab.
pub(super) fn is_quoted(byte: u8) -> bool {
    byte == b'=' || !matches!(byte, b' '..=b'~' | b'\t')
}

fn push(byte: u8, quoted: bool, encoded: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |four: u8| DIGITS.get(usize::from(four)).copied().unwrap_or_default();
    if quoted {
        encoded.extend_from_slice(&[b'=', digit(byte >> 4), digit(byte & 15)]);
    } else {
        encoded.push(byte);
    }
}
