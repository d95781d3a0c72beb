//! How a figure is shown: what it includes, then rows of name, number and remark.
//!
//! Refuses to judge: a figure that falls short of an aim is printed like any other.

use std::time::Duration;

use hdrhistogram::Histogram;

/// What stands between a request and its answer in a figure.
#[derive(Debug, Clone, Copy)]
pub enum Includes {
    /// In memory: no log, no network.
    Engine,
    /// One node with its log on this machine's disk.
    Fsync,
    /// Three nodes, each with its log on this machine's disk.
    Quorum,
    /// Through the door, on top of the log.
    Http,
}

impl Includes {
    const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Fsync => "engine + fsync",
            Self::Quorum => "engine + fsync + quorum",
            Self::Http => "engine + fsync + HTTP",
        }
    }
}

/// Begins a figure.
pub fn title(name: &str, includes: Includes, what: &str) {
    println!("\n== {name}  [{}]", includes.name());
    for line in what.lines() {
        println!("   {}", line.trim());
    }
}

/// One number.
pub fn row(label: &str, value: &str, remark: &str) {
    println!("   {label:<46} {value:>14}  {remark}");
}

/// `1_234_567.0` as `1.23 M`, and so on.
pub fn big(value: f64) -> String {
    match value {
        _ if value >= 1e9 => format!("{:.2} G", value / 1e9),
        _ if value >= 1e6 => format!("{:.2} M", value / 1e6),
        _ if value >= 1e4 => format!("{:.1} k", value / 1e3),
        _ if value >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

pub fn per_s(value: f64) -> String {
    format!("{}/s", big(value))
}

/// A short time in the unit that suits it.
pub fn short(time: Duration) -> String {
    let ns = time.as_nanos();
    match ns {
        0..10_000 => format!("{ns} ns"),
        10_000..10_000_000 => format!("{} µs", ns / 1_000),
        _ => format!("{} ms", ns / 1_000_000),
    }
}

/// Latencies of one load, in nanoseconds.
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// Three digits, up to a minute.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        Self(histogram.expect("these bounds are in order"))
    }

    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both have the same bounds");
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    pub fn at(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(quantile))
    }

    /// `p50 …  p99 …  p99.9 …`
    pub fn summary(&self) -> String {
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|quantile| short(self.at(quantile)));
        format!("p50 {p50}  p99 {p99}  p99.9 {p999}")
    }
}
