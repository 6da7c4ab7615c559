//! `unicode(bytes, charset).encode('iso-2022-jp')` of Python 2.7 for the two charsets that its email
//! package converts so.

use super::{DecodeError, decode};

/// A charset that mail is not sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Japanese {
    /// `euc-jp`
    EucJp,
    /// `shift_jis`
    ShiftJis,
}

/// The escape sequences that switch between ASCII and JIS X 0208.
const TO_ASCII: &[u8] = b"\x1b(B";
const TO_JIS: &[u8] = b"\x1b$B";

/// Why the text cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unconvertible {
    /// `UnicodeError`: it is malformed, or has a character that ISO-2022-JP lacks.
    Raises,
    /// What Python does is not known here.
    Untold,
}

/// Converts text.
///
/// Both charsets have the characters of JIS X 0208 in the order of that standard, so that their
/// codes can be computed (compared with Python over all pairs). Half-width kana and JIS X 0212 are
/// not in ISO-2022-JP.
///
/// # Errors
/// See [`Unconvertible`].
pub fn to_iso_2022_jp(text: &[u8], from: Japanese) -> Result<Vec<u8>, Unconvertible> {
    let mut converted = Vec::with_capacity(text.len());
    let mut in_jis = false;
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        let (character, following) = match (from, behind) {
            _ if first.is_ascii() => (None, behind),
            // The one character of JIS X 0212 that Python takes for ASCII.
            (Japanese::EucJp, [0xa2, 0xb7, following @ ..]) if first == 0x8f => {
                (Some(b'~'), following)
            }
            (_, [second, following @ ..]) if is_character(first, *second, from)? => {
                if !in_jis {
                    converted.extend_from_slice(TO_JIS);
                    in_jis = true;
                }
                converted.extend(code(first, *second, from));
                rest = following;
                continue;
            }
            _ => return Err(Unconvertible::Raises),
        };
        if in_jis {
            converted.extend_from_slice(TO_ASCII);
            in_jis = false;
        }
        converted.push(character.unwrap_or(first));
        rest = following;
    }
    if in_jis {
        converted.extend_from_slice(TO_ASCII);
    }
    Ok(converted)
}

/// Whether Python's codec has a character of two bytes here.
fn is_character(first: u8, second: u8, from: Japanese) -> Result<bool, Unconvertible> {
    let (charset, starts) = match from {
        Japanese::EucJp => ("euc-jp", matches!(first, 0xa1..=0xfe)),
        Japanese::ShiftJis => ("shift_jis", matches!(first, 0x81..=0x9f | 0xe0..=0xfc)),
    };
    if !starts {
        return Ok(false);
    }
    let mut text = String::new();
    match decode(&[first, second], charset.as_bytes(), &mut text) {
        Ok(()) => Ok(!text.contains(char::REPLACEMENT_CHARACTER)),
        Err(DecodeError::Untold) => Err(Unconvertible::Untold),
        Err(DecodeError::Unknown | DecodeError::Raises) => Ok(false),
    }
}

/// Row and cell of JIS X 0208, as ISO-2022-JP writes them.
fn code(first: u8, second: u8, from: Japanese) -> [u8; 2] {
    if from == Japanese::EucJp {
        return [first & 0x7f, second & 0x7f];
    }
    // Each first byte stands for two rows; 0x7f and 0xa0 to 0xdf are left out.
    let rows = if first < 0xa0 { first.wrapping_sub(0x71) } else { first.wrapping_sub(0xb1) };
    let row = rows.wrapping_mul(2).wrapping_add(1);
    let cell = if second > 0x7f { second.wrapping_sub(1) } else { second };
    if cell >= 0x9e {
        [row.wrapping_add(1), cell.wrapping_sub(0x7d)]
    } else {
        [row, cell.wrapping_sub(0x1f)]
    }
}
