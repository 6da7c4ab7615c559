//! The backtracking machine: `SRE(match)` of `_sre.c`, 2.7 and 3.11.
//!
//! It keeps what CPython's keeps, on a stack of its own: no recursion, and a limit on the steps
//! and on the memory of one search. The two Pythons differ in which marks of groups a failed
//! attempt leaves behind; with back-references and conditionals that decides what matches.

use super::budget::{Budget, OverBudget};
use super::case::Repertoire;
use super::frame::{Frame, Marks, NOWHERE, Purpose, Repeats};
use super::program::{Address, Op, PlaceTest, Program, Test};
use super::syntax::Category;
use crate::limits;
use crate::python::Python;

const NEWLINE: u32 = 10;

/// A character of a subject.
pub(super) trait Character: Copy {
    /// Its ordinal.
    fn point(self) -> u32;
}

impl Character for u8 {
    fn point(self) -> u32 {
        u32::from(self)
    }
}

impl Character for u32 {
    fn point(self) -> u32 {
        self
    }
}

/// Where the search for a match may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// `re.match`
    Start,
    /// `re.search`
    Anywhere,
}

/// What a search comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Match,
    NoMatch,
    /// Python raises an exception.
    Crash(&'static str),
}

/// What Python 3.11 does when a group ends before it begins.
const BROKEN_GROUP: Outcome = Outcome::Crash("SystemError: the span of capturing group is wrong");

impl From<bool> for Outcome {
    fn from(matched: bool) -> Self {
        if matched { Outcome::Match } else { Outcome::NoMatch }
    }
}

/// Searches the subject for a match of the program.
pub(super) fn search<C: Character>(
    program: &Program,
    subject: &[C],
    anchor: Anchor,
    budget: &mut Budget,
) -> Result<Outcome, OverBudget> {
    let length = u32::try_from(subject.len()).map_err(|_| OverBudget)?;
    let Some(last_start) = subject.len().checked_sub(program.min_width) else {
        return Ok(Outcome::NoMatch);
    };
    let mut machine = Machine {
        program,
        subject,
        length,
        budget,
        frames: Vec::new(),
        marks: Marks::new(program.groups, program.python),
        repeats: Repeats::default(),
        end: 0,
    };
    let last_start = match anchor {
        Anchor::Start => 0,
        Anchor::Anywhere if machine.starts_at_begin_only() => 0,
        Anchor::Anywhere => u32::try_from(last_start).map_err(|_| OverBudget)?,
    };
    for start in 0..=last_start {
        if machine.attempt(start)? {
            let broken = program.python == Python::Three && machine.marks.has_broken_group();
            return Ok(if broken { BROKEN_GROUP } else { Outcome::Match });
        }
    }
    Ok(Outcome::NoMatch)
}

/// What happens after an attempt has ended.
pub(super) enum Next {
    /// Matching goes on here.
    Continue(Address, u32),
    /// The attempt around it ends, too: matched or not.
    End(bool),
}

/// The state of one search.
pub(super) struct Machine<'a, C> {
    pub(super) program: &'a Program,
    subject: &'a [C],
    pub(super) length: u32,
    pub(super) budget: &'a mut Budget,
    frames: Vec<Frame>,
    pub(super) marks: Marks,
    pub(super) repeats: Repeats,
    /// Where the last successful attempt ended.
    pub(super) end: u32,
}

impl<C: Character> Machine<'_, C> {
    /// Whether the first thing the program asks is to be at the subject's begin.
    fn starts_at_begin_only(&self) -> bool {
        let first = self.program.ops.iter().find(|op| !matches!(op, Op::Mark(_)));
        matches!(first, Some(Op::At(PlaceTest::BeginOfString)))
    }

    /// Whether no match can begin with the character at `start`, found without running.
    fn fails_at_once(&self, start: u32) -> bool {
        match self.program.ops.first() {
            Some(Op::Take(test)) => !self.takes(*test, start),
            Some(Op::TakeMany { min: 1.., .. }) => {
                matches!(self.program.ops.get(1), Some(Op::Take(test)) if !self.takes(*test, start))
            }
            _ => false,
        }
    }

    /// Tries to match from `start` on.
    fn attempt(&mut self, start: u32) -> Result<bool, OverBudget> {
        self.budget.charge(1)?;
        if self.fails_at_once(start) {
            return Ok(false);
        }
        if self.program.python == Python::Three {
            // Python 2.7 keeps the marks of the attempts before.
            self.marks.set_valid(0);
        }
        self.marks.discard_all();
        self.repeats.clear();
        self.frames.clear();
        let (mut address, mut at) = (0, start);
        loop {
            let mut matched = self.run(address, at)?;
            loop {
                let Some(frame) = self.frames.pop() else { return Ok(matched) };
                self.budget.charge(1)?;
                match self.resume(frame, matched)? {
                    Next::Continue(next, place) => {
                        (address, at) = (next, place);
                        break;
                    }
                    Next::End(result) => matched = result,
                }
            }
        }
    }

    /// Runs from `address` until the attempt ends.
    fn run(&mut self, mut address: Address, mut at: u32) -> Result<bool, OverBudget> {
        loop {
            self.budget.charge(1)?;
            let Some(op) = self.program.ops.get(address as usize).copied() else {
                return Ok(false);
            };
            let next = match op {
                Op::Accept => {
                    self.end = at;
                    Next::End(true)
                }
                Op::Take(test) if self.takes(test, at) => Next::Continue(address + 1, at + 1),
                Op::Take(_) => Next::End(false),
                Op::At(place) if self.is_at(place, at) => Next::Continue(address + 1, at),
                Op::At(_) => Next::End(false),
                Op::Jump(target) => Next::Continue(target, at),
                Op::Mark(mark) => {
                    self.charge_marks(mark.saturating_sub(self.marks.valid()))?;
                    self.marks.set(mark, at);
                    Next::Continue(address + 1, at)
                }
                Op::Branch { .. } => self.start_branch(address, at)?,
                Op::TakeMany { min, max, greed } => self.take_many(address, at, min, max, greed)?,
                Op::Repeat { min, max, until } => {
                    self.start_repeat(address, at, min, max, until)?
                }
                Op::Until { lazy } => self.until(address, at, lazy)?,
                Op::Possessive { .. } => self.possessive(address, at, 0, NOWHERE)?,
                Op::Atomic { .. } => {
                    self.push(self.frame(Purpose::Atomic, address, at))?;
                    Next::Continue(address + 1, at)
                }
                Op::BackReference { group, case } => {
                    self.back_reference(address, at, group, case)?
                }
                Op::Conditional { group, otherwise } => match self.marks.group(group) {
                    Some(_) => Next::Continue(address + 1, at),
                    None => Next::Continue(otherwise, at),
                },
                Op::Look { back, negated, next } => self.look(address, at, back, negated, next)?,
            };
            match next {
                Next::Continue(next, place) => (address, at) = (next, place),
                Next::End(matched) => return Ok(matched),
            }
        }
    }

    /// Goes on after the attempt that `frame` was made for.
    fn resume(&mut self, frame: Frame, matched: bool) -> Result<Next, OverBudget> {
        match frame.purpose {
            Purpose::Look => self.after_look(frame, matched),
            Purpose::Atomic => Ok(self.after_atomic(frame, matched)),
            Purpose::PossessiveRequired if matched => {
                self.possessive(frame.address, self.end, frame.count + 1, NOWHERE)
            }
            Purpose::PossessiveRequired => Ok(Next::End(false)),
            Purpose::PossessiveFurther => self.after_possessive(frame, matched),
            Purpose::Repeat => {
                self.repeats.pop();
                self.repeats.set_innermost(frame.repeat);
                Ok(Next::End(matched))
            }
            Purpose::Required => {
                if !matched {
                    self.set_done(frame, frame.count);
                }
                Ok(Next::End(matched))
            }
            Purpose::Further => self.after_further(frame, matched),
            Purpose::AfterRepeat => {
                self.repeats.set_innermost(frame.repeat);
                Ok(Next::End(matched))
            }
            Purpose::BeforeFurther => self.after_lazy_tail(frame, matched),
            Purpose::LazyFurther => {
                self.set_last(frame);
                if !matched {
                    self.set_done(frame, frame.count);
                }
                Ok(Next::End(matched))
            }
            Purpose::Alternative | Purpose::AfterMany | Purpose::AfterFew if matched => {
                self.marks.discard(frame.saved);
                Ok(Next::End(true))
            }
            Purpose::Alternative => self.next_alternative(frame),
            Purpose::AfterMany => self.take_one_less(frame),
            Purpose::AfterFew => self.take_one_more(frame),
        }
    }

    // ---- what all operations use ----

    pub(super) fn frame(&self, purpose: Purpose, address: Address, at: u32) -> Frame {
        Frame {
            purpose,
            address,
            at,
            count: 0,
            marks: self.marks.valid(),
            saved: None,
            repeat: self.repeats.innermost(),
            last: NOWHERE,
        }
    }

    pub(super) fn push(&mut self, frame: Frame) -> Result<(), OverBudget> {
        if self.frames.len() >= limits::PATTERN_FRAMES {
            return Err(OverBudget);
        }
        self.frames.push(frame);
        Ok(())
    }

    /// Saving, restoring and clearing marks costs by their number.
    pub(super) fn charge_marks(&mut self, count: u32) -> Result<(), OverBudget> {
        self.budget.charge(u64::from(count / 8))
    }

    /// Saves the marks into the frame if a repeat is under way, as CPython does.
    pub(super) fn save_marks_in_repeat(&mut self, frame: &mut Frame) -> Result<(), OverBudget> {
        if self.repeats.innermost().is_some() {
            self.charge_marks(frame.marks)?;
            frame.saved = self.marks.save()?;
        }
        Ok(())
    }

    pub(super) fn restore_marks(&mut self, frame: &Frame) -> Result<(), OverBudget> {
        self.charge_marks(frame.marks)?;
        self.marks.restore(frame.saved, frame.marks);
        self.marks.set_valid(frame.marks);
        Ok(())
    }

    fn character(&self, at: u32) -> Option<u32> {
        self.subject.get(at as usize).map(|c| c.point())
    }

    /// Whether there is a character at `at` and it passes.
    pub(super) fn takes(&self, test: Test, at: u32) -> bool {
        let Some(c) = self.character(at) else { return false };
        match test {
            Test::Is(wanted) => c == wanted,
            Test::IsNot(unwanted) => c != unwanted,
            Test::Lowers(wanted, repertoire) => repertoire.lower(c) == wanted,
            Test::LowersNot(unwanted, repertoire) => repertoire.lower(c) != unwanted,
            Test::Any => true,
            Test::AnyButNewline => c != NEWLINE,
            Test::In(set) => self.program.sets.get(set as usize).is_some_and(|s| s.contains(c)),
        }
    }

    fn is_at(&self, place: PlaceTest, at: u32) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.character(before));
        let here = self.character(at);
        match place {
            PlaceTest::BeginOfString => at == 0,
            PlaceTest::BeginOfLine => before.is_none_or(|c| c == NEWLINE),
            PlaceTest::EndOfString => here.is_none(),
            PlaceTest::EndOfLine => here.is_none_or(|c| c == NEWLINE),
            PlaceTest::End => here.is_none() || here == Some(NEWLINE) && at + 1 == self.length,
            // Neither `\b` nor `\B` matches the empty string.
            PlaceTest::Boundary { .. } if self.length == 0 => false,
            PlaceTest::Boundary { negated, repertoire } => {
                let is_word = |c: u32| repertoire.is_in(Category::Word, c);
                (before.is_some_and(is_word) != here.is_some_and(is_word)) != negated
            }
        }
    }

    /// Whether what begins at `address` fails at `at` by its first operation. That changes
    /// nothing, so the attempt need not be made.
    pub(super) fn is_hopeless(&self, address: Address, at: u32) -> bool {
        match self.program.ops.get(address as usize) {
            Some(Op::Take(test)) => !self.takes(*test, at),
            Some(Op::At(place)) => !self.is_at(*place, at),
            _ => false,
        }
    }

    // ---- alternatives ----

    fn start_branch(&mut self, address: Address, at: u32) -> Result<Next, OverBudget> {
        let mut frame = self.frame(Purpose::Alternative, address, at);
        self.save_marks_in_repeat(&mut frame)?;
        self.try_alternative(frame)
    }

    fn next_alternative(&mut self, frame: Frame) -> Result<Next, OverBudget> {
        self.restore_marks(&frame)?;
        self.try_alternative(frame)
    }

    /// Tries the alternatives from number `frame.count` on.
    fn try_alternative(&mut self, mut frame: Frame) -> Result<Next, OverBudget> {
        let Some(Op::Branch { first, count }) = self.program.ops.get(frame.address as usize) else {
            return Ok(Next::End(false));
        };
        while frame.count < *count {
            let alternative = first + frame.count;
            frame.count += 1;
            let Some(start) = self.program.alternatives.get(alternative as usize).copied() else {
                break;
            };
            if !self.is_hopeless(start, frame.at) {
                self.push(frame)?;
                return Ok(Next::Continue(start, frame.at));
            }
            self.budget.charge(1)?;
        }
        self.marks.discard(frame.saved);
        Ok(Next::End(false))
    }

    // ---- references and looks ----

    fn back_reference(
        &mut self,
        address: Address,
        at: u32,
        group: u32,
        case: Option<Repertoire>,
    ) -> Result<Next, OverBudget> {
        let Some((begin, end)) = self.marks.group(group) else { return Ok(Next::End(false)) };
        let fold = |c: Option<u32>| c.map(|c| case.map_or(c, |repertoire| repertoire.lower(c)));
        for offset in 0..end - begin {
            if offset % 4 == 3 {
                self.budget.charge(1)?;
            }
            let here = fold(self.character(at + offset));
            if here.is_none() || here != fold(self.character(begin + offset)) {
                return Ok(Next::End(false));
            }
        }
        Ok(Next::Continue(address + 1, at + (end - begin)))
    }

    fn look(
        &mut self,
        address: Address,
        at: u32,
        back: u32,
        negated: bool,
        next: Address,
    ) -> Result<Next, OverBudget> {
        let Some(start) = at.checked_sub(back) else {
            return Ok(if negated { Next::Continue(next, at) } else { Next::End(false) });
        };
        let mut frame = self.frame(Purpose::Look, address, at);
        if negated && self.program.python == Python::Three {
            self.save_marks_in_repeat(&mut frame)?;
        }
        self.push(frame)?;
        Ok(Next::Continue(address + 1, start))
    }

    fn after_look(&mut self, frame: Frame, matched: bool) -> Result<Next, OverBudget> {
        let Some(Op::Look { negated, next, .. }) = self.program.ops.get(frame.address as usize)
        else {
            return Ok(Next::End(false));
        };
        if *negated && !matched && self.program.python == Python::Three {
            self.restore_marks(&frame)?;
        }
        self.marks.discard(frame.saved);
        let holds = matched != *negated;
        Ok(if holds { Next::Continue(*next, frame.at) } else { Next::End(false) })
    }

    fn after_atomic(&self, frame: Frame, matched: bool) -> Next {
        match self.program.ops.get(frame.address as usize) {
            Some(Op::Atomic { next }) if matched => Next::Continue(*next, self.end),
            _ => Next::End(false),
        }
    }
}
