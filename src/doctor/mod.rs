//! A person's check of an installation: what was looked at, how it stands, and what to do.
//!
//! Each part looks at something and says [`Finding`]s; none of them changes anything.

pub mod daemon;
pub mod exim;
pub mod mailman;
pub mod query;
pub mod wrapper;

use crate::answer::{json_line, one_line};
use std::fmt;

/// Names in one finding at most.
const NAMED: usize = 10;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Good,
    /// Could not be looked at.
    Skipped,
    /// Works, and may surprise.
    Warning,
    /// Does not work.
    Problem,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            State::Good => "ok",
            State::Skipped => "skipped",
            State::Warning => "warning",
            State::Problem => "PROBLEM",
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, a word.
    pub check: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub text: String,
    /// What to do, unless it is good.
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn good(check: &'static str, text: impl Into<String>) -> Finding {
        Finding { check, state: State::Good, text: text.into(), advice: None }
    }

    /// Not as it should be, or not known.
    pub fn other(
        check: &'static str,
        state: State,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding { check, state, text: text.into(), advice: Some(advice.into()) }
    }

    /// Does not work.
    pub fn problem(
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding::other(check, State::Problem, text, advice)
    }

    /// Works, and may surprise.
    pub fn warning(
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding::other(check, State::Warning, text, advice)
    }
}

/// A few names, and how many more there are.
pub(crate) fn named<S: AsRef<str>>(names: &[S]) -> String {
    let shown = names.get(..NAMED).unwrap_or(names);
    let list = shown.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    match names.len().saturating_sub(shown.len()) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

/// How many stand so.
pub fn count(findings: &[Finding], state: State) -> usize {
    findings.iter().filter(|finding| finding.state == state).count()
}

/// A page for people, the last line the sum of it.
pub fn page(findings: &[Finding]) -> String {
    let mut page = String::new();
    for finding in findings {
        let (state, check) = (finding.state, finding.check);
        page.push_str(&format!("{state:<8} {check:<9} {}\n", one_line(&finding.text)));
        if let Some(advice) = &finding.advice {
            page.push_str(&format!("{:<18} -> {}\n", "", one_line(advice)));
        }
    }
    let sum = |state, word: &str| match count(findings, state) {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    let (problems, warnings) = (sum(State::Problem, "problem"), sum(State::Warning, "warning"));
    page.push_str(&format!("\n{problems}, {warnings}\n"));
    page
}

/// The same as one JSON object on one line.
pub fn json(findings: &[Finding]) -> String {
    let list = findings.iter().map(|finding| {
        serde_json::json!({
            "check": finding.check,
            "state": finding.state.to_string().to_ascii_lowercase(),
            "text": finding.text,
            "advice": finding.advice,
        })
    });
    let answer = serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "findings": list.collect::<Vec<_>>(),
        "problems": count(findings, State::Problem),
        "warnings": count(findings, State::Warning),
    });
    json_line(&answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_cut_short() {
        let names: Vec<String> = (0..12).map(|n| format!("l{n}")).collect();
        assert_eq!(named(&names), "l0, l1, l2, l3, l4, l5, l6, l7, l8, l9 and 2 more");
        assert_eq!(named(&names[..2]), "l0, l1");
    }

    #[test]
    fn pages_and_objects_say_the_same() {
        let findings = [
            Finding::good("lists", "3 lists"),
            Finding::problem("wrapper", "it is\nnot there", "install it"),
            Finding::warning("mm_cfg", "line 3", "write it plainly"),
            Finding::other("exim", State::Skipped, "not root", "be root"),
        ];
        let expected = "\
ok       lists     3 lists
PROBLEM  wrapper   it is\\nnot there
                   -> install it
warning  mm_cfg    line 3
                   -> write it plainly
skipped  exim      not root
                   -> be root

1 problem, 1 warning
";
        assert_eq!(page(&findings), expected);
        let object: serde_json::Value = serde_json::from_str(&json(&findings)).unwrap();
        assert_eq!(object["problems"], 1);
        assert_eq!(object["findings"][1]["state"], "problem");
        assert_eq!(object["findings"][1]["text"], "it is\nnot there");
        assert_eq!(object["findings"][0]["advice"], serde_json::Value::Null);
    }
}
