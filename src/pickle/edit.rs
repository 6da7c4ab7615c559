//! Changes one list of strings in a pickle, and not one byte of anything else.
//!
//! New elements come after the last one, without a place in the memo. Of an element that goes, the
//! bytes are cut; if something else in the pickle refers to it, it stays where it is and is popped
//! instead of appended. A list that is also another value of the pickle is left to that one: what
//! takes its place is a new list.

use std::collections::BTreeMap;
use std::fmt;

use serde_pickle::Value;

use super::elements::{self, Element, Elements, Form};
use super::error::Error;
use super::memo::memo_number;
use super::opcode::{self, Effect};
use super::source::{Arg, ReadAt, Window};
use super::track::Span;
use super::walk::Walk;
use super::{Request, WINDOW};
use crate::python::Python;
use crate::python::text::PyStr;

/// Why a list cannot be changed.
#[derive(Debug)]
pub enum EditError {
    /// The pickle cannot be read.
    Pickle(Error),
    /// The value is something else than a list.
    NotAList,
    /// An element is no string, or not of the kind that the pickle's Python calls so.
    NotAString,
    /// Neither Mailman writes such a pickle: protocol 3 or above.
    Protocol,
    /// The opcodes at this byte are not as a pickler writes them.
    Shape(u64),
    /// The changed pickle would not read as it should; nothing but a defect leads here.
    Wrong,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EditError::Pickle(error) => error.fmt(f),
            EditError::NotAList => f.write_str("it is no list"),
            EditError::NotAString => f.write_str("one of its entries is no string"),
            EditError::Protocol => f.write_str("a pickle of protocol 3 or above is only read"),
            EditError::Shape(at) => write!(f, "at byte {at}: not written as Mailman writes it"),
            EditError::Wrong => f.write_str("the change would have gone wrong"),
        }
    }
}

impl std::error::Error for EditError {}

impl From<Error> for EditError {
    fn from(error: Error) -> Self {
        EditError::Pickle(error)
    }
}

/// A list of strings in a pickle, found and ready to be changed.
#[derive(Debug)]
pub struct StringList<'a> {
    bytes: &'a [u8],
    key: &'a str,
    python: Python,
    entries: Vec<PyStr>,
    place: Place,
}

/// Where the list is.
#[derive(Debug)]
enum Place {
    /// Nowhere: the key and its value would come before the STOP at this offset.
    Absent { stop: u64 },
    /// Its own opcodes, nobody else's, end at `end`. The memo is asked for the elements' numbers at
    /// the offsets in `gets`.
    Here { end: u64, elements: Vec<Element>, gets: BTreeMap<u64, Vec<u64>> },
    /// These bytes are a reference, to be replaced by a list.
    Borrowed(Span),
    /// Something else refers to the list that ends at this offset.
    Lent { end: u64 },
}

/// Bytes to cut at a place, and others to put there.
#[derive(Debug, PartialEq, Eq)]
struct Splice {
    at: u64,
    cut: u64,
    put: Vec<u8>,
}

impl<'a> StringList<'a> {
    /// Finds the list that the top-level dict has under `key`; an absent one is empty.
    ///
    /// # Errors
    /// [`EditError`]
    pub fn find(bytes: &'a [u8], key: &'a str) -> Result<StringList<'a>, EditError> {
        let (python, entries) = read(bytes, key)?;
        let mut window = Window::new(bytes, WINDOW);
        let request = Request { keys: &[key], dicts: &[], addresses: &[] };
        let survey = Walk::new(bytes, &request, &[key]).run(&mut window)?;
        let mut window = Window::new(bytes, WINDOW);
        let place = match survey.items.iter().rfind(|item| item.name.is_some()) {
            None => {
                let (stop, _) = references(&mut window, &[])?;
                Place::Absent { stop }
            }
            Some(item) => match elements::read(&mut window, item.value)? {
                None => return Err(EditError::Shape(item.value.start)),
                Some(Form::Borrowed) => {
                    references(&mut window, &[])?;
                    Place::Borrowed(item.value)
                }
                Some(Form::Own(list)) => place(&mut window, list, item.value.end)?,
            },
        };
        if let Place::Here { elements, .. } = &place
            && elements.len() != entries.len()
        {
            return Err(EditError::Wrong);
        }
        Ok(StringList { bytes, key, python, entries, place })
    }

    /// The strings in it, in order.
    pub fn entries(&self) -> &[PyStr] {
        &self.entries
    }

    /// The generation of Python that wrote the pickle.
    pub fn python(&self) -> Python {
        self.python
    }

    /// The whole pickle with another string at the end of the list.
    ///
    /// # Errors
    /// [`EditError::NotAString`] if this Python would not call it one; [`EditError::Wrong`].
    pub fn with(&self, entry: &PyStr) -> Result<Vec<u8>, EditError> {
        let mut entries = self.entries.clone();
        entries.push(entry.clone());
        let splice = match &self.place {
            Place::Here { end, .. } => {
                let mut put = Vec::new();
                push_string(&mut put, entry, self.python)?;
                put.push(opcode::APPEND);
                vec![Splice { at: *end, cut: 0, put }]
            }
            _ => vec![self.anew(&entries)?],
        };
        self.applied(splice, &entries)
    }

    /// The whole pickle without the strings that `goes` says.
    ///
    /// # Errors
    /// [`EditError::Wrong`]; [`EditError::NotAString`] as [`StringList::with`], where the list has
    /// to be written anew.
    pub fn without(&self, goes: &dyn Fn(&PyStr) -> bool) -> Result<Vec<u8>, EditError> {
        let entries: Vec<PyStr> = self.entries.iter().filter(|e| !goes(e)).cloned().collect();
        if entries.len() == self.entries.len() {
            return Ok(self.bytes.to_vec());
        }
        let splices = match &self.place {
            Place::Here { elements, gets, .. } => {
                let all = elements.iter().zip(&self.entries);
                let gone: Vec<&Element> = all.filter(|(_, e)| goes(e)).map(|(e, _)| e).collect();
                gone.iter().map(|element| cut_or_pop(element, &gone, gets)).collect()
            }
            _ => vec![self.anew(&entries)?],
        };
        self.applied(splices, &entries)
    }

    /// What puts a new list with these entries in the place of the old one.
    fn anew(&self, entries: &[PyStr]) -> Result<Splice, EditError> {
        let mut list = vec![opcode::EMPTY_LIST];
        for entry in entries {
            // What Python allows and we cannot hold was replaced when it was read.
            if matches!(entry, PyStr::Text(t) if t.contains(char::REPLACEMENT_CHARACTER)) {
                return Err(EditError::NotAString);
            }
            push_string(&mut list, entry, self.python)?;
            list.push(opcode::APPEND);
        }
        Ok(match &self.place {
            Place::Borrowed(span) => {
                Splice { at: span.start, cut: span.end - span.start, put: list }
            }
            Place::Lent { end } | Place::Here { end, .. } => {
                Splice { at: *end, cut: 0, put: [&[opcode::POP][..], &list].concat() }
            }
            Place::Absent { stop } => {
                let key = match self.python {
                    Python::Two => PyStr::Bytes(self.key.as_bytes().to_vec()),
                    Python::Three => PyStr::Text(self.key.to_owned()),
                };
                let mut put = Vec::new();
                push_string(&mut put, &key, self.python)?;
                put.append(&mut list);
                put.push(opcode::SETITEM);
                Splice { at: *stop, cut: 0, put }
            }
        })
    }

    /// Makes the change, and reads the result as any reader would.
    fn applied(&self, splices: Vec<Splice>, expected: &[PyStr]) -> Result<Vec<u8>, EditError> {
        let new = splice(self.bytes, splices).ok_or(EditError::Wrong)?;
        match read(&new, self.key) {
            Ok((python, entries)) if python == self.python && entries == expected => Ok(new),
            _ => Err(EditError::Wrong),
        }
    }
}

/// The list under `key`, and whose pickle it is.
fn read(bytes: &[u8], key: &str) -> Result<(Python, Vec<PyStr>), EditError> {
    let request = Request { keys: &[key], dicts: &[], addresses: &[] };
    let mut picked = super::pick(bytes, &request)?;
    let items = match picked.values.remove(key) {
        None => Vec::new(),
        Some(Value::List(items)) => items,
        Some(_) => return Err(EditError::NotAList),
    };
    let entries = items.into_iter().map(|item| match item {
        Value::Bytes(bytes) if picked.python == Python::Two => Ok(PyStr::Bytes(bytes)),
        Value::String(text) => Ok(PyStr::Text(text)),
        _ => Err(EditError::NotAString),
    });
    Ok((picked.python, entries.collect::<Result<_, _>>()?))
}

/// Whether the list that ends at `end` can be changed where it is.
fn place(window: &mut Window<'_, [u8]>, list: Elements, end: u64) -> Result<Place, EditError> {
    let Elements { memos, elements } = list;
    let mut numbers: Vec<u64> =
        elements.iter().flat_map(|e| &e.memos).chain(&memos).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let (_, gets) = references(window, &numbers)?;
    if memos.iter().any(|number| gets.contains_key(number)) {
        return Ok(Place::Lent { end });
    }
    Ok(Place::Here { end, elements, gets })
}

/// Where the pickle ends, and where it gets `numbers` (sorted) from its memo. Fails for what numbers
/// its memo by counting, or counts its own bytes: protocols above 2.
fn references<R: ReadAt + ?Sized>(
    window: &mut Window<'_, R>,
    numbers: &[u64],
) -> Result<(u64, BTreeMap<u64, Vec<u64>>), EditError> {
    let mut gets: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut at = 0;
    loop {
        let op = window.op(at)?;
        match (op.code, op.arg) {
            (opcode::STOP, _) => return Ok((at, gets)),
            (opcode::FRAME | opcode::MEMOIZE, _) => return Err(EditError::Protocol),
            (opcode::PROTO, Arg::Number(3..)) => return Err(EditError::Protocol),
            (code, _) if opcode::effect(code) == Effect::Get => {
                if let Some(number) = memo_number(&op).filter(|n| numbers.binary_search(n).is_ok())
                {
                    gets.entry(number).or_default().push(at);
                }
            }
            _ => {}
        }
        at = op.end;
    }
}

/// Takes an element out of its list; `gone` are all that go.
fn cut_or_pop(element: &Element, gone: &[&Element], gets: &BTreeMap<u64, Vec<u64>>) -> Splice {
    // An element that puts nothing in the memo is always cut, and what it got with it.
    let goes_too =
        |at: u64| gone.iter().any(|e| e.memos.is_empty() && (e.start..e.end).contains(&at));
    let mut referring = element.memos.iter().filter_map(|number| gets.get(number)).flatten();
    let needed = referring.any(|at| !goes_too(*at));
    match (needed, element.single) {
        (false, single) => {
            let end = element.end + u64::from(single);
            Splice { at: element.start, cut: end - element.start, put: Vec::new() }
        }
        (true, single) => {
            Splice { at: element.end, cut: u64::from(single), put: vec![opcode::POP] }
        }
    }
}

/// Applies splices in the order of their places, which do not overlap.
fn splice(bytes: &[u8], splices: Vec<Splice>) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(bytes.len() + 64);
    let mut from = 0;
    for Splice { at, cut, put } in splices {
        let at = usize::try_from(at).ok()?;
        new.extend_from_slice(bytes.get(from..at)?);
        new.extend_from_slice(&put);
        from = at.checked_add(usize::try_from(cut).ok()?)?;
    }
    new.extend_from_slice(bytes.get(from..)?);
    Some(new)
}

/// Pushes a string as protocol 1 does.
fn push_string(out: &mut Vec<u8>, string: &PyStr, python: Python) -> Result<(), EditError> {
    let bytes = string.as_bytes();
    let len = i32::try_from(bytes.len()).map_err(|_| EditError::NotAString)?;
    match (string, u8::try_from(len)) {
        (PyStr::Bytes(_), _) if python == Python::Three => return Err(EditError::NotAString),
        (PyStr::Bytes(_), Ok(short)) => out.extend([opcode::SHORT_BINSTRING, short]),
        (PyStr::Bytes(_), Err(_)) => {
            out.push(opcode::BINSTRING);
            out.extend(len.to_le_bytes());
        }
        (PyStr::Text(_), _) => {
            out.push(opcode::BINUNICODE);
            out.extend(len.to_le_bytes());
        }
    }
    out.extend_from_slice(bytes);
    Ok(())
}
