//! A pickle read once for all the questions that may come: several sets of values, and the keys of
//! a few dicts.
//!
//! Where anything about the dicts is not as Python's picklers write a plain dict of strings, there
//! is no [`Roll`]; then each question has to be answered by [`super::pick()`].

use super::error::Error;
use super::opcode::{self, StringKind};
use super::pick::{Entry, Surveyed};
use super::roll::{Builder, Roll, is_plain};
use super::source::{Arg, ReadAt, Window};
use super::track::{Shape, Span};
use super::{Picked, Request, WINDOW};
use crate::python::Python;

/// Bytes of an entry of a dict at most. No address is longer.
const ENTRY_MOST: usize = 16 << 10;

/// Bytes that are read at a time.
const CHUNK: usize = 128 << 10;

/// A dict whose keys are kept.
#[derive(Debug, Clone, Copy)]
pub struct KeptDict<'a> {
    /// Its key in the top-level dict.
    pub key: &'a str,
    /// The mark of its keys: one bit, not the highest.
    pub mark: u8,
    /// If its values are integers: which of their bits give a key another mark.
    pub bits: Option<(i64, u8)>,
}

/// What was read.
#[derive(Debug)]
pub struct Enrolled {
    /// For each of the requests its values, or why there are none.
    pub picked: Vec<Result<Picked, Error>>,
    /// The keys of the dicts, where these are plain.
    pub roll: Option<Roll>,
}

/// Reads the pickle that `source` begins with. Each of `requests` is answered as by
/// [`super::pick()`].
///
/// # Errors
/// [`Error`]: what is wrong with the pickle as a whole.
pub fn enroll<R: ReadAt + ?Sized>(
    source: &R,
    requests: &[Request<'_>],
    dicts: &[KeptDict<'_>],
) -> Result<Enrolled, Error> {
    let names: Vec<&str> =
        requests.iter().flat_map(|r| r.keys.iter().chain(r.dicts)).copied().collect();
    let all = Request { keys: &names, dicts: &[], addresses: &[] };
    let mut surveyed = Surveyed::new(source, &all, WINDOW, true)?;
    let picked = requests.iter().map(|request| surveyed.pick(request)).collect();
    let roll = roll(source, &mut surveyed, dicts)?;
    Ok(Enrolled { picked, roll })
}

fn roll<R: ReadAt + ?Sized>(
    source: &R,
    surveyed: &mut Surveyed<'_, '_, R>,
    dicts: &[KeptDict<'_>],
) -> Result<Option<Roll>, Error> {
    let Some(strings) = surveyed.strings() else { return Ok(None) };
    let mut reader = Reader {
        source,
        places: strings,
        builder: Builder::new(surveyed.python()),
        python: surveyed.python(),
        later: Vec::new(),
    };
    for dict in dicts {
        let plain = match surveyed.found(dict.key) {
            Entry::Nothing | Entry::Value(_, Shape::Plain) => true,
            Entry::Value(span, Shape::Dict) => reader.dict(span, dict)?,
            Entry::Value(_, Shape::Unknown) => false,
        };
        if !plain {
            return Ok(None);
        }
    }
    Ok(reader.builder.finish())
}

/// In [`Reader::places`]: the string is entered, and the rest is one more than its place there.
const ENTERED: u32 = 1 << 31;

/// Reads dicts, one after the other.
struct Reader<'a, R: ?Sized> {
    source: &'a R,
    /// For each memo number 0, or one more than where the string under it lies; or [`ENTERED`].
    places: Vec<u32>,
    builder: Builder,
    python: Python,
    /// Strings that lie elsewhere: their places, memo numbers and marks.
    later: Vec<(u32, u32, u8)>,
}

/// The dict is not a plain one.
struct Odd;

/// How far a run over bytes came.
enum Run {
    /// To here; the next bytes are needed.
    More(usize),
    /// To here, which is the dict's end.
    End,
}

impl<R: ReadAt + ?Sized> Reader<'_, R> {
    /// Reads the dict whose opcodes are in `span`. Says whether it is a plain one.
    fn dict(&mut self, span: Span, dict: &KeptDict<'_>) -> Result<bool, Error> {
        let mut window = Window::new(self.source, CHUNK);
        let mut at = span.start;
        let mut state = State::Before;
        loop {
            window.load(at)?;
            let rest = span.end.saturating_sub(at).try_into().unwrap_or(usize::MAX);
            let bytes = window.bytes();
            let bytes = bytes.get(..rest.min(bytes.len())).unwrap_or(bytes);
            match self.run(bytes, rest <= bytes.len(), &mut state, dict) {
                Ok(Run::More(read)) if read > 0 => at = at.saturating_add(read as u64),
                Ok(Run::End) => break,
                Ok(Run::More(_)) | Err(Odd) => return Ok(false),
            }
        }
        self.enter_later()
    }

    /// Reads as many entries as are in `bytes` for certain.
    fn run(
        &mut self,
        bytes: &[u8],
        is_last: bool,
        state: &mut State,
        dict: &KeptDict<'_>,
    ) -> Result<Run, Odd> {
        let mut rest = bytes;
        loop {
            if rest.is_empty() && is_last && *state == State::Between {
                return Ok(Run::End);
            }
            if rest.len() < ENTRY_MOST && !is_last {
                return Ok(Run::More(bytes.len().saturating_sub(rest.len())));
            }
            let code = rest.first().copied().ok_or(Odd)?;
            let width = match (*state, code) {
                (State::Before, opcode::EMPTY_DICT) => {
                    *state = State::Between;
                    1 + put(rest.get(1..)).map_or(0, |(_, width)| width)
                }
                (State::Between, opcode::MARK) => {
                    *state = State::Batch;
                    1
                }
                (State::Batch, opcode::SETITEMS) | (State::One, opcode::SETITEM) => {
                    *state = State::Between;
                    1
                }
                (State::Batch, _) => self.entry(rest, dict)?,
                (State::Between, _) => {
                    *state = State::One;
                    self.entry(rest, dict)?
                }
                _ => return Err(Odd),
            };
            rest = rest.get(width..).ok_or(Odd)?;
        }
    }

    /// Reads a key and its value. Says how many bytes they take.
    #[inline]
    fn entry(&mut self, rest: &[u8], dict: &KeptDict<'_>) -> Result<usize, Odd> {
        let key = short(rest).ok_or(Odd)?;
        let number = put(rest.get(key.end..));
        let at = key.end + number.map_or(0, |(_, width)| width);
        let value = short(rest.get(at..).ok_or(Odd)?).ok_or(Odd)?;
        let marks = match (dict.bits, value.integer()) {
            (Some((bits, mark)), Some(value)) if value & bits != 0 => dict.mark | mark,
            (Some(_), None) => return Err(Odd),
            _ => dict.mark,
        };
        let end = at + value.end;
        let end = end + put(rest.get(end..)).map_or(0, |(_, width)| width);
        match opcode::string_kind(key.code) {
            Some(kind) => {
                let body = rest.get(key.start..key.end).ok_or(Odd)?;
                let place = self.enter(kind, body, marks)?;
                let slot = number.and_then(|(n, _)| self.places.get_mut(n as usize));
                if let Some(slot) = slot {
                    *slot = ENTERED | place.wrapping_add(1);
                }
            }
            None if key.is_get() => self.get(key.number, marks)?,
            None => return Err(Odd),
        }
        Ok(end)
    }

    fn enter(&mut self, kind: StringKind, body: &[u8], marks: u8) -> Result<u32, Odd> {
        if !is_plain(kind, body, self.python) {
            return Err(Odd);
        }
        self.builder.enter(kind, body, marks).map_err(|_| Odd)
    }

    /// A key that is in the memo.
    fn get(&mut self, number: u32, marks: u8) -> Result<(), Odd> {
        let place = self.places.get(number as usize).copied().ok_or(Odd)?;
        let at = (place & !ENTERED).checked_sub(1).ok_or(Odd)?;
        if place & ENTERED != 0 {
            return self.builder.mark(at, marks).map_err(|_| Odd);
        }
        self.later.push((at, number, marks));
        Ok(())
    }

    /// Enters the strings that lie elsewhere, in the order in which they lie there.
    fn enter_later(&mut self) -> Result<bool, Error> {
        let mut later = std::mem::take(&mut self.later);
        later.sort_unstable();
        let mut window = Window::new(self.source, WINDOW);
        for (place, number, marks) in later {
            let at = u64::from(place);
            let op = window.op(at)?;
            let (Some(kind), Arg::Body { start, len }) = (opcode::string_kind(op.code), op.arg)
            else {
                return Ok(false);
            };
            if len > ENTRY_MOST as u64 {
                return Ok(false);
            }
            while window.slice(start, len).is_none() {
                window.need(at)?;
            }
            let Some(body) = window.slice(start, len) else { return Ok(false) };
            let Ok(place) = self.enter(kind, body, marks) else { return Ok(false) };
            if let Some(slot) = self.places.get_mut(number as usize) {
                *slot = ENTERED | place.wrapping_add(1);
            }
        }
        Ok(true)
    }
}

/// Where in a dict's opcodes a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before all of them.
    Before,
    /// Between entries that belong together.
    Between,
    /// Within such: MARK entries SETITEMS.
    Batch,
    /// Behind a single entry, which SETITEM sets.
    One,
}

/// An opcode of those that are common in dicts of addresses.
#[derive(Debug, Clone, Copy)]
struct Short {
    code: u8,
    /// Its argument, if that is a number.
    number: u32,
    /// Where its counted bytes begin.
    start: usize,
    /// Where it ends.
    end: usize,
}

impl Short {
    fn is_get(&self) -> bool {
        matches!(self.code, opcode::BINGET | opcode::LONG_BINGET)
    }

    fn integer(&self) -> Option<i64> {
        match self.code {
            opcode::BININT1 | opcode::BININT2 => Some(i64::from(self.number)),
            opcode::BININT => Some(i64::from(self.number.cast_signed())),
            opcode::NEWTRUE => Some(1),
            opcode::NEWFALSE => Some(0),
            _ => None,
        }
    }
}

/// The opcode that `rest` begins with, if it is one of those.
#[inline(always)]
fn short(rest: &[u8]) -> Option<Short> {
    let [code, byte, ..] = rest else { return None };
    let one = usize::from(*byte);
    let four = || {
        let bytes = rest.get(1..).and_then(|rest| rest.first_chunk::<4>())?;
        Some(u32::from_le_bytes(*bytes))
    };
    let (number, start, end) = match *code {
        opcode::SHORT_BINSTRING | opcode::SHORT_BINUNICODE | opcode::SHORT_BINBYTES => {
            (0, 2, 2 + one)
        }
        opcode::BINSTRING | opcode::BINUNICODE | opcode::BINBYTES => {
            let len = usize::try_from(four()?).ok().filter(|len| *len < ENTRY_MOST)?;
            (0, 5, 5 + len)
        }
        opcode::BININT1 | opcode::BINGET => (u32::from(*byte), 2, 2),
        opcode::BININT2 => {
            let bytes = rest.get(1..).and_then(|rest| rest.first_chunk::<2>())?;
            (u32::from(u16::from_le_bytes(*bytes)), 3, 3)
        }
        opcode::BININT | opcode::LONG_BINGET => (four()?, 5, 5),
        opcode::NONE | opcode::NEWTRUE | opcode::NEWFALSE => (0, 1, 1),
        _ => return None,
    };
    Some(Short { code: *code, number, start, end })
}

/// The memo number of the PUT that `rest` begins with, and the bytes it takes.
#[inline(always)]
fn put(rest: Option<&[u8]>) -> Option<(u32, usize)> {
    match rest? {
        [opcode::LONG_BINPUT, a, b, c, d, ..] => Some((u32::from_le_bytes([*a, *b, *c, *d]), 5)),
        [opcode::BINPUT, number, ..] => Some((u32::from(*number), 2)),
        // Its number is not written. A GET of it will look where the string lies.
        [opcode::MEMOIZE, ..] => Some((u32::MAX, 1)),
        _ => None,
    }
}
