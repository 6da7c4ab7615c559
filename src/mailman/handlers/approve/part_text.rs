//! Text parts as the handler reads them and writes them back.

use crate::mailman::post::{Edit, Post};
use crate::mailman::verdict::Stop;
use crate::python::message::{Unwritable, decode, rewrite};
use std::borrow::Cow;

/// `get_payload(decode=True)` of a part, as it stands.
///
/// # Errors
/// [`Stop::Shunt`] where Python raises an exception.
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
    decode(encoding.unwrap_or_default(), payload).map_err(|error| Stop::Shunt(error.to_string()))
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
    let rewritten = rewrite(text, part.content_type(), header).map_err(|error| match error {
        Unwritable::Raises => Stop::Shunt("a part with an Approved: line cannot be recoded".into()),
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
