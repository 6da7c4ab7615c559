//! From what a walk found to what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_pickle::{HashableValue, Value};

use super::build::{self, Builder, Id, Node};
use super::convert::Converter;
use super::error::{Error, ErrorKind};
use super::memo::{Finder, memo_number};
use super::opcode::{self, Effect};
use super::source::{ReadAt, Window};
use super::strings::Strings;
use super::track::{Shape, Span};
use super::walk::{Item, RESCAN_WINDOW, Survey, Walk};
use super::{Dict, Picked, Request, same_string};
use crate::limits;
use crate::python::Python;
use crate::python::text::PyStr;

/// What a value is built for.
#[derive(Debug, Clone, Copy)]
enum Purpose<'r> {
    /// It was asked for.
    Value(&'r str),
    /// It is the value of an address in a dict.
    Entry(&'r str, usize),
    /// Addresses are to be looked up in it, and the walk could not do it.
    Whole(&'r str),
    /// Another value refers to something in it.
    Shared,
}

/// A value to build.
#[derive(Debug, Clone, Copy)]
struct Job<'r> {
    span: Span,
    purpose: Purpose<'r>,
}

pub(super) fn pick<R: ReadAt + ?Sized>(
    source: &R,
    request: &Request<'_>,
    capacity: usize,
) -> Result<Picked, Error> {
    Surveyed::new(source, request, capacity, false)?.pick(request)
}

/// A pickle that was walked over.
pub(super) struct Surveyed<'r, 's, R: ?Sized> {
    window: Window<'s, R>,
    survey: Survey,
    names: Vec<&'r str>,
}

/// What the top-level dict has under a key.
pub(super) enum Entry {
    Nothing,
    Value(Span, Shape),
}

impl<'r, 's, R: ReadAt + ?Sized> Surveyed<'r, 's, R> {
    /// Walks, looking for what `request` asks for; `record`: notes where strings were put in the
    /// memo, too.
    pub(super) fn new(
        source: &'s R,
        request: &Request<'r>,
        capacity: usize,
        record: bool,
    ) -> Result<Self, Error> {
        let mut names: Vec<&str> = request.keys.iter().chain(request.dicts).copied().collect();
        names.sort_unstable_by_key(|name| (name.len(), *name));
        names.dedup();
        let mut window = Window::new(source, capacity);
        let mut walk = Walk::new(source, request, &names);
        walk.strings = record.then(Strings::default);
        let survey = walk.run(&mut window)?;
        if window.base() != 0 {
            // The values lie here and there in a long file: small reads do.
            window = Window::new(source, RESCAN_WINDOW);
        }
        Ok(Surveyed { window, survey, names })
    }

    /// Picks what was asked for, or a part of it.
    pub(super) fn pick(&mut self, request: &Request<'_>) -> Result<Picked, Error> {
        let mut picked = Picked {
            values: BTreeMap::new(),
            dicts: BTreeMap::new(),
            python: self.survey.python,
            foreign_class: self.survey.foreign_class.clone(),
        };
        let latest = latest(&self.survey.items, &self.names);
        let jobs = plan(request, &latest, &mut picked);
        build(&mut self.window, &self.survey, jobs, request, &mut picked)?;
        repeat_twins(request, &mut picked);
        Ok(picked)
    }

    /// The Python that wrote it.
    pub(super) fn python(&self) -> Python {
        self.survey.python
    }

    /// What the top-level dict has under a key in the end.
    pub(super) fn found(&self, key: &str) -> Entry {
        let latest = latest(&self.survey.items, &self.names);
        latest.get(key).map_or(Entry::Nothing, |item| Entry::Value(item.value, item.shape))
    }

    /// For each memo number 0, or one more than the place of the string under it; nothing where
    /// that was not noted, or where a number was put twice.
    pub(super) fn strings(&mut self) -> Option<Vec<u32>> {
        self.survey.strings.take().and_then(Strings::places)
    }
}

/// The item that each name has in the end.
fn latest<'n, 's>(items: &'s [Item], names: &[&'n str]) -> BTreeMap<&'n str, &'s Item> {
    let named = items.iter().filter_map(|item| Some((*names.get(item.name?)?, item)));
    named.collect()
}

/// The values to build. Dicts whose answer is known already are entered.
fn plan<'r>(
    request: &Request<'r>,
    latest: &BTreeMap<&str, &Item>,
    picked: &mut Picked,
) -> Vec<Job<'r>> {
    let mut jobs = Vec::new();
    for key in request.keys {
        if let Some(item) = latest.get(key) {
            jobs.push(Job { span: item.value, purpose: Purpose::Value(key) });
        }
    }
    for key in request.dicts {
        let Some(item) = latest.get(key) else { continue };
        let dict = match item.shape {
            Shape::Unknown => {
                jobs.push(Job { span: item.value, purpose: Purpose::Whole(key) });
                continue;
            }
            Shape::Plain => Dict::NotADict,
            Shape::Dict => Dict::Entries(vec![None; request.addresses.len()]),
        };
        picked.dicts.insert((*key).to_owned(), dict);
        jobs.extend(
            item.found
                .iter()
                .map(|(address, span)| Job { span: *span, purpose: Purpose::Entry(key, *address) }),
        );
    }
    jobs
}

/// Builds the values and enters them.
fn build<R: ReadAt + ?Sized>(
    window: &mut Window<'_, R>,
    survey: &Survey,
    mut jobs: Vec<Job<'_>>,
    request: &Request<'_>,
    picked: &mut Picked,
) -> Result<(), Error> {
    let mut shared = BTreeSet::new();
    let mut budget = limits::PICKLE_RESCAN;
    for _ in 0..limits::PICKLE_ROUNDS {
        jobs.sort_by_key(|job| job.span.start);
        let mut builder = Builder::new(&survey.memo, survey.python);
        let mut built = Vec::with_capacity(jobs.len());
        for job in &jobs {
            built.push(builder.build(window, job.span)?);
        }
        let more = resolve(window, survey, &mut builder, &mut budget)?;
        let known = shared.len();
        for index in more {
            if let Some(item) = survey.items.get(index).filter(|_| shared.insert(index)) {
                jobs.push(Job { span: item.value, purpose: Purpose::Shared });
            }
        }
        if shared.len() == known {
            return enter(survey.python, &builder, &jobs, &built, request, picked);
        }
    }
    Err(Error::new(0, ErrorKind::Limit("rounds of following shared values")))
}

/// Finds what references to other parts of the pickle stand for. Strings and numbers are
/// entered; of lists and other containers it names the items that they lie in.
fn resolve<R: ReadAt + ?Sized>(
    window: &mut Window<'_, R>,
    survey: &Survey,
    builder: &mut Builder<'_>,
    budget: &mut u64,
) -> Result<BTreeSet<usize>, Error> {
    let mut references: Vec<(u64, u64, Id)> = Vec::new();
    for (id, node) in builder.nodes().iter().enumerate() {
        if let Node::Elsewhere { number, at } = node {
            references.push((*number, *at, id));
        }
    }
    references.sort_unstable();
    let mut finder = Finder::new(&survey.memo, budget);
    let mut more = BTreeSet::new();
    for (number, at, id) in references {
        match follow(window, survey, &mut finder, number, at)? {
            Found::Node(node) => builder.set(id, node),
            Found::Inside(item) => {
                more.insert(item);
            }
        }
    }
    Ok(more)
}

/// What a memo reference leads to.
enum Found {
    Node(Node),
    /// A container in the value of the item with this number.
    Inside(usize),
}

fn follow<R: ReadAt + ?Sized>(
    window: &mut Window<'_, R>,
    survey: &Survey,
    finder: &mut Finder<'_>,
    mut number: u64,
    mut at: u64,
) -> Result<Found, Error> {
    for _ in 0..limits::PICKLE_DEPTH {
        let place = finder
            .find(window, number, at)?
            .ok_or_else(|| Error::new(at, ErrorKind::Memo(number)))?;
        let op = window.op(place.made)?;
        let failed = |kind| Error::new(place.made, kind);
        if opcode::effect(op.code) == Effect::Get {
            number = memo_number(&op).ok_or_else(|| failed(ErrorKind::Number))?;
            at = place.made;
            continue;
        }
        if !is_atom(op.code) {
            return holder(&survey.items, place.put)
                .map(Found::Inside)
                .ok_or_else(|| Error::new(at, ErrorKind::Recursive));
        }
        let Some((start, len)) = build::body_span(&op) else {
            return build::simple(&op, survey.python).map(Found::Node).map_err(failed);
        };
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > limits::PICKLE_VALUE_BYTES {
            return Err(failed(ErrorKind::Limit("the bytes of values")));
        }
        let code = op.code;
        let bytes = window.copy(start, len)?;
        return build::counted(code, bytes, survey.python).map(Found::Node).map_err(failed);
    }
    Err(Error::new(at, ErrorKind::Recursive))
}

/// Whether the opcode alone makes a value that nothing can change later.
fn is_atom(code: u8) -> bool {
    opcode::effect(code) == Effect::Push
        && !matches!(code, opcode::EMPTY_LIST | opcode::EMPTY_DICT | opcode::EMPTY_SET)
}

/// The item whose value has something at `offset`.
fn holder(items: &[Item], offset: u64) -> Option<usize> {
    items.iter().position(|item| (item.value.start..item.value.end).contains(&offset))
}

/// Converts what was built and enters it in the result.
fn enter(
    python: Python,
    builder: &Builder<'_>,
    jobs: &[Job<'_>],
    built: &[Id],
    request: &Request<'_>,
    picked: &mut Picked,
) -> Result<(), Error> {
    let mut converter = Converter::new(builder.nodes(), python);
    for (job, id) in jobs.iter().zip(built) {
        if matches!(job.purpose, Purpose::Shared) {
            continue;
        }
        let value = converter.value(*id).map_err(|kind| Error::new(job.span.start, kind))?;
        match job.purpose {
            Purpose::Value(key) => {
                picked.values.insert(key.to_owned(), value);
            }
            Purpose::Whole(key) => {
                let dict = match value {
                    Value::Dict(dict) if converter.is_dict(*id) => {
                        look_up(&dict, request.addresses, python)
                    }
                    _ => Dict::NotADict,
                };
                picked.dicts.insert(key.to_owned(), dict);
            }
            Purpose::Entry(key, address) => {
                if let Some(Dict::Entries(entries)) = picked.dicts.get_mut(key)
                    && let Some(entry) = entries.get_mut(address)
                {
                    *entry = Some(value);
                }
            }
            Purpose::Shared => {}
        }
    }
    Ok(())
}

/// Looks the addresses up in a dict that was built as a whole.
fn look_up(dict: &BTreeMap<HashableValue, Value>, addresses: &[PyStr], python: Python) -> Dict {
    let find = |address: &PyStr| {
        let bytes = address.as_bytes().to_vec();
        let text = String::from_utf8(bytes.clone()).ok();
        let ascii = python == Python::Two && bytes.is_ascii();
        let as_bytes = || dict.get(&HashableValue::Bytes(bytes));
        let as_text = || dict.get(&HashableValue::String(text?));
        match address {
            PyStr::Bytes(_) => as_bytes().or_else(|| if ascii { as_text() } else { None }),
            PyStr::Text(_) => as_text().or_else(|| if ascii { as_bytes() } else { None }),
        }
    };
    Dict::Entries(addresses.iter().map(|address| find(address).cloned()).collect())
}

/// Gives addresses that were asked for more than once the same answer everywhere: the walk
/// enters it for the first of them only.
fn repeat_twins(request: &Request<'_>, picked: &mut Picked) {
    let python = picked.python;
    for (index, address) in request.addresses.iter().enumerate() {
        let first = request.addresses.iter().position(|other| twins(other, address, python));
        let Some(first) = first.filter(|first| *first < index) else { continue };
        for dict in picked.dicts.values_mut() {
            if let Dict::Entries(entries) = dict
                && let Some(value) = entries.get(first).cloned()
                && let Some(entry) = entries.get_mut(index)
            {
                *entry = value;
            }
        }
    }
}

/// Whether two addresses are the same key.
fn twins(one: &PyStr, other: &PyStr, python: Python) -> bool {
    let kind = match other {
        PyStr::Bytes(_) => opcode::StringKind::Bytes,
        PyStr::Text(_) => opcode::StringKind::Text,
    };
    same_string(one, kind, other.as_bytes(), python)
}
