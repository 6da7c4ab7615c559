//! The opcodes of one list of strings, element by element.

use super::error::Error;
use super::memo::memo_number;
use super::opcode::{self, Effect};
use super::source::{ReadAt, Window};
use super::track::Span;

/// How a value of the top-level dict is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A list made right here.
    Own(Elements),
    /// A reference to a value made elsewhere.
    Borrowed,
}

/// A list made where its value stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Elements {
    /// Memo numbers of the list itself.
    pub(super) memos: Vec<u64>,
    pub(super) elements: Vec<Element>,
}

/// An element: a string, or a reference to one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Its first byte.
    pub(super) start: u64,
    /// The byte after it and its PUTs.
    pub(super) end: u64,
    /// The numbers under which it was put in the memo.
    pub(super) memos: Vec<u64>,
    /// Whether an APPEND of its own follows; other elements are taken by one APPENDS together.
    pub(super) single: bool,
}

/// Where the reader is.
#[derive(Debug, Default)]
struct State {
    /// The list, once there is one.
    list: Option<Elements>,
    /// Whether a mark is open.
    marked: bool,
    /// Elements pushed and not yet taken by APPEND or APPENDS.
    pending: Vec<Element>,
}

/// Reads the opcodes of `span`. Nothing if they are not as Python's picklers write a list of
/// strings, or as [`super::edit`] leaves one.
pub(super) fn read<R: ReadAt + ?Sized>(
    window: &mut Window<'_, R>,
    span: Span,
) -> Result<Option<Form>, Error> {
    let mut state = State::default();
    let mut at = span.start;
    while at < span.end {
        let op = window.op(at)?;
        let end = op.end;
        let whole = at == span.start && end == span.end;
        if whole && opcode::effect(op.code) == Effect::Get {
            return Ok(Some(Form::Borrowed));
        }
        let number = memo_number(&op);
        if state.step(op.code, at, end, number).is_none() {
            return Ok(None);
        }
        at = end;
    }
    let State { list, marked, pending } = state;
    Ok(list.filter(|_| !marked && pending.is_empty()).map(Form::Own))
}

impl State {
    /// Takes one opcode; `None` if it does not belong here.
    fn step(&mut self, code: u8, at: u64, end: u64, number: Option<u64>) -> Option<()> {
        match code {
            opcode::EMPTY_LIST if self.list.is_none() && !self.marked => {
                self.list = Some(Elements::default());
            }
            // Protocol 0 has no EMPTY_LIST.
            opcode::LIST if self.list.is_none() && self.marked && self.pending.is_empty() => {
                self.marked = false;
                self.list = Some(Elements::default());
            }
            opcode::MARK if !self.marked && self.pending.is_empty() => self.marked = true,
            opcode::APPEND if !self.marked && self.pending.len() == 1 => {
                self.take(true)?;
            }
            opcode::APPENDS if self.marked => {
                self.take(false)?;
                self.marked = false;
            }
            opcode::POP => self.pop()?,
            _ if opcode::effect(code) == Effect::Put => self.put(end, number?)?,
            _ if opcode::effect(code) == Effect::Get || opcode::string_kind(code).is_some() => {
                // Without a mark, the element before this one has to be taken first.
                if self.list.is_none() || (!self.marked && !self.pending.is_empty()) {
                    return None;
                }
                self.pending.push(Element { start: at, end, memos: Vec::new(), single: false });
            }
            _ => return None,
        }
        Some(())
    }

    fn take(&mut self, single: bool) -> Option<()> {
        let list = self.list.as_mut()?;
        list.elements.extend(self.pending.drain(..).map(|e| Element { single, ..e }));
        Some(())
    }

    /// Drops the last element, or the list itself: what is in the memo may still be got from it.
    fn pop(&mut self) -> Option<()> {
        if self.pending.pop().is_none() {
            self.list.take().filter(|_| !self.marked)?;
        }
        Some(())
    }

    fn put(&mut self, end: u64, number: u64) -> Option<()> {
        if let Some(element) = self.pending.last_mut() {
            element.end = end;
            element.memos.push(number);
        } else {
            self.list
                .as_mut()
                .filter(|list| !self.marked && list.elements.is_empty())?
                .memos
                .push(number);
        }
        Some(())
    }
}
