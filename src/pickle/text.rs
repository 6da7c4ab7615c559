//! The text forms of protocol 0 and the encodings of strings, as CPython reads them.

use std::borrow::Cow;
use std::str;

use num_bigint::BigInt;

/// The bytes of a STRING line: a quoted Python 2 literal.
///
/// `None` where `cPickle.load_string` raises ValueError: not quoted, or a bad escape
/// (`PyString_DecodeEscape`).
pub(crate) fn string_line(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let end = line.iter().rposition(|byte| *byte > b' ')? + 1;
    let line = line.get(..end)?;
    let (&quote, rest) = line.split_first()?;
    let (&last, inner) = rest.split_last()?;
    if last != quote || !matches!(quote, b'\'' | b'"') {
        return None;
    }
    if inner.contains(&b'\\') {
        unescape(inner).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&escaped, after) = rest.split_first()?;
        rest = after;
        match escaped {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(escaped),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'x' => {
                let digits = rest.get(..2)?;
                out.push(u8::try_from(hex(digits)?).ok()?);
                rest = rest.get(2..)?;
            }
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|b| matches!(b, b'0'..=b'7')).count();
                let digits = rest.get(..more)?;
                let value = digits
                    .iter()
                    .fold(u32::from(escaped - b'0'), |n, digit| n * 8 + u32::from(digit - b'0'));
                // Three octal digits reach 511; C keeps the low byte.
                out.push(u8::try_from(value & 0xff).ok()?);
                rest = rest.get(more..)?;
            }
            _ => out.extend([b'\\', escaped]),
        }
    }
    Some(out)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, digit| Some(n << 4 | char::from(*digit).to_digit(16)?))
}

/// The text of a UNICODE line (`raw-unicode-escape`); lone surrogates become U+FFFD.
///
/// `None` where Python's decoder raises: a cut-off or too large escape.
pub(crate) fn unicode_line(line: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'\\' {
            out.push(char::from(byte));
            rest = after;
            continue;
        }
        // Only a backslash after an even number of others begins an escape.
        let run = rest.iter().take_while(|b| **b == b'\\').count();
        let after = rest.get(run..)?;
        let digits = match after.first() {
            Some(b'u') if run % 2 == 1 => 4,
            Some(b'U') if run % 2 == 1 => 8,
            _ => 0,
        };
        let plain = if digits > 0 { run - 1 } else { run };
        out.extend(std::iter::repeat_n('\\', plain));
        rest = after;
        if digits > 0 {
            out.push(scalar(hex(after.get(1..=digits)?)?)?);
            rest = after.get(digits + 1..)?;
        }
    }
    Some(out)
}

fn scalar(code: u32) -> Option<char> {
    if (0xd800..0xe000).contains(&code) {
        return Some(char::REPLACEMENT_CHARACTER);
    }
    char::from_u32(code)
}

/// UTF-8 as both Pythons' unpicklers decode it: surrogates may be encoded (they become
/// U+FFFD); anything else that is invalid is an error there, and `None` here.
pub(crate) fn utf8(bytes: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match str::from_utf8(rest) {
            Ok(text) => {
                out.push_str(text);
                return Some(out);
            }
            Err(e) => {
                let (good, bad) = rest.split_at_checked(e.valid_up_to())?;
                out.push_str(str::from_utf8(good).ok()?);
                match bad {
                    [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] => {
                        out.push(char::REPLACEMENT_CHARACTER);
                        rest = after;
                    }
                    _ => return None,
                }
            }
        }
    }
}

/// Bytes as Latin-1.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// An integer as INT and LONG write it.
pub(crate) fn integer(line: &[u8]) -> Option<BigInt> {
    let line = line.trim_ascii();
    let line = line.strip_suffix(b"L").unwrap_or(line);
    BigInt::parse_bytes(line, 10)
}

/// A memo number as PUT and GET write it.
pub(crate) fn memo_number(line: &[u8]) -> Option<u64> {
    str::from_utf8(line).ok()?.trim_ascii().parse().ok()
}

/// A float as FLOAT writes it (`repr`, with `inf` and `nan`).
pub(crate) fn float(line: &[u8]) -> Option<f64> {
    str::from_utf8(line).ok()?.trim_ascii().parse().ok()
}
