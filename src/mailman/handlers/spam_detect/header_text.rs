//! The text that `header_filter_rules` are searched in: `SpamDetect.getDecodedHeaders`.

use crate::python::Python;
use crate::python::text::is_space_byte;
use crate::python::words::charset::{DecodeError, decode};
use crate::python::words::header3::decode_header as decode_header_3;
use crate::python::words::normalize::{Form, normalize};
use crate::python::words::{Fragment, decode_header};

/// Why a header value has no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoText {
    /// An exception that Mailman does not catch: the message is shunted, for every list and for
    /// its owner's address, be there rules or not.
    Shunt,
    /// What Mailman does is not known here: see [`DecodeError::Untold`].
    Unknowable,
}

/// What one header's value is in that text: unfolded, decoded, normalised. The value is as
/// `Message.items()` gives it, line ends included.
///
/// # Errors
/// [`NoText::Shunt`] also where another part of the value cannot be told, since an exception
/// comes whatever that part is.
pub fn header_text(value: &[u8], form: Form, python: Python) -> Result<Option<String>, NoText> {
    match python {
        Python::Two => text_in_2(value, form).map(Some),
        Python::Three => text_in_3(value, form),
    }
}

/// The port leaves a header out that is not in UTF-8. An encoded word of a charset that Python 2
/// fails on is not told here: Python 3 fails on some of these and takes others for Latin-1.
fn text_in_3(value: &[u8], form: Form) -> Result<Option<String>, NoText> {
    let Ok(value) = std::str::from_utf8(value) else { return Ok(None) };
    let unfolded = unfold(value.as_bytes());
    let unfolded = String::from_utf8_lossy(&unfolded);
    match decode_header_3(&unfolded) {
        Err(_) => Ok(Some(normalize(form, value))),
        Ok(None) => Ok(Some(normalize(form, &unfolded))),
        Ok(Some(fragments)) => match decoded(&fragments, form) {
            Err(NoText::Shunt) => Err(NoText::Unknowable),
            told => told.map(Some),
        },
    }
}

fn text_in_2(value: &[u8], form: Form) -> Result<String, NoText> {
    if value.is_ascii() && !value.windows(2).any(|pair| pair == b"=?") {
        // Nothing to decode, and all in the form that it has.
        return Ok(String::from_utf8_lossy(&unfold(value)).into_owned());
    }
    let unfolded = unfold(value);
    let Ok(fragments) = decode_header(&unfolded) else {
        // Mailman then takes the value as it was, still folded.
        return decoded(&[Fragment { bytes: value.to_vec(), charset: None }], form);
    };
    decoded(&fragments, form)
}

fn decoded(fragments: &[Fragment], form: Form) -> Result<String, NoText> {
    let mut text = String::new();
    let mut is_told = true;
    for fragment in fragments {
        let charset = fragment.charset.as_deref().filter(|name| !name.is_empty());
        match decode(&fragment.bytes, charset.unwrap_or(b"us-ascii"), &mut text) {
            Ok(()) => {}
            Err(DecodeError::Unknown) => text.extend(fragment.bytes.iter().map(|&b| char::from(b))),
            Err(DecodeError::Raises) => return Err(NoText::Shunt),
            Err(DecodeError::Untold) => is_told = false,
        }
    }
    if is_told { Ok(normalize(form, &text)) } else { Err(NoText::Unknowable) }
}

/// `re.sub('\n\s', ' ', value)`: a line feed and the one blank after it, another line end being
/// a blank too, become a space.
fn unfold(value: &[u8]) -> Vec<u8> {
    let mut unfolded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, tail) = match after.split_first() {
            Some((&blank, tail)) if first == b'\n' && is_space_byte(blank) => (b' ', tail),
            _ => (first, after),
        };
        unfolded.push(byte);
        rest = tail;
    }
    unfolded
}
