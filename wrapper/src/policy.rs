//! Which arguments are passed on. Pure: bytes in, decision out.

use crate::{Refusal, USAGE, refuse};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

/// Options are matched byte for byte, never abbreviated. One that ends in `=` takes any value, and
/// there only: a value on its own could be read as an option. None names a file.
const TEST_SENDER: &str = "--from= --envelope-from= --reply-to= --sender= --base64 --approved \
    --held=permit --held=refuse --discarded=refuse --discarded=permit --json --explain --utf8";
const TEST_MESSAGE: &str = "--envelope-from= --headers-only --dmarc-policy=none \
    --dmarc-policy=quarantine --dmarc-policy=reject --dialect=2.1 --dialect=2.2 \
    --held=permit --held=refuse --discarded=refuse --discarded=permit --json --explain --utf8";

/// Judges the arguments after `argv[0]`, which is never read. What has no leading `-` is data.
pub(crate) fn judge(args: Vec<&OsStr>) -> Result<Vec<&OsStr>, Refusal> {
    if args.len() > 64 || args.iter().map(|arg| arg.len()).sum::<usize>() > 1 << 20 {
        return Err((USAGE, "too many or too long arguments".into()));
    }
    // The beginning of an argument, escaped: anyone may have written it.
    let no = |why, arg: &[u8]| Err(refuse(USAGE, why)(arg.get(..40).unwrap_or(arg).escape_ascii()));
    let mut words = args.iter().map(|arg| arg.as_bytes());
    let (mut data, options) = match words.next() {
        Some(b"test-sender") => (64, TEST_SENDER),
        Some(b"test-message") => (1, TEST_MESSAGE), // A second one would be a file to read.
        Some(b"test-subscribe" | b"list-domain") => (2, "--json"),
        other => return no("subcommand not allowed", other.unwrap_or_default()),
    };
    for arg in words {
        let fits = |known: &[u8]| arg == known || known.ends_with(b"=") && arg.starts_with(known);
        match arg.starts_with(b"-") {
            true if options.split(' ').any(|known| fits(known.as_bytes())) => {}
            true => return no("option not allowed", arg),
            false if data > 0 => data -= 1,
            false => return no("one argument too many", arg),
        }
    }
    Ok(args)
}
