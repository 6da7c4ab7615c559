//! `mm-query test-message`

use crate::cli::args::TestMessage;
use crate::cli::report::outcome;
use crate::cli::{Enter, Failure, Outcome, enter_site};
use crate::exit::Status;
use crate::limits;
use crate::mailman::post::Extent;
use crate::query::message::{self, Question};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Judges the message, and makes the verdict into the answer.
pub(super) fn run(args: &TestMessage, enter: Enter) -> Result<Outcome, Failure> {
    let from_line = match &args.envelope_from {
        Some(sender) => message::from_line(sender.as_bytes())
            .ok_or_else(|| Failure::new(Status::Usage, "--envelope-from: more than one line"))?,
        None => Vec::new(),
    };
    let no_input = |why| Failure::new(Status::NoInput, why);
    let file = args.file.as_deref().map(open).transpose().map_err(no_input)?;
    let (site, gaps) = enter_site(&args.site, enter)?;
    // No byte of the message is touched before that.
    let raw = match file {
        Some(file) => read_file(file, from_line),
        None => read(std::io::stdin().lock(), from_line),
    };
    let raw = raw.map_err(no_input)?;
    let question = Question {
        raw: &raw,
        extent: if args.headers_only { Extent::Beginning } else { Extent::Whole },
        dmarc: args.dmarc_policy.map(Into::into),
        dialect: args.dialect.map(Into::into),
        policy: args.answer.policy(),
        no_approval_in_body: false,
    };
    let judged = message::judge(&site, args.list.as_bytes(), &question)?;
    Ok(outcome(&judged, None, &gaps, args.answer.style()))
}

fn open(path: &Path) -> Result<File, String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    opened.map(File::from).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

fn read_file(file: File, mut raw: Vec<u8>) -> Result<Vec<u8>, String> {
    // Where the size is known, the message is read into its place at once.
    let size = file.metadata().map_or(0, |about| about.len()).min(limits::MESSAGE_BYTES as u64);
    raw.reserve_exact(usize::try_from(size).unwrap_or_default().saturating_add(1));
    read(file, raw)
}

/// Reads the message behind what is there, and a byte too many where it is too large.
fn read(source: impl Read, mut raw: Vec<u8>) -> Result<Vec<u8>, String> {
    let most = limits::MESSAGE_BYTES as u64 + 1;
    source.take(most).read_to_end(&mut raw).map_err(|e| format!("cannot read the message: {e}"))?;
    Ok(raw)
}
