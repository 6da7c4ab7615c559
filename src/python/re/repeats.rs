//! Loops of the backtracking machine: of one character, greedy, lazy and possessive.

use super::budget::OverBudget;
use super::frame::{Frame, NOWHERE, Purpose, RepeatState};
use super::matcher::{Character, Machine, Next};
use super::program::{Address, Op, Test};
use super::syntax::{Greed, UNLIMITED};
use crate::python::Python;

impl<C: Character> Machine<'_, C> {
    // ---- one-character loops ----

    /// Counts characters from `at` on that pass, `max` at most.
    fn count(&mut self, test: Test, at: u32, max: u32) -> Result<u32, OverBudget> {
        let room = (self.length - at).min(max);
        let mut count = 0;
        while count < room && self.takes(test, at + count) {
            count += 1;
            if count.is_multiple_of(4) {
                self.budget.charge(1)?;
            }
        }
        Ok(count)
    }

    /// The test that a one-character loop repeats.
    fn repeated_test(&self, address: Address) -> Test {
        match self.program.ops.get(address as usize + 1) {
            Some(Op::Take(test)) => *test,
            _ => Test::Any,
        }
    }

    pub(super) fn take_many(
        &mut self,
        address: Address,
        at: u32,
        min: u32,
        max: u32,
        greed: Greed,
    ) -> Result<Next, OverBudget> {
        if min > self.length - at {
            return Ok(Next::End(false));
        }
        let test = self.repeated_test(address);
        let wanted = if greed == Greed::Lazy { min } else { max };
        let count = self.count(test, at, wanted)?;
        if count < min {
            return Ok(Next::End(false));
        }
        let purpose = match greed {
            Greed::Possessive => return Ok(Next::Continue(address + 2, at + count)),
            Greed::Greedy => Purpose::AfterMany,
            Greed::Lazy => Purpose::AfterFew,
        };
        let mut frame = self.frame(purpose, address, at);
        frame.count = count;
        if self.program.python == Python::Three {
            self.save_marks_in_repeat(&mut frame)?;
        }
        match greed {
            Greed::Lazy => self.try_after_few(frame, max),
            _ => self.try_after_many(frame, min),
        }
    }

    pub(super) fn take_one_less(&mut self, mut frame: Frame) -> Result<Next, OverBudget> {
        self.restore_marks(&frame)?;
        let Some(Op::TakeMany { min, .. }) = self.program.ops.get(frame.address as usize) else {
            return Ok(Next::End(false));
        };
        match frame.count.checked_sub(1) {
            Some(count) if count >= *min => {
                frame.count = count;
                self.try_after_many(frame, *min)
            }
            _ => {
                self.marks.discard(frame.saved);
                Ok(Next::End(false))
            }
        }
    }

    /// Tries what follows a greedy loop of `frame.count` characters, then fewer, down to `min`.
    fn try_after_many(&mut self, mut frame: Frame, min: u32) -> Result<Next, OverBudget> {
        let next = frame.address + 2;
        while self.is_hopeless(next, frame.at + frame.count) {
            if frame.count <= min {
                self.marks.discard(frame.saved);
                return Ok(Next::End(false));
            }
            frame.count -= 1;
            if frame.count.is_multiple_of(8) {
                self.budget.charge(1)?;
            }
        }
        self.push(frame)?;
        Ok(Next::Continue(next, frame.at + frame.count))
    }

    pub(super) fn take_one_more(&mut self, mut frame: Frame) -> Result<Next, OverBudget> {
        if self.program.python == Python::Three {
            self.restore_marks(&frame)?;
        }
        let Some(Op::TakeMany { max, .. }) = self.program.ops.get(frame.address as usize) else {
            return Ok(Next::End(false));
        };
        if !self.takes(self.repeated_test(frame.address), frame.at + frame.count) {
            // Python 2.7 leaves the marks as the failed attempt left them.
            self.marks.discard(frame.saved);
            return Ok(Next::End(false));
        }
        self.marks.set_valid(frame.marks);
        frame.count += 1;
        self.try_after_few(frame, *max)
    }

    /// Tries what follows a lazy loop of `frame.count` characters.
    fn try_after_few(&mut self, frame: Frame, max: u32) -> Result<Next, OverBudget> {
        if frame.count > max {
            self.marks.discard(frame.saved);
            return Ok(Next::End(false));
        }
        self.push(frame)?;
        Ok(Next::Continue(frame.address + 2, frame.at + frame.count))
    }

    // ---- repeats ----

    pub(super) fn set_done(&mut self, frame: Frame, done: u32) {
        if let Some(repeat) = self.repeats.get_mut(frame.repeat) {
            repeat.done = done;
        }
    }

    pub(super) fn set_last(&mut self, frame: Frame) {
        if let Some(repeat) = self.repeats.get_mut(frame.repeat) {
            repeat.last = frame.last;
        }
    }

    pub(super) fn start_repeat(
        &mut self,
        address: Address,
        at: u32,
        min: u32,
        max: u32,
        until: Address,
    ) -> Result<Next, OverBudget> {
        self.push(self.frame(Purpose::Repeat, address, at))?;
        let outer = self.repeats.innermost();
        self.repeats.push(RepeatState { address, min, max, done: 0, outer, last: NOWHERE })?;
        Ok(Next::Continue(until, at))
    }

    /// The end of an iteration, or the begin of the first.
    pub(super) fn until(
        &mut self,
        address: Address,
        at: u32,
        lazy: bool,
    ) -> Result<Next, OverBudget> {
        let Some(repeat) = self.repeats.get(self.repeats.innermost()) else {
            return Ok(Next::End(false));
        };
        let mut frame = self.frame(Purpose::Required, address, at);
        frame.count = repeat.done;
        if repeat.done < repeat.min {
            self.push(frame)?;
            self.set_done(frame, repeat.done + 1);
            return Ok(Next::Continue(repeat.address + 1, at));
        }
        if lazy {
            return self.before_further(frame, repeat);
        }
        if !may_repeat(&repeat, at) {
            return self.after_repeat(frame, repeat);
        }
        frame.purpose = Purpose::Further;
        self.charge_marks(frame.marks)?;
        frame.saved = self.marks.save()?;
        self.further(frame, repeat)
    }

    /// Begins an iteration beyond the required ones.
    fn further(&mut self, mut frame: Frame, repeat: RepeatState) -> Result<Next, OverBudget> {
        frame.last = repeat.last;
        self.push(frame)?;
        if let Some(repeat) = self.repeats.get_mut(frame.repeat) {
            repeat.last = frame.at;
            repeat.done = frame.count.saturating_add(1);
        }
        Ok(Next::Continue(repeat.address + 1, frame.at))
    }

    pub(super) fn after_further(
        &mut self,
        frame: Frame,
        matched: bool,
    ) -> Result<Next, OverBudget> {
        self.set_last(frame);
        if matched {
            self.marks.discard(frame.saved);
            return Ok(Next::End(true));
        }
        self.restore_marks(&frame)?;
        self.marks.discard(frame.saved);
        self.set_done(frame, frame.count);
        match self.repeats.get(frame.repeat) {
            Some(repeat) => self.after_repeat(frame, repeat),
            None => Ok(Next::End(false)),
        }
    }

    /// Matches what follows a greedy repeat.
    fn after_repeat(&mut self, mut frame: Frame, repeat: RepeatState) -> Result<Next, OverBudget> {
        frame.purpose = Purpose::AfterRepeat;
        frame.saved = None;
        self.push(frame)?;
        self.repeats.set_innermost(repeat.outer);
        Ok(Next::Continue(frame.address + 1, frame.at))
    }

    /// Matches what follows a lazy repeat, before trying another iteration.
    fn before_further(
        &mut self,
        mut frame: Frame,
        repeat: RepeatState,
    ) -> Result<Next, OverBudget> {
        frame.purpose = Purpose::BeforeFurther;
        self.repeats.set_innermost(repeat.outer);
        if self.program.python == Python::Three {
            self.save_marks_in_repeat(&mut frame)?;
        }
        self.push(frame)?;
        Ok(Next::Continue(frame.address + 1, frame.at))
    }

    pub(super) fn after_lazy_tail(
        &mut self,
        mut frame: Frame,
        matched: bool,
    ) -> Result<Next, OverBudget> {
        self.repeats.set_innermost(frame.repeat);
        if !matched {
            self.restore_marks(&frame)?;
        }
        self.marks.discard(frame.saved);
        if matched {
            return Ok(Next::End(true));
        }
        match self.repeats.get(frame.repeat) {
            Some(repeat) if may_repeat(&repeat, frame.at) => {
                frame.purpose = Purpose::LazyFurther;
                frame.saved = None;
                self.further(frame, repeat)
            }
            _ => Ok(Next::End(false)),
        }
    }

    /// A possessive repeat of which `count` iterations are done, the last beginning at `last`.
    pub(super) fn possessive(
        &mut self,
        address: Address,
        at: u32,
        count: u32,
        last: u32,
    ) -> Result<Next, OverBudget> {
        let Some(Op::Possessive { min, max, next }) = self.program.ops.get(address as usize) else {
            return Ok(Next::End(false));
        };
        let mut frame = self.frame(Purpose::PossessiveRequired, address, at);
        frame.count = count;
        if count >= *min {
            if (count >= *max && *max != UNLIMITED) || at == last {
                return Ok(Next::Continue(*next, at));
            }
            frame.purpose = Purpose::PossessiveFurther;
            self.charge_marks(frame.marks)?;
            frame.saved = self.marks.save()?;
        }
        self.push(frame)?;
        Ok(Next::Continue(address + 1, at))
    }

    pub(super) fn after_possessive(
        &mut self,
        frame: Frame,
        matched: bool,
    ) -> Result<Next, OverBudget> {
        if matched {
            self.marks.discard(frame.saved);
            let count = frame.count.saturating_add(1);
            return self.possessive(frame.address, self.end, count, frame.at);
        }
        self.restore_marks(&frame)?;
        self.marks.discard(frame.saved);
        match self.program.ops.get(frame.address as usize) {
            Some(Op::Possessive { next, .. }) => Ok(Next::Continue(*next, frame.at)),
            _ => Ok(Next::End(false)),
        }
    }
}

/// Whether a further iteration is allowed: not beyond the maximum, and not from where the last
/// one began, which would go on for ever.
fn may_repeat(repeat: &RepeatState, at: u32) -> bool {
    (repeat.done < repeat.max || repeat.max == UNLIMITED) && repeat.last != at
}
