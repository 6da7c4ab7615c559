//! What the daemon has done, counted.

use super::reply::Word;
use super::request::Request;
use super::service::Service;
use crate::mailman::verdict::Decision;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Names of queries, as they are counted.
const QUERIES: [&str; 8] = [
    "test-sender",
    "test-message",
    "list-domain",
    "test-subscribe",
    "ping",
    "status",
    "metrics",
    "malformed",
];

/// Names of verdicts.
const VERDICTS: [&str; 6] = ["accept", "hold", "reject", "discard", "undecided", "error"];

/// Classes of latency: each four times as fine as a power of two of microseconds.
const CLASSES: usize = 128;

/// Microseconds below which Prometheus' buckets count.
const BUCKETS: [u64; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];

/// Counters since the start.
#[derive(Debug)]
pub struct Counters {
    started: Instant,
    queries: [AtomicU64; 8],
    verdicts: [AtomicU64; 6],
    latency: [AtomicU64; CLASSES],
    latency_sum: AtomicU64,
    /// Connections that were taken.
    pub connections: AtomicU64,
    /// Of clients that may not ask.
    pub strangers: AtomicU64,
    /// Dropped for newer ones, there being too many.
    pub dropped: AtomicU64,
    /// Requests that did not come in time.
    pub late: AtomicU64,
    /// Questions that could not be answered in time.
    pub unanswered: AtomicU64,
    /// Questions at which this program failed.
    pub panics: AtomicU64,
}

fn add(counter: Option<&AtomicU64>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Relaxed);
    }
}

impl Default for Counters {
    fn default() -> Counters {
        let zero = || AtomicU64::new(0);
        Counters {
            started: Instant::now(),
            queries: std::array::from_fn(|_| zero()),
            verdicts: std::array::from_fn(|_| zero()),
            latency: std::array::from_fn(|_| zero()),
            latency_sum: zero(),
            connections: zero(),
            strangers: zero(),
            dropped: zero(),
            late: zero(),
            unanswered: zero(),
            panics: zero(),
        }
    }
}

impl Counters {
    /// A request came; `None`: one that is none.
    pub fn asked(&self, request: Option<&Request>) {
        let index = match request {
            Some(Request::Sender(_)) => 0,
            Some(Request::Message(_)) => 1,
            Some(Request::Domain(_)) => 2,
            Some(Request::Subscribe(_)) => 3,
            Some(Request::Ping) => 4,
            Some(Request::Status) => 5,
            Some(Request::Metrics) => 6,
            None => 7,
        };
        add(self.queries.get(index));
    }

    /// An answer went, so long after its connection was taken.
    pub fn answered(&self, word: Word, after: Duration) {
        let index = match word {
            Word::Verdict(Decision::Accept) => 0,
            Word::Verdict(Decision::Hold) => 1,
            Word::Verdict(Decision::Reject) => 2,
            Word::Verdict(Decision::Discard) => 3,
            Word::Verdict(Decision::Undecided) => 4,
            Word::Error(_) => 5,
        };
        add(self.verdicts.get(index));
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        add(self.latency.get(class(micros)));
        self.latency_sum.fetch_add(micros, Relaxed);
    }

    /// The time below which so many thousandths of the answers went, in microseconds.
    fn percentile(&self, thousandths: u64) -> u64 {
        let counts: Vec<u64> = self.latency.iter().map(|c| c.load(Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        let wanted = total.saturating_mul(thousandths).div_ceil(1000);
        let mut seen = 0u64;
        for (class, count) in counts.iter().enumerate() {
            seen = seen.saturating_add(*count);
            if seen >= wanted && total > 0 {
                return upper(class);
            }
        }
        0
    }

    /// All of it, for people.
    pub fn status(&self, service: &Service) -> String {
        let cache = &service.cache;
        let mut text = format!("mm-query {}\n", env!("CARGO_PKG_VERSION"));
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<12} {value}");
        };
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        let all = |names: &[&str], counters: &[AtomicU64]| {
            let each = names.iter().zip(counters).map(|(name, n)| format!("{name} {}", get(n)));
            each.collect::<Vec<_>>().join(", ")
        };
        line("up", format!("{} s", self.started.elapsed().as_secs()));
        line("queries", all(&QUERIES, &self.queries));
        line("answers", all(&VERDICTS, &self.verdicts));
        let [half, most, nearly_all] = [500, 990, 999].map(|p| self.percentile(p));
        line("latency", format!("50 % below {half} us, 99 % {most} us, 99.9 % {nearly_all} us"));
        let (lists, bytes) = cache.size();
        let (members, kept, strings) = cache.members();
        line(
            "cache",
            format!(
                "{lists} lists, {bytes} bytes, {members} addresses in {kept} bytes, {strings} of them their own"
            ),
        );
        line(
            "lists",
            format!(
                "{} at hand, {} read, {} not kept, {} evicted",
                get(&cache.hits),
                get(&cache.reads),
                get(&cache.streamed),
                get(&cache.evicted)
            ),
        );
        line(
            "connections",
            format!(
                "{} taken, {} of strangers, {} dropped, {} late, {} unanswered",
                get(&self.connections),
                get(&self.strangers),
                get(&self.dropped),
                get(&self.late),
                get(&self.unanswered)
            ),
        );
        line(
            "troubles",
            format!("{} panics, {} lines not logged", get(&self.panics), service.log.unlogged()),
        );
        text
    }

    /// All of it in Prometheus' text format.
    pub fn metrics(&self, service: &Service) -> String {
        let cache = &service.cache;
        let mut text = String::new();
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
            let _ = writeln!(text, "# HELP mm_query_{name} {help}\n# TYPE mm_query_{name} {kind}");
            for (suffix, value) in samples {
                let _ = writeln!(text, "mm_query_{name}{suffix} {value}");
            }
        };
        let labelled = |label: &str, names: &[&str], counters: &[AtomicU64]| {
            let sample =
                |(name, n): (&&str, &AtomicU64)| (format!("{{{label}=\"{name}\"}}"), get(n));
            names.iter().zip(counters).map(sample).collect::<Vec<_>>()
        };
        family(
            "queries_total",
            "counter",
            "Requests by query.",
            &labelled("query", &QUERIES, &self.queries),
        );
        family(
            "answers_total",
            "counter",
            "Answers by verdict.",
            &labelled("verdict", &VERDICTS, &self.verdicts),
        );
        let counts: Vec<u64> = self.latency.iter().map(get).collect();
        let mut samples: Vec<(String, u64)> = Vec::new();
        for bound in BUCKETS {
            let below = counts.iter().enumerate().filter(|(class, _)| upper(*class) <= bound);
            samples.push((format!("_bucket{{le=\"{bound}\"}}"), below.map(|(_, n)| n).sum()));
        }
        samples.push(("_bucket{le=\"+Inf\"}".into(), counts.iter().sum()));
        samples.push(("_sum".into(), get(&self.latency_sum)));
        samples.push(("_count".into(), counts.iter().sum()));
        family(
            "latency_microseconds",
            "histogram",
            "From taking a connection to its answer.",
            &samples,
        );
        let (lists, bytes) = cache.size();
        for (name, kind, help, value) in [
            ("cache_lists", "gauge", "Lists that are kept.", lists as u64),
            ("cache_bytes", "gauge", "Bytes that they take.", bytes as u64),
            (
                "cache_hits_total",
                "counter",
                "Questions to a list that was at hand.",
                get(&cache.hits),
            ),
            ("cache_reads_total", "counter", "Lists read.", get(&cache.reads)),
            (
                "cache_streamed_total",
                "counter",
                "Questions that had to read the file.",
                get(&cache.streamed),
            ),
            ("cache_evictions_total", "counter", "Lists that had to go.", get(&cache.evicted)),
            ("connections_total", "counter", "Connections taken.", get(&self.connections)),
            (
                "strangers_total",
                "counter",
                "Connections of clients that may not ask.",
                get(&self.strangers),
            ),
            ("dropped_total", "counter", "Connections dropped for newer ones.", get(&self.dropped)),
            ("late_total", "counter", "Requests that did not come in time.", get(&self.late)),
            (
                "unanswered_total",
                "counter",
                "Questions not answered in time.",
                get(&self.unanswered),
            ),
            (
                "panics_total",
                "counter",
                "Questions at which the program failed.",
                get(&self.panics),
            ),
            ("unlogged_total", "counter", "Lines not logged.", service.log.unlogged()),
            (
                "uptime_seconds",
                "gauge",
                "Seconds since the start.",
                self.started.elapsed().as_secs(),
            ),
        ] {
            family(name, kind, help, &[(String::new(), value)]);
        }
        text
    }
}

/// The class of so many microseconds.
fn class(micros: u64) -> usize {
    if micros < 4 {
        return micros as usize;
    }
    let power = 63 - u64::from(micros.leading_zeros());
    let quarter = micros >> (power - 2) & 3;
    ((power * 4 + quarter - 4) as usize).min(CLASSES - 1)
}

/// The microseconds below or at which all of a class are.
fn upper(class: usize) -> u64 {
    if class < 4 {
        return class as u64;
    }
    let (power, quarter) = ((class as u64 + 4) / 4, (class as u64 + 4) % 4);
    ((4 + quarter + 1) << (power - 2)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_in_order_and_a_quarter_wide_at_most() {
        let mut last = 0;
        for micros in 0..1_000_000u64 {
            let class = class(micros);
            assert!(class == last || class == last + 1, "{micros}");
            assert!(micros <= upper(class), "{micros}");
            assert!(upper(class) <= micros + micros / 4, "{micros} {}", upper(class));
            last = class;
        }
        assert!(class(u64::MAX) < CLASSES);
    }

    #[test]
    fn percentiles_are_of_what_was_counted() {
        let counters = Counters::default();
        for micros in 1..=1000 {
            counters.answered(Word::Verdict(Decision::Accept), Duration::from_micros(micros));
        }
        let (half, most) = (counters.percentile(500), counters.percentile(990));
        assert!((500..=640).contains(&half), "{half}");
        assert!((990..=1280).contains(&most), "{most}");
    }
}
