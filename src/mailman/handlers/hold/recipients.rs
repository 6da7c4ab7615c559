//! Is it to too many addresses? (`Hold.process`; RULES 6.18.)

use crate::mailman::post::Post;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::addresses::{Mailbox, getaddresses};
use std::borrow::Cow;

/// How many addresses `To:` and `Cc:` have, repeated and empty ones included.
///
/// # Errors
/// [`Stop::Shunt`] where a header is nested too deeply.
pub(super) fn count(post: &Post<'_>) -> Result<f64, Stop> {
    let values: Vec<_> = ["to", "cc"].iter().flat_map(|name| post.headers(name)).collect();
    let recipients = addresses(&values, post.python)?.len();
    Ok(u32::try_from(recipients).map_or(f64::MAX, f64::from))
}

/// `getaddresses` of the values as they are, folds included.
pub(super) fn addresses(values: &[&[u8]], python: Python) -> Result<Vec<Mailbox>, Stop> {
    let texts = values.iter().map(|value| printed(value, python)).collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<&[u8]> = texts.iter().map(|text| &**text).collect();
    getaddresses(&texts, python)
        .map_err(|_| Stop::Shunt("an address header is nested too deeply".into()))
}

/// Python 3 makes a header of bytes that are not UTF-8 a `Header`, whose text has U+FFFD for each of
/// them, unless other letters than ASCII are in it, too.
fn printed(value: &[u8], python: Python) -> Result<Cow<'_, [u8]>, Stop> {
    if python == Python::Two || std::str::from_utf8(value).is_ok() {
        return Ok(Cow::Borrowed(value));
    }
    if value.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) {
        return Err(Stop::Shunt("an address header mixes UTF-8 with other bytes".into()));
    }
    let shown = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' };
    Ok(Cow::Owned(value.iter().map(shown).collect::<String>().into_bytes()))
}
