//! `text.encode(charset)` of Python 3, as far as it follows from how Python 2.7 decodes.

use super::codec::Codec;
use super::single_byte::SingleByte;
use super::{DecodeError, find, normalized};

/// Codecs that only Python 3 has.
const NEW: [&str; 12] = [
    "cp65001", "65001", "cp1125", "1125", "ibm1125", "cp866u", "cp273", "273", "ibm273", "koi8_t",
    "kz1048", "rk1048",
];

/// Codecs of host names, which are not followed.
const FOR_NAMES: [&str; 2] = ["idna", "punycode"];

/// A codec that is for text in Python 2 only.
const ROT_13: &str = "rot_13";

/// The text's bytes.
///
/// # Errors
/// [`DecodeError::Unknown`]: there is no such codec, or none for text. [`DecodeError::Raises`]: it
/// lacks a character. [`DecodeError::Untold`]: what it gives is not known here.
pub fn encode(text: &str, charset: &[u8]) -> Result<Vec<u8>, DecodeError> {
    if charset.contains(&0) {
        return Err(DecodeError::Raises);
    }
    let each = |encode: &dyn Fn(char) -> Option<u8>| {
        text.chars().map(encode).collect::<Option<Vec<u8>>>().ok_or(DecodeError::Raises)
    };
    let (module, codec) = match find(charset) {
        Err(DecodeError::Unknown) if NEW.contains(&normalized(charset).as_str()) => {
            return Err(DecodeError::Untold);
        }
        found => found?,
    };
    match codec {
        _ if module == ROT_13 => Err(DecodeError::Unknown),
        Codec::Utf8 => Ok(text.as_bytes().to_vec()),
        Codec::Ascii => each(&|c| u8::try_from(c).ok().filter(u8::is_ascii)),
        Codec::Latin1 => each(&|c| u8::try_from(c).ok()),
        Codec::SingleByte(table) => each(&|c| table.byte(c)),
        Codec::EastAsian(_) | Codec::Iso2022Jp if text.is_ascii() && !text.contains('\x1b') => {
            Ok(text.as_bytes().to_vec())
        }
        Codec::Raises if !FOR_NAMES.contains(&module) => Err(DecodeError::Unknown),
        _ => Err(DecodeError::Untold),
    }
}

impl SingleByte {
    fn byte(&self, wanted: char) -> Option<u8> {
        let is_wanted = |c: char| c == wanted && c != char::REPLACEMENT_CHARACTER;
        let half = |half: &str| half.chars().position(is_wanted);
        let low = match self.low {
            Some(low) => half(low),
            None => Some(wanted).filter(char::is_ascii).map(|c| c as usize),
        };
        let at = low.or_else(|| half(self.high).map(|at| at + 128))?;
        u8::try_from(at).ok()
    }
}
