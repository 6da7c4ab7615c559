//! Backslash escapes: `_escape` and `_class_escape` of sre_parse.

use super::CompileError;
use super::parse::{DIGITS, HEX, OCTAL, Parser};
use super::scan::char_of;
use super::syntax::{Category, Item, Node, Place, SetSyntax};
use crate::python::Python;

const BAD_ESCAPE: CompileError = CompileError::Invalid("bogus escape");
const OPEN_GROUP: CompileError = CompileError::Invalid("cannot refer to open group");

impl Parser<'_> {
    /// The escape `\c` outside a set.
    pub(super) fn escape(&mut self, c: u32) -> Result<Node, CompileError> {
        let char = char_of(c);
        if let Some(place) = place(char) {
            return Ok(Node::Place(place));
        }
        if let Some(item) = category(char) {
            return Ok(Node::Set(Box::new(SetSyntax { negated: false, items: vec![item] })));
        }
        if let Some(control) = control(char) {
            return Ok(Node::Literal(control));
        }
        if char == '0' {
            return self.octal(char, 3).map(Node::Literal);
        }
        if char.is_ascii_digit() {
            return self.digit_escape(char);
        }
        self.letter_escape(c).map(Node::Literal)
    }

    /// The escape `\c` inside a set.
    pub(super) fn set_escape(&mut self, c: u32) -> Result<Item, CompileError> {
        let char = char_of(c);
        if let Some(control) = control(char) {
            return Ok(Item::Literal(control));
        }
        if let Some(item) = category(char) {
            return Ok(item);
        }
        if OCTAL.contains(char) {
            return self.octal(char, 3).map(Item::Literal);
        }
        if char.is_ascii_digit() {
            return Err(BAD_ESCAPE);
        }
        self.letter_escape(c).map(Item::Literal)
    }

    /// Escapes that mean the same inside sets and outside them.
    fn letter_escape(&mut self, c: u32) -> Result<u32, CompileError> {
        let char = char_of(c);
        match (char, self.python) {
            ('x', _) => self.hex(2),
            ('u', Python::Three) if self.text => self.hex(4),
            ('U', Python::Three) if self.text => {
                self.hex(8).and_then(|c| if c > 0x10_ffff { Err(BAD_ESCAPE) } else { Ok(c) })
            }
            ('N', Python::Three) if self.text => self.named_character(),
            (_, Python::Three) if char.is_ascii_alphabetic() => Err(BAD_ESCAPE),
            _ => Ok(c),
        }
    }

    fn hex(&mut self, digits: usize) -> Result<u32, CompileError> {
        let mut text = String::new();
        self.scan.take_while(&mut text, HEX, digits)?;
        if text.len() != digits {
            return Err(BAD_ESCAPE);
        }
        u32::from_str_radix(&text, 16).map_err(|_| BAD_ESCAPE)
    }

    /// `\N{NAME}`. There is no table of the 140,000 names here.
    fn named_character(&mut self) -> Result<u32, CompileError> {
        if !self.scan.eat('{')? {
            return Err(CompileError::Invalid("missing {"));
        }
        self.scan.take_until('}')?;
        Err(CompileError::Crash("\\N{...} is not supported here"))
    }

    /// An octal number that begins with the digit `first`.
    fn octal(&mut self, first: char, digits: usize) -> Result<u32, CompileError> {
        let mut text = String::from(first);
        self.scan.take_while(&mut text, OCTAL, digits)?;
        self.octal_value(&text)
    }

    /// Python 2 cuts octal numbers to a byte, Python 3 refuses larger ones.
    fn octal_value(&self, digits: &str) -> Result<u32, CompileError> {
        let value = u32::from_str_radix(digits, 8).map_err(|_| BAD_ESCAPE)?;
        match self.python {
            Python::Two => Ok(value & 0xff),
            Python::Three if value > 0xff => {
                Err(CompileError::Invalid("octal escape value outside of range 0-0o377"))
            }
            Python::Three => Ok(value),
        }
    }

    /// `\1` to `\99` refer to groups, but three octal digits are a character.
    fn digit_escape(&mut self, first: char) -> Result<Node, CompileError> {
        let mut text = String::from(first);
        self.scan.take_while(&mut text, DIGITS, 2)?;
        if text.len() == 2 && text.chars().all(|c| OCTAL.contains(c)) {
            self.scan.take_while(&mut text, OCTAL, 3)?;
            if text.len() == 3 {
                return self.octal_value(&text).map(Node::Literal);
            }
        }
        let group: u32 = text.parse().map_err(|_| BAD_ESCAPE)?;
        match self.groups.get(group as usize) {
            None => Err(BAD_ESCAPE),
            Some(None) => Err(OPEN_GROUP),
            Some(Some(_)) => {
                self.check_look_behind_group(group)?;
                Ok(Node::BackReference(group))
            }
        }
    }

    /// Python 3: a look-behind may refer to groups closed before it only.
    pub(super) fn check_look_behind_group(&self, group: u32) -> Result<(), CompileError> {
        let Some(groups_before) = self.look_behind_from else { return Ok(()) };
        if self.groups.get(group as usize).copied().flatten().is_none() {
            return Err(OPEN_GROUP);
        }
        if group as usize >= groups_before {
            return Err(CompileError::Invalid(
                "cannot refer to group defined in the same lookbehind subpattern",
            ));
        }
        Ok(())
    }
}

fn place(char: char) -> Option<Place> {
    Some(match char {
        'A' => Place::BeginOfString,
        'b' => Place::Boundary,
        'B' => Place::NotBoundary,
        'Z' => Place::EndOfString,
        _ => return None,
    })
}

fn category(char: char) -> Option<Item> {
    let category = match char.to_ascii_lowercase() {
        'd' => Category::Digit,
        's' => Category::Space,
        'w' => Category::Word,
        _ => return None,
    };
    Some(Item::Category { category, negated: char.is_ascii_uppercase() })
}

fn control(char: char) -> Option<u32> {
    Some(match char {
        'a' => 7,
        'b' => 8,
        't' => 9,
        'n' => 10,
        'v' => 11,
        'f' => 12,
        'r' => 13,
        '\\' => 92,
        _ => return None,
    })
}
