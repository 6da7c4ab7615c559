//! What follows an opening parenthesis, by the rules of Python 2.7.

use super::CompileError;
use super::parse::{BLANKS, Parser};
use super::scan::char_of;
use super::syntax::{Conditional, Group, Look, Modes, Node, Sequence};
use crate::python::Python;

pub(super) const UNCLOSED: CompileError = CompileError::Invalid("unbalanced parenthesis");
pub(super) const UNKNOWN_NAME: CompileError = CompileError::Invalid("unknown group name");
pub(super) const BAD_NAME: CompileError = CompileError::Invalid("bad character in group name");

/// A number that no group can have.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// Letters of Python 2's `(?...)` flags.
const FLAG_LETTERS: &str = "iLmsxtu";

impl Parser<'_> {
    /// A group after its `(`; nothing for a comment or flags.
    pub(super) fn group2(&mut self) -> Result<Option<Node>, CompileError> {
        if !self.scan.eat('?')? {
            return self.capturing(None).map(Some);
        }
        if self.scan.eat('P')? {
            return self.python_extension2().map(Some);
        }
        if self.scan.eat(':')? {
            return self.plain_group(Modes::NONE, Modes::NONE).map(Some);
        }
        if self.scan.eat('#')? {
            while self.scan.peek().is_some() && self.scan.peek_char() != Some(')') {
                self.scan.take()?;
            }
            self.close()?;
            return Ok(None);
        }
        if self.scan.peek_one_of("=!<").is_some() {
            return self.look2().map(Some);
        }
        if self.scan.eat('(')? {
            return self.conditional2().map(Some);
        }
        self.flags2().map(|()| None)
    }

    /// `(?P<name>...)` and `(?P=name)`, after the `P`.
    fn python_extension2(&mut self) -> Result<Node, CompileError> {
        if self.scan.eat('<')? {
            let name = self.scan.take_until('>')?;
            if !is_ascii_identifier(&name) {
                return Err(BAD_NAME);
            }
            return self.capturing(Some(name));
        }
        if self.scan.eat('=')? {
            let name = self.scan.take_until(')')?;
            if !is_ascii_identifier(&name) {
                return Err(BAD_NAME);
            }
            // Unlike a number, a name may refer to a group that is still open.
            return self
                .names
                .get(&name)
                .map(|group| Node::BackReference(*group))
                .ok_or(UNKNOWN_NAME);
        }
        Err(CompileError::Invalid("unknown specifier"))
    }

    fn look2(&mut self) -> Result<Node, CompileError> {
        let behind = self.scan.eat('<')?;
        let negated = if self.scan.eat('=')? {
            false
        } else if self.scan.eat('!')? {
            true
        } else {
            return Err(CompileError::Invalid("syntax error"));
        };
        let body = self.nested_alternatives()?;
        self.close()?;
        Ok(self.look(behind, negated, body))
    }

    /// `(?(1)yes|no)`, after its second parenthesis.
    fn conditional2(&mut self) -> Result<Node, CompileError> {
        let name = self.scan.take_until(')')?;
        let group = if is_ascii_identifier(&name) {
            *self.names.get(&name).ok_or(UNKNOWN_NAME)?
        } else {
            condition_number(&name, self.python)?
        };
        if group == 0 {
            // `(?(0)a|b)` is taken for `(?:a|b)`.
            return self.plain_group(Modes::NONE, Modes::NONE);
        }
        let conditional = self.conditional(group)?;
        let body = vec![conditional];
        let width = self.width(&body);
        let (add, remove) = (Modes::NONE, Modes::NONE);
        Ok(Node::Group(Box::new(Group { index: None, add, remove, body, width })))
    }

    /// `(?iLmsux)`: counts for the whole pattern, wherever it stands.
    fn flags2(&mut self) -> Result<(), CompileError> {
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
        Ok(())
    }

    /// A capturing group, after what introduces it.
    pub(super) fn capturing(&mut self, name: Option<Vec<u32>>) -> Result<Node, CompileError> {
        let number = self.groups.len();
        let index = u32::try_from(number).map_err(|_| CompileError::Crash("too many groups"))?;
        self.groups.push(None);
        if let Some(name) = name
            && self.names.insert(name, index).is_some()
        {
            return Err(CompileError::Invalid("redefinition of group name"));
        }
        let body = self.nested_alternatives()?;
        self.close()?;
        let width = self.width(&body);
        if let Some(group) = self.groups.get_mut(number) {
            *group = Some(width);
        }
        let (add, remove) = (Modes::NONE, Modes::NONE);
        Ok(Node::Group(Box::new(Group { index: Some(index), add, remove, body, width })))
    }

    /// A group that does not capture, after what introduces it.
    pub(super) fn plain_group(&mut self, add: Modes, remove: Modes) -> Result<Node, CompileError> {
        let body = self.nested_alternatives()?;
        self.close()?;
        let width = self.width(&body);
        Ok(Node::Group(Box::new(Group { index: None, add, remove, body, width })))
    }

    /// The closing parenthesis.
    pub(super) fn close(&mut self) -> Result<(), CompileError> {
        if self.scan.eat(')')? { Ok(()) } else { Err(UNCLOSED) }
    }

    /// A look ahead or behind; a bad width is kept for the end, where Python finds it.
    pub(super) fn look(&mut self, behind: bool, negated: bool, body: Sequence) -> Node {
        let mut back = 0;
        if behind {
            let width = self.width(&body);
            self.bad_look_behind |= width.min != width.max || width.min > u64::from(u32::MAX);
            back = width.min;
        }
        Node::Look(Box::new(Look { back, negated, body }))
    }

    /// The branches of a conditional and its closing parenthesis.
    pub(super) fn conditional(&mut self, group: u32) -> Result<Node, CompileError> {
        self.highest_condition = self.highest_condition.max(group);
        let yes = self.nested_sequence()?;
        let mut no = Sequence::new();
        if self.scan.eat('|')? {
            no = self.nested_sequence()?;
            if self.scan.peek_char() == Some('|') {
                return Err(CompileError::Invalid(
                    "conditional backref with more than two branches",
                ));
            }
        }
        self.close()?;
        Ok(Node::Conditional(Box::new(Conditional { group, yes, no })))
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
