//! Makes a roll: strings are put down as they come, and sorted into the table in the end.
//!
//! A table of a million strings is larger than the processor's caches, so that finding each one's
//! place as it comes would cost most of the time. In the order of their places it costs little.

use super::{Hash, LONG, PROBES, Roll, Secret, TEXT, entry, is_text};
use crate::pickle::StringKind;
use crate::python::Python;

/// A string is there once more.
const AGAIN: u8 = 0x40;

/// Parts of the table that are filled one after the other, as a power of two.
const PARTS: u32 = 8;

/// Something that a roll cannot hold.
#[derive(Debug)]
pub(crate) struct Odd;

/// A roll that is being made.
#[derive(Debug)]
pub(crate) struct Builder {
    python: Python,
    secret: Secret,
    arena: Vec<u8>,
    count: usize,
    string_bytes: usize,
}

impl Builder {
    /// An empty one, for keys as this Python compares them.
    pub(crate) fn new(python: Python) -> Builder {
        Builder { python, secret: Secret::new(), arena: Vec::new(), count: 0, string_bytes: 0 }
    }

    /// Enters a string. Says where it lies.
    pub(crate) fn enter(&mut self, kind: StringKind, body: &[u8], marks: u8) -> Result<u32, Odd> {
        let text = is_text(self.python, kind == StringKind::Text, body);
        self.append(if text { marks | TEXT } else { marks }, body)
    }

    /// Gives a string more marks, which it must not have.
    pub(crate) fn mark(&mut self, place: u32, marks: u8) -> Result<(), Odd> {
        let own = self.arena.get_mut(place as usize).ok_or(Odd)?;
        let before = *own & marks;
        *own |= marks;
        if before == 0 { Ok(()) } else { Err(Odd) }
    }

    fn append(&mut self, marks: u8, body: &[u8]) -> Result<u32, Odd> {
        // The highest bit is free for whoever keeps the place.
        let place = self.arena.len();
        let place = u32::try_from(place).ok().filter(|place| *place < 1 << 31).ok_or(Odd)?;
        match u8::try_from(body.len()) {
            Ok(short) if short < LONG => self.arena.extend_from_slice(&[marks, short]),
            _ => {
                let length = u32::try_from(body.len()).map_err(|_| Odd)?;
                self.arena.extend_from_slice(&[marks, LONG]);
                self.arena.extend_from_slice(&length.to_le_bytes());
            }
        }
        self.arena.extend_from_slice(body);
        self.count = self.count.saturating_add(1);
        self.string_bytes = self.string_bytes.saturating_add(body.len());
        Ok(place)
    }

    /// Makes the roll; nothing if a string got the same mark more than once.
    pub(crate) fn finish(self) -> Option<Roll> {
        let roll = self.sort()?;
        let Some(fewer) = without_copies(&roll) else { return Some(roll) };
        fewer.sort()
    }

    fn sort(mut self) -> Option<Roll> {
        self.arena.shrink_to_fit();
        let slots = self.count.saturating_mul(4).div_ceil(3).max(1);
        let mut roll = Roll {
            python: self.python,
            secret: self.secret,
            arena: self.arena,
            tags: vec![0; slots],
            table: vec![0; slots],
            count: self.count,
            string_bytes: self.string_bytes,
        };
        for (hash, place) in in_order(&roll.arena, roll.secret, self.count) {
            insert(&mut roll, hash, place)?;
        }
        Some(roll)
    }
}

/// All strings' hashes and places, roughly in the order of the hashes.
fn in_order(arena: &[u8], secret: Secret, count: usize) -> Vec<(Hash, u32)> {
    let part = |hash: Hash| (hash.0 >> (u32::BITS - PARTS)) as usize;
    let mut hashes = Vec::with_capacity(count);
    let mut ends = [0usize; 1 << PARTS];
    let (mut rest, mut place) = (arena, 0u32);
    while let Some((marks, body, after)) = entry(rest) {
        let hash = secret.hash(marks & TEXT != 0, body);
        hashes.push((hash, place));
        if let Some(end) = ends.get_mut(part(hash)) {
            *end += 1;
        }
        place = place.wrapping_add(rest.len().wrapping_sub(after.len()) as u32);
        rest = after;
    }
    let mut total = 0;
    for end in &mut ends {
        (*end, total) = (total, total + *end);
    }
    let mut sorted = vec![(Hash(0), 0u32); hashes.len()];
    for (hash, place) in hashes {
        let Some(end) = ends.get_mut(part(hash)) else { continue };
        if let Some(slot) = sorted.get_mut(*end) {
            *slot = (hash, place);
        }
        *end += 1;
    }
    sorted
}

/// Puts a string in the table. Its own bytes are looked at only if another may be the same.
fn insert(roll: &mut Roll, hash: Hash, place: u32) -> Option<()> {
    let slots = roll.tags.len();
    let mut slot = hash.slot(slots);
    for _ in 0..PROBES {
        let tag = roll.tags.get_mut(slot)?;
        if *tag == 0 {
            *tag = hash.tag();
            *roll.table.get_mut(slot)? = place;
            return Some(());
        }
        if *tag == hash.tag() && is_again(roll, roll.table.get(slot).copied()?, place)? {
            return Some(());
        }
        slot = if slot.saturating_add(1) < slots { slot + 1 } else { 0 };
    }
    None
}

/// Whether two places have the same string: then the first gets the marks of both. Nothing if both
/// have one and the same.
fn is_again(roll: &mut Roll, first: u32, place: u32) -> Option<bool> {
    let (own, one, _) = roll.arena.get(first as usize..).and_then(entry)?;
    let (marks, other, _) = roll.arena.get(place as usize..).and_then(entry)?;
    if one != other || (own ^ marks) & TEXT != 0 {
        return Some(false);
    }
    let twice = own & marks & !(TEXT | AGAIN) != 0;
    *roll.arena.get_mut(first as usize)? |= marks;
    *roll.arena.get_mut(place as usize)? |= AGAIN;
    if twice { None } else { Some(true) }
}

/// The strings without those that are there once more, if any is.
fn without_copies(roll: &Roll) -> Option<Builder> {
    let mut rest = roll.arena.as_slice();
    let mut once = Builder { secret: roll.secret, ..Builder::new(roll.python) };
    let mut copies = false;
    while let Some((marks, _, after)) = entry(rest) {
        copies |= marks & AGAIN != 0;
        rest = after;
    }
    if !copies {
        return None;
    }
    rest = roll.arena.as_slice();
    while let Some((marks, body, after)) = entry(rest) {
        if marks & AGAIN == 0 {
            once.append(marks, body).ok()?;
        }
        rest = after;
    }
    Some(once)
}

/// Whether a string can be entered: such as [`crate::pickle::same_string`] compares by nothing but
/// its bytes.
pub(crate) fn is_plain(kind: StringKind, body: &[u8], python: Python) -> bool {
    match (python, kind) {
        (Python::Two, _) | (Python::Three, StringKind::Text) => true,
        (Python::Three, StringKind::Str) => body.is_ascii(),
        (Python::Three, StringKind::Bytes) => false,
    }
}
