//! The values that a list's attributes really have.
//!
//! Python does not care about types until it uses a value, so neither do we: a setting is kept
//! as what it is, and the rule that reaches it asks for what it can use. The web pages store
//! `int`, `list_create` stores `bool`, `config_list` stores anything (RULES 1.7).

use crate::python::Python;
use crate::python::text::PyStr;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A plain Python value.
#[derive(Debug, Clone, PartialEq)]
pub enum PyValue {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// `int` or `long` of up to 64 bits
    Int(i64),
    /// a longer integer: whether it is negative, and its lowest 64 bits in two's complement
    Long(bool, i64),
    /// `float`
    Float(f64),
    /// `str`, `unicode` or `bytes`
    Str(PyStr),
    /// `list`, `tuple` or a set: what iterates over its items
    List(Vec<PyValue>),
    /// `dict`, by its keys: what iterates over them
    Dict(Vec<PyValue>),
    /// what no attribute should hold
    Other,
}

impl PyValue {
    /// Python's truth value; `None` where it cannot be told.
    pub fn truth(&self) -> Option<bool> {
        Some(match self {
            PyValue::None => false,
            PyValue::Bool(b) => *b,
            PyValue::Int(i) => *i != 0,
            PyValue::Long(..) => true,
            PyValue::Float(f) => *f != 0.0,
            PyValue::Str(s) => !s.is_empty(),
            PyValue::List(items) | PyValue::Dict(items) => !items.is_empty(),
            PyValue::Other => return None,
        })
    }

    /// The value as a number, if Python compares it as one.
    pub fn number(&self) -> Option<f64> {
        match self {
            PyValue::Bool(b) => Some(f64::from(u8::from(*b))),
            // Only small numbers mean anything to the rules; a large one is merely "large".
            PyValue::Int(i) => i32::try_from(*i).map(f64::from).ok().or(Some(f64::MAX)),
            PyValue::Long(negative, _) => Some(if *negative { f64::MIN } else { f64::MAX }),
            PyValue::Float(f) => Some(*f),
            _ => None,
        }
    }

    /// The value as an integer usable in bit operations (`float` is not); its lowest 64 bits.
    pub fn integer(&self) -> Option<i64> {
        match self {
            PyValue::Bool(b) => Some(i64::from(*b)),
            PyValue::Int(i) | PyValue::Long(_, i) => Some(*i),
            _ => None,
        }
    }

    /// What `for x in value` gives: items, keys, or the characters of a string. `None` if Python
    /// raises TypeError.
    pub fn iterate(&self) -> Option<Vec<PyValue>> {
        match self {
            PyValue::List(items) | PyValue::Dict(items) => Some(items.clone()),
            PyValue::Str(PyStr::Bytes(bytes)) => {
                Some(bytes.iter().map(|b| PyValue::Str(PyStr::Bytes(vec![*b]))).collect())
            }
            PyValue::Str(PyStr::Text(text)) => {
                Some(text.chars().map(|c| PyValue::Str(PyStr::Text(c.to_string()))).collect())
            }
            _ => None,
        }
    }
}

/// Which Python wrote a list's file, and which reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Told from the file.
    pub wrote: Python,
    /// The same, unless somebody says otherwise.
    pub reads: Python,
}

impl Reader {
    /// A value as the reading Python has it. The port makes texts of Python 2's strings: of UTF-8 or
    /// of Latin-1 (`MailList.__load`; it decides for a whole file, this for each string).
    pub fn value(self, value: PyValue) -> PyValue {
        if (self.wrote, self.reads) != (Python::Two, Python::Three) {
            return value;
        }
        match value {
            PyValue::Str(text) => PyValue::Str(as_text(&text)),
            PyValue::List(items) => {
                PyValue::List(items.into_iter().map(|item| self.value(item)).collect())
            }
            PyValue::Dict(keys) => {
                PyValue::Dict(keys.into_iter().map(|key| self.value(key)).collect())
            }
            value => value,
        }
    }

    /// A dictionary's key in the form in which the reading Python looks it up. To Python 2, text and
    /// bytes are the same key where they are the same ASCII.
    pub fn key(self, key: &PyStr) -> PyStr {
        match (self.wrote, self.reads) {
            (Python::Two, Python::Three) => as_text(key),
            (Python::Three, Python::Two) if key.as_bytes().is_ascii() => {
                PyStr::Bytes(key.as_bytes().to_vec())
            }
            _ => key.clone(),
        }
    }
}

fn as_text(text: &PyStr) -> PyStr {
    match std::str::from_utf8(text.as_bytes()) {
        Ok(text) => PyStr::Text(text.to_owned()),
        Err(_) => PyStr::Text(text.as_bytes().iter().map(|byte| char::from(*byte)).collect()),
    }
}

impl<'de> Deserialize<'de> for PyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PyValue, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = PyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain Python value")
    }
    fn visit_unit<E>(self) -> Result<PyValue, E> {
        Ok(PyValue::None)
    }
    fn visit_bool<E>(self, v: bool) -> Result<PyValue, E> {
        Ok(PyValue::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<PyValue, E> {
        Ok(PyValue::Int(v))
    }
    fn visit_f64<E>(self, v: f64) -> Result<PyValue, E> {
        Ok(PyValue::Float(v))
    }
    fn visit_str<E>(self, v: &str) -> Result<PyValue, E> {
        Ok(PyValue::Str(PyStr::Text(v.to_owned())))
    }
    fn visit_string<E>(self, v: String) -> Result<PyValue, E> {
        Ok(PyValue::Str(PyStr::Text(v)))
    }
    fn visit_bytes<E>(self, v: &[u8]) -> Result<PyValue, E> {
        Ok(PyValue::Str(PyStr::Bytes(v.to_vec())))
    }
    fn visit_byte_buf<E>(self, v: Vec<u8>) -> Result<PyValue, E> {
        Ok(PyValue::Str(PyStr::Bytes(v)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PyValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(PyValue::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PyValue, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, _)) = map.next_entry::<PyValue, serde::de::IgnoredAny>()? {
            keys.push(key);
        }
        Ok(PyValue::Dict(keys))
    }
}

/// Decodes one picked value. What serde-pickle cannot hand over (a longer integer inside a list) is
/// [`PyValue::Other`].
pub fn decode(value: serde_pickle::Value) -> PyValue {
    if let serde_pickle::Value::Int(long) = &value {
        let low = (0..64).filter(|i| long.bit(*i)).fold(0u64, |low, i| low | (1 << i));
        return PyValue::Long(long < &Default::default(), low.cast_signed());
    }
    serde_pickle::from_value(value).unwrap_or(PyValue::Other)
}
