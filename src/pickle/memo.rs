//! Where memo numbers were put, without a table of all of them.
//!
//! Python's picklers number their PUTs upwards, so it is enough to note the place of every
//! 256th and to scan from the one before. Only numbers out of that order are kept one by one.

use std::collections::BTreeMap;

use super::error::{Error, ErrorKind};
use super::opcode::{self, Effect};
use super::source::{Arg, Op, ReadAt, Window};
use super::text;
use crate::limits;

/// Distance of the noted places; a power of two.
const STRIDE: u64 = 256;

/// What beginning a search costs, in opcodes.
const SEARCH: u64 = 64;

/// The memo's history.
#[derive(Debug, Default)]
pub(crate) struct MemoLog {
    /// The first number put (cPickle begins at 1, pickle at 0).
    first: Option<u64>,
    /// One more than the highest number put.
    next: u64,
    /// Numbers that were passed over on the way up.
    gaps: bool,
    /// Rising numbers with the place of their PUT.
    places: Vec<(u64, u64)>,
    /// Rising numbers put since the last of these places.
    since: u64,
    /// The places of PUTs whose number was not a new highest one.
    loose: BTreeMap<u64, Vec<u64>>,
    loose_count: usize,
}

impl MemoLog {
    /// One more than the highest number put so far.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Notes that numbers up to `next` were put one after the other (none of them is a place
    /// that [`Self::must_note`]).
    pub(crate) fn advance(&mut self, next: u64) {
        self.since += next - self.next;
        self.next = next;
    }

    /// Whether the place of a PUT in sequence has to be noted.
    pub(crate) fn must_note(number: u64) -> bool {
        number & (STRIDE - 1) == 0
    }

    /// Notes the PUT at `at`. Says whether it is the first.
    pub(crate) fn put(&mut self, number: u64, at: u64) -> Result<bool, ErrorKind> {
        let Some(first) = self.first else {
            self.first = Some(number);
            self.next = number + 1;
            self.places.push((number, at));
            return Ok(true);
        };
        if number < self.next {
            self.loose_count += 1;
            if self.loose_count > limits::PICKLE_LOOSE_MEMOS {
                return Err(ErrorKind::Limit("memo numbers out of order"));
            }
            self.first = Some(first.min(number));
            self.gaps |= number < first;
            self.loose.entry(number).or_default().push(at);
            return Ok(false);
        }
        let passed = number > self.next;
        self.gaps |= passed;
        self.since += 1;
        if self.since >= STRIDE {
            self.places.push((number, at));
            self.since = 0;
        }
        self.next = number + 1;
        Ok(false)
    }

    /// The number that MEMOIZE uses: how many are put.
    pub(crate) fn memoize(&self) -> Result<u64, ErrorKind> {
        match self.first {
            None => Ok(0),
            Some(0) if !self.gaps => Ok(self.next),
            Some(_) => Err(ErrorKind::Unsupported("MEMOIZE among numbered PUTs")),
        }
    }

    /// Whether something may be got under this number. Exact unless numbers were left out.
    pub(crate) fn knows(&self, number: u64) -> bool {
        self.first.is_some_and(|first| first <= number) && number < self.next
    }

    /// The last PUT of this number out of order that lies before `before`.
    pub(crate) fn loose_before(&self, number: u64, before: u64) -> Option<u64> {
        self.loose.get(&number)?.iter().copied().rfind(|at| *at < before)
    }
}

/// Where a memo's value was put.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The opcode before the PUT: what made the value.
    pub(crate) made: u64,
    /// The PUT.
    pub(crate) put: u64,
}

/// Finds memo numbers by reading parts of the pickle again.
pub(crate) struct Finder<'l> {
    log: &'l MemoLog,
    /// Where the last search along the rising numbers ended.
    cursor: Cursor,
    /// Opcodes that may still be read.
    budget: &'l mut u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    at: u64,
    /// The number that a MEMOIZE there would use.
    next: u64,
}

impl<'l> Finder<'l> {
    /// A finder over the whole of a walk's memo.
    pub(crate) fn new(log: &'l MemoLog, budget: &'l mut u64) -> Self {
        Finder { log, cursor: Cursor::default(), budget }
    }

    /// The last PUT of `number` before `before`.
    pub(crate) fn find<R: ReadAt + ?Sized>(
        &mut self,
        window: &mut Window<'_, R>,
        number: u64,
        before: u64,
    ) -> Result<Option<Place>, Error> {
        self.spend(before, SEARCH)?;
        let loose = self.log.loose_before(number, before);
        let found = match loose {
            Some(put) => self.before(window, put)?,
            None => self.rising(window, number)?,
        };
        Ok(found.filter(|place| place.put < before))
    }

    fn spend(&mut self, at: u64, opcodes: u64) -> Result<(), Error> {
        *self.budget = self
            .budget
            .checked_sub(opcodes)
            .ok_or_else(|| Error::new(at, ErrorKind::Limit("memo references")))?;
        Ok(())
    }

    /// The PUT that first used `number`, along the rising numbers.
    fn rising<R: ReadAt + ?Sized>(
        &mut self,
        window: &mut Window<'_, R>,
        number: u64,
    ) -> Result<Option<Place>, Error> {
        let mut cursor = self.start(number);
        let mut made = cursor.at;
        loop {
            self.spend(cursor.at, 1)?;
            let op = window.op(cursor.at)?;
            let at = op.at;
            match opcode::effect(op.code) {
                Effect::Put => {
                    let put = put_number(&op).unwrap_or(cursor.next);
                    if put > number {
                        return Ok(None);
                    }
                    if put == number {
                        self.cursor = Cursor { at: made, next: cursor.next };
                        return Ok(Some(Place { made, put: at }));
                    }
                    cursor.next = cursor.next.max(put + 1);
                }
                Effect::Stop => return Ok(None),
                Effect::Nothing => {}
                _ => made = at,
            }
            cursor.at = op.end;
        }
    }

    /// The nearest place to begin a search for `number` at.
    fn start(&self, number: u64) -> Cursor {
        let places = &self.log.places;
        let index = places.partition_point(|(noted, _)| *noted < number);
        let place = index.checked_sub(1).and_then(|index| places.get(index));
        let noted =
            place.map_or_else(Cursor::default, |(number, at)| Cursor { at: *at, next: *number });
        if self.cursor.next <= number && self.cursor.at > noted.at { self.cursor } else { noted }
    }

    /// The opcode before the PUT at `put`.
    fn before<R: ReadAt + ?Sized>(
        &mut self,
        window: &mut Window<'_, R>,
        put: u64,
    ) -> Result<Option<Place>, Error> {
        let [_, made] = self.pushes_before(window, put)?;
        Ok(made.map(|made| Place { made, put }))
    }

    /// The last two opcodes before `until` that are neither PUTs nor without effect.
    pub(crate) fn pushes_before<R: ReadAt + ?Sized>(
        &mut self,
        window: &mut Window<'_, R>,
        until: u64,
    ) -> Result<[Option<u64>; 2], Error> {
        self.spend(until, SEARCH)?;
        let places = &self.log.places;
        // The place before the nearest one: two opcodes have to lie between.
        let index = places.partition_point(|(_, at)| *at < until).saturating_sub(2);
        let mut at = if index == 0 { 0 } else { places.get(index).map_or(0, |place| place.1) };
        let mut last = [None, None];
        while at < until {
            self.spend(at, 1)?;
            let op = window.op(at)?;
            if !matches!(opcode::effect(op.code), Effect::Put | Effect::Nothing) {
                last = [last[1], Some(at)];
            }
            at = op.end;
        }
        Ok(last)
    }
}

/// The number of a PUT opcode; `None` for MEMOIZE, whose number is not written.
pub(crate) fn put_number(op: &Op<'_>) -> Option<u64> {
    if op.code == opcode::MEMOIZE { None } else { memo_number(op) }
}

/// The number that a GET or PUT names.
pub(crate) fn memo_number(op: &Op<'_>) -> Option<u64> {
    match op.arg {
        Arg::Number(number) => Some(number),
        Arg::Line(line) => text::memo_number(line).filter(|n| *n < u64::MAX),
        _ => None,
    }
}
