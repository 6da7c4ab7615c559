//! Every verdict that a real Mailman gave must be ours: case by case, with its notice.
//!
//! A part of the corpora lies in `tests/fixtures/corpus` and always runs; the whole of
//! `../shared/corpus` runs where it is. `MMQ_CORPUS=DIR` adds further ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "clippy exempts test functions, not their helpers"
)]

use mm_query::answer::smtp_text;
use mm_query::cli;
use serde_json::Value;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The folders that hold a corpus, a `lists` folder and tables.
fn corpora() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut parents = vec![root.join("tests/fixtures/corpus"), root.join("../shared/corpus")];
    parents.extend(std::env::var_os("MMQ_CORPUS").map(PathBuf::from));
    let mut found: Vec<PathBuf> = parents
        .iter()
        .filter_map(|parent| parent.read_dir().ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|dir| dir.join("lists").is_dir())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no corpus at all");
    found
}

/// The tables hold bytes as Latin-1 code points.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect()
}

fn cases(corpus: &Path, table: &str) -> Vec<Value> {
    let Ok(text) = std::fs::read_to_string(corpus.join(table)) else { return Vec::new() };
    text.lines().map(|line| serde_json::from_str(line).expect("a case")).collect()
}

fn site(corpus: &Path) -> Vec<OsString> {
    let mut lists = OsString::from("--lists-dir=");
    lists.push(corpus.join("lists"));
    let file = corpus.join("mm_cfg.py");
    if !file.exists() {
        return vec![lists];
    }
    let mut mm_cfg = OsString::from("--mm-cfg=");
    mm_cfg.push(file);
    vec![lists, mm_cfg]
}

fn run(mut args: Vec<OsString>, corpus: &Path) -> (cli::Outcome, Vec<OsString>) {
    // Options come before what may follow a `--`.
    args.splice(1..1, site(corpus));
    args.insert(0, "mm-query".into());
    (cli::run(args.clone()), args)
}

fn sender_args(case: &Value) -> Vec<OsString> {
    let mut args: Vec<OsString> =
        vec!["test-sender".into(), case["list"].as_str().unwrap().into(), "--json".into()];
    let roles = [
        ("from", "--from="),
        ("reply_to", "--reply-to="),
        ("sender", "--sender="),
        ("envelope_from", "--envelope-from="),
    ];
    for (field, option) in roles {
        let values = match &case[field] {
            Value::String(one) => vec![one.clone()],
            Value::Array(several) => {
                several.iter().map(|v| v.as_str().unwrap().to_owned()).collect()
            }
            _ => Vec::new(),
        };
        for value in values {
            args.push(OsString::from_vec([option.as_bytes(), &bytes(&value)].concat()));
        }
    }
    // A message without any sender is one too; the options must say that roles are meant.
    if args.len() == 3 {
        args.push("--from=".into());
    }
    args
}

fn message_args(case: &Value, corpus: &Path) -> Vec<OsString> {
    let file = corpus.join("messages").join(case["message"].as_str().unwrap());
    let mut args: Vec<OsString> = vec![
        "test-message".into(),
        case["list"].as_str().unwrap().into(),
        file.into(),
        "--json".into(),
    ];
    if let Some(sender) = case["envelope_from"].as_str() {
        args.push(OsString::from_vec([b"--envelope-from=", &*bytes(sender)].concat()));
    }
    if let Some(policy) = case["dmarc_policy"].as_str() {
        args.push(format!("--dmarc-policy={policy}").into());
    }
    args
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A notice as the sender would read it in an SMTP reply. Mailman 2.1's are bytes; of those that are
/// not UTF-8 only the list's charset tells the text, so they are not compared. The port's are text.
fn notice_text(notice: &str, corpus: &Path) -> Option<String> {
    let port = ["c", "p", "q"].iter().any(|name| corpus.ends_with(name));
    let text = if port { notice.to_owned() } else { String::from_utf8(bytes(notice)).ok()? };
    Some(folded(&smtp_text(&text, false)))
}

/// What is wrong with our answer to a case, if anything.
fn disagreement(case: &Value, args: Vec<OsString>, corpus: &Path) -> Option<String> {
    let (outcome, args) = run(args, corpus);
    let Ok(answer) = serde_json::from_str::<Value>(&outcome.stdout) else {
        return Some(format!("{args:?}: no answer: {}", outcome.stderr));
    };
    let expected = match case["verdict"].as_str().unwrap() {
        "shunt" => "undecided",
        verdict => verdict,
    };
    let mut wrong = Vec::new();
    if answer["verdict"] != expected {
        wrong.push(format!("verdict {} should be {expected}", answer["verdict"]));
    }
    let by_handler = case["handler"].as_str().filter(|_| expected != "undecided");
    if by_handler.is_some_and(|handler| answer["handler"] != handler) {
        wrong.push(format!("handler {} should be {by_handler:?}", answer["handler"]));
    }
    let refused = matches!(expected, "reject" | "discard");
    if outcome.status.is_some_and(|s| s.code() == 1) != refused {
        wrong.push(format!("status {:?}", outcome.status));
    }
    let notice = case["notice"].as_str().filter(|_| expected == "reject");
    if let Some(theirs) = notice.and_then(|text| notice_text(text, corpus)) {
        let ours = folded(answer["text"].as_str().unwrap());
        // A notice without words is no text for a sender; then the words are ours.
        let same = if theirs.is_empty() { !ours.is_empty() } else { theirs == ours };
        if !same {
            wrong.push(format!("notice {ours:?} should be {theirs:?}"));
        }
    }
    let reason = &answer["reason"];
    (!wrong.is_empty()).then(|| format!("{case}\n    {} ({reason})", wrong.join("; ")))
}

/// What is wrong with our answer to a subscription, if anything. A subscription that Mailman fails
/// on has the outcome `shunt`.
fn subscription_disagreement(case: &Value, corpus: &Path) -> Option<String> {
    let address = OsString::from_vec(bytes(case["address"].as_str().unwrap()));
    let list = case["list"].as_str().unwrap();
    let args = vec!["test-subscribe".into(), "--json".into(), list.into(), "--".into(), address];
    let (outcome, args) = run(args, corpus);
    let Ok(answer) = serde_json::from_str::<Value>(&outcome.stdout) else {
        return Some(format!("{args:?}: no answer: {}", outcome.stderr));
    };
    let expected = match case["outcome"].as_str().unwrap() {
        "shunt" => "undecided",
        outcome => outcome,
    };
    let refused = matches!(expected, "banned" | "member" | "bad-address" | "no-delivery");
    let same = answer["outcome"] == expected
        && outcome.status.is_some_and(|s| s.code() == 1) == refused
        && case["pattern"].as_str().is_none_or(|pattern| answer["entry"] == pattern);
    (!same).then(|| format!("{case}\n    {answer}"))
}

#[test]
fn every_subscription_case_agrees() {
    let seen: usize =
        count(corpora(), "subscribe.jsonl", subscription_disagreement).iter().map(|c| c.1).sum();
    assert!(seen > 0, "no cases");
}

#[test]
fn every_sender_case_agrees() {
    let judge = |case: &Value, corpus: &Path| disagreement(case, sender_args(case), corpus);
    for (corpus, seen) in count(corpora(), "sender.jsonl", judge) {
        let other = corpus.join("subscribe.jsonl").exists();
        assert!(seen > 0 || other, "{}: no cases", corpus.display());
    }
}

#[test]
fn every_message_case_agrees() {
    let judge =
        |case: &Value, corpus: &Path| disagreement(case, message_args(case, corpus), corpus);
    let seen: usize = count(corpora(), "post.jsonl", judge).iter().map(|c| c.1).sum();
    assert!(seen > 0, "no cases");
}

/// How many disagreements are printed: `MMQ_SHOWN`, for development.
fn shown() -> usize {
    std::env::var("MMQ_SHOWN").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
}

/// Compares all cases of a table, and says how many each corpus has.
fn count(
    corpora: Vec<PathBuf>,
    table: &str,
    judge: impl Fn(&Value, &Path) -> Option<String>,
) -> Vec<(PathBuf, usize)> {
    let mut all_wrong = 0;
    let mut seen = Vec::new();
    for corpus in corpora {
        let cases = cases(&corpus, table);
        let wrong: Vec<String> = cases.iter().filter_map(|case| judge(case, &corpus)).collect();
        let agree = cases.len() - wrong.len();
        println!("{}: {agree} of {} cases in {table} agree", corpus.display(), cases.len());
        wrong.iter().take(shown()).for_each(|case| println!("  {case}"));
        all_wrong += wrong.len();
        seen.push((corpus, cases.len()));
    }
    assert_eq!(all_wrong, 0, "cases differ");
    seen
}

#[test]
fn every_verdict_on_the_sample_lists_agrees() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let cases = cases(&fixtures, "lists-verdicts.jsonl");
    // Lists that Mailman would convert first, that have an extend.py, or that we cannot read.
    let lenient = ["corrupt", "extended", "marshal", "older", "oldest"];
    let (permits, exact): (Vec<&Value>, Vec<&Value>) =
        cases.iter().partition(|case| lenient.iter().any(|list| case["list"] == *list));
    for case in &permits {
        let (outcome, args) = run(sender_args(case), &fixtures);
        assert_ne!(outcome.status.map(|s| s.code()), Some(1), "{args:?}");
    }
    let wrong: Vec<String> =
        exact.iter().filter_map(|case| disagreement(case, sender_args(case), &fixtures)).collect();
    assert!(!permits.is_empty() && !exact.is_empty());
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), exact.len(), wrong.join("\n"));
}

#[test]
fn every_domain_agrees() {
    let mut seen = 0;
    for corpus in corpora() {
        for case in cases(&corpus, "domains.jsonl") {
            let list = case["list"].as_str().unwrap();
            let (outcome, args) = run(vec!["list-domain".into(), list.into()], &corpus);
            let domain = case["domain"].as_str().unwrap();
            assert_eq!(outcome.stdout, format!("{domain}\n"), "{args:?}: {}", outcome.stderr);
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_list_loads() {
    let mut seen = 0;
    for corpus in corpora() {
        for list in corpus.join("lists").read_dir().unwrap() {
            let name = list.unwrap().file_name();
            let (outcome, _) = run(vec!["list-domain".into(), name.clone()], &corpus);
            assert_eq!(outcome.status, None, "{name:?}: {}", outcome.stderr);
            seen += 1;
        }
    }
    assert!(seen > 0);
}
