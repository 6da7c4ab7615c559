//! The lines of a filter rule, as text (`Utils.xml_to_unicode`).

use super::shunt;
use crate::list::value::PyValue;
use crate::mailman::language;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::text::{PyStr, split_lines};
use crate::python::words::charset::decode;
use crate::python::words::normalize::{Form, normalize};

/// One pattern as the list stores it.
pub(super) struct Line {
    pub(super) text: PyStr,
}

/// The lines that are patterns: neither blank nor comments.
///
/// # Errors
/// [`Stop::Shunt`] where they are no text.
pub(super) fn lines(patterns: &PyValue, python: Python) -> Result<Vec<Line>, Stop> {
    let patterns = match patterns {
        PyValue::Str(PyStr::Bytes(_)) if python == Python::Three => {
            return Err(shunt("has a rule of bytes"));
        }
        PyValue::Str(patterns) => patterns,
        _ => return Err(shunt("has a rule whose patterns are no text")),
    };
    let is_pattern =
        |line: &PyStr| !line.as_bytes().starts_with(b"#") && !line.strip(python).is_empty();
    Ok(split_lines(patterns).into_iter().filter(is_pattern).map(|text| Line { text }).collect())
}

impl Line {
    /// The pattern as Mailman compiles it: bytes decoded in the charset of the list's language, with
    /// the characters that `&#N;` and `\uXXXX` stand for. Debian's Mailman keeps other languages than
    /// English in UTF-8, so where that would be another text there are two.
    ///
    /// # Errors
    /// [`Stop::Shunt`] for a number that Python fails on.
    pub(super) fn readings(
        &self,
        language: &[u8],
        form: Form,
        python: Python,
    ) -> Result<Vec<PyStr>, Stop> {
        let bytes = match &self.text {
            PyStr::Text(text) => return Ok(vec![PyStr::Text(normalize(form, text))]),
            PyStr::Bytes(_) if python == Python::Three => return Err(shunt("has bytes")),
            PyStr::Bytes(bytes) => bytes,
        };
        let charset = language::python_charset(language);
        let charsets = match charset {
            b"us-ascii" | b"utf-8" => vec![charset],
            _ if bytes.is_ascii() || std::str::from_utf8(bytes).is_err() => vec![charset],
            _ => vec![charset, b"utf-8"],
        };
        let mut readings = Vec::new();
        for charset in charsets {
            let mut text = String::new();
            decode(bytes, charset, &mut text).map_err(|_| {
                Stop::Unknowable("a filter pattern in a charset that is not followed".into())
            })?;
            let text = replace_escapes(&replace_references(&text)?);
            readings.push(PyStr::Text(normalize(form, &text)));
        }
        Ok(readings)
    }
}

/// Whether a pattern that matches the beginning of a text matches the whole of it, too: it has
/// nothing that looks at what follows.
pub(super) fn is_sure_on_a_beginning(pattern: &PyStr) -> bool {
    let text = pattern.to_lossy();
    let looks_ahead = ["$", "(?", "\\Z", "\\b", "\\B"];
    !looks_ahead.iter().any(|piece| text.contains(piece))
}

/// `&#N;` in decimal digits.
fn replace_references(text: &str) -> Result<String, Stop> {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("&#") {
        replaced.push_str(before);
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = behind.split_at_checked(digits).unwrap_or((behind, ""));
        match after.strip_prefix(';') {
            Some(after) if digits > 0 => {
                replaced.push(character(number)?);
                rest = after;
            }
            _ => {
                replaced.push_str("&#");
                rest = behind;
            }
        }
    }
    replaced.push_str(rest);
    Ok(replaced)
}

/// `unichr(int(number))`, U+FFFD where there is no such character.
fn character(number: &str) -> Result<char, Stop> {
    let value = number.bytes().fold(0u64, |value, digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')))
    });
    match u32::try_from(value) {
        Ok(value) if value <= 0x7fff_ffff => Ok(code_point(value)),
        _ => Err(shunt("has a character reference that Python fails on")),
    }
}

/// `\uXXXX`, the `u` in either case.
fn replace_escapes(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        replaced.push_str(before);
        let hex = match behind.strip_prefix(['u', 'U']).and_then(|hex| hex.split_at_checked(4)) {
            Some((hex, after)) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => Some((hex, after)),
            _ => None,
        };
        match hex.and_then(|(hex, after)| Some((u32::from_str_radix(hex, 16).ok()?, after))) {
            Some((value, after)) => {
                replaced.push(code_point(value));
                rest = after;
            }
            None => {
                replaced.push('\\');
                rest = behind;
            }
        }
    }
    replaced.push_str(rest);
    replaced
}

/// Python allows lone surrogates, which are in no text of a header: characters of a private plane
/// stand for them.
fn code_point(value: u32) -> char {
    let value = match value {
        0xd800..=0xdfff => value.wrapping_add(0xf_0000),
        _ => value,
    };
    char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &[u8], language: &[u8]) -> Result<Vec<String>, Stop> {
        let line = Line { text: PyStr::Bytes(pattern.to_vec()) };
        let readings = line.readings(language, Form::Nfkc, Python::Two)?;
        Ok(readings.iter().map(|reading| reading.to_lossy().into_owned()).collect())
    }

    #[test]
    fn references_and_escapes_are_characters() {
        assert_eq!(of(b"&#233;t&#233; \\u00e9 \\U0066", b"en").unwrap(), ["été é f"]);
        assert_eq!(of(b"&#x41; &# &#; &#65 \\u12", b"en").unwrap(), ["&#x41; &# &#; &#65 \\u12"]);
        assert_eq!(of(b"&#1114112;", b"en").unwrap(), ["\u{fffd}"]);
        assert!(of(b"&#2147483648;", b"en").is_err());
        assert!(of(b"&#99999999999999999999999;", b"en").is_err());
    }

    #[test]
    fn bytes_are_in_the_charset_of_the_language() {
        assert_eq!(of(b"\xe9", b"en").unwrap(), ["\u{fffd}"]);
        assert_eq!(of(b"\xe9", b"fr").unwrap(), ["é"]);
        assert_eq!(of("é".as_bytes(), b"fr").unwrap(), ["Ã©", "é"]);
        assert_eq!(of("é".as_bytes(), b"ru").unwrap(), ["é"]);
    }

    #[test]
    fn a_match_on_a_beginning_is_sure_only_without_a_look_at_what_follows() {
        let sure = |p: &str| is_sure_on_a_beginning(&PyStr::Text(p.into()));
        assert!(sure("^subject:.*viagra"));
        assert!(!sure("^subject: x$") && !sure("a(?!b)") && !sure("\\bx"));
    }
}
