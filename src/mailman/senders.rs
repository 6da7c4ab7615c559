//! Who sent a message, in Mailman's eyes (`Mailman.Message.get_sender`, `get_senders`; RULES §3).

use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::addresses::getaddresses;
use crate::python::text::{PyStr, is_space_byte};

/// A message as far as its senders are looked for.
pub trait Origins {
    /// The values of all headers of this lowercased name, as that Python's parser stores them, with
    /// their folds; `None` where it is not known whether there are any.
    fn values(&self, name: &str, python: Python) -> Option<Vec<&[u8]>>;

    /// Its first line, if that is a `From ` line.
    fn unixfrom(&self) -> Option<FromLine<'_>>;
}

/// The line in which the envelope sender reaches Mailman.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromLine<'a> {
    /// What stands behind `From `, up to the date.
    Sender(&'a [u8]),
    /// The whole line without its line end.
    Whole(&'a [u8]),
}

/// The headers and the envelope sender that a message carries; values raw, folds kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Every `From:` header.
    pub from: Vec<Vec<u8>>,
    /// Every `Sender:` header.
    pub sender: Vec<Vec<u8>>,
    /// Every `Reply-To:` header.
    pub reply_to: Vec<Vec<u8>>,
    /// What stands after `From ` in the line that Exim's pipe transport writes first; `None`
    /// where the message reaches Mailman without such a line. See [`envelope_word`].
    pub envelope: Option<Vec<u8>>,
}

/// The envelope sender as Exim's pipe transport writes it: a null sender is `MAILER-DAEMON`.
pub fn envelope_word(sender: &[u8]) -> Vec<u8> {
    if sender.is_empty() { b"MAILER-DAEMON".to_vec() } else { sender.to_vec() }
}

impl Origins for Origin {
    fn values(&self, name: &str, python: Python) -> Option<Vec<&[u8]>> {
        let values = match name {
            "from" => &self.from,
            "sender" => &self.sender,
            "reply-to" => &self.reply_to,
            _ => return None,
        };
        Some(values.iter().map(|value| header_value(value, python)).collect())
    }

    fn unixfrom(&self) -> Option<FromLine<'_>> {
        self.envelope.as_deref().map(FromLine::Sender)
    }
}

/// An entry of the site's `SENDER_HEADERS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderHeader {
    /// `None`: the envelope sender.
    Envelope,
    /// A header, lowercased.
    Header(String),
}

/// The site's settings that say where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderPolicy {
    /// `USE_ENVELOPE_SENDER`: `Sender:` goes before `From:` (it does not look at the envelope).
    pub use_envelope_sender: bool,
    /// `SENDER_HEADERS`
    pub sender_headers: Vec<SenderHeader>,
}

impl Default for SenderPolicy {
    /// Mailman's defaults.
    fn default() -> SenderPolicy {
        let header = |name: &str| SenderHeader::Header(name.to_owned());
        SenderPolicy {
            use_envelope_sender: false,
            sender_headers: vec![
                header("from"),
                SenderHeader::Envelope,
                header("reply-to"),
                header("sender"),
            ],
        }
    }
}

/// The senders of a message, lowercased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Senders {
    /// `get_senders`: all, in the order in which membership is asked.
    pub all: Vec<PyStr>,
    /// `get_sender`: the one that nonmember rules look at; may be empty.
    pub one: PyStr,
    /// The first header named in `SENDER_HEADERS` whose values we were not given, and how many of
    /// `all` come before it: who is a member may depend on it.
    pub unseen: Option<(String, usize)>,
}

impl Senders {
    /// A message of which only one address is known.
    pub fn only(address: &[u8], python: Python) -> Result<Senders, Stop> {
        let one = decode(address, python)?.lower(python);
        Ok(Senders { all: vec![one.clone()], one, unseen: None })
    }
}

/// Finds the senders as Mailman under this Python does.
///
/// # Errors
/// [`Stop::Shunt`] where Mailman raises an exception: headers nested too deeply, a `From ` line
/// without a sender, or, in the port, bytes that are not UTF-8.
pub fn senders(
    origin: &dyn Origins,
    policy: &SenderPolicy,
    python: Python,
) -> Result<Senders, Stop> {
    let mut all = Vec::new();
    let mut unseen = None;
    for header in &policy.sender_headers {
        match header {
            SenderHeader::Envelope => all.extend(envelope(origin, python)?.unwrap_or_default()),
            SenderHeader::Header(name) => match origin.values(name, python) {
                Some(values) => all.extend(addresses(&values, python)?),
                None => unseen = unseen.or_else(|| Some((name.clone(), all.len()))),
            },
        }
    }
    let all = all.iter().map(|a| a.lower(python)).collect();
    Ok(Senders { all, one: sender(origin, policy, python)?, unseen })
}

/// `Message.get_sender`: the first address of the first header that gives a non-empty one.
fn sender(origin: &dyn Origins, policy: &SenderPolicy, python: Python) -> Result<PyStr, Stop> {
    let names = if policy.use_envelope_sender { ["sender", "from"] } else { ["from", "sender"] };
    for name in names {
        let values = origin.values(name, python).unwrap_or_default();
        let Some(value) = values.first() else { continue };
        let found = addresses(std::slice::from_ref(value), python)?;
        if let Some(address) = found.into_iter().next().filter(|a| !a.is_empty()) {
            return Ok(address.lower(python));
        }
    }
    let address = match envelope(origin, python)? {
        Some(Some(address)) => address,
        Some(None) => return Err(Stop::Shunt("the From_ line names no sender".into())),
        None => decode(b"", python)?,
    };
    Ok(address.lower(python))
}

/// The second word of the `From ` line, if there is a line, and if it has one.
fn envelope(origin: &dyn Origins, python: Python) -> Result<Option<Option<PyStr>>, Stop> {
    match origin.unixfrom() {
        None => Ok(None),
        Some(FromLine::Whole(whole)) => Ok(Some(line(whole, python).word(1, python))),
        Some(FromLine::Sender(sender)) => {
            match line(&[b"From ", sender].concat(), python).word(1, python) {
                Some(address) => Ok(Some(Some(address))),
                // The line goes on with the date, whose weekday Python would take instead.
                None => Err(Stop::Unknowable("the envelope sender is blank".into())),
            }
        }
    }
}

/// The `From ` line as Mailman reads it from its standard input. The port keeps a byte that is not
/// UTF-8 as a lone surrogate, in whose place stands U+FFFD here; neither is in any address of a
/// list.
fn line(bytes: &[u8], python: Python) -> PyStr {
    if python == Python::Two {
        return PyStr::Bytes(bytes.to_vec());
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    PyStr::Text(text)
}

/// The addresses in all values of one header.
fn addresses(values: &[&[u8]], python: Python) -> Result<Vec<PyStr>, Stop> {
    let mut lines = Vec::new();
    for value in values {
        lines.push(decode(value, python)?.join_lines());
    }
    let lines: Vec<&[u8]> = lines.iter().map(PyStr::as_bytes).collect();
    let found = getaddresses(&lines, python)
        .map_err(|_| Stop::Shunt("an address header is nested too deeply".into()))?;
    found.into_iter().map(|mailbox| decode(&mailbox.address, python)).collect()
}

/// A header's value as Python's parser stores it: no blanks before it, no line end after it.
fn header_value(raw: &[u8], python: Python) -> &[u8] {
    let mut value = raw.trim_ascii_start();
    // Python 2 strips the first line of any white space, vertical tabs included.
    let first_line = raw.split(|c| *c == b'\n').next().unwrap_or_default();
    let blank = |c: &u8| is_space_byte(*c);
    if python == Python::Two && !first_line.iter().all(blank) {
        let blanks = first_line.iter().take_while(|c| blank(c)).count();
        value = raw.get(blanks..).unwrap_or_default();
    }
    while let [rest @ .., b'\r' | b'\n'] = value {
        value = rest;
    }
    value
}

/// Bytes as this Python's Mailman holds them.
fn decode(bytes: &[u8], python: Python) -> Result<PyStr, Stop> {
    PyStr::native(bytes, python).ok_or_else(|| Stop::Shunt("a sender is not in UTF-8".into()))
}
