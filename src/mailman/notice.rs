//! The words that a rejected sender gets (`Moderate.do_reject`, `Errors.RejectMessage`,
//! `Bouncer.BounceMessage`, `Utils.wrap`, `i18n._`; RULES 6.28-6.30).

use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::percent::{self, Failure, Value};
use crate::python::text::{PyStr, is_ascii_space, is_space};

/// `LIST-owner@host_name`: whom a sender can ask (`MailList.GetOwnerEmail`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(pub Vec<u8>);

/// Names that Python finds in `Moderate`'s module and in `do_reject`: objects, whose printed form
/// is of no use to a sender.
const MODERATE_NAMES: [&str; 19] = [
    "mlist",
    "re",
    "MIMEMessage",
    "MIMEText",
    "mm_cfg",
    "Utils",
    "Message",
    "Errors",
    "_",
    "Hold",
    "syslog",
    "MailList",
    "ModeratedMemberPost",
    "process",
    "do_reject",
    "do_discard",
    "__builtins__",
    "__doc__",
    "__file__",
];

/// Names that Python finds in `BounceMessage` and its module, likewise.
const BOUNCER_NAMES: [&str; 17] = [
    "self",
    "msg",
    "msgdata",
    "_",
    "re",
    "sys",
    "time",
    "Utils",
    "Message",
    "mm_cfg",
    "Pending",
    "syslog",
    "MIMEText",
    "MIMEMessage",
    "Bouncer",
    "__builtins__",
    "__file__",
];

/// A formatted text.
struct Formatted {
    /// What a sender can be told.
    said: Vec<u8>,
    /// Where Mailman's text has a dump of its variables: the rest of that text.
    without_dump: Option<Vec<u8>>,
}

/// How a list's texts are formatted.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// The Python that runs Mailman.
    pub python: Python,
    /// The list's owner.
    pub owner: &'a Owner,
    /// `get_sender`, lowercased.
    pub sender: &'a PyStr,
}

impl Form<'_> {
    /// The list's `nonmember_rejection_notice` as Mailman mails it: formatted, wrapped, formatted
    /// once more.
    ///
    /// # Errors
    /// [`Stop::Shunt`] where formatting raises an exception that Mailman does not catch.
    pub fn nonmember_rejection(self, text: &PyStr) -> Result<PyStr, Stop> {
        let lookup = |key: &[u8]| match key {
            b"listowner" => Value::Text(self.owner.0.clone()),
            b"__name__" => Value::Text(b"Mailman.Handlers.Moderate".to_vec()),
            key if is_one_of(&MODERATE_NAMES, key) => Value::Object,
            key => unknown(key),
        };
        let Formatted { said, without_dump } =
            self.formatted(text.as_bytes().to_vec(), text, &lookup)?;
        if let Some(rest) = without_dump {
            // What is formatted next is the dump, which has no percent signs of its own, and this.
            self.mailed(&self.wrap(&rest, text), text)?;
        }
        self.mailed(&self.wrap(&said, text), text)
    }

    /// `i18n._` of a text that is already in its language. `like` is the list's own text.
    fn formatted(
        self,
        text: Vec<u8>,
        like: &PyStr,
        lookup: &dyn Fn(&[u8]) -> Value,
    ) -> Result<Formatted, Stop> {
        match percent::format(&text, lookup, self.python) {
            Ok(said) => Ok(Formatted { said, without_dump: None }),
            Err(Failure::Crash) if matches!(like, PyStr::Bytes(_)) => {
                let why = "a notice of the list cannot be formatted, which Mailman fails on";
                Err(Stop::Shunt(why.into()))
            }
            // A dump of the interpreter's variables helps no sender: the text as written does.
            Err(Failure::Dump(rest)) => Ok(Formatted { said: text, without_dump: Some(rest) }),
            Err(Failure::Exception | Failure::Crash) => {
                Ok(Formatted { said: text, without_dump: None })
            }
        }
    }

    /// The list's `member_moderation_notice` as Mailman mails it: wrapped, then formatted without
    /// `listowner`.
    ///
    /// # Errors
    /// As [`Form::nonmember_rejection`].
    pub fn member_moderation(self, text: &PyStr) -> Result<PyStr, Stop> {
        self.mailed(&self.wrap(text.as_bytes(), text), text)
    }

    /// `RejectMessage` ends a notice in a blank line; `BounceMessage` formats it once more, by its
    /// own variables.
    fn mailed(self, notice: &[u8], like: &PyStr) -> Result<PyStr, Stop> {
        let mut notice = notice.to_vec();
        while !notice.ends_with(b"\n\n") {
            notice.push(b'\n');
        }
        let lookup = |key: &[u8]| match key {
            b"sender" => Value::Text(self.sender.as_bytes().to_vec()),
            // Of the subject nothing is known here.
            b"subject" => Value::Text(b"(no subject)".to_vec()),
            b"__name__" => Value::Text(b"Mailman.Bouncer".to_vec()),
            b"EMPTYSTRING" => Value::Text(Vec::new()),
            b"e" if self.python == Python::Two => Value::Text(Vec::new()),
            key if is_one_of(&BOUNCER_NAMES, key) => Value::Object,
            key => unknown(key),
        };
        let said = self.formatted(notice, like, &lookup)?.said;
        Ok(match like {
            PyStr::Bytes(_) => PyStr::Bytes(said),
            PyStr::Text(_) => PyStr::Text(String::from_utf8_lossy(&said).into_owned()),
        })
    }

    /// `Utils.wrap`: paragraphs are filled, lines that begin with a blank kept.
    ///
    /// `like` tells whether columns count bytes or characters.
    fn wrap(self, text: &[u8], like: &PyStr) -> Vec<u8> {
        match like {
            PyStr::Bytes(_) => {
                let chars: Vec<char> = text.iter().map(|b| char::from(*b)).collect();
                let wrapped = wrap_chars(&chars, is_ascii_space);
                // Each character came from one byte.
                wrapped.iter().map(|c| u8::try_from(*c).unwrap_or(b'?')).collect()
            }
            PyStr::Text(_) => {
                let chars: Vec<char> = String::from_utf8_lossy(text).chars().collect();
                let wrapped = wrap_chars(&chars, |c| is_space(c, self.python));
                wrapped.iter().collect::<String>().into_bytes()
            }
        }
    }
}

fn is_one_of(names: &[&str], key: &[u8]) -> bool {
    names.iter().any(|name| name.as_bytes() == key)
}

/// `SafeDict` answers for a key it lacks with the key as it was written.
fn unknown(key: &[u8]) -> Value {
    Value::Text([b"%(", key, b")s"].concat())
}

/// Columns of a wrapped line.
const COLUMNS: usize = 70;

/// `rstrip` tells what is stripped where lines are joined: more than ASCII in text.
fn wrap_chars(text: &[char], rstrip: impl Fn(char) -> bool) -> Vec<char> {
    let mut wrapped = Vec::new();
    for paragraph in paragraphs(text) {
        for line in fill(paragraph, &rstrip) {
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
fn fill(paragraph: &[char], rstrip: &impl Fn(char) -> bool) -> Vec<Vec<char>> {
    let mut lines: Vec<Vec<char>> = Vec::new();
    let mut fill_previous = false;
    for line in paragraph.split(|c| *c == '\n') {
        let Some(first) = line.first() else {
            lines.push(Vec::new());
            continue;
        };
        let fill_this = !is_ascii_space(*first);
        match lines.last_mut() {
            Some(last) if fill_previous && fill_this => {
                while last.last().is_some_and(|c| rstrip(*c)) {
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
    let blank = |i: usize| text.get(i).is_some_and(|c| is_ascii_space(*c));
    let skip =
        |from: usize, of: bool| (from..text.len()).find(|i| blank(*i) != of).unwrap_or(text.len());
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
        wrap_chars(&text.chars().collect::<Vec<_>>(), is_ascii_space).into_iter().collect()
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
        let sender = PyStr::Bytes(b"eve@x".to_vec());
        let form = Form { python: Python::Two, owner: &owner, sender: &sender };
        let notice = |text: &str| {
            form.nonmember_rejection(&PyStr::Bytes(text.as_bytes().to_vec()))
                .map(|t| t.to_lossy().into_owned())
        };
        assert_eq!(notice("Ask %(listowner)s."), Ok("Ask team-owner@x.\n\n".into()));
        assert_eq!(notice("100% sure"), Ok("100% sure\n\n".into()));
        assert_eq!(notice("50%% off"), Ok("50% off\n\n".into()));
        assert_eq!(notice("Not %(sender)s"), Ok("Not eve@x\n\n".into()));
        assert!(matches!(notice("%c"), Err(Stop::Shunt(_))));
        assert_eq!(notice("%s, 5% %"), Ok("%s, 5% %\n\n".into()));
        assert!(matches!(notice("%s, 5% %c"), Err(Stop::Shunt(_))), "in the second formatting");
        let text = PyStr::Bytes(b"Ask %(listowner)s, 100%%".to_vec());
        let mailed = form.member_moderation(&text).unwrap();
        assert_eq!(mailed.as_bytes(), b"Ask %(listowner)s, 100%\n\n");
    }
}
