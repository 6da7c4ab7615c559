//! Verdicts of the daemon are those of the command line, for every case of every corpus.

use crate::support::{answer, service};
use mm_query::cli;
use mm_query::serve::client::Answer;
use serde_json::Value;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The folders that hold a corpus; as in `tests/corpus.rs`.
fn corpora() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let parents = [root.join("tests/fixtures/corpus"), root.join("../shared/corpus")];
    let folders = parents.iter().filter_map(|parent| parent.read_dir().ok()).flatten();
    let mut found: Vec<PathBuf> =
        folders.map(|e| e.unwrap().path()).filter(|dir| dir.join("lists").is_dir()).collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect()
}

fn cases(corpus: &Path, table: &str) -> Vec<Value> {
    let Ok(text) = std::fs::read_to_string(corpus.join(table)) else { return Vec::new() };
    text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}

fn coded(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn run(mut args: Vec<OsString>, corpus: &Path) -> cli::Outcome {
    args.insert(0, "mm-query".into());
    args.push(format!("--lists-dir={}", corpus.join("lists").display()).into());
    if let Some(file) = mm_cfg(corpus) {
        args.push(format!("--mm-cfg={}", file.display()).into());
    }
    cli::run(args)
}

fn mm_cfg(corpus: &Path) -> Option<PathBuf> {
    Some(corpus.join("mm_cfg.py")).filter(|file| file.exists())
}

/// The answer on the command line, as the daemon would say it.
fn expected(outcome: &cli::Outcome) -> (u8, String) {
    (outcome.status.map_or(0, |status| status.code()), outcome.stdout.clone())
}

fn got(answer: &Answer) -> (u8, String) {
    match answer.error() {
        Some((code, _)) => (code, String::new()),
        None if matches!(answer.word.as_str(), "reject" | "discard") => (1, answer.text.clone()),
        None => (0, answer.text.clone()),
    }
}

fn values(case: &Value) -> Vec<String> {
    match case {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => all.iter().map(|v| v.as_str().unwrap().to_owned()).collect(),
        _ => Vec::new(),
    }
}

fn differences(
    corpus: &Path,
    table: &str,
    pose: impl Fn(&Value) -> (Vec<OsString>, String),
) -> usize {
    let service = service(&corpus.join("lists"), mm_cfg(corpus).as_deref());
    let cases = cases(corpus, table);
    let mut wrong = Vec::new();
    for case in &cases {
        let (args, request) = pose(case);
        let wanted = expected(&run(args, corpus));
        let request = format!("mm-query: 1\n{request}\n");
        // Twice: read from the file, and at hand.
        for _ in 0..2 {
            let found = got(&answer(&service, request.as_bytes()));
            if found != wanted {
                wrong.push(format!("{case}\n    {found:?}\n    {wanted:?}"));
            }
        }
    }
    println!("{}: {} cases of {table}, {} differ", corpus.display(), cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(5)].join("\n"));
    cases.len()
}

#[test]
fn senders_are_judged_as_on_the_command_line() {
    for corpus in corpora() {
        for exim in [false, true] {
            let seen = differences(&corpus, "sender.jsonl", |case| {
                let list = case["list"].as_str().unwrap();
                let mut args: Vec<OsString> =
                    vec!["test-sender".into(), list.into(), "--json".into()];
                let mut request = format!("query: test-sender\nlist: {list}\njson: yes\n");
                if exim {
                    args.push("--base64".into());
                }
                let mut named = false;
                for name in ["from", "reply-to", "sender", "envelope-from"] {
                    for value in values(&case[name.replace('-', "_")]) {
                        named = true;
                        let mut value = bytes(&value);
                        if exim && name != "envelope-from" {
                            // As Exim's list of one header.
                            value = value
                                .iter()
                                .flat_map(|c| if *c == b':' { vec![b':', b':'] } else { vec![*c] })
                                .collect();
                        }
                        let arg = if exim { coded(&value).into_bytes() } else { value.clone() };
                        args.push(OsString::from_vec(
                            [format!("--{name}=").as_bytes(), &arg].concat(),
                        ));
                        let key = if exim || name == "envelope-from" {
                            name.to_owned()
                        } else {
                            format!("header-{name}")
                        };
                        request += &format!("{key}-base64: {}\n", coded(&value));
                    }
                }
                if !named {
                    args.push("--from=".into());
                    request += "from: \n";
                    if exim {
                        request = request.replace("from: \n", "from-base64: \n");
                    }
                }
                (args, request)
            });
            let other = corpus.join("subscribe.jsonl").exists();
            assert!(seen > 0 || other, "{}: no cases", corpus.display());
        }
    }
}

#[test]
fn messages_are_judged_as_on_the_command_line() {
    let mut seen = 0;
    for corpus in corpora() {
        seen += differences(&corpus, "post.jsonl", |case| {
            let list = case["list"].as_str().unwrap();
            let file = corpus.join("messages").join(case["message"].as_str().unwrap());
            let raw = std::fs::read(&file).unwrap();
            let (headers, body) = split(&raw);
            let mut request = format!(
                "query: test-message\nlist: {list}\njson: yes\nbody-complete: yes\nheaders-base64: {}\nbody-base64: {}\n",
                coded(headers),
                coded(body)
            );
            let mut args: Vec<OsString> =
                vec!["test-message".into(), list.into(), file.into(), "--json".into()];
            if let Some(sender) = case["envelope_from"].as_str() {
                args.push(OsString::from_vec([b"--envelope-from=", &*bytes(sender)].concat()));
                request += &format!("envelope-from-base64: {}\n", coded(&bytes(sender)));
            }
            if let Some(policy) = case["dmarc_policy"].as_str() {
                args.push(format!("--dmarc-policy={policy}").into());
                request += &format!("dmarc-policy: {policy}\n");
            }
            (args, request)
        });
    }
    assert!(seen > 0);
}

/// Headers with their empty line, and the body; a message without one is all headers.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let end = (0..raw.len()).find_map(|at| {
        let rest = &raw[at..];
        [&b"\n\n"[..], b"\n\r\n"].iter().find(|end| rest.starts_with(end)).map(|end| at + end.len())
    });
    raw.split_at(end.unwrap_or(raw.len()))
}

#[test]
fn domains_are_those_of_the_command_line() {
    let mut seen = 0;
    for corpus in corpora() {
        seen += differences(&corpus, "domains.jsonl", |case| {
            let list = case["list"].as_str().unwrap();
            (vec!["list-domain".into(), list.into()], format!("query: list-domain\nlist: {list}\n"))
        });
    }
    assert!(seen > 0);
}
