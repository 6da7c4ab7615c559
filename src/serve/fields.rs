//! The lines of a request: keys and values. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Lines that a request may have.
const LINES: usize = 1_000;

/// Behind a key: its value is base64.
const CODED: &str = "-base64";

/// The lines that nobody has asked for yet.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    lines: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Fields<'a> {
    /// Splits a request into its lines, up to the empty one.
    pub(super) fn split(bytes: &'a [u8]) -> Result<Fields<'a>, String> {
        let mut lines = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                break;
            }
            if lines.len() >= LINES {
                return Err("too many lines".into());
            }
            let colon = memchr::memchr(b':', line).ok_or("a line without a colon")?;
            let (key, value) = line.split_at_checked(colon).ok_or("a line without a colon")?;
            let value = value.get(1..).unwrap_or_default();
            lines.push((key_of(key)?, value.strip_prefix(b" ").unwrap_or(value)));
        }
        Ok(Fields { lines })
    }

    /// Takes the first two lines: the version, which has to be this one, and the query.
    pub(super) fn query(&mut self, version: &str) -> Result<String, String> {
        match self.lines.as_slice() {
            [] => return Err("an empty request".into()),
            [("mm-query", own), ..] if *own == version.as_bytes() => {}
            [("mm-query", _), ..] => {
                return Err(format!("this server speaks version {version} only"));
            }
            _ => return Err("the first line is not 'mm-query: 1'".into()),
        }
        match self.lines.get(1) {
            Some(("query", name)) => {
                let name = String::from_utf8_lossy(name).into_owned();
                self.lines.drain(..2);
                Ok(name)
            }
            _ => Err("the second line is not 'query: NAME'".into()),
        }
    }

    /// Takes all values of a key, in order.
    fn take(&mut self, key: &str) -> Vec<&'a [u8]> {
        if !self.lines.iter().any(|(own, _)| *own == key) {
            return Vec::new();
        }
        let (found, rest) = self.lines.drain(..).partition(|(own, _)| *own == key);
        self.lines = rest;
        let found: Vec<(&str, &[u8])> = found;
        found.into_iter().map(|(_, value)| value).collect()
    }

    /// All values of a key in base64.
    pub(super) fn coded(&mut self, key: &str) -> Result<Vec<Vec<u8>>, String> {
        let key = format!("{key}{CODED}");
        let decode =
            |value: &[u8]| STANDARD.decode(value).map_err(|e| format!("{key}: not base64: {e}"));
        self.take(&key).into_iter().map(decode).collect()
    }

    /// All values of a key, in either form.
    pub(super) fn all(&mut self, key: &str) -> Result<Vec<Vec<u8>>, String> {
        let mut values: Vec<Vec<u8>> = self.take(key).into_iter().map(<[u8]>::to_vec).collect();
        values.append(&mut self.coded(key)?);
        Ok(values)
    }

    /// All values of a header as it is, in a line or, as `header-NAME-base64`, in base64.
    pub(super) fn plain_headers(&mut self, name: &str) -> Result<Vec<Vec<u8>>, String> {
        let mut values: Vec<Vec<u8>> = self.take(name).into_iter().map(<[u8]>::to_vec).collect();
        values.append(&mut self.coded(&format!("header-{name}"))?);
        Ok(values)
    }

    /// The value of a key that may be there once, in either form.
    pub(super) fn one(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        let mut values = self.all(key)?.into_iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(format!("{key} is given more than once")),
        }
    }

    /// The value of a key that has to be there.
    pub(super) fn required(&mut self, key: &str) -> Result<Vec<u8>, String> {
        self.one(key)?.ok_or_else(|| format!("{key} is missing"))
    }

    /// A value that is one of a few words.
    pub(super) fn word<T>(
        &mut self,
        key: &str,
        meaning: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.one(key)? else { return Ok(None) };
        let word: Cow<'_, str> = String::from_utf8_lossy(&value);
        match meaning(&word) {
            Some(meaning) => Ok(Some(meaning)),
            None => Err(format!("{key}: no such value: {word}")),
        }
    }

    /// `yes` or `no`
    pub(super) fn flag(&mut self, key: &str) -> Result<Option<bool>, String> {
        self.word(key, |word| match word {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        })
    }

    /// Every line has been asked for.
    pub(super) fn finish(&self) -> Result<(), String> {
        match self.lines.first() {
            None => Ok(()),
            Some((key, _)) => Err(format!("this query has no key {key}")),
        }
    }
}

fn key_of(key: &[u8]) -> Result<&str, String> {
    let fits = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-';
    match std::str::from_utf8(key) {
        Ok(text) if !key.is_empty() && key.iter().all(fits) => Ok(text),
        _ => Err(format!("no key: {}", key.escape_ascii())),
    }
}
