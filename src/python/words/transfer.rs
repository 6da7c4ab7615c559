//! The two encodings of an encoded word, as Python 2.7 undoes them.

use super::HeaderParseError;

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
    let mut decoded = Vec::with_capacity(padded.len() / 4 * 3);
    let mut digits = 0_usize;
    let mut bits = 0_u32;
    let mut bit_count = 0_u32;
    let mut rest = padded.as_slice();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'=' && ends_input(digits, after) {
            return Ok(decoded);
        }
        rest = after;
        let Some(digit) = base64_digit(byte) else { continue };
        digits += 1;
        bits = (bits << 6) | digit;
        bit_count += 6;
        if bit_count >= 8 {
            bit_count -= 8;
            decoded.extend(u8::try_from(bits >> bit_count));
            bits &= (1 << bit_count) - 1;
        }
    }
    if bit_count == 0 { Ok(decoded) } else { Err(HeaderParseError) }
}

/// Whether a `=` after so many digits ends the input: three of a group have been read, or two and
/// the next character that means anything is another `=`.
fn ends_input(digits: usize, after: &[u8]) -> bool {
    let means_anything = |&&byte: &&u8| byte == b'=' || base64_digit(byte).is_some();
    match digits % 4 {
        3 => true,
        2 => after.iter().find(means_anything) == Some(&b'='),
        _ => false,
    }
}

/// The six bits that this character of the alphabet stands for.
pub(super) fn base64_digit(byte: u8) -> Option<u32> {
    let digit = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}
