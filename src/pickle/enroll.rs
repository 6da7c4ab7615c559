//! A pickle read once for all the questions that may come: several sets of values, and the keys of
//! a few dicts.
//!
//! Where anything about the dicts is not as Python's picklers write a plain dict of strings, there
//! is no [`Roll`]; then each question has to be answered by [`super::pick()`].

use super::error::Error;
use super::opcode::{self, StringKind};
use super::pick::{Entry, Surveyed};
use super::roll::{BATCH, New, Roll, is_plain};
use super::source::{Arg, ReadAt, Window};
use super::track::{Shape, Span};
use super::{Picked, Request, WINDOW};
use crate::python::Python;

/// Bytes of an entry of a dict at most. No address is longer.
const ENTRY_MOST: usize = 16 << 10;

/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;

/// Bytes of an entry, for an estimate of how many there are.
const ENTRY_BYTES: u64 = 30;

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
    let roll = roll(source, &surveyed, dicts)?;
    Ok(Enrolled { picked, roll })
}

fn roll<R: ReadAt + ?Sized>(
    source: &R,
    surveyed: &Surveyed<'_, '_, R>,
    dicts: &[KeptDict<'_>],
) -> Result<Option<Roll>, Error> {
    let Some(strings) = surveyed.strings() else { return Ok(None) };
    // An entry with an address takes some 30 bytes and more; should it be less, the table grows.
    let size = |dict: &KeptDict<'_>| match surveyed.found(dict.key) {
        Entry::Value(span, _) => span.end.saturating_sub(span.start),
        Entry::Nothing => 0,
    };
    let room = dicts.iter().map(size).max().unwrap_or(0) / ENTRY_BYTES;
    let room = usize::try_from(room).unwrap_or(0);
    let mut reader = Reader {
        source,
        strings,
        entered: vec![0; strings.len()],
        roll: Roll::new(surveyed.python(), room),
        python: surveyed.python(),
        later: Vec::new(),
        batch: Vec::new(),
        places: Vec::new(),
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
    reader.roll.finish();
    Ok(Some(reader.roll))
}

/// Reads dicts, one after the other.
struct Reader<'a, R: ?Sized> {
    source: &'a R,
    /// For each memo number 0, or one more than where the string under it lies.
    strings: &'a [u32],
    /// For each memo number 0, or one more than where the string under it is in the roll.
    entered: Vec<u32>,
    roll: Roll,
    python: Python,
    /// Strings that lie elsewhere: their places, memo numbers and marks.
    later: Vec<(u32, u32, u8)>,
    /// Strings that are read and not yet entered.
    batch: Vec<Key>,
    /// Where the last ones entered are.
    places: Vec<u32>,
}

/// A string to be entered, and the memo number that it has.
#[derive(Debug, Clone, Copy)]
struct Key {
    kind: StringKind,
    start: usize,
    end: usize,
    marks: u8,
    number: Option<u32>,
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
            let is_last = rest <= bytes.len();
            let run = self.run(bytes, is_last, &mut state, dict);
            match run {
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
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).ok_or(Odd)?;
            if rest.is_empty() && is_last && matches!(state, State::Between) {
                self.flush(bytes)?;
                return Ok(Run::End);
            }
            if rest.len() < ENTRY_MOST && !is_last {
                self.flush(bytes)?;
                return Ok(Run::More(at));
            }
            let code = rest.first().copied().ok_or(Odd)?;
            match (*state, code) {
                (State::Before, opcode::EMPTY_DICT) => {
                    at += 1 + put(rest.get(1..)).map_or(0, |(_, width)| width);
                    *state = State::Between;
                }
                (State::Between, opcode::MARK) => {
                    at += 1;
                    *state = State::Batch;
                }
                (State::Batch, opcode::SETITEMS) | (State::One, opcode::SETITEM) => {
                    at += 1;
                    *state = State::Between;
                }
                (State::Between | State::Batch, _) => {
                    at += self.entry(rest, at, dict)?;
                    if self.batch.len() >= BATCH {
                        self.flush(bytes)?;
                    }
                    if *state == State::Between {
                        *state = State::One;
                    }
                }
                _ => return Err(Odd),
            }
        }
    }

    /// Reads a key and its value, the first of them at `at`. Says how many bytes they take.
    #[inline]
    fn entry(&mut self, rest: &[u8], at: usize, dict: &KeptDict<'_>) -> Result<usize, Odd> {
        let key = short(rest).ok_or(Odd)?;
        let put_at = key.end;
        let number = put(rest.get(put_at..));
        let value_at = put_at + number.map_or(0, |(_, width)| width);
        let value = short(rest.get(value_at..).ok_or(Odd)?).ok_or(Odd)?;
        let marks = match (dict.bits, value.integer()) {
            (Some((bits, mark)), Some(value)) if value & bits != 0 => dict.mark | mark,
            (Some(_), None) => return Err(Odd),
            _ => dict.mark,
        };
        let end = value_at + value.end;
        let end = end + put(rest.get(end..)).map_or(0, |(_, width)| width);
        if end > rest.len() {
            return Err(Odd);
        }
        match opcode::string_kind(key.code) {
            Some(kind) => {
                let body = rest.get(key.start..key.end).ok_or(Odd)?;
                if !is_plain(kind, body, self.python) {
                    return Err(Odd);
                }
                let number = number.map(|(number, _)| number);
                let (start, end) = (at + key.start, at + key.end);
                self.batch.push(Key { kind, start, end, marks, number });
            }
            None if key.is_get() => self.get(key.number, marks)?,
            None => return Err(Odd),
        }
        Ok(end)
    }

    /// A key that is in the memo.
    fn get(&mut self, number: u32, marks: u8) -> Result<(), Odd> {
        let entered = self.entered.get(number as usize).copied().unwrap_or(0);
        if let Some(place) = entered.checked_sub(1) {
            return if self.roll.mark(place, marks) { Err(Odd) } else { Ok(()) };
        }
        let place = self.strings.get(number as usize).and_then(|place| place.checked_sub(1));
        self.later.push((place.ok_or(Odd)?, number, marks));
        Ok(())
    }

    /// Enters what was read.
    fn flush(&mut self, bytes: &[u8]) -> Result<(), Odd> {
        let mut new = [New { kind: StringKind::Str, body: &[], marks: 0 }; BATCH];
        for (new, key) in new.iter_mut().zip(&self.batch) {
            let body = bytes.get(key.start..key.end).ok_or(Odd)?;
            *new = New { kind: key.kind, body, marks: key.marks };
        }
        self.places.clear();
        let new = new.get(..self.batch.len()).ok_or(Odd)?;
        self.roll.enter(new, &mut self.places).map_err(|_| Odd)?;
        for (key, place) in self.batch.drain(..).zip(&self.places) {
            let slot = key.number.and_then(|number| self.entered.get_mut(number as usize));
            if let Some(slot) = slot {
                *slot = place.saturating_add(1);
            }
        }
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
            self.places.clear();
            let new = [New { kind, body, marks }];
            if !is_plain(kind, body, self.python)
                || self.roll.enter(&new, &mut self.places).is_err()
            {
                return Ok(false);
            }
            let slot = self.entered.get_mut(number as usize);
            if let (Some(slot), Some(place)) = (slot, self.places.first()) {
                *slot = place.saturating_add(1);
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
