//! What is neither a group nor an alternative: characters, sets, anchors and repeats.

use super::CompileError;
use super::join::is_transparent;
use super::parse::{BLANKS, DIGITS, Parser};
use super::scan::{Token, char_of};
use super::syntax::{Greed, Item, Node, Place, Repeat, Sequence, SetSyntax, UNLIMITED};
use crate::python::Python;

/// Digits that `int()` of Python 3.11 reads before it raises ValueError.
const PYTHON3_INT_DIGITS: usize = 4300;

impl Parser<'_> {
    /// One construct that is no parenthesis and begins with `token`.
    pub(super) fn item(&mut self, token: Token, nodes: &mut Sequence) -> Result<(), CompileError> {
        let c = match token {
            Token::Char(c) => c,
            Token::Escape(c) => {
                nodes.push(self.escape(c)?);
                return Ok(());
            }
        };
        let char = char_of(c);
        if self.verbose && self.skip_blank(char)? {
            return Ok(());
        }
        nodes.push(match char {
            '[' => self.set()?,
            '*' | '+' | '?' | '{' => return self.repeat(char, nodes),
            '.' => Node::Any,
            '^' => Node::Place(Place::Begin),
            '$' => Node::Place(Place::End),
            _ => Node::Literal(c),
        });
        Ok(())
    }

    /// Skips a blank or a comment of `(?x)`.
    fn skip_blank(&mut self, char: char) -> Result<bool, CompileError> {
        if BLANKS.contains(char) {
            return Ok(true);
        }
        if char != '#' {
            return Ok(false);
        }
        while let Some(token) = self.scan.take()? {
            if token.as_char() == Some('\n') {
                break;
            }
        }
        Ok(true)
    }

    /// A quantifier, whose first character is `char`, applied to the last of `nodes`.
    fn repeat(&mut self, char: char, nodes: &mut Sequence) -> Result<(), CompileError> {
        let bounds = match char {
            '?' => Some((0, 1)),
            '*' => Some((0, UNLIMITED)),
            '+' => Some((1, UNLIMITED)),
            _ => self.bounds()?,
        };
        let Some((min, max)) = bounds else {
            nodes.push(Node::Literal(u32::from('{')));
            return Ok(());
        };
        let item = match nodes.pop() {
            None | Some(Node::Place(_)) => {
                return Err(CompileError::Invalid("nothing to repeat"));
            }
            Some(Node::Repeat(_)) => return Err(CompileError::Invalid("multiple repeat")),
            Some(item) => item,
        };
        let greed = if self.scan.eat('?')? {
            Greed::Lazy
        } else if self.python == Python::Three && self.scan.eat('+')? {
            Greed::Possessive
        } else {
            Greed::Greedy
        };
        self.has_repeat = true;
        let body = match (item, self.python) {
            (Node::Group(group), Python::Three) if is_transparent(&group) => group.body,
            (item, _) => vec![item],
        };
        nodes.push(Node::Repeat(Box::new(Repeat { min, max, greed, body })));
        Ok(())
    }

    /// What follows `{` of a repeat; nothing is taken if it is none and `{` a literal.
    fn bounds(&mut self) -> Result<Option<(u32, u32)>, CompileError> {
        if self.scan.peek_char() == Some('}') {
            return Ok(None);
        }
        let start = self.scan.position();
        let (mut low, mut high) = (String::new(), String::new());
        self.scan.take_while(&mut low, DIGITS, usize::MAX)?;
        if self.scan.eat(',')? {
            self.scan.take_while(&mut high, DIGITS, usize::MAX)?;
        } else {
            high.clone_from(&low);
        }
        if !self.scan.eat('}')? {
            self.scan.rewind(start);
            return Ok(None);
        }
        let min = if low.is_empty() { 0 } else { self.count(&low)? };
        let max = if high.is_empty() { UNLIMITED } else { self.count(&high)? };
        if max < min {
            return Err(CompileError::Invalid("bad repeat interval"));
        }
        Ok(Some((min, max)))
    }

    fn count(&self, digits: &str) -> Result<u32, CompileError> {
        if self.python == Python::Three && digits.len() > PYTHON3_INT_DIGITS {
            return Err(CompileError::Crash("ValueError: too many digits"));
        }
        digits
            .parse()
            .ok()
            .filter(|count| *count != UNLIMITED)
            .ok_or(CompileError::Crash("OverflowError: the repetition number is too large"))
    }

    /// `[...]`, after the bracket.
    fn set(&mut self) -> Result<Node, CompileError> {
        let negated = self.scan.eat('^')?;
        let mut items = Vec::new();
        loop {
            if self.scan.peek_char() == Some(']') && !items.is_empty() {
                self.scan.take()?;
                break;
            }
            let low = self.set_member()?;
            if !self.scan.eat('-')? {
                items.push(low);
                continue;
            }
            if self.scan.eat(']')? {
                items.extend([low, Item::Literal(u32::from('-'))]);
                break;
            }
            match (low, self.set_member()?) {
                (Item::Literal(low), Item::Literal(high)) if low <= high => {
                    items.push(Item::Range(low, high));
                }
                _ => return Err(CompileError::Invalid("bad character range")),
            }
        }
        if self.python == Python::Three {
            // Of a set such as `[aa]`, Python 3 makes a literal.
            items.dedup();
        }
        Ok(match (items.as_slice(), negated) {
            ([Item::Literal(c)], false) => Node::Literal(*c),
            ([Item::Literal(c)], true) => Node::NotLiteral(*c),
            _ => Node::Set(Box::new(SetSyntax { negated, items })),
        })
    }

    fn set_member(&mut self) -> Result<Item, CompileError> {
        match self.scan.take()? {
            None => Err(CompileError::Invalid("unexpected end of regular expression")),
            Some(Token::Escape(c)) => self.set_escape(c),
            Some(Token::Char(c)) => Ok(Item::Literal(c)),
        }
    }
}
