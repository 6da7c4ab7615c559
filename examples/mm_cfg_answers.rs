//! Answers for `tools/fuzz_mm_cfg.py`: a JSON object per line in, what its file sets out.
//!
//! In: `{"source": text, "names": [name, ...]}`, the bytes of `source` being code points 0 to 255.
//! Out: a list with, for each name, `null` (absent), `"?"` (unknown) or `[type, value]`; or
//! `{"error": text}`. With `--python3` the file is Python 3's.

use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use anyhow::{Context, Result};
use mm_query::mailman::defaults::defaults;
use mm_query::python::Python;
use mm_query::python::literal::{Literal, Setting, read};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Question {
    source: String,
    names: Vec<String>,
}

fn main() -> Result<()> {
    let python = match std::env::args().nth(1).as_deref() {
        Some("--python3") => Python::Three,
        _ => Python::Two,
    };
    let library = defaults(python);
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let question: Question = serde_json::from_str(&line?)?;
        let source: Vec<u8> = question
            .source
            .chars()
            .map(|c| u8::try_from(c).context("not a byte"))
            .collect::<Result<_>>()?;
        let settings = read(&source, python, &library);
        let answer = match settings.error() {
            Some(error) => json!({ "error": error.to_string() }),
            None => question.names.iter().map(|name| describe(settings.get(name))).collect(),
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn describe(setting: Setting) -> Value {
    match setting {
        Setting::Absent => Value::Null,
        Setting::Unknown { .. } => json!("?"),
        Setting::Known(literal, _) => typed(&literal),
    }
}

fn typed(literal: &Literal) -> Value {
    let all = |items: &[Literal]| items.iter().map(typed).collect::<Vec<_>>();
    match literal {
        Literal::None => json!(["none", null]),
        Literal::Bool(b) => json!(["bool", b]),
        Literal::Int(i) => json!(["int", i.to_string()]),
        Literal::Float(f) => json!(["float", format!("{:x}", f.to_bits())]),
        Literal::Bytes(b) => {
            json!(["bytes", b.iter().copied().map(char::from).collect::<String>()])
        }
        Literal::Text(t) => json!(["text", t]),
        Literal::List(items) => json!(["list", all(items)]),
        Literal::Tuple(items) => json!(["tuple", all(items)]),
        Literal::Dict(entries) => {
            let pairs = entries.iter().map(|(k, v)| [typed(k), typed(v)]).collect::<Vec<_>>();
            json!(["dict", pairs])
        }
    }
}
