//! The stack of the backtracking machine: what is to be done when an attempt ends.

use super::budget::OverBudget;
use super::program::Address;
use crate::limits;
use crate::python::Python;

/// Why the machine made an attempt, which says how it goes on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// One alternative of a branch; `count` is the next.
    Alternative,
    /// What follows `count` characters of a greedy one-character loop.
    AfterMany,
    /// The same of a lazy one.
    AfterFew,
    /// A repeat in full, with what follows it.
    Repeat,
    /// One of the iterations that a repeat must have.
    Required,
    /// A further iteration of a greedy repeat.
    Further,
    /// What follows a greedy repeat.
    AfterRepeat,
    /// What follows a lazy repeat, before trying a further iteration.
    BeforeFurther,
    /// A further iteration of a lazy repeat.
    LazyFurther,
    Look,
    Atomic,
    /// An iteration that a possessive repeat must have.
    PossessiveRequired,
    /// A further iteration of a possessive repeat.
    PossessiveFurther,
}

/// An attempt under way, and what it must put back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) purpose: Purpose,
    /// The operation that made the attempt.
    pub(super) address: Address,
    /// Where in the subject.
    pub(super) at: u32,
    pub(super) count: u32,
    /// Number of marks that were valid.
    pub(super) marks: u32,
    /// Where the marks were saved, if they were.
    pub(super) saved: Option<SavedMarks>,
    /// The innermost repeat.
    pub(super) repeat: Option<RepeatIndex>,
    /// Where that repeat's last iteration began.
    pub(super) last: u32,
}

/// Index into the saved marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SavedMarks(std::num::NonZeroU32);

/// Index into the repeats under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RepeatIndex(std::num::NonZeroU32);

/// No place in the subject.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A repeat under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct RepeatState {
    /// Address of its `Repeat`.
    pub(super) address: Address,
    pub(super) min: u32,
    pub(super) max: u32,
    /// Iterations completed.
    pub(super) done: u32,
    /// The repeat around it.
    pub(super) outer: Option<RepeatIndex>,
    /// Where the last iteration beyond the required ones began.
    pub(super) last: u32,
}

/// The marks of the groups.
///
/// As in CPython, marks from the number of valid ones on are not to be looked at, and a failed
/// attempt puts back that number, but the marks themselves only where CPython saves them.
#[derive(Debug)]
pub(super) struct Marks {
    places: Vec<u32>,
    valid: u32,
    saved: Vec<u32>,
    /// As many must be valid to be worth saving: to Python 2.7 a single one is not.
    fewest_saved: usize,
}

impl Marks {
    pub(super) fn new(groups: usize, python: Python) -> Marks {
        Marks {
            places: vec![NOWHERE; groups.saturating_mul(2)],
            valid: 0,
            saved: Vec::new(),
            fewest_saved: match python {
                Python::Two => 2,
                Python::Three => 1,
            },
        }
    }

    pub(super) fn valid(&self) -> u32 {
        self.valid
    }

    pub(super) fn set_valid(&mut self, valid: u32) {
        self.valid = valid;
    }

    /// Sets a mark; those skipped since the last valid one are in no place.
    pub(super) fn set(&mut self, mark: u32, at: u32) {
        if mark >= self.valid {
            let skipped = self.places.get_mut(self.valid as usize..mark as usize);
            skipped.unwrap_or_default().fill(NOWHERE);
            self.valid = mark + 1;
        }
        if let Some(place) = self.places.get_mut(mark as usize) {
            *place = at;
        }
    }

    /// Where the group began and ended, if it has matched.
    pub(super) fn group(&self, group: u32) -> Option<(u32, u32)> {
        let first = group.checked_sub(1)?.checked_mul(2)?;
        if first + 1 >= self.valid {
            return None;
        }
        let begin = *self.places.get(first as usize)?;
        let end = *self.places.get(first as usize + 1)?;
        (begin != NOWHERE && end != NOWHERE && begin <= end).then_some((begin, end))
    }

    /// Whether a group ends before it begins, which is how some defects of CPython show.
    pub(super) fn has_broken_group(&self) -> bool {
        let valid = self.places.get(..self.valid as usize).unwrap_or_default();
        let (groups, _) = valid.as_chunks::<2>();
        groups.iter().any(|[begin, end]| *begin != NOWHERE && *end != NOWHERE && begin > end)
    }

    /// Saves the valid marks; nothing if there are too few.
    pub(super) fn save(&mut self) -> Result<Option<SavedMarks>, OverBudget> {
        let valid = self.places.get(..self.valid as usize).unwrap_or_default();
        if valid.len() < self.fewest_saved {
            return Ok(None);
        }
        if self.saved.len() + valid.len() > limits::PATTERN_SAVED_MARKS {
            return Err(OverBudget);
        }
        let start = u32::try_from(self.saved.len() + 1).map_err(|_| OverBudget)?;
        self.saved.extend_from_slice(valid);
        Ok(std::num::NonZeroU32::new(start).map(SavedMarks))
    }

    /// Puts back marks that [`Marks::save`] saved when `count` were valid; they stay saved.
    pub(super) fn restore(&mut self, saved: Option<SavedMarks>, count: u32) {
        let Some(SavedMarks(start)) = saved else { return };
        let start = start.get() as usize - 1;
        let saved = self.saved.get(start..start + count as usize).unwrap_or_default();
        if let Some(places) = self.places.get_mut(..saved.len()) {
            places.copy_from_slice(saved);
        }
    }

    /// Forgets these saved marks and all saved later.
    pub(super) fn discard(&mut self, saved: Option<SavedMarks>) {
        if let Some(SavedMarks(start)) = saved {
            self.saved.truncate(start.get() as usize - 1);
        }
    }

    pub(super) fn discard_all(&mut self) {
        self.saved.clear();
    }
}

/// The repeats under way. The innermost one is not always the last: what follows a repeat is
/// matched while the repeat still waits for it.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    states: Vec<RepeatState>,
    innermost: Option<RepeatIndex>,
}

impl Repeats {
    pub(super) fn innermost(&self) -> Option<RepeatIndex> {
        self.innermost
    }

    pub(super) fn set_innermost(&mut self, index: Option<RepeatIndex>) {
        self.innermost = index;
    }

    pub(super) fn get(&self, index: Option<RepeatIndex>) -> Option<RepeatState> {
        self.states.get(index?.0.get() as usize - 1).copied()
    }

    pub(super) fn get_mut(&mut self, index: Option<RepeatIndex>) -> Option<&mut RepeatState> {
        self.states.get_mut(index?.0.get() as usize - 1)
    }

    pub(super) fn push(&mut self, state: RepeatState) -> Result<(), OverBudget> {
        self.states.push(state);
        let index = u32::try_from(self.states.len()).map_err(|_| OverBudget)?;
        self.innermost = std::num::NonZeroU32::new(index).map(RepeatIndex);
        Ok(())
    }

    /// Ends the repeat pushed last.
    pub(super) fn pop(&mut self) {
        self.states.pop();
    }

    pub(super) fn clear(&mut self) {
        self.states.clear();
        self.innermost = None;
    }
}
