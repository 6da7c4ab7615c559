//! How large is it, as Mailman counts? (`Hold.process`; RULES 6.21.)

use crate::mailman::post::Post;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::message::Text;

/// Bytes of all payloads in their transfer encodings, preambles and epilogues; characters in the
/// port. Headers and boundaries do not count.
///
/// # Errors
/// [`Stop::Unknowable`] where the port recodes a body first.
pub(super) fn of_bodies(post: &Post<'_>) -> Result<f64, Stop> {
    let mut size = 0usize;
    for (index, part) in post.message.parts().iter().enumerate() {
        if let Some(payload) = post.payload(index) {
            size = size.saturating_add(length(&payload, post.python)?);
        }
        let preamble = part.preamble.map(Text::bytes).unwrap_or_default();
        size = size.saturating_add(length(&preamble, post.python)?);
        size = size.saturating_add(length(part.epilogue.unwrap_or_default(), post.python)?);
    }
    // Messages are far below 4 GiB.
    Ok(u32::try_from(size).map_or(f64::MAX, f64::from))
}

fn length(text: &[u8], python: Python) -> Result<usize, Stop> {
    match python {
        Python::Two => Ok(text.len()),
        Python::Three => match std::str::from_utf8(text) {
            Ok(text) => Ok(text.chars().count()),
            Err(_) => {
                let why = "a body that is not in UTF-8, which the port recodes";
                Err(Stop::Unknowable(why.into()))
            }
        },
    }
}
