//! Answers questions about patterns: JSON lines in, JSON lines out, for `tools/fuzz_re.py`.
//!
//! In: `{"pattern": [code points], "subjects": [[code points], ..], "flags": "imu", "text": bool,
//! "python": 2 or 3}`. Out: `{"compile": "ok" | "invalid" | "crash", "answers": "MNO..",
//! "automaton": "MN-O.."}` with one letter a subject: match, none, over the budget, exception; `automaton` is
//! what the `regex` crate alone says, `-` where it cannot.
use std::io::{BufRead, Write};

use mm_query::python::Python;
use mm_query::python::re::{Answer, Budget, CompileError, Flags, OverBudget, Pattern, search};
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
    automaton: String,
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
    let mut reply = Reply { compile: "ok", answers: String::new(), automaton: String::new() };
    let text = string(&question.pattern, question.text);
    match Pattern::compile(&text, flags, python) {
        Err(CompileError::Invalid(_)) => reply.compile = "invalid",
        Err(CompileError::Crash(_)) => reply.compile = "crash",
        Ok(pattern) => {
            for subject in &question.subjects {
                let subject = string(subject, question.text);
                let budget = &mut Budget::new(STEPS);
                reply.answers.push(match search(&text, &subject, flags, python, budget) {
                    Answer::Match => 'M',
                    Answer::NoMatch => 'N',
                    Answer::OverBudget => 'O',
                    Answer::Invalid(_) | Answer::Crash(_) => 'E',
                });
                let budget = &mut Budget::new(STEPS);
                reply.automaton.push(match pattern.search_by_automaton(&subject, budget) {
                    Ok(Some(true)) => 'M',
                    Ok(Some(false)) => 'N',
                    Ok(None) => '-',
                    Err(OverBudget) => 'O',
                });
            }
        }
    }
    reply
}

fn string(points: &[u32], text: bool) -> PyStr {
    let chars = points.iter().map(|c| char::from_u32(*c).unwrap_or(char::REPLACEMENT_CHARACTER));
    if text {
        PyStr::Text(chars.collect())
    } else {
        PyStr::Bytes(chars.map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect())
    }
}
