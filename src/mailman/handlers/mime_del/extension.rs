//! The extension of a part's file name (`MimeDel.get_file_ext`, `Utils.oneline`).

use crate::mailman::post::Post;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::message::{Parameter, parameter, unquote};
use crate::python::text::PyStr;
use crate::python::words::charset::{DecodeError, decode};
use crate::python::words::{Fragment, decode_header};

/// What stands behind the last dot of a file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Extension {
    /// No file name, or one without an extension.
    None,
    /// Lowered, without the dot; not empty.
    Is(PyStr),
}

/// The extension of the part with this index.
///
/// # Errors
/// [`Stop::Shunt`] where Mailman raises an exception; [`Stop::Unknowable`] where the name is in a
/// charset that is not followed.
pub(super) fn extension(post: &Post<'_>, index: usize) -> Result<Extension, Stop> {
    let Some(part) = post.message.parts().get(index) else { return Ok(Extension::None) };
    // Of the headers that say a name, Approve writes Content-Type anew, without one.
    let content_type = || match post.edits.get(&index) {
        Some(edit) => parameter(&edit.content_type, "name"),
        None => part.parameter("name", "content-type"),
    };
    let name = part.parameter("filename", "content-disposition").or_else(content_type);
    let name = name.map(|name| collapsed(&name)).transpose()?;
    if let Some(name) = name.map(|name| name.strip(post.python)).filter(|name| !name.is_empty()) {
        return Ok(behind_dot(&one_line(&name, post.python)?, post.python));
    }
    match content_type() {
        Some(Parameter::Plain(name)) if !name.is_empty() => {
            let name = native(&name, post.python)?;
            Ok(behind_dot(&one_line(&name, post.python)?, post.python))
        }
        // Python prints the three of RFC 2231 then: `('us-ascii', '', '')`.
        Some(Parameter::Extended { charset, language, .. })
            if charset.iter().chain(&language).flatten().any(|byte| *byte == b'.') =>
        {
            Err(Stop::Unknowable("an empty file name in a charset with a dot".into()))
        }
        _ => Ok(Extension::None),
    }
}

fn native(bytes: &[u8], python: Python) -> Result<PyStr, Stop> {
    let unknown = || Stop::Unknowable("a file name that is not in UTF-8".into());
    PyStr::native(bytes, python).ok_or_else(unknown)
}

/// `email.utils.collapse_rfc2231_value`
fn collapsed(name: &Parameter) -> Result<PyStr, Stop> {
    match name {
        Parameter::Plain(value) => Ok(PyStr::Bytes(unquote(value))),
        Parameter::Extended { charset, value, .. } => {
            let charset = charset.as_deref().filter(|c| !c.is_empty()).unwrap_or(b"us-ascii");
            let mut text = String::new();
            match decode(&unquote(value), charset, &mut text) {
                Ok(()) => Ok(PyStr::Text(text)),
                Err(DecodeError::Unknown) => {
                    let mut text = String::new();
                    // The codec of last resort is always there.
                    let _ = decode(&unquote(value), b"us-ascii", &mut text);
                    Ok(PyStr::Text(text))
                }
                Err(DecodeError::Raises) => {
                    Err(Stop::Shunt("a file name in a charset that Python fails on".into()))
                }
                Err(DecodeError::Untold) => {
                    Err(Stop::Unknowable("a file name in a charset that is not followed".into()))
                }
            }
        }
    }
}

/// `Utils.oneline(name, 'utf-8')`: encoded words decoded where all of them can be, line ends taken
/// out.
fn one_line(name: &PyStr, python: Python) -> Result<PyStr, Stop> {
    if let (PyStr::Text(text), Python::Two) = (name, python)
        && !text.is_ascii()
    {
        // `str(name)` fails, and the name stays as it is.
        return Ok(name.join_lines());
    }
    let as_it_is = || match (name, python) {
        (PyStr::Text(text), _) => PyStr::Text(text.clone()).join_lines(),
        (bytes, _) => bytes.join_lines(),
    };
    let Ok(fragments) = decode_header(name.as_bytes()) else { return Ok(as_it_is()) };
    match joined(&fragments)? {
        Some(text) => {
            let line = PyStr::Text(text).join_lines();
            Ok(PyStr::Bytes(line.as_bytes().to_vec()))
        }
        None => Ok(as_it_is()),
    }
}

/// `unicode(make_header(fragments))`; nothing where Mailman catches the exception.
fn joined(fragments: &[Fragment]) -> Result<Option<String>, Stop> {
    let mut text = String::new();
    let mut last_is_plain: Option<bool> = None;
    for fragment in fragments {
        let charset = fragment.charset.as_deref().filter(|c| !c.is_empty()).unwrap_or(b"us-ascii");
        let is_plain = charset == b"us-ascii";
        if last_is_plain.is_some_and(|last| last != is_plain) {
            text.push(' ');
        }
        last_is_plain = Some(is_plain);
        if !charset.is_ascii() {
            return Err(Stop::Shunt("a charset of a file name is not ASCII".into()));
        }
        let before = text.len();
        match decode(&fragment.bytes, charset, &mut text) {
            Ok(()) => {}
            Err(DecodeError::Unknown) => return Ok(None),
            Err(DecodeError::Raises | DecodeError::Untold) => {
                return Err(Stop::Unknowable(
                    "a file name in a charset that is not followed".into(),
                ));
            }
        }
        let added = text.get(before..).unwrap_or_default();
        // What cannot be decoded would be replaced here, and fails in Python.
        if added.contains(char::REPLACEMENT_CHARACTER) {
            return Ok(None);
        }
    }
    Ok(Some(text))
}

/// `os.path.splitext(name)[1]` without its dot, lowered.
fn behind_dot(name: &PyStr, python: Python) -> Extension {
    let bytes = name.as_bytes();
    let base_at = bytes.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let base = bytes.get(base_at..).unwrap_or_default();
    let dots = base.iter().take_while(|byte| **byte == b'.').count();
    let behind = base.get(dots..).unwrap_or_default();
    let Some(dot) = behind.iter().rposition(|byte| *byte == b'.') else { return Extension::None };
    let extension = behind.get(dot + 1..).unwrap_or_default();
    if extension.is_empty() {
        return Extension::None;
    }
    let extension = match name {
        PyStr::Bytes(_) => PyStr::Bytes(extension.to_vec()),
        PyStr::Text(_) => PyStr::Text(String::from_utf8_lossy(extension).into_owned()),
    };
    Extension::Is(extension.lower(python))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::text::strip_bytes;

    fn of(name: &[u8]) -> Option<Vec<u8>> {
        let name = one_line(&PyStr::Bytes(strip_bytes(name).to_vec()), Python::Two).unwrap();
        match behind_dot(&name, Python::Two) {
            Extension::None => None,
            Extension::Is(extension) => Some(extension.as_bytes().to_vec()),
        }
    }

    /// What `get_file_ext` of Mailman 2.1.39 gives for these file names.
    #[test]
    fn extensions_are_mailmans() {
        let exe = Some(b"exe".to_vec());
        assert_eq!(of(b"a.EXE"), exe);
        assert_eq!(of(b"a.b.exe"), exe);
        assert_eq!(of(b".exe"), None);
        assert_eq!(of(b"..exe"), None);
        assert_eq!(of(b"x/.exe"), None);
        assert_eq!(of(b"x.y/a"), None);
        assert_eq!(of(b"a."), None);
        assert_eq!(of(b"a.exe "), exe);
        assert_eq!(of(b"=?utf-8?q?a=2Eexe?="), exe);
        assert_eq!(of(b"=?utf-8?q?a=2Eexe?= x"), Some(b"exe x".to_vec()));
        assert_eq!(of(b"=?nosuch?q?a=2Eexe?=.scr"), Some(b"scr".to_vec()));
        assert_eq!(of(b"\xff.exe"), exe);
    }
}
