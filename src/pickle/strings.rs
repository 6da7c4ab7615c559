//! The part of the walk that looks at strings: which of them are keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::error::ErrorKind;
use super::memo::{Finder, memo_number, put_number};
use super::opcode::{self, StringKind};
use super::source::{Arg, Op, ReadAt, Window};
use super::track::Shape;
use super::walk::{Flow, Key, RESCAN_WINDOW, Stopped, Walk};
use super::{same_string, text};
use crate::limits;
use crate::python::Python;

/// Where strings were put in the memo.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    /// For each number 0, or one more than the place of the opcode that made the string.
    places: Vec<u32>,
    /// Where the last string's opcode ended, and where it began.
    last: (u64, u64),
    /// A number was put twice, or is beyond all measure.
    unclear: bool,
}

impl Strings {
    /// A string's opcode lies there.
    #[inline(always)]
    pub(super) fn made(&mut self, at: u64, end: u64) {
        self.last = (end, at);
    }

    /// The PUT at `at` has this number; those in a walk that begins at number `next` rise.
    #[inline(always)]
    pub(super) fn put(&mut self, number: u64, at: u64, next: u64) {
        let (end, made) = self.last;
        self.unclear |= number < next;
        if end != at || made >= u64::from(u32::MAX >> 1) {
            return;
        }
        let index = number as usize;
        if self.places.len() != index {
            self.pad(index);
        }
        if !self.unclear {
            self.places.push((made as u32).wrapping_add(1));
        }
    }

    /// Numbers of other things lie between.
    #[cold]
    fn pad(&mut self, index: usize) {
        // As many as a pickle of the largest size could put.
        self.unclear |= index < self.places.len() || index as u64 > limits::PICKLE_BYTES / 2;
        if !self.unclear {
            self.places.resize(index, 0);
        }
    }

    /// All of it, if it is clear.
    pub(super) fn places(self) -> Option<Vec<u32>> {
        (!self.unclear).then_some(self.places)
    }
}

impl<'s, R: ReadAt + ?Sized> Walk<'_, 's, R> {
    pub(super) fn push(&mut self, op: &Op<'_>, window: &Window<'s, R>) -> Result<Flow, Stopped> {
        let Some(kind) = opcode::string_kind(op.code) else {
            if op.code == opcode::GLOBAL {
                self.class(op);
            }
            self.pushed(op.end, shape(op.code));
            return Ok(Flow::Next);
        };
        if let Some(strings) = &mut self.strings {
            strings.made(op.at, op.end);
        }
        let line;
        let body = match op.arg {
            Arg::Body { len, .. } if len > self.filter.longest() => None,
            Arg::Body { start, len } => match window.slice(start, len) {
                Some(body) => Some(body),
                None => return Ok(Flow::Fetch),
            },
            Arg::Line(text) => {
                line = line_body(text, kind)?;
                Some(line.as_slice())
            }
            _ => None,
        };
        self.string(op.end, kind, body)?;
        Ok(Flow::Next)
    }

    /// Pushes a string; `body` is `None` if it is too long to be anything asked for.
    fn string(&mut self, end: u64, kind: StringKind, body: Option<&[u8]>) -> Result<(), ErrorKind> {
        let key = self.is_key_place();
        let slot = self.depth;
        self.pushed(end, Shape::Plain);
        let text = if kind == StringKind::Text { Python::Three } else { Python::Two };
        let python = self.python.unwrap_or(text);
        let address = body.and_then(|body| {
            self.request.addresses.iter().position(|a| same_string(a, kind, body, python))
        });
        self.address(slot, end, address)?;
        if key {
            self.open_key(slot, end, kind, body)?;
        }
        Ok(())
    }

    /// A string was pushed that is this address, or none.
    fn address(&mut self, slot: u64, end: u64, address: Option<usize>) -> Result<(), ErrorKind> {
        self.last_address = address.map(|address| (end, address));
        let Some(address) = address else { return Ok(()) };
        // The address may be a key of the value that the last key has. It will also count as a
        // top-level key if there is no mark between them (one entry, SETITEM), until it is used.
        let here = self.here(end);
        if let Some(key) = self.keys.last_mut()
            && key.tag.lookup
            && slot > key.slot
        {
            self.hits.open(slot, here, address)?;
        }
        Ok(())
    }

    /// Whether the next item may be a key of the top-level dict.
    fn is_key_place(&self) -> bool {
        match self.marks.as_slice() {
            [] => self.depth % 2 == 1,
            [mark] => *mark <= 1 && (self.depth - mark).is_multiple_of(2),
            _ => false,
        }
    }

    fn open_key(
        &mut self,
        slot: u64,
        end: u64,
        kind: StringKind,
        body: Option<&[u8]>,
    ) -> Result<(), ErrorKind> {
        let python = if kind == StringKind::Text { Python::Three } else { Python::Two };
        self.python.get_or_insert(python);
        let name = body.and_then(|body| {
            self.names
                .binary_search_by(|name| (name.len(), name.as_bytes()).cmp(&(body.len(), body)))
                .ok()
        });
        let lookup = name
            .and_then(|name| self.names.get(name))
            .is_some_and(|name| self.request.dicts.contains(name));
        self.keys.open(slot, self.here(end), Key { name, lookup, found: BTreeMap::new() })
    }

    pub(super) fn get(&mut self, op: &Op<'_>) -> Result<(), Stopped> {
        let number = memo_number(op).ok_or(ErrorKind::Number)?;
        if !self.memo.knows(number) {
            return Err(ErrorKind::Memo(number).into());
        }
        let slot = self.depth;
        let key = self.is_key_place();
        self.pushed(op.end, Shape::Unknown);
        let address = self.addresses.get(&number).copied();
        self.address(slot, op.end, address)?;
        if key && let Some((kind, body)) = self.string_at(number, op.at)? {
            self.open_key(slot, op.end, kind, Some(&body))?;
        }
        Ok(())
    }

    /// The string that the memo had under `number` at `at`, if it is a string of a key's length.
    pub(super) fn string_at(
        &mut self,
        number: u64,
        at: u64,
    ) -> Result<Option<(StringKind, Vec<u8>)>, Stopped> {
        let mut window = Window::new(self.source, RESCAN_WINDOW);
        let mut finder = Finder::new(&self.memo, &mut self.rescan);
        let Some(place) = finder.find(&mut window, number, at)? else {
            return Err(ErrorKind::Memo(number).into());
        };
        self.read_string(&mut window, place.made)
    }

    /// The string that the opcode at `at` pushes, if it is one of a key's length.
    pub(super) fn read_string(
        &self,
        window: &mut Window<'s, R>,
        at: u64,
    ) -> Result<Option<(StringKind, Vec<u8>)>, Stopped> {
        let op = window.op(at)?;
        let Some(kind) = opcode::string_kind(op.code) else { return Ok(None) };
        let body = match op.arg {
            Arg::Body { len, .. } if len > self.filter.longest() => return Ok(None),
            Arg::Body { start, len } => {
                window.copy(start, usize::try_from(len).unwrap_or(usize::MAX))?
            }
            Arg::Line(line) => line_body(line, kind)?,
            _ => return Ok(None),
        };
        Ok(Some((kind, body)))
    }

    pub(super) fn put(&mut self, op: &Op<'_>) -> Result<(), ErrorKind> {
        self.need(1)?;
        let number = match put_number(op) {
            Some(number) => number,
            None if op.code == opcode::MEMOIZE => self.memo.memoize()?,
            None => return Err(ErrorKind::Number),
        };
        if let Some(strings) = &mut self.strings {
            strings.put(number, op.at, self.memo.next());
        }
        if self.memo.put(number, op.at)? {
            // Lower numbers cannot be got.
            (number.saturating_sub(1024)..number).for_each(|lower| self.filter.memo(lower));
        }
        match self.last_address.filter(|(end, _)| *end == op.at) {
            Some((_, address)) => {
                self.last_address = Some((op.end, address));
                self.addresses.insert(number, address);
                self.filter.memo(number);
                if self.addresses.len() > limits::PICKLE_LOOSE_MEMOS {
                    return Err(ErrorKind::Limit("copies of one address"));
                }
            }
            None => {
                self.addresses.remove(&number);
            }
        }
        let top = self.depth - 1;
        let here = self.here(op.end);
        self.keys.memoized(top, here);
        self.hits.memoized(top, here);
        Ok(())
    }
}

/// The kind of value that an opcode with its own bytes pushes.
fn shape(code: u8) -> Shape {
    match code {
        opcode::EMPTY_DICT => Shape::Dict,
        opcode::GLOBAL => Shape::Unknown,
        _ => Shape::Plain,
    }
}

/// The bytes (text as UTF-8) of a string that protocol 0 writes on a line.
fn line_body(line: &[u8], kind: StringKind) -> Result<Vec<u8>, ErrorKind> {
    match kind {
        StringKind::Text => text::unicode_line(line).map(String::into_bytes),
        _ => text::string_line(line).map(Cow::into_owned),
    }
    .ok_or(ErrorKind::Text)
}
