//! The type and the parameters in a header value (`email.message` and `email.utils` of Python
//! 2.7; RFC 2045 and 2231 where these follow them).

use std::borrow::Cow;
use std::cmp::Ordering;

use super::dict;
use crate::python::Python;
use crate::python::text::strip_bytes;
use crate::python::words::charset::{DecodeError, codec_name, decode};

/// What `get_param` gives: unquoted, not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// A string.
    Plain(Vec<u8>),
    /// The three of RFC 2231, with percent escapes resolved.
    Extended {
        /// None if the value does not name one; quotes and backslashes in it stay escaped.
        charset: Option<Vec<u8>>,
        /// None if the value does not name one; quotes and backslashes in it stay escaped.
        language: Option<Vec<u8>>,
        /// The text, in that charset.
        value: Vec<u8>,
    },
}

impl Parameter {
    /// The value without its charset.
    pub fn value(&self) -> &[u8] {
        match self {
            Parameter::Plain(value) | Parameter::Extended { value, .. } => value,
        }
    }
}

/// `get_content_type` of a part whose Content-Type header has this value: what stands before the
/// first `;`, lowered, or text/plain if that is not two words with one slash between.
pub(super) fn content_type(value: &[u8]) -> Cow<'_, [u8]> {
    let first = strip_bytes(value.split(|&byte| byte == b';').next().unwrap_or_default());
    if first.iter().filter(|&&byte| byte == b'/').count() != 1 {
        Cow::Borrowed(b"text/plain")
    } else if first.iter().any(u8::is_ascii_uppercase) {
        Cow::Owned(first.to_ascii_lowercase())
    } else {
        Cow::Borrowed(first)
    }
}

/// The parameter of that name, in any case, in a header value (`Message.get_param`).
///
/// What stands before the first `;` counts as a parameter too, if it has a `=` or is the name.
/// Several RFC 2231 names that differ in case only are taken in the order of a dict of CPython
/// 2.7 on a 64-bit machine without hash randomisation, as Python takes them.
pub fn parameter(header: &[u8], name: &str) -> Option<Parameter> {
    let is_wanted = |found: &[u8]| found.eq_ignore_ascii_case(name.as_bytes());
    let mut continued: Vec<(Cow<'_, [u8]>, Segment)> = Vec::new();
    for (index, item) in split(header).into_iter().enumerate() {
        let (found, value) = name_and_value(item);
        match continuation(&found).filter(|_| index > 0) {
            Some((base, number)) => {
                let base = base.to_vec();
                let segment =
                    Segment { number, value: unquote(value), encoded: found.ends_with(b"*") };
                continued.push((Cow::Owned(base), segment));
            }
            None if is_wanted(&found) => return Some(Parameter::Plain(unquote(value))),
            None => (),
        }
    }
    let wanted = first_in_dict(&continued, is_wanted)?.to_vec();
    let segments = continued.into_iter().filter(|(base, _)| **base == *wanted);
    Some(join(segments.map(|(_, segment)| segment).collect()))
}

/// `get_content_charset` of a part whose Content-Type header has this value: in lower case; None if
/// there is none, or none in ASCII.
///
/// # Errors
/// [`DecodeError::Raises`] or [`DecodeError::Untold`] if the parameter itself is in a charset that
/// Python fails on, or that is not followed.
pub(super) fn content_charset(
    header: &[u8],
    python: Python,
) -> Result<Option<String>, DecodeError> {
    let name = match parameter(header, "charset") {
        None => return Ok(None),
        Some(Parameter::Plain(name)) => name,
        Some(Parameter::Extended { charset, value, .. }) => {
            match in_ascii(charset, value, python)? {
                Some(name) => name,
                None => return Ok(None),
            }
        }
    };
    Ok(String::from_utf8(name).ok().filter(|name| name.is_ascii()).map(|n| n.to_ascii_lowercase()))
}

/// `unicode(value, charset).encode('us-ascii')`, or the value as it is where that is not possible.
fn in_ascii(
    charset: Option<Vec<u8>>,
    value: Vec<u8>,
    python: Python,
) -> Result<Option<Vec<u8>>, DecodeError> {
    let charset = charset.filter(|charset| !charset.is_empty());
    let mut text = String::new();
    match decode(&value, charset.as_deref().unwrap_or(b"us-ascii"), &mut text) {
        Ok(()) if text.is_ascii() => Ok(Some(text.into_bytes())),
        // In Python 3 only the decoding is tried.
        Ok(()) if python == Python::Three && !text.contains(char::REPLACEMENT_CHARACTER) => {
            Ok(None)
        }
        // What is replaced there raises here.
        Ok(()) | Err(DecodeError::Unknown) => Ok(Some(value)),
        // Of the codecs that cannot replace, two decode otherwise, and one raises what is caught.
        // Python 3 catches more.
        Err(DecodeError::Raises)
            if python == Python::Three || charset.is_some_and(|c| codec_name(&c).is_ok()) =>
        {
            Err(DecodeError::Untold)
        }
        Err(error) => Err(error),
    }
}

/// `_formatparam` with a value that is not empty.
pub(super) fn format_parameter(name: &str, value: &Parameter, python: Python) -> Vec<u8> {
    let (mark, value) = match value {
        Parameter::Plain(value) => ("=", value.clone()),
        Parameter::Extended { charset: None, language: None, value } => {
            ("*=", percent_quote(value))
        }
        Parameter::Extended { charset, language, value } => {
            let charset = charset.as_deref().unwrap_or(b"None");
            let language = language.as_deref().unwrap_or_default();
            ("*=", [charset, b"'", language, b"'", &percent_quote(value)].concat())
        }
    };
    if python == Python::Three && mark == "*=" {
        return [name.as_bytes(), mark.as_bytes(), &value].concat();
    }
    [name.as_bytes(), mark.as_bytes(), b"\"", &quote(&value), b"\""].concat()
}

/// `urllib.quote(text, safe='')`.
fn percent_quote(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for &byte in text {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-') {
            quoted.push(byte);
        } else {
            quoted.extend(format!("%{byte:02X}").into_bytes());
        }
    }
    quoted
}

/// The base name that Python comes to first of those that are wanted.
fn first_in_dict<'n>(
    continued: &'n [(Cow<'_, [u8]>, Segment)],
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Option<&'n [u8]> {
    let first = continued.iter().map(|(base, _)| &**base).find(|base| is_wanted(base))?;
    let is_other = |base: &[u8]| is_wanted(base) && base != first;
    if !continued.iter().any(|(base, _)| is_other(base)) {
        return Some(first);
    }
    let order = dict::order(continued.iter().map(|(base, _)| &**base));
    order.into_iter().find(|base| is_wanted(base))
}

/// `_parseparam`: the pieces between semicolons that are not within quotes. A quote counts unless
/// a backslash stands before it.
fn split(header: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    let mut before = b';';
    for (at, &byte) in header.iter().enumerate() {
        match byte {
            b'"' if before != b'\\' => quoted = !quoted,
            b';' if !quoted => {
                items.push(header.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => (),
        }
        before = byte;
    }
    items.push(header.get(start..).unwrap_or_default());
    items
}

/// The name, lowered if a value follows it, and the value; both stripped.
fn name_and_value(item: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    match item.iter().position(|&byte| byte == b'=').and_then(|at| item.split_at_checked(at)) {
        Some((name, [_, value @ ..])) => {
            (Cow::Owned(strip_bytes(name).to_ascii_lowercase()), strip_bytes(value))
        }
        _ => (Cow::Borrowed(strip_bytes(item)), b""),
    }
}

/// One of the parameters that RFC 2231 joins to one.
#[derive(Debug)]
struct Segment {
    /// Its number's digits without leading zeros; None without number, which comes first.
    number: Option<Vec<u8>>,
    value: Vec<u8>,
    encoded: bool,
}

impl Segment {
    /// The order of Python's tuples `(number, value, encoded)`.
    fn compare(&self, other: &Self) -> Ordering {
        let key = |s: &Self| s.number.as_ref().map(|digits| (digits.len(), digits.clone()));
        key(self)
            .cmp(&key(other))
            .then_with(|| self.value.cmp(&other.value))
            .then_with(|| self.encoded.cmp(&other.encoded))
    }
}

/// `rfc2231_continuation`: `name*`, `name*7` or `name*7*`, as base name and number.
fn continuation(name: &[u8]) -> Option<(&[u8], Option<Vec<u8>>)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let length = name.iter().take_while(|&&byte| is_word(byte)).count();
    let (base, [b'*', number @ ..]) = name.split_at_checked(length)? else { return None };
    if base.is_empty() {
        return None;
    }
    if number.is_empty() {
        return Some((base, None));
    }
    let digits = number.strip_suffix(b"*").unwrap_or(number);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    Some((base, digits.get(zeros..).map(<[u8]>::to_vec)))
}

/// Joins the segments of one name. If one of them is encoded, the whole begins with charset and
/// language.
fn join(mut segments: Vec<Segment>) -> Parameter {
    segments.sort_by(Segment::compare);
    let extended = segments.iter().any(|segment| segment.encoded);
    let mut joined = Vec::new();
    for segment in &segments {
        if segment.encoded {
            joined.extend(percent_unquote(&segment.value));
        } else {
            joined.extend_from_slice(&segment.value);
        }
    }
    if !extended {
        return Parameter::Plain(joined);
    }
    let mut pieces = joined.splitn(3, |&byte| byte == b'\'');
    match (pieces.next(), pieces.next(), pieces.next()) {
        (Some(charset), Some(language), Some(value)) => Parameter::Extended {
            charset: Some(quote(charset)),
            language: Some(quote(language)),
            value: value.to_vec(),
        },
        _ => Parameter::Extended { charset: None, language: None, value: joined },
    }
}

/// `email.utils.unquote`: takes off one pair of quotes, with the escapes in them, or of angle
/// brackets.
pub fn unquote(value: &[u8]) -> Vec<u8> {
    match value {
        [b'"', quoted @ .., b'"'] => {
            replace_pairs(&replace_pairs(quoted, *b"\\\\", b'\\'), *b"\\\"", b'"')
        }
        [b'<', inner @ .., b'>'] => inner.to_vec(),
        _ => value.to_vec(),
    }
}

fn replace_pairs(text: &[u8], pair: [u8; 2], by: u8) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        if let Some(behind) = rest.strip_prefix(&pair) {
            replaced.push(by);
            rest = behind;
        } else {
            replaced.push(*first);
            rest = behind;
        }
    }
    replaced
}

/// `email.utils.quote`.
fn quote(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for &byte in text {
        if matches!(byte, b'\\' | b'"') {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted
}

/// `urllib.unquote`.
fn percent_unquote(text: &[u8]) -> Vec<u8> {
    let mut unquoted = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first == b'%'
            && let [high, low, behind @ ..] = behind
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            unquoted.push(high << 4 | low);
            rest = behind;
        } else {
            unquoted.push(*first);
        }
    }
    unquoted
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
