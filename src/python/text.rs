//! Strings as Python has them, and the few methods that the rules call.

use std::borrow::Cow;

/// A Python string: bytes (`str` of Python 2, `bytes` of Python 3) or text (`unicode`, `str`).
///
/// Lone surrogates, which Python allows in text, are U+FFFD here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PyStr {
    /// Bytes in no particular encoding.
    Bytes(Vec<u8>),
    /// Unicode text.
    Text(String),
}

impl PyStr {
    /// The bytes themselves, or the text in UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            PyStr::Bytes(b) => b,
            PyStr::Text(t) => t.as_bytes(),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// For messages to people: invalid UTF-8 replaced.
    pub fn to_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }
}
