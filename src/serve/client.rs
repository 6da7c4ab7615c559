//! The other side: asks a daemon.

use super::listen::Address;
use crate::limits;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long one step of asking may take.
const TIME: Duration = Duration::from_secs(5);

/// Where the daemon listens unless told otherwise.
pub const DEFAULT: &str = "/run/mm-query/socket";

/// An answer, as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The first line.
    pub word: String,
    /// The rest.
    pub text: String,
}

impl Answer {
    /// Of `error`, the exit status and the words.
    pub fn error(&self) -> Option<(u8, &str)> {
        if self.word != "error" {
            return None;
        }
        let (code, why) = self.text.trim_end().split_once(' ').unwrap_or(("70", &self.text));
        Some((code.parse().unwrap_or(70), why))
    }
}

/// Sends a request and reads the answer.
///
/// # Errors
/// Nobody answers there, or nothing that is an answer.
pub fn ask(address: &Address, request: &[u8]) -> Result<Answer> {
    let bytes = match address {
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(TIME))?;
            stream.set_write_timeout(Some(TIME))?;
            exchange(&stream, &stream, request, |how| stream.shutdown(how))?
        }
        Address::Inet(address) => {
            let stream = TcpStream::connect_timeout(address, TIME)?;
            stream.set_read_timeout(Some(TIME))?;
            stream.set_write_timeout(Some(TIME))?;
            exchange(&stream, &stream, request, |how| stream.shutdown(how))?
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let no_answer = || Error::new(ErrorKind::InvalidData, "no answer that is one");
    let (word, text) = text.split_once('\n').ok_or_else(no_answer)?;
    let known = ["accept", "hold", "reject", "discard", "undecided", "error"];
    if !known.contains(&word) {
        return Err(no_answer());
    }
    Ok(Answer { word: word.to_owned(), text: text.to_owned() })
}

fn exchange(
    mut to: impl Write,
    from: impl Read,
    request: &[u8],
    shutdown: impl Fn(Shutdown) -> Result<()>,
) -> Result<Vec<u8>> {
    // Whoever does not read all of it may still have answered.
    let sent = to.write_all(request).and_then(|()| shutdown(Shutdown::Write));
    let mut bytes = Vec::new();
    let most = u64::try_from(limits::ANSWER_BYTES).unwrap_or(u64::MAX).saturating_add(64);
    from.take(most).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        sent?;
    }
    Ok(bytes)
}
