//! What the email package of Python 2.7 knows of a charset (`email.charset.Charset`), and that of
//! Python 3, which knows the same but does not look for codecs by other names.

use crate::python::Python;
use crate::python::words::charset::japanese::Japanese;
use crate::python::words::charset::{DecodeError, codec_name};

/// How a body in a charset is put into a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyEncoding {
    /// As it is, marked 7bit or 8bit.
    Plain,
    QuotedPrintable,
    Base64,
}

/// What becomes of a body in a charset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charset {
    pub(super) body: BodyEncoding,
    /// The charset that the message then names.
    pub(super) output: String,
    /// What the body is converted from before.
    pub(super) conversion: Conversion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// It stays as it is.
    None,
    /// To ISO-2022-JP.
    From(Japanese),
    /// There is no such codec: Python raises `LookupError`.
    Raises,
}

/// The names that the package has others for; it does not ask for codecs of these.
const ALIASES: [(&str, &str); 24] = [
    ("ascii", "us-ascii"),
    ("cp949", "ks_c_5601-1987"),
    ("euc_jp", "euc-jp"),
    ("euc_kr", "euc-kr"),
    ("latin-1", "iso-8859-1"),
    ("latin-10", "iso-8859-16"),
    ("latin-2", "iso-8859-2"),
    ("latin-3", "iso-8859-3"),
    ("latin-4", "iso-8859-4"),
    ("latin-5", "iso-8859-9"),
    ("latin-6", "iso-8859-10"),
    ("latin-7", "iso-8859-13"),
    ("latin-8", "iso-8859-14"),
    ("latin-9", "iso-8859-15"),
    ("latin_1", "iso-8859-1"),
    ("latin_10", "iso-8859-16"),
    ("latin_2", "iso-8859-2"),
    ("latin_3", "iso-8859-3"),
    ("latin_4", "iso-8859-4"),
    ("latin_5", "iso-8859-9"),
    ("latin_6", "iso-8859-10"),
    ("latin_7", "iso-8859-13"),
    ("latin_8", "iso-8859-14"),
    ("latin_9", "iso-8859-15"),
];

/// A name that Python 2 made up for bytes that are in no charset.
const UNENCODED: &str = "8bit";

impl Charset {
    /// `Charset(name)`; the name is ASCII in lower case.
    ///
    /// # Errors
    /// [`DecodeError::Raises`] for a name that `codecs.lookup` fails on.
    pub(super) fn new(name: &str, python: Python) -> Result<Charset, DecodeError> {
        let is_known = python == Python::Three || alias(name).is_some() || known(name).is_some();
        let name = match codec_name(name.as_bytes()) {
            _ if is_known => name,
            Ok(codec) => codec,
            Err(DecodeError::Unknown) => name,
            Err(error) => return Err(error),
        };
        let name = alias(name).unwrap_or(name);
        let (body, output, conversion) = known(name)
            .filter(|_| python == Python::Two || name != UNENCODED)
            .unwrap_or((BodyEncoding::Base64, None, Conversion::None));
        Ok(Charset { body, output: output.unwrap_or(name).to_owned(), conversion })
    }
}

fn alias(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, name)| *name)
}

/// The charsets that are not put in base64 as they are.
fn known(name: &str) -> Option<(BodyEncoding, Option<&'static str>, Conversion)> {
    let japanese = Some("iso-2022-jp");
    Some(match name {
        "iso-8859-1" | "iso-8859-2" | "iso-8859-3" | "iso-8859-4" | "iso-8859-9"
        | "iso-8859-10" | "iso-8859-13" | "iso-8859-14" | "iso-8859-15" | "iso-8859-16"
        | "windows-1252" | "viscii" => (BodyEncoding::QuotedPrintable, None, Conversion::None),
        "us-ascii" | "iso-2022-jp" => (BodyEncoding::Plain, None, Conversion::None),
        "euc-jp" => (BodyEncoding::Plain, japanese, Conversion::From(Japanese::EucJp)),
        "shift_jis" => (BodyEncoding::Plain, japanese, Conversion::From(Japanese::ShiftJis)),
        UNENCODED => (BodyEncoding::Base64, Some("utf-8"), Conversion::Raises),
        "utf-8" | "koi8-r" | "big5" | "gb2312" => (BodyEncoding::Base64, None, Conversion::None),
        _ => return None,
    })
}
