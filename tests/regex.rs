//! `python::re` against the answers of Python itself, and its two engines against each other.
//!
//! `tests/fixtures/vectors/regex-*.jsonl` are Python 2.7.18's answers: a line of subjects, then a
//! pattern a line.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use mm_query::limits;
use mm_query::python::Python;
use mm_query::python::re::{Answer, Budget, CompileError, Flags, OverBudget, Pattern, search};
use mm_query::python::text::PyStr;
use proptest::prelude::*;
use serde_json::Value;

const IGNORE_CASE: Flags = Flags { ignore_case: true, multiline: false, unicode: false };
const HEADER_FLAGS: Flags = Flags { ignore_case: true, multiline: true, unicode: true };

fn bytes(text: &str) -> PyStr {
    PyStr::Bytes(text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect())
}

fn text(text: &str) -> PyStr {
    PyStr::Text(text.into())
}

/// What Python 2.7 searches with bytes, Python 3.11 with text.
fn of(python: Python, string: &str) -> PyStr {
    match python {
        Python::Two => bytes(string),
        Python::Three => text(string),
    }
}

fn answer(python: Python, pattern: &str, subject: &str) -> Answer {
    let budget = &mut Budget::new(limits::PATTERN_STEPS);
    search(&of(python, pattern), &of(python, subject), IGNORE_CASE, python, budget)
}

/// Counts of one file of vectors.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    patterns: usize,
    valid: usize,
    searches: usize,
    /// Searches that Python itself did not finish.
    timeouts: usize,
    /// Searches that the `regex` crate answered, too.
    by_automaton: usize,
}

fn run_vectors(file: &str, flags: Flags, string: fn(&str) -> PyStr) -> Counts {
    let mut lines = file.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let head = lines.next().expect("a line of subjects");
    let subjects: Vec<PyStr> = strings(&head["subjects"]).map(string).collect();
    let mut counts = Counts::default();
    for case in lines {
        let shown = case["pattern"].as_str().expect("a pattern");
        let expected = case["valid"].as_bool().expect("a validity");
        counts.patterns += 1;
        let pattern = match Pattern::compile(&string(shown), flags, Python::Two) {
            Ok(pattern) => pattern,
            Err(error) => {
                assert!(!expected, "{shown:?} is valid, not {error:?}");
                let caught = case["error"].as_str().is_some_and(|e| e.starts_with("error"));
                let invalid = matches!(error, CompileError::Invalid(_));
                assert_eq!(invalid, caught, "{shown:?}: {error:?}, Python: {}", case["error"]);
                continue;
            }
        };
        assert!(expected, "{shown:?} is not valid: {}", case["error"]);
        counts.valid += 1;
        for (subject, expected) in subjects.iter().zip(case["matches"].as_array().expect("a list"))
        {
            check_search(&pattern, subject, expected, shown, &mut counts);
        }
    }
    counts
}

fn check_search(
    pattern: &Pattern,
    subject: &PyStr,
    expected: &Value,
    shown: &str,
    counts: &mut Counts,
) {
    counts.searches += 1;
    let found = pattern.search(subject, &mut Budget::new(limits::PATTERN_STEPS));
    match expected.as_u64() {
        Some(expected) => assert_eq!(found, Ok(expected == 1), "{shown:?} in {subject:?}"),
        None => counts.timeouts += 1,
    }
    let budget = &mut Budget::new(limits::PATTERN_STEPS);
    if let Ok(Some(by_automaton)) = pattern.search_by_automaton(subject, budget) {
        counts.by_automaton += 1;
        assert_eq!(found, Ok(by_automaton), "{shown:?} in {subject:?}: the engines differ");
    }
}

fn strings(array: &Value) -> impl Iterator<Item = &str> {
    array.as_array().expect("an array").iter().map(|s| s.as_str().expect("a string"))
}

#[test]
fn agrees_with_python2_on_bytes() {
    let file = include_str!("fixtures/vectors/regex-bytes.jsonl");
    let counts = run_vectors(file, IGNORE_CASE, bytes);
    assert_eq!((counts.patterns, counts.valid, counts.searches), (630, 523, 523 * 49));
    assert_eq!(counts.timeouts, 4);
    assert!(counts.by_automaton > 20_000, "{counts:?}");
}

#[test]
fn agrees_with_python2_on_unicode() {
    let file = include_str!("fixtures/vectors/regex-unicode.jsonl");
    let counts = run_vectors(file, HEADER_FLAGS, text);
    assert_eq!((counts.patterns, counts.valid, counts.searches), (630, 523, 523 * 14));
    assert_eq!(counts.timeouts, 4);
    assert!(counts.by_automaton > 5_000, "{counts:?}");
}

#[test]
fn tells_caught_exceptions_from_others() {
    use Python::{Three, Two};
    let many_groups = "(a)".repeat(100);
    let deep = format!("{}{}", "(".repeat(496), ")".repeat(496));
    for (python, pattern, caught) in [
        (Two, "a**", true),
        (Two, "a\\", true),
        (Two, "a{4294967295}", false),
        (Two, "a{4294967295}\\", true),
        (Two, &many_groups, false),
        (Two, "(?(2)a|b)(c)", false),
        (Two, "(?(-1)a)", false),
        (Two, "(?(-1)a)*)", true),
        (Two, "(?i:a)", true),
        (Two, &deep, false),
        (Three, "a{4294967295}", false),
        (Three, "\\e", true),
        (Three, "a(?i)", true),
        (Three, "(?L)a", true),
        (Three, "(?a)(?u)b", false),
        (Three, "(?(2)a|b)(c)", true),
        (Three, "\\N{EM DASH}", false),
        (Three, "\\N", true),
        (Three, &deep, false),
    ] {
        match answer(python, pattern, "abc") {
            Answer::Invalid(_) => assert!(caught, "{python:?} {pattern:?}"),
            Answer::Crash(_) => assert!(!caught, "{python:?} {pattern:?}"),
            other => panic!("{python:?} {pattern:?}: {other:?}"),
        }
    }
}

#[test]
fn python2_lets_a_conditional_ask_for_100_groups_where_there_is_none() {
    for number in ["101", "2147483649", "4294967294", "4294967296", "4294967297"] {
        let pattern = format!("^(?({number})a|b)");
        let answer = answer(Python::Two, &pattern, "b");
        assert!(matches!(answer, Answer::Crash(_)), "{pattern}: {answer:?}");
    }
    for number in ["1", "100"] {
        let pattern = format!("^(?({number})a|b)");
        assert_eq!(answer(Python::Two, &pattern, "b"), Answer::Match, "{pattern}");
        assert_eq!(answer(Python::Two, &pattern, "a"), Answer::NoMatch, "{pattern}");
    }
}

#[test]
fn python3_differs_where_it_should() {
    use Answer::{Match, NoMatch};
    let many_groups = "(a)?".repeat(150);
    for (pattern, subject, two, three) in [
        ("^\\w+$", "j\u{e4}ger", NoMatch, Match),
        ("J\u{c4}GER", "j\u{e4}ger", NoMatch, Match),
        ("^\\e$", "e", Match, Answer::Invalid("bogus escape")),
        ("^a++a", "aaa", Answer::Invalid("multiple repeat"), NoMatch),
        ("(?P<n>a(?P=n)?)", "aa", Match, Answer::Invalid("cannot refer to an open group")),
        ("\\B", "", NoMatch, NoMatch),
        ("a|(?i)B", "b", Match, answer(Python::Three, "a|(?i)B", "")),
        ("\\400", "\0", Match, answer(Python::Three, "\\400", "")),
        (&many_groups, "b", answer(Python::Two, &many_groups, ""), Match),
    ] {
        assert_eq!(answer(Python::Two, pattern, subject), two, "2.7: {pattern:?}");
        assert_eq!(answer(Python::Three, pattern, subject), three, "3.11: {pattern:?}");
    }
}

#[test]
fn python3_searches_text_with_text_only() {
    let budget = &mut Budget::new(1_000);
    for (pattern, subject) in [(text("a"), bytes("a")), (bytes("a"), text("a"))] {
        let found = search(&pattern, &subject, IGNORE_CASE, Python::Three, budget);
        assert!(matches!(found, Answer::Crash(_)), "{found:?}");
        let found = search(&pattern, &subject, IGNORE_CASE, Python::Two, budget);
        assert_eq!(found, Answer::Match);
    }
}

#[test]
fn match_start_matches_at_the_start_only() {
    let pattern = Pattern::compile(&bytes("b|ab"), IGNORE_CASE, Python::Two).expect("valid");
    let starts = |s: &str| pattern.match_start(&bytes(s), &mut Budget::new(1_000));
    assert_eq!((starts("abc"), starts("cab")), (Ok(true), Ok(false)));
}

/// Patterns that keep CPython busy for minutes. The `regex` crate answers for most.
#[test]
fn bombs_are_answered_within_the_budget() {
    let a40 = format!("{}!", "a".repeat(40));
    let a2000 = "a".repeat(2_000);
    let long_line = "x".repeat(100_000);
    for (pattern, subject) in [
        ("^(a+)+$", &a40),
        ("(a|aa)+$", &a40),
        ("(.*)*@", &a40),
        ("(a|b|ab)*c", &a40),
        (".*.*.*x", &a2000),
        (".*foo", &long_line),
        ("(x+x+)+y", &long_line),
        ("^(?:x|xx)*$|y", &format!("{long_line}!")),
        ("(?:x|y)*z", &long_line),
    ] {
        for python in [Python::Two, Python::Three] {
            assert_eq!(answer(python, pattern, subject), Answer::NoMatch, "{python:?} {pattern}");
        }
    }
}

#[test]
fn bombs_beyond_the_automaton_exhaust_the_budget() {
    let a60 = "a".repeat(60);
    let long = "ab".repeat(1_000_000);
    for (pattern, subject) in [
        ("(?=(a+)+$)b|^(?:(a+)+)(?<!a)$", format!("{a60}!")),
        ("^(a|aa)+(?!.)b", a60),
        // One attempt a character: the memory runs out, not the steps.
        ("^(?:(a)|(b))*(?=c)", long),
        ("(?:){4294967294}(?=a)", "a".into()),
    ] {
        for python in [Python::Two, Python::Three] {
            let budget = &mut Budget::new(5_000_000);
            let (pattern, subject) = (of(python, pattern), of(python, &subject));
            let found = search(&pattern, &subject, IGNORE_CASE, python, budget);
            assert_eq!(found, Answer::OverBudget, "{python:?} {pattern:?}");
        }
    }
}

#[test]
fn nesting_up_to_the_limit_is_compiled_and_run() {
    let depth = limits::PATTERN_DEPTH;
    for open in ["(?:", "(?=", "(?!", "(?:a|"] {
        for python in [Python::Two, Python::Three] {
            let pattern = format!("{}a{}", open.repeat(depth), ")".repeat(depth));
            // (An odd number of negations matches at the end.)
            assert_eq!(answer(python, &pattern, "aaa"), Answer::Match, "{python:?} {open}");
            let deeper = format!("{}a{}", open.repeat(depth + 1), ")".repeat(depth + 1));
            assert!(matches!(answer(python, &deeper, "aaa"), Answer::Crash(_)));
        }
    }
}

/// Characters that mean something in patterns, and some that do not.
fn pattern_text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "(",
        ")",
        "(?:",
        "(?P<n>",
        "(?=",
        "(?<!",
        "(?(1)",
        "(?>",
        "(?i:",
        "(?x)",
        "[",
        "]",
        "[^",
        "-",
        "{",
        "}",
        "{2}",
        "{1,3}",
        "*",
        "+",
        "?",
        "|",
        "^",
        "$",
        ".",
        "\\",
        "\\b",
        "\\B",
        "\\w",
        "\\S",
        "\\1",
        "\\x41",
        "\\u00e4",
        "a",
        "b",
        "K",
        "\n",
        " ",
        "#",
        "0",
        "1",
        ",",
        ":",
        "\u{e4}",
        "\u{130}",
        "\u{10400}",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..14).prop_map(|p| p.concat())
}

fn subject_text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["a", "b", "K", "k", "\n", "1", "\u{e4}", "\u{131}"]),
        0..10,
    )
    .prop_map(|p| p.concat())
}

fn any_flags() -> impl Strategy<Value = Flags> {
    any::<(bool, bool, bool)>().prop_map(|(ignore_case, multiline, unicode)| Flags {
        ignore_case,
        multiline,
        unicode,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_compiled_or_refused(pattern in any::<String>(), flags in any_flags()) {
        for python in [Python::Two, Python::Three] {
            let _ = Pattern::compile(&text(&pattern), flags, python);
            let _ = Pattern::compile(&PyStr::Bytes(pattern.as_bytes().to_vec()), flags, python);
        }
    }

    #[test]
    fn budgets_hold_and_engines_agree(
        pattern in pattern_text(),
        subject in subject_text(),
        flags in any_flags(),
        steps in 0u64..2_000,
    ) {
        for python in [Python::Two, Python::Three] {
            let Ok(pattern) = Pattern::compile(&text(&pattern), flags, python) else { continue };
            let subject = text(&subject);
            let small = &mut Budget::new(steps);
            let limited = pattern.search(&subject, small);
            prop_assert!(small.left() <= steps);
            let full = pattern.search(&subject, &mut Budget::new(10_000_000));
            // A smaller budget never changes an answer, it only prevents it.
            prop_assert!(limited == full || limited == Err(OverBudget));
            let automaton = pattern.search_by_automaton(&subject, &mut Budget::new(10_000_000));
            if let (Ok(Some(automaton)), Ok(full)) = (automaton, full) {
                prop_assert_eq!(automaton, full);
            }
        }
    }
}
