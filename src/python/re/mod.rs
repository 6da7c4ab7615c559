//! Python's `re`.

mod budget;
mod case;
mod charset;
mod escape;
mod frame;
mod group;
mod group3;
mod matcher;
mod parse;
mod program;
mod scan;
mod syntax;
mod tables;

use super::Python;
use super::text::PyStr;
pub use budget::{Budget, OverBudget};
use matcher::Anchor;
use program::Program;
use syntax::Modes;

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

    /// [`Pattern::compile`] for code points, lone surrogates among them.
    #[doc(hidden)]
    pub fn compile_points(
        points: &[u32],
        text: bool,
        flags: Flags,
        python: Python,
    ) -> Result<Pattern, CompileError> {
        let parsed = parse::parse(points, text, modes(flags), python)?;
        Ok(Pattern { program: Program::new(&parsed, python), text, python })
    }

    /// `re.search`: whether the pattern matches somewhere in `subject`.
    pub fn search(&self, subject: &PyStr, budget: &mut Budget) -> Result<bool, OverBudget> {
        self.run(subject, Anchor::Anywhere, budget)
    }

    /// `re.match`: whether the pattern matches at the start of `subject`.
    pub fn match_start(&self, subject: &PyStr, budget: &mut Budget) -> Result<bool, OverBudget> {
        self.run(subject, Anchor::Start, budget)
    }

    /// [`Pattern::search`] in code points, lone surrogates among them.
    #[doc(hidden)]
    pub fn search_points(&self, subject: &[u32], budget: &mut Budget) -> Result<bool, OverBudget> {
        matcher::is_match(&self.program, subject, Anchor::Anywhere, budget)
    }

    fn run(
        &self,
        subject: &PyStr,
        anchor: Anchor,
        budget: &mut Budget,
    ) -> Result<bool, OverBudget> {
        match subject {
            PyStr::Bytes(bytes) => matcher::is_match(&self.program, bytes, anchor, budget),
            PyStr::Text(text) if text.is_ascii() => {
                matcher::is_match(&self.program, text.as_bytes(), anchor, budget)
            }
            PyStr::Text(text) => {
                let points: Vec<u32> = text.chars().map(u32::from).collect();
                matcher::is_match(&self.program, &points, anchor, budget)
            }
        }
    }

    /// Whether Python 3 raises TypeError because one is text and the other bytes.
    fn is_of_other_type(&self, subject: &PyStr) -> bool {
        self.python == Python::Three && self.text != matches!(subject, PyStr::Text(_))
    }
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
    match Pattern::compile(pattern, flags, python) {
        Err(CompileError::Invalid(why)) => Answer::Invalid(why),
        Err(CompileError::Crash(why)) => Answer::Crash(why),
        Ok(pattern) if pattern.is_of_other_type(subject) => {
            Answer::Crash("TypeError: text and bytes")
        }
        Ok(pattern) => match pattern.search(subject, budget) {
            Ok(true) => Answer::Match,
            Ok(false) => Answer::NoMatch,
            Err(OverBudget) => Answer::OverBudget,
        },
    }
}
