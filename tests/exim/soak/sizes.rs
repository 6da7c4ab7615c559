//! Memory and descriptors of a process over its life.

use std::fmt;
use std::fs;
use std::time::Duration;

/// The resident memory, in KiB, and the number of descriptors of a process; nothing if it is gone.
fn of(pid: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let memory = line.trim().strip_suffix(" kB")?.parse().ok()?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    Some((memory, u64::try_from(descriptors).ok()?))
}

/// The largest sizes in the second and in the last quarter of lives of a process.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    early: (u64, u64),
    late: (u64, u64),
    /// Of each life, what it grew by from the second quarter to the last.
    growth: Vec<(u64, u64)>,
    least: (u64, u64),
}

impl Sizes {
    /// Takes the sizes at an age, of a life that lasts so long.
    pub(super) fn weigh(&mut self, pid: u32, age: Duration, life: Duration) {
        let Some(now) = of(pid) else { return };
        let quarter = 4 * age.as_millis() / life.as_millis().max(1);
        let place = match quarter {
            1 => &mut self.early,
            3.. => &mut self.late,
            _ => return,
        };
        *place = (place.0.max(now.0), place.1.max(now.1));
        if self.least.0 == 0 || now.0 < self.least.0 {
            self.least = now;
        }
    }

    /// A new life begins.
    pub(super) fn reborn(&mut self) {
        let grown = |early: u64, late: u64| late.saturating_sub(early);
        self.growth.push((grown(self.early.0, self.late.0), grown(self.early.1, self.late.1)));
        (self.early, self.late) = ((0, 0), (0, 0));
    }

    /// No life of it grew by more than what allocators and open connections make of it.
    pub(super) fn assert_flat(&self, what: &str) {
        let last =
            (self.late.0.saturating_sub(self.early.0), self.late.1.saturating_sub(self.early.1));
        let memory = |it: &(u64, u64)| self.early.0 == 0 || it.0 <= 2_048;
        for grown in self.growth.iter().chain([&last]) {
            assert!(memory(grown), "{what} grew by {} KiB: {self:?}", grown.0);
            assert!(self.early.1 == 0 || grown.1 <= 16, "{what} has {} more: {self:?}", grown.1);
        }
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = |pick: fn(&(u64, u64)) -> u64| self.growth.iter().map(pick).max().unwrap_or(0);
        write!(
            f,
            "{}-{} KiB, up to {} descriptors, grew by at most {} KiB and {} descriptors in a life",
            self.least.0,
            self.late.0.max(self.early.0),
            self.late.1.max(self.early.1),
            most(|it| it.0).max(self.late.0.saturating_sub(self.early.0)),
            most(|it| it.1).max(self.late.1.saturating_sub(self.early.1)),
        )
    }
}
