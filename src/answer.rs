//! A verdict made into what Exim and people read.

use crate::mailman::verdict::{Decision, Notice, Rule, Verdict};
use crate::python::text::PyStr;

/// Bytes of a text for an SMTP reply: Exim's own limit is 32 KiB, a person's is lower.
const TEXT_BYTES: usize = 3_900;

/// Characters of a text's first line: Exim breaks lines after 75, and puts `550 5.7.1 ` before the
/// first. Mailman wraps at 70, so a word would stand alone on the second.
const FIRST_LINE: usize = 65;

/// Bytes of one word: a line of an SMTP reply may have 512 (RFC 5321 4.5.3.1.5), and Exim breaks
/// lines at blanks only.
const WORD_BYTES: usize = 400;

/// What a hold and a discard mean to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `--held refuse`
    pub refuse_held: bool,
    /// `--discarded refuse`, the default
    pub refuse_discarded: bool,
}

impl Policy {
    /// Whether the caller may take the message.
    pub fn permits(self, decision: Decision) -> bool {
        match decision {
            Decision::Accept | Decision::Undecided => true,
            Decision::Hold => !self.refuse_held,
            Decision::Discard => !self.refuse_discarded,
            Decision::Reject => false,
        }
    }
}

/// What the texts need to know of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFacts {
    /// The list's internal name.
    pub name: String,
    /// The list's owner address.
    pub owner: Vec<u8>,
    /// The charset of the list's texts, should they not be UTF-8 (a label of the Encoding
    /// Standard).
    pub charset: &'static str,
}

/// The text for a refused sender: lines parted by LF, without control characters, under 4,000
/// bytes, beginning with no SMTP status code; ASCII unless `utf8`.
pub fn refusal_text(verdict: &Verdict, list: &ListFacts, utf8: bool) -> String {
    let text = match &verdict.notice {
        Notice::Own(PyStr::Bytes(bytes)) => decode(bytes, list.charset),
        Notice::Own(PyStr::Text(text)) => text.clone(),
        Notice::None | Notice::Default => our_words(verdict, list),
    };
    let text = smtp_text(&text, utf8);
    if text.is_empty() { smtp_text(&our_words(verdict, list), utf8) } else { text }
}

/// Our wording, where the list has none of its own.
fn our_words(verdict: &Verdict, list: &ListFacts) -> String {
    let sender = verdict.sender.as_ref().map(PyStr::to_lossy).unwrap_or_default();
    // The sender writes no lines of its own into the text.
    // One word, whatever is in it: no part of it can come to stand at the start of a line.
    let word = |c: char| if c.is_whitespace() || c.is_control() { '?' } else { c };
    let sender: String = sender.chars().take(200).map(word).collect();
    let owner = String::from_utf8_lossy(&list.owner);
    let name = &list.name;
    let this = match &verdict.sender {
        Some(_) => format!("messages from <{sender}>"),
        None => "messages such as this one".to_owned(),
    };
    let what = match (verdict.decision, verdict.rule) {
        (Decision::Hold, _) => format!(
            "The mailing list {name} would hold {this} for its moderators, and this server does \
             not take such messages."
        ),
        (_, Rule::MemberModeration) => {
            format!("The mailing list {name} does not take messages from its member <{sender}>.")
        }
        (_, rule) if about_message(rule).is_some() => {
            let why = about_message(rule).unwrap_or_default();
            format!("The mailing list {name} does not take this message: {why}.")
        }
        (Decision::Discard, _) => format!("The mailing list {name} does not take {this}."),
        (_, Rule::GenericNonmemberAction) => format!(
            "Only members may post to the mailing list {name}, and <{sender}> is not a member."
        ),
        _ => format!("The mailing list {name} rejects {this}."),
    };
    format!("{what}\nIf you think this is wrong, please write to {owner}.")
}

/// What a rule that looks at the message itself finds in it.
fn about_message(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::DmarcModerationAction => {
            "the domain of its From: address publishes a DMARC policy that mailing lists break"
        }
        Rule::KnownSpammers | Rule::HeaderFilterRules => "its headers match a filter",
        Rule::ApprovedInHtml => {
            "it has an Approved: line in an HTML part, from which the line cannot be removed"
        }
        Rule::BeenThere => "it has been posted to the list before",
        Rule::FilterMimeTypes | Rule::PassMimeTypes => "its content type is not allowed there",
        Rule::FilterFilenameExtensions | Rule::PassFilenameExtensions => {
            "its file name extension is not allowed there"
        }
        Rule::FilterContent => "none of its parts has a content that is allowed there",
        Rule::ScrubNondigest => "it is in HTML alone",
        Rule::Urgent => "it is marked Urgent:, and has no password of the list",
        _ => return None,
    })
}

/// UTF-8 where it is UTF-8 (Debian's Mailman stores nothing else), else the list's charset.
fn decode(bytes: &[u8], charset: &'static str) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let encoding = encoding_rs::Encoding::for_label(charset.as_bytes())
                .unwrap_or(encoding_rs::WINDOWS_1252);
            encoding.decode_without_bom_handling(bytes).0.into_owned()
        }
    }
}

/// Makes any text safe to stand in an SMTP reply.
pub fn smtp_text(text: &str, utf8: bool) -> String {
    let lines: Vec<String> = text
        .split('\n')
        // A tab parts words, and deunicode drops both tabs and line ends.
        .map(|line| line.replace('\t', " "))
        .map(|line| if utf8 { line } else { deunicode::deunicode_with_tofu(&line, "?") })
        .map(|line| clean_line(&line))
        .collect();
    let first = lines.iter().position(|l| !l.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|l| !l.is_empty()).map_or(first, |i| i.saturating_add(1));
    let lines = lines.get(first..last).unwrap_or_default();
    let text = refill_first_paragraph(lines).join("\n");
    let text = if looks_like_status(&text) { format!("- {text}") } else { text };
    cut(text, TEXT_BYTES)
}

/// One line without control characters, trailing blanks and endless words.
fn clean_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut word = 0usize;
    for c in line.trim_end().chars() {
        if c.is_control() || is_invisible(c) {
            continue;
        }
        word = if c == ' ' { 0 } else { word.saturating_add(c.len_utf8()) };
        if word > WORD_BYTES {
            out.push(' ');
            word = c.len_utf8();
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out
}

/// Wraps the paragraph at the top anew if its first line is too long for Exim; indented lines and
/// what follows a blank one stay.
fn refill_first_paragraph(lines: &[String]) -> Vec<String> {
    if lines.first().is_none_or(|line| line.chars().count() <= FIRST_LINE) {
        return lines.to_vec();
    }
    let end = lines.iter().position(|l| l.is_empty() || l.starts_with(' ')).unwrap_or(lines.len());
    let (paragraph, rest) = lines.split_at_checked(end.max(1)).unwrap_or((lines, &[]));
    let mut filled: Vec<String> = vec![String::new()];
    for word in paragraph.iter().flat_map(|line| line.split_whitespace()) {
        match filled.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= FIRST_LINE => {
                line.push(' ');
                line.push_str(word);
            }
            _ => filled.push(word.to_owned()),
        }
    }
    filled.extend_from_slice(rest);
    filled
}

/// Line and paragraph separators, characters without width, and those that turn the direction of
/// text round.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Exim takes three digits and a blank (or hyphen) at the start of a text for a status code, and
/// an enhanced code behind it for one too.
fn looks_like_status(text: &str) -> bool {
    let text = text.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let behind = text.as_bytes().get(digits).copied();
    digits > 0 && matches!(behind, None | Some(b' ' | b'-' | b'.' | b'\n'))
}

/// Cuts at a character, not within one.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let mut at = most;
        while !text.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        text.truncate(at);
        text.push_str(" ...");
    }
    text
}

/// A string of unknown origin as one harmless line for a message to people.
pub fn one_line(text: &str) -> String {
    cut(text.chars().flat_map(escape).collect(), TEXT_BYTES)
}

/// One JSON object on one line, for programs and for terminals: JSON itself would leave U+007F to
/// U+009F as they are.
pub fn json_line(object: &serde_json::Value) -> String {
    let mut line = String::new();
    for c in object.to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}' => line.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => line.push(c),
        }
    }
    line.push('\n');
    line
}

fn escape(c: char) -> Vec<char> {
    if c.is_control() || is_invisible(c) { c.escape_default().collect() } else { vec![c] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailman::verdict::Rule;

    #[test]
    fn texts_cannot_carry_smtp() {
        assert_eq!(smtp_text("a\r\n250 ok\r\n", false), "a\n250 ok");
        assert_eq!(smtp_text("\n\n  \nx\0\x07y\x1b[1m \n", false), "xy[1m");
        assert_eq!(smtp_text("550 5.7.1 No", false), "- 550 5.7.1 No");
        assert_eq!(smtp_text("  250-No", false), "-   250-No");
        assert_eq!(smtp_text("5.7.1 No", false), "- 5.7.1 No");
        assert_eq!(smtp_text("5th of May", false), "5th of May");
    }

    #[test]
    fn texts_are_ascii_unless_asked() {
        assert_eq!(smtp_text("Grüße, “Zoë” – 東", false), "Grusse, \"Zoe\" - Dong");
        assert_eq!(smtp_text("Grüße\u{2028}\u{202e}", true), "Grüße");
        assert_eq!(smtp_text("Grüße\n\nan\talle", false), "Grusse\n\nan alle");
    }

    #[test]
    fn a_long_first_line_is_wrapped_where_exim_would_break_it() {
        let long = "word ".repeat(14);
        let text = smtp_text(&format!("{long}\nend\n  indented\n\n{long}{long}"), false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "word ".repeat(13).trim_end());
        assert_eq!(lines[1], "word end");
        assert_eq!(lines[2], "  indented");
        assert_eq!(lines[4].len(), 139);
        assert_eq!(smtp_text("short\nlines", false), "short\nlines");
    }

    #[test]
    fn json_has_no_control_characters() {
        let object = serde_json::json!({"a": "x\u{7f}\u{9b}31m\u{a0}\n"});
        let line = json_line(&object);
        assert_eq!(line, "{\"a\":\"x\\u007f\\u009b31m\u{a0}\\n\"}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), object);
    }

    #[test]
    fn texts_are_short() {
        let text = smtp_text(&"ä".repeat(9_000), true);
        assert!(text.len() < 4_000 && text.ends_with(" ..."), "{}", text.len());
        assert!(text.split([' ', '\n']).all(|word| word.len() <= WORD_BYTES));
        assert!(smtp_text(&"x\n".repeat(9_000), false).len() < 4_000);
    }

    #[test]
    fn charsets_of_notices() {
        let list = ListFacts { name: "l".into(), owner: b"l-owner@x".to_vec(), charset: "latin1" };
        let verdict = |notice: &[u8]| Verdict {
            notice: Notice::Own(PyStr::Bytes(notice.to_vec())),
            ..Verdict::new(
                Decision::Reject,
                Rule::GenericNonmemberAction,
                &PyStr::Bytes(b"a@b\r\n250 ok".to_vec()),
            )
        };
        assert_eq!(refusal_text(&verdict(b"f\xfcr"), &list, true), "für");
        assert_eq!(refusal_text(&verdict("für".as_bytes()), &list, true), "für");
        let empty = refusal_text(&verdict(b"\r\n \x07"), &list, true);
        assert!(empty.contains("l-owner@x"), "{empty}");
        assert!(empty.lines().all(|line| !line.starts_with("250")), "{empty}");
    }
}
