//! `mm-query ask`

use crate::cli::args::{Ask, Meaning, TestSender};
use crate::cli::{Enter, Failure, Outcome, serve, test_sender};
use crate::exit::Status;
use crate::serve::client::{self, Answer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::os::unix::ffi::OsStrExt;

/// Asks the daemon; where none answers, answers itself if it may.
pub(super) fn run(args: &Ask, enter: Enter) -> Result<Outcome, Failure> {
    let address = serve::address(&args.socket)?;
    // What is wrong with the question is so with or without a daemon.
    super::given::parse(&args.question)?;
    let trouble = match client::ask(&address, &request(&args.question)) {
        Ok(answer) => match outcome(&answer, &args.question) {
            Ok(outcome) => return Ok(outcome),
            Err((status, why)) if is_of_the_daemon(status) => why,
            Err((status, why)) => return Err(Failure::new(status, why)),
        },
        Err(error) => error.to_string(),
    };
    let trouble = format!("no daemon at {address}: {trouble}");
    if args.no_fallback {
        return Err(Failure::new(Status::TryAgain, trouble));
    }
    test_sender::run(&args.question, enter).map_err(|Failure(status, error)| {
        // The list could not be read: the daemon's trouble is the reason, then.
        match status {
            Status::NoInput | Status::Config => {
                Failure(Status::TryAgain, error.context(trouble.clone()))
            }
            status => Failure(status, error),
        }
    })
}

/// Whether another one could answer the question.
fn is_of_the_daemon(status: Status) -> bool {
    matches!(status, Status::TryAgain | Status::Internal | Status::NotAllowed | Status::Usage)
}

/// The question in the daemon's words (docs/protocol.md).
fn request(args: &TestSender) -> Vec<u8> {
    let mut lines: Vec<(&str, Vec<u8>)> = Vec::new();
    let coded = |bytes: &[u8]| STANDARD.encode(bytes).into_bytes();
    let yes = |given: bool| if given { b"yes".to_vec() } else { b"no".to_vec() };
    lines.push(("mm-query", b"1".to_vec()));
    lines.push(("query", b"test-sender".to_vec()));
    lines.push(("list-base64", coded(args.list.as_bytes())));
    lines.extend(args.addresses.iter().map(|a| ("address-base64", coded(a.as_bytes()))));
    // Given in base64 they are lists of Exim's; else one header each.
    let names = match args.base64 {
        true => ["from-base64", "reply-to-base64", "sender-base64"],
        false => ["header-from-base64", "header-reply-to-base64", "header-sender-base64"],
    };
    let value = |v: &[u8]| if args.base64 { v.to_vec() } else { coded(v) };
    for (name, values) in names.into_iter().zip([&args.from, &args.reply_to, &args.sender]) {
        lines.extend(values.iter().map(|v| (name, value(v.as_bytes()))));
    }
    let envelope = args.envelope_from.iter();
    lines.extend(envelope.map(|v| ("envelope-from-base64", value(v.as_bytes()))));
    let meaning = |meaning| match meaning {
        Meaning::Permit => b"permit".to_vec(),
        Meaning::Refuse => b"refuse".to_vec(),
    };
    lines.push(("held", meaning(args.answer.held)));
    lines.push(("discarded", meaning(args.answer.discarded)));
    for (name, given) in [
        ("approved", args.approved),
        ("json", args.answer.json),
        ("explain", args.answer.explain),
        ("utf8", args.answer.utf8),
    ] {
        lines.push((name, yes(given)));
    }
    let mut request = Vec::new();
    for (key, value) in lines {
        request.extend_from_slice(key.as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(&value);
        request.push(b'\n');
    }
    request.push(b'\n');
    request
}

/// The answer as test-sender would give it; else what went wrong.
fn outcome(answer: &Answer, args: &TestSender) -> Result<Outcome, (Status, String)> {
    if let Some((code, why)) = answer.error() {
        return Err((Status::of_code(code), why.to_owned()));
    }
    let policy = args.answer.policy();
    let refused = match answer.word.as_str() {
        "reject" => true,
        "hold" => policy.refuse_held,
        "discard" => policy.refuse_discarded,
        _ => false,
    };
    let told = refused || args.answer.json || args.answer.explain;
    Ok(Outcome {
        status: refused.then_some(Status::Refused),
        stdout: if told { answer.text.clone() } else { String::new() },
        stderr: String::new(),
    })
}
