//! Which engine answers.
//!
//! Our own matcher goes first, under a small allowance; then the `regex` crate, which takes linear
//! time where ours may take exponential time; then ours with all that is left. The order is one of
//! cost, as a pattern is mostly used once: for patterns such as `^.*@([^.]+\.)*example\.com$` and
//! an address, our compiler was measured to take 1 to 8 microseconds and our matcher 0.1 to 5,
//! while building the other engine took 30 to 160, and up to 700 with counted repeats.

use super::budget::{Budget, OverBudget};
use super::matcher::{self, Anchor, Character, Outcome};
use super::parse::Parsed;
use super::program::Program;
use super::translate::{Alphabet, Purpose, Translation, Untranslatable, translate};
use crate::limits;

/// Steps of our own matcher before the other engine is built.
const ALLOWANCE: u64 = 10_000;
/// What building the other engine costs, in steps for each state of its automaton.
const STEPS_PER_STATE: u64 = 200;
/// Characters by states that the other engine goes through in a step, at its slowest.
const STATES_PER_STEP: u64 = 4;

/// A subject in the form each engine wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The bytes, or the text in UTF-8.
    pub(super) bytes: &'a [u8],
    pub(super) alphabet: Alphabet,
}

/// Searches by whichever engine is best.
pub(super) fn search<C: Character>(
    pattern: (&Parsed, &Program),
    characters: &[C],
    subject: Subject<'_>,
    anchor: Anchor,
    budget: &mut Budget,
) -> Result<Outcome, OverBudget> {
    let (parsed, program) = pattern;
    let allowance = ALLOWANCE.min(budget.left());
    let mut quick = Budget::new(allowance);
    let answer = matcher::search(program, characters, anchor, &mut quick);
    budget.charge(allowance - quick.left())?;
    if answer.is_ok() {
        return answer;
    }
    match by_automaton(parsed, program, subject, anchor, budget)? {
        Some(answer) => Ok(answer.into()),
        None => matcher::search(program, characters, anchor, budget),
    }
}

/// The answer of the `regex` crate, if the pattern can be expressed in it.
pub(super) fn by_automaton(
    parsed: &Parsed,
    program: &Program,
    subject: Subject<'_>,
    anchor: Anchor,
    budget: &mut Budget,
) -> Result<Option<bool>, OverBudget> {
    if subject.bytes.is_empty() {
        return Ok(None);
    }
    let purpose = Purpose {
        alphabet: subject.alphabet,
        final_newline: subject.bytes.ends_with(b"\n"),
        anchored: anchor == Anchor::Start,
    };
    let translation = match translate(parsed, program.python, purpose, budget) {
        Ok(translation) => translation,
        Err(Untranslatable::Inexpressible) => return Ok(None),
        Err(Untranslatable::OverBudget) => return Err(OverBudget),
    };
    budget.charge(translation.weight.saturating_mul(STEPS_PER_STATE))?;
    let Some(regex) = build(&translation, subject.alphabet) else { return Ok(None) };
    let states = translation.weight.saturating_mul(subject.bytes.len() as u64);
    budget.charge(states / STATES_PER_STEP)?;
    Ok(Some(regex.is_match(subject.bytes)))
}

/// Builds the automaton, if it is not too large.
fn build(translation: &Translation, alphabet: Alphabet) -> Option<regex::bytes::Regex> {
    regex::bytes::RegexBuilder::new(&translation.pattern)
        .unicode(alphabet == Alphabet::Text)
        .size_limit(limits::PATTERN_AUTOMATON_BYTES)
        .dfa_size_limit(limits::PATTERN_AUTOMATON_BYTES)
        .build()
        .ok()
}
