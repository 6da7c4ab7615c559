//! Which arguments are passed on. Pure: bytes in, decision out.

use crate::{Refusal, USAGE, refuse};
use std::ffi::CString;

const MAX_ARGS: usize = 64;
const MAX_BYTES: usize = 256 * 1024; // Of one argument.
const MAX_SUM: usize = 1024 * 1024; // Of all of them.

/// Options are matched byte for byte, never abbreviated. One that ends in `=` takes any value, and
/// there only: a value on its own could be read as an option.
const TEST_SENDER: &str = "--from= --envelope-from= --reply-to= --sender= --base64 --approved \
    --held=permit --held=refuse --discarded=refuse --discarded=permit --json --explain --utf8";

/// Judges the arguments after `argv[0]`, which is never read. What has no leading `-` is data.
pub(crate) fn judge(args: Vec<Vec<u8>>) -> Result<Vec<CString>, Refusal> {
    let sum: usize = args.iter().map(Vec::len).sum();
    if args.len() > MAX_ARGS || sum > MAX_SUM || args.iter().any(|arg| arg.len() > MAX_BYTES) {
        return Err(Refusal(USAGE, "too many or too long arguments".into()));
    }
    // The beginning of an argument, escaped: anyone may have written it.
    let not_allowed =
        |what, arg: &[u8]| refuse(USAGE, what)(arg.get(..40).unwrap_or(arg).escape_ascii());
    let options = match args.first().map(Vec::as_slice) {
        Some(b"test-sender") => TEST_SENDER,
        Some(b"list-domain") => "--json",
        Some(other) => return Err(not_allowed("subcommand not allowed", other)),
        None => return Err(Refusal(USAGE, "no subcommand".into())),
    };
    if let Some(other) = args.iter().find(|arg| !allows(options, arg)) {
        return Err(not_allowed("option not allowed", other));
    }
    args.into_iter().map(|arg| CString::new(arg).map_err(refuse(USAGE, "argument"))).collect()
}

fn allows(options: &str, arg: &[u8]) -> bool {
    let fits = |known: &[u8]| arg == known || known.ends_with(b"=") && arg.starts_with(known);
    !arg.starts_with(b"-") || options.split(' ').map(str::as_bytes).any(fits)
}
