//! How far a long run has come, for who watches it at a terminal.

use super::write_stderr;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How often the line is written anew.
const INTERVAL: Duration = Duration::from_millis(100);

/// A line on standard error that goes when the work is done; none unless that is a terminal.
pub(super) struct Progress {
    total: usize,
    watched: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    begun: usize,
    shown: Option<Instant>,
}

impl Progress {
    /// For so many steps; a single one shows nothing.
    pub(super) fn new(total: usize) -> Progress {
        let watched = total > 1 && std::io::stderr().is_terminal();
        Progress { total, watched, state: Mutex::default() }
    }

    /// Another step begins; `what` is plain text.
    pub(super) fn step(&self, what: &str) {
        let Ok(mut state) = self.state.lock() else { return };
        state.begun += 1;
        let recently = state.shown.is_some_and(|at| at.elapsed() < INTERVAL);
        if self.watched && !recently {
            state.shown = Some(Instant::now());
            write_stderr(&format!("\r\x1b[K{} of {}: {what}", state.begun, self.total));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.state.lock().is_ok_and(|state| state.shown.is_some()) {
            write_stderr("\r\x1b[K");
        }
    }
}
