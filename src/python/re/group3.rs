//! What follows an opening parenthesis, by the rules of Python 3.11.

use super::CompileError;
use super::group::{BAD_NAME, UNKNOWN_NAME, condition_number};
use super::parse::Parser;
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
    /// A group after its `(`; nothing for a comment or flags.
    pub(super) fn group3(&mut self, global_flags: bool) -> Result<Option<Node>, CompileError> {
        if !self.scan.eat('?')? {
            return self.capturing(None).map(Some);
        }
        let Some(token) = self.scan.take()? else { return Err(END_OF_PATTERN) };
        match token.as_char() {
            Some('P') => self.python_extension3().map(Some),
            Some(':') => self.scoped(Modes::NONE, Modes::NONE).map(Some),
            Some('#') => self.comment3().map(|()| None),
            Some(char @ ('=' | '!' | '<')) => self.look3(char).map(Some),
            Some('(') => self.conditional3().map(Some),
            Some('>') => self.atomic().map(Some),
            Some(char) if char == '-' || Modes::of_letter(char, Python::Three).is_some() => {
                match self.flags3(char)? {
                    Flags::Scoped { add, remove } => self.scoped(add, remove).map(Some),
                    Flags::Global if !global_flags => Err(CompileError::Invalid(
                        "global flags not at the start of the expression",
                    )),
                    Flags::Global => {
                        self.verbose = self.modes.has(Modes::VERBOSE);
                        Ok(None)
                    }
                }
            }
            _ => Err(CompileError::Invalid("unknown extension")),
        }
    }

    /// `(?P<name>...)` and `(?P=name)`, after the `P`.
    fn python_extension3(&mut self) -> Result<Node, CompileError> {
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
        Ok(Node::BackReference(group))
    }

    fn comment3(&mut self) -> Result<(), CompileError> {
        loop {
            match self.scan.take()? {
                None => return Err(CompileError::Invalid("missing ), unterminated comment")),
                Some(token) if token.as_char() == Some(')') => return Ok(()),
                Some(_) => {}
            }
        }
    }

    /// A look ahead or behind, after its first character.
    fn look3(&mut self, char: char) -> Result<Node, CompileError> {
        if char != '<' {
            let body = self.nested_alternatives()?;
            self.close()?;
            return Ok(self.look(false, char == '!', body));
        }
        let negated = match self.scan.take()?.and_then(Token::as_char) {
            Some('=') => false,
            Some('!') => true,
            _ => return Err(CompileError::Invalid("unknown extension ?<")),
        };
        let outer = self.look_behind_from;
        self.look_behind_from = outer.or(Some(self.groups.len()));
        let body = self.nested_alternatives()?;
        self.look_behind_from = outer;
        self.close()?;
        Ok(self.look(true, negated, body))
    }

    /// `(?(1)yes|no)`, after its second parenthesis.
    fn conditional3(&mut self) -> Result<Node, CompileError> {
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
        self.conditional(group)
    }

    fn atomic(&mut self) -> Result<Node, CompileError> {
        let body = self.nested_alternatives()?;
        self.close()?;
        Ok(Node::Atomic(body))
    }

    /// A group with flags of its own.
    fn scoped(&mut self, add: Modes, remove: Modes) -> Result<Node, CompileError> {
        let outer = self.verbose;
        self.verbose = (outer || add.has(Modes::VERBOSE)) && !remove.has(Modes::VERBOSE);
        let group = self.plain_group(add, remove)?;
        self.verbose = outer;
        Ok(group)
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
