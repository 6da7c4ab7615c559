//! Log files: found, opened, unpacked, line by line.

use crate::limits;
use crate::subscriptions::tally::Tally;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The name of the log that Mailman writes to.
const NAME: &str = "subscribe";

/// How a file that gzip wrote begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// `subscribe` and its older ones, as logrotate names them, oldest first.
pub(super) fn find(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in dir.read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(NAME));
        if rest.is_some_and(is_suffix) {
            found.push((entry.metadata().and_then(|about| about.modified()).ok(), entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Nothing, `.1`, `-20261126`, each with or without `.gz`.
fn is_suffix(rest: &str) -> bool {
    let rest = rest.strip_suffix(".gz").unwrap_or(rest);
    let number = rest.strip_prefix('.').or(rest.strip_prefix('-'));
    rest.is_empty()
        || number.is_some_and(|n| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
}

/// Counts all lines of a file.
pub(super) fn read(path: &Path, tally: &mut Tally) -> io::Result<()> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut file = BufReader::with_capacity(256 << 10, file);
    if file.fill_buf()?.starts_with(&GZIP) {
        let unpacked = MultiGzDecoder::new(file).take(limits::LOG_FILE_BYTES);
        lines(BufReader::with_capacity(256 << 10, unpacked), tally)
    } else {
        lines(file.take(limits::LOG_FILE_BYTES), tally)
    }
}

fn lines(mut source: impl BufRead, tally: &mut Tally) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if source.by_ref().take(limits::LOG_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        tally.add(line.strip_suffix(b"\n").unwrap_or(&line));
    }
}
