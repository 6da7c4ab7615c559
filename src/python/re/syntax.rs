//! A parsed pattern.

use crate::python::Python;

/// "No upper limit" in a repeat; Python's `MAXREPEAT`.
pub(super) const UNLIMITED: u32 = u32::MAX;

/// The flags of a pattern, as given to `re.search` or written inside it (`(?i)`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Modes(u8);

impl Modes {
    pub(super) const NONE: Modes = Modes(0);
    pub(super) const IGNORE_CASE: Modes = Modes(1);
    pub(super) const LOCALE: Modes = Modes(1 << 1);
    pub(super) const MULTILINE: Modes = Modes(1 << 2);
    pub(super) const DOT_ALL: Modes = Modes(1 << 3);
    pub(super) const UNICODE: Modes = Modes(1 << 4);
    pub(super) const VERBOSE: Modes = Modes(1 << 5);
    pub(super) const TEMPLATE: Modes = Modes(1 << 6);
    pub(super) const ASCII: Modes = Modes(1 << 7);
    /// Those that exclude one another in Python 3.
    pub(super) const TYPES: Modes = Modes(Modes::LOCALE.0 | Modes::UNICODE.0 | Modes::ASCII.0);

    /// The flag of a letter in `(?...)`; `a` is Python 3's only.
    pub(super) fn of_letter(letter: char, python: Python) -> Option<Modes> {
        Some(match letter {
            'i' => Modes::IGNORE_CASE,
            'L' => Modes::LOCALE,
            'm' => Modes::MULTILINE,
            's' => Modes::DOT_ALL,
            'u' => Modes::UNICODE,
            'x' => Modes::VERBOSE,
            't' => Modes::TEMPLATE,
            'a' if python == Python::Three => Modes::ASCII,
            _ => return None,
        })
    }

    /// Whether one of `other`'s flags is among these.
    pub(super) fn has(self, other: Modes) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn with(self, other: Modes) -> Modes {
        Modes(self.0 | other.0)
    }

    pub(super) fn without(self, other: Modes) -> Modes {
        Modes(self.0 & !other.0)
    }

    pub(super) fn and(self, other: Modes) -> Modes {
        Modes(self.0 & other.0)
    }
}

/// What `\d`, `\s` and `\w` stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Category {
    Digit,
    Space,
    Word,
}

/// A member of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Literal(u32),
    Range(u32, u32),
    Category { category: Category, negated: bool },
}

/// `[...]`, or an alternation of single characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SetSyntax {
    pub(super) negated: bool,
    pub(super) items: Vec<Item>,
}

/// A place in the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `^`
    Begin,
    /// `\A`
    BeginOfString,
    /// `$`
    End,
    /// `\Z`
    EndOfString,
    /// `\b`
    Boundary,
    /// `\B`
    NotBoundary,
}

/// How a repeat chooses its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greed {
    /// As often as possible.
    Greedy,
    /// As seldom as possible (`*?`).
    Lazy,
    /// As often as possible and never less (`*+`, Python 3.11).
    Possessive,
}

/// Nodes one after the other.
pub(super) type Sequence = Vec<Node>;

/// `(...)`, `(?:...)`, `(?i:...)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Its number, if it captures; from 1.
    pub(super) index: Option<u32>,
    /// Flags set within.
    pub(super) add: Modes,
    /// Flags cleared within.
    pub(super) remove: Modes,
    pub(super) body: Sequence,
    pub(super) width: Width,
}

/// `x*`, `x{2,3}?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeat {
    pub(super) min: u32,
    /// [`UNLIMITED`] for no limit.
    pub(super) max: u32,
    pub(super) greed: Greed,
    pub(super) body: Sequence,
}

/// `(?=...)`, `(?<!...)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    /// Characters to step back before matching; 0 for a look ahead.
    pub(super) back: u64,
    pub(super) negated: bool,
    pub(super) body: Sequence,
}

/// `(?(1)yes|no)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conditional {
    pub(super) group: u32,
    pub(super) yes: Sequence,
    pub(super) no: Sequence,
}

/// One construct of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Literal(u32),
    NotLiteral(u32),
    /// `.`
    Any,
    Set(Box<SetSyntax>),
    Place(Place),
    Branch(Vec<Sequence>),
    Group(Box<Group>),
    Repeat(Box<Repeat>),
    Look(Box<Look>),
    /// `(?>...)`, Python 3.11.
    Atomic(Sequence),
    BackReference(u32),
    Conditional(Box<Conditional>),
}

impl Node {
    /// Whether it takes exactly one character, always.
    pub(super) fn is_unit(&self) -> bool {
        matches!(self, Node::Literal(_) | Node::NotLiteral(_) | Node::Any | Node::Set(_))
    }

    /// Whether it may move out of a branch when every alternative begins with it. (Python
    /// compares the alternatives' items; those with a pattern inside are never the same.)
    pub(super) fn is_plain(&self) -> bool {
        self.is_unit() || matches!(self, Node::Place(_) | Node::BackReference(_))
    }
}

/// How many characters a match of something can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Width {
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Width {
    const ONE: Width = Width { min: 1, max: 1 };

    fn plus(self, other: Width) -> Width {
        Width { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    fn or(self, other: Width) -> Width {
        Width { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    fn times(self, min: u32, max: u32) -> Width {
        Width {
            min: self.min.saturating_mul(u64::from(min)),
            max: match (self.max, max) {
                (0, _) => 0,
                (_, UNLIMITED) => u64::MAX,
                _ => self.max.saturating_mul(u64::from(max)),
            },
        }
    }
}

/// `SubPattern.getwidth` of sre_parse. `groups` holds the width of each closed group.
///
/// Python 2 counts back-references and conditionals as empty and stops counting at 2^32.
pub(super) fn width(sequence: &[Node], groups: &[Option<Width>], python: Python) -> Width {
    let sum = sequence
        .iter()
        .map(|node| node_width(node, groups, python))
        .fold(Width::default(), Width::plus);
    match python {
        Python::Two => Width {
            min: sum.min.min(u64::from(UNLIMITED) - 1),
            max: sum.max.min(u64::from(UNLIMITED)),
        },
        Python::Three => sum,
    }
}

fn node_width(node: &Node, groups: &[Option<Width>], python: Python) -> Width {
    let of = |sequence: &[Node]| width(sequence, groups, python);
    match node {
        Node::Literal(_) | Node::NotLiteral(_) | Node::Any | Node::Set(_) => Width::ONE,
        Node::Place(_) | Node::Look(_) => Width::default(),
        Node::Branch(alternatives) => {
            alternatives.iter().map(|a| of(a)).reduce(Width::or).unwrap_or_default()
        }
        Node::Group(group) => group.width,
        Node::Repeat(repeat) => of(&repeat.body).times(repeat.min, repeat.max),
        Node::Atomic(body) => of(body),
        Node::BackReference(_) | Node::Conditional(_) if python == Python::Two => Width::default(),
        Node::BackReference(group) => {
            groups.get(*group as usize).copied().flatten().unwrap_or_default()
        }
        Node::Conditional(conditional) => of(&conditional.yes).or(of(&conditional.no)),
    }
}
