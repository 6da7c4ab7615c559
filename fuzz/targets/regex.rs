//! Patterns of any bytes: answered within the budget, and by both engines alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mm_query::python::Python;
use mm_query::python::re::{Answer, Budget, Flags, Pattern, search};
use mm_query::python::text::PyStr;

const STEPS: u64 = 200_000;

fuzz_target!(|bytes: &[u8]| {
    let Some((flags, rest)) = bytes.split_first() else { return };
    let at = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let (pattern, subject) = rest.split_at(at);
    let as_text = flags & 1 != 0;
    let string = |bytes: &[u8]| match as_text {
        true => PyStr::Text(String::from_utf8_lossy(bytes).into_owned()),
        false => PyStr::Bytes(bytes.to_vec()),
    };
    let (pattern, subject) = (string(pattern), string(subject));
    let python = if flags & 2 != 0 { Python::Three } else { Python::Two };
    let set = Flags {
        ignore_case: flags & 4 != 0,
        multiline: flags & 8 != 0,
        unicode: flags & 16 != 0,
    };
    let answer = search(&pattern, &subject, set, python, &mut Budget::new(STEPS));
    let Ok(compiled) = Pattern::compile(&pattern, set, python) else { return };
    let automaton = compiled.search_by_automaton(&subject, &mut Budget::new(STEPS));
    if let (Answer::Match | Answer::NoMatch, Ok(Some(found))) = (&answer, automaton) {
        assert_eq!(answer == Answer::Match, found, "{pattern:?} in {subject:?}");
    }
});
