//! All keys of a dict in a pickle, for instance a list's members, one after the other.

use super::build::{self, Node};
use super::error::{Error, ErrorKind};
use super::memo::memo_number;
use super::opcode::{self, Effect};
use super::source::Window;
use super::track::{Shape, Span};
use super::walk::Walk;
use super::{Request, WINDOW};
use crate::limits;
use crate::python::Python;
use crate::python::text::PyStr;

/// Bytes read at once to look at one string: its opcode and length, and most addresses.
const STRING_WINDOW: usize = 64;

/// An item on the stack: where its string is, or nothing for any other value.
type Item = Option<u64>;

/// Calls `each` with every string among the keys of the dict that the top-level dict has under
/// `key`, in the order of the pickle; a key that is set twice comes twice. An absent dict has none.
///
/// # Errors
/// [`Error`], also where the value is no dict made in its place ([`ErrorKind::Unsupported`]).
pub fn dict_keys(bytes: &[u8], key: &str, each: &mut dyn FnMut(PyStr)) -> Result<(), Error> {
    let request = Request { keys: &[key], dicts: &[], addresses: &[] };
    let survey = Walk::new(bytes, &request, &[key]).run(&mut Window::new(bytes, WINDOW))?;
    let Some(item) = survey.items.iter().rfind(|item| item.name.is_some()) else { return Ok(()) };
    if item.shape != Shape::Dict {
        return Err(Error::new(item.value.start, ErrorKind::Unsupported("a dict made elsewhere")));
    }
    let memo = strings_in_memo(bytes, item.value.end)?;
    let strings = Window::new(bytes, STRING_WINDOW);
    let (stack, marks) = (Vec::new(), Vec::new());
    Keys { bytes, strings, python: survey.python, memo, stack, marks }.walk(item.value, each)
}

/// For every memo number the string that was put under it, if it is one, before `until`.
fn strings_in_memo(bytes: &[u8], until: u64) -> Result<Vec<Item>, Error> {
    let mut window = Window::new(bytes, WINDOW);
    let mut memo: Vec<Item> = Vec::new();
    let (mut at, mut made) = (0, None);
    while at < until {
        let op = window.op(at)?;
        match opcode::effect(op.code) {
            Effect::Put => {
                let number = memo_number(&op).filter(|_| op.code != opcode::MEMOIZE);
                let index = number.map_or(memo.len(), |n| usize::try_from(n).unwrap_or(usize::MAX));
                // Every number put takes bytes, so rising numbers stay below their count.
                if index > bytes.len() {
                    return Err(Error::new(at, ErrorKind::Limit("memo numbers")));
                }
                if index >= memo.len() {
                    memo.resize(index + 1, None);
                }
                if let Some(slot) = memo.get_mut(index) {
                    *slot = made;
                }
            }
            Effect::Nothing => {}
            _ => made = opcode::string_kind(op.code).map(|_| at),
        }
        at = op.end;
    }
    Ok(memo)
}

/// A machine that knows no values but strings.
struct Keys<'a> {
    bytes: &'a [u8],
    /// For single strings, wherever they are.
    strings: Window<'a, [u8]>,
    python: Python,
    memo: Vec<Item>,
    stack: Vec<Item>,
    marks: Vec<usize>,
}

impl Keys<'_> {
    /// Executes the opcodes of the dict in `span`.
    fn walk(&mut self, span: Span, each: &mut dyn FnMut(PyStr)) -> Result<(), Error> {
        let mut window = Window::new(self.bytes, WINDOW);
        let mut at = span.start;
        while at < span.end {
            let op = window.op(at)?;
            let (code, end) = (op.code, op.end);
            let failed = |kind| Error::new(at, kind);
            let effect = opcode::effect(code);
            let below = match effect {
                Effect::Push | Effect::Dup => {
                    self.push(opcode::string_kind(code).map(|_| at)).map_err(failed)?;
                    None
                }
                Effect::Get => {
                    let number = memo_number(&op).and_then(|n| usize::try_from(n).ok());
                    let found = number.and_then(|n| self.memo.get(n).copied().flatten());
                    self.push(found).map_err(failed)?;
                    None
                }
                Effect::Mark => {
                    self.marks.push(self.stack.len());
                    None
                }
                Effect::Replace(n) | Effect::Mutate(n) => {
                    Some(self.stack.len().saturating_sub(usize::from(n)))
                }
                Effect::Gather | Effect::Extend | Effect::PopMark => self.marks.pop(),
                Effect::Pop if self.marks.last() == Some(&self.stack.len()) => {
                    self.marks.pop();
                    None
                }
                Effect::Pop => Some(self.stack.len().saturating_sub(1)),
                _ => None,
            };
            if let Some(below) = below {
                self.take(code, below, each)?;
                if matches!(effect, Effect::Replace(_) | Effect::Gather) {
                    self.push(None).map_err(failed)?;
                }
            }
            at = end;
        }
        Ok(())
    }

    fn push(&mut self, item: Item) -> Result<(), ErrorKind> {
        if self.stack.len() as u64 > limits::PICKLE_STACK {
            return Err(ErrorKind::Limit("the stack"));
        }
        self.stack.push(item);
        Ok(())
    }

    /// Takes the items above the first `below`, and reports those that are keys of the dict itself.
    fn take(&mut self, code: u8, below: usize, each: &mut dyn FnMut(PyStr)) -> Result<(), Error> {
        let of_the_dict = match code {
            opcode::SETITEM | opcode::SETITEMS => below == 1,
            opcode::DICT => below == 0,
            _ => false,
        };
        let taken = self.stack.split_off(below.min(self.stack.len()));
        if of_the_dict {
            for at in taken.into_iter().step_by(2).flatten() {
                each(self.string_at(at)?);
            }
        }
        Ok(())
    }

    /// The string that the opcode at this place pushes.
    fn string_at(&mut self, at: u64) -> Result<PyStr, Error> {
        let op = self.strings.op(at)?;
        let code = op.code;
        let failed = |kind| Error::new(at, kind);
        let node = match build::body_span(&op) {
            None => build::simple(&op, self.python),
            Some((start, len)) => {
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                build::counted(code, self.strings.copy(start, len)?, self.python)
            }
        };
        match node.map_err(failed)? {
            Node::Bytes(bytes) => Ok(PyStr::Bytes(bytes)),
            Node::Text(text) => Ok(PyStr::Text(text)),
            _ => Err(failed(ErrorKind::Text)),
        }
    }
}
