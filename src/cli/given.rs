//! What the caller says of a message's senders.

use crate::cli::Failure;
use crate::cli::args::TestSender;
use crate::exit::Status;
use crate::mailman::senders::{Origin, SenderPolicy, Senders, envelope_word, senders};
use crate::mailman::verdict::Stop;
use crate::python::Python;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Exim cuts each header variable here without a word; what was behind the cut is unknown.
const EXIM_CUT: usize = 65_535;

/// The senders as the caller gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// Bare addresses, of which any one that could post alone permits the post.
    Addresses(Vec<Vec<u8>>),
    /// Headers and envelope sender by their roles.
    Message(Message),
}

/// Headers and envelope sender of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// All ways to read the headers, the likely one first. There is more than one where a list of
    /// Exim's could also be one header with a colon in it.
    pub(super) readings: Vec<Origin>,
    /// Exim may have cut a header.
    pub(super) cut: bool,
}

impl Given {
    /// Reads the arguments.
    pub(super) fn parse(args: &TestSender) -> Result<Given, Failure> {
        let roles = [&args.from, &args.reply_to, &args.sender];
        if args.envelope_from.is_none() && roles.iter().all(|r| r.is_empty()) && !args.approved {
            if args.addresses.is_empty() {
                let why = "no sender given: name an ADDRESS, or --from and --envelope-from";
                return Err(Failure::new(Status::Usage, why));
            }
            let addresses = args.addresses.iter().map(|a| a.as_bytes().to_vec());
            return Ok(Given::Addresses(addresses.filter(|a| !a.is_empty()).collect()));
        }
        Message::parse(args).map(Given::Message)
    }

    /// The senders under one Python and one site policy, one entry for each way to read what was
    /// given.
    pub(super) fn senders(
        &self,
        policy: &SenderPolicy,
        python: Python,
    ) -> Vec<Result<Senders, Stop>> {
        match self {
            Given::Addresses(all) => all.iter().map(|a| Senders::only(a, python)).collect(),
            Given::Message(message) => {
                message.readings.iter().map(|origin| senders(origin, policy, python)).collect()
            }
        }
    }
}

impl Message {
    fn parse(args: &TestSender) -> Result<Message, Failure> {
        let envelope = match &args.envelope_from {
            Some(address) if args.base64 => Some(decode("--envelope-from", address)?),
            Some(address) => Some(address.as_bytes().to_vec()),
            None => None,
        };
        let envelope = envelope.map(|address| envelope_word(&address));
        if !args.base64 {
            let raw = |values: &[OsString]| values.iter().map(|v| v.as_bytes().to_vec()).collect();
            let origin = Origin {
                from: raw(&args.from),
                sender: raw(&args.sender),
                reply_to: raw(&args.reply_to),
                envelope,
            };
            return Ok(Message { readings: vec![origin], cut: false });
        }
        let decoded = |option: &str, values: &[OsString]| {
            values.iter().map(|v| decode(option, v)).collect::<Result<Vec<_>, _>>()
        };
        let from = decoded("--from", &args.from)?;
        let sender = decoded("--sender", &args.sender)?;
        let reply_to = decoded("--reply-to", &args.reply_to)?;
        let cut = [&from, &sender, &reply_to].into_iter().flatten().any(|v| v.len() >= EXIM_CUT);
        let mut readings: Vec<Origin> = Vec::new();
        for split in [exim_list, exim_list_from_the_right, one_header] {
            let each = |values: &[Vec<u8>]| values.iter().flat_map(|v| split(v)).collect();
            let origin = Origin {
                from: each(&from),
                sender: each(&sender),
                reply_to: each(&reply_to),
                envelope: envelope.clone(),
            };
            if !readings.contains(&origin) {
                readings.push(origin);
            }
        }
        Ok(Message { readings, cut })
    }
}

fn decode(option: &str, value: &OsString) -> Result<Vec<u8>, Failure> {
    STANDARD
        .decode(value.as_bytes())
        .map_err(|e| Failure::new(Status::Usage, format!("{option}: not base64: {e}")))
}

/// The headers in a list as Exim's `$lh_NAME:` gives it: parted by colons, colons within a header
/// doubled. No header gives an empty list.
fn exim_list(list: &[u8]) -> Vec<Vec<u8>> {
    split(list, false)
}

/// The same where three colons stand together, read the other way round: a header that begins
/// with a colon rather than one that ends in it.
fn exim_list_from_the_right(list: &[u8]) -> Vec<Vec<u8>> {
    split(list, true)
}

fn split(list: &[u8], separator_first: bool) -> Vec<Vec<u8>> {
    let mut headers = Vec::new();
    let mut header = Vec::new();
    let mut rest = list;
    while let Some((c, behind)) = rest.split_first() {
        if *c != b':' {
            header.push(*c);
            rest = behind;
            continue;
        }
        let run = rest.iter().take_while(|c| **c == b':').count();
        let literal = run / 2;
        let parts = run % 2 == 1;
        if parts && separator_first {
            headers.push(std::mem::take(&mut header));
        }
        header.extend(std::iter::repeat_n(b':', literal));
        if parts && !separator_first {
            headers.push(std::mem::take(&mut header));
        }
        rest = rest.get(run..).unwrap_or_default();
    }
    headers.push(header);
    headers.retain(|h| !h.trim_ascii().is_empty());
    headers
}

/// The value as one header, if it came from elsewhere than `$lh_NAME:`.
fn one_header(value: &[u8]) -> Vec<Vec<u8>> {
    let single = value.contains(&b':') && exim_list(value).len() > 1;
    if single { vec![value.to_vec()] } else { exim_list(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        exim_list(text.as_bytes()).into_iter().map(|h| String::from_utf8(h).unwrap()).collect()
    }

    #[test]
    fn reads_lists_as_exim_writes_them() {
        assert_eq!(list(""), Vec::<String>::new());
        assert_eq!(list("a@b"), ["a@b"]);
        assert_eq!(list("a@b\n:c@d\n"), ["a@b\n", "c@d\n"]);
        assert_eq!(list("group:: a@b;"), ["group: a@b;"]);
        assert_eq!(list("a::::b"), ["a::b"]);
        assert_eq!(list("x:::y"), ["x:", "y"]);
        let right = exim_list_from_the_right(b"x:::y");
        assert_eq!(right, [b"x".to_vec(), b":y".to_vec()]);
    }
}
