//! Answers for `tools/fuzz_approve.py`: a case per line in, what the handler Approve makes of it out.
//!
//! A case is `{message, password, mod_password, post_password}`: bytes are code points 0 to 255, a
//! password is `null`, a number, `{"b": bytes}` or `{"t": text}`. The answer is `{unknowable: why}`,
//! `"shunt"`, `"reject"`, `"discard"`, or `{approved, edits}`, the latter by the parts' indices:
//! `[payload, content type, transfer encoding]`. `--python3`: as the port on Python 3.

use std::collections::BTreeMap;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};

use anyhow::{Context as _, Result};
use mm_query::limits::PATTERN_STEPS;
use mm_query::list::settings::Settings;
use mm_query::list::value::Reader;
use mm_query::mailman::handlers::{List, approve};
use mm_query::mailman::notice::Owner;
use mm_query::mailman::patterns::{Context, OtherList, OtherLists};
use mm_query::mailman::post::{Approval, Post};
use mm_query::mailman::roster::Roster;
use mm_query::mailman::senders::Senders;
use mm_query::mailman::site_values::SiteValues;
use mm_query::mailman::verdict::{Decision, Stop};
use mm_query::python::Python;
use mm_query::python::message::Message;
use mm_query::python::re::Budget;
use mm_query::python::text::PyStr;
use serde_json::{Value, json};

struct NoLists;

impl OtherLists for NoLists {
    fn member_of(&self, _name: &PyStr, _address: &PyStr) -> OtherList {
        OtherList::Unknown
    }
}

fn main() -> Result<()> {
    let is_port = std::env::args().nth(1).as_deref() == Some("--python3");
    let python = if is_port { Python::Three } else { Python::Two };
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        serde_json::to_writer(&mut out, &answer(&serde_json::from_str(&line?)?, python)?)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn answer(case: &Value, python: Python) -> Result<Value> {
    let raw = bytes(&case["message"])?;
    let message = match Message::parse_as(&raw, python) {
        Ok(message) => message,
        Err(why) => return Ok(json!({ "unknowable": why.to_string() })),
    };
    let settings = settings(case, python)?;
    let list = List {
        name: "team",
        settings: &settings,
        roster: &Roster::default(),
        owner: &Owner(Vec::new()),
    };
    let mut context = Context {
        python,
        own_name: "team",
        others: &NoLists,
        budget: &mut Budget::new(PATTERN_STEPS),
        trail: &mut Vec::new(),
    };
    let senders = Senders { all: Vec::new(), one: PyStr::Bytes(Vec::new()), unseen: None };
    let mut post = Post::new(&message, senders, python);
    let verdict = approve::process(&mut post, &list, &SiteValues::default(), &mut context);
    Ok(match verdict {
        Err(Stop::Shunt(_)) => json!("shunt"),
        Err(Stop::Unknowable(why)) => json!({ "unknowable": why }),
        Ok(_) if let Some(doubt) = post.doubts.first() => json!({ "unknowable": doubt.why }),
        Ok(Some(verdict)) if verdict.decision == Decision::Reject => json!("reject"),
        Ok(Some(_)) => json!("discard"),
        Ok(None) => {
            let text = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
            let edits: BTreeMap<String, Value> = post
                .edits
                .iter()
                .map(|(index, edit)| {
                    let encoding = edit.transfer_encoding.as_deref().map(text);
                    let edit = json!([text(&edit.payload), text(&edit.content_type), encoding]);
                    (index.to_string(), edit)
                })
                .collect();
            json!({"approved": post.approval == Approval::Given, "edits": edits})
        }
    })
}

fn settings(case: &Value, python: Python) -> Result<Settings> {
    let mut values = BTreeMap::new();
    let host = match python {
        Python::Two => serde_pickle::Value::Bytes(b"Lists.Example.ORG".to_vec()),
        Python::Three => serde_pickle::Value::String("Lists.Example.ORG".to_owned()),
    };
    values.insert("host_name".to_owned(), host);
    for key in ["password", "mod_password", "post_password"] {
        let given = &case[key];
        let value = if let Some(text) = given["t"].as_str() {
            serde_pickle::Value::String(text.to_owned())
        } else if given["b"].is_string() {
            serde_pickle::Value::Bytes(bytes(&given["b"])?)
        } else {
            given.as_i64().map_or(serde_pickle::Value::None, serde_pickle::Value::I64)
        };
        values.insert(key.to_owned(), value);
    }
    let reader = Reader { wrote: python, reads: python };
    Ok(Settings::from_values(&mut values, reader, &|_| None))
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    let text = value.as_str().context("a string")?;
    text.chars().map(|c| u8::try_from(c).context("a byte")).collect()
}
