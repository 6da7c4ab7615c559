//! Lists of addresses, patterns and other lists' names (`MailList.GetPattern`; RULES §5).

use crate::list::value::PyValue;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::re::{self, Answer, Budget, Flags};
use crate::python::text::PyStr;

/// What is known of another list that an entry `@name` points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherList {
    /// No such list, or no name a list can have: Mailman logs that and goes on.
    Unknown,
    /// The address is, or is not, directly a member of it.
    Read(bool),
    /// Mailman cannot open it, and shunts the message.
    Unreadable(String),
    /// We cannot know.
    Unknowable(String),
}

/// Membership of other lists. The rules ask; who implements it reads files.
pub trait OtherLists {
    /// Whether `address`, lowercased, is a member of the list `name`.
    fn member_of(&self, name: &PyStr, address: &PyStr) -> OtherList;
}

/// Everything an entry is compared under.
pub struct Context<'a> {
    /// The Python that runs Mailman.
    pub python: Python,
    /// The list's own name, which an entry `@name` may not point at.
    pub own_name: &'a str,
    /// For entries `@name`.
    pub others: &'a dyn OtherLists,
    /// What the patterns of the whole query may cost.
    pub budget: &'a mut Budget,
    /// Receives what a person may want to know of entries that had no effect.
    pub trail: &'a mut Vec<String>,
}

/// The entry of `setting` that matches `address`: first literal ones, then patterns and lists in
/// order.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where a pattern's answer costs too much.
pub fn find_entry(
    address: &PyStr,
    setting: &PyValue,
    context: &mut Context<'_>,
) -> Result<Option<PyStr>, Stop> {
    find(address, setting, true, context)
}

/// The same where entries `@name` have no meaning (`GetPattern` without `at_list`; RULES 5.4).
///
/// # Errors
/// As [`find_entry`].
pub fn find_entry_without_lists(
    address: &PyStr,
    setting: &PyValue,
    context: &mut Context<'_>,
) -> Result<Option<PyStr>, Stop> {
    find(address, setting, false, context)
}

fn find(
    address: &PyStr,
    setting: &PyValue,
    with_lists: bool,
    context: &mut Context<'_>,
) -> Result<Option<PyStr>, Stop> {
    let entries = entries(setting, context.python)?;
    let lowered = address.lower(context.python);
    for entry in entries.iter().filter(|e| !is_special(e)) {
        let stripped = entry.strip(context.python);
        if !stripped.is_empty() && equal(&stripped.lower(context.python), &lowered) {
            return Ok(Some(entry.clone()));
        }
    }
    for entry in entries {
        let matched = match entry.as_bytes().first() {
            Some(b'^') => matches_pattern(&entry, address, context)?,
            Some(b'@') if with_lists => matches_list(&entry, &lowered, context)?,
            _ => false,
        };
        if matched {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// Every entry must be a string, or Mailman fails before it compares any.
fn entries(setting: &PyValue, python: Python) -> Result<Vec<PyStr>, Stop> {
    let values =
        setting.iterate().ok_or_else(|| Stop::Shunt("a list of addresses is no list".into()))?;
    let string = |value: PyValue| match value {
        PyValue::Str(PyStr::Bytes(_)) if python == Python::Three => None,
        PyValue::Str(entry) => Some(entry),
        _ => None,
    };
    values
        .into_iter()
        .map(|v| string(v).ok_or_else(|| Stop::Shunt("an entry is no string".into())))
        .collect()
}

fn is_special(entry: &PyStr) -> bool {
    matches!(entry.as_bytes().first(), Some(b'^' | b'@'))
}

/// Python's `==` of strings: bytes and text are equal only where both are the same ASCII.
fn equal(one: &PyStr, other: &PyStr) -> bool {
    match (one, other) {
        (PyStr::Bytes(a), PyStr::Bytes(b)) => a == b,
        (PyStr::Text(a), PyStr::Text(b)) => a == b,
        (a, b) => a.as_bytes() == b.as_bytes() && a.as_bytes().is_ascii(),
    }
}

fn matches_pattern(
    pattern: &PyStr,
    address: &PyStr,
    context: &mut Context<'_>,
) -> Result<bool, Stop> {
    let flags = Flags { ignore_case: true, ..Flags::default() };
    match re::search(pattern, address, flags, context.python, context.budget) {
        Answer::Match => Ok(true),
        Answer::NoMatch => Ok(false),
        Answer::Invalid(why) => {
            let pattern = pattern.to_lossy();
            context.trail.push(format!("pattern {pattern} is invalid ({why}): no effect"));
            Ok(false)
        }
        Answer::Crash(why) => {
            Err(Stop::Shunt(format!("pattern {} fails in Python: {why}", pattern.to_lossy())))
        }
        Answer::OverBudget => Err(Stop::Unknowable(format!(
            "pattern {} takes too long to search for",
            pattern.to_lossy()
        ))),
    }
}

fn matches_list(entry: &PyStr, lowered: &PyStr, context: &mut Context<'_>) -> Result<bool, Stop> {
    let name = without_first(entry).lower(context.python).strip(context.python);
    if name.as_bytes() == context.own_name.as_bytes() {
        context.trail.push(format!("entry {} is the list itself: no effect", entry.to_lossy()));
        return Ok(false);
    }
    match context.others.member_of(&name, lowered) {
        OtherList::Unknown => {
            context.trail.push(format!("entry {} is no list: no effect", entry.to_lossy()));
            Ok(false)
        }
        OtherList::Read(member) => Ok(member),
        OtherList::Unreadable(why) => {
            Err(Stop::Shunt(format!("list {} cannot be opened: {why}", name.to_lossy())))
        }
        OtherList::Unknowable(why) => {
            Err(Stop::Unknowable(format!("list {}: {why}", name.to_lossy())))
        }
    }
}

/// The entry behind its `@`, an ASCII character.
fn without_first(entry: &PyStr) -> PyStr {
    match entry {
        PyStr::Bytes(b) => PyStr::Bytes(b.iter().skip(1).copied().collect()),
        PyStr::Text(t) => PyStr::Text(t.chars().skip(1).collect()),
    }
}
