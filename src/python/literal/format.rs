//! `string % arguments`.

use super::operators::join_strings;
use super::value::{Heap, Object, ObjectId, Unfollowed, Value};
use crate::python::Python;

/// What the conversions take their arguments from.
enum Arguments {
    /// A tuple, or one value by itself.
    Sequence(std::vec::IntoIter<Value>),
    Mapping(ObjectId),
}

/// `template % arguments`: `%s %d %i %%` and `%(key)s`, without flags or widths, on strings and
/// integers. Everything else is not followed.
pub(super) fn format(
    template: &Value,
    arguments: &Value,
    heap: &mut Heap,
    python: Python,
) -> Result<Value, Unfollowed> {
    let template_bytes = match (template, python) {
        (Value::Text(text), _) => text.as_bytes(),
        (Value::Bytes(bytes), Python::Two) => bytes,
        _ => return Err(Unfollowed),
    };
    heap.spend(template_bytes.len())?;
    let mut arguments = match arguments {
        Value::Object(id) => match heap.object(*id) {
            Object::Tuple(items) => {
                let items = items.clone();
                heap.spend_elements(items.len())?;
                Arguments::Sequence(items.into_iter())
            }
            Object::Dict(_) => Arguments::Mapping(*id),
            _ => return Err(Unfollowed),
        },
        value => Arguments::Sequence(vec![value.clone()].into_iter()),
    };
    let mut pieces = Vec::new();
    for piece in pieces_of(template_bytes)? {
        pieces.push(match piece {
            Piece::Plain(bytes) if matches!(template, Value::Text(_)) => Value::text(utf8(bytes)?),
            Piece::Plain(bytes) => Value::bytes(bytes.to_vec()),
            Piece::Conversion { key, kind } => {
                let value = argument(&mut arguments, key, template, heap, python)?;
                converted(value, kind, python)?
            }
        });
    }
    if let Arguments::Sequence(mut left) = arguments
        && left.next().is_some()
    {
        return Err(Unfollowed);
    }
    join_strings(&pieces, heap, python)
}

enum Piece<'a> {
    Plain(&'a [u8]),
    Conversion { key: Option<&'a [u8]>, kind: u8 },
}

fn utf8(bytes: &[u8]) -> Result<String, Unfollowed> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Unfollowed)
}

fn pieces_of(template: &[u8]) -> Result<Vec<Piece<'_>>, Unfollowed> {
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        let (plain, from_percent) = rest.split_at_checked(at).ok_or(Unfollowed)?;
        pieces.push(Piece::Plain(plain));
        let mut after = from_percent.get(1..).ok_or(Unfollowed)?;
        let mut key = None;
        if let Some(from_key) = after.strip_prefix(b"(") {
            // Python counts parentheses inside a key; a key with one is not followed.
            let end = from_key.iter().position(|byte| b"()".contains(byte)).ok_or(Unfollowed)?;
            if from_key.get(end) != Some(&b')') {
                return Err(Unfollowed);
            }
            key = from_key.get(..end);
            after = from_key.get(end + 1..).ok_or(Unfollowed)?;
        }
        let (&kind, next) = after.split_first().ok_or(Unfollowed)?;
        pieces.push(match kind {
            b'%' if key.is_none() => Piece::Plain(b"%"),
            b's' | b'd' | b'i' => Piece::Conversion { key, kind },
            _ => return Err(Unfollowed),
        });
        rest = next;
    }
    pieces.push(Piece::Plain(rest));
    Ok(pieces)
}

fn argument(
    arguments: &mut Arguments,
    key: Option<&[u8]>,
    template: &Value,
    heap: &mut Heap,
    python: Python,
) -> Result<Value, Unfollowed> {
    match (arguments, key) {
        (Arguments::Sequence(values), None) => values.next().ok_or(Unfollowed),
        (Arguments::Mapping(id), Some(key)) => {
            let key = match template {
                Value::Text(_) => Value::text(utf8(key)?),
                _ => Value::bytes(key.to_vec()),
            };
            let index = heap.find_key(*id, &key, python)?.ok_or(Unfollowed)?;
            match heap.object(*id) {
                Object::Dict(entries) => {
                    entries.get(index).map(|entry| entry.1.clone()).ok_or(Unfollowed)
                }
                _ => Err(Unfollowed),
            }
        }
        _ => Err(Unfollowed),
    }
}

/// What a conversion writes, in Python's kind of `str`.
fn converted(value: Value, kind: u8, python: Python) -> Result<Value, Unfollowed> {
    let written = match value {
        Value::Text(_) if kind == b's' => return Ok(value),
        Value::Bytes(_) if kind == b's' && python == Python::Two => return Ok(value),
        Value::None if kind == b's' => "None".to_owned(),
        Value::Bool(b) if kind == b's' => if b { "True" } else { "False" }.to_owned(),
        _ => value.as_int().ok_or(Unfollowed)?.to_string(),
    };
    Ok(match python {
        Python::Two => Value::bytes(written.into_bytes()),
        Python::Three => Value::text(written),
    })
}
