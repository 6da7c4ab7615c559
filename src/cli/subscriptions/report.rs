//! What was counted, for people and for programs.

use crate::answer::one_line;
use crate::cli::args::GroupBy;
use crate::cli::table::table;
use crate::cli::workers;
use crate::subscriptions::bursts::{self, ADDRESSES, Burst, LISTS};
use crate::subscriptions::chart;
use crate::subscriptions::moment::{DAY, minute};
use crate::subscriptions::tally::{By, Counts, Tally};
use serde_json::{Value, json};

/// The tables of a whole report, with their headings.
const TABLES: [(GroupBy, By, &str, &str); 5] = [
    (GroupBy::Ip, By::Ip, "ip", "source"),
    (GroupBy::Network, By::Network, "network", "network"),
    (GroupBy::Domain, By::Domain, "domain", "domain"),
    (GroupBy::List, By::List, "list", "list"),
    (GroupBy::Address, By::Address, "address", "address"),
];

/// Bars for people.
const BARS: usize = 62;

/// Everything that a report says.
pub(super) struct Report<'a> {
    tally: &'a Tally,
    /// How many files were to be read.
    files: usize,
    /// The tables wanted, with their keys in JSON and their headings.
    tables: Vec<Table>,
    /// Sources that subscribe many addresses.
    sources: Vec<Burst>,
    /// Addresses that are subscribed to many lists.
    addresses: Vec<Burst>,
    /// The only table wanted.
    by: Option<GroupBy>,
    /// Rows of a table.
    top: usize,
}

struct Table {
    key: &'static str,
    heading: &'static str,
    rows: Vec<(String, Counts)>,
}

/// What can be worked out at the same time as other things.
enum Part {
    Table(&'static (GroupBy, By, &'static str, &'static str)),
    Sources,
    Addresses,
}

enum Done {
    Table(Table),
    Sources(Vec<Burst>),
    Addresses(Vec<Burst>),
}

impl<'a> Report<'a> {
    /// Works all of it out. `by`: the only table wanted; `top`: its rows.
    pub(super) fn new(
        tally: &'a Tally,
        files: usize,
        by: Option<GroupBy>,
        top: usize,
    ) -> Report<'a> {
        let mut report = Report {
            tally,
            files,
            tables: Vec::new(),
            sources: Vec::new(),
            addresses: Vec::new(),
            by,
            top,
        };
        let mut parts = vec![Part::Sources, Part::Addresses];
        parts.extend(TABLES.iter().filter(|table| report.wants(table.0)).map(Part::Table));
        let done = workers::all(&parts, |part| match part {
            Part::Table((_, by, key, heading)) => {
                Done::Table(Table { key, heading, rows: tally.by(*by) })
            }
            Part::Sources => Done::Sources(bursts::of_sources(tally)),
            Part::Addresses => Done::Addresses(bursts::of_addresses(tally)),
        });
        for done in done {
            match done {
                Done::Table(table) => report.tables.push(table),
                Done::Sources(bursts) => report.sources = bursts,
                Done::Addresses(bursts) => report.addresses = bursts,
            }
        }
        report
    }

    fn wants(&self, what: GroupBy) -> bool {
        self.by.is_none_or(|by| by == what)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut out = self.head();
        if self.wants(GroupBy::Hour) {
            let (unit, bars) = chart::bars(self.tally, BARS);
            let unit_name = if unit == DAY { "day" } else { "hour" };
            out += &format!("\nRequests and new members by {unit_name}\n\n");
            out += &chart::text(unit, &bars);
        }
        self.tables.iter().for_each(|table| out += &self.table(table));
        if self.by.is_none() {
            let title =
                format!("Bursts: sources with {ADDRESSES} addresses or more within an hour");
            out += &self.bursts(&title, "addresses", &self.sources);
            let title = format!("Bursts: addresses on {LISTS} lists or more within an hour");
            out += &self.bursts(&title, "lists", &self.addresses);
        }
        out
    }

    fn head(&self) -> String {
        let tally = self.tally;
        let Counts { pending, new, deleted, other } = tally.total();
        let span = match tally.span() {
            Some((first, last)) => format!("{} to {}", minute(first), minute(last)),
            None => "nothing".to_owned(),
        };
        let files = if self.files == 1 { "1 file".into() } else { format!("{} files", self.files) };
        let mut out = format!(
            "{files}, {span}: {pending} pending, {new} new, {deleted} deleted, {other} others\n"
        );
        let notes = [
            (tally.earlier, "earlier: left out"),
            (tally.beyond, "NOT COUNTED: too many records, or different names"),
            (tally.doubtful, "right behind a broken line: a stranger may have written them"),
            (tally.unread, "that cannot be read, beginning with:"),
        ];
        for (many, what) in notes {
            if many > 0 {
                out += &format!("{many} {what}\n");
            }
        }
        for line in &tally.examples {
            out += &format!("    {}\n", one_line(&latin(line)));
        }
        out
    }

    fn table(&self, Table { heading, rows, .. }: &Table) -> String {
        let mut cells = vec![vec!["pending".into(), "new".into(), (*heading).to_owned()]];
        cells.extend(rows.iter().take(self.top).map(|(name, counts)| {
            vec![format!("{:>7}", counts.pending), format!("{:>3}", counts.new), name.clone()]
        }));
        let more = rows.len().saturating_sub(self.top);
        let more = if more > 0 { format!("         and {more} more\n") } else { String::new() };
        format!("\n{}{more}", table(&cells))
    }

    fn bursts(&self, title: &str, many: &str, bursts: &[Burst]) -> String {
        if bursts.is_empty() {
            return format!("\n{title}: none\n");
        }
        let row = |burst: &Burst| {
            vec![format!("{} {many}", burst.many), minute(burst.from), burst.who.clone()]
        };
        let rows: Vec<_> = bursts.iter().take(self.top).map(row).collect();
        format!("\n{title}\n{}", table(&rows))
    }

    /// One object on one line.
    pub(super) fn json(&self) -> String {
        let tally = self.tally;
        let mut tables = serde_json::Map::new();
        for Table { key, rows, .. } in &self.tables {
            let rows: Vec<Value> = rows.iter().take(self.top).map(row_as_json).collect();
            tables.insert((*key).to_owned(), rows.into());
        }
        let (unit, bars) = chart::bars(tally, chart::MOST_DRAWN);
        let bars: Vec<Value> = bars
            .iter()
            .map(|bar| json!({"from": minute(bar.from), "counts": counts_as_json(bar.counts)}))
            .collect();
        let burst = |b: &Burst| json!({"who": b.who, "many": b.many, "from": minute(b.from)});
        let examples: Vec<String> = tally.examples.iter().map(|line| latin(line)).collect();
        let answer = json!({
            "files": self.files,
            "total": counts_as_json(tally.total()),
            "unread": tally.unread,
            "unread_examples": examples,
            "doubtful": tally.doubtful,
            "not_counted": tally.beyond,
            "unit_seconds": unit,
            "over_time": bars,
            "by": tables,
            "bursts_of_sources": self.sources.iter().take(self.top).map(burst).collect::<Vec<_>>(),
            "bursts_of_addresses":
                self.addresses.iter().take(self.top).map(burst).collect::<Vec<_>>(),
        });
        crate::answer::json_line(&answer)
    }
}

fn counts_as_json(counts: Counts) -> Value {
    json!({
        "pending": counts.pending,
        "new": counts.new,
        "deleted": counts.deleted,
        "other": counts.other,
    })
}

fn row_as_json((name, counts): &(String, Counts)) -> Value {
    json!({"name": name, "counts": counts_as_json(*counts)})
}

/// Logs are written in Latin-1.
fn latin(line: &[u8]) -> String {
    line.iter().map(|c| char::from(*c)).collect()
}
