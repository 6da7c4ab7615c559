//! A query through the wrapper, asked as Exim asks it.

use crate::accounts::Identity;
use crate::doctor::{Finding, State};
use crate::exit::Status;
use crate::process::{self, Limits, Ran};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;

/// An address that no list has.
const STRANGER: &str = "doctor@mm-query.invalid";

/// The words of the snippets' question about a message of a stranger.
fn question(list: &str, options: &[String]) -> Vec<String> {
    let address = STANDARD.encode(STRANGER);
    let mut words: Vec<String> = ["test-sender", list, "--base64"].map(str::to_owned).to_vec();
    words.push(format!("--envelope-from={address}"));
    words.push(format!("--from={address}"));
    words.extend(["--reply-to=".to_owned(), "--sender=".to_owned()]);
    words.extend(options.iter().cloned());
    words
}

/// Asks about one list; as `exim` if we are root, else as ourselves.
pub fn examine(wrapper: &Path, exim: Option<&Identity>, list: &str, options: &[String]) -> Finding {
    let words = question(list, options);
    let ask = || process::run(wrapper, &words, Limits::default());
    let root = rustix::process::geteuid().is_root();
    let (who, ran) = match exim.filter(|_| root) {
        Some(exim) => match exim.run(ask) {
            Ok(ran) => (exim.name.clone(), ran),
            Err(error) => {
                let text = format!("cannot act as {}: {error}", exim.name);
                return Finding::other("query", State::Skipped, text, "run this as root");
            }
        },
        None => ("this user".to_owned(), ask()),
    };
    let asked = format!("{} test-sender {list} ..., as {who}", wrapper.display());
    match ran {
        Ok(ran) => judge(&asked, &ran, root),
        Err(error) if !root => {
            Finding::other("query", State::Skipped, format!("{asked}: {error}"), "run this as root")
        }
        Err(error) => {
            let advice = "see what is said of the wrapper above; Exim would get status 127";
            Finding::problem("query", format!("{asked}: {error}"), advice)
        }
    }
}

/// Exim takes 0 and 1 for answers, 1 only with a text.
fn judge(asked: &str, ran: &Ran, root: bool) -> Finding {
    let refused = ran.status == Some(i32::from(Status::Refused.code()));
    if ran.succeeded() {
        return Finding::good("query", format!("{asked}: a stranger's post is permitted"));
    }
    if refused && !ran.stdout.trim().is_empty() {
        return Finding::good("query", format!("{asked}: a stranger's post is refused"));
    }
    let status = ran.status.map_or("killed".to_owned(), |status| format!("status {status}"));
    let text = format!("{asked}: no answer, {status}: {}", ran.complaint());
    let is = |status: Status| ran.status == Some(i32::from(status.code()));
    if is(Status::NotAllowed) && !root {
        return Finding::other("query", State::Skipped, text, "run this as root");
    }
    let advice = if is(Status::Usage) {
        "correct MMQ_OPTIONS in Exim's configuration: only options of the snippets may be there"
    } else if is(Status::NotAllowed) {
        "name Exim's user in wrapper.conf: caller-uid = N"
    } else if is(Status::Config) {
        "correct what it says; see docs/security.md"
    } else {
        "correct what it says; until then such posts are accepted unchecked, or deferred"
    };
    Finding::problem("query", text, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(status: Option<i32>, stdout: &str, stderr: &str) -> Ran {
        Ran { status, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn only_answers_are_good() {
        for (result, state, words) in [
            (ran(Some(0), "", ""), State::Good, "permitted"),
            (ran(Some(1), "Only members\n", ""), State::Good, "refused"),
            (ran(Some(1), "", ""), State::Problem, "no answer, status 1"),
            (ran(Some(64), "", "mm-query-wrapper: no\n"), State::Problem, "mm-query-wrapper: no"),
            (ran(Some(77), "", "no\n"), State::Problem, "status 77"),
            (ran(None, "", ""), State::Problem, "killed"),
        ] {
            let finding = judge("asked", &result, true);
            assert!(finding.state == state && finding.text.contains(words), "{finding:?}");
        }
        assert_eq!(judge("asked", &ran(Some(77), "", "no\n"), false).state, State::Skipped);
    }

    #[test]
    fn the_question_is_that_of_the_snippets() {
        let macros = crate::exim::snippets::MACROS;
        let (_, asked) = macros.split_once("MMQ_QUESTION = MMQ_PROGRAM ").unwrap();
        let (asked, _) = asked.split_once("\n#").unwrap();
        let option = |word: &str| word.split_once('=').map_or(word, |(name, _)| name).to_owned();
        let theirs: Vec<String> = asked
            .split([' ', '\n', '\\'])
            .filter(|word| !word.is_empty())
            .map(|word| word.replace("$acl_m_mmq_item", "team"))
            .map(|word| option(&word))
            .collect();
        let ours: Vec<String> = question("team", &[]).iter().map(|word| option(word)).collect();
        assert_eq!(ours, theirs);
    }
}
