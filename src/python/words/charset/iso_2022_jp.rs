//! ISO-2022-JP as Python 2.7 decodes it.

use super::{DecodeError, double_tables};

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;
const ESC: u8 = 0x1b;
/// An escape sequence ends within so many bytes, the ESC counted.
const LONGEST_ESCAPE: usize = 16;

/// What the text has been switched to. A line end does not switch back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shift {
    Ascii,
    /// JIS X 0201: ASCII but for two characters.
    Roman,
    /// JIS X 0208, of two bytes a character.
    Kanji,
}

/// What an ESC begins.
enum Escape {
    /// Nothing that Python knows: so many bytes are let through as they are.
    Through(usize),
    /// A switch, in so many bytes.
    To(Shift, usize),
    /// A sequence without effect on what follows.
    Ignored(usize),
    /// So many bytes that are replaced.
    Invalid(usize),
}

/// Appends the text.
pub(super) fn decode(bytes: &[u8], text: &mut String) -> Result<(), DecodeError> {
    let mut shift = Shift::Ascii;
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let length = match (first, shift) {
            (ESC, _) => match escape(rest) {
                Escape::To(to, length) => {
                    shift = to;
                    length
                }
                Escape::Ignored(length) => length,
                Escape::Invalid(length) => {
                    text.push(REPLACEMENT);
                    length
                }
                Escape::Through(length) => {
                    text.extend(rest.iter().take(length).map(|&byte| char::from(byte)));
                    length
                }
            },
            (0x20..=0x7f, Shift::Kanji) => {
                text.push(kanji(rest)?);
                2
            }
            _ => {
                text.push(single(first, shift));
                1
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(())
}

fn single(byte: u8, shift: Shift) -> char {
    match (byte, shift) {
        (0x80.., _) => REPLACEMENT,
        (b'\\', Shift::Roman) => '¥',
        (b'~', Shift::Roman) => '‾',
        _ => char::from(byte),
    }
}

/// The character of JIS X 0208 here: what EUC-JP has with the high bits set.
fn kanji(bytes: &[u8]) -> Result<char, DecodeError> {
    match *bytes {
        [first @ 0x21..=0x7e, second @ 0x21..=0x7e, ..] => {
            double_tables::EUC_JP.character(&[first | 0x80, second | 0x80])
        }
        _ => Ok(REPLACEMENT),
    }
}

fn escape(bytes: &[u8]) -> Escape {
    match bytes.get(1) {
        None => return Escape::Invalid(1),
        Some(b'(' | b')' | b'$' | b'.' | b'&') => {}
        Some(_) => {
            let end = bytes.iter().position(|&byte| ends_escape(byte));
            return Escape::Through(end.map_or(bytes.len(), |end| end + 1));
        }
    }
    let length = match end_of_escape(bytes) {
        Ok(end) => end + 1,
        Err(replaced) => return Escape::Invalid(replaced),
    };
    match bytes.get(1..length).unwrap_or_default() {
        b"(B" => Escape::To(Shift::Ascii, length),
        b"(J" => Escape::To(Shift::Roman, length),
        b"$@" | b"$B" | b"$(@" | b"$(B" => Escape::To(Shift::Kanji, length),
        // Meant for `ESC & @ ESC $ B`, a revision of the same set; any two bytes do in Python.
        [_, _, ESC, b'$', b'B'] => Escape::To(Shift::Kanji, length),
        // The second set of characters, which nothing can switch to.
        b")B" | b")J" | b"$)@" | b"$)B" => Escape::Ignored(length),
        _ => Escape::Invalid(length),
    }
}

fn ends_escape(byte: u8) -> bool {
    matches!(byte, b'@'..=b'Z')
}

/// Index of the byte that ends the escape sequence; `&@` and what follows it do not. Else how many
/// bytes are replaced: all there are if the end may come yet.
fn end_of_escape(bytes: &[u8]) -> Result<usize, usize> {
    let mut at = 1;
    while at < LONGEST_ESCAPE {
        match bytes.get(at..).unwrap_or_default() {
            [] => return Err(bytes.len()),
            [byte, ..] if ends_escape(*byte) => return Ok(at),
            [b'&', b'@', ..] => at += 3,
            _ => at += 1,
        }
    }
    Err(1)
}
