//! Text parts as the handler reads them and writes them back.

use crate::mailman::post::{Edit, Post};
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::message::{Parameter, Undecodable, Unwritable, decode, rewrite};
use crate::python::words::charset::{self, DecodeError};
use std::borrow::Cow;

/// `get_payload(decode=True)` of a part, as it stands. The port makes text of it, here in UTF-8.
///
/// # Errors
/// [`Stop`] where Python raises an exception, or where that cannot be told.
pub(super) fn decoded<'p>(post: &'p Post<'_>, index: usize) -> Result<Cow<'p, [u8]>, Stop> {
    let encoding = match post.edits.get(&index) {
        Some(edit) => edit.transfer_encoding.as_deref(),
        None => post
            .message
            .parts()
            .get(index)
            .and_then(|part| part.headers.get("content-transfer-encoding")),
    };
    let payload = post.payload(index).unwrap_or_default();
    if post.python == Python::Three && std::str::from_utf8(&payload).is_err() {
        can_be_recoded(post, index)?;
    }
    let bytes = decode(encoding.unwrap_or_default(), payload, post.python);
    let bytes = bytes.map_err(|error| match error {
        Undecodable::Raises => Stop::Shunt("a text part that Python fails to decode".into()),
        Undecodable::Untold => Stop::Unknowable("a text part in uuencode".into()),
    })?;
    match (post.python, std::str::from_utf8(&bytes)) {
        (Python::Three, Err(_)) => {
            Ok(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned().into_bytes()))
        }
        _ => Ok(bytes),
    }
}

/// The port looks first whether there is a payload, for which Python decodes one that is not in UTF-8
/// by the charset that it names.
fn can_be_recoded(post: &Post<'_>, index: usize) -> Result<(), Stop> {
    let part = post.message.parts().get(index);
    let charset = part.and_then(|part| part.parameter("charset", "content-type"));
    match charset {
        Some(Parameter::Extended { .. }) => {
            Err(Stop::Shunt("a charset given by RFC 2231, and text not in UTF-8".into()))
        }
        Some(Parameter::Plain(name)) if name.contains(&0) => {
            Err(Stop::Shunt("a charset's name with NUL".into()))
        }
        Some(Parameter::Plain(name)) if !name.is_ascii() || cannot_replace(&name) => {
            Err(Stop::Unknowable("text not in UTF-8 in an odd charset".into()))
        }
        _ => Ok(()),
    }
}

/// Whether the charset's codec is none for text, or fails on some.
fn cannot_replace(charset: &[u8]) -> bool {
    matches!(charset::decode(b"x", charset, &mut String::new()), Err(DecodeError::Raises))
}

/// `reset_payload`: writes the part anew, in the charset that it names.
///
/// # Errors
/// [`Stop`] where Python cannot convert it, or where that cannot be told.
pub(super) fn write(post: &mut Post<'_>, index: usize, text: Vec<u8>) -> Result<(), Stop> {
    let Some(part) = post.message.parts().get(index) else { return Ok(()) };
    let header = match post.edits.get(&index) {
        Some(edit) => Some(edit.content_type.as_slice()),
        None => part.headers.get("content-type"),
    };
    let rewritten =
        rewrite(text, part.content_type(), header, post.python).map_err(|error| match error {
            Unwritable::Raises => {
                Stop::Shunt("a part with an Approved: line cannot be recoded".into())
            }
            Unwritable::Untold => {
                Stop::Unknowable("a part with an Approved: line is in an odd charset".into())
            }
        })?;
    let edit = Edit {
        payload: rewritten.payload,
        content_type: rewritten.content_type,
        transfer_encoding: Some(rewritten.transfer_encoding.as_bytes().to_vec()),
    };
    post.edits.insert(index, edit);
    Ok(())
}
