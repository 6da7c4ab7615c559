//! Top-level assignments of literals, as in `mm_cfg.py`, read without running anything.
//!
//! The reader follows what such files really do: literals, names assigned before, `+`, `*`, `%`,
//! and methods that change lists and dicts, with containers shared between names as in Python.
//! Whatever it cannot follow makes [`Setting::Unknown`] of every name that may have been changed:
//! an `if` may or may not run, a function may run at any time. A name is never reported as known
//! with a value that it does not have in the end.

mod atom;
mod expression;
mod format;
mod operators;
mod scan;
mod source;
mod statement;
mod token;
mod value;

use std::collections::HashMap;
use std::fmt;

use self::atom::Dialect;
use self::source::Source;
use self::statement::Interpreter;
use self::token::Tokenizer;
use self::value::{Heap, Value};
use super::Python;

/// A value that needs no code to make it.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `None`.
    None,
    /// `True` or `False`, by name or as what an operator answers.
    Bool(bool),
    /// An `int` or `long`; larger ones are not followed.
    Int(i64),
    /// A `float`.
    Float(f64),
    /// `str` of Python 2, `bytes` of Python 3; in the encoding of the file.
    Bytes(Vec<u8>),
    /// `unicode` of Python 2, `str` of Python 3.
    Text(String),
    /// A list.
    List(Vec<Literal>),
    /// A tuple.
    Tuple(Vec<Literal>),
    /// A dict, in the order of insertion, each key once.
    Dict(Vec<(Literal, Literal)>),
}

/// What is known of a name after the whole file.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// The file leaves it alone: it is as `from Defaults import *` made it, if that did.
    Absent,
    /// Its value, and the line (from 1) that assigned or last changed it.
    Known(Literal, usize),
    /// It was, or may have been, changed on this line in a way that was not followed.
    Unknown {
        /// Counted from 1.
        line: usize,
    },
}

/// A function that the imported module is known to define.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Returns its one argument times a number, like Mailman's `days`.
    Multiply(i64),
    /// Changes variables of these names in a way that is not followed.
    Changes(&'static [&'static str]),
}

/// The module from which such a file imports everything, as far as it is known.
#[derive(Debug, Clone)]
pub struct Library {
    /// The names by which it is imported, as they are written after `from`.
    pub modules: &'static [&'static str],
    /// Its variables. Names that are left out can't be followed when the file reads them.
    pub values: Vec<(&'static str, Literal)>,
    /// Its functions.
    pub functions: Vec<(&'static str, Function)>,
}

/// Why Python would refuse the file, or why its text could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntaxError {
    /// Counted from 1.
    pub line: usize,
    /// In a few words, for people.
    pub reason: &'static str,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for SyntaxError {}

/// A name's value; None if it cannot be known.
#[derive(Debug, Clone)]
struct Binding {
    value: Option<Value>,
    /// The line that bound it; 0 for the library.
    line: usize,
}

/// What a file sets.
#[derive(Debug)]
pub struct Settings {
    names: HashMap<String, Binding>,
    heap: Heap,
    /// Names without a binding may have been bound on this line.
    unknown_since: Option<usize>,
    /// Nothing is known, because of this line.
    lost_since: Option<usize>,
    error: Option<SyntaxError>,
}

/// Follows a file's text. Time and memory are bounded by its length and
/// [`MM_CFG_VALUE_BYTES`](crate::limits::MM_CFG_VALUE_BYTES).
pub fn read(source: &[u8], python: Python, library: &Library) -> Settings {
    match follow(source, python, library) {
        Ok(settings) => settings,
        Err(error) => Settings {
            names: HashMap::new(),
            heap: Heap::new(),
            unknown_since: None,
            lost_since: Some(error.line),
            error: Some(error),
        },
    }
}

fn follow(source: &[u8], python: Python, library: &Library) -> Result<Settings, SyntaxError> {
    let source = Source::new(source, python)?;
    let dialect = Dialect { python, encoding: source.encoding, unicode_literals: false };
    let mut interpreter = Interpreter::new(dialect, library);
    let mut tokenizer = Tokenizer::new(&source.bytes, python);
    while let Some(line) = tokenizer.next_line()? {
        interpreter.line(&line);
    }
    let Interpreter { names, heap, unknown_since, lost_since, .. } = interpreter;
    Ok(Settings { names, heap, unknown_since, lost_since, error: None })
}

impl Settings {
    /// What the file makes of this name; absent, too, where it leaves the library's value as it is.
    pub fn get(&self, name: &str) -> Setting {
        match self.with_library(name) {
            Setting::Known(_, 0) => Setting::Absent,
            setting => setting,
        }
    }

    /// What this name's value is in the end; where it is the library's, the line is 0.
    pub fn with_library(&self, name: &str) -> Setting {
        if let Some(line) = self.lost_since {
            return Setting::Unknown { line };
        }
        let Some(binding) = self.names.get(name) else {
            return match self.unknown_since {
                Some(line) => Setting::Unknown { line },
                None => Setting::Absent,
            };
        };
        let Some(value) = &binding.value else { return Setting::Unknown { line: binding.line } };
        match (self.heap.export(value), value) {
            (Ok(exported), _) => {
                Setting::Known(exported.literal, binding.line.max(exported.latest_change))
            }
            (Err(_), Value::Function(_)) if binding.line == 0 => Setting::Absent,
            (Err(_), _) => Setting::Unknown {
                line: self.heap.poisoned_line(value).unwrap_or(binding.line).max(1),
            },
        }
    }

    /// Why nothing is known at all: Python would refuse the file (and Mailman not run), or its
    /// encoding is not supported.
    pub fn error(&self) -> Option<SyntaxError> {
        self.error
    }
}
