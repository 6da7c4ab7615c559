//! Requests over time, as bars.

use super::moment::{DAY, HOUR, Moment, day, minute};
use super::tally::{Counts, Tally};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Bars of a picture.
pub const MOST_DRAWN: usize = 800;

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// When it begins.
    pub from: Moment,
    /// What happened.
    pub counts: Counts,
}

/// Bars for every hour, or every day where the time is longer than two days; none left out between
/// the first and the last, unless there would be more than `most`: then the last ones.
pub fn bars(tally: &Tally, most: usize) -> (i64, Vec<Bar>) {
    let Some((first, last)) = tally.span() else { return (HOUR, Vec::new()) };
    let unit = if last - first > 2 * DAY { DAY } else { HOUR };
    let mut counted: BTreeMap<i64, Counts> = BTreeMap::new();
    for event in &tally.events {
        counted.entry(event.at.div_euclid(unit)).or_default().add_event(event.kind);
    }
    let (first, last) = (first.div_euclid(unit), last.div_euclid(unit));
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let first = first.max(last.saturating_sub(most.saturating_sub(1)));
    let bar = |n: i64| Bar { from: n * unit, counts: counted.get(&n).copied().unwrap_or_default() };
    (unit, (first..=last).map(bar).collect())
}

fn label(unit: i64, from: Moment) -> String {
    if unit == DAY { day(from) } else { minute(from) }
}

/// Columns of the longest bar.
const COLUMNS: u64 = 40;

/// For a terminal.
pub fn text(unit: i64, bars: &[Bar]) -> String {
    let highest = bars.iter().map(|bar| bar.counts.joining()).max().unwrap_or(0).max(1);
    let line = |bar: &Bar| {
        let many = bar.counts.joining();
        let columns = many.saturating_mul(COLUMNS).div_ceil(highest);
        let blocks = "█".repeat(usize::try_from(columns).unwrap_or_default());
        format!("{}  {many:>7}  {blocks}", label(unit, bar.from)).trim_end().to_owned() + "\n"
    };
    let quiet = |bar: &Bar| bar.counts.joining() == 0;
    bars.chunk_by(|a, b| quiet(a) && quiet(b))
        .map(|run| match run {
            [first, _, _, _, ..] => line(first) + "...\n",
            run => run.iter().map(line).collect(),
        })
        .collect()
}

/// A picture (SVG 1.1), pending requests dark and new members light.
pub fn svg(unit: i64, bars: &[Bar]) -> String {
    let (width, height, left, foot) = (900u64, 240u64, 60u64, 40u64);
    let highest = bars.iter().map(|bar| bar.counts.joining()).max().unwrap_or(0).max(1);
    let count = u64::try_from(bars.len()).unwrap_or(1).max(1);
    let step = ((width - left) / count).clamp(1, 40);
    let tall = |many: u64| many.saturating_mul(height) / highest;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Subscription requests</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"8\" y=\"20\">{highest}</text>\n<text x=\"8\" y=\"{}\">0</text>\n",
        height + foot + 20,
        height + 14,
    );
    for (number, bar) in (0u64..).zip(bars) {
        let (pending, new) = (tall(bar.counts.pending), tall(bar.counts.new));
        let (x, wide) = (left + number * step, step.saturating_sub(1).max(1));
        let base = height + 10;
        let _ = writeln!(
            out,
            "<g><title>{}: {} pending, {} new</title>\
             <rect x=\"{x}\" y=\"{}\" width=\"{wide}\" height=\"{pending}\" fill=\"#9b2226\"/>\
             <rect x=\"{x}\" y=\"{}\" width=\"{wide}\" height=\"{new}\" fill=\"#94d2bd\"/></g>",
            label(unit, bar.from),
            bar.counts.pending,
            bar.counts.new,
            base.saturating_sub(pending),
            base.saturating_sub(pending + new),
        );
    }
    let at = |bar: Option<&Bar>| bar.map(|bar| label(unit, bar.from)).unwrap_or_default();
    let _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{y}\">{}</text>\n\
         <text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{}</text>\n</svg>",
        at(bars.first()),
        (left + count * step).max(left + 300),
        at(bars.last()),
        y = height + 30,
    );
    out
}
