//! Answers questions about patterns: JSON lines in, JSON lines out, for `tools/fuzz_re.py`.
//!
//! In: `{"pattern": [code points], "subjects": [[code points], ..], "flags": "imu", "text": bool,
//! "python": 2 or 3}`. Out: `{"compile": "ok" | "invalid" | "crash", "answers": "MNO.."}` with one
//! letter a subject: match, none, over the budget.
use std::io::{BufRead, Write};

use mm_query::python::Python;
use mm_query::python::re::{Budget, CompileError, Flags, OverBudget, Pattern};
use mm_query::python::text::PyStr;
use serde::{Deserialize, Serialize};

/// About a fifth of a second of CPython's time.
const STEPS: u64 = 20_000_000;

#[derive(Deserialize)]
struct Question {
    pattern: Vec<u32>,
    subjects: Vec<Vec<u32>>,
    flags: String,
    text: bool,
    python: u8,
}

#[derive(Serialize)]
struct Reply {
    compile: &'static str,
    answers: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let question: Question = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut out, &reply(&question))?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

fn reply(question: &Question) -> Reply {
    let flags = Flags {
        ignore_case: question.flags.contains('i'),
        multiline: question.flags.contains('m'),
        unicode: question.flags.contains('u'),
    };
    let python = if question.python == 2 { Python::Two } else { Python::Three };
    let pattern = match Pattern::compile_points(&question.pattern, question.text, flags, python) {
        Ok(pattern) => pattern,
        Err(CompileError::Invalid(_)) => {
            return Reply { compile: "invalid", answers: String::new() };
        }
        Err(CompileError::Crash(_)) => return Reply { compile: "crash", answers: String::new() },
    };
    let answers = question
        .subjects
        .iter()
        .map(|subject| match search(&pattern, subject, question.text) {
            Ok(true) => 'M',
            Ok(false) => 'N',
            Err(OverBudget) => 'O',
        })
        .collect();
    Reply { compile: "ok", answers }
}

/// Searches as callers do, where the subject can be said in their terms.
fn search(pattern: &Pattern, subject: &[u32], text: bool) -> Result<bool, OverBudget> {
    let budget = &mut Budget::new(STEPS);
    let string = if text {
        subject.iter().map(|c| char::from_u32(*c)).collect::<Option<String>>().map(PyStr::Text)
    } else {
        subject.iter().map(|c| u8::try_from(*c).ok()).collect::<Option<_>>().map(PyStr::Bytes)
    };
    match string {
        Some(string) => pattern.search(&string, budget),
        None => pattern.search_points(subject, budget),
    }
}
