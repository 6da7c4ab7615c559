//! What the caller says of a message's senders.

use crate::cli::Failure;
use crate::cli::args::TestSender;
use crate::exit::Status;
use crate::query::given::{Given, Parts};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Reads the arguments.
pub(super) fn parse(args: &TestSender) -> Result<Given, Failure> {
    let values = |option: &str, values: &[OsString]| {
        let value = |v: &OsString| match args.base64 {
            true => decode(option, v),
            false => Ok(v.as_bytes().to_vec()),
        };
        values.iter().map(value).collect::<Result<Vec<_>, _>>()
    };
    let parts = Parts {
        addresses: args.addresses.iter().map(|a| a.as_bytes().to_vec()).collect(),
        envelope: values("--envelope-from", args.envelope_from.as_slice())?.into_iter().next(),
        from: values("--from", &args.from)?,
        sender: values("--sender", &args.sender)?,
        reply_to: values("--reply-to", &args.reply_to)?,
        exim_lists: args.base64,
    };
    Given::from_parts(parts, args.approved).ok_or_else(|| {
        let why = "no sender given: name an ADDRESS, or --from and --envelope-from";
        Failure::new(Status::Usage, why)
    })
}

fn decode(option: &str, value: &OsString) -> Result<Vec<u8>, Failure> {
    STANDARD
        .decode(value.as_bytes())
        .map_err(|e| Failure::new(Status::Usage, format!("{option}: not base64: {e}")))
}
