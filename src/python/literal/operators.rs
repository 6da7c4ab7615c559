//! Python's operators on known values.

use std::sync::Arc;

use super::format::format;
use super::value::{Heap, Object, Unfollowed, Value};
use crate::python::Python;

/// `left op right`; `op` is one of `+ - * % | ^ &`.
pub(super) fn binary(
    op: &str,
    left: &Value,
    right: &Value,
    heap: &mut Heap,
    python: Python,
    line: usize,
) -> Result<Value, Unfollowed> {
    let result = match op {
        "%" if is_string(left) => return format(left, right, heap, python),
        "+" if !is_number(left) => return concatenate(left, right, heap, python, line),
        "*" if !(is_number(left) && is_number(right)) => return repeat(left, right, heap, line),
        "|" | "^" | "&" => bitwise(op, left, right),
        _ => arithmetic(op, left, right),
    };
    result.ok_or(Unfollowed)
}

fn is_string(value: &Value) -> bool {
    matches!(value, Value::Bytes(_) | Value::Text(_))
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_))
}

fn arithmetic(op: &str, left: &Value, right: &Value) -> Option<Value> {
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return Some(Value::Int(match op {
            "+" => a.checked_add(b)?,
            "-" => a.checked_sub(b)?,
            "*" => a.checked_mul(b)?,
            // The remainder has the sign of the divisor.
            "%" => match a.checked_rem(b)? {
                remainder if remainder != 0 && (remainder < 0) != (b < 0) => remainder + b,
                remainder => remainder,
            },
            _ => return None,
        }));
    }
    let (a, b) = (left.as_float()?, right.as_float()?);
    Some(Value::Float(match op {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        _ => return None,
    }))
}

fn bitwise(op: &str, left: &Value, right: &Value) -> Option<Value> {
    let (a, b) = (left.as_int()?, right.as_int()?);
    let result = match op {
        "|" => a | b,
        "^" => a ^ b,
        _ => a & b,
    };
    let are_bools = matches!((left, right), (Value::Bool(_), Value::Bool(_)));
    Some(if are_bools { Value::Bool(result != 0) } else { Value::Int(result) })
}

/// `-value`, `+value`, `~value`.
pub(super) fn unary(op: &str, value: &Value) -> Result<Value, Unfollowed> {
    let result = match (op, value.as_int(), value) {
        ("-", Some(i), _) => i.checked_neg().map(Value::Int),
        ("+", Some(i), _) => Some(Value::Int(i)),
        ("~", Some(i), _) => Some(Value::Int(!i)),
        ("-", None, Value::Float(f)) => Some(Value::Float(-f)),
        ("+", None, Value::Float(f)) => Some(Value::Float(*f)),
        _ => None,
    };
    result.ok_or(Unfollowed)
}

/// Whether a value is true to `not`.
pub(super) fn is_true(value: &Value, heap: &Heap) -> Result<bool, Unfollowed> {
    Ok(match value {
        Value::None => false,
        Value::Bytes(b) => !b.is_empty(),
        Value::Text(t) => !t.is_empty(),
        Value::Function(_) => true,
        Value::Object(id) => match heap.object(*id) {
            Object::List(items) | Object::Tuple(items) => !items.is_empty(),
            Object::Dict(entries) => !entries.is_empty(),
            Object::Poisoned => return Err(Unfollowed),
        },
        _ => value.as_float().is_some_and(|number| number != 0.0),
    })
}

/// The characters of a string as text: Python 2 decodes bytes as ASCII.
pub(super) fn as_text(value: &Value, python: Python) -> Result<Arc<str>, Unfollowed> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Bytes(bytes) if python == Python::Two && bytes.is_ascii() => {
            std::str::from_utf8(bytes).map(Into::into).map_err(|_| Unfollowed)
        }
        _ => Err(Unfollowed),
    }
}

/// Strings put together: text if one of them is.
pub(super) fn join_strings(
    pieces: &[Value],
    heap: &mut Heap,
    python: Python,
) -> Result<Value, Unfollowed> {
    let is_text = pieces.iter().any(|piece| matches!(piece, Value::Text(_)));
    let (mut text, mut bytes) = (String::new(), Vec::new());
    for piece in pieces {
        match piece {
            Value::Bytes(more) if !is_text => {
                heap.spend(more.len())?;
                bytes.extend_from_slice(more);
            }
            _ => {
                let more = as_text(piece, python)?;
                heap.spend(more.len())?;
                text.push_str(&more);
            }
        }
    }
    Ok(if is_text { Value::text(text) } else { Value::bytes(bytes) })
}

fn concatenate(
    left: &Value,
    right: &Value,
    heap: &mut Heap,
    python: Python,
    line: usize,
) -> Result<Value, Unfollowed> {
    let (Value::Object(a), Value::Object(b)) = (left, right) else {
        return join_strings(&[left.clone(), right.clone()], heap, python);
    };
    let (a, b) = (heap.object(*a), heap.object(*b));
    match (a, b) {
        (Object::List(a), Object::List(b)) => {
            let (len, a, b) = (a.len() + b.len(), a.clone(), b.clone());
            heap.spend_elements(len)?;
            heap.list([a, b].concat(), line)
        }
        (Object::Tuple(a), Object::Tuple(b)) => {
            let (len, a, b) = (a.len() + b.len(), a.clone(), b.clone());
            heap.spend_elements(len)?;
            heap.tuple([a, b].concat(), line)
        }
        _ => Err(Unfollowed),
    }
}

/// A string, list or tuple times a number, in either order.
fn repeat(left: &Value, right: &Value, heap: &mut Heap, line: usize) -> Result<Value, Unfollowed> {
    let (sequence, times) = match (left.as_int(), right.as_int()) {
        (Some(times), None) => (right, times),
        (None, Some(times)) => (left, times),
        _ => return Err(Unfollowed),
    };
    let times = usize::try_from(times.max(0)).map_err(|_| Unfollowed)?;
    match sequence {
        Value::Bytes(bytes) => {
            heap.spend(bytes.len().saturating_mul(times))?;
            Ok(Value::bytes(bytes.repeat(times)))
        }
        Value::Text(text) => {
            heap.spend(text.len().saturating_mul(times))?;
            Ok(Value::text(text.repeat(times)))
        }
        Value::Object(id) => {
            let (items, is_list) = match heap.object(*id) {
                Object::List(items) => (items, true),
                Object::Tuple(items) => (items, false),
                _ => return Err(Unfollowed),
            };
            let (len, items) = (items.len(), items.clone());
            heap.spend_elements(len.saturating_mul(times))?;
            let repeated = if len == 0 {
                items
            } else {
                std::iter::repeat_n(items, times).flatten().collect()
            };
            if is_list { heap.list(repeated, line) } else { heap.tuple(repeated, line) }
        }
        _ => Err(Unfollowed),
    }
}
