//! A pattern compiled for the backtracking machine: `sre_compile`.

use super::case::Repertoire;
use super::charset::CharSet;
use super::parse::Parsed;
use super::syntax::{
    Conditional, Greed, Group, Look, Modes, Node, Place, Repeat, SetSyntax, UNLIMITED,
};
use crate::python::Python;

/// Index of an operation.
pub(super) type Address = u32;

/// A test of one character.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    Is(u32),
    IsNot(u32),
    /// The character's lower case is this one.
    Lowers(u32, Repertoire),
    LowersNot(u32, Repertoire),
    Any,
    AnyButNewline,
    /// In the program's set of this index.
    In(u32),
}

/// A test of a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum PlaceTest {
    BeginOfString,
    BeginOfLine,
    /// At the end or before a newline at the end.
    End,
    EndOfLine,
    EndOfString,
    Boundary {
        negated: bool,
        repertoire: Repertoire,
    },
}

/// One operation of a program.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    /// Takes a character that passes.
    Take(Test),
    At(PlaceTest),
    /// Notes the place: group n begins with mark 2n-2 and ends with mark 2n-1.
    Mark(u32),
    /// The end of the pattern, of a look-around or of an atomic part.
    Accept,
    Jump(Address),
    /// Tries the program's `alternatives[first..first + count]` in order.
    Branch {
        first: u32,
        count: u32,
    },
    /// Takes characters by the `Take` that follows it; the rest comes after that.
    TakeMany {
        min: u32,
        max: u32,
        greed: Greed,
    },
    /// Repeats what follows it, up to the `Until` at the address.
    Repeat {
        min: u32,
        max: u32,
        until: Address,
    },
    Until {
        lazy: bool,
    },
    /// Repeats what follows, up to an `Accept` before `next`, and never gives back.
    Possessive {
        min: u32,
        max: u32,
        next: Address,
    },
    /// Matches what follows, up to an `Accept` before `next`, in one way only.
    Atomic {
        next: Address,
    },
    BackReference {
        group: u32,
        case: Option<Repertoire>,
    },
    /// Goes on if the group has matched, else at the address.
    Conditional {
        group: u32,
        otherwise: Address,
    },
    /// Matches what follows, up to an `Accept` before `next`, from `back` characters before.
    Look {
        back: u32,
        negated: bool,
        next: Address,
    },
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) python: Python,
    pub(super) ops: Vec<Op>,
    pub(super) sets: Vec<CharSet>,
    pub(super) alternatives: Vec<Address>,
    /// Capturing groups, group 0 included.
    pub(super) groups: usize,
    /// Characters that every match has at least.
    pub(super) min_width: usize,
}

impl Program {
    pub(super) fn new(parsed: &Parsed, python: Python) -> Program {
        let mut compiler = Compiler {
            program: Program {
                python,
                ops: Vec::new(),
                sets: Vec::new(),
                alternatives: Vec::new(),
                groups: parsed.groups,
                min_width: usize::try_from(parsed.width.min).unwrap_or(usize::MAX),
            },
        };
        compiler.sequence(&parsed.nodes, parsed.modes);
        compiler.emit(Op::Accept);
        compiler.program
    }
}

/// The case rule of `modes`, if they ignore case.
fn ignored_case(modes: Modes, python: Python) -> Option<Repertoire> {
    modes.has(Modes::IGNORE_CASE).then(|| Repertoire::new(modes, python))
}

/// The flags inside a group: `_combine_flags`.
pub(super) fn group_modes(modes: Modes, group: &Group) -> Modes {
    let outer = if group.add.has(Modes::TYPES) { modes.without(Modes::TYPES) } else { modes };
    outer.with(group.add).without(group.remove)
}

/// The set that a literal stands for under IGNORECASE, if not just one pair of cases.
pub(super) fn literal_set(c: u32, negated: bool, modes: Modes, python: Python) -> Option<CharSet> {
    let repertoire = ignored_case(modes, python)?;
    if python == Python::Three && !repertoire.is_cased(c) {
        return None;
    }
    let variants = repertoire.variants(repertoire.lower(c));
    (!variants.is_empty()).then(|| CharSet::of_variants(variants, negated, repertoire))
}

/// The test for a literal that [`literal_set`] has no set for.
pub(super) fn literal_test(c: u32, negated: bool, modes: Modes, python: Python) -> Test {
    let case = ignored_case(modes, python).filter(|repertoire| match python {
        Python::Three => repertoire.is_cased(c),
        // The only ASCII characters that are the lower case of others are letters.
        Python::Two => c >= 128 || (c as u8).is_ascii_alphabetic(),
    });
    match (case, negated) {
        (None, false) => Test::Is(c),
        (None, true) => Test::IsNot(c),
        (Some(repertoire), false) => Test::Lowers(repertoire.lower(c), repertoire),
        (Some(repertoire), true) => Test::LowersNot(repertoire.lower(c), repertoire),
    }
}

/// The set of `[...]`.
pub(super) fn syntax_set(set: &SetSyntax, modes: Modes, python: Python) -> CharSet {
    let ignore_case = modes.has(Modes::IGNORE_CASE);
    let repertoire = Repertoire::new(modes, python);
    CharSet::new(&set.items, set.negated, ignore_case, repertoire, python)
}

/// The test of a place.
pub(super) fn place_test(place: Place, modes: Modes, python: Python) -> PlaceTest {
    let multiline = modes.has(Modes::MULTILINE);
    let repertoire = Repertoire::new(modes, python);
    match place {
        Place::Begin if multiline => PlaceTest::BeginOfLine,
        Place::Begin | Place::BeginOfString => PlaceTest::BeginOfString,
        Place::End if multiline => PlaceTest::EndOfLine,
        Place::End => PlaceTest::End,
        Place::EndOfString => PlaceTest::EndOfString,
        Place::Boundary => PlaceTest::Boundary { negated: false, repertoire },
        Place::NotBoundary => PlaceTest::Boundary { negated: true, repertoire },
    }
}

struct Compiler {
    program: Program,
}

impl Compiler {
    /// The next operation's address. (Patterns are too short to exceed it.)
    fn here(&self) -> Address {
        u32::try_from(self.program.ops.len()).unwrap_or(u32::MAX)
    }

    fn emit(&mut self, op: Op) -> Address {
        let address = self.here();
        self.program.ops.push(op);
        address
    }

    /// Emits an operation that [`Compiler::patch`] will replace.
    fn reserve(&mut self) -> Address {
        self.emit(Op::Accept)
    }

    fn patch(&mut self, address: Address, op: Op) {
        if let Some(place) = self.program.ops.get_mut(address as usize) {
            *place = op;
        }
    }

    fn sequence(&mut self, nodes: &[Node], modes: Modes) {
        for node in nodes {
            self.node(node, modes);
        }
    }

    fn node(&mut self, node: &Node, modes: Modes) {
        let python = self.program.python;
        match node {
            Node::Literal(_) | Node::NotLiteral(_) | Node::Any | Node::Set(_) => {
                let test = self.unit(node, modes);
                self.emit(Op::Take(test));
            }
            Node::Place(place) => {
                self.emit(Op::At(place_test(*place, modes, python)));
            }
            Node::BackReference(group) => {
                let case = ignored_case(modes, python);
                self.emit(Op::BackReference { group: *group, case });
            }
            Node::Group(group) => self.group(group, modes),
            Node::Branch(alternatives) => self.branch(alternatives, modes),
            Node::Repeat(repeat) => self.repeat(repeat, modes),
            Node::Look(look) => self.look(look, modes),
            Node::Atomic(body) => {
                let start = self.reserve();
                self.sequence(body, modes);
                self.emit(Op::Accept);
                self.patch(start, Op::Atomic { next: self.here() });
            }
            Node::Conditional(conditional) => self.conditional(conditional, modes),
        }
    }

    /// The test of a node that [takes one character](Node::is_unit).
    fn unit(&mut self, node: &Node, modes: Modes) -> Test {
        let python = self.program.python;
        match node {
            Node::Literal(c) | Node::NotLiteral(c) => {
                let negated = matches!(node, Node::NotLiteral(_));
                match literal_set(*c, negated, modes, python) {
                    Some(set) => self.add_set(set),
                    None => literal_test(*c, negated, modes, python),
                }
            }
            Node::Set(set) => self.add_set(syntax_set(set, modes, python)),
            _ if modes.has(Modes::DOT_ALL) => Test::Any,
            _ => Test::AnyButNewline,
        }
    }

    fn add_set(&mut self, set: CharSet) -> Test {
        let index = u32::try_from(self.program.sets.len()).unwrap_or(u32::MAX);
        self.program.sets.push(set);
        Test::In(index)
    }

    fn group(&mut self, group: &Group, modes: Modes) {
        let first_mark = group.index.map(|index| (index - 1) * 2);
        if let Some(mark) = first_mark {
            self.emit(Op::Mark(mark));
        }
        self.sequence(&group.body, group_modes(modes, group));
        if let Some(mark) = first_mark {
            self.emit(Op::Mark(mark + 1));
        }
    }

    fn branch(&mut self, alternatives: &[Vec<Node>], modes: Modes) {
        let branch = self.reserve();
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for alternative in alternatives {
            starts.push(self.here());
            self.sequence(alternative, modes);
            ends.push(self.reserve());
        }
        let next = self.here();
        for end in ends {
            self.patch(end, Op::Jump(next));
        }
        let first = u32::try_from(self.program.alternatives.len()).unwrap_or(u32::MAX);
        let count = u32::try_from(starts.len()).unwrap_or(u32::MAX);
        self.program.alternatives.extend(starts);
        self.patch(branch, Op::Branch { first, count });
    }

    fn repeat(&mut self, repeat: &Repeat, modes: Modes) {
        let Repeat { min, max, greed, body } = repeat;
        let (min, max, greed) = (*min, *max, *greed);
        if let Some((unit, modes)) = self.repeated_unit(body, modes) {
            let test = self.unit(unit, modes);
            self.emit(Op::TakeMany { min, max, greed });
            self.emit(Op::Take(test));
            return;
        }
        let start = self.reserve();
        self.sequence(body, modes);
        if greed == Greed::Possessive {
            self.emit(Op::Accept);
            self.patch(start, Op::Possessive { min, max, next: self.here() });
        } else {
            let until = self.emit(Op::Until { lazy: greed == Greed::Lazy });
            self.patch(start, Op::Repeat { min, max, until });
        }
    }

    /// `_simple`: the node of a repeat's body that is no more than a test of one character. Only
    /// Python 3 looks for it inside groups.
    fn repeated_unit<'n>(&self, body: &'n [Node], modes: Modes) -> Option<(&'n Node, Modes)> {
        match body {
            [unit] if unit.is_unit() => Some((unit, modes)),
            [Node::Group(group)]
                if group.index.is_none() && self.program.python == Python::Three =>
            {
                self.repeated_unit(&group.body, group_modes(modes, group))
            }
            _ => None,
        }
    }

    fn look(&mut self, look: &Look, modes: Modes) {
        let start = self.reserve();
        self.sequence(&look.body, modes);
        self.emit(Op::Accept);
        let back = u32::try_from(look.back).unwrap_or(UNLIMITED);
        self.patch(start, Op::Look { back, negated: look.negated, next: self.here() });
    }

    fn conditional(&mut self, conditional: &Conditional, modes: Modes) {
        let start = self.reserve();
        self.sequence(&conditional.yes, modes);
        let mut otherwise = self.here();
        if !conditional.no.is_empty() {
            let end_of_yes = self.reserve();
            otherwise = self.here();
            self.sequence(&conditional.no, modes);
            self.patch(end_of_yes, Op::Jump(self.here()));
        }
        self.patch(start, Op::Conditional { group: conditional.group, otherwise });
    }
}
