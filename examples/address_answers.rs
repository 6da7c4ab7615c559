//! Answers for `tools/fuzz_addresses.py`: a JSON string per line in, its addresses out.
//!
//! For each value: `[[name, address], ...]` of `getaddresses([value])`, or `null` where Python
//! would raise RuntimeError. Bytes are code points 0 to 255; with `--python3` strings are text.

use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use anyhow::{Context, Result};
use mm_query::python::{Python, addresses};

fn main() -> Result<()> {
    let python = match std::env::args().nth(1).as_deref() {
        Some("--python3") => Python::Three,
        _ => Python::Two,
    };
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let value: String = serde_json::from_str(&line?)?;
        let answer = match addresses::getaddresses(&[&encode(&value, python)?], python) {
            Ok(mailboxes) => mailboxes
                .into_iter()
                .map(|m| Ok([decode(m.name, python)?, decode(m.address, python)?]))
                .collect::<Result<Vec<_>>>()
                .map(Some)?,
            Err(addresses::TooDeep) => None,
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn encode(value: &str, python: Python) -> Result<Vec<u8>> {
    match python {
        Python::Two => {
            value.chars().map(|c| u8::try_from(c).context("not a byte")).collect::<Result<_>>()
        }
        Python::Three => Ok(value.as_bytes().to_vec()),
    }
}

fn decode(value: Vec<u8>, python: Python) -> Result<String> {
    match python {
        Python::Two => Ok(value.into_iter().map(char::from).collect()),
        Python::Three => String::from_utf8(value).context("not text"),
    }
}
