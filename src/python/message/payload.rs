//! A text part written anew: `Message.set_payload(payload, charset)` of Python 2.7 on a part from
//! which its old encoding was taken away, with the type and two parameters put back.

use super::charset::{BodyEncoding, Charset, Conversion};
use super::params::{Parameter, content_charset, format_parameter, parameter};
use super::{encode, text_3};
use crate::python::Python;
use crate::python::words::charset::japanese::{Unconvertible, to_iso_2022_jp};
use crate::python::words::charset::{DecodeError, encode as encode_text};

/// The part as it is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The payload in its transfer encoding.
    pub payload: Vec<u8>,
    /// The value of its `Content-Type:` header.
    pub content_type: Vec<u8>,
    /// The value of its `Content-Transfer-Encoding:` header.
    pub transfer_encoding: &'static str,
}

/// Why a part cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritable {
    /// Python raises an exception: the charset's name or the text in it is nothing that it can
    /// convert.
    Raises,
    /// What Python does is not known here.
    Untold,
}

impl From<DecodeError> for Unwritable {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Raises | DecodeError::Unknown => Unwritable::Raises,
            DecodeError::Untold => Unwritable::Untold,
        }
    }
}

/// Writes a decoded payload in the charset that the old `Content-Type:` names, or as US-ASCII, and
/// keeps the content type (`get_content_type`) and its parameters `format` and `delsp`. In Python 3
/// the payload is text, here in UTF-8.
///
/// # Errors
/// See [`Unwritable`].
pub fn rewrite(
    payload: Vec<u8>,
    content_type: &[u8],
    old_header: Option<&[u8]>,
    python: Python,
) -> Result<Rewritten, Unwritable> {
    let header = old_header.unwrap_or_default();
    if python == Python::Three && !header.is_ascii() {
        return Err(Unwritable::Untold);
    }
    let name = content_charset(header, python)?.filter(|name| !name.is_empty());
    let charset = Charset::new(name.as_deref().unwrap_or("us-ascii"), python)?;
    let payload = converted(payload, &charset, python)?;
    let (payload, transfer_encoding) = match charset.body {
        BodyEncoding::Base64 => (encode::base64(&payload), "base64"),
        BodyEncoding::QuotedPrintable => {
            let encode = match python {
                Python::Two => encode::quoted_printable,
                Python::Three => text_3::quoted_printable,
            };
            (encode(&payload), "quoted-printable")
        }
        BodyEncoding::Plain if payload.is_ascii() => (payload, "7bit"),
        BodyEncoding::Plain => (payload, "8bit"),
    };
    let mut written = content_type.to_vec();
    let parameters = [
        ("charset", Some(Parameter::Plain(charset.output.into_bytes()))),
        ("Format", parameter(header, "format")),
        ("DelSp", parameter(header, "delsp")),
    ];
    for (name, value) in parameters {
        let is_true = |value: &Parameter| match value {
            Parameter::Plain(value) => !value.is_empty(),
            Parameter::Extended { .. } => true,
        };
        if let Some(value) = value.filter(is_true) {
            written.extend_from_slice(b"; ");
            written.extend(format_parameter(name, &value, python));
        }
    }
    Ok(Rewritten { payload, content_type: written, transfer_encoding })
}

/// The payload in the charset that the message then names.
fn converted(payload: Vec<u8>, charset: &Charset, python: Python) -> Result<Vec<u8>, Unwritable> {
    if python == Python::Three {
        let text = String::from_utf8(payload).map_err(|_| Unwritable::Untold)?;
        return Ok(encode_text(&text, charset.output.as_bytes())?);
    }
    match charset.conversion {
        Conversion::None => Ok(payload),
        Conversion::From(japanese) => {
            to_iso_2022_jp(&payload, japanese).map_err(|error| match error {
                Unconvertible::Raises => Unwritable::Raises,
                Unconvertible::Untold => Unwritable::Untold,
            })
        }
        // An empty string is decoded without asking for a codec.
        Conversion::Raises if payload.is_empty() => Ok(payload),
        Conversion::Raises => Err(Unwritable::Raises),
    }
}
