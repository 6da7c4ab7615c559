//! UTF-7 (RFC 2152) as Python 2.7 decodes it, where it is well formed.

use super::DecodeError;
use crate::python::binascii::base64_digit;

/// Appends the text.
///
/// # Errors
/// A base64 stretch ends with bits left over, or in the middle of a surrogate pair, or has a lone
/// surrogate or a byte beyond ASCII: what Python replaces then is not followed.
pub(super) fn decode(bytes: &[u8], text: &mut String) -> Result<(), DecodeError> {
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'+', [b'-', tail @ ..]) => {
                text.push('+');
                tail
            }
            (b'+', _) => shifted(after, text)?,
            _ => {
                text.push(if first.is_ascii() {
                    first.into()
                } else {
                    char::REPLACEMENT_CHARACTER
                });
                after
            }
        };
    }
    Ok(())
}

/// Decodes the base64 that follows a `+`; what comes after it, one `-` taken off.
fn shifted<'a>(bytes: &'a [u8], text: &mut String) -> Result<&'a [u8], DecodeError> {
    let mut units = Vec::new();
    let mut bits = 0_u32;
    let mut bit_count = 0_u32;
    let mut rest = bytes;
    while let Some((digit, after)) =
        rest.split_first().and_then(|(&b, t)| Some((u32::from(base64_digit(b)?), t)))
    {
        rest = after;
        bits = (bits << 6) | digit;
        bit_count += 6;
        if bit_count >= 16 {
            bit_count -= 16;
            units.extend(u16::try_from(bits >> bit_count));
            bits &= (1 << bit_count) - 1;
        }
    }
    let is_outside_ascii = rest.first().is_some_and(|byte| !byte.is_ascii());
    if bit_count >= 6 || bits != 0 || is_outside_ascii {
        return Err(DecodeError::Untold);
    }
    text.push_str(&String::from_utf16(&units).map_err(|_| DecodeError::Untold)?);
    Ok(rest.strip_prefix(b"-").unwrap_or(rest))
}
