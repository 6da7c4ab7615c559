//! What follows an opening parenthesis, by the rules of Python 3.11.

use super::CompileError;
use super::group::{BAD_NAME, UNKNOWN_NAME, condition_number};
use super::parse::{Opening, Parser, Start};
use super::scan::{Token, char_of};
use super::syntax::{Modes, Node};
use crate::python::Python;

const BAD_FLAGS: CompileError = CompileError::Invalid("bad inline flags");
const END_OF_PATTERN: CompileError = CompileError::Invalid("unexpected end of pattern");

/// What `(?flags` turned out to be.
enum Flags {
    /// `(?i)`: for the whole pattern.
    Global,
    /// `(?i-m:`: for the group that follows.
    Scoped { add: Modes, remove: Modes },
}

impl Parser<'_> {
    /// A group after its `(`.
    pub(super) fn group3(&mut self, global_flags: bool) -> Result<Start, CompileError> {
        if !self.scan.eat('?')? {
            return self.capturing(None);
        }
        let Some(token) = self.scan.take()? else { return Err(END_OF_PATTERN) };
        match token.as_char() {
            Some('P') => self.python_extension3(),
            Some(':') => Ok(self.plain(Modes::NONE, Modes::NONE)),
            Some('#') => self.comment3(),
            Some(char @ ('=' | '!')) => Ok(self.look_ahead3(char == '!')),
            Some('<') => self.look_behind3(),
            Some('(') => self.conditional3(),
            Some('>') => Ok(Start::Opens(Opening::Atomic)),
            Some(char) if char == '-' || Modes::of_letter(char, Python::Three).is_some() => {
                match self.flags3(char)? {
                    Flags::Scoped { add, remove } => Ok(self.scoped(add, remove)),
                    Flags::Global if !global_flags => Err(CompileError::Invalid(
                        "global flags not at the start of the expression",
                    )),
                    Flags::Global => {
                        self.verbose = self.modes.has(Modes::VERBOSE);
                        Ok(Start::Nothing)
                    }
                }
            }
            _ => Err(CompileError::Invalid("unknown extension")),
        }
    }

    /// `(?P<name>...)` and `(?P=name)`, after the `P`.
    fn python_extension3(&mut self) -> Result<Start, CompileError> {
        if self.scan.eat('<')? {
            let name = self.scan.take_until('>')?;
            if !is_identifier(&name)? {
                return Err(BAD_NAME);
            }
            return self.capturing(Some(name));
        }
        if !self.scan.eat('=')? {
            return Err(CompileError::Invalid("unknown extension ?P"));
        }
        let name = self.scan.take_until(')')?;
        if !is_identifier(&name)? {
            return Err(BAD_NAME);
        }
        let group = *self.names.get(&name).ok_or(UNKNOWN_NAME)?;
        if self.groups.get(group as usize).copied().flatten().is_none() {
            return Err(CompileError::Invalid("cannot refer to an open group"));
        }
        self.check_look_behind_group(group)?;
        Ok(Start::Complete(Node::BackReference(group)))
    }

    fn comment3(&mut self) -> Result<Start, CompileError> {
        loop {
            match self.scan.take()? {
                None => return Err(CompileError::Invalid("missing ), unterminated comment")),
                Some(token) if token.as_char() == Some(')') => return Ok(Start::Nothing),
                Some(_) => {}
            }
        }
    }

    fn look_ahead3(&self, negated: bool) -> Start {
        let outer_look_behind = self.look_behind_from;
        Start::Opens(Opening::Look { behind: false, negated, outer_look_behind })
    }

    /// `(?<=...)` and `(?<!...)`, after the `<`.
    fn look_behind3(&mut self) -> Result<Start, CompileError> {
        let negated = match self.scan.take()?.and_then(Token::as_char) {
            Some('=') => false,
            Some('!') => true,
            _ => return Err(CompileError::Invalid("unknown extension ?<")),
        };
        let outer_look_behind = self.look_behind_from;
        self.look_behind_from = outer_look_behind.or(Some(self.groups.len()));
        Ok(Start::Opens(Opening::Look { behind: true, negated, outer_look_behind }))
    }

    /// `(?(1)yes|no)`, after its second parenthesis.
    fn conditional3(&mut self) -> Result<Start, CompileError> {
        let name = self.scan.take_until(')')?;
        let group = if is_identifier(&name)? {
            *self.names.get(&name).ok_or(UNKNOWN_NAME)?
        } else {
            condition_number(&name, Python::Three)?
        };
        if group == 0 {
            return Err(CompileError::Invalid("bad group number"));
        }
        self.check_look_behind_group(group)?;
        Ok(self.conditional(group))
    }

    /// Opens a group with flags of its own.
    fn scoped(&mut self, add: Modes, remove: Modes) -> Start {
        let start = self.plain(add, remove);
        self.verbose = (self.verbose || add.has(Modes::VERBOSE)) && !remove.has(Modes::VERBOSE);
        start
    }

    /// `_parse_flags`, from the flag letter or `-` at hand.
    fn flags3(&mut self, first: char) -> Result<Flags, CompileError> {
        let (mut add, mut char) = (Modes::NONE, first);
        while char != '-' {
            let flag = Modes::of_letter(char, Python::Three).ok_or(BAD_FLAGS)?;
            self.check_added_flag(flag)?;
            add = add.with(flag);
            if flag.has(Modes::TYPES) && add.and(Modes::TYPES) != flag {
                return Err(BAD_FLAGS);
            }
            char = self.flag_char()?;
            if char == ')' {
                self.modes = self.modes.with(add);
                return Ok(Flags::Global);
            }
            if char == ':' {
                break;
            }
        }
        if add.has(Modes::TEMPLATE) {
            return Err(BAD_FLAGS);
        }
        let remove = if char == '-' { self.removed_flags()? } else { Modes::NONE };
        if remove.has(Modes::TEMPLATE) || add.has(remove) {
            return Err(BAD_FLAGS);
        }
        Ok(Flags::Scoped { add, remove })
    }

    fn check_added_flag(&self, flag: Modes) -> Result<(), CompileError> {
        let other_type = if self.text { Modes::LOCALE } else { Modes::UNICODE };
        if flag == other_type { Err(BAD_FLAGS) } else { Ok(()) }
    }

    /// The flags between `-` and `:`.
    fn removed_flags(&mut self) -> Result<Modes, CompileError> {
        let (mut remove, mut char) = (Modes::NONE, self.flag_char()?);
        loop {
            let flag = Modes::of_letter(char, Python::Three).ok_or(BAD_FLAGS)?;
            if flag.has(Modes::TYPES) {
                return Err(BAD_FLAGS);
            }
            remove = remove.with(flag);
            char = self.flag_char()?;
            if char == ':' {
                return Ok(remove);
            }
        }
    }

    fn flag_char(&mut self) -> Result<char, CompileError> {
        self.scan.take()?.and_then(Token::as_char).ok_or(BAD_FLAGS)
    }
}

/// `str.isidentifier`; names with letters of other scripts are left undecided.
fn is_identifier(name: &[u32]) -> Result<bool, CompileError> {
    let ascii: Vec<u32> = name.iter().copied().filter(|c| *c < 128).collect();
    let plausible =
        ascii.iter().all(|c| char_of(*c).is_ascii_alphanumeric() || *c == u32::from('_'))
            && !name.first().is_some_and(|c| char_of(*c).is_ascii_digit());
    if plausible && ascii.len() < name.len() {
        return Err(CompileError::Crash("group names in other scripts are not supported here"));
    }
    Ok(plausible)
}
