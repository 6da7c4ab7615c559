//! Builds the values that were asked for from their opcodes.
//!
//! Values are nodes that refer to each other by number, so that sharing, later changes and even
//! cycles need no thought while reading; [`super::convert`] makes plain values of them.

use std::collections::HashMap;

use num_bigint::BigInt;

use super::error::{Error, ErrorKind};
use super::memo::{MemoLog, memo_number, put_number};
use super::opcode::{self, Effect, StringKind};
use super::source::{Arg, Op, ReadAt, Window};
use super::text;
use super::track::Span;
use crate::limits;
use crate::python::Python;

/// The number of a node.
pub(crate) type Id = usize;

/// A value under construction.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Big(BigInt),
    Float(f64),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    /// Keys and values by turns.
    Dict(Vec<Id>),
    Set(Vec<Id>),
    Frozen(Vec<Id>),
    /// A class or function: module and name.
    Global(Vec<u8>, Vec<u8>),
    /// The same by two strings.
    StackGlobal(Id, Id),
    Instance(Box<Instance>),
    /// What the memo has under this number at this offset: put outside of what is being built.
    Elsewhere {
        number: u64,
        at: u64,
    },
}

/// What a pickle says of an instance: nothing is called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Instance {
    /// The class, or the function that would have made it.
    pub(crate) class: Id,
    /// The node of the argument tuple, or the arguments themselves.
    pub(crate) args: Args,
    /// What BUILD gave.
    pub(crate) state: Option<Id>,
    /// What SETITEM(S) gave: keys and values by turns.
    pub(crate) items: Vec<Id>,
    /// What APPEND(S) and ADDITEMS gave.
    pub(crate) list: Vec<Id>,
}

/// The arguments of an instance's class or function.
#[derive(Debug, Clone)]
pub(crate) enum Args {
    Tuple(Id),
    Items(Vec<Id>),
}

impl Default for Args {
    fn default() -> Self {
        Args::Items(Vec::new())
    }
}

/// A machine that executes the opcodes of one value after the other.
pub(crate) struct Builder<'l> {
    log: &'l MemoLog,
    python: Python,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    /// For each memo number put in what was built: the last PUT and its node.
    memo: HashMap<u64, (u64, Id)>,
    /// The number that a MEMOIZE would use.
    next: u64,
    /// Bytes of all strings and numbers built.
    bytes: usize,
    /// Nodes and references to nodes made.
    count: usize,
}

impl<'l> Builder<'l> {
    /// A builder for values of a pickle with this memo.
    pub(crate) fn new(log: &'l MemoLog, python: Python) -> Self {
        Builder {
            log,
            python,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            next: 0,
            bytes: 0,
            count: 0,
        }
    }

    /// All nodes.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Gives a node another value.
    pub(crate) fn set(&mut self, id: Id, node: Node) {
        if let Some(place) = self.nodes.get_mut(id) {
            *place = node;
        }
    }

    /// Builds the one value that the opcodes of `span` make. Spans come in rising order.
    pub(crate) fn build<R: ReadAt + ?Sized>(
        &mut self,
        window: &mut Window<'_, R>,
        span: Span,
    ) -> Result<Id, Error> {
        self.stack.clear();
        self.marks.clear();
        self.next = span.memo;
        let mut at = span.start;
        while at < span.end {
            let op = window.op(at)?;
            let (end, body) = (op.end, body_span(&op));
            if let Some((start, len)) = body {
                let len = self.afford(len).map_err(|kind| Error::new(at, kind))?;
                let code = op.code;
                let bytes = window.copy(start, len)?;
                let node = counted(code, bytes, self.python);
                node.and_then(|node| self.push(node)).map_err(|kind| Error::new(at, kind))?;
            } else {
                self.step(&op).map_err(|kind| Error::new(at, kind))?;
            }
            at = end;
        }
        match (self.stack.as_slice(), self.marks.is_empty()) {
            ([id], true) => Ok(*id),
            _ => Err(Error::new(span.end, ErrorKind::StackUnderflow)),
        }
    }

    /// Counts `len` bytes.
    fn afford(&mut self, len: u64) -> Result<usize, ErrorKind> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.bytes = self.bytes.saturating_add(len);
        if self.bytes > limits::PICKLE_VALUE_BYTES {
            return Err(ErrorKind::Limit("the bytes of values"));
        }
        Ok(len)
    }

    fn push(&mut self, node: Node) -> Result<(), ErrorKind> {
        let id = self.nodes.len();
        self.nodes.push(node);
        self.push_id(id)
    }

    fn push_id(&mut self, id: Id) -> Result<(), ErrorKind> {
        self.count += 1;
        if self.count > limits::PICKLE_VALUES {
            return Err(ErrorKind::Limit("values"));
        }
        self.stack.push(id);
        Ok(())
    }

    fn step(&mut self, op: &Op<'_>) -> Result<(), ErrorKind> {
        match opcode::effect(op.code) {
            Effect::Nothing => Ok(()),
            Effect::Push => {
                if let Arg::Line(line) = op.arg {
                    self.afford(line.len() as u64)?;
                }
                self.push(simple(op, self.python)?)
            }
            Effect::Get => self.get(op),
            Effect::Put => self.put(op),
            Effect::Mark => {
                if self.marks.len() >= limits::PICKLE_DEPTH {
                    return Err(ErrorKind::Limit("nesting"));
                }
                self.marks.push(self.stack.len());
                Ok(())
            }
            Effect::Replace(count) => self.replace(op.code, usize::from(count)),
            Effect::Mutate(count) => {
                let taken = self.take(usize::from(count))?;
                self.change(op.code, taken)
            }
            Effect::Gather => self.gather(op),
            Effect::Extend => {
                let taken = self.above_mark()?;
                self.change(op.code, taken)
            }
            Effect::Pop => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                    return Ok(());
                }
                self.take(1).map(drop)
            }
            Effect::PopMark => self.above_mark().map(drop),
            Effect::Dup => {
                let top = self.top()?;
                self.push_id(top)
            }
            Effect::Stop => Err(ErrorKind::StackUnderflow),
            Effect::Unsupported(what) => Err(ErrorKind::Unsupported(what)),
        }
    }

    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    /// Takes the top `count` items.
    fn take(&mut self, count: usize) -> Result<Vec<Id>, ErrorKind> {
        let from = self.stack.len().checked_sub(count).filter(|from| *from >= self.fence());
        let from = from.ok_or(ErrorKind::StackUnderflow)?;
        Ok(self.stack.split_off(from))
    }

    fn above_mark(&mut self) -> Result<Vec<Id>, ErrorKind> {
        let mark = self.marks.pop().ok_or(ErrorKind::NoMark)?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn top(&self) -> Result<Id, ErrorKind> {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(*top),
            _ => Err(ErrorKind::StackUnderflow),
        }
    }

    fn get(&mut self, op: &Op<'_>) -> Result<(), ErrorKind> {
        let number = memo_number(op).ok_or(ErrorKind::Number)?;
        let loose = self.log.loose_before(number, op.at);
        match self.memo.get(&number) {
            Some((put, id)) if *put < op.at && loose.is_none_or(|loose| loose <= *put) => {
                self.push_id(*id)
            }
            _ => self.push(Node::Elsewhere { number, at: op.at }),
        }
    }

    /// Files the top of the stack. (The walk has checked the number.)
    fn put(&mut self, op: &Op<'_>) -> Result<(), ErrorKind> {
        let top = self.top()?;
        let number = put_number(op).unwrap_or(self.next);
        self.next = self.next.max(number.saturating_add(1));
        self.memo.insert(number, (op.at, top));
        Ok(())
    }

    fn replace(&mut self, code: u8, count: usize) -> Result<(), ErrorKind> {
        let taken = self.take(count)?;
        let node = match (code, taken.as_slice()) {
            (opcode::TUPLE1 | opcode::TUPLE2 | opcode::TUPLE3, _) => Node::Tuple(taken),
            (opcode::STACK_GLOBAL, [module, name]) => Node::StackGlobal(*module, *name),
            (_, [class, args, ..]) => instance(*class, Args::Tuple(*args)),
            _ => return Err(ErrorKind::StackUnderflow),
        };
        self.push(node)
    }

    fn gather(&mut self, op: &Op<'_>) -> Result<(), ErrorKind> {
        let mut taken = self.above_mark()?;
        let node = match op.code {
            opcode::TUPLE => Node::Tuple(taken),
            opcode::LIST => Node::List(taken),
            opcode::FROZENSET => Node::Frozen(taken),
            opcode::DICT => Node::Dict(pairs(taken)?),
            opcode::INST => {
                let Arg::Lines(module, name) = op.arg else { return Err(ErrorKind::Text) };
                let class = self.nodes.len();
                self.afford((module.len() + name.len()) as u64)?;
                self.nodes.push(Node::Global(module.to_vec(), name.to_vec()));
                instance(class, Args::Items(taken))
            }
            _ if taken.is_empty() => return Err(ErrorKind::StackUnderflow),
            _ => instance(taken.remove(0), Args::Items(taken)),
        };
        self.push(node)
    }

    /// Changes the top of the stack by what lay above it.
    fn change(&mut self, code: u8, mut taken: Vec<Id>) -> Result<(), ErrorKind> {
        let top = self.top()?;
        let node = self.nodes.get_mut(top).ok_or(ErrorKind::StackUnderflow)?;
        match (code, node) {
            (opcode::APPEND | opcode::APPENDS, Node::List(list)) => list.append(&mut taken),
            (opcode::APPEND | opcode::APPENDS | opcode::ADDITEMS, Node::Instance(instance)) => {
                instance.list.append(&mut taken);
            }
            (opcode::ADDITEMS, Node::Set(items)) => items.append(&mut taken),
            (opcode::SETITEM | opcode::SETITEMS, Node::Dict(items)) => {
                items.extend(pairs(taken)?);
            }
            (opcode::SETITEM | opcode::SETITEMS, Node::Instance(instance)) => {
                instance.items.extend(pairs(taken)?);
            }
            (opcode::BUILD, Node::Instance(instance)) => instance.state = taken.pop(),
            (_, Node::Elsewhere { .. }) => {
                return Err(ErrorKind::Unsupported("a change to a shared value"));
            }
            _ => return Err(ErrorKind::Type("items for a value that takes none")),
        }
        Ok(())
    }
}

fn instance(class: Id, args: Args) -> Node {
    Node::Instance(Box::new(Instance { class, args, ..Instance::default() }))
}

fn pairs(items: Vec<Id>) -> Result<Vec<Id>, ErrorKind> {
    if items.len().is_multiple_of(2) { Ok(items) } else { Err(ErrorKind::OddItems) }
}

/// Where an opcode's counted bytes lie.
pub(crate) fn body_span(op: &Op<'_>) -> Option<(u64, u64)> {
    match op.arg {
        Arg::Body { start, len } => Some((start, len)),
        _ => None,
    }
}

/// The value of an opcode with counted bytes.
pub(crate) fn counted(code: u8, bytes: Vec<u8>, python: Python) -> Result<Node, ErrorKind> {
    match opcode::string_kind(code) {
        Some(kind) => string(kind, bytes, python),
        None if code == opcode::BYTEARRAY8 => Ok(Node::Bytes(bytes)),
        None => {
            check_number(&bytes)?;
            Ok(integer(BigInt::from_signed_bytes_le(&bytes)))
        }
    }
}

fn string(kind: StringKind, bytes: Vec<u8>, python: Python) -> Result<Node, ErrorKind> {
    match kind {
        StringKind::Text => text::utf8(&bytes).map(Node::Text).ok_or(ErrorKind::Text),
        // The Python 3 port decodes what Python 2 wrote (Mailman/Utils.py, load_pickle).
        StringKind::Str if python == Python::Three => {
            Ok(Node::Text(String::from_utf8(bytes).unwrap_or_else(|e| text::latin1(e.as_bytes()))))
        }
        StringKind::Str | StringKind::Bytes => Ok(Node::Bytes(bytes)),
    }
}

fn check_number(bytes: &[u8]) -> Result<(), ErrorKind> {
    if bytes.len() > limits::PICKLE_NUMBER_BYTES {
        return Err(ErrorKind::Limit("one number"));
    }
    Ok(())
}

fn integer(value: BigInt) -> Node {
    match i64::try_from(&value) {
        Ok(small) => Node::Int(small),
        Err(_) => Node::Big(value),
    }
}

/// The value that an opcode without counted bytes pushes.
pub(crate) fn simple(op: &Op<'_>, python: Python) -> Result<Node, ErrorKind> {
    Ok(match (op.code, op.arg) {
        (opcode::NONE, _) => Node::None,
        (opcode::NEWTRUE, _) => Node::Bool(true),
        (opcode::NEWFALSE, _) => Node::Bool(false),
        (opcode::EMPTY_LIST, _) => Node::List(Vec::new()),
        (opcode::EMPTY_TUPLE, _) => Node::Tuple(Vec::new()),
        (opcode::EMPTY_DICT, _) => Node::Dict(Vec::new()),
        (opcode::EMPTY_SET, _) => Node::Set(Vec::new()),
        (opcode::INT, Arg::Line(b"00")) => Node::Bool(false),
        (opcode::INT, Arg::Line(b"01")) => Node::Bool(true),
        (opcode::INT | opcode::LONG, Arg::Line(line)) => {
            check_number(line)?;
            integer(text::integer(line).ok_or(ErrorKind::Number)?)
        }
        (opcode::FLOAT, Arg::Line(line)) => {
            Node::Float(text::float(line).ok_or(ErrorKind::Number)?)
        }
        (opcode::STRING, Arg::Line(line)) => {
            let bytes = text::string_line(line).ok_or(ErrorKind::Text)?.into_owned();
            string(StringKind::Str, bytes, python)?
        }
        (opcode::UNICODE, Arg::Line(line)) => {
            Node::Text(text::unicode_line(line).ok_or(ErrorKind::Text)?)
        }
        (opcode::BININT, Arg::Number(bits)) => Node::Int(i64::from(bits as u32 as i32)),
        (opcode::BININT1 | opcode::BININT2, Arg::Number(value)) => {
            Node::Int(i64::try_from(value).map_err(|_| ErrorKind::Number)?)
        }
        // The one big-endian number.
        (opcode::BINFLOAT, Arg::Number(bits)) => Node::Float(f64::from_bits(bits.swap_bytes())),
        (opcode::GLOBAL, Arg::Lines(module, name)) => Node::Global(module.to_vec(), name.to_vec()),
        (code, _) => return Err(ErrorKind::Opcode(code)),
    })
}
