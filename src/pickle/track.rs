//! Keys on the walk's stack whose values are still being read.

use super::error::ErrorKind;
use crate::limits;

/// A part of the pickle: from the first byte to the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The number that a MEMOIZE at its start would use.
    pub(crate) memo: u64,
}

/// Where the walk is after an opcode.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Here {
    /// The next opcode.
    pub(crate) end: u64,
    /// The number that a MEMOIZE there would use.
    pub(crate) memo: u64,
}

impl Here {
    fn empty(self) -> Span {
        Span { start: self.end, end: self.end, memo: self.memo }
    }
}

/// What kind of value an item on the stack is, as far as the walk knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A dict made right here.
    Dict,
    /// Certainly something else than a dict.
    Plain,
    /// A memo reference or an instance: it takes a closer look.
    Unknown,
}

/// How an opcode left the item that is on top after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// It is a new item of this kind.
    Made(Shape),
    /// It was there before and was changed.
    Changed,
    /// It was there before.
    Bared,
}

/// A key on the stack and the opcodes of its value so far.
#[derive(Debug)]
pub(crate) struct Open<T> {
    /// The key's place on the stack, counted from the bottom; its value comes right above.
    pub(crate) slot: u64,
    pub(crate) value: Span,
    pub(crate) shape: Shape,
    pub(crate) tag: T,
}

/// The open keys of one dict, in the order of their slots.
///
/// What looks like a key may turn out to be an item of a list, say. It is a key for certain
/// only when SETITEM, SETITEMS or DICT takes it from an even place above the dict or its mark.
#[derive(Debug)]
pub(crate) struct Track<T> {
    open: Vec<Open<T>>,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Track { open: Vec::new() }
    }
}

impl<T> Track<T> {
    /// The slot up to whose second neighbour the walk must look at every opcode.
    pub(crate) fn highest(&self) -> Option<u64> {
        self.open.last().map(|key| key.slot)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(crate) fn last_mut(&mut self) -> Option<&mut Open<T>> {
        self.open.last_mut()
    }

    /// The key in this slot.
    pub(crate) fn at_mut(&mut self, slot: u64) -> Option<&mut Open<T>> {
        self.open.iter_mut().rfind(|key| key.slot == slot)
    }

    /// A key was pushed to `slot`.
    pub(crate) fn open(&mut self, slot: u64, here: Here, tag: T) -> Result<(), ErrorKind> {
        if self.open.len() >= limits::PICKLE_KEYS {
            return Err(ErrorKind::Limit("keys"));
        }
        self.open.push(Open { slot, value: here.empty(), shape: Shape::Plain, tag });
        Ok(())
    }

    /// An item was pushed to `slot`.
    pub(crate) fn pushed(&mut self, slot: u64, end: u64, shape: Shape) {
        if let Some(key) = self.open.last_mut().filter(|key| key.slot + 1 == slot) {
            key.value.end = end;
            key.shape = shape;
        }
    }

    /// The item in slot `top` was put in the memo.
    pub(crate) fn memoized(&mut self, top: u64, here: Here) {
        let Some(key) = self.open.last_mut() else { return };
        if key.slot == top && key.value.start == key.value.end {
            key.value = here.empty();
        } else if key.slot + 1 == top {
            key.value.end = here.end;
        }
    }

    /// An opcode left `depth` items. Says whether the value of the last key
    /// is another one now.
    pub(crate) fn settle(&mut self, depth: u64, here: Here, left: Left) -> bool {
        let intact = if matches!(left, Left::Made(_)) { depth.saturating_sub(1) } else { depth };
        while self.open.last().is_some_and(|key| key.slot >= intact) {
            self.open.pop();
        }
        let Some(key) = self.open.last_mut() else { return false };
        if key.slot + 2 == depth {
            key.value.end = here.end;
            if let Left::Made(shape) = left {
                key.shape = shape;
                return true;
            }
        } else if key.slot + 1 == depth {
            // A value was dropped. What is in it may still be got from the memo.
            key.value.end = here.end;
            key.shape = Shape::Plain;
            return true;
        }
        false
    }

    /// Takes out the keys from slot `first` on; of these every second is one.
    pub(crate) fn take(&mut self, first: u64) -> impl Iterator<Item = Open<T>> + '_ {
        let from = self.open.partition_point(|key| key.slot < first);
        self.open.drain(from..).filter(move |key| (key.slot - first).is_multiple_of(2))
    }
}
