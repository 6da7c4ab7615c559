//! The part of the walk that looks at classes: can every Mailman import them?

use super::error::ErrorKind;
use super::memo::{Finder, memo_number};
use super::opcode::{self, Effect};
use super::source::{Arg, Op, ReadAt, Window};
use super::walk::{RESCAN_WINDOW, Stopped, Walk};
use crate::limits;
use crate::python::Python;

/// Longest class name that is reported.
const SHOWN: usize = 120;

impl<R: ReadAt + ?Sized> Walk<'_, '_, R> {
    /// Notes the class that GLOBAL or INST names.
    pub(super) fn class(&mut self, op: &Op<'_>) {
        if let Arg::Lines(module, name) = op.arg {
            self.note_class(module, name);
        }
    }

    fn note_class(&mut self, module: &[u8], name: &[u8]) {
        if self.foreign_class.is_none() {
            let python = self.python.unwrap_or(Python::Two);
            self.foreign_class = foreign(module, name, python);
        }
    }

    /// Notes the class that the two strings on top of the stack name.
    pub(super) fn stack_global(&mut self, at: u64) -> Result<(), Stopped> {
        if self.foreign_class.is_some() {
            return Ok(());
        }
        self.classes += 1;
        if self.classes > limits::PICKLE_CLASSES {
            return Err(ErrorKind::Limit("classes").into());
        }
        let mut window = Window::new(self.source, RESCAN_WINDOW);
        let mut finder = Finder::new(&self.memo, &mut self.rescan);
        let pushes = finder.pushes_before(&mut window, at)?;
        let mut names = Vec::new();
        for push in pushes.into_iter().flatten() {
            let op = window.op(push)?;
            let string = match (opcode::effect(op.code), memo_number(&op)) {
                (Effect::Get, Some(number)) => self.string_at(number, push)?,
                _ => self.read_string(&mut window, push)?,
            };
            names.extend(string.map(|(_, name)| name));
        }
        match names.as_slice() {
            [module, name] => self.note_class(module, name),
            _ => self.foreign_class = Some("?".to_owned()),
        }
        Ok(())
    }
}

/// The class as text for people, if a stock Mailman may be unable to import it.
///
/// Known are the one class of Mailman's own in `config.pck` (RULES 1.6), what pickles write for
/// instances, sets and bytes, and the built-in types.
fn foreign(module: &[u8], name: &[u8], python: Python) -> Option<String> {
    if is_stock(module, name, python) {
        return None;
    }
    let mut shown = String::new();
    for byte in module.iter().chain(b".").chain(name).take(SHOWN) {
        shown.extend(std::ascii::escape_default(*byte).map(char::from));
    }
    Some(shown)
}

fn is_stock(module: &[u8], name: &[u8], python: Python) -> bool {
    match module {
        b"Mailman.Bouncer" => name == b"_BounceInfo",
        b"__builtin__" => is_builtin(name),
        // These names are Python 3's; Python 3 maps the older ones to them.
        b"builtins" => python == Python::Three && is_builtin(name),
        b"copyreg" => python == Python::Three && is_reconstructor(name),
        b"copy_reg" => is_reconstructor(name),
        b"_codecs" => name == b"encode",
        b"collections" => name == b"OrderedDict",
        _ => false,
    }
}

fn is_reconstructor(name: &[u8]) -> bool {
    matches!(name, b"_reconstructor" | b"__newobj__")
}

fn is_builtin(name: &[u8]) -> bool {
    matches!(
        name,
        b"object"
            | b"set"
            | b"frozenset"
            | b"bytearray"
            | b"bytes"
            | b"dict"
            | b"list"
            | b"tuple"
            | b"str"
            | b"unicode"
            | b"int"
            | b"long"
            | b"float"
            | b"complex"
            | b"bool"
            | b"True"
            | b"False"
            | b"None"
    )
}
