//! The pattern parser: `sre_parse` of Python 2.7, `re._parser` of Python 3.11.
//!
//! What both have in common is here; escapes and groups, where they differ most, are in
//! [`super::escape`], [`super::group`] and [`super::group3`].

use std::collections::HashMap;

use super::CompileError;
use super::group::NO_GROUP;
use super::scan::{Scanner, Token, char_of};
use super::syntax::{
    Greed, Group, Item, Modes, Node, Repeat, Sequence, SetSyntax, UNLIMITED, Width, width,
};
use crate::limits;
use crate::python::Python;

pub(super) const DIGITS: &str = "0123456789";
pub(super) const OCTAL: &str = "01234567";
pub(super) const HEX: &str = "0123456789abcdefABCDEF";
/// White space that `(?x)` skips and that Python strips around numbers.
pub(super) const BLANKS: &str = " \t\n\r\x0b\x0c";

/// Groups that Python 2.7 allows, group 0 included.
const PYTHON2_GROUPS: usize = 100;
/// Digits that `int()` of Python 3.11 reads before it raises ValueError.
const PYTHON3_INT_DIGITS: usize = 4300;
/// Longest non-capturing group whose content joins the sequence around it.
const SPLICED_NODES: usize = 16;

/// A whole pattern, parsed.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The flags given and those the pattern itself sets for all of it.
    pub(super) modes: Modes,
    pub(super) nodes: Sequence,
    /// Capturing groups, group 0 included.
    pub(super) groups: usize,
    pub(super) width: Width,
}

/// Parses `pattern`. `text` says that it is text, not bytes: to Python 3 that matters.
pub(super) fn parse(
    pattern: &[u32],
    text: bool,
    modes: Modes,
    python: Python,
) -> Result<Parsed, CompileError> {
    if pattern.len() > limits::PATTERN_CHARACTERS {
        return Err(CompileError::Crash("pattern too long"));
    }
    let mut parser = Parser::new(pattern, text, modes, python)?;
    let nodes = parser.alternatives(true)?;
    match python {
        Python::Two => parser.finish2(pattern, modes, nodes),
        Python::Three => parser.finish3(nodes),
    }
}

/// The state of the parser.
pub(super) struct Parser<'a> {
    pub(super) scan: Scanner<'a>,
    pub(super) python: Python,
    pub(super) text: bool,
    pub(super) modes: Modes,
    /// Whether white space and comments are skipped here.
    pub(super) verbose: bool,
    /// Width of each group by number; none while it is open. Group 0 is never closed.
    pub(super) groups: Vec<Option<Width>>,
    pub(super) names: HashMap<Vec<u32>, u32>,
    /// Number of groups when the outermost look-behind that is open began.
    pub(super) look_behind_from: Option<usize>,
    /// The highest group asked for by a conditional's number.
    pub(super) highest_condition: u32,
    /// A look-behind of varying width was seen: Python finds out after parsing.
    pub(super) bad_look_behind: bool,
    has_repeat: bool,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(
        pattern: &'a [u32],
        text: bool,
        modes: Modes,
        python: Python,
    ) -> Result<Self, CompileError> {
        Ok(Parser {
            scan: Scanner::new(pattern)?,
            python,
            text,
            modes,
            verbose: modes.has(Modes::VERBOSE),
            groups: vec![None],
            names: HashMap::new(),
            look_behind_from: None,
            highest_condition: 0,
            bad_look_behind: false,
            has_repeat: false,
            depth: 0,
        })
    }

    /// What `sre_parse.parse` and `sre_compile.compile` of 2.7 check at the end, in their order.
    fn finish2(
        mut self,
        pattern: &[u32],
        given: Modes,
        nodes: Sequence,
    ) -> Result<Parsed, CompileError> {
        match self.scan.take()? {
            None => {}
            Some(Token::Char(c)) if c == u32::from(')') => {
                return Err(CompileError::Invalid("unbalanced parenthesis"));
            }
            Some(_) => {
                return Err(CompileError::Invalid("bogus characters at end of regular expression"));
            }
        }
        if self.modes.has(Modes::VERBOSE) && !given.has(Modes::VERBOSE) {
            // `(?x)` counts from the pattern's start, so Python parses it again.
            return parse(pattern, self.text, self.modes, self.python);
        }
        self.check_compilable()?;
        if self.groups.len() > PYTHON2_GROUPS {
            return Err(CompileError::Crash("AssertionError: more than 100 groups"));
        }
        if self.highest_condition == NO_GROUP {
            return Err(CompileError::Crash("OverflowError: regular expression code size limit"));
        }
        // In a pattern without groups Python 2.7 lets a conditional ask for any.
        if self.groups.len() > 1 && self.highest_condition as usize >= self.groups.len() {
            return Err(CompileError::Crash("RuntimeError: invalid SRE code"));
        }
        Ok(self.into_parsed(nodes))
    }

    /// The same of 3.11.
    fn finish3(mut self, nodes: Sequence) -> Result<Parsed, CompileError> {
        if self.text {
            if !self.modes.has(Modes::ASCII) {
                self.modes = self.modes.with(Modes::UNICODE);
            } else if self.modes.has(Modes::UNICODE) {
                return Err(CompileError::Crash("ValueError: ASCII and UNICODE"));
            }
        } else if self.modes.has(Modes::LOCALE) && self.modes.has(Modes::ASCII) {
            return Err(CompileError::Crash("ValueError: ASCII and LOCALE"));
        }
        if self.scan.peek().is_some() {
            return Err(CompileError::Invalid("unbalanced parenthesis"));
        }
        if self.highest_condition as usize >= self.groups.len() {
            return Err(CompileError::Invalid("invalid group reference"));
        }
        self.check_compilable()?;
        Ok(self.into_parsed(nodes))
    }

    fn check_compilable(&self) -> Result<(), CompileError> {
        if self.bad_look_behind {
            return Err(CompileError::Invalid("look-behind requires fixed-width pattern"));
        }
        if self.has_repeat && self.modes.has(Modes::TEMPLATE) {
            return Err(CompileError::Invalid("internal: unsupported template operator"));
        }
        Ok(())
    }

    fn into_parsed(self, nodes: Sequence) -> Parsed {
        let width = self.width(&nodes);
        Parsed { modes: self.modes, nodes, groups: self.groups.len(), width }
    }

    pub(super) fn width(&self, nodes: &[Node]) -> Width {
        width(nodes, &self.groups, self.python)
    }

    /// `_parse_sub` inside a group. Python's own recursion limit ends it.
    pub(super) fn nested_alternatives(&mut self) -> Result<Sequence, CompileError> {
        self.nested(|parser| parser.alternatives(false))
    }

    /// `_parse` inside a conditional.
    pub(super) fn nested_sequence(&mut self) -> Result<Sequence, CompileError> {
        self.nested(|parser| parser.sequence(false))
    }

    fn nested(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<Sequence, CompileError>,
    ) -> Result<Sequence, CompileError> {
        if self.depth >= limits::PATTERN_DEPTH {
            return Err(CompileError::Crash("RuntimeError: maximum recursion depth exceeded"));
        }
        self.depth += 1;
        let sequence = parse(self)?;
        self.depth -= 1;
        Ok(sequence)
    }

    fn alternatives(&mut self, top: bool) -> Result<Sequence, CompileError> {
        let first = self.sequence(top)?;
        if self.scan.peek_char() != Some('|') {
            return Ok(first);
        }
        let mut alternatives = vec![first];
        while self.scan.eat('|')? {
            alternatives.push(self.sequence(false)?);
        }
        Ok(join_alternatives(alternatives, self.python))
    }

    /// `_parse`. `first`: at the very start of the pattern, where Python 3 allows global flags.
    fn sequence(&mut self, first: bool) -> Result<Sequence, CompileError> {
        let mut nodes = Sequence::new();
        while let Some(token) = self.scan.peek() {
            if matches!(token.as_char(), Some('|' | ')')) {
                break;
            }
            self.scan.take()?;
            match token {
                Token::Escape(c) => {
                    let node = self.escape(c)?;
                    nodes.push(node);
                }
                Token::Char(c) => self.item(c, first, &mut nodes)?,
            }
        }
        if self.python == Python::Three {
            nodes = spliced(nodes);
        }
        Ok(nodes)
    }

    /// One construct that begins with the unescaped character `c`.
    fn item(&mut self, c: u32, first: bool, nodes: &mut Sequence) -> Result<(), CompileError> {
        let char = char_of(c);
        if self.verbose && self.skip_blank(char)? {
            return Ok(());
        }
        let node = match char {
            '[' => self.set()?,
            '*' | '+' | '?' | '{' => return self.repeat(char, nodes),
            '.' => Node::Any,
            '^' => Node::Place(super::syntax::Place::Begin),
            '$' => Node::Place(super::syntax::Place::End),
            '(' => {
                let global_flags_allowed = first && nodes.is_empty();
                let node = match self.python {
                    Python::Two => self.group2()?,
                    Python::Three => self.group3(global_flags_allowed)?,
                };
                nodes.extend(node);
                return Ok(());
            }
            _ => Node::Literal(c),
        };
        nodes.push(node);
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

/// Whether a group is no more than its content.
pub(super) fn is_transparent(group: &Group) -> bool {
    group.index.is_none() && group.add == Modes::NONE && group.remove == Modes::NONE
}

/// Python 3 puts the content of `(?:...)` in place of the group, so that alternatives and repeats
/// see it. Long contents stay where they are: it makes no difference to what is matched, and
/// moving them again at each level would take time quadratic in the pattern.
fn spliced(nodes: Sequence) -> Sequence {
    let splices = |group: &Group| is_transparent(group) && group.body.len() <= SPLICED_NODES;
    if !nodes.iter().any(|node| matches!(node, Node::Group(group) if splices(group))) {
        return nodes;
    }
    let mut out = Sequence::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Group(group) if splices(&group) => out.extend(group.body),
            node => out.push(node),
        }
    }
    out
}

/// Two or more alternatives as one sequence: what they begin with in common moves out, and an
/// alternation of single characters becomes a set.
fn join_alternatives(mut alternatives: Vec<Sequence>, python: Python) -> Sequence {
    let common = common_start(&alternatives);
    let mut joined = Sequence::new();
    for (i, alternative) in alternatives.iter_mut().enumerate() {
        let start = alternative.drain(..common);
        if i == 0 {
            joined.extend(start);
        }
    }
    joined.push(match merged_set(&alternatives, python) {
        Some(set) => Node::Set(Box::new(set)),
        None => Node::Branch(alternatives),
    });
    joined
}

/// How many first nodes all alternatives share.
fn common_start(alternatives: &[Sequence]) -> usize {
    let Some((first, others)) = alternatives.split_first() else { return 0 };
    first
        .iter()
        .enumerate()
        .take_while(|(i, node)| {
            node.is_plain() && others.iter().all(|other| other.get(*i) == Some(node))
        })
        .count()
}

/// The set that stands for alternatives of one character each.
fn merged_set(alternatives: &[Sequence], python: Python) -> Option<SetSyntax> {
    let mut items = Vec::new();
    for alternative in alternatives {
        match (alternative.as_slice(), python) {
            ([Node::Literal(c)], _) => items.push(Item::Literal(*c)),
            ([Node::Set(set)], Python::Three) if !set.negated => items.extend(&set.items),
            _ => return None,
        }
    }
    Some(SetSyntax { negated: false, items })
}
