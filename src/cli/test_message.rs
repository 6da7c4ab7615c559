//! `mm-query test-message`

use crate::cli::args::TestMessage;
use crate::cli::report::Report;
use crate::cli::{Failure, Outcome, find_site};
use crate::exit::Status;
use crate::limits;
use crate::mailman::post::Extent;
use crate::mailman::senders::envelope_word;
use crate::query::message::{self, Question};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Judges the message, and makes the verdict into the answer.
pub(super) fn run(args: &TestMessage) -> Result<Outcome, Failure> {
    let from_line = match &args.envelope_from {
        Some(sender) => from_line(sender.as_bytes())?,
        None => Vec::new(),
    };
    let raw = match &args.file {
        Some(path) => read_file(path, from_line),
        None => read(std::io::stdin().lock(), from_line),
    };
    let raw = raw.map_err(|why| Failure::new(Status::NoInput, why))?;
    let site = find_site(&args.site)?;
    let question = Question {
        raw: &raw,
        extent: if args.headers_only { Extent::Beginning } else { Extent::Whole },
        dmarc: args.dmarc_policy.map(Into::into),
        dialect: args.dialect.map(Into::into),
        policy: args.answer.policy(),
    };
    let judged = message::judge(&site, args.list.as_bytes(), &question)?;
    Ok(Report::new(&judged, None, &args.answer).outcome())
}

/// The line that Exim's pipe transport writes before the message. Its date tells Mailman nothing.
fn from_line(sender: &[u8]) -> Result<Vec<u8>, Failure> {
    if sender.iter().any(|c| matches!(c, b'\r' | b'\n')) {
        return Err(Failure::new(Status::Usage, "--envelope-from: more than one line"));
    }
    Ok([b"From ", envelope_word(sender).as_slice(), b" Mon Jan  1 00:00:00 2024\n"].concat())
}

fn read_file(path: &Path, raw: Vec<u8>) -> Result<Vec<u8>, String> {
    let failed = |e: std::io::Error| format!("cannot read {}: {e}", path.display());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| failed(e.into()))?;
    let file = File::from(file);
    let mut raw = raw;
    // Where the size is known, the message is read into its place at once.
    let size = file.metadata().map_err(failed)?.len().min(limits::MESSAGE_BYTES as u64);
    raw.reserve_exact(usize::try_from(size).unwrap_or_default().saturating_add(1));
    read(file, raw)
}

/// Reads the message behind what is there, and a byte too many where it is too large.
fn read(source: impl Read, mut raw: Vec<u8>) -> Result<Vec<u8>, String> {
    let most = limits::MESSAGE_BYTES as u64 + 1;
    source.take(most).read_to_end(&mut raw).map_err(|e| format!("cannot read the message: {e}"))?;
    Ok(raw)
}
