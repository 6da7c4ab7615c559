//! `email.utils.getaddresses` and `parseaddr`, exactly.
//!
//! The rules are those of `AddrlistClass` in `email/_parseaddr.py` of Python 2.7.18 and 3.11.7.
//! Security patches that make `getaddresses` strict (3.13, and backports of 2023 and later) are
//! not followed. The parser works on bytes. Every character with a meaning is ASCII, so for
//! Python 3, whose strings are text, UTF-8 gives the same answer as text does.
//!
//! Time and memory are proportional to the length of the input: everything is read once, except
//! that a bare `local@domain` is read a second time from its start.

use std::fmt;

use super::{Python, text};
use crate::limits::ADDRESS_DEPTH;

/// One address, as the pair that Python's functions return. Both parts are empty for a piece
/// that could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mailbox {
    /// The display name, or the comments where there is none; encoded words are not decoded.
    pub name: Vec<u8>,
    /// The address, its case kept; any word if there was no `@`; empty if unparsable.
    pub address: Vec<u8>,
}

/// Groups and comments are nested so deeply that Python raises `RuntimeError`, or nearly so.
///
/// Python allows 1,000 frames: one for each open group and two for each open comment (a script
/// fails at 991 groups or 495 comments), less what its callers use. [`ADDRESS_DEPTH`] counts
/// frames the same way and leaves 90 to the callers, several times what Mailman has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooDeep;

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("groups or comments nested too deeply in an address header")
    }
}

impl std::error::Error for TooDeep {}

/// `email.utils.getaddresses(values)`: the values joined with `", "`, then parsed.
///
/// An empty joined value has no addresses; anything else has at least one, which may be empty.
///
/// # Errors
/// [`TooDeep`] where Python would raise `RuntimeError`; no address is known then.
pub fn getaddresses(values: &[&[u8]], python: Python) -> Result<Vec<Mailbox>, TooDeep> {
    match values {
        [value] => Parser::new(value, python).mailboxes(),
        _ => Parser::new(&values.join(&b", "[..]), python).mailboxes(),
    }
}

/// `email.utils.parseaddr(value)`: the first address, which is empty if there is none.
///
/// # Errors
/// [`TooDeep`], also if only what follows the first address is nested too deeply: Python parses
/// everything before it takes the first.
pub fn parseaddr(value: &[u8], python: Python) -> Result<Mailbox, TooDeep> {
    Ok(getaddresses(&[value], python)?.into_iter().next().unwrap_or_default())
}

/// `AddrlistClass.specials`.
const fn is_special(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'@' | b',' | b':' | b';' | b'.' | b'"' | b'[' | b']'
    )
}

/// `AddrlistClass.FWS`.
const fn is_folding_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `AddrlistClass.atomends`.
const fn ends_atom(byte: u8) -> bool {
    is_special(byte) || is_folding_blank(byte)
}

/// `AddrlistClass.phraseends`: a dot may be part of a phrase.
const fn ends_phrase(byte: u8) -> bool {
    byte != b'.' && ends_atom(byte)
}

/// Words put together with single spaces, and the first of them.
#[derive(Default)]
struct Words {
    joined: Vec<u8>,
    first_len: Option<usize>,
}

impl Words {
    fn push(&mut self, word: &[u8]) {
        if self.first_len.is_none() {
            self.first_len = Some(word.len());
        } else {
            self.joined.push(b' ');
        }
        self.joined.extend_from_slice(word);
    }

    fn is_empty(&self) -> bool {
        self.first_len.is_none()
    }

    fn into_first(mut self) -> Vec<u8> {
        self.joined.truncate(self.first_len.unwrap_or_default());
        self.joined
    }
}

/// The local part as far as it was read. Python keeps a list of its pieces and looks at the last.
#[derive(Default)]
struct LocalPart {
    bytes: Vec<u8>,
    last_piece: usize,
}

impl LocalPart {
    fn push(&mut self, piece: &[u8]) {
        self.last_piece = self.bytes.len();
        self.bytes.extend_from_slice(piece);
    }

    /// Python 3 drops the blanks it kept before a dot and at the end. Its test is `str.strip()`,
    /// so an atom of nothing but Unicode blanks goes too.
    fn drop_last_blank_piece(&mut self) {
        let last = self.bytes.get(self.last_piece..).unwrap_or_default();
        if text::is_blank_text(last) {
            self.bytes.truncate(self.last_piece);
            // What is before it is not looked at again until another piece has been added:
            // either a dot follows at once, or the local part has ended.
        }
    }
}

/// What [`Parser::address`] came upon.
enum Item {
    /// A complete address, or nothing that is one.
    Done,
    /// The colon of a group, whose members follow.
    GroupOpened,
}

struct Parser<'a> {
    input: &'a [u8],
    position: usize,
    python: Python,
    /// Comments of the address being read.
    comments: Words,
    open_groups: usize,
    mailboxes: Vec<Mailbox>,
}

impl<'a> Parser<'a> {
    fn new(input: &'a [u8], python: Python) -> Self {
        Self {
            input,
            position: 0,
            python,
            comments: Words::default(),
            open_groups: 0,
            mailboxes: Vec::new(),
        }
    }

    /// `getaddrlist`.
    fn mailboxes(mut self) -> Result<Vec<Mailbox>, TooDeep> {
        while self.peek().is_some() {
            let found_before = self.mailboxes.len();
            self.address_with_groups()?;
            if self.mailboxes.len() == found_before {
                self.mailboxes.push(Mailbox::default());
            }
        }
        Ok(self.mailboxes)
    }

    /// `getaddress`, whose recursion into groups is a count here.
    fn address_with_groups(&mut self) -> Result<(), TooDeep> {
        loop {
            match self.address()? {
                Item::Done => self.after_address()?,
                Item::GroupOpened => {
                    self.open_groups += 1;
                    self.check_depth(0)?;
                }
            }
            while self.open_groups > 0 && self.at_group_end()? {
                self.open_groups -= 1;
                self.after_address()?;
            }
            if self.open_groups == 0 {
                return Ok(());
            }
        }
    }

    /// One address up to, not including, the blanks and the comma after it.
    fn address(&mut self) -> Result<Item, TooDeep> {
        self.comments = Words::default();
        self.skip_blanks_and_comments()?;
        let start = self.position;
        let phrase = self.phrase()?;
        match self.peek() {
            Some(b'.' | b'@') => {
                // The comments of the first reading stay, so that they are doubled in the name.
                // Python means to reset them and restores the same list.
                self.position = start;
                let address = self.addr_spec()?;
                self.found_with_comments(address);
            }
            Some(b':') => {
                self.position += 1;
                return Ok(Item::GroupOpened);
            }
            Some(b'<') => {
                let address = self.route_addr()?;
                let name = self.phrase_and_comments(phrase);
                self.mailboxes.push(Mailbox { name, address });
            }
            _ if !phrase.is_empty() => self.found_with_comments(phrase.into_first()),
            Some(_) => self.position += 1,
            None => {}
        }
        Ok(Item::Done)
    }

    /// The end of [`Self::address`]: blanks, comments and one comma.
    fn after_address(&mut self) -> Result<(), TooDeep> {
        self.skip_blanks_and_comments()?;
        self.skip_if(b',');
        Ok(())
    }

    /// Whether the innermost group ends here: at `;`, or with the input.
    fn at_group_end(&mut self) -> Result<bool, TooDeep> {
        self.skip_blanks_and_comments()?;
        Ok(self.peek().is_none() || self.skip_if(b';'))
    }

    fn found_with_comments(&mut self, address: Vec<u8>) {
        let name = std::mem::take(&mut self.comments).joined;
        self.mailboxes.push(Mailbox { name, address });
    }

    fn phrase_and_comments(&mut self, phrase: Words) -> Vec<u8> {
        let mut name = phrase.joined;
        let comments = std::mem::take(&mut self.comments);
        if !comments.is_empty() {
            name.extend_from_slice(b" (");
            name.extend_from_slice(&comments.joined);
            name.push(b')');
        }
        name
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    fn skip_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn check_depth(&self, open_comments: usize) -> Result<(), TooDeep> {
        if self.open_groups + 2 * open_comments < ADDRESS_DEPTH { Ok(()) } else { Err(TooDeep) }
    }

    /// `gotonext`, its value unused.
    fn skip_blanks_and_comments(&mut self) -> Result<(), TooDeep> {
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => self.comment()?,
                _ if is_folding_blank(byte) => self.position += 1,
                _ => break,
            }
        }
        Ok(())
    }

    /// `gotonext` with its value: the spaces and tabs skipped.
    fn blanks_around_comments(&mut self) -> Result<Vec<u8>, TooDeep> {
        let mut blanks = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => self.comment()?,
                b' ' | b'\t' => {
                    blanks.push(byte);
                    self.position += 1;
                }
                b'\r' | b'\n' => self.position += 1,
                _ => break,
            }
        }
        Ok(blanks)
    }

    /// `getcomment`, on its parenthesis. What a nested comment holds becomes part of this one,
    /// without the parentheses.
    fn comment(&mut self) -> Result<(), TooDeep> {
        let (mut content, mut escaped, mut open_comments) = (Vec::new(), false, 0);
        while let Some(byte) = self.peek() {
            self.position += 1;
            match byte {
                _ if escaped => {
                    content.push(byte);
                    escaped = false;
                }
                b'(' => {
                    open_comments += 1;
                    self.check_depth(open_comments)?;
                }
                b')' | b'\r' => open_comments -= 1,
                b'\\' => escaped = true,
                _ => content.push(byte),
            }
            if open_comments == 0 {
                break;
            }
        }
        self.comments.push(&content);
        Ok(())
    }

    /// `getquote` and `getdomainliteral`, on the opening byte: what stands before `closing`, a
    /// CR or the end of the input, backslashes resolved.
    fn delimited(&mut self, closing: u8) -> Vec<u8> {
        let (mut content, mut escaped) = (Vec::new(), false);
        self.position += 1;
        while let Some(byte) = self.peek() {
            self.position += 1;
            match byte {
                _ if escaped => {
                    content.push(byte);
                    escaped = false;
                }
                b'\r' => break,
                _ if byte == closing => break,
                b'\\' => escaped = true,
                _ => content.push(byte),
            }
        }
        content
    }

    /// `getatom`: everything before a byte that ends it.
    fn atom(&mut self, is_end: fn(u8) -> bool) -> &'a [u8] {
        let rest = self.input.get(self.position..).unwrap_or_default();
        let len = rest.iter().position(|&byte| is_end(byte)).unwrap_or(rest.len());
        self.position += len;
        rest.get(..len).unwrap_or_default()
    }

    /// `getphraselist`, and the `gotonext` after it, which can add nothing.
    fn phrase(&mut self) -> Result<Words, TooDeep> {
        let mut words = Words::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => words.push(&self.delimited(b'"')),
                b'(' => self.comment()?,
                _ if is_folding_blank(byte) => self.position += 1,
                _ if ends_phrase(byte) => break,
                _ => words.push(self.atom(ends_phrase)),
            }
        }
        Ok(words)
    }

    /// `getrouteaddr`, on its `<`. Whatever byte follows the address is skipped unseen.
    fn route_addr(&mut self) -> Result<Vec<u8>, TooDeep> {
        let mut expect_route = false;
        self.position += 1;
        self.skip_blanks_and_comments()?;
        while let Some(byte) = self.peek() {
            if expect_route {
                self.domain()?;
                expect_route = false;
            } else {
                match byte {
                    b'>' => {
                        self.position += 1;
                        break;
                    }
                    b'@' => {
                        self.position += 1;
                        expect_route = true;
                    }
                    b':' => self.position += 1,
                    _ => {
                        let address = self.addr_spec()?;
                        self.position += 1;
                        return Ok(address);
                    }
                }
            }
            self.skip_blanks_and_comments()?;
        }
        Ok(Vec::new())
    }

    /// `getaddrspec`. Without an `@` it is the local part alone; with an `@` that no domain
    /// follows it is empty.
    fn addr_spec(&mut self) -> Result<Vec<u8>, TooDeep> {
        let mut address = self.local_part()?;
        if !self.skip_if(b'@') {
            return Ok(address);
        }
        self.skip_blanks_and_comments()?;
        let domain = self.domain()?;
        if domain.is_empty() {
            return Ok(domain);
        }
        address.push(b'@');
        address.extend_from_slice(&domain);
        Ok(address)
    }

    /// The part of `getaddrspec` before the `@`. Python 2 forgets blanks inside it, Python 3
    /// keeps those between two words.
    fn local_part(&mut self) -> Result<Vec<u8>, TooDeep> {
        let keeps_blanks = self.python == Python::Three;
        let mut local = LocalPart::default();
        self.skip_blanks_and_comments()?;
        while let Some(byte) = self.peek() {
            match byte {
                b'.' => {
                    if keeps_blanks {
                        local.drop_last_blank_piece();
                    }
                    local.push(b".");
                    self.position += 1;
                }
                b'"' => local.push(&quoted_again(&self.delimited(b'"'))),
                _ if ends_atom(byte) => {
                    if keeps_blanks {
                        local.drop_last_blank_piece();
                    }
                    break;
                }
                _ => local.push(self.atom(ends_atom)),
            }
            let blanks = self.blanks_around_comments()?;
            if keeps_blanks && byte != b'.' && !blanks.is_empty() {
                local.push(&blanks);
            }
        }
        Ok(local.bytes)
    }

    /// `getdomain`: empty if there is none, or if another `@` follows (which is left there).
    fn domain(&mut self) -> Result<Vec<u8>, TooDeep> {
        let mut domain = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' => self.position += 1,
                b'(' => self.comment()?,
                b'[' => {
                    domain.push(b'[');
                    domain.append(&mut self.delimited(b']'));
                    domain.push(b']');
                }
                b'.' => {
                    domain.push(b'.');
                    self.position += 1;
                }
                b'@' => return Ok(Vec::new()),
                _ if ends_atom(byte) => break,
                _ => domain.extend_from_slice(self.atom(ends_atom)),
            }
        }
        Ok(domain)
    }
}

/// `"%s" % quote(content)`: a quoted string written out again.
fn quoted_again(content: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(content.len() + 2);
    quoted.push(b'"');
    for &byte in content {
        if matches!(byte, b'\\' | b'"') {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted.push(b'"');
    quoted
}
