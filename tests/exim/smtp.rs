//! An SMTP client that says exactly what it is told to and keeps what it hears.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than Exim lets a program of an ACL run (60 s, and 30 s more to exit).
const PATIENCE: Duration = Duration::from_secs(120);

/// One reply of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The three digits.
    pub(crate) code: u16,
    /// What follows the code and its separator, line by line; other than UTF-8 replaced.
    pub(crate) lines: Vec<String>,
    /// The bytes as they came.
    pub(crate) raw: Vec<u8>,
}

impl Reply {
    /// The lines, joined with LF.
    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The text in one line, without the enhanced status that each line repeats.
    pub(crate) fn prose(&self) -> String {
        let status = self.lines[0].split_once(' ').map_or("", |(first, _)| first);
        let numbers = status.split('.').filter(|part| part.parse::<u8>().is_ok()).count();
        let repeated = if numbers == 3 { format!("{status} ") } else { String::new() };
        let bare = |line: &String| line.strip_prefix(&repeated).unwrap_or(line).to_owned();
        self.lines.iter().map(bare).collect::<Vec<_>>().join(" ")
    }
}

/// A connection to an SMTP server.
pub(crate) struct Smtp {
    reader: BufReader<TcpStream>,
}

impl Smtp {
    /// Connects, reads the greeting and says EHLO.
    pub(crate) fn connect(port: u16) -> Smtp {
        Smtp::try_connect(port).expect("Exim listens")
    }

    /// The same where Exim may be in trouble.
    pub(crate) fn try_connect(port: u16) -> io::Result<Smtp> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut smtp = Smtp { reader: BufReader::new(stream) };
        for (line, code) in [("", 220), ("EHLO client.example.com\r\n", 250)] {
            let reply = smtp.try_command(line.as_bytes())?;
            if reply.code != code {
                return Err(io::Error::other(format!("{reply:?}")));
            }
        }
        Ok(smtp)
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }

    /// Reads one reply, which may have several lines.
    pub(crate) fn reply(&mut self) -> Reply {
        self.try_reply().expect("a reply in time")
    }

    /// The same where the connection may end.
    pub(crate) fn try_reply(&mut self) -> io::Result<Reply> {
        let mut reply = Reply { code: 0, lines: Vec::new(), raw: Vec::new() };
        loop {
            let mut line = Vec::new();
            if self.reader.read_until(b'\n', &mut line)? < 4 {
                let so_far = format!("connection closed; so far {:?}", reply.lines);
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, so_far));
            }
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            reply.code = text[..3].parse().expect("a reply begins with three digits");
            reply.lines.push(text.get(4..).unwrap_or("").to_owned());
            reply.raw.extend_from_slice(&line);
            if text.as_bytes().get(3) != Some(&b'-') {
                return Ok(reply);
            }
        }
    }

    /// Sends one line and reads the reply, where the connection may end.
    pub(crate) fn try_command(&mut self, line: &[u8]) -> io::Result<Reply> {
        self.reader.get_mut().write_all(line)?;
        self.try_reply()
    }

    /// Sends one line and reads the reply.
    pub(crate) fn command(&mut self, line: &str) -> Reply {
        self.send(format!("{line}\r\n").as_bytes());
        self.reply()
    }

    /// MAIL FROM, which must be accepted.
    pub(crate) fn mail(&mut self, sender: &str) {
        let reply = self.command(&format!("MAIL FROM:<{sender}>"));
        assert_eq!(reply.code, 250, "{reply:?}");
    }

    /// RCPT TO.
    pub(crate) fn rcpt(&mut self, recipient: &str) -> Reply {
        self.command(&format!("RCPT TO:<{recipient}>"))
    }

    /// DATA and a message (LF line ends, no final dot); the reply to the final dot.
    pub(crate) fn data(&mut self, message: &[u8]) -> Reply {
        let reply = self.command("DATA");
        assert_eq!(reply.code, 354, "{reply:?}");
        self.send(&on_the_wire(message));
        self.reply()
    }

    /// A whole message of one sender to one recipient, who must be accepted.
    pub(crate) fn post(&mut self, sender: &str, recipient: &str, message: &[u8]) -> Reply {
        self.mail(sender);
        let reply = self.rcpt(recipient);
        assert_eq!(reply.code, 250, "{reply:?}");
        self.data(message)
    }

    /// QUIT, and waits until the server has closed the connection.
    pub(crate) fn quit(mut self) {
        assert_eq!(self.command("QUIT").code, 221);
        assert_eq!(self.reader.read_until(b'\n', &mut Vec::new()).unwrap(), 0);
    }
}

/// A message with CRLF line ends, dots doubled, and the final dot.
pub(crate) fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + 64);
    for line in message.strip_suffix(b"\n").unwrap_or(message).split(|&byte| byte == b'\n') {
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// A short message whose From is `from`.
pub(crate) fn message(from: &str) -> Vec<u8> {
    format!("From: {from}\nTo: everyone@example.org\nSubject: a test\n\nHello, all.\n").into_bytes()
}
