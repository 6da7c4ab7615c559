//! Does it look like a command for the list's robot? (`Utils.is_administrivia`; RULES 6.17.)

use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::text::{is_space, is_space_byte};
use std::borrow::Cow;

/// Commands, and how many words may follow each.
const COMMANDS: [(&str, usize, usize); 11] = [
    ("confirm", 1, 1),
    ("help", 0, 0),
    ("info", 0, 0),
    ("lists", 0, 0),
    ("options", 0, 0),
    ("password", 2, 2),
    ("remove", 0, 0),
    ("set", 3, 3),
    ("subscribe", 0, 3),
    ("unsubscribe", 0, 1),
    ("who", 0, 1),
];

/// Lines at the top of the bodies in which a command is looked for.
const TOP_LINES: usize = 5;

/// Words of a line that matter: the longest command with its arguments, and one more.
const WORDS: usize = 5;

/// Whether the first lines of the bodies, still in their transfer encodings, or the Subject are a
/// command; never where there are more lines than the site allows.
///
/// # Errors
/// [`Stop::Unknowable`] where the site's limit or, in the port, the text cannot be told.
pub(super) fn is_administrivia(post: &Post<'_>, site: &SiteValues) -> Result<bool, Stop> {
    let most_lines = site.known("DEFAULT_MAIL_COMMANDS_MAX_LINES")?.number().ok_or_else(|| {
        Stop::Unknowable("DEFAULT_MAIL_COMMANDS_MAX_LINES of the site is no number".into())
    })?;
    let mut top: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut only_line: Option<Vec<u8>> = None;
    let mut filled = 0.0;
    'parts: for index in 0..post.message.parts().len() {
        let Some(payload) = post.payload(index) else { continue };
        for line in payload.split_inclusive(|byte| *byte == b'\n') {
            // A signature's mark, but for its line end, with which ordinary ones never match.
            if line == b"-- " {
                break 'parts;
            }
            if has_words(line, post.python)? {
                filled += 1.0;
                only_line = (filled == 1.0).then(|| line.to_vec());
                if filled > most_lines {
                    return Ok(false);
                }
            }
            if top.len() < TOP_LINES {
                top.push(Cow::Owned(line.to_vec()));
            }
        }
    }
    if let Some(line) = only_line
        && let [word] = words(&line, post.python)?.as_slice()
        && COMMANDS.iter().any(|(command, ..)| command == word)
    {
        return Ok(true);
    }
    top.push(Cow::Borrowed(post.header("subject").unwrap_or_default()));
    for line in top {
        if is_command(&words(&line, post.python)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_command(words: &[String]) -> bool {
    let Some((first, rest)) = words.split_first() else { return false };
    let known = COMMANDS.iter().find(|(command, ..)| command == first);
    let Some((command, least, most)) = known else { return false };
    let is_setting = || rest.get(1).is_some_and(|word| word == "on" || word == "off");
    (*least..=*most).contains(&rest.len()) && (*command != "set" || is_setting())
}

fn has_words(line: &[u8], python: Python) -> Result<bool, Stop> {
    match python {
        Python::Two => Ok(line.iter().any(|byte| !is_space_byte(*byte))),
        Python::Three => Ok(text(line)?.chars().any(|c| !is_space(c, python))),
    }
}

/// The first words, lowered. What is no ASCII is in no command, whatever becomes of it here.
fn words(line: &[u8], python: Python) -> Result<Vec<String>, Stop> {
    let lowered = |word: &[u8]| String::from_utf8_lossy(word).to_ascii_lowercase();
    match python {
        Python::Two => {
            let words = line.split(|byte| is_space_byte(*byte)).filter(|word| !word.is_empty());
            Ok(words.take(WORDS).map(lowered).collect())
        }
        Python::Three => {
            let words = text(line)?.split(|c| is_space(c, python)).filter(|word| !word.is_empty());
            Ok(words.take(WORDS).map(str::to_lowercase).collect())
        }
    }
}

fn text(line: &[u8]) -> Result<&str, Stop> {
    std::str::from_utf8(line)
        .map_err(|_| Stop::Unknowable("a body that is not in UTF-8, which the port recodes".into()))
}
