//! The words that a rejected sender gets (`Moderate.do_reject`, `Errors.RejectMessage`,
//! `Bouncer.BounceMessage`, `Utils.wrap`, `i18n._`; RULES 6.28-6.30).

use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::percent::{self, Failure, Value};
use crate::python::text::PyStr;

/// `LIST-owner@host_name`: whom a sender can ask (`MailList.GetOwnerEmail`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(pub Vec<u8>);

/// Names that Python finds in `Moderate`'s module and in `do_reject`: objects, whose printed form
/// is of no use to a sender.
const MODERATE_NAMES: [&str; 19] = [
    "mlist", "re", "MIMEMessage", "MIMEText", "mm_cfg", "Utils", "Message", "Errors", "_", "Hold",
    "syslog", "MailList", "ModeratedMemberPost", "process", "do_reject", "do_discard",
    "__builtins__", "__doc__", "__file__",
];

/// The list's `nonmember_rejection_notice` as Mailman mails it: formatted, wrapped, formatted
/// once more.
///
/// # Errors
/// [`Stop::Shunt`] where formatting raises an exception that Mailman does not catch.
pub fn nonmember_rejection(text: &PyStr, owner: &Owner, python: Python) -> Result<Vec<u8>, Stop> {
    let lookup = |key: &[u8]| match key {
        b"listowner" => Value::Text(owner.0.clone()),
        b"__name__" => Value::Text(b"Mailman.Handlers.Moderate".to_vec()),
        key if MODERATE_NAMES.iter().any(|name| name.as_bytes() == key) => Value::Object,
        key => unknown(key),
    };
    let raw = text.as_bytes();
    let formatted = match percent::format(raw, &lookup) {
        Ok(formatted) => formatted,
        Err(Failure::Crash) if python == Python::Two && matches!(text, PyStr::Bytes(_)) => {
            return Err(Stop::Shunt("nonmember_rejection_notice contains a bare %c".into()));
        }
        // A dump of the interpreter's variables helps no sender: the text as written does.
        Err(Failure::Exception | Failure::Crash | Failure::Dump) => raw.to_vec(),
    };
    Ok(mailed(&wrap(&formatted, text)))
}

/// The list's `member_moderation_notice` as Mailman mails it: wrapped, then formatted without
/// `listowner`.
///
/// # Errors
/// None yet; the signature is that of [`nonmember_rejection`].
pub fn member_moderation(text: &PyStr, _python: Python) -> Result<Vec<u8>, Stop> {
    Ok(mailed(&wrap(text.as_bytes(), text)))
}

/// `SafeDict` answers for a key it lacks with the key as it was written.
fn unknown(key: &[u8]) -> Value {
    Value::Text([b"%(", key, b")s"].concat())
}

/// `RejectMessage` ends a notice in a blank line; `BounceMessage` formats it once more, by its
/// own variables.
fn mailed(notice: &[u8]) -> Vec<u8> {
    let mut notice = notice.to_vec();
    while !notice.ends_with(b"\n\n") {
        notice.push(b'\n');
    }
    percent::format(&notice, &unknown).unwrap_or(notice)
}

/// Columns of a wrapped line.
const COLUMNS: usize = 70;

/// `Utils.wrap`: paragraphs are filled, lines that begin with a blank kept.
///
/// `like` tells whether columns count bytes or characters.
fn wrap(text: &[u8], like: &PyStr) -> Vec<u8> {
    let chars: Vec<char> = match like {
        PyStr::Bytes(_) => text.iter().map(|b| char::from(*b)).collect(),
        PyStr::Text(_) => String::from_utf8_lossy(text).chars().collect(),
    };
    let wrapped = wrap_chars(&chars);
    match like {
        // Each character came from one byte.
        PyStr::Bytes(_) => wrapped.iter().map(|c| u8::try_from(*c).unwrap_or(b'?')).collect(),
        PyStr::Text(_) => wrapped.iter().collect::<String>().into_bytes(),
    }
}

fn wrap_chars(text: &[char]) -> Vec<char> {
    let mut wrapped = Vec::new();
    for paragraph in paragraphs(text) {
        for line in fill(paragraph) {
            wrap_line(&line, &mut wrapped);
            wrapped.push('\n');
        }
        wrapped.push('\n');
    }
    wrapped.truncate(wrapped.len().saturating_sub(2));
    wrapped
}

/// Splits at every two newlines.
fn paragraphs(text: &[char]) -> Vec<&[char]> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(2).position(|pair| pair == ['\n', '\n']) {
        let (paragraph, behind) = rest.split_at(at);
        found.push(paragraph);
        rest = behind.get(2..).unwrap_or_default();
    }
    found.push(rest);
    found
}

/// Joins the lines of a paragraph that do not begin with a blank.
fn fill(paragraph: &[char]) -> Vec<Vec<char>> {
    let mut lines: Vec<Vec<char>> = Vec::new();
    let mut fill_previous = false;
    for line in paragraph.split(|c| *c == '\n') {
        let Some(first) = line.first() else {
            lines.push(Vec::new());
            continue;
        };
        let fill_this = !is_blank(*first);
        match lines.last_mut() {
            Some(last) if fill_previous && fill_this => {
                while last.last().is_some_and(|c| is_blank(*c)) {
                    last.pop();
                }
                last.push(' ');
                last.extend(line);
            }
            _ => lines.push(line.to_vec()),
        }
        fill_previous = fill_this;
    }
    lines
}

/// `string.whitespace`
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

fn wrap_line(line: &[char], wrapped: &mut Vec<char>) {
    let mut text = line;
    while text.len() > COLUMNS {
        let (end, next) = break_at(text);
        wrapped.extend(text.iter().take(end));
        wrapped.push('\n');
        text = text.get(next..).unwrap_or_default();
    }
    wrapped.extend(text);
}

/// Where a long line ends and where the next begins: at the last blank within the columns, or,
/// where a word is longer than that, at the first one after it, which stays on the line.
fn break_at(text: &[char]) -> (usize, usize) {
    let blank = |i: usize| text.get(i).is_some_and(|c| is_blank(*c));
    let skip = |from: usize, of: bool| {
        (from..text.len()).find(|i| blank(*i) != of).unwrap_or(text.len())
    };
    let last_blank = (1..=COLUMNS).rev().find(|i| blank(*i)).unwrap_or(0);
    let last_word = (1..=last_blank).rev().find(|i| !blank(*i)).unwrap_or(0);
    if last_word > 0 {
        return (last_word.saturating_add(1), skip(last_blank.saturating_add(1), true));
    }
    let end = skip(COLUMNS, false);
    (end.saturating_add(1).min(text.len()), skip(end, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str) -> String {
        String::from_utf8(wrap(text.as_bytes(), &PyStr::Bytes(vec![]))).unwrap()
    }

    #[test]
    fn fills_paragraphs_and_keeps_indented_lines() {
        assert_eq!(wrapped("one\ntwo\n\n  three\nfour"), "one two\n\n  three\nfour");
        assert_eq!(wrapped(""), "");
        assert_eq!(wrapped("a\n\n\nb"), "a\n\n\nb");
    }

    #[test]
    fn breaks_at_the_last_blank_within_seventy_columns() {
        let text = format!("{} {}", "x".repeat(69), "y".repeat(10));
        assert_eq!(wrapped(&text), format!("{}\n{}", "x".repeat(69), "y".repeat(10)));
        let long = format!("{} tail", "x".repeat(80));
        assert_eq!(wrapped(&long), format!("{} \ntail", "x".repeat(80)));
    }

    #[test]
    fn notices_are_formatted_and_end_in_a_blank_line() {
        let owner = Owner(b"team-owner@x".to_vec());
        let notice = |text: &str| {
            let text = PyStr::Bytes(text.as_bytes().to_vec());
            nonmember_rejection(&text, &owner, Python::Two)
                .map(|t| String::from_utf8(t).unwrap())
        };
        assert_eq!(notice("Ask %(listowner)s."), Ok("Ask team-owner@x.\n\n".into()));
        assert_eq!(notice("100% sure"), Ok("100% sure\n\n".into()));
        assert!(matches!(notice("%c"), Err(Stop::Shunt(_))));
        let text = PyStr::Bytes(b"Ask %(listowner)s, 100%%".to_vec());
        let mailed = member_moderation(&text, Python::Two).unwrap();
        assert_eq!(mailed, b"Ask %(listowner)s, 100%\n\n");
    }
}
