//! The line that a message may begin with in place of a header.

use super::part_text;
use crate::mailman::post::{Extent, Post};
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::message::{Beginning, Part, Payload};
use crate::python::text::{PyStr, byte_lines, is_space, is_space_byte, text_lines};

/// What the line may begin with, in any case, right before a colon.
const NAMES: [&str; 4] = ["approve", "approved", "x-approve", "x-approved"];

/// The first line with anything in it of the first plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The part, by its index in the message.
    pub(super) part: usize,
    /// The name as it is written.
    pub(super) name: Vec<u8>,
    /// What follows the colon, without the blanks before it.
    pub(super) password: PyStr,
}

/// What is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// No such line.
    None,
    /// None in what is here, but there may be one in what is not.
    Unseen,
    /// One.
    Line(Line),
}

/// Looks into the first text/plain part, wherever it is.
///
/// # Errors
/// [`Stop::Shunt`] where it cannot be decoded.
pub(super) fn find(post: &Post<'_>) -> Result<Found, Stop> {
    let is_plain = |part: &Part<'_>| part.content_type() == b"text/plain";
    let parts = post.message.parts();
    let Some(index) = parts.iter().position(is_plain) else {
        let holds_parts = |part: &Part<'_>| matches!(part.maintype(), b"multipart" | b"message");
        let is_cut = post.extent == Extent::Beginning && parts.first().is_some_and(holds_parts);
        return Ok(if is_cut { Found::Unseen } else { Found::None });
    };
    let Some(part) = parts.get(index) else { return Ok(Found::None) };
    let is_cut = post.extent == Extent::Beginning && index + 1 == parts.len();
    let line = match line_in_beginning(part, post.python, is_cut) {
        First::Line(line) => Some(line),
        First::Untold if is_cut => return Ok(Found::Unseen),
        First::Untold => first_line(&part_text::decoded(post, index)?, post.python, false),
        First::None => None,
    };
    let split = line.and_then(|line| split_line(&line, post.python));
    Ok(split
        .map_or(Found::None, |(name, password)| Found::Line(Line { part: index, name, password })))
}

enum First {
    /// The line that counts.
    Line(Vec<u8>),
    /// It is not the line that is looked for, whatever it is.
    None,
    /// More of the part is needed.
    Untold,
}

/// Bytes of a payload that are looked at first. Most lines are shorter; each time that they are not
/// enough, they become sixteen times as many.
const FIRST_LOOK: usize = 1 << 12;

/// Looks for the line without decoding more than needed: the part may be large, or cut.
fn line_in_beginning(part: &Part<'_>, python: Python, is_cut: bool) -> First {
    let Payload::Text(payload) = part.payload else { return First::None };
    if python == Python::Three {
        return First::Untold;
    }
    let mut bytes = FIRST_LOOK;
    loop {
        let is_all = bytes >= payload.len();
        match part.decoded_beginning(bytes) {
            None => return First::None,
            Some(Beginning::Untold) => return First::Untold,
            Some(Beginning::Certain(text)) => {
                if let Some(line) = first_line(&text, python, true) {
                    return First::Line(line);
                }
            }
            Some(Beginning::Either(decoded, raw)) => {
                let lines = [first_line(&decoded, python, true), first_line(&raw, python, is_cut)];
                if let [Some(decoded), Some(raw)] = lines {
                    if [&decoded, &raw].iter().all(|line| split_line(line, python).is_none()) {
                        return First::None;
                    }
                    // Cut text may still turn out not to be base64, but it most likely is.
                    return if is_cut { First::Line(decoded) } else { First::Untold };
                }
            }
        }
        if is_all {
            return First::Untold;
        }
        bytes = bytes.saturating_mul(16);
    }
}

/// The first line with anything but blanks in it; with `ended`, only if a line end follows.
fn first_line(text: &[u8], python: Python, ended: bool) -> Option<Vec<u8>> {
    let (blank_lines, line) = skip_blank_lines(text, python)?;
    let end = text.get(blank_lines..)?.get(line.len()..)?;
    (!ended || !end.is_empty()).then(|| line.to_vec())
}

/// Bytes of the lines before the first that is not blank, and that line.
pub(super) fn skip_blank_lines(text: &[u8], python: Python) -> Option<(usize, &[u8])> {
    let line = match python {
        Python::Two => byte_lines(text).find(|line| !line.iter().all(|b| is_space_byte(*b)))?,
        Python::Three => {
            let is_blank = |line: &&str| line.chars().all(|c| is_space(c, python));
            let text = std::str::from_utf8(text).unwrap_or_default();
            text_lines(text).find(|line| !is_blank(line))?.as_bytes()
        }
    };
    Some((line.as_ptr().addr().checked_sub(text.as_ptr().addr())?, line))
}

/// Name and password, if it is the line.
fn split_line(line: &[u8], python: Python) -> Option<(Vec<u8>, PyStr)> {
    let longest = NAMES.iter().map(|name| name.len()).max().unwrap_or_default();
    let colon = line.iter().take(longest + 1).position(|byte| *byte == b':')?;
    let (name, value) = (line.get(..colon)?, line.get(colon + 1..)?);
    if !NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
        return None;
    }
    let password = match PyStr::native(value, python)? {
        PyStr::Bytes(bytes) => {
            let blanks = bytes.iter().take_while(|byte| is_space_byte(**byte)).count();
            PyStr::Bytes(bytes.get(blanks..)?.to_vec())
        }
        PyStr::Text(text) => {
            PyStr::Text(text.trim_start_matches(|c| is_space(c, python)).to_owned())
        }
    };
    Some((name.to_vec(), password))
}
