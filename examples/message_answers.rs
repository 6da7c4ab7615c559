//! Answers for `tools/fuzz_message.py`: a JSON string per line in, what the message is out.
//!
//! Bytes are code points 0 to 255. Without option: for each part
//! `[depth, type, unixfrom, headers, payload, decoded, preamble, epilogue, parameters]`, or a
//! string where the message is over a limit. `--headers`: `[unixfrom, headers, body]` of the
//! header block alone.

use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use anyhow::{Context, Result};
use mm_query::python::message::{Headers, Message, Parameter, Part, Payload, headers};
use serde_json::{Value, json};

/// The parameters asked for, and their headers.
const PARAMETERS: [(&str, &str); 4] = [
    ("boundary", "content-type"),
    ("charset", "content-type"),
    ("name", "content-type"),
    ("filename", "content-disposition"),
];

fn main() -> Result<()> {
    let only_headers = std::env::args().nth(1).as_deref() == Some("--headers");
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let raw = bytes(&serde_json::from_str::<String>(&line?)?)?;
        let answer = if only_headers { block(&raw) } else { message(&raw) };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn block(raw: &[u8]) -> Value {
    match headers::read(raw) {
        Ok(block) => {
            json!([optional(block.unixfrom), items(&block.headers), text(&block.body.bytes())])
        }
        Err(error) => json!(error.to_string()),
    }
}

fn message(raw: &[u8]) -> Value {
    match Message::parse(raw) {
        Ok(message) => message.parts().iter().map(part).collect(),
        Err(error) => json!(error.to_string()),
    }
}

fn part(part: &Part<'_>) -> Value {
    let payload = match part.payload {
        Payload::Text(payload) => json!(text(&payload.bytes())),
        Payload::Parts => Value::Null,
    };
    let decoded = match part.decoded() {
        Ok(decoded) => optional(decoded.as_deref()),
        Err(_) => json!(["binascii.Error"]),
    };
    json!([
        part.depth,
        text(part.content_type()),
        optional(part.unixfrom),
        items(&part.headers),
        payload,
        decoded,
        optional(part.preamble.map(|preamble| preamble.bytes()).as_deref()),
        optional(part.epilogue),
        PARAMETERS.map(|(name, header)| part.parameter(name, header).map(parameter)),
    ])
}

fn parameter(parameter: Parameter) -> Value {
    match parameter {
        Parameter::Plain(value) => json!(text(&value)),
        Parameter::Extended { charset, language, value } => {
            json!([optional(charset.as_deref()), optional(language.as_deref()), text(&value)])
        }
    }
}

fn items(headers: &Headers<'_>) -> Value {
    headers.iter().map(|header| json!([text(header.name), text(header.value)])).collect()
}

fn optional(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| json!(text(bytes)))
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn bytes(text: &str) -> Result<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).context("not a byte")).collect()
}
