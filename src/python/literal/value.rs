//! Values while a file is being followed, and the containers they share.
//!
//! Assignment in Python shares containers: after `A = B = []`, `A.append(1)` changes `B`. So
//! containers live in a [`Heap`] and values refer to them.

use std::sync::Arc;

use super::{Function, Literal};
use crate::limits::{MM_CFG_DEPTH, MM_CFG_VALUE_BYTES};
use crate::python::Python;

/// The value, or the effect, of something that the reader cannot follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfollowed;

/// A container in the [`Heap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ObjectId(usize);

/// A value; cloning it shares what is large.
#[derive(Debug, Clone)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Bytes(Arc<[u8]>),
    Text(Arc<str>),
    Object(ObjectId),
    Function(Function),
}

impl Value {
    pub(super) fn bytes(bytes: Vec<u8>) -> Self {
        Value::Bytes(bytes.into())
    }

    pub(super) fn text(text: String) -> Self {
        Value::Text(text.into())
    }

    /// `self == other` for two scalars. True is 1 and 1.0, and in Python 2 ASCII bytes equal text.
    pub(super) fn equals(&self, other: &Self, python: Python) -> Result<bool, Unfollowed> {
        if let (Some(a), Some(b)) = (self.as_float(), other.as_float()) {
            return match (self.as_int(), other.as_int()) {
                (Some(a), Some(b)) => Ok(a == b),
                // Beyond 2^53 an integer is not the float it converts to.
                _ if a.abs() > 9e15 || b.abs() > 9e15 => Err(Unfollowed),
                _ => Ok(a == b),
            };
        }
        match (self, other) {
            (Value::Object(_) | Value::Function(_), _)
            | (_, Value::Object(_) | Value::Function(_)) => Err(Unfollowed),
            (Value::None, Value::None) => Ok(true),
            (Value::Bytes(a), Value::Bytes(b)) => Ok(a == b),
            (Value::Text(a), Value::Text(b)) => Ok(a == b),
            (Value::Bytes(b), Value::Text(t)) | (Value::Text(t), Value::Bytes(b)) => {
                Ok(python == Python::Two && b.is_ascii() && **b == *t.as_bytes())
            }
            _ => Ok(false),
        }
    }

    /// The number that a bool or int is.
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Value::Bool(b) => Some(i64::from(*b)),
            Value::Int(i) => Some(*i),
            _ => None,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "Python's conversion rounds the same way")]
    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float(f) => Some(*f),
            _ => self.as_int().map(|i| i as f64),
        }
    }
}

/// What a container holds.
#[derive(Debug, Clone)]
pub(super) enum Object {
    List(Vec<Value>),
    Tuple(Vec<Value>),
    /// In order of insertion.
    Dict(Vec<(Value, Value)>),
    /// Something may have changed it in a way that was not followed.
    Poisoned,
}

#[derive(Debug)]
struct Slot {
    object: Object,
    /// The line of its last change; 0 while it is as a library made it.
    changed: usize,
}

/// All containers that the file makes, and what is left of the allowance for values.
#[derive(Debug)]
pub(super) struct Heap {
    slots: Vec<Slot>,
    allowance: usize,
    pub(super) is_exhausted: bool,
}

/// What an element of a container counts for.
const ELEMENT_BYTES: usize = 16;

impl Heap {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), allowance: MM_CFG_VALUE_BYTES, is_exhausted: false }
    }

    /// Forgets all containers, when no name refers to one any more. What was spent stays spent.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }

    /// Counts work or memory; once the allowance is used up nothing can be known any more.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Unfollowed> {
        match self.allowance.checked_sub(bytes) {
            Some(left) => {
                self.allowance = left;
                Ok(())
            }
            None => {
                self.is_exhausted = true;
                Err(Unfollowed)
            }
        }
    }

    pub(super) fn spend_elements(&mut self, count: usize) -> Result<(), Unfollowed> {
        self.spend(count.saturating_mul(ELEMENT_BYTES))
    }

    fn add(&mut self, object: Object, line: usize) -> Result<Value, Unfollowed> {
        let len = match &object {
            Object::List(items) | Object::Tuple(items) => items.len(),
            Object::Dict(entries) => 2 * entries.len(),
            Object::Poisoned => 0,
        };
        self.spend_elements(len + 4)?;
        self.slots.push(Slot { object, changed: line });
        Ok(Value::Object(ObjectId(self.slots.len() - 1)))
    }

    pub(super) fn list(&mut self, items: Vec<Value>, line: usize) -> Result<Value, Unfollowed> {
        self.add(Object::List(items), line)
    }

    pub(super) fn tuple(&mut self, items: Vec<Value>, line: usize) -> Result<Value, Unfollowed> {
        self.add(Object::Tuple(items), line)
    }

    pub(super) fn dict(&mut self, line: usize) -> Result<ObjectId, Unfollowed> {
        match self.add(Object::Dict(Vec::new()), line)? {
            Value::Object(id) => Ok(id),
            _ => Err(Unfollowed),
        }
    }

    pub(super) fn object(&self, id: ObjectId) -> &Object {
        self.slots.get(id.0).map_or(&Object::Poisoned, |slot| &slot.object)
    }

    /// The items of a list, to be changed on this line.
    pub(super) fn list_mut(
        &mut self,
        id: ObjectId,
        line: usize,
    ) -> Result<&mut Vec<Value>, Unfollowed> {
        match self.slots.get_mut(id.0) {
            Some(Slot { object: Object::List(items), changed }) => {
                *changed = line;
                Ok(items)
            }
            _ => Err(Unfollowed),
        }
    }

    /// The entries of a dict, to be changed on this line.
    pub(super) fn dict_mut(
        &mut self,
        id: ObjectId,
        line: usize,
    ) -> Result<&mut Vec<(Value, Value)>, Unfollowed> {
        match self.slots.get_mut(id.0) {
            Some(Slot { object: Object::Dict(entries), changed }) => {
                *changed = line;
                Ok(entries)
            }
            _ => Err(Unfollowed),
        }
    }

    /// Where a dict has this key. Keys that are containers are not followed.
    pub(super) fn find_key(
        &mut self,
        id: ObjectId,
        key: &Value,
        python: Python,
    ) -> Result<Option<usize>, Unfollowed> {
        let Object::Dict(entries) = self.object(id) else { return Err(Unfollowed) };
        if matches!(key, Value::Object(_) | Value::Function(_)) {
            return Err(Unfollowed);
        }
        let mut found = None;
        for (index, (present, _)) in entries.iter().enumerate() {
            if present.equals(key, python)? {
                found = Some(index);
                break;
            }
        }
        let searched = entries.len();
        self.spend(searched)?;
        Ok(found)
    }

    /// `dict[key] = value`. The key that was there first stays.
    pub(super) fn insert(
        &mut self,
        id: ObjectId,
        (key, value): (Value, Value),
        python: Python,
        line: usize,
    ) -> Result<(), Unfollowed> {
        let found = self.find_key(id, &key, python)?;
        self.spend_elements(2)?;
        let entries = self.dict_mut(id, line)?;
        match found.and_then(|index| entries.get_mut(index)) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
        Ok(())
    }

    /// Marks every container that can be reached from here as no longer known.
    pub(super) fn poison(&mut self, value: &Value, line: usize) {
        let mut pending = vec![value.clone()];
        while let Some(value) = pending.pop() {
            let Value::Object(id) = value else { continue };
            let Some(slot) = self.slots.get_mut(id.0) else { continue };
            let children = match &mut slot.object {
                // What a tuple holds stays the same, though not what its elements hold.
                Object::Tuple(items) => items.clone(),
                Object::List(items) => std::mem::take(items),
                Object::Dict(entries) => {
                    std::mem::take(entries).into_iter().flat_map(|(k, v)| [k, v]).collect()
                }
                Object::Poisoned => Vec::new(),
            };
            if !matches!(slot.object, Object::Tuple(_) | Object::Poisoned) {
                slot.object = Object::Poisoned;
                slot.changed = line;
            }
            if self.spend_elements(children.len() + 1).is_err() {
                return;
            }
            pending.extend(children);
        }
    }

    /// Copies a literal in, as something that no line of the file has changed.
    pub(super) fn import(&mut self, literal: &Literal) -> Result<Value, Unfollowed> {
        Ok(match literal {
            Literal::None => Value::None,
            Literal::Bool(b) => Value::Bool(*b),
            Literal::Int(i) => Value::Int(*i),
            Literal::Float(f) => Value::Float(*f),
            Literal::Bytes(bytes) => Value::Bytes(bytes.as_slice().into()),
            Literal::Text(text) => Value::Text(text.as_str().into()),
            Literal::List(items) => {
                let items = items.iter().map(|item| self.import(item)).collect::<Result<_, _>>()?;
                self.list(items, 0)?
            }
            Literal::Tuple(items) => {
                let items = items.iter().map(|item| self.import(item)).collect::<Result<_, _>>()?;
                self.tuple(items, 0)?
            }
            Literal::Dict(entries) => {
                let entries = entries.iter().map(|(k, v)| Ok((self.import(k)?, self.import(v)?)));
                let entries = entries.collect::<Result<_, _>>()?;
                self.add(Object::Dict(entries), 0)?
            }
        })
    }

    /// Copies a value out, shared containers as often as they occur.
    pub(super) fn export(&self, value: &Value) -> Result<Exported, Unfollowed> {
        let mut export = Export { heap: self, allowance: MM_CFG_VALUE_BYTES, latest_change: 0 };
        let literal = export.literal(value, 0)?;
        Ok(Exported { literal, latest_change: export.latest_change })
    }

    /// The line since which a container is not known.
    pub(super) fn poisoned_line(&self, value: &Value) -> Option<usize> {
        let Value::Object(id) = value else { return None };
        let slot = self.slots.get(id.0)?;
        matches!(slot.object, Object::Poisoned).then_some(slot.changed)
    }
}

/// A value by itself, and the last line on which a container in it was changed.
pub(super) struct Exported {
    pub(super) literal: Literal,
    pub(super) latest_change: usize,
}

struct Export<'a> {
    heap: &'a Heap,
    allowance: usize,
    latest_change: usize,
}

impl Export<'_> {
    fn spend(&mut self, bytes: usize) -> Result<(), Unfollowed> {
        self.allowance = self.allowance.checked_sub(bytes + ELEMENT_BYTES).ok_or(Unfollowed)?;
        Ok(())
    }

    fn literal(&mut self, value: &Value, depth: usize) -> Result<Literal, Unfollowed> {
        self.spend(0)?;
        Ok(match value {
            Value::None => Literal::None,
            Value::Bool(b) => Literal::Bool(*b),
            Value::Int(i) => Literal::Int(*i),
            Value::Float(f) => Literal::Float(*f),
            Value::Bytes(bytes) => {
                self.spend(bytes.len())?;
                Literal::Bytes(bytes.to_vec())
            }
            Value::Text(text) => {
                self.spend(text.len())?;
                Literal::Text(text.to_string())
            }
            Value::Function(_) => return Err(Unfollowed),
            Value::Object(id) => self.container(*id, depth)?,
        })
    }

    fn container(&mut self, id: ObjectId, depth: usize) -> Result<Literal, Unfollowed> {
        let slot = self.heap.slots.get(id.0).ok_or(Unfollowed)?;
        if depth >= MM_CFG_DEPTH {
            return Err(Unfollowed);
        }
        self.latest_change = self.latest_change.max(slot.changed);
        let mut inner = |value| self.literal(value, depth + 1);
        Ok(match &slot.object {
            Object::Poisoned => return Err(Unfollowed),
            Object::List(items) => {
                Literal::List(items.iter().map(inner).collect::<Result<_, _>>()?)
            }
            Object::Tuple(items) => {
                Literal::Tuple(items.iter().map(inner).collect::<Result<_, _>>()?)
            }
            Object::Dict(entries) => {
                let entries = entries.iter().map(|(k, v)| Ok((inner(k)?, inner(v)?)));
                Literal::Dict(entries.collect::<Result<_, _>>()?)
            }
        })
    }
}
