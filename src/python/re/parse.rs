//! The pattern parser: `sre_parse` of Python 2.7, `re._parser` of Python 3.11.
//!
//! What both have in common is here; escapes and groups, where they differ most, are in
//! [`mod@super::escape`], [`super::group`] and [`super::group3`].

use std::collections::HashMap;

use super::CompileError;
use super::group::{NO_GROUP, UNCLOSED};
use super::join::{join_alternatives, spliced};
use super::scan::{Scanner, Token};
use super::syntax::{Conditional, Group, Look, Modes, Node, Sequence, Width, width};
use crate::limits;
use crate::python::Python;

pub(super) const DIGITS: &str = "0123456789";
pub(super) const OCTAL: &str = "01234567";
pub(super) const HEX: &str = "0123456789abcdefABCDEF";
/// White space that `(?x)` skips and that Python strips around numbers.
pub(super) const BLANKS: &str = " \t\n\r\x0b\x0c";

/// Groups that Python 2.7 allows, group 0 included.
const PYTHON2_GROUPS: usize = 100;
const INVALID_CODE: CompileError = CompileError::Crash("RuntimeError: invalid SRE code");
const TOO_DEEP: CompileError =
    CompileError::Crash("RuntimeError: maximum recursion depth exceeded");

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
    let nodes = parser.nodes()?;
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
    /// One of 2^31 characters or more was seen: `_sre` of 2.7 refuses that as it checks the code.
    pub(super) wide_look_behind: bool,
    pub(super) has_repeat: bool,
}

/// What an opening parenthesis began.
#[derive(Debug, Clone, Copy)]
pub(super) enum Opening {
    /// The pattern itself.
    Pattern,
    /// A capturing group and its number.
    Capturing(u32),
    /// A group with flags of its own, or just a group.
    Plain {
        add: Modes,
        remove: Modes,
        outer_verbose: bool,
    },
    Look {
        behind: bool,
        negated: bool,
        outer_look_behind: Option<usize>,
    },
    Atomic,
    Conditional {
        group: u32,
    },
}

/// What the parser makes of a parenthesis and what follows it up to a group's content.
#[derive(Debug)]
pub(super) enum Start {
    Opens(Opening),
    Complete(Node),
    /// A comment, or flags.
    Nothing,
}

/// A group that is still open.
#[derive(Debug)]
struct Level {
    opening: Opening,
    /// Its alternatives so far.
    alternatives: Vec<Sequence>,
    /// The alternative at hand.
    nodes: Sequence,
}

impl Level {
    fn new(opening: Opening) -> Level {
        Level { opening, alternatives: Vec::new(), nodes: Sequence::new() }
    }
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
            wide_look_behind: false,
            has_repeat: false,
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
        // In a pattern without groups `_sre` of 2.7 checks against the most there can be.
        let highest = match self.groups.len() - 1 {
            0 => PYTHON2_GROUPS,
            groups => groups,
        };
        if self.highest_condition as usize > highest {
            return Err(INVALID_CODE);
        }
        if self.wide_look_behind {
            return Err(INVALID_CODE);
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

    /// The whole pattern, up to a parenthesis that closes nothing. (`_parse_sub` and `_parse`,
    /// without their recursion, but with the limit that Python's recursion has.)
    fn nodes(&mut self) -> Result<Sequence, CompileError> {
        let mut outer: Vec<Level> = Vec::new();
        let mut level = Level::new(Opening::Pattern);
        loop {
            match self.scan.peek().map(|token| (token, token.as_char())) {
                None if outer.is_empty() => return Ok(self.joined(level)),
                None => return Err(UNCLOSED),
                Some((_, Some('|'))) => self.alternative(&mut level)?,
                Some((_, Some(')'))) => {
                    let Some(mut parent) = outer.pop() else { return Ok(self.joined(level)) };
                    self.scan.take()?;
                    let node = self.close(level);
                    parent.nodes.push(node);
                    level = parent;
                }
                Some((_, Some('('))) => {
                    self.scan.take()?;
                    let first =
                        outer.is_empty() && level.alternatives.is_empty() && level.nodes.is_empty();
                    match self.parenthesis(first)? {
                        Start::Nothing => {}
                        Start::Complete(node) => level.nodes.push(node),
                        Start::Opens(opening) => {
                            outer.push(std::mem::replace(&mut level, Level::new(opening)));
                            if outer.len() > limits::PATTERN_DEPTH {
                                return Err(TOO_DEEP);
                            }
                        }
                    }
                }
                Some((token, _)) => {
                    self.scan.take()?;
                    self.item(token, &mut level.nodes)?;
                }
            }
        }
    }

    /// `first`: at the very start of the pattern, where Python 3 allows global flags.
    fn parenthesis(&mut self, first: bool) -> Result<Start, CompileError> {
        match self.python {
            Python::Two => self.group2(),
            Python::Three => self.group3(first),
        }
    }

    /// A `|`.
    fn alternative(&mut self, level: &mut Level) -> Result<(), CompileError> {
        self.scan.take()?;
        if matches!(level.opening, Opening::Conditional { .. }) && !level.alternatives.is_empty() {
            return Err(CompileError::Invalid("conditional backref with more than two branches"));
        }
        let nodes = self.finished(std::mem::take(&mut level.nodes));
        level.alternatives.push(nodes);
        Ok(())
    }

    /// A sequence whose last node is parsed.
    fn finished(&self, nodes: Sequence) -> Sequence {
        match self.python {
            Python::Two => nodes,
            Python::Three => spliced(nodes),
        }
    }

    /// The alternatives of a level as one sequence.
    fn joined(&self, level: Level) -> Sequence {
        let last = self.finished(level.nodes);
        if level.alternatives.is_empty() {
            return last;
        }
        let mut alternatives = level.alternatives;
        alternatives.push(last);
        join_alternatives(alternatives, self.python)
    }

    /// The node of a group whose closing parenthesis was taken.
    fn close(&mut self, level: Level) -> Node {
        match level.opening {
            Opening::Conditional { group } => self.close_conditional(group, level),
            Opening::Atomic => Node::Atomic(self.joined(level)),
            Opening::Look { behind, negated, outer_look_behind } => {
                self.look_behind_from = outer_look_behind;
                let body = self.joined(level);
                self.look(behind, negated, body)
            }
            Opening::Capturing(index) => {
                let body = self.joined(level);
                let width = self.width(&body);
                if let Some(group) = self.groups.get_mut(index as usize) {
                    *group = Some(width);
                }
                let (add, remove) = (Modes::NONE, Modes::NONE);
                Node::Group(Box::new(Group { index: Some(index), add, remove, body, width }))
            }
            Opening::Plain { add, remove, outer_verbose } => {
                if self.python == Python::Three {
                    self.verbose = outer_verbose;
                }
                let body = self.joined(level);
                let width = self.width(&body);
                Node::Group(Box::new(Group { index: None, add, remove, body, width }))
            }
            // Never closed.
            Opening::Pattern => Node::Branch(vec![self.joined(level)]),
        }
    }

    fn close_conditional(&self, group: u32, level: Level) -> Node {
        let last = self.finished(level.nodes);
        let (yes, no) = match level.alternatives.into_iter().next() {
            Some(yes) => (yes, last),
            None => (last, Sequence::new()),
        };
        Node::Conditional(Box::new(Conditional { group, yes, no }))
    }

    /// A look ahead or behind; a bad width is kept for the end, where Python finds it.
    fn look(&mut self, behind: bool, negated: bool, body: Sequence) -> Node {
        let mut back = 0;
        if behind {
            let width = self.width(&body);
            self.bad_look_behind |= width.min != width.max || width.min > u64::from(u32::MAX);
            self.wide_look_behind |= width.min > i32::MAX as u64;
            back = width.min;
        }
        Node::Look(Box::new(Look { back, negated, body }))
    }
}
