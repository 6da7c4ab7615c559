//! `unicode(bytes, charset, 'replace')` as Python 2.7 does it (wide build: `sys.maxunicode` is
//! 0x10FFFF, as Debian builds it).
//!
//! Charsets of one byte a character have Python's own tables: `encoding_rs` has a character for
//! bytes that Python replaces, and lacks many of them.

mod codec;
mod double;
mod double_tables;
mod iso_2022_jp;
mod jamo;
pub mod japanese;
mod names;
mod single_byte;
mod utf;
mod utf_7;

use codec::Codec;

/// Bytes of a normalised name from which on `import` raises ValueError ("Module name too long")
/// where Linux' `MAXPATHLEN` is 4096, in place of finding no codec.
const LONGEST_MODULE: usize = 4_085;

/// Why there is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// `LookupError`: no codec has this name.
    Unknown,
    /// Another exception, whatever the bytes are: the codec is not for text (`hex`, `zlib`) or
    /// cannot replace (`idna`), or the name has NUL in it or is too long.
    Raises,
    /// What Python does is not known here: the codec is not followed (it may raise, too), or its
    /// text for these bytes cannot be told or has lone surrogates.
    Untold,
}

/// Appends the text of these bytes, errors replaced by U+FFFD. No bytes are no text in every
/// charset, known or not.
///
/// # Errors
/// See [`DecodeError`]; something may have been appended then.
pub fn decode(bytes: &[u8], charset: &[u8], text: &mut String) -> Result<(), DecodeError> {
    if charset.contains(&0) {
        return Err(DecodeError::Raises);
    }
    if bytes.is_empty() {
        return Ok(());
    }
    find(charset)?.1.decode(bytes, text)
}

/// `codecs.lookup(charset).name`.
///
/// # Errors
/// [`DecodeError::Unknown`] or [`DecodeError::Raises`], as [`decode`] has them.
pub fn codec_name(charset: &[u8]) -> Result<&'static str, DecodeError> {
    if charset.contains(&0) {
        return Err(DecodeError::Raises);
    }
    let (module, _) = find(charset)?;
    Ok(by_name(names::CODEC_NAMES, module).unwrap_or(module))
}

/// `codecs.lookup` with `encodings.search_function`: the module, and what it does.
fn find(charset: &[u8]) -> Result<(&'static str, Codec), DecodeError> {
    let name = normalized(charset);
    let alias = by_name(names::ALIASES, &name);
    let alias = alias.or_else(|| by_name(names::ALIASES, &name.replace('.', "_")));
    match alias
        .and_then(|module| entry(names::MODULES, module))
        .or_else(|| entry(names::MODULES, &name))
    {
        Some(codec) => Ok(codec),
        None if name.len() > LONGEST_MODULE && !name.contains('.') => Err(DecodeError::Raises),
        None => Err(DecodeError::Unknown),
    }
}

fn entry<T: Copy>(table: &'static [(&'static str, T)], name: &str) -> Option<(&'static str, T)> {
    let at = table.binary_search_by_key(&name, |&(key, _)| key).ok()?;
    table.get(at).copied()
}

fn by_name<T: Copy>(table: &'static [(&'static str, T)], name: &str) -> Option<T> {
    entry(table, name).map(|(_, value)| value)
}

/// `encodings.normalize_encoding` of the lowercased name: whatever is neither an ASCII letter nor
/// digit nor a dot separates, and one `_` stands for each run of separators in the middle.
fn normalized(charset: &[u8]) -> String {
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    let mut name = String::new();
    for word in charset.split(|&byte| !is_kept(byte)).filter(|word| !word.is_empty()) {
        if !name.is_empty() {
            name.push('_');
        }
        name.extend(word.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
    }
    name
}
