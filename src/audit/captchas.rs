//! The questions of the subscription form (`CAPTCHAS`; `Utils.captcha_display`,
//! `Utils.captcha_verify`; RULES 8.7).

use super::Severity::{High, Low, Medium};
use super::{Finding, named, text};
use crate::python::Python;
use crate::python::literal::Literal;
use crate::python::re::{self, Answer, Budget, CompileError, Flags, Pattern};
use crate::python::text::PyStr;

const TEMPLATE: &str = "CAPTCHAS = {'en': [('What is two times six?', '(12|twelve)')]}   (mm-query \
                        harden prints more)";

/// Looks at the setting; `None` where the site does not set it.
pub fn findings(setting: Option<&Literal>, languages: &[String], python: Python) -> Vec<Finding> {
    let entries = match setting {
        None | Some(Literal::None) => {
            let text = "CAPTCHAS are not set: the subscription form has no question";
            let why = "a program that waits some seconds can still fill in the form";
            return vec![Finding::new(Medium, "captcha", text, why, TEMPLATE)];
        }
        Some(Literal::Dict(entries)) => entries,
        Some(_) => {
            let why = "Mailman asks no question: it takes nothing but a dictionary";
            let text = "CAPTCHAS is no dictionary";
            return vec![Finding::new(High, "captcha", text, why, TEMPLATE)];
        }
    };
    let mut found = Vec::new();
    let known: Vec<String> = entries.iter().filter_map(|(key, _)| text(key)).collect();
    if !known.iter().any(|language| language == "en") {
        let why = "where a language has no questions of its own, Mailman takes those in English: \
                   without them no subscription by the web goes through";
        found.push(Finding::new(High, "captcha", "CAPTCHAS has no 'en'", why, TEMPLATE));
    }
    let missing: Vec<&String> =
        languages.iter().filter(|own| *own != "en" && !known.contains(own)).collect();
    if !missing.is_empty() {
        let text = format!("CAPTCHAS has no questions in: {}", named(&missing));
        let why = "lists in these languages ask in English";
        found.push(Finding::new(Low, "captcha", text, why, TEMPLATE));
    }
    for (language, questions) in entries {
        let language = text(language).unwrap_or_else(|| "?".to_owned());
        found.extend(of_language(&language, questions, python));
    }
    found
}

fn of_language(language: &str, questions: &Literal, python: Python) -> Vec<Finding> {
    let malformed = |what: String| {
        let why = "the form fails, or no answer is right";
        vec![Finding::new(High, "captcha", what, why, TEMPLATE)]
    };
    let (Literal::List(questions) | Literal::Tuple(questions)) = questions else {
        return malformed(format!("CAPTCHAS['{language}'] is no list"));
    };
    if questions.is_empty() {
        return malformed(format!("CAPTCHAS['{language}'] is empty"));
    }
    let of_question = |(number, question): (usize, &Literal)| {
        let place = format!("CAPTCHAS['{language}'][{number}]");
        let pair = match question {
            Literal::Tuple(pair) | Literal::List(pair) => pair.as_slice(),
            _ => &[],
        };
        match pair {
            [asked, answer, ..] if text(asked).is_some() => match text(answer) {
                Some(answer) => of_answer(&place, &answer, python),
                None => malformed(format!("{place} has no answer that is a string")),
            },
            _ => malformed(format!("{place} is no pair of a question and an answer")),
        }
    };
    questions.iter().enumerate().flat_map(of_question).collect()
}

/// Whether Mailman takes an answer for right; `whole` as it would if the whole pattern were meant.
fn takes(answer: &str, given: &str, whole: bool, python: Python) -> bool {
    let pattern = if whole { format!("(?:{answer})$") } else { format!("{answer}$") };
    let mut budget = Budget::new(1_000_000);
    let (pattern, given) = (PyStr::of(&pattern, python), PyStr::of(given, python));
    re::match_start(&pattern, &given, Flags::default(), python, &mut budget) == Answer::Match
}

/// Answers that nobody would give to a question.
const NONSENSE: [&str; 3] = ["", "zq7 w", "no such answer"];

fn of_answer(place: &str, answer: &str, python: Python) -> Vec<Finding> {
    let pattern = PyStr::of(&format!("{answer}$"), python);
    if let Err(CompileError::Invalid(why) | CompileError::Crash(why)) =
        Pattern::compile(&pattern, Flags::default(), python)
    {
        let text = format!("{place}: the answer {answer} is no pattern: {why}");
        let why = "the form fails where this question is asked";
        return vec![Finding::new(High, "captcha", text, why, TEMPLATE)];
    }
    if NONSENSE.iter().any(|given| takes(answer, given, false, python)) {
        let text = format!("{place}: the answer {answer} matches anything");
        let why = "every answer is right";
        return vec![Finding::new(High, "captcha", text, why, TEMPLATE)];
    }
    // The `$` that Mailman puts behind it belongs to the last alternative alone.
    let wider = answer.split('|').map(|part| format!("{part}zq"));
    let wrong = wider
        .filter(|given| takes(answer, given, false, python) && !takes(answer, given, true, python));
    let wrong: Vec<String> = wrong.collect();
    match wrong.first() {
        Some(wrong) => {
            let text = format!("{place}: the answer {answer} takes {wrong}, too");
            let why = "Mailman puts a $ behind it, which belongs to the last alternative alone";
            let remedy = format!("'({answer})'");
            vec![Finding::new(Medium, "captcha", text, why, remedy)]
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Literal {
        Literal::Bytes(text.as_bytes().to_vec())
    }

    fn question(answer: &str) -> Literal {
        Literal::Tuple(vec![string("How many?"), string(answer)])
    }

    fn of(entries: &[(&str, Literal)], languages: &[&str]) -> Vec<Finding> {
        let entries = entries.iter().map(|(key, value)| (string(key), value.clone())).collect();
        let languages: Vec<String> = languages.iter().map(|l| (*l).to_owned()).collect();
        findings(Some(&Literal::Dict(entries)), &languages, Python::Two)
    }

    #[test]
    fn good_questions_have_no_findings() {
        for answer in ["(12|twelve)", "[Mm]ailman", "four", "(?:4|four)", "a\\|b"] {
            assert_eq!(
                of(&[("en", Literal::List(vec![question(answer)]))], &["en"]),
                [],
                "{answer}"
            );
        }
    }

    #[test]
    fn answers_that_match_more_than_meant() {
        for (answer, severity) in [
            ("4|four", Medium),
            ("four|4|vier", Medium),
            (".*", High),
            ("", High),
            ("x|", High),
            ("(4|four", High),
            ("*", High),
        ] {
            let found = of(&[("en", Literal::List(vec![question(answer)]))], &[]);
            assert_eq!(found.len(), 1, "{answer}: {found:?}");
            assert_eq!(found[0].severity, severity, "{answer}: {found:?}");
        }
    }

    #[test]
    fn the_form_of_the_whole() {
        let good = || Literal::List(vec![question("4")]);
        assert_eq!(findings(None, &[], Python::Two)[0].severity, Medium);
        assert_eq!(findings(Some(&string("x")), &[], Python::Two)[0].severity, High);
        let found = of(&[("de", good())], &["de", "en"]);
        assert!(found.len() == 1 && found[0].text.contains("'en'"), "{found:?}");
        let found = of(&[("en", good())], &["de", "en", "fr"]);
        assert!(found.len() == 1 && found[0].text.ends_with("de, fr"), "{found:?}");
        for bad in [
            Literal::List(vec![]),
            string("x"),
            Literal::List(vec![string("x")]),
            Literal::List(vec![Literal::Tuple(vec![string("only")])]),
            Literal::List(vec![Literal::Tuple(vec![string("q"), Literal::Int(4)])]),
        ] {
            let found = of(&[("en", bad.clone())], &[]);
            assert!(found.len() == 1 && found[0].severity == High, "{bad:?}: {found:?}");
        }
    }
}
