//! The fast part of the walk: over what cannot matter.

use super::error::{Error, ErrorKind};
use super::memo::MemoLog;
use super::opcode::*;
use super::source::{PADDING, ReadAt, Window};
use super::walk::Walk;
use crate::limits;
use crate::python::text::PyStr;

/// Tells most strings and memo numbers that cannot be an address asked for from the others.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// A bit for every [`fingerprint`] of an address.
    strings: [u64; 4],
    /// A bit for every memo number of an address, modulo 64.
    memos: u64,
    /// Bytes of the longest string that the walk wants to see.
    longest: u64,
}

/// Keys and class names are not longer.
const LONGEST_NAME: u64 = 255;

impl Filter {
    pub(crate) fn new(addresses: &[PyStr]) -> Self {
        let mut filter = Filter { strings: [0; 4], memos: 0, longest: LONGEST_NAME };
        for address in addresses {
            let bytes = address.as_bytes();
            filter.longest = filter.longest.max(bytes.len() as u64);
            match bytes {
                [first, second, ..] => filter.set(fingerprint(bytes.len(), *first, *second)),
                // What follows so short a string in the pickle is unknown.
                _ => filter.strings = [u64::MAX; 4],
            }
        }
        filter
    }

    fn set(&mut self, bit: u8) {
        if let Some(word) = self.strings.get_mut(usize::from(bit >> 6)) {
            *word |= 1 << (bit & 63);
        }
    }

    /// Bytes of the longest string that the walk wants to see.
    pub(crate) fn longest(&self) -> u64 {
        self.longest
    }

    /// From now on the memo has an address under `number`.
    pub(crate) fn memo(&mut self, number: u64) {
        self.memos |= 1 << (number & 63);
    }

    fn may_be_address(&self, len: usize, first: u8, second: u8) -> bool {
        let bit = fingerprint(len, first, second);
        let [a, b, c, d] = self.strings;
        let word = match bit >> 6 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        word >> (bit & 63) & 1 != 0
    }
}

/// A hash of a string's length and first two bytes.
fn fingerprint(len: usize, first: u8, second: u8) -> u8 {
    (len as u8).wrapping_mul(29) ^ first ^ second.wrapping_mul(37)
}

impl<'s, R: ReadAt + ?Sized> Walk<'_, 's, R> {
    /// Passes over opcodes from `at` on, as long as each is a common one and nothing that is
    /// asked for depends on it. Says where it stopped.
    pub(super) fn skim(&mut self, window: &mut Window<'s, R>, mut at: u64) -> Result<u64, Error> {
        while self.may_skim() {
            let bytes = window.bytes();
            let Some(start) = at.checked_sub(window.base()).and_then(|s| usize::try_from(s).ok())
            else {
                return Ok(at);
            };
            let stop = self.skim_bytes(bytes, start);
            at += (stop - start) as u64;
            if stop + PADDING <= bytes.len() || window.at_end() {
                return Ok(at);
            }
            if self.depth > limits::PICKLE_STACK {
                return Err(Error::new(at, ErrorKind::Limit("the stack")));
            }
            window.need(at)?;
        }
        Ok(at)
    }

    /// Passes over opcodes of `bytes`; stops at the first that needs more care, or within
    /// [`PADDING`] bytes of the end or beyond it.
    fn skim_bytes(&mut self, bytes: &[u8], start: usize) -> usize {
        let watched = self.watched();
        let mut pos = start;
        let mut depth = self.depth;
        let mut fence = self.marks.last().copied().unwrap_or(0);
        let mut next = self.memo.next();
        let first = self.memo.first();
        let longest = self.filter.longest();
        let mut count = 0_u64;
        while let Some(head) = bytes.get(pos..).and_then(<[u8]>::first_chunk::<PADDING>) {
            let [code, a, b, c, d, e, f, ..] = *head;
            match code {
                SHORT_BINSTRING | SHORT_BINUNICODE | SHORT_BINBYTES => {
                    let len = usize::from(a);
                    if self.filter.may_be_address(len, b, c) {
                        break;
                    }
                    depth += 1;
                    pos += 2 + len;
                }
                BINUNICODE | BINSTRING | BINBYTES => {
                    let len = u32::from_le_bytes([a, b, c, d]);
                    if u64::from(len) > longest || self.filter.may_be_address(len as usize, e, f) {
                        break;
                    }
                    depth += 1;
                    pos += 5 + len as usize;
                }
                LONG_BINPUT => {
                    let number = u64::from(u32::from_le_bytes([a, b, c, d]));
                    if number != next || MemoLog::must_note(number) || depth <= fence {
                        break;
                    }
                    next += 1;
                    pos += 5;
                }
                BINPUT => {
                    if u64::from(a) != next || MemoLog::must_note(next) || depth <= fence {
                        break;
                    }
                    next += 1;
                    pos += 2;
                }
                LONG_BINGET => {
                    let number = u64::from(u32::from_le_bytes([a, b, c, d]));
                    if number >= next
                        || number < first
                        || self.filter.memos >> (number & 63) & 1 != 0
                    {
                        break;
                    }
                    depth += 1;
                    pos += 5;
                }
                BINGET => {
                    let number = u64::from(a);
                    if number >= next
                        || number < first
                        || self.filter.memos >> (number & 63) & 1 != 0
                    {
                        break;
                    }
                    depth += 1;
                    pos += 2;
                }
                BININT1 => {
                    depth += 1;
                    pos += 2;
                }
                BININT2 => {
                    depth += 1;
                    pos += 3;
                }
                BININT => {
                    depth += 1;
                    pos += 5;
                }
                BINFLOAT => {
                    depth += 1;
                    pos += 9;
                }
                NONE | NEWTRUE | NEWFALSE | EMPTY_DICT | EMPTY_LIST | EMPTY_TUPLE => {
                    depth += 1;
                    pos += 1;
                }
                MARK => {
                    if self.marks.len() >= limits::PICKLE_DEPTH {
                        break;
                    }
                    self.marks.push(depth);
                    fence = depth;
                    pos += 1;
                }
                SETITEMS | APPENDS | TUPLE | OBJ => {
                    let [.., below, mark] = self.marks.as_slice() else { break };
                    let (below, mark) = (*below, *mark);
                    let made = matches!(code, TUPLE | OBJ);
                    let odd = code == SETITEMS && (depth - mark) & 1 == 1;
                    let poor = if code == OBJ { depth == mark } else { !made && mark <= below };
                    if odd || poor || mark <= watched || self.marks.len() < 3 {
                        break;
                    }
                    self.marks.pop();
                    depth = mark + u64::from(made);
                    fence = below;
                    pos += 1;
                }
                BUILD | APPEND => {
                    if depth - fence < 2 || depth - 1 <= watched {
                        break;
                    }
                    depth -= 1;
                    pos += 1;
                }
                REDUCE => {
                    if depth - fence < 2 || depth - 1 <= watched {
                        break;
                    }
                    depth -= 1;
                    pos += 1;
                }
                _ => break,
            }
            count += 1;
        }
        self.depth = depth;
        self.memo.advance(next);
        self.opcodes += count;
        pos
    }
}
