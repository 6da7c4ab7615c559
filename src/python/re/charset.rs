//! Sets of characters, ready to be asked: `_optimize_charset` of sre_compile.

use super::case::{
    Repertoire, lower_ascii, mappings, raise_ascii, unicode_upper, without_upper_ascii,
};
use super::syntax::{Category, Item};
use crate::python::Python;

/// The last character of the Basic Multilingual Plane, where both Pythons' case rules change.
const LAST_OF_BMP: u32 = 0xffff;
/// Beyond this Python 2.7 looks for no case.
const LAST_CASED_OF_PYTHON2: u32 = 0x1_1fff;

/// Sorted ranges of characters that neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    pub(super) fn new(mut ranges: Vec<(u32, u32)>) -> Ranges {
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (low, high) in ranges {
            match merged.last_mut() {
                Some((_, last)) if low <= last.saturating_add(1) => *last = high.max(*last),
                _ => merged.push((low, high)),
            }
        }
        Ranges(merged)
    }

    pub(super) fn contains(&self, c: u32) -> bool {
        let after = self.0.partition_point(|(_, high)| *high < c);
        self.0.get(after).is_some_and(|(low, _)| *low <= c)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    /// Their ASCII characters, one bit a character.
    fn ascii_mask(&self) -> u128 {
        self.0
            .iter()
            .take_while(|(low, _)| *low < 128)
            .map(|(low, high)| (u128::MAX << low) & (u128::MAX >> (127 - high.min(&127))))
            .fold(0, |mask, bits| mask | bits)
    }
}

/// A set ready to be asked.
#[derive(Debug, Clone)]
pub(super) struct CharSet {
    negated: bool,
    /// Whether the lower case of a character is looked up instead of the character.
    folds: bool,
    repertoire: Repertoire,
    ranges: Ranges,
    /// Ranges that a character is in, too, if its upper case is.
    either_case: Ranges,
    categories: Vec<(Category, bool)>,
    /// The answers for ASCII characters, one bit a character.
    ascii: u128,
}

/// The items of a set sorted by how IGNORECASE treats them.
#[derive(Default)]
struct Sorted {
    /// Taken as they are.
    exact: Vec<(u32, u32)>,
    /// Their lower case is taken.
    lowered: Vec<(u32, u32)>,
    either_case: Vec<(u32, u32)>,
    categories: Vec<(Category, bool)>,
}

impl CharSet {
    pub(super) fn new(
        items: &[Item],
        negated: bool,
        ignore_case: bool,
        repertoire: Repertoire,
        python: Python,
    ) -> CharSet {
        let sorted = sort_items(items, ignore_case, repertoire, python);
        let lowered = Ranges::new(sorted.lowered);
        let folds = match python {
            Python::Two => ignore_case,
            // Python 3 looks up the character itself in a set without letters.
            Python::Three => {
                ignore_case
                    && (items.iter().any(|item| beyond_bmp(*item, repertoire))
                        || has_cased(&lowered, repertoire))
            }
        };
        let mut exact = sorted.exact;
        add_lowered(&lowered, repertoire, &mut exact);
        let mut set = CharSet {
            negated,
            folds,
            repertoire,
            ranges: Ranges::new(exact),
            either_case: Ranges::new(sorted.either_case),
            categories: sorted.categories,
            ascii: 0,
        };
        set.ascii = set.ascii_answers();
        set
    }

    /// The set of characters whose lower case is one of `variants`.
    pub(super) fn of_variants(variants: &[u32], negated: bool, repertoire: Repertoire) -> CharSet {
        let mut set = CharSet {
            negated,
            folds: true,
            repertoire,
            ranges: Ranges::new(variants.iter().map(|c| (*c, *c)).collect()),
            either_case: Ranges::default(),
            categories: Vec::new(),
            ascii: 0,
        };
        set.ascii = set.ascii_answers();
        set
    }

    /// Whether `c` is matched.
    pub(super) fn contains(&self, c: u32) -> bool {
        if c < 128 {
            return self.ascii >> c & 1 == 1;
        }
        let c = if self.folds { self.repertoire.lower(c) } else { c };
        self.has_looked_up(c) != self.negated
    }

    /// The ASCII characters that are matched, one bit a character.
    pub(super) fn ascii(&self) -> u128 {
        self.ascii
    }

    fn has_looked_up(&self, c: u32) -> bool {
        self.ranges.contains(c)
            || self
                .categories
                .iter()
                .any(|(category, negated)| self.repertoire.is_in(*category, c) != *negated)
            || !self.either_case.is_empty()
                && (self.either_case.contains(c) || self.either_case.contains(unicode_upper(c)))
    }

    /// [`CharSet::contains`] for all of ASCII at once.
    fn ascii_answers(&self) -> u128 {
        let mut mask = self.ranges.ascii_mask();
        for (category, negated) in &self.categories {
            let bits = self.repertoire.ascii_mask(*category);
            mask |= if *negated { !bits } else { bits };
        }
        let either = self.either_case.ascii_mask();
        mask |= either | lower_ascii(either);
        if self.folds {
            mask = without_upper_ascii(mask) | raise_ascii(mask);
        }
        if self.negated { !mask } else { mask }
    }

    /// All characters that are matched, up to `top`.
    pub(super) fn all(&self, top: u32) -> Ranges {
        let mut found: Vec<(u32, u32)> = self.ranges.iter().collect();
        found.extend(self.either_case.iter());
        for (category, negated) in &self.categories {
            found.extend(category_ranges(self.repertoire.edges(*category), *negated));
        }
        let looked_up = Ranges::new(found);
        let runs = self.repertoire.lower_runs();
        let mut out: Vec<(u32, u32)> = if self.folds {
            // Characters with another lower case have that one's answer.
            let cased = Ranges::new(mappings(runs, 0, u32::MAX).map(|(c, _)| (c, c)).collect());
            let with_answer = mappings(runs, 0, u32::MAX)
                .filter(|(_, lower)| self.has_looked_up(*lower))
                .map(|(c, _)| (c, c));
            subtract(&looked_up, &cased).into_iter().chain(with_answer).collect()
        } else {
            looked_up.iter().collect()
        };
        if !self.either_case.is_empty() {
            let uppers = mappings(Repertoire::Unicode14.upper_runs(), 0, u32::MAX);
            out.extend(
                uppers
                    .filter(|(c, upper)| {
                        self.either_case.contains(*upper)
                            && (!self.folds || self.repertoire.lower(*c) == *c)
                    })
                    .map(|(c, _)| (c, c)),
            );
        }
        let out = Ranges::new(out);
        let out = if self.negated { subtract(&Ranges(vec![(0, top)]), &out) } else { out.0 };
        Ranges(out.into_iter().filter(|r| r.0 <= top).map(|(a, b)| (a, b.min(top))).collect())
    }
}

/// The characters between pairs of edges, or those outside them.
pub(super) fn category_ranges(edges: &[u32], negated: bool) -> Vec<(u32, u32)> {
    let (pairs, _) = edges.as_chunks::<2>();
    let inside = Ranges(pairs.iter().map(|[from, to]| (*from, to.saturating_sub(1))).collect());
    if negated { subtract(&Ranges(vec![(0, u32::MAX)]), &inside) } else { inside.0 }
}

/// The characters of `ranges` that are not in `holes`.
pub(super) fn subtract(ranges: &Ranges, holes: &Ranges) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    let mut holes = holes.0.iter().copied().peekable();
    for (mut low, high) in ranges.iter() {
        while holes.next_if(|hole| hole.1 < low).is_some() {}
        let mut open = true;
        while let Some(hole) = holes.peek().filter(|hole| hole.0 <= high).copied() {
            if hole.0 > low {
                out.push((low, hole.0 - 1));
            }
            if hole.1 >= high {
                open = false;
                break;
            }
            low = hole.1 + 1;
            holes.next();
        }
        if open {
            out.push((low, high));
        }
    }
    out
}

/// Sorts the items as the two Pythons do: planes beyond the first are special to both.
fn sort_items(items: &[Item], ignore_case: bool, repertoire: Repertoire, python: Python) -> Sorted {
    let mut sorted = Sorted::default();
    for item in items {
        let (low, high) = match *item {
            Item::Category { category, negated } => {
                if !sorted.categories.contains(&(category, negated)) {
                    sorted.categories.push((category, negated));
                }
                continue;
            }
            Item::Literal(c) => (c, c),
            Item::Range(low, high) => (low, high),
        };
        let is_range = matches!(item, Item::Range(..));
        match python {
            _ if !ignore_case => sorted.exact.push((low, high)),
            _ if !beyond_bmp(*item, repertoire) => sorted.lowered.push((low, high)),
            _ if !is_range => sorted.exact.push((low, high)),
            _ => {
                if low <= LAST_OF_BMP {
                    sorted.lowered.push((low, LAST_OF_BMP));
                }
                match python {
                    Python::Three => sorted.either_case.push((low, high)),
                    Python::Two => {
                        sorted.exact.push((low, high));
                        if repertoire != Repertoire::Ascii && low <= LAST_CASED_OF_PYTHON2 {
                            let high = high.min(LAST_CASED_OF_PYTHON2);
                            sorted.lowered.push((low.max(LAST_OF_BMP + 1), high));
                        }
                    }
                }
            }
        }
    }
    sorted
}

fn beyond_bmp(item: Item, repertoire: Repertoire) -> bool {
    match item {
        Item::Literal(c) => repertoire.lower(c) > LAST_OF_BMP,
        Item::Range(_, high) => high > LAST_OF_BMP,
        Item::Category { .. } => false,
    }
}

fn has_cased(ranges: &Ranges, repertoire: Repertoire) -> bool {
    ranges.iter().any(|(low, high)| {
        mappings(repertoire.lower_runs(), low, high).next().is_some()
            || mappings(repertoire.upper_runs(), low, high).next().is_some()
    })
}

/// Adds the lower case of all of `ranges`, and what IGNORECASE takes for the same.
///
/// Characters that have another lower case may stay: none of them is ever looked up.
fn add_lowered(ranges: &Ranges, repertoire: Repertoire, out: &mut Vec<(u32, u32)>) {
    if ranges.is_empty() {
        return;
    }
    let mut lowered: Vec<(u32, u32)> = ranges.iter().collect();
    for (low, high) in ranges.iter() {
        let others = mappings(repertoire.lower_runs(), low, high).map(|(_, lower)| lower);
        // Most are in already; leaving those out keeps large ranges cheap.
        lowered.extend(others.filter(|c| !ranges.contains(*c)).map(|c| (c, c)));
    }
    let lowered = Ranges::new(lowered);
    for class in repertoire.variant_classes() {
        if class.iter().any(|c| lowered.contains(*c)) {
            out.extend(class.iter().map(|c| (*c, *c)));
        }
    }
    out.extend(lowered.iter());
}
