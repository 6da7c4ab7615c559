//! One walk over all opcodes that only finds where things are.
//!
//! It keeps the depth of the stack and the places of its marks, never the items. That is enough
//! to know which strings are keys of the top-level dict or of a dict in it, and where their
//! values begin and end.

use std::collections::BTreeMap;

use super::Request;
use super::error::{Error, ErrorKind};
use super::memo::MemoLog;
use super::opcode::{self, Effect};
use super::skim::Filter;
use super::source::{Arg, Op, ReadAt, Window};
use super::strings::Strings;
use super::track::{Here, Left, Shape, Span, Track};
use crate::limits;
use crate::python::Python;

/// Bytes read at once when something is looked up elsewhere in the pickle.
pub(crate) const RESCAN_WINDOW: usize = 8 << 10;

/// What a walk found out.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The items of the top-level dict, in the order in which they were set.
    pub(crate) items: Vec<Item>,
    pub(crate) memo: MemoLog,
    pub(crate) python: Python,
    pub(crate) foreign_class: Option<String>,
    /// Where strings were put in the memo, if that was wanted.
    pub(crate) strings: Option<Strings>,
}

/// An item of the top-level dict.
#[derive(Debug)]
pub(crate) struct Item {
    /// Which of the names asked for its key is.
    pub(crate) name: Option<usize>,
    /// The opcodes of its value.
    pub(crate) value: Span,
    pub(crate) shape: Shape,
    /// Which addresses are keys of its value, and the opcodes of their values.
    pub(crate) found: BTreeMap<usize, Span>,
}

/// A key of the top-level dict.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: Option<usize>,
    /// Whether addresses are to be looked up in its value.
    pub(super) lookup: bool,
    pub(super) found: BTreeMap<usize, Span>,
}

/// What the item at the bottom of the stack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Nothing,
    Dict,
    Other,
}

/// How to go on after a step.
pub(super) enum Flow {
    Next,
    /// The opcode's string must be in the window first.
    Fetch,
    Stop,
}

/// The state of a walk.
pub(crate) struct Walk<'r, 's, R: ?Sized> {
    pub(super) source: &'s R,
    pub(super) request: &'r Request<'r>,
    pub(super) names: &'r [&'r str],
    pub(super) filter: Filter<'r>,
    /// Items on the stack.
    pub(super) depth: u64,
    /// For every mark the number of items below it.
    pub(super) marks: Vec<u64>,
    pub(super) memo: MemoLog,
    root: Root,
    /// Keys of the top-level dict.
    pub(super) keys: Track<Key>,
    /// Keys, by number of the address, of the dict that is the value of the last of `keys`.
    pub(super) hits: Track<usize>,
    items: Vec<Item>,
    pub(super) python: Option<Python>,
    pub(super) foreign_class: Option<String>,
    /// The address that was pushed last, and where its opcode (or PUT) ended.
    pub(super) last_address: Option<(u64, usize)>,
    /// Memo numbers of addresses.
    pub(super) addresses: BTreeMap<u64, usize>,
    pub(super) classes: usize,
    pub(super) rescan: u64,
    /// Where strings are put in the memo, if that is wanted.
    pub(super) strings: Option<Strings>,
}

impl<'r, 's, R: ReadAt + ?Sized> Walk<'r, 's, R> {
    /// A walk over `source` that looks for the keys in `names` (sorted) and for the addresses.
    pub(crate) fn new(source: &'s R, request: &'r Request<'r>, names: &'r [&'r str]) -> Self {
        Walk {
            source,
            request,
            names,
            filter: Filter::new(request.addresses),
            depth: 0,
            marks: Vec::new(),
            memo: MemoLog::default(),
            root: Root::Nothing,
            keys: Track::default(),
            hits: Track::default(),
            items: Vec::new(),
            python: None,
            foreign_class: None,
            last_address: None,
            addresses: BTreeMap::new(),
            classes: 0,
            rescan: limits::PICKLE_RESCAN,
            strings: None,
        }
    }

    /// Walks to the STOP.
    pub(crate) fn run(mut self, window: &mut Window<'s, R>) -> Result<Survey, Error> {
        let mut at = 0;
        loop {
            at = self.skim(window, at)?;
            let Some(op) = window.decode(at)? else {
                window.need(at)?;
                continue;
            };
            let end = op.end;
            match self.step(&op, window).map_err(|e| e.at(at))? {
                Flow::Next => at = end,
                Flow::Fetch => window.need(at)?,
                Flow::Stop => return self.finish(at),
            }
        }
    }

    fn finish(self, at: u64) -> Result<Survey, Error> {
        if self.root != Root::Dict {
            return Err(Error::new(at, ErrorKind::NotADict));
        }
        Ok(Survey {
            items: self.items,
            memo: self.memo,
            python: self.python.unwrap_or(Python::Two),
            foreign_class: self.foreign_class,
            strings: self.strings,
        })
    }

    /// Whether the walk may pass over opcodes without a look at each: deep enough inside a value
    /// of the top-level dict, and above all keys whose values are not complete.
    pub(super) fn may_skim(&self) -> bool {
        self.marks.len() >= 2 && self.depth > self.watched() && self.last_address.is_none()
    }

    /// A depth that no opcode may reach from above unnoticed.
    pub(super) fn watched(&self) -> u64 {
        let key = self.keys.highest().map_or(1, |slot| slot + 2);
        self.hits.highest().map_or(key, |slot| slot + 2)
    }

    /// The stack as it is below the last mark may not be touched.
    fn fence(&self) -> u64 {
        self.marks.last().copied().unwrap_or(0)
    }

    /// Executes one opcode.
    fn step(&mut self, op: &Op<'_>, window: &Window<'s, R>) -> Result<Flow, Stopped> {
        if self.depth > limits::PICKLE_STACK {
            return Err(ErrorKind::Limit("the stack").into());
        }
        let effect = opcode::effect(op.code);
        if effect != Effect::Put {
            self.last_address = None;
        }
        match effect {
            Effect::Nothing => check_protocol(op)?,
            Effect::Push => return self.push(op, window),
            Effect::Get => self.get(op)?,
            Effect::Put => self.put(op)?,
            Effect::Mark => self.mark()?,
            Effect::Replace(count) => self.replace(op, u64::from(count))?,
            Effect::Mutate(count) => self.mutate(op, u64::from(count))?,
            Effect::Gather => self.gather(op)?,
            Effect::Extend => self.extend(op)?,
            Effect::Pop => self.pop(op)?,
            Effect::PopMark => {
                let mark = self.marks.pop().ok_or(ErrorKind::NoMark)?;
                self.settle(mark, op.end, Left::Bared);
            }
            Effect::Dup => {
                self.need(1)?;
                self.pushed(op.end, Shape::Unknown);
            }
            Effect::Stop => {
                self.need(1)?;
                if self.depth > 1 {
                    return Err(ErrorKind::Unsupported("items left on the stack").into());
                }
                return Ok(Flow::Stop);
            }
            Effect::Unsupported(what) => return Err(ErrorKind::Unsupported(what).into()),
        }
        Ok(Flow::Next)
    }

    /// Fails if fewer than `count` items lie above the last mark.
    pub(super) fn need(&self, count: u64) -> Result<(), ErrorKind> {
        if self.depth - self.fence() < count { Err(ErrorKind::StackUnderflow) } else { Ok(()) }
    }

    fn mark(&mut self) -> Result<(), ErrorKind> {
        if self.marks.len() >= limits::PICKLE_DEPTH {
            return Err(ErrorKind::Limit("nesting"));
        }
        self.marks.push(self.depth);
        Ok(())
    }

    fn replace(&mut self, op: &Op<'_>, count: u64) -> Result<(), Stopped> {
        self.need(count)?;
        if op.code == opcode::STACK_GLOBAL {
            self.stack_global(op.at)?;
        }
        let shape = match op.code {
            opcode::TUPLE1 | opcode::TUPLE2 | opcode::TUPLE3 => Shape::Plain,
            _ => Shape::Unknown,
        };
        self.settle(self.depth - count + 1, op.end, Left::Made(shape));
        Ok(())
    }

    fn mutate(&mut self, op: &Op<'_>, count: u64) -> Result<(), ErrorKind> {
        self.need(count + 1)?;
        let depth = self.depth - count;
        if op.code == opcode::SETITEM {
            self.commit(depth - 1, depth)?;
        }
        self.settle(depth, op.end, Left::Changed);
        Ok(())
    }

    fn gather(&mut self, op: &Op<'_>) -> Result<(), ErrorKind> {
        let mark = self.marks.pop().ok_or(ErrorKind::NoMark)?;
        let mut shape = Shape::Unknown;
        match op.code {
            opcode::DICT => {
                check_pairs(self.depth - mark)?;
                self.commit(mark, mark)?;
                shape = Shape::Dict;
            }
            opcode::INST => self.class(op),
            opcode::OBJ if self.depth == mark => return Err(ErrorKind::StackUnderflow),
            opcode::OBJ => {}
            _ => shape = Shape::Plain,
        }
        self.settle(mark + 1, op.end, Left::Made(shape));
        Ok(())
    }

    fn extend(&mut self, op: &Op<'_>) -> Result<(), ErrorKind> {
        let mark = self.marks.pop().ok_or(ErrorKind::NoMark)?;
        if mark <= self.fence() {
            return Err(ErrorKind::StackUnderflow);
        }
        if op.code == opcode::SETITEMS {
            check_pairs(self.depth - mark)?;
            self.commit(mark - 1, mark)?;
        }
        self.settle(mark, op.end, Left::Changed);
        Ok(())
    }

    fn pop(&mut self, op: &Op<'_>) -> Result<(), ErrorKind> {
        if self.marks.last() == Some(&self.depth) {
            self.marks.pop();
            return Ok(());
        }
        self.need(1)?;
        self.settle(self.depth - 1, op.end, Left::Bared);
        Ok(())
    }

    pub(super) fn here(&self, end: u64) -> Here {
        Here { end, memo: self.memo.next() }
    }

    /// An item was pushed.
    pub(super) fn pushed(&mut self, end: u64, shape: Shape) {
        let slot = self.depth;
        if slot == 0 {
            self.root = if shape == Shape::Dict { Root::Dict } else { Root::Other };
        }
        self.keys.pushed(slot, end, shape);
        self.hits.pushed(slot, end, shape);
        self.depth += 1;
    }

    /// An opcode took items and left `depth` of them.
    fn settle(&mut self, depth: u64, end: u64, left: Left) {
        self.depth = depth;
        let here = self.here(end);
        self.hits.settle(depth, here, left);
        if self.keys.settle(depth, here, left)
            && !matches!(left, Left::Made(Shape::Dict))
            && let Some(key) = self.keys.last_mut()
        {
            key.tag.found.clear();
        }
        match left {
            Left::Made(shape) if depth == 1 => {
                self.root = if shape == Shape::Dict { Root::Dict } else { Root::Other };
            }
            _ if depth == 0 => self.root = Root::Nothing,
            _ => return,
        }
        if self.root != Root::Dict {
            self.items.clear();
        }
    }

    /// The items from slot `first` on become keys and values of the dict in slot `dict`.
    fn commit(&mut self, dict: u64, first: u64) -> Result<(), ErrorKind> {
        if dict == 0 {
            let items = &mut self.items;
            items.extend(self.keys.take(first).map(|key| Item {
                name: key.tag.name,
                value: key.value,
                shape: key.shape,
                found: key.tag.found,
            }));
            if self.items.len() > limits::PICKLE_KEYS {
                return Err(ErrorKind::Limit("keys"));
            }
            return Ok(());
        }
        if self.hits.is_empty() {
            return Ok(());
        }
        if let Some(key) = self.keys.at_mut(dict - 1) {
            let found = &mut key.tag.found;
            found.extend(self.hits.take(first).map(|hit| (hit.tag, hit.value)));
        }
        Ok(())
    }
}

/// An error of one opcode, or one that has its place already.
pub(super) struct Stopped(Result<Error, ErrorKind>);

impl From<ErrorKind> for Stopped {
    fn from(kind: ErrorKind) -> Self {
        Stopped(Err(kind))
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Stopped(Ok(error))
    }
}

impl Stopped {
    fn at(self, offset: u64) -> Error {
        self.0.unwrap_or_else(|kind| Error::new(offset, kind))
    }
}

fn check_protocol(op: &Op<'_>) -> Result<(), ErrorKind> {
    match op.arg {
        Arg::Number(version) if op.code == opcode::PROTO && version > 5 => {
            Err(ErrorKind::Unsupported("a protocol above 5"))
        }
        _ => Ok(()),
    }
}

fn check_pairs(count: u64) -> Result<(), ErrorKind> {
    if count.is_multiple_of(2) { Ok(()) } else { Err(ErrorKind::OddItems) }
}
