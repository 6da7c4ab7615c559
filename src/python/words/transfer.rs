//! The two encodings of an encoded word, as Python 2.7 undoes them.

use super::HeaderParseError;
use crate::python::binascii::a2b_base64;

/// `email.quoprimime.header_decode`: `_` is a space; a `=` without two hex digits stays.
pub(super) fn decode_quoted(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let escaped = if first == b'=' { hex_pair(after) } else { None };
        decoded.push(match (first, escaped) {
            (_, Some(byte)) => {
                rest = after.get(2..).unwrap_or_default();
                byte
            }
            (b'_', None) => b' ',
            (_, None) => first,
        });
    }
    decoded
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// What `decode_header` makes of base64: missing padding is added by the word's length, whatever
/// is in it, then `binascii.a2b_base64` takes what it can.
///
/// # Errors
/// Bits are left over at the end (`binascii.Error`).
pub(super) fn decode_base64(encoded: &[u8]) -> Result<Vec<u8>, HeaderParseError> {
    let padding = b"===".get(..(4 - encoded.len() % 4) % 4).unwrap_or_default();
    let padded = [encoded, padding].concat();
    a2b_base64(&padded).ok_or(HeaderParseError)
}
