//! Picks a few values out of a `config.pck` in one walk over its opcodes.
//!
//! Protocols 0 to 5 are read, as Python 2 and 3 write them. Nothing is ever constructed or
//! called. The top-level object has to be a dict. Its values are left alone but for those of
//! the keys asked for, and addresses are looked up in dicts among its values without building
//! these dicts; so neither time nor memory depends on the members beyond the walk itself.
//!
//! # Values
//!
//! Python's values become [`serde_pickle::Value`]s:
//! - Shared values are equal copies in every place. A value that contains itself is
//!   [`ErrorKind::Recursive`].
//! - `set`, `frozenset`, `bytes` and `bytearray` are plain values however they were written, an
//!   `OrderedDict` is a dict. Any other instance becomes the state that BUILD gave it, else the
//!   items it was given, else `None`; classes and functions themselves become `None`.
//! - Text is UTF-8; the lone surrogates that Python allows become U+FFFD. Python 2's strings are
//!   bytes; in a pickle of generation [`Python::Three`] they are text, from UTF-8 or else
//!   Latin-1 (`Mailman/Utils.py`, `load_pickle` of the port).
//! - The last of equal keys wins. In generation [`Python::Two`], bytes and text keys are equal if
//!   they are the same ASCII; in [`Python::Three`] they never are.
//!
//! # What is checked in values that nobody asked for
//!
//! That there are opcodes with complete arguments up to a STOP, that no opcode takes more from
//! the stack than is there, that keys have values, and that memo numbers which are got lie in the
//! range of those put. What strings and numbers hold, what kind of value an opcode works on, and
//! whether keys can be hashed is checked only in values asked for.
//! A change to an object through a memo reference, after its own value has ended, is not
//! followed; Python's picklers write no such thing.

mod build;
mod classes;
mod convert;
mod edit;
mod elements;
mod enroll;
mod error;
mod keys;
mod memo;
mod opcode;
mod pick;
mod roll;
mod skim;
mod source;
mod strings;
mod text;
mod track;
mod walk;

use std::collections::BTreeMap;

use serde_pickle::Value;

pub use edit::{EditError, StringList};
pub use enroll::{Enrolled, KeptDict, enroll};
pub use error::{Error, ErrorKind};
pub use keys::dict_keys;
pub use roll::Roll;
pub use source::ReadAt;

use crate::python::Python;
use crate::python::text::PyStr;
use opcode::StringKind;

/// Bytes that a walk reads at a time, so that they stay in the processor's cache.
const WINDOW: usize = 64 << 10;

/// What to pick out of a pickle.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Top-level keys whose values are wanted.
    pub keys: &'a [&'a str],
    /// Top-level keys whose values are dicts to look the addresses up in.
    pub dicts: &'a [&'a str],
    /// Keys to look up there, for instance members' addresses.
    pub addresses: &'a [PyStr],
}

/// What was picked.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    /// The values of [`Request::keys`]; absent keys are absent.
    pub values: BTreeMap<String, Value>,
    /// What was found in [`Request::dicts`]; absent keys are absent.
    pub dicts: BTreeMap<String, Dict>,
    /// The generation of Python that wrote the pickle: three if its first top-level key is text.
    pub python: Python,
    /// The first class that a stock Mailman may be unable to import (escaped, cut at 120
    /// characters). Mailman's unpickler would raise ImportError or AttributeError there, and
    /// these do not lead to its next file (`MailList.__load`).
    pub foreign_class: Option<String>,
}

/// What was found of the addresses in one top-level value.
#[derive(Debug, Clone, PartialEq)]
pub enum Dict {
    /// The value is no dict.
    NotADict,
    /// For each of [`Request::addresses`] its value, if it is a key.
    Entries(Vec<Option<Value>>),
}

/// Picks values out of the pickle that `source` begins with; what follows it is ignored.
///
/// # Errors
/// [`Error`] says what is wrong with the pickle, and where.
pub fn pick<R: ReadAt + ?Sized>(source: &R, request: &Request<'_>) -> Result<Picked, Error> {
    pick::pick(source, request, WINDOW)
}

/// [`pick`] with another number of bytes read at a time, for tests of what lies across a
/// boundary.
///
/// # Errors
/// As [`pick`].
#[doc(hidden)]
pub fn pick_with_window<R: ReadAt + ?Sized>(
    source: &R,
    request: &Request<'_>,
    window: usize,
) -> Result<Picked, Error> {
    pick::pick(source, request, window)
}

/// Whether a string in the pickle is this one, as dicts of that Python compare keys.
fn same_string(wanted: &PyStr, kind: StringKind, body: &[u8], python: Python) -> bool {
    if wanted.as_bytes() != body {
        return false;
    }
    let text = match kind {
        StringKind::Text => true,
        StringKind::Str => python == Python::Three,
        StringKind::Bytes => false,
    };
    same_type(wanted, text) || (python == Python::Two && body.is_ascii())
}

fn same_type(wanted: &PyStr, text: bool) -> bool {
    matches!(wanted, PyStr::Text(_)) == text
}
