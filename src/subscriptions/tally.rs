//! What the lines of a log come to.

use super::moment::Moment;
use super::record::{Kind, Record, Unread, parse};
use super::source::{domain, ip, network};
use crate::limits;
use std::collections::HashMap;

/// Names with numbers in their place.
#[derive(Debug, Default)]
pub struct Names {
    numbers: HashMap<Box<[u8]>, u32>,
    names: Vec<Box<[u8]>>,
}

impl Names {
    /// The number of a name; none once there are too many.
    fn number(&mut self, name: &[u8]) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u32::try_from(self.names.len()).ok()?;
        if self.names.len() >= limits::LOG_NAMES || name.len() > limits::LOG_NAME_BYTES {
            return None;
        }
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        Some(number)
    }

    /// The name of a number.
    pub fn name(&self, number: u32) -> &[u8] {
        self.names.get(number as usize).map_or(&[], |name| name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// A record, with numbers for its names.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// What.
    pub kind: Kind,
    /// In [`Tally::lists`].
    pub list: u32,
    /// In [`Tally::addresses`].
    pub address: u32,
    /// In [`Tally::sources`].
    pub source: Option<u32>,
}

/// How often each thing happened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Asked for.
    pub pending: u64,
    /// New members.
    pub new: u64,
    /// Members less.
    pub deleted: u64,
    /// Anything else.
    pub other: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add_event(&mut self, kind: Kind) {
        let count = match kind {
            Kind::Pending => &mut self.pending,
            Kind::New => &mut self.new,
            Kind::Deleted => &mut self.deleted,
            Kind::Other => &mut self.other,
        };
        *count = count.saturating_add(1);
    }

    /// Requests and new members: what abuse looks like.
    pub fn joining(&self) -> u64 {
        self.pending.saturating_add(self.new)
    }
}

/// What to count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The source as it is.
    Ip,
    /// Its /24 or /64.
    Network,
    /// The subscriber's domain.
    Domain,
    /// The list.
    List,
    /// The subscriber's address.
    Address,
}

/// All that was read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Lists' names.
    pub lists: Names,
    /// Addresses, lower-case.
    pub addresses: Names,
    /// Where requests came from.
    pub sources: Names,
    /// Everything within the time asked for, in the order of the files.
    pub events: Vec<Event>,
    /// Lines that give no record.
    pub unread: u64,
    /// The first of them.
    pub examples: Vec<Vec<u8>>,
    /// Records right behind a line that breaks off: a stranger may have written them.
    pub doubtful: u64,
    /// Records beyond what fits into memory, which are not counted.
    pub beyond: u64,
    /// Records before the time asked for.
    pub earlier: u64,
    since: Option<Moment>,
    after_broken: bool,
    lowered: Vec<u8>,
}

impl Tally {
    /// Counts what happened since then.
    pub fn since(since: Option<Moment>) -> Tally {
        Tally { since, ..Tally::default() }
    }

    /// Reads a line without its end.
    pub fn add(&mut self, line: &[u8]) {
        match parse(line) {
            Ok(record) => {
                if self.after_broken {
                    self.doubtful = self.doubtful.saturating_add(1);
                }
                self.count(&record);
            }
            Err(why) => {
                self.unread = self.unread.saturating_add(1);
                if self.examples.len() < limits::LOG_EXAMPLES {
                    self.examples.push(line.get(..200).unwrap_or(line).to_vec());
                }
                // The rest of the broken record ends what its name may have slipped in.
                self.after_broken = why == Unread::Broken;
            }
        }
    }

    fn count(&mut self, record: &Record<'_>) {
        if self.since.is_some_and(|since| record.at < since) {
            self.earlier = self.earlier.saturating_add(1);
            return;
        }
        self.lowered.clear();
        self.lowered.extend(record.address.iter().map(u8::to_ascii_lowercase));
        let numbers = (self.lists.number(record.list), self.addresses.number(&self.lowered));
        let source = record.source.map(|source| self.sources.number(source));
        match (numbers, source) {
            ((Some(list), Some(address)), None | Some(Some(_)))
                if self.events.len() < limits::LOG_EVENTS =>
            {
                let source = source.flatten();
                self.events.push(Event { at: record.at, kind: record.kind, list, address, source });
            }
            _ => self.beyond = self.beyond.saturating_add(1),
        }
    }

    /// How often each thing happened.
    pub fn total(&self) -> Counts {
        let mut counts = Counts::default();
        self.events.iter().for_each(|event| counts.add_event(event.kind));
        counts
    }

    /// The first and the last moment.
    pub fn span(&self) -> Option<(Moment, Moment)> {
        let at = || self.events.iter().map(|event| event.at);
        Some((at().min()?, at().max()?))
    }

    /// Counts for each name, most requests first; names without a request are left out.
    pub fn by(&self, by: By) -> Vec<(String, Counts)> {
        let (names, number): (&Names, fn(&Event) -> Option<u32>) = match by {
            By::Ip | By::Network => (&self.sources, |event| event.source),
            By::Domain | By::Address => (&self.addresses, |event| Some(event.address)),
            By::List => (&self.lists, |event| Some(event.list)),
        };
        let mut each = vec![Counts::default(); names.len()];
        for event in &self.events {
            let counts = number(event).and_then(|n| each.get_mut(n as usize));
            if let Some(counts) = counts {
                counts.add_event(event.kind);
            }
        }
        let mut groups: HashMap<String, Counts> = HashMap::new();
        for (name, counts) in names.names.iter().zip(&each) {
            let Some(group) = group(by, name) else { continue };
            let sum = groups.entry(group).or_default();
            sum.pending = sum.pending.saturating_add(counts.pending);
            sum.new = sum.new.saturating_add(counts.new);
            sum.deleted = sum.deleted.saturating_add(counts.deleted);
            sum.other = sum.other.saturating_add(counts.other);
        }
        let mut rows: Vec<_> =
            groups.into_iter().filter(|(_, counts)| counts.joining() > 0).collect();
        rows.sort_by(|a, b| b.1.joining().cmp(&a.1.joining()).then_with(|| a.0.cmp(&b.0)));
        rows
    }
}

/// The name under which another is counted.
fn group(by: By, name: &[u8]) -> Option<String> {
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    match by {
        By::Ip => Some(ip(name).map_or_else(|| text(name), |ip| ip.to_string())),
        By::Network => ip(name).map(network),
        By::Domain => Some(text(domain(name))),
        By::List | By::Address => Some(text(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.add(line.as_bytes()));
        tally
    }

    #[test]
    fn counts_by_everything() {
        let tally = tally(&[
            "Mar 02 10:00:00 2020 (1) a: pending X@b.c  192.0.2.1",
            "Mar 02 10:00:01 2020 (1) b: pending x@b.c  192.0.2.2",
            "Mar 02 10:00:02 2020 (1) b: new x@b.c, via email confirmation",
            "Mar 02 10:00:03 2020 (1) b: deleted x@b.c",
        ]);
        let names = |by| tally.by(by).into_iter().map(|(name, c)| (name, c.pending, c.new));
        assert_eq!(names(By::Network).collect::<Vec<_>>(), [("192.0.2.0/24".to_owned(), 2, 0)]);
        assert_eq!(names(By::Address).collect::<Vec<_>>(), [("x@b.c".to_owned(), 2, 1)]);
        let lists: Vec<_> = names(By::List).collect();
        assert_eq!(lists, [("b".to_owned(), 1, 1), ("a".to_owned(), 1, 0)]);
        assert_eq!(tally.total(), Counts { pending: 2, new: 1, deleted: 1, other: 0 });
    }

    #[test]
    fn what_a_name_slipped_in_is_doubtful_and_nothing_is_dropped() {
        // A real name with line ends, as it comes to stand in the log.
        let tally = tally(&[
            "Mar 02 10:00:00 2020 (1) a: pending \"Eve",
            "Mar 02 10:00:00 2020 (1) a: pending victim@x.y  9.9.9.9",
            "\" <eve@b.c>  192.0.2.1",
            "Mar 02 10:00:05 2020 (1) a: pending z@b.c  192.0.2.1",
        ]);
        assert_eq!((tally.unread, tally.doubtful, tally.events.len()), (2, 1, 2));
        assert_eq!(tally.examples.len(), 2);
    }
}
