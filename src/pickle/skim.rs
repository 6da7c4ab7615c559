//! The fast part of the walk: over what cannot matter.

use super::error::{Error, ErrorKind};
use super::memo::MemoLog;
use super::opcode::*;
use super::source::{PADDING, ReadAt, Window};
use super::strings::Strings;
use super::walk::Walk;
use crate::limits;
use crate::python::text::PyStr;

/// Tells the strings and memo numbers that may be an address asked for from all others.
#[derive(Debug, Clone)]
pub(crate) struct Filter<'r> {
    addresses: &'r [PyStr],
    /// A bit for every length below [`SAMPLE`] that an address has.
    short: u32,
    /// A bit for the [`fingerprint`] of every other address.
    long: [u64; 4],
    /// A bit for every memo number of an address, modulo 1,024.
    memos: [u64; 16],
    /// Bytes of the longest string that the walk wants to see.
    longest: u64,
}

/// Keys and class names are not longer.
const LONGEST_NAME: u64 = 255;

/// How many bytes of a string its [`fingerprint`] is made of: members' addresses are often
/// equally long and begin alike.
const SAMPLE: usize = 16;

impl<'r> Filter<'r> {
    pub(crate) fn new(addresses: &'r [PyStr]) -> Self {
        let longest = addresses.iter().map(|address| address.as_bytes().len() as u64).max();
        let longest = longest.unwrap_or(0).max(LONGEST_NAME);
        let mut filter = Filter { addresses, short: 0, long: [0; 4], memos: [0; 16], longest };
        for address in addresses {
            let bytes = address.as_bytes();
            match bytes.first_chunk::<SAMPLE>() {
                None => filter.short |= 1 << bytes.len(),
                Some(start) => {
                    let bit = fingerprint(bytes.len(), *start);
                    if let Some(word) = filter.long.get_mut(usize::from(bit >> 6)) {
                        *word |= 1 << (bit & 63);
                    }
                }
            }
        }
        filter
    }

    /// Bytes of the longest string that the walk wants to see.
    pub(crate) fn longest(&self) -> u64 {
        self.longest
    }

    /// From now on the memo has an address under `number`, or that number needs care.
    pub(crate) fn memo(&mut self, number: u64) {
        if let Some(word) = self.memos.get_mut((number >> 6 & 15) as usize) {
            *word |= 1 << (number & 63);
        }
    }

    /// Whether the memo may have an address under `number`.
    fn may_be_memo(&self, number: u64) -> bool {
        let word = self.memos.get((number >> 6 & 15) as usize).copied().unwrap_or(0);
        word >> (number & 63) & 1 != 0
    }

    /// Whether a string may be an address; `start` are its first bytes and what follows them.
    #[inline(always)]
    fn may_be_address(&self, len: usize, start: [u8; SAMPLE]) -> bool {
        if len < SAMPLE {
            return self.short >> len & 1 != 0;
        }
        let bit = fingerprint(len, start);
        self.long.get(usize::from(bit >> 6)).is_none_or(|word| word >> (bit & 63) & 1 != 0)
    }

    /// Whether a string is an address, or lies partly outside of the window.
    #[cold]
    fn is_address(&self, body: Option<&[u8]>) -> bool {
        body.is_none_or(|body| self.addresses.iter().any(|address| address.as_bytes() == body))
    }
}

/// A hash of a string's length and first bytes.
#[inline(always)]
fn fingerprint(len: usize, start: [u8; SAMPLE]) -> u8 {
    let start = u128::from_le_bytes(start);
    let (low, high) = (start as u64, (start >> 64) as u64);
    let mixed = low ^ high.rotate_left(29) ^ len as u64;
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

impl<'s, R: ReadAt + ?Sized> Walk<'_, 's, R> {
    /// Passes over opcodes from `at` on, as long as each is a common one and nothing that is
    /// asked for depends on it. Says where it stopped.
    pub(super) fn skim(&mut self, window: &mut Window<'s, R>, mut at: u64) -> Result<u64, Error> {
        while self.may_skim() {
            let bytes = window.bytes();
            let start = at.checked_sub(window.base()).and_then(|from| usize::try_from(from).ok());
            // A string may have ended beyond the window.
            if let Some(start) = start.filter(|start| *start <= bytes.len()) {
                let stop = match self.strings.is_some() {
                    true => self.skim_bytes::<true>(bytes, start, window.base()),
                    false => self.skim_bytes::<false>(bytes, start, 0),
                };
                at += (stop - start) as u64;
                if stop + PADDING <= bytes.len() {
                    return Ok(at);
                }
            }
            if window.at_end() {
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
    /// [`PADDING`] bytes of the end or beyond it. With `RECORD` it notes where strings are put in
    /// the memo; `base` is where `bytes` begin.
    fn skim_bytes<const RECORD: bool>(&mut self, bytes: &[u8], start: usize, base: u64) -> usize {
        let mut strings = self.strings.take();
        let mut run: Run<'_, '_, RECORD> = Run {
            rest: bytes.get(start..).unwrap_or_default(),
            beyond: 0,
            filter: &self.filter,
            watched: self.watched(),
            depth: self.depth,
            fence: self.marks.last().copied().unwrap_or(0),
            next: self.memo.next(),
            strings: strings.as_mut(),
            end: base + bytes.len() as u64,
        };
        while let Some(head) = run.rest.first_chunk::<PADDING>() {
            let [code, short, ..] = *head;
            let passed = match code {
                SHORT_BINSTRING | SHORT_BINUNICODE | SHORT_BINBYTES => {
                    run.string::<2>(head, usize::from(short))
                }
                LONG_BINGET => run.long_get(head),
                LONG_BINPUT => run.put(long(head), 5),
                BINGET => run.get(u64::from(short), 2),
                BINPUT => run.put(u64::from(short), 2),
                BININT1 => run.push(2),
                BININT2 => run.push(3),
                BININT => run.push(5),
                BINFLOAT => run.push(9),
                NONE | NEWTRUE | NEWFALSE | EMPTY_DICT | EMPTY_LIST | EMPTY_TUPLE => run.push(1),
                BINUNICODE | BINSTRING | BINBYTES if long(head) <= LONGEST_NAME => {
                    run.string::<5>(head, long(head) as usize)
                }
                MARK => run.mark(&mut self.marks),
                SETITEMS | APPENDS | TUPLE | OBJ => run.close(code, &mut self.marks),
                BUILD | APPEND | REDUCE => run.take_one(),
                _ => false,
            };
            if !passed {
                break;
            }
        }
        let stop = bytes.len() - run.rest.len() + run.beyond;
        let (depth, next) = (run.depth, run.next);
        self.strings = strings;
        self.depth = depth;
        self.memo.advance(next);
        stop
    }
}

/// The four-byte number after an opcode.
#[inline(always)]
fn long<const COUNT: usize>(head: &[u8; COUNT]) -> u64 {
    let number = head.get(1..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    u64::from(u32::from_le_bytes(number))
}

/// The part of the walk's state that the fast part needs, to be held in registers.
///
/// Every method executes one opcode, or does nothing and says so. The depth cannot overflow:
/// every opcode adds at most 1 to it.
struct Run<'b, 'r, const RECORD: bool> {
    /// What is still to be passed over.
    rest: &'b [u8],
    /// How far a string reaches beyond `rest`.
    beyond: usize,
    filter: &'b Filter<'r>,
    /// A depth that the stack must stay above.
    watched: u64,
    depth: u64,
    /// The depth below the last mark.
    fence: u64,
    /// The memo number that a PUT in sequence has.
    next: u64,
    /// With `RECORD`.
    strings: Option<&'b mut Strings>,
    /// Where `rest` ends in the pickle.
    end: u64,
}

impl<const RECORD: bool> Run<'_, '_, RECORD> {
    /// Where `rest` begins in the pickle.
    #[inline(always)]
    fn at(&self) -> u64 {
        (self.end + self.beyond as u64).wrapping_sub(self.rest.len() as u64)
    }

    #[inline(always)]
    fn pass(&mut self, width: usize) -> bool {
        match self.rest.get(width..) {
            Some(rest) => self.rest = rest,
            None => {
                self.beyond = width - self.rest.len();
                self.rest = &[];
            }
        }
        true
    }

    #[inline(always)]
    fn push(&mut self, width: usize) -> bool {
        self.depth = self.depth.wrapping_add(1);
        self.pass(width)
    }

    /// A string whose opcode and length take `HEAD` bytes, and what often follows one.
    #[inline(always)]
    fn string<const HEAD: usize>(&mut self, head: &[u8; PADDING], len: usize) -> bool {
        let start = head.get(HEAD..).and_then(|rest| rest.first_chunk());
        if self.filter.may_be_address(len, start.copied().unwrap_or_default())
            && self.filter.is_address(self.rest.get(HEAD..HEAD + len))
        {
            return false;
        }
        let at = if RECORD { self.at() } else { 0 };
        self.push(HEAD.wrapping_add(len));
        if RECORD {
            let end = self.at();
            if let Some(strings) = &mut self.strings {
                strings.made(at, end);
            }
        }
        if let Some(tail) = self.rest.first_chunk::<8>()
            && let [LONG_BINPUT, _, _, _, _, after, ..] = tail
            && long(tail) == self.next
            && !MemoLog::must_note(self.next)
        {
            self.record();
            self.next = self.next.wrapping_add(1);
            if *after == BININT1 {
                return self.push(7);
            }
            return self.pass(5);
        }
        true
    }

    #[inline(always)]
    fn put(&mut self, number: u64, width: usize) -> bool {
        if number != self.next || MemoLog::must_note(number) || self.depth <= self.fence {
            return false;
        }
        self.record();
        self.next = self.next.wrapping_add(1);
        self.pass(width)
    }

    /// The next opcode is a PUT of the next number.
    #[inline(always)]
    fn record(&mut self) {
        if RECORD {
            let at = self.at();
            if let Some(strings) = &mut self.strings {
                strings.put(self.next, at, self.next);
            }
        }
    }

    #[inline(always)]
    fn get(&mut self, number: u64, width: usize) -> bool {
        if number >= self.next || self.filter.may_be_memo(number) {
            return false;
        }
        self.push(width)
    }

    /// A memo reference by a long number, and the small values that often follow one.
    #[inline(always)]
    fn long_get(&mut self, head: &[u8; PADDING]) -> bool {
        if !self.get(long(head), 5) {
            return false;
        }
        match head {
            [_, _, _, _, _, BINGET, number, ..] => {
                self.get(u64::from(*number), 2);
            }
            [_, _, _, _, _, BININT2, ..] => {
                self.push(3);
            }
            _ => {}
        }
        true
    }

    #[inline(always)]
    fn mark(&mut self, marks: &mut Vec<u64>) -> bool {
        if marks.len() >= limits::PICKLE_DEPTH {
            return false;
        }
        marks.push(self.depth);
        self.fence = self.depth;
        self.pass(1)
    }

    /// Takes all items above the last mark.
    #[inline(always)]
    fn close(&mut self, code: u8, marks: &mut Vec<u64>) -> bool {
        let [_, .., below, mark] = *marks.as_slice() else { return false };
        let items = self.depth - mark;
        let possible = match code {
            TUPLE => true,
            OBJ => items > 0,
            SETITEMS => items & 1 == 0 && mark > below,
            _ => mark > below,
        };
        if !possible || mark <= self.watched {
            return false;
        }
        marks.pop();
        self.depth = if matches!(code, TUPLE | OBJ) { mark + 1 } else { mark };
        self.fence = below;
        self.pass(1)
    }

    /// Takes the top of the stack and changes or replaces the item below it.
    #[inline(always)]
    fn take_one(&mut self) -> bool {
        if self.depth - self.fence < 2 || self.depth - 1 <= self.watched {
            return false;
        }
        self.depth -= 1;
        self.pass(1)
    }
}
