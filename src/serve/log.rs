//! The log: lines to standard error or to syslog, from a thread of its own, so that a log that
//! hangs holds up no answer.

use crate::answer::one_line;
use crate::limits;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How important a line is; the numbers are syslog's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A trouble of the daemon.
    Error = 3,
    /// Something that an administrator should look at.
    Warning = 4,
    /// Beginning, end and reloads.
    Notice = 5,
    /// One line for each refusal.
    Info = 6,
    /// Each connection that came to nothing.
    Debug = 7,
}

/// Where lines go.
#[derive(Debug)]
pub enum Sink {
    /// Standard error; with syslog's `<N>` before each line where the journal reads it.
    Stderr {
        /// Whether it does.
        journal: bool,
    },
    /// `/dev/log`
    Syslog(UnixDatagram),
}

/// syslog's number for a mail system, times 8.
const MAIL: u8 = 2 << 3;

impl Sink {
    /// The journal or, at a terminal, standard error; `syslog`: the system's log.
    ///
    /// # Errors
    /// There is no system log.
    pub fn open(syslog: bool) -> std::io::Result<Sink> {
        if !syslog {
            return Ok(Sink::Stderr { journal: std::env::var_os("JOURNAL_STREAM").is_some() });
        }
        let socket = UnixDatagram::unbound()?;
        socket.connect("/dev/log")?;
        Ok(Sink::Syslog(socket))
    }

    fn write(&self, level: Level, line: &str) -> std::io::Result<()> {
        let level = level as u8;
        match self {
            Sink::Stderr { journal: true } => {
                std::io::stderr().write_all(format!("<{level}>{line}\n").as_bytes())
            }
            Sink::Stderr { journal: false } => {
                std::io::stderr().write_all(format!("mm-query: {line}\n").as_bytes())
            }
            Sink::Syslog(socket) => {
                let own = std::process::id();
                let line = format!("<{}>mm-query[{own}]: {line}", MAIL | level);
                socket.send(line.as_bytes()).map(drop)
            }
        }
    }
}

/// Where lines are handed in.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<(Level, String)>,
    least: Level,
    unlogged: Arc<AtomicU64>,
}

/// The other end of a [`Log`].
#[derive(Debug)]
pub struct Writer {
    lines: Receiver<(Level, String)>,
    sink: Sink,
}

/// A log for lines of this importance and above.
pub fn new(sink: Sink, least: Level) -> (Log, Writer) {
    let (sender, receiver) = sync_channel(limits::LOG_LINES);
    let log = Log { lines: sender, least, unlogged: Arc::default() };
    (log, Writer { lines: receiver, sink })
}

impl Log {
    /// Logs a line, made harmless; never waits.
    pub fn line(&self, level: Level, text: impl AsRef<str>) {
        if level > self.least || text.as_ref().is_empty() {
            return;
        }
        if self.lines.try_send((level, one_line(text.as_ref()))).is_err() {
            self.unlogged.fetch_add(1, Relaxed);
        }
    }

    /// Whether lines of this importance are logged.
    pub fn takes(&self, level: Level) -> bool {
        level <= self.least
    }

    /// Ends the writer once it has written what was logged before.
    pub fn close(&self) {
        let _ = self.lines.send((Level::Error, String::new()));
    }

    /// How many lines were not logged.
    pub fn unlogged(&self) -> u64 {
        self.unlogged.load(Relaxed)
    }
}

impl Writer {
    /// Writes lines until one of the [`Log`]s is closed, or all are gone. A line that cannot be
    /// written is gone, too.
    pub fn run(self) {
        for (level, line) in self.lines.iter().take_while(|(_, line)| !line.is_empty()) {
            let _ = self.sink.write(level, &line);
        }
    }
}
