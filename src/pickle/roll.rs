//! Which strings are keys of a few dicts, in little more memory than the strings take.
//!
//! Each string lies once in one arena, behind a byte of marks and its length. A table of open
//! addressing, filled to three quarters at most, holds offsets into the arena, and for each a byte
//! of the hash, so that a search hardly ever looks at a string in vain. That is 9 to 16 bytes a
//! string. Whoever chooses the strings does not know the hash's secret.

use super::StringKind;
use crate::python::Python;
use crate::python::text::PyStr;
use std::hash::{BuildHasher, RandomState};

/// A string is text, and not the same as the bytes of its UTF-8.
const TEXT: u8 = 0x80;

/// The length byte of a string whose length stands in four bytes behind it.
const LONG: u8 = 0xff;

/// Slots that a search may look at. By chance it comes to a few dozen.
const PROBES: usize = 512;

/// Strings, each with marks.
#[derive(Debug)]
pub struct Roll {
    python: Python,
    arena: Vec<u8>,
    /// For each slot 0 if it is free, else a byte of the hash.
    tags: Vec<u8>,
    /// For each slot an offset into the arena.
    table: Vec<u32>,
    count: usize,
    secret: [u64; 2],
}

/// Strings that [`Roll::enter`] takes at once.
pub(super) const BATCH: usize = 32;

/// A string to enter.
#[derive(Debug, Clone, Copy)]
pub(super) struct New<'a> {
    pub(super) kind: StringKind,
    pub(super) body: &'a [u8],
    pub(super) marks: u8,
}

/// The arena or a search would grow beyond what is provided for.
#[derive(Debug)]
pub(super) struct Full;

impl Roll {
    /// An empty one, for keys as this Python compares them, with room for so many.
    pub(super) fn new(python: Python, room: usize) -> Roll {
        let random = RandomState::new();
        let secret = [random.hash_one(1u8), random.hash_one(2u8) | 1];
        let slots = room.max(48).saturating_mul(4).div_ceil(3).next_power_of_two();
        let (tags, table) = (vec![0; slots], vec![0; slots]);
        Roll { python, arena: Vec::new(), tags, table, count: 0, secret }
    }

    /// Enters strings and gives them marks. Says where each lies, and fails if one had its marks
    /// before, or cannot be told from what is there.
    ///
    /// Several at once: the searches wait for memory together, not one after the other.
    pub(super) fn enter(&mut self, strings: &[New<'_>], places: &mut Vec<u32>) -> Result<(), Full> {
        let wanted = self.count.saturating_add(strings.len()).saturating_mul(4);
        if wanted > self.table.len().saturating_mul(3) {
            self.grow()?;
        }
        let last = self.table.len().saturating_sub(1);
        let mut starts = [(0usize, 0u8, 0u32); BATCH];
        for (start, new) in starts.iter_mut().zip(strings) {
            let (hash, tag) = self.hash(self.is_text(new.kind == StringKind::Text, new.body), new.body);
            let first = self.tags.get(hash & last).copied().unwrap_or(0);
            *start = (hash, tag, u32::from(first));
        }
        for (hash, tag, first) in &mut starts {
            *first = match *first == u32::from(*tag) {
                true => self.table.get(*hash & last).copied().unwrap_or(0),
                false => 0,
            };
        }
        // The first bytes of what may be the same strings.
        let peeks = starts.map(|(.., offset)| self.arena.get(offset as usize).copied().unwrap_or(0));
        for (new, ((hash, tag, _), _)) in strings.iter().zip(starts.into_iter().zip(peeks)) {
            let offset = self.enter_one(new, hash, tag)?;
            if self.mark(offset, new.marks) {
                return Err(Full);
            }
            places.push(offset);
        }
        Ok(())
    }

    fn enter_one(&mut self, new: &New<'_>, hash: usize, tag: u8) -> Result<u32, Full> {
        let text = self.is_text(new.kind == StringKind::Text, new.body);
        match self.search(text, new.body, hash, tag) {
            Found::At(offset) => Ok(offset),
            Found::Free(slot) => {
                let offset = u32::try_from(self.arena.len()).map_err(|_| Full)?;
                self.append(text, new.body)?;
                if let (Some(own), Some(place)) =
                    (self.tags.get_mut(slot), self.table.get_mut(slot))
                {
                    (*own, *place) = (tag, offset);
                }
                self.count = self.count.saturating_add(1);
                Ok(offset)
            }
            Found::Nowhere => Err(Full),
        }
    }

    /// Gives the string at this place marks. Says whether it had one of them before.
    pub(super) fn mark(&mut self, offset: u32, marks: u8) -> bool {
        let Some(own) = self.arena.get_mut(offset as usize) else { return true };
        let before = *own & marks != 0;
        *own |= marks;
        before
    }

    /// The memory that growing has taken in advance is given back.
    pub(super) fn finish(&mut self) {
        self.arena.shrink_to_fit();
    }

    /// The marks of a string; 0 if it is not there.
    pub fn marks(&self, string: &PyStr) -> u8 {
        let body = string.as_bytes();
        let kind = match string {
            PyStr::Bytes(_) => StringKind::Bytes,
            PyStr::Text(_) => StringKind::Text,
        };
        if !self.could_hold(string) {
            return 0;
        }
        let text = self.is_text(kind == StringKind::Text, body);
        let (hash, tag) = self.hash(text, body);
        match self.search(text, body, hash, tag) {
            Found::At(offset) => self.arena.get(offset as usize).map_or(0, |marks| marks & !TEXT),
            _ => 0,
        }
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        self.arena.capacity() + self.tags.capacity() + self.table.capacity().saturating_mul(4)
    }

    /// Bytes of the strings themselves.
    pub fn string_bytes(&self) -> usize {
        let mut rest = self.arena.as_slice();
        let mut total = 0usize;
        while let Some((_, body, after)) = entry(rest) {
            total = total.saturating_add(body.len());
            rest = after;
        }
        total
    }

    /// Python 3 has no bytes among the keys that are entered, and finds none equal to text.
    fn could_hold(&self, string: &PyStr) -> bool {
        self.python == Python::Two || matches!(string, PyStr::Text(_))
    }

    /// In Python 2, text and bytes are the same key if they are the same ASCII.
    fn is_text(&self, text: bool, body: &[u8]) -> bool {
        text && self.python == Python::Two && !body.is_ascii()
    }

    #[inline]
    fn search(&self, text: bool, body: &[u8], hash: usize, tag: u8) -> Found {
        let last = self.table.len().saturating_sub(1);
        let mut slot = hash & last;
        for _ in 0..PROBES {
            match self.tags.get(slot) {
                None => return Found::Nowhere,
                Some(0) => return Found::Free(slot),
                Some(own) if *own == tag => {
                    let offset = self.table.get(slot).copied().unwrap_or(u32::MAX);
                    let found = self.arena.get(offset as usize..).and_then(entry);
                    let is_it = |(marks, own, _): (u8, &[u8], &[u8])| {
                        own == body && (marks & TEXT != 0) == text
                    };
                    if found.is_some_and(is_it) {
                        return Found::At(offset);
                    }
                }
                Some(_) => {}
            }
            slot = slot.wrapping_add(1) & last;
        }
        Found::Nowhere
    }

    fn append(&mut self, text: bool, body: &[u8]) -> Result<(), Full> {
        self.arena.push(if text { TEXT } else { 0 });
        match u8::try_from(body.len()) {
            Ok(short) if short < LONG => self.arena.push(short),
            _ => {
                let length = u32::try_from(body.len()).map_err(|_| Full)?;
                self.arena.push(LONG);
                self.arena.extend_from_slice(&length.to_le_bytes());
            }
        }
        self.arena.extend_from_slice(body);
        Ok(())
    }

    /// Twice the table, the arena as it is.
    fn grow(&mut self) -> Result<(), Full> {
        let slots = self.table.len().saturating_mul(2);
        let last = slots.saturating_sub(1);
        let (mut tags, mut table) = (vec![0u8; slots], vec![0u32; slots]);
        let (mut rest, mut offset) = (self.arena.as_slice(), 0u32);
        while let Some((marks, body, after)) = entry(rest) {
            let (start, tag) = self.hash(marks & TEXT != 0, body);
            let free = |slot: &usize| tags.get(*slot) == Some(&0);
            let mut probed = (0..PROBES).map(|step| start.wrapping_add(step) & last);
            let slot = probed.find(free).ok_or(Full)?;
            if let (Some(own), Some(place)) = (tags.get_mut(slot), table.get_mut(slot)) {
                (*own, *place) = (tag, offset);
            }
            let width = rest.len().saturating_sub(after.len());
            offset = u32::try_from(width).ok().and_then(|w| offset.checked_add(w)).ok_or(Full)?;
            rest = after;
        }
        (self.tags, self.table) = (tags, table);
        Ok(())
    }

    /// Folded products, with a secret of this roll's own: where to begin, and the tag.
    fn hash(&self, text: bool, body: &[u8]) -> (usize, u8) {
        let [mut state, factor] = self.secret;
        state ^= (body.len() as u64) << 1 | u64::from(text);
        let (words, tail) = body.as_chunks::<8>();
        for word in words {
            state = fold(state ^ u64::from_le_bytes(*word), factor);
        }
        let mut last = [0u8; 8];
        for (to, from) in last.iter_mut().zip(tail) {
            *to = *from;
        }
        let state = fold(fold(state ^ u64::from_le_bytes(last), factor), 0x9e37_79b9_7f4a_7c15);
        (state as usize, (state >> 56) as u8 | 1)
    }
}

/// What a search comes to.
enum Found {
    At(u32),
    /// Nowhere; but here it could be.
    Free(usize),
    Nowhere,
}

fn fold(value: u64, factor: u64) -> u64 {
    let product = u128::from(value).wrapping_mul(u128::from(factor));
    (product >> 64) as u64 ^ product as u64
}

/// The entry that a part of an arena begins with: marks, string, and what follows.
fn entry(arena: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (marks, rest) = arena.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match *short {
        LONG => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        short => (usize::from(short), rest),
    };
    let (body, rest) = rest.split_at_checked(length)?;
    Some((*marks, body, rest))
}

/// Whether a string can be entered: such as [`same_string`] compares by nothing but its bytes.
pub(super) fn is_plain(kind: StringKind, body: &[u8], python: Python) -> bool {
    match (python, kind) {
        (Python::Two, _) | (Python::Three, StringKind::Text) => true,
        (Python::Three, StringKind::Str) => body.is_ascii(),
        (Python::Three, StringKind::Bytes) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::same_string;
    use super::*;

    const KINDS: [StringKind; 3] = [StringKind::Str, StringKind::Bytes, StringKind::Text];

    #[test]
    fn a_roll_compares_strings_as_the_walk_does() {
        let bodies: [&[u8]; 5] = [b"", b"a@b", "\u{e9}@b".as_bytes(), &[b'x'; 254], &[b'x'; 70_000]];
        for python in [Python::Two, Python::Three] {
            for (kind, body) in KINDS.iter().flat_map(|k| bodies.iter().map(move |b| (*k, *b))) {
                if !is_plain(kind, body, python) {
                    continue;
                }
                let mut roll = Roll::new(python, 0);
                let mut places = Vec::new();
                roll.enter(&[New { kind, body, marks: 3 }], &mut places).unwrap();
                assert!(roll.mark(places[0], 1));
                assert!(roll.enter(&[New { kind, body, marks: 1 }], &mut places).is_err());
                for other in bodies {
                    let text = PyStr::Text(String::from_utf8(other.to_vec()).unwrap());
                    for wanted in [PyStr::Bytes(other.to_vec()), text] {
                        let same = same_string(&wanted, kind, body, python);
                        let marks = if same { 3 } else { 0 };
                        assert_eq!(roll.marks(&wanted), marks, "{python:?} {kind:?} {wanted:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn many_strings_stay_apart_and_take_little() {
        let mut roll = Roll::new(Python::Two, 0);
        let name = |n: u32| format!("member{n}@host{}.example", n % 97);
        let strings = 20_000u32;
        for n in 0..strings {
            let marks = if n % 2 == 0 { 1 } else { 2 };
            let new = New { kind: StringKind::Str, body: name(n).as_bytes(), marks };
            roll.enter(&[new], &mut Vec::new()).unwrap();
        }
        roll.finish();
        assert_eq!(roll.len(), strings as usize);
        for n in 0..strings {
            let marks = roll.marks(&PyStr::Bytes(name(n).into_bytes()));
            assert_eq!(marks, if n % 2 == 0 { 1 } else { 2 });
        }
        assert_eq!(roll.marks(&PyStr::Bytes(name(strings).into_bytes())), 0);
        let text: usize = (0..strings).map(|n| name(n).len()).sum();
        assert_eq!(roll.string_bytes(), text);
        assert!(roll.bytes() - text <= 16 * strings as usize, "{}", roll.bytes() - text);
    }
}
