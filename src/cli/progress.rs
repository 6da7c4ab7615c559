//! How far a long run has come, for who watches it at a terminal.

use super::write_stderr;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often the line is written anew.
const INTERVAL: Duration = Duration::from_millis(100);

/// A line on standard error that goes when the work is done; none unless that is a terminal.
pub(super) struct Progress {
    total: usize,
    done: usize,
    shown: Option<Instant>,
    watched: bool,
}

impl Progress {
    /// For so many steps; a single one shows nothing.
    pub(super) fn new(total: usize) -> Progress {
        Progress {
            total,
            done: 0,
            shown: None,
            watched: total > 1 && std::io::stderr().is_terminal(),
        }
    }

    /// The next step begins; `what` is plain text.
    pub(super) fn step(&mut self, what: &str) {
        self.done += 1;
        let recently = self.shown.is_some_and(|at| at.elapsed() < INTERVAL);
        if self.watched && !recently {
            self.shown = Some(Instant::now());
            write_stderr(&format!("\r\x1b[K{} of {}: {what}", self.done, self.total));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            write_stderr("\r\x1b[K");
        }
    }
}
