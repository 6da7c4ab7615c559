//! The classes that every Mailman can import.

use crate::python::Python;

/// Longest class name that is reported.
const SHOWN: usize = 120;

/// The class as text for people, if a stock Mailman may be unable to import it.
///
/// Known are the one class of Mailman's own in `config.pck` (RULES 1.6), what pickles write for
/// instances, sets and bytes, and the built-in types.
pub(crate) fn foreign(module: &[u8], name: &[u8], python: Python) -> Option<String> {
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
