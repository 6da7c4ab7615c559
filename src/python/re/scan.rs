//! The tokens of a pattern: `Tokenizer` of sre_parse.

use super::CompileError;

/// A character, or a backslash and the character after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Char(u32),
    Escape(u32),
}

impl Token {
    /// The unescaped character, for comparing with those that mean something in patterns.
    pub(super) fn as_char(self) -> Option<char> {
        match self {
            Token::Char(c) => Some(char_of(c)),
            Token::Escape(_) => None,
        }
    }
}

/// The character of a code point; surrogates become one that means nothing in patterns.
pub(super) fn char_of(point: u32) -> char {
    char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Where the scanner stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    index: usize,
    next: Option<Token>,
}

/// Reads tokens with one of them ahead, so that a lone backslash at the end is an error as soon
/// as the token before it is taken.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pattern: &'a [u32],
    position: Position,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(pattern: &'a [u32]) -> Result<Self, CompileError> {
        let mut scanner = Scanner { pattern, position: Position { index: 0, next: None } };
        scanner.advance()?;
        Ok(scanner)
    }

    fn advance(&mut self) -> Result<(), CompileError> {
        let index = self.position.index;
        let (next, length) = match self.pattern.get(index) {
            None => (None, 0),
            Some(&c) if c == u32::from('\\') => match self.pattern.get(index + 1) {
                None => return Err(CompileError::Invalid("bogus escape (end of line)")),
                Some(&escaped) => (Some(Token::Escape(escaped)), 2),
            },
            Some(&c) => (Some(Token::Char(c)), 1),
        };
        self.position = Position { index: index + length, next };
        Ok(())
    }

    /// The next token, left in place.
    pub(super) fn peek(&self) -> Option<Token> {
        self.position.next
    }

    /// The next token if it is an unescaped character.
    pub(super) fn peek_char(&self) -> Option<char> {
        self.position.next.and_then(Token::as_char)
    }

    /// The next token if it is one of these characters.
    pub(super) fn peek_one_of(&self, set: &str) -> Option<char> {
        self.peek_char().filter(|c| set.contains(*c))
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Result<Option<Token>, CompileError> {
        let token = self.position.next;
        self.advance()?;
        Ok(token)
    }

    /// Takes the next token if it is this character.
    pub(super) fn eat(&mut self, wanted: char) -> Result<bool, CompileError> {
        let found = self.peek_char() == Some(wanted);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Takes characters of `set` while `text` has fewer than `max` characters.
    pub(super) fn take_while(
        &mut self,
        text: &mut String,
        set: &str,
        max: usize,
    ) -> Result<(), CompileError> {
        while text.len() < max {
            let Some(c) = self.peek_one_of(set) else { break };
            text.push(c);
            self.advance()?;
        }
        Ok(())
    }

    /// Everything up to `end`, which is taken too; escapes are not interpreted.
    pub(super) fn take_until(&mut self, end: char) -> Result<Vec<u32>, CompileError> {
        let mut text = Vec::new();
        loop {
            match self.take()? {
                None => return Err(CompileError::Invalid("unterminated name")),
                Some(Token::Char(c)) if c == u32::from(end) => break,
                Some(Token::Char(c)) => text.push(c),
                Some(Token::Escape(c)) => text.extend([u32::from('\\'), c]),
            }
        }
        if text.is_empty() {
            return Err(CompileError::Invalid("missing group name"));
        }
        Ok(text)
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    pub(super) fn rewind(&mut self, position: Position) {
        self.position = position;
    }
}
