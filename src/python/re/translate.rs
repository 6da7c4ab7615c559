//! A parsed pattern written in the syntax of the `regex` crate.
//!
//! Every character class and case rule is written out by Python's own tables, so that only
//! structure is left to the other engine. What it cannot express makes no translation:
//! look-arounds, back-references, conditionals, possessive and atomic parts, and few others.

use super::budget::{Budget, OverBudget};
use super::case::{Repertoire, mappings};
use super::charset::{CharSet, Ranges, subtract};
use super::parse::Parsed;
use super::program::{
    PlaceTest, Test, group_modes, literal_set, literal_test, place_test, syntax_set,
};
use super::syntax::{Greed, Modes, Node, Repeat, Sequence, UNLIMITED, width};
use crate::limits;
use crate::python::Python;
use std::fmt::Write;

/// The characters that a subject is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// ASCII, be it bytes or text.
    Ascii,
    Bytes,
    /// Text, in UTF-8.
    Text,
}

impl Alphabet {
    fn top(self) -> u32 {
        match self {
            Alphabet::Ascii => 0x7f,
            Alphabet::Bytes => 0xff,
            Alphabet::Text => 0x10_ffff,
        }
    }
}

/// What a translation is good for. The subject must not be empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purpose {
    pub(super) alphabet: Alphabet,
    /// Whether the subject ends with a newline, before which `$` matches, too.
    pub(super) final_newline: bool,
    /// Whether a match must begin where the subject does.
    pub(super) anchored: bool,
}

/// Why there is no translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untranslatable {
    /// The other engine has no such construct, or it would become too large.
    Inexpressible,
    /// The budget is spent.
    OverBudget,
}

impl From<OverBudget> for Untranslatable {
    fn from(_: OverBudget) -> Self {
        Untranslatable::OverBudget
    }
}

use Untranslatable::Inexpressible;

/// A pattern of the `regex` crate.
#[derive(Debug)]
pub(super) struct Translation {
    pub(super) pattern: String,
    /// About how many states its automaton has.
    pub(super) weight: u64,
}

/// Steps for a node, for looking up a character in all of Unicode and for making a class of it.
const NODE_STEPS: u64 = 10;
const UNICODE_CHARACTER_STEPS: u64 = 300;
const UNICODE_CLASS_STEPS: u64 = 5_000;

/// Translates a pattern. The answers for `purpose` are then those of [`super::matcher`].
pub(super) fn translate(
    parsed: &Parsed,
    python: Python,
    purpose: Purpose,
    budget: &mut Budget,
) -> Result<Translation, Untranslatable> {
    if has_reference(&parsed.nodes) {
        return Err(Inexpressible);
    }
    let pattern = String::from(if purpose.anchored { "\\A(?:" } else { "(?:" });
    let mut writer = Writer { python, purpose, budget, pattern, weight: 0, factor: 1 };
    writer.sequence(&parsed.nodes, parsed.modes, true)?;
    writer.pattern.push(')');
    Ok(Translation { pattern: writer.pattern, weight: writer.weight })
}

struct Writer<'a> {
    python: Python,
    purpose: Purpose,
    budget: &'a mut Budget,
    pattern: String,
    weight: u64,
    /// How often the repeats around multiply what is written.
    factor: u64,
}

impl Writer<'_> {
    /// `tail`: nothing follows that must match.
    fn sequence(&mut self, nodes: &[Node], modes: Modes, tail: bool) -> Result<(), Untranslatable> {
        for (i, node) in nodes.iter().enumerate() {
            self.node(node, modes, tail && i + 1 == nodes.len())?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, modes: Modes, tail: bool) -> Result<(), Untranslatable> {
        self.budget.charge(NODE_STEPS)?;
        self.weigh(1)?;
        match node {
            Node::Literal(_) | Node::NotLiteral(_) | Node::Any | Node::Set(_) => {
                self.unit(node, modes)
            }
            Node::Place(place) => self.place(place_test(*place, modes, self.python), tail),
            Node::Branch(alternatives) => self.branch(alternatives, modes, tail),
            Node::Group(group) => {
                self.pattern.push_str("(?:");
                self.sequence(&group.body, group_modes(modes, group), tail)?;
                self.pattern.push(')');
                Ok(())
            }
            Node::Repeat(repeat) => self.repeat(repeat, modes),
            Node::Look(_) | Node::Atomic(_) | Node::BackReference(_) | Node::Conditional(_) => {
                Err(Inexpressible)
            }
        }
    }

    fn weigh(&mut self, states: u64) -> Result<(), Untranslatable> {
        self.weight = self.weight.saturating_add(states.saturating_mul(self.factor));
        if self.weight > limits::PATTERN_AUTOMATON { Err(Inexpressible) } else { Ok(()) }
    }

    fn branch(
        &mut self,
        alternatives: &[Sequence],
        modes: Modes,
        tail: bool,
    ) -> Result<(), Untranslatable> {
        self.pattern.push_str("(?:");
        for (i, alternative) in alternatives.iter().enumerate() {
            if i > 0 {
                self.pattern.push('|');
            }
            self.sequence(alternative, modes, tail)?;
        }
        self.pattern.push(')');
        Ok(())
    }

    fn repeat(&mut self, repeat: &Repeat, modes: Modes) -> Result<(), Untranslatable> {
        let Repeat { min, max, greed, body } = repeat;
        if *greed == Greed::Possessive {
            return Err(Inexpressible);
        }
        if width(body, &[], self.python).max == 0 {
            // What takes no characters matches any number of times if it matches once.
            return if *min > 0 { self.sequence(body, modes, false) } else { Ok(()) };
        }
        let outer = self.factor;
        let times = if *max == UNLIMITED { min.saturating_add(1) } else { *max };
        self.factor = outer.saturating_mul(u64::from(times.max(1)));
        self.pattern.push_str("(?:");
        self.sequence(body, modes, false)?;
        self.factor = outer;
        // Whether there is a match does not depend on greed.
        let bounds = match (*min, *max) {
            (min, UNLIMITED) => write!(self.pattern, "){{{min},}}"),
            (min, max) => write!(self.pattern, "){{{min},{max}}}"),
        };
        bounds.map_err(|_| Inexpressible)
    }

    fn place(&mut self, place: PlaceTest, tail: bool) -> Result<(), Untranslatable> {
        let ascii = self.purpose.alphabet == Alphabet::Ascii;
        self.pattern.push_str(match place {
            PlaceTest::BeginOfString => "\\A",
            PlaceTest::BeginOfLine => "(?m:^)",
            PlaceTest::EndOfLine => "(?m:$)",
            PlaceTest::EndOfString => "\\z",
            PlaceTest::End if !self.purpose.final_newline => "\\z",
            // Taking the newline does no harm where nothing follows.
            PlaceTest::End if tail => "\\n?\\z",
            PlaceTest::End => return Err(Inexpressible),
            PlaceTest::Boundary { repertoire, .. } if !ascii && repertoire != Repertoire::Ascii => {
                return Err(Inexpressible);
            }
            PlaceTest::Boundary { negated: false, .. } => "(?-u:\\b)",
            // In UTF-8 it would also match inside characters.
            PlaceTest::Boundary { .. } if self.purpose.alphabet == Alphabet::Text => {
                return Err(Inexpressible);
            }
            PlaceTest::Boundary { .. } => "(?-u:\\B)",
        });
        Ok(())
    }

    /// A node that [takes one character](Node::is_unit).
    fn unit(&mut self, node: &Node, modes: Modes) -> Result<(), Untranslatable> {
        let top = self.purpose.alphabet.top();
        if self.purpose.alphabet == Alphabet::Text {
            self.budget.charge(UNICODE_CHARACTER_STEPS)?;
        }
        match node {
            Node::Literal(c) | Node::NotLiteral(c) => {
                let negated = matches!(node, Node::NotLiteral(_));
                match literal_set(*c, negated, modes, self.python) {
                    Some(set) => self.set(&set),
                    None => {
                        let test = literal_test(*c, negated, modes, self.python);
                        self.class(&test_ranges(test, top))
                    }
                }
            }
            Node::Set(set) => self.set(&syntax_set(set, modes, self.python)),
            _ if modes.has(Modes::DOT_ALL) => self.class(&test_ranges(Test::Any, top)),
            _ => self.class(&test_ranges(Test::AnyButNewline, top)),
        }
    }

    fn set(&mut self, set: &CharSet) -> Result<(), Untranslatable> {
        if self.purpose.alphabet == Alphabet::Ascii {
            let ascii = set.ascii();
            let members = (0..128).filter(|c| ascii >> c & 1 == 1).map(|c| (c, c)).collect();
            return self.class(&Ranges::new(members));
        }
        self.budget.charge(UNICODE_CLASS_STEPS)?;
        self.class(&set.all(self.purpose.alphabet.top()))
    }

    /// Writes a class of the other engine.
    fn class(&mut self, ranges: &Ranges) -> Result<(), Untranslatable> {
        self.weigh(ranges.iter().count() as u64)?;
        let written = if ranges.is_empty() {
            // A class without members.
            write!(self.pattern, "[a&&b]")
        } else {
            self.pattern.push('[');
            let each = |(low, high)| write!(self.pattern, "\\x{{{low:x}}}-\\x{{{high:x}}}");
            ranges.iter().try_for_each(each).map(|()| self.pattern.push(']'))
        };
        written.map_err(|_| Inexpressible)
    }
}

/// The characters up to `top` that pass a test which asks no set.
fn test_ranges(test: Test, top: u32) -> Ranges {
    let all = Ranges::new(vec![(0, top)]);
    let but = |holes: &Ranges| Ranges::new(subtract(&all, holes));
    match test {
        Test::Is(c) => only(&all, c),
        Test::IsNot(c) => but(&only(&all, c)),
        Test::Lowers(lower, repertoire) => with_lower(lower, repertoire, top),
        Test::LowersNot(lower, repertoire) => but(&with_lower(lower, repertoire, top)),
        Test::AnyButNewline => but(&only(&all, u32::from('\n'))),
        Test::Any | Test::In(_) => all,
    }
}

fn only(all: &Ranges, c: u32) -> Ranges {
    if all.contains(c) { Ranges::new(vec![(c, c)]) } else { Ranges::default() }
}

/// The characters up to `top` whose lower case is `lower`.
fn with_lower(lower: u32, repertoire: Repertoire, top: u32) -> Ranges {
    let others = mappings(repertoire.lower_runs(), 0, top).filter(|(_, to)| *to == lower);
    let itself = std::iter::once((lower, lower)).filter(|(c, _)| *c <= top);
    Ranges::new(itself.chain(others.map(|(c, _)| (c, c))).collect())
}

/// Whether a pattern asks what a group has matched.
fn has_reference(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::BackReference(_) | Node::Conditional(_) => true,
        Node::Group(group) => has_reference(&group.body),
        Node::Repeat(repeat) => has_reference(&repeat.body),
        Node::Branch(alternatives) => alternatives.iter().any(|a| has_reference(a)),
        Node::Look(look) => has_reference(&look.body),
        Node::Atomic(body) => has_reference(body),
        Node::Literal(_) | Node::NotLiteral(_) | Node::Any | Node::Set(_) | Node::Place(_) => false,
    })
}
