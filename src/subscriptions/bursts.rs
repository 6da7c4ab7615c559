//! Who does too much at once.

use super::moment::{HOUR, Moment};
use super::record::Kind;
use super::tally::{Event, Tally};
use std::collections::HashMap;

/// One source with so many addresses within an hour is a burst.
pub const ADDRESSES: usize = 10;

/// One address on so many lists within an hour is a burst.
pub const LISTS: usize = 5;

/// The worst hour of a source or of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    /// The source, or the address.
    pub who: String,
    /// How many addresses, or lists, in that hour.
    pub many: usize,
    /// When the hour began.
    pub from: Moment,
}

/// Sources that asked for many addresses, most first.
pub fn of_sources(tally: &Tally) -> Vec<Burst> {
    let of = |event: &Event| event.source.map(|source| (source, event.at, event.address));
    let found = worst(tally.events.iter().filter(|e| joins(e)).filter_map(of), ADDRESSES);
    named(found, |number| tally.sources.name(number))
}

/// Addresses that were subscribed to many lists, most first.
pub fn of_addresses(tally: &Tally) -> Vec<Burst> {
    let of = |event: &Event| (event.address, event.at, event.list);
    let found = worst(tally.events.iter().filter(|e| joins(e)).map(of), LISTS);
    named(found, |number| tally.addresses.name(number))
}

fn joins(event: &Event) -> bool {
    matches!(event.kind, Kind::Pending | Kind::New)
}

fn named<'a>(found: Vec<(u32, usize, Moment)>, name: impl Fn(u32) -> &'a [u8]) -> Vec<Burst> {
    let burst = |(number, many, from)| Burst {
        who: String::from_utf8_lossy(name(number)).into_owned(),
        many,
        from,
    };
    let mut bursts: Vec<Burst> = found.into_iter().map(burst).collect();
    bursts.sort_by(|a, b| b.many.cmp(&a.many).then_with(|| a.who.cmp(&b.who)));
    bursts
}

/// For each doer the hour with the most different things done, if that is at least `least`.
fn worst(
    deeds: impl Iterator<Item = (u32, Moment, u32)>,
    least: usize,
) -> Vec<(u32, usize, Moment)> {
    let mut deeds: Vec<(u32, Moment, u32)> = deeds.collect();
    deeds.sort_unstable();
    deeds
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|of_one| of_one.len() >= least)
        .filter_map(|of_one| {
            let (many, from) = widest(of_one);
            (many >= least).then(|| of_one.first().map(|first| (first.0, many, from)))?
        })
        .collect()
}

/// The most different things within an hour, and when it began; the deeds are in order of time.
fn widest(deeds: &[(u32, Moment, u32)]) -> (usize, Moment) {
    let mut within: HashMap<u32, usize> = HashMap::new();
    let mut best = (0, 0);
    let mut oldest = deeds.iter();
    let mut next = oldest.next();
    for (_, at, what) in deeds {
        while let Some((_, _, gone)) = next.filter(|(_, from, _)| at - from >= HOUR) {
            if let Some(times) = within.get_mut(gone) {
                *times -= 1;
                if *times == 0 {
                    within.remove(gone);
                }
            }
            next = oldest.next();
        }
        *within.entry(*what).or_default() += 1;
        if within.len() > best.0 {
            best = (within.len(), next.map_or(*at, |(_, from, _)| *from));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_within_an_hour() {
        let line = |minute: usize, list: usize, address: usize| {
            let (hour, minute) = (minute / 60, minute % 60);
            format!(
                "Mar 02 {hour:02}:{minute:02}:00 2020 (1) l{list}: pending a{address}@b.c  192.0.2.1"
            )
        };
        let tally = |lines: &mut dyn Iterator<Item = String>| {
            let mut tally = Tally::default();
            lines.for_each(|line| tally.add(line.as_bytes()));
            tally
        };
        let fast = tally(&mut (0..10).map(|n| line(n * 5, 0, n)));
        let bursts = of_sources(&fast);
        assert_eq!(bursts.len(), 1);
        assert_eq!((bursts[0].who.as_str(), bursts[0].many), ("192.0.2.1", 10));
        let slow = tally(&mut (0..100).map(|n| line(n * 7, 0, n)));
        assert!(of_sources(&slow).is_empty(), "nine in any hour");
        let same = tally(&mut (0..50).map(|n| line(n, 0, n % 9)));
        assert!(of_sources(&same).is_empty(), "nine addresses");
        let lists = tally(&mut (0..5).map(|n| line(n, n, 0)));
        assert_eq!(of_addresses(&lists)[0].many, 5);
    }
}
