//! Encoded words (RFC 2047) as `email.header.decode_header` of Python 2.7 (email 4.0.3) reads
//! them, which differs from the RFC and from Python 3 in many ways.
//!
//! A word counts only before a blank or the end of a line; once a line has one, the plain text
//! around them is stripped; neighbouring words of one charset are one fragment.

pub mod charset;
pub mod header3;
pub mod normalize;
mod scan;
mod transfer;

use super::text::{byte_lines, strip_bytes};
use scan::{EncodedWord, EncodedWords, Encoding};

/// A stretch of a header value in one charset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// In that charset.
    pub bytes: Vec<u8>,
    /// As the word names it, with ASCII lowercased: any bytes but `?`, perhaps none. None for
    /// plain text.
    pub charset: Option<Vec<u8>>,
}

impl Fragment {
    fn plain(text: &[u8]) -> Self {
        Self { bytes: text.to_vec(), charset: None }
    }
}

/// A word's base64 cannot be decoded; Python's exception of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderParseError;

/// `decode_header(value)`, in time linear in the value's length.
///
/// # Errors
/// One word's base64 has bits left over.
pub fn decode_header(value: &[u8]) -> Result<Vec<Fragment>, HeaderParseError> {
    if EncodedWords::new(value).next().is_none() {
        return Ok(vec![Fragment::plain(value)]);
    }
    let mut fragments = Vec::new();
    for line in byte_lines(value) {
        decode_line(line, &mut fragments)?;
    }
    Ok(fragments)
}

fn decode_line(line: &[u8], fragments: &mut Vec<Fragment>) -> Result<(), HeaderParseError> {
    let mut words = EncodedWords::new(line).peekable();
    if words.peek().is_none() {
        fragments.push(Fragment::plain(line));
        return Ok(());
    }
    let mut after_word = 0;
    for word in words {
        push_plain(line.get(after_word..word.start).unwrap_or_default(), fragments);
        push_word(&word, fragments)?;
        after_word = word.end;
    }
    push_plain(line.get(after_word..).unwrap_or_default(), fragments);
    Ok(())
}

fn push_plain(text: &[u8], fragments: &mut Vec<Fragment>) {
    let stripped = strip_bytes(text);
    if stripped.is_empty() {
        return;
    }
    match fragments.last_mut() {
        Some(last) if last.charset.is_none() => {
            last.bytes.push(b' ');
            last.bytes.extend_from_slice(stripped);
        }
        _ => fragments.push(Fragment::plain(stripped)),
    }
}

fn push_word(
    word: &EncodedWord<'_>,
    fragments: &mut Vec<Fragment>,
) -> Result<(), HeaderParseError> {
    let bytes = match word.encoding {
        Encoding::Quoted => transfer::decode_quoted(word.encoded),
        Encoding::Base64 => transfer::decode_base64(word.encoded)?,
    };
    let charset = Some(word.charset.to_ascii_lowercase());
    match fragments.last_mut() {
        Some(last) if last.charset == charset => last.bytes.extend(bytes),
        _ => fragments.push(Fragment { bytes, charset }),
    }
    Ok(())
}
