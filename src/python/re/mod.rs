//! Python's `re`.

mod budget;
mod case;
mod charset;
mod engine;
mod escape;
mod frame;
mod group;
mod group3;
mod item;
mod join;
mod kept;
mod matcher;
mod parse;
mod program;
mod repeats;
mod scan;
mod syntax;
mod tables;
mod translate;

use super::Python;
use super::text::PyStr;
pub use budget::{Budget, OverBudget};
use engine::Subject;
pub use kept::{Compiled, Patterns};
use matcher::{Anchor, Outcome};
use parse::Parsed;
use program::Program;
use syntax::Modes;
use translate::Alphabet;

/// Flags as given to `re.search`. (Text patterns of Python 3 are Unicode anyway.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// `re.IGNORECASE`
    pub ignore_case: bool,
    /// `re.MULTILINE`
    pub multiline: bool,
    /// `re.UNICODE`
    pub unicode: bool,
}

/// Why a pattern cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompileError {
    /// `re.error`: Mailman catches it and skips the pattern.
    Invalid(&'static str),
    /// Another exception, which Mailman does not catch, or a construct that we cannot judge.
    Crash(&'static str),
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    parsed: Parsed,
    program: Program,
    /// Whether it is text; Python 3 searches text with text only, bytes with bytes.
    text: bool,
    python: Python,
}

impl Pattern {
    /// `re.compile`.
    pub fn compile(pattern: &PyStr, flags: Flags, python: Python) -> Result<Pattern, CompileError> {
        match pattern {
            PyStr::Bytes(bytes) => {
                let points: Vec<u32> = bytes.iter().copied().map(u32::from).collect();
                Pattern::compile_points(&points, false, flags, python)
            }
            PyStr::Text(text) => {
                let points: Vec<u32> = text.chars().map(u32::from).collect();
                Pattern::compile_points(&points, true, flags, python)
            }
        }
    }

    fn compile_points(
        points: &[u32],
        text: bool,
        flags: Flags,
        python: Python,
    ) -> Result<Pattern, CompileError> {
        let parsed = parse::parse(points, text, modes(flags), python)?;
        let program = Program::new(&parsed, python);
        Ok(Pattern { parsed, program, text, python })
    }

    /// `re.search`: whether the pattern matches somewhere in `subject`. No answer, either, where
    /// Python would raise an exception; [`search`] tells that apart.
    pub fn search(&self, subject: &PyStr, budget: &mut Budget) -> Result<bool, OverBudget> {
        self.run(subject, Anchor::Anywhere, budget).and_then(decided)
    }

    /// `re.match`: whether the pattern matches at the start of `subject`; else as
    /// [`Pattern::search`].
    pub fn match_start(&self, subject: &PyStr, budget: &mut Budget) -> Result<bool, OverBudget> {
        self.run(subject, Anchor::Start, budget).and_then(decided)
    }

    /// `re.search`, and what becomes of it.
    pub fn answer(&self, subject: &PyStr, budget: &mut Budget) -> Answer {
        self.answer_at(subject, Anchor::Anywhere, budget)
    }

    fn answer_at(&self, subject: &PyStr, anchor: Anchor, budget: &mut Budget) -> Answer {
        match self.run(subject, anchor, budget) {
            Ok(Outcome::Match) => Answer::Match,
            Ok(Outcome::NoMatch) => Answer::NoMatch,
            Ok(Outcome::Crash(why)) => Answer::Crash(why),
            Err(OverBudget) => Answer::OverBudget,
        }
    }

    /// [`Pattern::search`] by the `regex` crate alone, for holding the two engines against each
    /// other; nothing if it cannot express the pattern.
    #[doc(hidden)]
    pub fn search_by_automaton(
        &self,
        subject: &PyStr,
        budget: &mut Budget,
    ) -> Result<Option<bool>, OverBudget> {
        let subject = subject_of(subject);
        engine::by_automaton(&self.parsed, &self.program, subject, Anchor::Anywhere, budget)
    }

    fn run(
        &self,
        string: &PyStr,
        anchor: Anchor,
        budget: &mut Budget,
    ) -> Result<Outcome, OverBudget> {
        if self.is_of_other_type(string) {
            return Ok(Outcome::Crash("TypeError: text and bytes"));
        }
        let pattern = (&self.parsed, &self.program);
        let subject = subject_of(string);
        match string {
            PyStr::Text(text) if subject.alphabet == Alphabet::Text => {
                let points: Vec<u32> = text.chars().map(u32::from).collect();
                engine::search(pattern, &points, subject, anchor, budget)
            }
            _ => engine::search(pattern, subject.bytes, subject, anchor, budget),
        }
    }

    /// Whether Python 3 raises TypeError because one is text and the other bytes.
    fn is_of_other_type(&self, subject: &PyStr) -> bool {
        self.python == Python::Three && self.text != matches!(subject, PyStr::Text(_))
    }
}

/// Where Python raises an exception there is no answer either.
fn decided(outcome: Outcome) -> Result<bool, OverBudget> {
    match outcome {
        Outcome::Match => Ok(true),
        Outcome::NoMatch => Ok(false),
        Outcome::Crash(_) => Err(OverBudget),
    }
}

fn subject_of(string: &PyStr) -> Subject<'_> {
    let bytes = string.as_bytes();
    let alphabet = match string {
        _ if bytes.is_ascii() => Alphabet::Ascii,
        PyStr::Bytes(_) => Alphabet::Bytes,
        PyStr::Text(_) => Alphabet::Text,
    };
    Subject { bytes, alphabet }
}

fn modes(flags: Flags) -> Modes {
    let flag = |set: bool, mode: Modes| if set { mode } else { Modes::NONE };
    flag(flags.ignore_case, Modes::IGNORE_CASE)
        .with(flag(flags.multiline, Modes::MULTILINE))
        .with(flag(flags.unicode, Modes::UNICODE))
}

/// What `re.search` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It finds a match.
    Match,
    /// It finds none.
    NoMatch,
    /// It raises `re.error`.
    Invalid(&'static str),
    /// It raises another exception.
    Crash(&'static str),
    /// It takes longer than the budget allows.
    OverBudget,
}

/// `re.search(pattern, subject, flags)`.
pub fn search(
    pattern: &PyStr,
    subject: &PyStr,
    flags: Flags,
    python: Python,
    budget: &mut Budget,
) -> Answer {
    compile_and_run(pattern, subject, flags, python, Anchor::Anywhere, budget)
}

/// `re.match(pattern, subject, flags)`.
pub fn match_start(
    pattern: &PyStr,
    subject: &PyStr,
    flags: Flags,
    python: Python,
    budget: &mut Budget,
) -> Answer {
    compile_and_run(pattern, subject, flags, python, Anchor::Start, budget)
}

fn compile_and_run(
    pattern: &PyStr,
    subject: &PyStr,
    flags: Flags,
    python: Python,
    anchor: Anchor,
    budget: &mut Budget,
) -> Answer {
    match &*budget.compile(pattern, flags, python) {
        Err(CompileError::Invalid(why)) => Answer::Invalid(why),
        Err(CompileError::Crash(why)) => Answer::Crash(why),
        Ok(pattern) => pattern.answer_at(subject, anchor, budget),
    }
}

/// `re.escape`: a backslash before whatever is no ASCII letter or digit.
pub fn escape(text: &PyStr) -> PyStr {
    match text {
        PyStr::Bytes(bytes) => PyStr::Bytes(bytes.iter().flat_map(|b| escaped_byte(*b)).collect()),
        PyStr::Text(text) => PyStr::Text(text.chars().flat_map(escaped_char).collect()),
    }
}

fn escaped_byte(byte: u8) -> Vec<u8> {
    match byte {
        0 => b"\\000".to_vec(),
        _ if byte.is_ascii_alphanumeric() => vec![byte],
        _ => vec![b'\\', byte],
    }
}

fn escaped_char(c: char) -> Vec<char> {
    match c {
        '\0' => "\\000".chars().collect(),
        _ if c.is_ascii_alphanumeric() => vec![c],
        _ => vec!['\\', c],
    }
}
