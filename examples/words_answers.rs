//! Answers for `tools/fuzz_words.py`: a JSON string per line in (bytes are code points 0 to 255),
//! what it decodes to out.
//!
//! Without arguments: `[[bytes, charset or null], ...]` of `decode_header`, or `null` where Python
//! raises HeaderParseError. With `--text FORM`: the text of `header_text`, `{"shunt": true}` or
//! `{"unknowable": true}`. With `--normalize FORM`: the (Unicode) string normalised. With
//! `--encoding-rs LABEL`, for `tools/gen_codecs.py`: what `encoding_rs` decodes, `null` on errors.

use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use anyhow::{Context, Result, bail};
use encoding_rs::Encoding;
use mm_query::mailman::handlers::spam_detect::header_text::{NoText, header_text};
use mm_query::python::Python;
use mm_query::python::words::normalize::{Form, normalize};
use mm_query::python::words::{Fragment, decode_header};
use serde_json::{Value, json};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let value: String = serde_json::from_str(&line?)?;
        let answer = match *arguments.as_slice() {
            [] => words(&bytes(&value)?),
            ["--text", name] => text(&bytes(&value)?, form(name)?),
            ["--normalize", name] => json!(normalize(form(name)?, &value)),
            ["--encoding-rs", label] => {
                let encoding = Encoding::for_label(label.as_bytes()).context("no such encoding")?;
                json!(encoding.decode_without_bom_handling_and_without_replacement(&bytes(&value)?))
            }
            _ => bail!("usage: words_answers [--text FORM | --normalize FORM]"),
        };
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn form(name: &str) -> Result<Form> {
    Ok(match name {
        "NFC" => Form::Nfc,
        "NFD" => Form::Nfd,
        "NFKC" => Form::Nfkc,
        "NFKD" => Form::Nfkd,
        _ => bail!("no such form: {name}"),
    })
}

fn bytes(value: &str) -> Result<Vec<u8>> {
    value.chars().map(|c| u8::try_from(c).context("not a byte")).collect()
}

fn words(value: &[u8]) -> Value {
    let latin1 = |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect::<String>();
    let pair = |part: Fragment| json!([latin1(part.bytes), part.charset.map(latin1)]);
    match decode_header(value) {
        Ok(parts) => Value::Array(parts.into_iter().map(pair).collect()),
        Err(_) => Value::Null,
    }
}

fn text(value: &[u8], form: Form) -> Value {
    match header_text(value, form, Python::Two) {
        Ok(text) => text.map_or(Value::Null, Value::String),
        Err(NoText::Shunt) => json!({"shunt": true}),
        Err(NoText::Unknowable) => json!({"unknowable": true}),
    }
}
