//! Makes plain values of nodes.

use serde_pickle::{HashableValue, Value};

use super::build::{Args, Id, Instance, Node};
use super::error::ErrorKind;
use crate::limits;
use crate::python::Python;

/// Converts nodes, and counts what comes out: shared values are copied.
pub(crate) struct Converter<'n> {
    nodes: &'n [Node],
    python: Python,
    /// The containers that are being converted.
    open: Vec<bool>,
    values: usize,
    bytes: usize,
}

/// What becomes of a container's items.
#[derive(Debug, Clone, Copy)]
enum Kind {
    List,
    Tuple,
    Dict,
    Set,
    Frozen,
    /// The only item itself.
    Pass,
    /// `OrderedDict` from a list of pairs, then keys and values by turns.
    Pairs,
}

/// A node without items, or one with them.
enum Shape {
    Atom(Value),
    Container(Kind, Vec<Id>),
}

/// A container that is being converted.
struct Frame {
    id: Id,
    kind: Kind,
    items: std::vec::IntoIter<Id>,
    done: Vec<Value>,
}

impl<'n> Converter<'n> {
    /// A converter for these nodes.
    pub(crate) fn new(nodes: &'n [Node], python: Python) -> Self {
        Converter { nodes, python, open: vec![false; nodes.len()], values: 0, bytes: 0 }
    }

    /// The value of a node.
    pub(crate) fn value(&mut self, id: Id) -> Result<Value, ErrorKind> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut next = Some(id);
        loop {
            let mut value = match next.take() {
                Some(id) => match self.enter(id, frames.len())? {
                    Entered::Value(value) => Some(value),
                    Entered::Frame(frame) => {
                        frames.push(frame);
                        None
                    }
                },
                None => None,
            };
            loop {
                let Some(frame) = frames.last_mut() else {
                    match value {
                        Some(value) => return Ok(value),
                        None => return Err(ErrorKind::StackUnderflow),
                    }
                };
                frame.done.extend(value.take());
                next = frame.items.next();
                if next.is_some() {
                    break;
                }
                if let Some(frame) = frames.pop() {
                    self.mark_open(frame.id, false);
                    value = Some(self.finish(frame.kind, frame.done)?);
                }
            }
        }
    }

    /// Whether the node is a dict in Python, too, not an instance that is shown as one.
    pub(crate) fn is_dict(&self, id: Id) -> bool {
        match self.node(id) {
            Some(Node::Dict(_)) => true,
            Some(Node::Instance(instance)) => {
                let (module, name) = self.class(instance.class);
                module == b"collections" && name == b"OrderedDict"
            }
            _ => false,
        }
    }

    fn enter(&mut self, id: Id, depth: usize) -> Result<Entered, ErrorKind> {
        self.values += 1;
        if self.values > limits::PICKLE_VALUES {
            return Err(ErrorKind::Limit("values"));
        }
        match self.shape(id)? {
            Shape::Atom(value) => Ok(Entered::Value(value)),
            Shape::Container(kind, items) => {
                if depth >= limits::PICKLE_DEPTH {
                    return Err(ErrorKind::Limit("nesting"));
                }
                if !self.mark_open(id, true) {
                    return Err(ErrorKind::Recursive);
                }
                let items = items.into_iter();
                Ok(Entered::Frame(Frame { id, kind, items, done: Vec::new() }))
            }
        }
    }

    /// Notes whether the node is being converted; says whether that is news.
    fn mark_open(&mut self, id: Id, open: bool) -> bool {
        self.open.get_mut(id).is_some_and(|state| std::mem::replace(state, open) != open)
    }

    fn node(&self, id: Id) -> Option<&'n Node> {
        self.nodes.get(id)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ErrorKind> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > limits::PICKLE_VALUE_BYTES {
            return Err(ErrorKind::Limit("the bytes of values"));
        }
        Ok(())
    }

    fn shape(&mut self, id: Id) -> Result<Shape, ErrorKind> {
        let atom = match self.nodes.get(id).ok_or(ErrorKind::StackUnderflow)? {
            Node::None | Node::Global(..) | Node::StackGlobal(..) => Value::None,
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(value) => Value::I64(*value),
            Node::Big(value) => {
                self.spend(usize::try_from(value.bits() / 8).unwrap_or(usize::MAX))?;
                Value::Int(value.clone())
            }
            Node::Float(value) => Value::F64(*value),
            Node::Bytes(bytes) => {
                self.spend(bytes.len())?;
                Value::Bytes(bytes.clone())
            }
            Node::Text(text) => {
                self.spend(text.len())?;
                Value::String(text.clone())
            }
            Node::List(items) => return Ok(Shape::Container(Kind::List, items.clone())),
            Node::Tuple(items) => return Ok(Shape::Container(Kind::Tuple, items.clone())),
            Node::Dict(items) => return Ok(Shape::Container(Kind::Dict, items.clone())),
            Node::Set(items) => return Ok(Shape::Container(Kind::Set, items.clone())),
            Node::Frozen(items) => return Ok(Shape::Container(Kind::Frozen, items.clone())),
            Node::Instance(instance) => return self.instance(instance),
            Node::Elsewhere { number, .. } => return Err(ErrorKind::Memo(*number)),
        };
        Ok(Shape::Atom(atom))
    }

    /// What a class or function with its arguments stands for, as far as it is plain data.
    fn instance(&mut self, instance: &Instance) -> Result<Shape, ErrorKind> {
        let args = self.args(&instance.args);
        let first = args.first().and_then(|id| self.node(*id));
        let (module, name) = self.class(instance.class);
        if let Some(text) = self.encode_argument(instance) {
            return self.encoded(text);
        }
        let builtin = matches!(module.as_slice(), b"__builtin__" | b"builtins");
        match (builtin, name.as_slice(), first) {
            (true, b"set", Some(Node::List(items) | Node::Tuple(items))) => {
                return Ok(Shape::Container(Kind::Set, [items, instance.list.as_slice()].concat()));
            }
            (true, b"frozenset", Some(Node::List(items) | Node::Tuple(items))) => {
                return Ok(Shape::Container(Kind::Frozen, items.clone()));
            }
            (true, b"set", None) => {
                return Ok(Shape::Container(Kind::Set, instance.list.clone()));
            }
            (true, b"frozenset", None) => return Ok(Shape::Container(Kind::Frozen, Vec::new())),
            (true, b"bytearray" | b"bytes", None) => {
                return Ok(Shape::Atom(Value::Bytes(Vec::new())));
            }
            (true, b"bytearray" | b"bytes", Some(Node::Bytes(bytes))) => {
                self.spend(bytes.len())?;
                return Ok(Shape::Atom(Value::Bytes(bytes.clone())));
            }
            (true, b"bytearray", Some(Node::Text(text))) => return self.encoded(text),
            (true, b"bytearray", Some(Node::Instance(inner))) => {
                if let Some(text) = self.encode_argument(inner) {
                    return self.encoded(text);
                }
            }
            (false, b"OrderedDict", _) if module == b"collections" => {
                let items = args.first().into_iter().chain(&instance.items).copied().collect();
                let kind = if args.is_empty() { Kind::Dict } else { Kind::Pairs };
                return Ok(Shape::Container(kind, items));
            }
            _ => {}
        }
        Ok(match instance.state {
            Some(state) => Shape::Container(Kind::Pass, vec![state]),
            None if !instance.items.is_empty() => {
                Shape::Container(Kind::Dict, instance.items.clone())
            }
            None if !instance.list.is_empty() => {
                Shape::Container(Kind::List, instance.list.clone())
            }
            None => Shape::Atom(Value::None),
        })
    }

    /// The text in `_codecs.encode(text, 'latin1')`, as which Python 3 writes bytes for older
    /// protocols.
    fn encode_argument(&self, instance: &Instance) -> Option<&'n str> {
        let (module, name) = self.class(instance.class);
        let first = *self.args(&instance.args).first()?;
        match self.node(first) {
            Some(Node::Text(text)) if module == b"_codecs" && name == b"encode" => Some(text),
            _ => None,
        }
    }

    fn args(&self, args: &Args) -> Vec<Id> {
        match args {
            Args::Items(items) => items.clone(),
            Args::Tuple(id) => match self.node(*id) {
                Some(Node::Tuple(items)) => items.clone(),
                _ => vec![*id],
            },
        }
    }

    fn class(&self, id: Id) -> (Vec<u8>, Vec<u8>) {
        match self.node(id) {
            Some(Node::Global(module, name)) => (module.clone(), name.clone()),
            Some(Node::StackGlobal(module, name)) => (self.name(*module), self.name(*name)),
            _ => (Vec::new(), Vec::new()),
        }
    }

    fn name(&self, id: Id) -> Vec<u8> {
        match self.node(id) {
            Some(Node::Text(text)) => text.clone().into_bytes(),
            Some(Node::Bytes(bytes)) => bytes.clone(),
            _ => Vec::new(),
        }
    }

    /// Bytes that were written as text in Latin-1 (bytes of Python 3 below protocol 3).
    fn encoded(&mut self, text: &str) -> Result<Shape, ErrorKind> {
        self.spend(text.len())?;
        let bytes: Result<Vec<u8>, _> = text.chars().map(|c| u8::try_from(u32::from(c))).collect();
        Ok(Shape::Atom(Value::Bytes(bytes.map_err(|_| ErrorKind::Text)?)))
    }

    fn finish(&self, kind: Kind, done: Vec<Value>) -> Result<Value, ErrorKind> {
        Ok(match kind {
            Kind::List => Value::List(done),
            Kind::Tuple => Value::Tuple(done),
            Kind::Pass => done.into_iter().next().unwrap_or(Value::None),
            Kind::Set => Value::Set(hashable(done)?.into_iter().collect()),
            Kind::Frozen => Value::FrozenSet(hashable(done)?.into_iter().collect()),
            Kind::Dict => self.dict(done)?,
            Kind::Pairs => self.dict(flatten(done)?)?,
        })
    }

    /// Keys and values by turns make a dict; the first of equal keys and the last value stay.
    fn dict(&self, done: Vec<Value>) -> Result<Value, ErrorKind> {
        let mut dict = std::collections::BTreeMap::new();
        let mut done = done.into_iter();
        while let (Some(key), Some(value)) = (done.next(), done.next()) {
            let key = key.into_hashable().map_err(|_| ErrorKind::Unhashable)?;
            let key = match twin(&key) {
                Some(twin) if self.python == Python::Two && dict.contains_key(&twin) => twin,
                _ => key,
            };
            dict.insert(key, value);
        }
        Ok(Value::Dict(dict))
    }
}

/// A node's value, or the work that leads to it.
enum Entered {
    Value(Value),
    Frame(Frame),
}

/// The key of the other string type that Python 2 takes for the same.
fn twin(key: &HashableValue) -> Option<HashableValue> {
    match key {
        HashableValue::Bytes(bytes) if bytes.is_ascii() => {
            Some(HashableValue::String(String::from_utf8(bytes.clone()).ok()?))
        }
        HashableValue::String(text) if text.is_ascii() => {
            Some(HashableValue::Bytes(text.clone().into_bytes()))
        }
        _ => None,
    }
}

fn hashable(values: Vec<Value>) -> Result<Vec<HashableValue>, ErrorKind> {
    values.into_iter().map(|v| v.into_hashable().map_err(|_| ErrorKind::Unhashable)).collect()
}

/// The first of the values is a list of pairs; they and the rest become one list.
fn flatten(values: Vec<Value>) -> Result<Vec<Value>, ErrorKind> {
    let mut values = values.into_iter();
    let mut flat = Vec::new();
    if let Some(Value::List(pairs)) = values.next() {
        for pair in pairs {
            match pair {
                Value::List(pair) | Value::Tuple(pair) if pair.len() == 2 => flat.extend(pair),
                _ => return Err(ErrorKind::Type("an item that is no pair")),
            }
        }
    }
    flat.extend(values);
    Ok(flat)
}
