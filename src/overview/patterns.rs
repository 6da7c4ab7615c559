//! The patterns of a list or of the site, and what Mailman's Python makes of each.

use crate::list::survey::{Survey, lines};
use crate::list::value::PyValue;
use crate::python::Python;
use crate::python::re::{self, Answer, Budget, CompileError, Flags, Pattern};
use crate::python::text::PyStr;

/// Settings whose entries are addresses, patterns behind `^`, or lists behind `@` (`GetPattern`).
pub const ADDRESS_SETTINGS: [&str; 7] = [
    "accept_these_nonmembers",
    "hold_these_nonmembers",
    "reject_these_nonmembers",
    "discard_these_nonmembers",
    "subscribe_auto_approval",
    "dmarc_moderation_addresses",
    "ban_list",
];

/// The settings with patterns of other kinds.
pub const OTHER_SETTINGS: [&str; 3] =
    ["acceptable_aliases", "bounce_matching_headers", "header_filter_rules"];

/// What an entry is to Mailman.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An address, compared as it stands.
    Address,
    /// The members of another list.
    OtherList,
    /// A pattern that compiles.
    Pattern,
    /// A pattern that matches every address or header.
    Everything,
    /// A pattern that Python refuses; Mailman skips it, or takes its letters as they stand.
    Invalid(String),
    /// A pattern that Mailman fails on.
    Fails(String),
    /// An address that can be none, and looks like a pattern without its `^`.
    LooksLikeAPattern,
    /// A line without a header's name.
    NoHeader,
}

impl Kind {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Kind::Address => "an address".to_owned(),
            Kind::OtherList => "the members of a list".to_owned(),
            Kind::Pattern => "a pattern".to_owned(),
            Kind::Everything => "a pattern that matches everything".to_owned(),
            Kind::Invalid(why) => format!("invalid in Python: {why}"),
            Kind::Fails(why) => format!("a pattern that Mailman fails on: {why}"),
            Kind::LooksLikeAPattern => {
                "an address, though it looks like a pattern: no ^".to_owned()
            }
            Kind::NoHeader => "no header's name".to_owned(),
        }
    }

    /// Whether it does something else than who wrote it may have meant.
    pub fn is_odd(&self) -> bool {
        !matches!(self, Kind::Address | Kind::OtherList | Kind::Pattern)
    }
}

/// One entry of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The setting.
    pub setting: &'static str,
    /// The entry as it stands.
    pub text: String,
    /// What it is.
    pub kind: Kind,
}

/// Addresses that have nothing in common but that they are some.
const ADDRESSES: [&str; 3] = ["q7@a.example", "xj.k+w@sub.zz.test", "0_v@example.org"];

/// Headers likewise.
const HEADERS: [&str; 3] = ["Subject: 7 q", "X-Wzk: j=k; v", "To: <0@b.example>"];

/// Steps that looking for a pattern in a sample may take.
const STEPS: u64 = 1_000_000;

/// What a pattern is; `samples` are texts that it would be searched in.
fn of_pattern(
    pattern: &PyStr,
    flags: Flags,
    samples: &[&str],
    start: bool,
    python: Python,
) -> Kind {
    match Pattern::compile(pattern, flags, python) {
        Err(CompileError::Invalid(why)) => return Kind::Invalid(why.to_owned()),
        Err(CompileError::Crash(why)) => return Kind::Fails(why.to_owned()),
        Ok(_) => {}
    }
    let mut budget = Budget::new(STEPS);
    let found = |sample: &&str| {
        let sample = PyStr::of(sample, python);
        let answer = match start {
            true => re::match_start(pattern, &sample, flags, python, &mut budget),
            false => re::search(pattern, &sample, flags, python, &mut budget),
        };
        answer == Answer::Match
    };
    if samples.iter().all(found) { Kind::Everything } else { Kind::Pattern }
}

const PLAIN: Flags = Flags { ignore_case: true, multiline: false, unicode: false };

/// What an entry of a setting of addresses is.
pub fn of_address(entry: &PyStr, python: Python) -> Kind {
    let bytes = entry.as_bytes();
    match bytes.first() {
        Some(b'^') => of_pattern(entry, PLAIN, &ADDRESSES, false, python),
        Some(b'@') => Kind::OtherList,
        _ if looks_like_a_pattern(bytes) => Kind::LooksLikeAPattern,
        _ => Kind::Address,
    }
}

/// No address has these letters, or hardly any: `.*`, `[`, `\`, `(`, `$` at the end.
fn looks_like_a_pattern(bytes: &[u8]) -> bool {
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    has(b".*")
        || has(b".+")
        || has(b"[")
        || has(b"\\")
        || has(b"(")
        || has(b"|")
        || bytes.ends_with(b"$")
}

/// The entries of the address settings, in order.
fn addresses(list: &Survey) -> impl Iterator<Item = Entry> {
    ADDRESS_SETTINGS.iter().flat_map(|setting| {
        let entry = |entry: PyStr| Entry {
            setting,
            text: entry.to_lossy().into_owned(),
            kind: match (of_address(&entry, list.python), *setting) {
                // `@list` means a list only where nonmembers are dealt with.
                (Kind::OtherList, "ban_list" | "subscribe_auto_approval") => Kind::Address,
                (kind, _) => kind,
            },
        };
        list.strings(setting).into_iter().map(entry)
    })
}

/// `acceptable_aliases`: each line is matched from the start; what is no pattern counts as it stands.
fn aliases(list: &Survey) -> impl Iterator<Item = Entry> {
    list.strings("acceptable_aliases").into_iter().map(|line| Entry {
        setting: "acceptable_aliases",
        kind: of_pattern(&line, PLAIN, &ADDRESSES, true, list.python),
        text: line.to_lossy().into_owned(),
    })
}

/// `bounce_matching_headers`: a header's name, a colon, a pattern for its value.
fn headers(list: &Survey) -> impl Iterator<Item = Entry> {
    let lines = list.strings("bounce_matching_headers").into_iter();
    lines.filter(|line| !line.as_bytes().starts_with(b"#")).map(|line| {
        let text = line.to_lossy().into_owned();
        let kind = match text.split_once(':') {
            None => Kind::NoHeader,
            Some((_, pattern)) => {
                let pattern = PyStr::of(pattern.trim(), list.python);
                of_pattern(&pattern, PLAIN, &["7 q", "j=k; v", "<0@b.example>"], false, list.python)
            }
        };
        Entry { setting: "bounce_matching_headers", text, kind }
    })
}

/// `header_filter_rules`: triples whose first is a text with a pattern in each line.
fn filters(list: &Survey) -> Vec<Entry> {
    let Some(PyValue::List(rules)) = list.value("header_filter_rules") else { return Vec::new() };
    let first = |rule: &PyValue| match rule {
        PyValue::List(parts) => match parts.first() {
            Some(PyValue::Str(text)) => lines(text),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let flags = Flags { ignore_case: true, multiline: true, unicode: true };
    let patterns = rules.iter().flat_map(first).filter(|line| !line.as_bytes().starts_with(b"#"));
    patterns
        .map(|line| {
            let text = line.to_lossy().into_owned();
            // Mailman decodes them by the list's charset; what is ASCII is the same in all.
            let kind = of_pattern(&PyStr::Text(text.clone()), flags, &HEADERS, false, list.python);
            Entry { setting: "header_filter_rules", text, kind }
        })
        .collect()
}

/// All entries of a list, by setting.
pub fn of_list(list: &Survey) -> Vec<Entry> {
    addresses(list).chain(aliases(list)).chain(headers(list)).chain(filters(list)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(entry: &str) -> Kind {
        of_address(&PyStr::of(entry, Python::Two), Python::Two)
    }

    #[test]
    fn entries_are_what_mailman_takes_them_for() {
        assert_eq!(kind("alice@example.org"), Kind::Address);
        assert_eq!(kind("O'Neil+x_y@example.org"), Kind::Address);
        assert_eq!(kind("@staff"), Kind::OtherList);
        assert_eq!(kind("^.*@spam\\.example$"), Kind::Pattern);
        for everything in ["^", "^.*$", "^[^@]+@.*", "^.+@.+\\..+$"] {
            assert_eq!(kind(everything), Kind::Everything, "{everything}");
        }
        assert!(matches!(kind("^*@x"), Kind::Invalid(_)));
        for missing in [".*@spam.example", "spam\\.example$", "(a|b)@c.example", "[0-9]@x.example"]
        {
            assert_eq!(kind(missing), Kind::LooksLikeAPattern, "{missing}");
        }
    }
}
