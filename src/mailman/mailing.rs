//! Whether Mailman can write to the sender of a message at all (`Bouncer.BounceMessage`).

use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::language::python_charset;
use crate::mailman::post::Post;
use crate::mailman::verdict::{Notice, Stop};
use crate::python::Python;
use crate::python::text::PyStr;
use crate::python::words::charset::{DecodeError, decode, encode};
use crate::python::words::decode_header;

/// A rejection quotes the Subject, decoded (`Utils.oneline`). Charsets that Python does not know are
/// no matter, but it fails on a name that is not ASCII, and on codecs that are not for text.
///
/// # Errors
/// [`Stop::Shunt`] where that fails.
pub fn can_reject(post: &Post<'_>, list: &List<'_>, notice: &Notice) -> Result<(), Stop> {
    let language = list.settings.preferred_language.value();
    let japanese = matches!(language, Some(PyValue::Str(code)) if code.as_bytes() == b"ja");
    match notice {
        // The list's words are converted from its charset, which is EUC-JP, to ISO-2022-JP.
        Notice::Own(PyStr::Bytes(words))
            if japanese && post.python == Python::Two && encoding_rs::EUC_JP.decode(words).2 =>
        {
            return Err(Stop::Shunt("a notice of the list is not in the list's charset".into()));
        }
        Notice::Own(PyStr::Text(words)) if post.python == Python::Two => {
            in_charset(words, language)?
        }
        _ => {}
    }
    let subject = post.header("subject").unwrap_or_default();
    let fragments = match post.python {
        Python::Two => decode_header(subject).unwrap_or_default(),
        Python::Three => return Ok(()),
    };
    for fragment in fragments {
        let Some(charset) = fragment.charset.filter(|charset| !charset.is_empty()) else {
            continue;
        };
        let fails = !charset.is_ascii()
            || decode(&fragment.bytes, &charset, &mut String::new()) == Err(DecodeError::Raises);
        if fails {
            return Err(Stop::Shunt("the Subject is in a charset that Mailman fails on".into()));
        }
    }
    Ok(())
}

/// Mailman writes text in the charset of the list's language (`MIMEText`), which must have its
/// characters. A site may have recoded its languages, as Debian does: then it may mail what is
/// undecided here.
fn in_charset(words: &str, language: Option<&PyValue>) -> Result<(), Stop> {
    let Some(PyValue::Str(code)) = language else { return Ok(()) };
    match encode(words, python_charset(code.as_bytes())) {
        Ok(_) => Ok(()),
        Err(_) => {
            let why = "a notice of the list has characters that its language's charset lacks";
            Err(Stop::Shunt(why.into()))
        }
    }
}
