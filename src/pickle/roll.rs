//! Which strings are keys of a few dicts, in little more memory than the strings take.
//!
//! Each string lies once in one arena, behind a byte of marks and its length. A table of open
//! addressing, filled to three quarters, holds offsets into the arena, and for each a byte of the
//! hash, so that a search hardly ever looks at a string in vain. That is 9 bytes a string. Whoever
//! chooses the strings does not know the hash's secret.

mod build;

pub(super) use build::{Builder, is_plain};

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
    secret: Secret,
    arena: Vec<u8>,
    /// For each slot 0 if it is free, else a byte of the hash.
    tags: Vec<u8>,
    /// For each slot an offset into the arena.
    table: Vec<u32>,
    count: usize,
    string_bytes: usize,
}

impl Roll {
    /// The marks of a string; 0 if it is not there.
    pub fn marks(&self, string: &PyStr) -> u8 {
        let body = string.as_bytes();
        let text = matches!(string, PyStr::Text(_));
        // Python 3 has no bytes among the keys that are entered, and finds none equal to text.
        if self.python == Python::Three && !text {
            return 0;
        }
        let text = is_text(self.python, text, body);
        let found = self.search(text, body, self.secret.hash(text, body));
        found.map_or(0, |marks| marks & !TEXT)
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// How many strings have all of these marks.
    pub fn count(&self, marks: u8) -> usize {
        let used = self.tags.iter().zip(&self.table).filter(|(tag, _)| **tag != 0);
        let own = used.filter_map(|(_, at)| self.arena.get(*at as usize..).and_then(entry));
        own.filter(|(own, ..)| own & marks == marks).count()
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
        self.string_bytes
    }

    fn search(&self, text: bool, body: &[u8], hash: Hash) -> Option<u8> {
        let mut slot = hash.slot(self.tags.len());
        for _ in 0..PROBES {
            let tag = self.tags.get(slot).filter(|tag| **tag != 0)?;
            if *tag == hash.tag() {
                let offset = self.table.get(slot).copied()?;
                let (marks, own, _) = self.arena.get(offset as usize..).and_then(entry)?;
                if own == body && (marks & TEXT != 0) == text {
                    return Some(marks);
                }
            }
            slot = if slot.saturating_add(1) < self.tags.len() { slot + 1 } else { 0 };
        }
        None
    }
}

/// In Python 2, text and bytes are the same key if they are the same ASCII.
fn is_text(python: Python, text: bool, body: &[u8]) -> bool {
    text && python == Python::Two && !body.is_ascii()
}

/// What makes hashes unforeseeable.
#[derive(Debug, Clone, Copy)]
struct Secret(u64, u64);

impl Secret {
    fn new() -> Secret {
        let random = RandomState::new();
        Secret(random.hash_one(1u8), random.hash_one(2u8) | 1)
    }

    /// Folded products.
    fn hash(self, text: bool, body: &[u8]) -> Hash {
        let Secret(mut state, factor) = self;
        state ^= (body.len() as u64) << 1 | u64::from(text);
        let (words, tail) = body.as_chunks::<8>();
        for word in words {
            state = fold(state ^ u64::from_le_bytes(*word), factor);
        }
        // The last bytes, some of them perhaps again.
        let last = match body.last_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => tail.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        Hash((fold(fold(state ^ last, factor), 0x9e37_79b9_7f4a_7c15) >> 32) as u32)
    }
}

/// A string's hash.
#[derive(Debug, Clone, Copy)]
struct Hash(u32);

impl Hash {
    /// Where to begin in a table of so many slots. Rises with the hash.
    fn slot(self, slots: usize) -> usize {
        ((u64::from(self.0) * slots as u64) >> 32) as usize
    }

    fn tag(self) -> u8 {
        self.0 as u8 | 1
    }
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

#[cfg(test)]
mod tests {
    use super::super::{StringKind, same_string};
    use super::*;

    const KINDS: [StringKind; 3] = [StringKind::Str, StringKind::Bytes, StringKind::Text];

    #[test]
    fn a_roll_compares_strings_as_the_walk_does() {
        let bodies: [&[u8]; 5] = [b"", b"a@b", "\u{e9}@b".as_bytes(), &[b'x'; 254], &[b'x'; 7000]];
        for python in [Python::Two, Python::Three] {
            for (kind, body) in KINDS.iter().flat_map(|k| bodies.iter().map(move |b| (*k, *b))) {
                if !is_plain(kind, body, python) {
                    continue;
                }
                let mut builder = Builder::new(python);
                let place = builder.enter(kind, body, 1).unwrap();
                assert!(builder.mark(place, 2).is_ok() && builder.mark(place, 1).is_err());
                let roll = builder.finish().unwrap();
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

    fn name(n: u32) -> String {
        format!("member{n}@host{}.example", n % 97)
    }

    #[test]
    fn many_strings_stay_apart_and_take_little() {
        let strings = 20_000u32;
        let marks = |n: u32| if n.is_multiple_of(3) { 1 } else { 2 };
        for twice in [false, true] {
            let mut builder = Builder::new(Python::Two);
            for n in 0..strings {
                builder.enter(StringKind::Str, name(n).as_bytes(), marks(n)).unwrap();
            }
            for n in (0..strings).filter(|n| twice && n.is_multiple_of(2)) {
                builder.enter(StringKind::Text, name(n).as_bytes(), 4).unwrap();
            }
            let roll = builder.finish().unwrap();
            assert_eq!(roll.len(), strings as usize);
            for n in 0..strings {
                let more = if twice && n.is_multiple_of(2) { 4 } else { 0 };
                let found = roll.marks(&PyStr::Bytes(name(n).into_bytes()));
                assert_eq!(found, marks(n) | more);
            }
            assert_eq!(roll.marks(&PyStr::Bytes(name(strings).into_bytes())), 0);
            let text: usize = (0..strings).map(|n| name(n).len()).sum();
            assert_eq!(roll.string_bytes(), text);
            assert!(roll.bytes() - text <= 10 * strings as usize, "{}", roll.bytes() - text);
        }
    }

    #[test]
    fn a_key_that_is_set_twice_in_one_dict_is_odd() {
        let mut builder = Builder::new(Python::Two);
        for kind in [StringKind::Str, StringKind::Text] {
            builder.enter(kind, b"a@b", 1).unwrap();
        }
        assert!(builder.finish().is_none());
    }
}
