//! Content-Transfer-Encoding undone, as `Message.get_payload(decode=True)` of Python 2.7 does it
//! with `binascii` and `uu`.

use std::borrow::Cow;
use std::fmt;

use super::params::hex;
use super::text_3::{self, NoBytes};
use crate::python::Python;
use crate::python::binascii::{Bits, a2b_base64, base64_beginning};
use crate::python::text::strip_bytes;

/// Python raises `binascii.Error`, which `get_payload` does not catch: a line of uuencoded data
/// has a character that no encoder writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IllegalCharacter;

impl fmt::Display for IllegalCharacter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("uuencoded data has a character that Python's decoder fails on")
    }
}

impl std::error::Error for IllegalCharacter {}

/// Why Python has no bytes for a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecodable {
    /// It raises an exception.
    Raises,
    /// What it does is not known here: data in uuencode, in Python 3.
    Untold,
}

/// `get_payload(decode=True)` of a part with this `Content-Transfer-Encoding:` and this payload.
///
/// # Errors
/// See [`Undecodable`].
pub fn decode<'a>(
    encoding: &[u8],
    payload: Cow<'a, [u8]>,
    python: Python,
) -> Result<Cow<'a, [u8]>, Undecodable> {
    if python == Python::Two {
        return decode_2(encoding, payload).map_err(|IllegalCharacter| Undecodable::Raises);
    }
    let payload = text_3::to_bytes(payload).map_err(|NoBytes::Raises| Undecodable::Raises)?;
    match encoding.to_ascii_lowercase().as_slice() {
        b"quoted-printable" => Ok(Cow::Owned(quoted_printable(&payload))),
        b"base64" => Ok(Cow::Owned(text_3::base64(&payload))),
        b"x-uuencode" | b"uuencode" | b"uue" | b"x-uue" => Err(Undecodable::Untold),
        _ => Ok(payload),
    }
}

/// The payload without its transfer encoding, in Python 2. It comes back as it is if the encoding is unknown
/// or the data is truncated.
pub(super) fn decode_2<'a>(
    encoding: &[u8],
    payload: Cow<'a, [u8]>,
) -> Result<Cow<'a, [u8]>, IllegalCharacter> {
    let decoded = match encoding.to_ascii_lowercase().as_slice() {
        b"quoted-printable" => Some(quoted_printable(&payload)),
        b"base64" => a2b_base64(&payload),
        b"x-uuencode" | b"uuencode" | b"uue" | b"x-uue" => uuencoded(&payload)?,
        _ => None,
    };
    Ok(decoded.map_or(payload, Cow::Owned))
}

/// What a decoded payload begins with, as far as it can be told without decoding all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beginning<'a> {
    /// These bytes.
    Certain(Cow<'a, [u8]>),
    /// The first if all that follows can be decoded; else the second, which is the payload as it
    /// is.
    Either(Vec<u8>, Cow<'a, [u8]>),
    /// Only decoding all of it tells.
    Untold,
}

/// What [`decode`] gives in Python 2 at least of a payload, of which `bytes` may be looked at.
pub(super) fn decode_beginning<'a>(
    encoding: &[u8],
    payload: Cow<'a, [u8]>,
    bytes: usize,
) -> Beginning<'a> {
    let seen = payload.get(..bytes).unwrap_or(&payload);
    match encoding.to_ascii_lowercase().as_slice() {
        b"quoted-printable" => {
            // No escape goes on behind a LF.
            let end = seen.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            Beginning::Certain(Cow::Owned(quoted_printable(seen.get(..end).unwrap_or_default())))
        }
        b"base64" => Beginning::Either(base64_beginning(seen).0, payload),
        b"x-uuencode" | b"uuencode" | b"uue" | b"x-uue" => Beginning::Untold,
        _ => Beginning::Certain(payload),
    }
}

/// `binascii.a2b_qp`.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'=' {
            decoded.push(*first);
            continue;
        }
        match behind {
            [] => (),
            // A soft line break; behind a CR, all up to the next LF is lost.
            [b'\n' | b'\r', ..] => {
                let line_end = behind.iter().position(|&byte| byte == b'\n');
                rest = line_end.and_then(|at| behind.get(at + 1..)).unwrap_or_default();
            }
            [b'=', behind @ ..] => {
                decoded.push(b'=');
                rest = behind;
            }
            [high, low, behind @ ..] if let (Some(high), Some(low)) = (hex(*high), hex(*low)) => {
                decoded.push(high << 4 | low);
                rest = behind;
            }
            _ => decoded.push(b'='),
        }
    }
    decoded
}

/// `uu.decode`; None if there is no begin line or no end line. LF alone ends a line here.
fn uuencoded(payload: &[u8]) -> Result<Option<Vec<u8>>, IllegalCharacter> {
    let mut lines = payload.split(|&byte| byte == b'\n');
    if !lines.any(is_begin_line) {
        return Ok(None);
    }
    let mut decoded = Vec::new();
    for line in lines {
        if strip_bytes(line) == b"end" {
            return Ok(Some(decoded));
        }
        decoded.extend(uuencoded_line(line)?);
    }
    Ok(None)
}

/// `begin`, an octal number and a name, with one space between.
fn is_begin_line(line: &[u8]) -> bool {
    let mut fields = line.splitn(3, |&byte| byte == b' ');
    fields.next() == Some(b"begin")
        && fields.next().is_some_and(is_octal)
        && fields.next().is_some()
}

/// Whether `int(text, 8)` takes it.
fn is_octal(text: &[u8]) -> bool {
    let text = strip_bytes(text);
    let digits = match text {
        [b'-' | b'+', digits @ ..] => strip_bytes(digits),
        _ => text,
    };
    let digits = match digits {
        [b'0', b'o' | b'O', digits @ ..] => digits,
        _ => digits,
    };
    !digits.is_empty() && digits.iter().all(|digit| (b'0'..=b'7').contains(digit))
}

/// One line, without its LF. If it is not what its length says, only what that length needs is
/// looked at (the workaround in `uu.decode` for broken encoders).
fn uuencoded_line(line: &[u8]) -> Result<Vec<u8>, IllegalCharacter> {
    let (length, data) = match line.split_first() {
        Some((first, data)) => (usize::from(first.wrapping_sub(b' ') & 63), data),
        // Python sees the LF.
        None => (usize::from(b'\n'.wrapping_sub(b' ') & 63), line),
    };
    let needed = (length * 4 + 5) / 3 - 1;
    a2b_uu(length, data)
        .or_else(|IllegalCharacter| a2b_uu(length, data.get(..needed).unwrap_or(data)))
}

/// `binascii.a2b_uu`, the first character being resolved to the number of bytes. Characters that
/// are missing or line ends count as zero bits.
fn a2b_uu(length: usize, data: &[u8]) -> Result<Vec<u8>, IllegalCharacter> {
    let mut decoded = Vec::with_capacity(length);
    let mut group = Bits::default();
    let mut data = data.iter();
    while decoded.len() < length {
        let six = match data.next() {
            None | Some(b'\r') => 0,
            Some(byte @ b' '..=b'`') => (byte - b' ') & 63,
            Some(_) => return Err(IllegalCharacter),
        };
        decoded.extend(group.push(six));
    }
    if data.all(|byte| matches!(byte, b' ' | b'`' | b'\r')) {
        Ok(decoded)
    } else {
        Err(IllegalCharacter)
    }
}
