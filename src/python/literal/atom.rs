//! Numbers and strings as they are written.

use super::source::Encoding;
use super::value::{Unfollowed, Value};
use crate::python::Python;

/// How literals are to be read in this file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) python: Python,
    pub(super) encoding: Encoding,
    /// `from __future__ import unicode_literals` has been seen.
    pub(super) unicode_literals: bool,
}

/// The value of a number; numbers beyond 64 bits and complex ones are not followed.
pub(super) fn number(written: &str, python: Python) -> Result<Value, Unfollowed> {
    let is_three = python == Python::Three;
    if written.contains('_') && !is_three {
        return Err(Unfollowed);
    }
    let plain = written.replace('_', "").to_ascii_lowercase();
    let digits = match plain.strip_suffix('l') {
        Some(_) if is_three => return Err(Unfollowed),
        Some(digits) => digits,
        None => plain.as_str(),
    };
    let in_base = |digits: &str, base| i64::from_str_radix(digits, base).map(Value::Int);
    let value = if let Some(digits) = digits.strip_prefix("0x") {
        in_base(digits, 16)
    } else if let Some(digits) = digits.strip_prefix("0o") {
        in_base(digits, 8)
    } else if let Some(digits) = digits.strip_prefix("0b") {
        in_base(digits, 2)
    } else if digits.bytes().any(|byte| b".ej".contains(&byte)) {
        return digits.parse().map(Value::Float).map_err(|_| Unfollowed);
    } else {
        let is_octal = digits.len() > 1 && digits.starts_with('0');
        if is_octal && is_three && digits.bytes().any(|byte| byte != b'0') {
            return Err(Unfollowed);
        }
        in_base(digits, if is_octal { 8 } else { 10 })
    };
    value.map_err(|_| Unfollowed)
}

/// What a string literal holds.
pub(super) fn string(prefix: &str, body: &[u8], dialect: Dialect) -> Result<Value, Unfollowed> {
    let has = |letter: char| prefix.chars().any(|c| c.eq_ignore_ascii_case(&letter));
    let is_text = match dialect.python {
        Python::Two => has('u') || (dialect.unicode_literals && !has('b')),
        Python::Three => !has('b'),
    };
    if has('f') {
        return Err(Unfollowed);
    }
    if is_text {
        let text = characters(body, dialect.encoding)?;
        if !has('r') {
            return Ok(Value::text(unescape_text(&text)?));
        }
        // Python 2 expands these in raw text too.
        let is_expanded = text.contains("\\u") || text.contains("\\U");
        if is_expanded && dialect.python == Python::Two {
            return Err(Unfollowed);
        }
        return Ok(Value::text(text));
    }
    if dialect.python == Python::Three && !body.is_ascii() {
        return Err(Unfollowed);
    }
    Ok(Value::bytes(if has('r') { body.to_vec() } else { unescape_bytes(body)? }))
}

fn characters(body: &[u8], encoding: Encoding) -> Result<String, Unfollowed> {
    match encoding {
        Encoding::Latin1 => Ok(body.iter().copied().map(char::from).collect()),
        Encoding::SingleByte if !body.is_ascii() => Err(Unfollowed),
        _ => String::from_utf8(body.to_vec()).map_err(|_| Unfollowed),
    }
}

/// What the escapes have in common: the byte of a one-letter escape.
fn simple_escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        _ => return None,
    })
}

/// Up to three octal digits, the first of which was read already.
fn octal(first: u32, mut next: impl FnMut() -> Option<u32>) -> u32 {
    (0..2).map_while(|_| next()).fold(first, |value, digit| value * 8 + digit)
}

fn unescape_bytes(body: &[u8]) -> Result<Vec<u8>, Unfollowed> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let letter = rest.next().ok_or(Unfollowed)?;
        match letter {
            b'\n' => {}
            b'x' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let value = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                out.push(value.and_then(|v| u8::try_from(v).ok()).ok_or(Unfollowed)?);
            }
            b'0'..=b'7' => {
                let is_octal = |byte: &u8| (b'0'..=b'7').contains(byte);
                let next = || rest.next_if(is_octal).map(|byte| u32::from(byte - b'0'));
                let value = octal(u32::from(letter - b'0'), next) & 0xff;
                out.push(u8::try_from(value).map_err(|_| Unfollowed)?);
            }
            _ => match simple_escape(letter) {
                Some(meant) => out.push(meant),
                None => out.extend([b'\\', letter]),
            },
        }
    }
    Ok(out)
}

/// Lone surrogates and `\N{...}` are not followed.
fn unescape_text(body: &str) -> Result<String, Unfollowed> {
    let mut out = String::with_capacity(body.len());
    let mut rest = body.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let letter = rest.next().ok_or(Unfollowed)?;
        let length = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        match letter {
            '\n' => {}
            'N' => return Err(Unfollowed),
            'x' | 'u' | 'U' => {
                let mut code = 0_u32;
                for _ in 0..length {
                    let digit = rest.next().and_then(|c| c.to_digit(16)).ok_or(Unfollowed)?;
                    code = code.checked_mul(16).ok_or(Unfollowed)? + digit;
                }
                out.push(char::from_u32(code).ok_or(Unfollowed)?);
            }
            '0'..='7' => {
                let next = || rest.next_if(|c| ('0'..='7').contains(c)).and_then(|c| c.to_digit(8));
                let code = octal(letter.to_digit(8).unwrap_or_default(), next);
                out.push(char::from_u32(code).ok_or(Unfollowed)?);
            }
            _ => match u8::try_from(letter).ok().and_then(simple_escape) {
                Some(meant) => out.push(char::from(meant)),
                None => out.extend(['\\', letter]),
            },
        }
    }
    Ok(out)
}
