//! Python's tokens, a logical line at a time.

use super::SyntaxError;
use crate::limits::MM_CFG_DEPTH;
use crate::python::Python;

/// A word, number, string or operator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// An identifier or keyword.
    Name(&'a str),
    /// A number as it is written.
    Number(&'a str),
    /// A string literal: its prefix, and what stands between its quotes.
    Str { prefix: &'a str, body: &'a [u8] },
    /// An operator, bracket or delimiter.
    Op(&'a str),
}

impl Token<'_> {
    pub(super) fn is_op(&self, op: &str) -> bool {
        matches!(self, Token::Op(found) if *found == op)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self, Token::Name(found) if *found == name)
    }
}

/// A logical line: everything up to a newline that is in no bracket, string or continuation.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// The physical line on which it begins, counted from 1.
    pub(super) number: usize,
    /// The column of its first token, tabs filling up to a multiple of 8.
    pub(super) indent: usize,
    pub(super) tokens: Vec<Token<'a>>,
}

/// Operators of both Pythons, longest first. A backtick quotes an expression in Python 2.
const OPERATORS: [&str; 49] = [
    "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<>", "!=", "==", "<=", ">=", "+=",
    "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "->", ":=", "+", "-", "*", "/", "%", "&", "|",
    "^", "~", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "=", "@", "`",
];

pub(super) struct Tokenizer<'a> {
    source: &'a [u8],
    position: usize,
    line: usize,
    python: Python,
    /// The closing brackets that are awaited.
    brackets: Vec<&'static str>,
}

impl<'a> Tokenizer<'a> {
    pub(super) fn new(source: &'a [u8], python: Python) -> Self {
        Self { source, position: 0, line: 1, python, brackets: Vec::new() }
    }

    /// The next logical line that is not empty; None at the end of the file.
    pub(super) fn next_line(&mut self) -> Result<Option<Line<'a>>, SyntaxError> {
        let (mut indent, mut number, mut tokens) = (self.skip_indent(), self.line, Vec::new());
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\x0c' => self.position += 1,
                b'#' => self.skip_comment(),
                b'\\' => self.skip_continuation()?,
                b'\n' => {
                    self.position += 1;
                    self.line += 1;
                    if self.brackets.is_empty() {
                        if !tokens.is_empty() {
                            return Ok(Some(Line { number, indent, tokens }));
                        }
                        (indent, number) = (self.skip_indent(), self.line);
                    }
                }
                _ => tokens.push(self.token(byte)?),
            }
        }
        if !self.brackets.is_empty() {
            return Err(self.error("bracket never closed"));
        }
        Ok((!tokens.is_empty()).then_some(Line { number, indent, tokens }))
    }

    fn error(&self, reason: &'static str) -> SyntaxError {
        SyntaxError { line: self.line, reason }
    }

    fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.position + ahead).copied()
    }

    fn skip_indent(&mut self) -> usize {
        let mut column = 0;
        while let Some(byte) = self.peek() {
            column = match byte {
                b' ' => column + 1,
                b'\t' => (column / 8 + 1) * 8,
                b'\x0c' => 0,
                _ => break,
            };
            self.position += 1;
        }
        column
    }

    fn skip_comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.position += 1;
        }
    }

    fn skip_continuation(&mut self) -> Result<(), SyntaxError> {
        if self.peek_at(1) != Some(b'\n') {
            return Err(self.error("backslash within a line"));
        }
        self.position += 2;
        self.line += 1;
        Ok(())
    }

    fn token(&mut self, first: u8) -> Result<Token<'a>, SyntaxError> {
        if first.is_ascii_alphabetic() || first == b'_' {
            let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return match self.peek() {
                Some(quote @ (b'"' | b'\'')) if is_string_prefix(name, self.python) => {
                    self.string(name, quote)
                }
                Some(byte) if !byte.is_ascii() => Err(self.error("name that is not ASCII")),
                _ => Ok(Token::Name(name)),
            };
        }
        let starts_fraction = first == b'.' && self.peek_at(1).is_some_and(|b| b.is_ascii_digit());
        if first.is_ascii_digit() || starts_fraction {
            return Ok(self.number());
        }
        if matches!(first, b'"' | b'\'') {
            return self.string("", first);
        }
        self.operator()
    }

    /// Bytes from here on that are `wanted`, which must be ASCII.
    fn take_while(&mut self, wanted: fn(u8) -> bool) -> &'a str {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii() && wanted(byte)) {
            self.position += 1;
        }
        self.text_since(start)
    }

    fn text_since(&self, start: usize) -> &'a str {
        let bytes = self.source.get(start..self.position).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// A number ends where its syntax does: `1or 2` is three tokens.
    fn number(&mut self) -> Token<'a> {
        let start = self.position;
        let is_other_base = self.peek() == Some(b'0')
            && self.peek_at(1).is_some_and(|byte| b"xXoObB".contains(&byte));
        if is_other_base {
            let is_hexadecimal = self.peek_at(1).is_some_and(|byte| b"xX".contains(&byte));
            self.position += 2;
            self.take_while(if is_hexadecimal { is_hexadecimal_part } else { is_decimal_part });
        } else {
            self.take_while(is_decimal_part);
            if self.peek() == Some(b'.') {
                self.position += 1;
                self.take_while(is_decimal_part);
            }
            self.skip_exponent();
        }
        if self.peek().is_some_and(|byte| b"lLjJ".contains(&byte)) {
            self.position += 1;
        }
        Token::Number(self.text_since(start))
    }

    fn skip_exponent(&mut self) {
        let has_sign = self.peek_at(1).is_some_and(|byte| b"+-".contains(&byte));
        let digits_at = if has_sign { 2 } else { 1 };
        let is_exponent = self.peek().is_some_and(|byte| b"eE".contains(&byte))
            && self.peek_at(digits_at).is_some_and(|byte| byte.is_ascii_digit());
        if is_exponent {
            self.position += digits_at;
            self.take_while(is_decimal_part);
        }
    }

    fn operator(&mut self) -> Result<Token<'a>, SyntaxError> {
        let rest = self.source.get(self.position..).unwrap_or_default();
        let Some(op) = OPERATORS.into_iter().find(|op| rest.starts_with(op.as_bytes())) else {
            return Err(self.error("character that begins no token"));
        };
        self.position += op.len();
        match op {
            "(" => self.brackets.push(")"),
            "[" => self.brackets.push("]"),
            "{" => self.brackets.push("}"),
            ")" | "]" | "}" if self.brackets.pop() != Some(op) => {
                return Err(self.error("bracket closed that was not open"));
            }
            _ => {}
        }
        if self.brackets.len() > MM_CFG_DEPTH {
            return Err(self.error("brackets nested too deeply"));
        }
        Ok(Token::Op(op))
    }

    /// A string literal from its opening quote on.
    fn string(&mut self, prefix: &'a str, quote: u8) -> Result<Token<'a>, SyntaxError> {
        let is_triple = self.peek_at(1) == Some(quote) && self.peek_at(2) == Some(quote);
        let quotes = if is_triple { 3 } else { 1 };
        self.position += quotes;
        let start = self.position;
        while let Some(byte) = self.peek() {
            if byte == quote && (1..quotes).all(|ahead| self.peek_at(ahead) == Some(quote)) {
                let body = self.source.get(start..self.position).unwrap_or_default();
                self.position += quotes;
                return Ok(Token::Str { prefix, body });
            }
            if byte == b'\n' && !is_triple {
                break;
            }
            if byte == b'\\' {
                self.position += 1;
            }
            self.line += usize::from(self.peek() == Some(b'\n'));
            self.position += 1;
        }
        Err(self.error("string literal never closed"))
    }
}

fn is_decimal_part(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

fn is_hexadecimal_part(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b'_'
}

fn is_string_prefix(name: &str, python: Python) -> bool {
    let prefixes: &[&str] = match python {
        Python::Two => &["r", "u", "b", "ur", "br"],
        Python::Three => &["r", "u", "b", "br", "rb", "f", "fr", "rf"],
    };
    prefixes.iter().any(|prefix| name.eq_ignore_ascii_case(prefix))
}
