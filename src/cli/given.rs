//! What the caller says of a message's senders.

use crate::cli::Failure;
use crate::cli::args::TestSender;
use crate::exit::Status;
use crate::mailman::senders::{Origin, envelope_word};
use crate::query::given::{EximLists, Given, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

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
    message(args).map(Given::Message)
}

fn message(args: &TestSender) -> Result<Message, Failure> {
    let values = |option: &str, values: &[OsString]| {
        let value = |v: &OsString| match args.base64 {
            true => decode(option, v),
            false => Ok(v.as_bytes().to_vec()),
        };
        values.iter().map(value).collect::<Result<Vec<_>, _>>()
    };
    let envelope = values("--envelope-from", args.envelope_from.as_slice())?;
    let envelope = envelope.first().map(|address| envelope_word(address));
    let from = values("--from", &args.from)?;
    let sender = values("--sender", &args.sender)?;
    let reply_to = values("--reply-to", &args.reply_to)?;
    Ok(match args.base64 {
        true => Message::from_exim(&EximLists { from, sender, reply_to }, envelope.as_deref()),
        false => Message::plain(Origin { from, sender, reply_to, envelope }),
    })
}

fn decode(option: &str, value: &OsString) -> Result<Vec<u8>, Failure> {
    STANDARD
        .decode(value.as_bytes())
        .map_err(|e| Failure::new(Status::Usage, format!("{option}: not base64: {e}")))
}
