//! The file of settings: macros of ours, one a line, which an administrator may edit and a later
//! installation keeps.

use crate::exim::snippets;
use crate::limits;
use std::fmt;

/// Where the part of `macros` that a site may change ends.
const END_OF_SETTINGS: &str = "\n# ---- Below";

/// A macro to define, or one to leave undefined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    name: String,
    value: Option<String>,
}

/// Why a macro cannot be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadChange {
    /// It is not one of the settings.
    Unknown(String),
    /// Its value cannot stand in one line of Exim's configuration.
    Value(String),
}

impl fmt::Display for BadChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadChange::Unknown(name) => {
                write!(f, "no such setting: {name}; there are {}", names().join(", "))
            }
            BadChange::Value(name) => write!(f, "{name}: this value cannot stand in one line"),
        }
    }
}

impl std::error::Error for BadChange {}

/// The macros that a site may set, as `macros` explains them, in its order.
pub fn names() -> Vec<&'static str> {
    let end = snippets::MACROS.find(END_OF_SETTINGS).unwrap_or(snippets::MACROS.len());
    let settings = snippets::MACROS.get(..end).unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for word in settings.split(|c: char| !c.is_ascii_uppercase() && c != '_') {
        if word.starts_with("MMQ_") && word.len() > "MMQ_".len() && !names.contains(&word) {
            names.push(word);
        }
    }
    names
}

impl Change {
    /// Defines a macro. Blanks around the value do not count; Exim drops those before it.
    ///
    /// # Errors
    /// [`BadChange`]
    pub fn define(name: &str, value: &str) -> Result<Change, BadChange> {
        let value = value.trim();
        let fits = !value.is_empty()
            && value.len() <= limits::MACRO_BYTES
            && !value.contains(|c: char| c.is_control() && c != '\t')
            // Exim would take the next line for its continuation.
            && !value.ends_with('\\');
        if !fits {
            return Err(BadChange::Value(known(name)?));
        }
        Ok(Change { name: known(name)?, value: Some(value.to_owned()) })
    }

    /// Leaves a macro undefined.
    ///
    /// # Errors
    /// [`BadChange::Unknown`]
    pub fn undefine(name: &str) -> Result<Change, BadChange> {
        Ok(Change { name: known(name)?, value: None })
    }

    /// Reads `NAME=VALUE`, blanks around the `=` allowed.
    ///
    /// # Errors
    /// [`BadChange`]
    pub fn parse(text: &str) -> Result<Change, BadChange> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Change::define(name.trim(), value)
    }
}

fn known(name: &str) -> Result<String, BadChange> {
    if names().contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(BadChange::Unknown(name.to_owned()))
    }
}

/// The value that a text gives a macro: the last one.
pub fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().rev().find_map(|line| defined(line, name))
}

/// The text with some macros defined otherwise; every other line stays as it is.
pub fn change(text: &str, changes: &[Change]) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for change in changes {
        let name = &change.name;
        let place = take_out(&mut lines, name).or_else(|| suggestion(&mut lines, name));
        let Some(value) = &change.value else { continue };
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push('\n');
        }
        let place = place.unwrap_or(lines.len());
        lines.insert(place.min(lines.len()), format!("{name} = {value}\n"));
    }
    lines.concat()
}

/// Takes out every definition of a macro with the lines that continue it, and says where the first
/// one stood.
fn take_out(lines: &mut Vec<String>, name: &str) -> Option<usize> {
    let mut place = None;
    while let Some(at) = lines.iter().position(|line| defined(line, name).is_some()) {
        place.get_or_insert(at);
        while at < lines.len() && lines.remove(at).trim_end().ends_with('\\') {}
    }
    place
}

/// Takes out a line that shows the definition in a comment, and says where it stood.
fn suggestion(lines: &mut Vec<String>, name: &str) -> Option<usize> {
    let shown = |line: &String| line.strip_prefix('#').is_some_and(|l| defined(l, name).is_some());
    let at = lines.iter().position(shown)?;
    lines.remove(at);
    Some(at)
}

/// The value, if this line defines the macro.
fn defined<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix(name)?.trim_start().strip_prefix('=')?;
    Some(rest.strip_prefix('=').unwrap_or(rest).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_those_that_the_macros_explain() {
        let names = names();
        for name in ["MMQ_DOMAINS", "MMQ_NO_ANSWER", "MMQ_ASK_DOMAIN", "MMQ_KEEP_BODY_VISIBLE"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        for name in ["MMQ_QUESTION", "MMQ_NAME_RE", "MMQ_"] {
            assert!(!names.contains(&name), "{name}: {names:?}");
        }
        assert!(matches!(Change::undefine("MMQ_QUESTION"), Err(BadChange::Unknown(_))));
        assert!(matches!(Change::parse("MAIN_TLS_ENABLE=yes"), Err(BadChange::Unknown(_))));
    }

    #[test]
    fn values_that_would_be_something_else_to_exim_are_refused() {
        for value in ["", "  ", "a\nb", "a\rb", "a\0b", "a\\", "a \\ "] {
            let refused = Change::define("MMQ_DOMAINS", value);
            assert_eq!(refused, Err(BadChange::Value("MMQ_DOMAINS".into())), "{value:?}");
        }
        let long = "a".repeat(limits::MACRO_BYTES + 1);
        assert!(Change::define("MMQ_DOMAINS", &long).is_err());
        let change = Change::parse("MMQ_DOMAINS = a.org : b.org").unwrap();
        assert_eq!(change, Change::define("MMQ_DOMAINS", "a.org : b.org").unwrap());
        let folder = Change::parse("MMQ_FOLDER=${acl_m_mmq_name}_${lc:$domain}").unwrap();
        assert_eq!(folder.value.as_deref(), Some("${acl_m_mmq_name}_${lc:$domain}"));
    }

    #[test]
    fn only_the_lines_of_the_macro_change() {
        let domains = |v| Change::define("MMQ_DOMAINS", v).unwrap();
        let defer = Change::parse("MMQ_NO_ANSWER=defer").unwrap();
        let text = "# a comment\n\n#MMQ_DOMAINS = lists.example.org\nMMQ_LISTS = /srv\n# end";
        let first = change(text, &[domains("a.org")]);
        assert_eq!(first, "# a comment\n\nMMQ_DOMAINS = a.org\nMMQ_LISTS = /srv\n# end\n");
        assert_eq!(value(&first, "MMQ_DOMAINS"), Some("a.org"));
        assert_eq!(change(&first, &[domains("a.org")]), first);
        let second = change(&first, &[domains("b.org"), defer]);
        let expected =
            "# a comment\n\nMMQ_DOMAINS = b.org\nMMQ_LISTS = /srv\n# end\nMMQ_NO_ANSWER = defer\n";
        assert_eq!(second, expected);
        let third = change(&second, &[Change::undefine("MMQ_NO_ANSWER").unwrap()]);
        assert_eq!(third, "# a comment\n\nMMQ_DOMAINS = b.org\nMMQ_LISTS = /srv\n# end\n");
    }

    #[test]
    fn a_definition_of_several_lines_goes_as_a_whole() {
        let text = "MMQ_DOMAINS = a.org : \\\n  b.org : \\\n  c.org\nMMQ_LISTS = /srv\n";
        let new = change(text, &[Change::parse("MMQ_DOMAINS=d.org").unwrap()]);
        assert_eq!(new, "MMQ_DOMAINS = d.org\nMMQ_LISTS = /srv\n");
        let open = "MMQ_DOMAINS = a.org : \\";
        assert_eq!(change(open, &[Change::undefine("MMQ_DOMAINS").unwrap()]), "");
    }

    #[test]
    fn the_last_definition_counts() {
        let text = "MMQ_DOMAINS=a.org\n  MMQ_DOMAINS == b.org  \n#MMQ_DOMAINS = c.org\n";
        assert_eq!(value(text, "MMQ_DOMAINS"), Some("b.org"));
        assert_eq!(value(text, "MMQ_LISTS"), None);
        assert_eq!(value("MMQ_DOMAINS_X = a\n", "MMQ_DOMAINS"), None);
    }
}
