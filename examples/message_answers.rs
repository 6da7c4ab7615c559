//! Answers for `tools/fuzz_message.py`: a JSON string per line in, what the message is out.
//!
//! Bytes are code points 0 to 255. Without option: for each part
//! `[depth, type, unixfrom, headers, payload, decoded, preamble, epilogue, parameters]`, or a
//! string where the message is over a limit. `--headers`: `[unixfrom, headers, body]` of the
//! header block alone. `--mail-parser`: `[[[depth, type, payload], ...], [[encoding, same], ...]]`,
//! what the crate `mail-parser` makes of the message (`[["panic"]]` where it panics), and of each
//! payload in base64 or quoted-printable whether it decodes it to the same.

use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use anyhow::{Context, Result};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use mm_query::python::Python;
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
    let answer: fn(&[u8]) -> Value = match std::env::args().nth(1).as_deref() {
        Some("--headers") => block,
        Some("--mail-parser") => {
            std::panic::set_hook(Box::new(|_| ()));
            crate_view
        }
        Some("--python3") => message_of_python_3,
        _ => message,
    };
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let raw = bytes(&serde_json::from_str::<String>(&line?)?)?;
        serde_json::to_writer(&mut out, &answer(&raw))?;
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

/// Without what decoding gives, and without parameters: these are Python 2.7's only.
fn message_of_python_3(raw: &[u8]) -> Value {
    match Message::parse_as(raw, Python::Three) {
        Ok(message) => message
            .parts()
            .iter()
            .map(|found| part(found).as_array().map_or(Value::Null, |all| without_decoding(all)))
            .collect(),
        Err(error) => json!(error.to_string()),
    }
}

fn without_decoding(part: &[Value]) -> Value {
    let at = |index: usize| part.get(index).cloned().unwrap_or_default();
    let epilogue = at(7).as_str().unwrap_or_default().to_owned();
    let mut kept: Vec<Value> = [0, 1, 2, 3, 4, 6].map(at).to_vec();
    // No epilogue and an empty one are the same to every rule.
    kept.push(json!(epilogue));
    json!(kept)
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

fn crate_view(raw: &[u8]) -> Value {
    let mut parts = Vec::new();
    match std::panic::catch_unwind(|| MessageParser::default().parse(raw)) {
        Ok(Some(message)) => crate_parts(&message, 0, 0, &mut parts),
        Ok(None) => (),
        Err(_) => parts.push(json!(["panic"])),
    }
    let decoded: Vec<Value> =
        Message::parse(raw).iter().flat_map(|m| m.parts()).filter_map(same_decoded).collect();
    json!([parts, decoded])
}

fn crate_parts(message: &mail_parser::Message<'_>, id: u32, depth: usize, out: &mut Vec<Value>) {
    let Some(part) = message.parts.get(id as usize) else { return };
    let kind = part.content_type().map_or("text/plain".to_owned(), |t| {
        format!("{}/{}", t.ctype(), t.subtype().unwrap_or_default()).to_lowercase()
    });
    let body = part.offset_body as usize..part.offset_end as usize;
    let leaf = || json!(message.raw_message.get(body).map(text));
    let payload = match &part.body {
        PartType::Multipart(_) | PartType::Message(_) => Value::Null,
        _ => leaf(),
    };
    out.push(json!([depth, kind, payload]));
    match &part.body {
        PartType::Multipart(ids) => {
            ids.iter().for_each(|&id| crate_parts(message, id, depth + 1, out));
        }
        PartType::Message(inner) => crate_parts(inner, 0, depth + 1, out),
        _ => (),
    }
}

/// Encoding of a part, and whether the crate's decoder gives what Python's gives.
fn same_decoded(part: &Part<'_>) -> Option<Value> {
    let Payload::Text(payload) = part.payload else { return None };
    let payload = payload.bytes();
    let encoding = part.headers.get("content-transfer-encoding")?.to_ascii_lowercase();
    let theirs = match encoding.as_slice() {
        b"base64" => base64_decode(&payload),
        b"quoted-printable" => quoted_printable_decode(&payload),
        _ => return None,
    };
    let ours = part.decoded().ok()??;
    Some(json!([text(&encoding), theirs.as_deref().unwrap_or(&payload) == &*ours]))
}
