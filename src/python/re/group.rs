//! What follows an opening parenthesis, by the rules of Python 2.7.

use super::CompileError;
use super::parse::{BLANKS, Opening, Parser, Start};
use super::scan::char_of;
use super::syntax::{Modes, Node};
use crate::python::Python;

pub(super) const UNCLOSED: CompileError = CompileError::Invalid("unbalanced parenthesis");
pub(super) const UNKNOWN_NAME: CompileError = CompileError::Invalid("unknown group name");
pub(super) const BAD_NAME: CompileError = CompileError::Invalid("bad character in group name");

/// A number that no group can have.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// Letters of Python 2's `(?...)` flags.
const FLAG_LETTERS: &str = "iLmsxtu";

impl Parser<'_> {
    /// A group after its `(`.
    pub(super) fn group2(&mut self) -> Result<Start, CompileError> {
        if !self.scan.eat('?')? {
            return self.capturing(None);
        }
        if self.scan.eat('P')? {
            return self.python_extension2();
        }
        if self.scan.eat(':')? {
            return Ok(self.plain(Modes::NONE, Modes::NONE));
        }
        if self.scan.eat('#')? {
            while self.scan.peek().is_some() && self.scan.peek_char() != Some(')') {
                self.scan.take()?;
            }
            return if self.scan.eat(')')? { Ok(Start::Nothing) } else { Err(UNCLOSED) };
        }
        if self.scan.peek_one_of("=!<").is_some() {
            return self.look2();
        }
        if self.scan.eat('(')? {
            return self.conditional2();
        }
        self.flags2()
    }

    /// `(?P<name>...)` and `(?P=name)`, after the `P`.
    fn python_extension2(&mut self) -> Result<Start, CompileError> {
        let opens = self.scan.eat('<')?;
        if !opens && !self.scan.eat('=')? {
            return Err(CompileError::Invalid("unknown specifier"));
        }
        let name = self.scan.take_until(if opens { '>' } else { ')' })?;
        if !is_ascii_identifier(&name) {
            return Err(BAD_NAME);
        }
        if opens {
            return self.capturing(Some(name));
        }
        // Unlike a number, a name may refer to a group that is still open.
        let group = *self.names.get(&name).ok_or(UNKNOWN_NAME)?;
        Ok(Start::Complete(Node::BackReference(group)))
    }

    fn look2(&mut self) -> Result<Start, CompileError> {
        let behind = self.scan.eat('<')?;
        let negated = if self.scan.eat('=')? {
            false
        } else if self.scan.eat('!')? {
            true
        } else {
            return Err(CompileError::Invalid("syntax error"));
        };
        Ok(Start::Opens(Opening::Look { behind, negated, outer_look_behind: None }))
    }

    /// `(?(1)yes|no)`, after its second parenthesis.
    fn conditional2(&mut self) -> Result<Start, CompileError> {
        let name = self.scan.take_until(')')?;
        let group = if is_ascii_identifier(&name) {
            *self.names.get(&name).ok_or(UNKNOWN_NAME)?
        } else {
            condition_number(&name, self.python)?
        };
        if group == 0 {
            // `(?(0)a|b)` is taken for `(?:a|b)`.
            return Ok(self.plain(Modes::NONE, Modes::NONE));
        }
        Ok(self.conditional(group))
    }

    /// `(?iLmsux)`: counts for the whole pattern, wherever it stands.
    fn flags2(&mut self) -> Result<Start, CompileError> {
        if self.scan.peek_one_of(FLAG_LETTERS).is_none() {
            return Err(CompileError::Invalid("unexpected end of pattern"));
        }
        while let Some(letter) = self.scan.peek_one_of(FLAG_LETTERS) {
            self.scan.take()?;
            let flag = Modes::of_letter(letter, self.python).unwrap_or_default();
            self.modes = self.modes.with(flag);
        }
        self.verbose = self.modes.has(Modes::VERBOSE);
        if !self.scan.eat(')')? {
            return Err(CompileError::Invalid("unknown extension"));
        }
        Ok(Start::Nothing)
    }

    /// Opens a capturing group.
    pub(super) fn capturing(&mut self, name: Option<Vec<u32>>) -> Result<Start, CompileError> {
        let index = u32::try_from(self.groups.len())
            .map_err(|_| CompileError::Invalid("too many groups"))?;
        self.groups.push(None);
        if let Some(name) = name
            && self.names.insert(name, index).is_some()
        {
            return Err(CompileError::Invalid("redefinition of group name"));
        }
        Ok(Start::Opens(Opening::Capturing(index)))
    }

    /// Opens a group that does not capture.
    pub(super) fn plain(&self, add: Modes, remove: Modes) -> Start {
        Start::Opens(Opening::Plain { add, remove, outer_verbose: self.verbose })
    }

    /// Opens a conditional.
    pub(super) fn conditional(&mut self, group: u32) -> Start {
        self.highest_condition = self.highest_condition.max(group);
        Start::Opens(Opening::Conditional { group })
    }
}

/// Python 2's group names: ASCII letters, digits and `_`, no digit first.
fn is_ascii_identifier(name: &[u32]) -> bool {
    let is_start = |c: u32| matches!(char_of(c), 'a'..='z' | 'A'..='Z' | '_');
    let is_digit = |c: u32| char_of(c).is_ascii_digit();
    name.first().is_some_and(|c| is_start(*c)) && name.iter().all(|c| is_start(*c) || is_digit(*c))
}

/// The number in `(?(number)...)` as `int()` reads it.
pub(super) fn condition_number(name: &[u32], python: Python) -> Result<u32, CompileError> {
    let text: String = name.iter().copied().map(char_of).collect();
    if !text.is_ascii() {
        return Err(unread_number(name));
    }
    let text = text.trim_matches(|c| BLANKS.contains(c) || (text_strips(python, c)));
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = match python {
        Python::Two => digits.to_owned(),
        Python::Three => without_underscores(digits).ok_or(BAD_NAME)?,
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD_NAME);
    }
    let number = digits.parse::<u32>().ok();
    match (python, negative, number) {
        (_, true, Some(0)) => Ok(0),
        // No such group can be: Python 2 finds out when the pattern is read.
        (Python::Two, true, _) | (Python::Two, false, None) => Ok(NO_GROUP),
        (Python::Three, true, _) | (Python::Three, false, None) => Err(BAD_NAME),
        (_, false, Some(number)) => Ok(number),
    }
}

/// The error for a number that is not all ASCII: digits of other scripts are numbers, too.
fn unread_number(name: &[u32]) -> CompileError {
    let of_number = |c: &u32| match char_of(*c) {
        '0'..='9' | '_' | '+' | '-' => true,
        c => c.is_numeric() || c.is_whitespace() || c.is_ascii_control(),
    };
    if name.iter().all(of_number) {
        CompileError::Crash("group numbers in other scripts are not supported here")
    } else {
        BAD_NAME
    }
}

/// Blanks beside the usual ones that `int()` of Python 3 strips.
fn text_strips(python: Python, c: char) -> bool {
    python == Python::Three && ('\x1c'..='\x1f').contains(&c)
}

/// `1_000` is a number to Python 3; `1__0` and `_1` are not.
fn without_underscores(digits: &str) -> Option<String> {
    let misplaced = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    (!misplaced).then(|| digits.replace('_', ""))
}
