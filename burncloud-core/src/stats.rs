//! Counters and gauges of a gateway: plain atomics, read by whoever exports them.

use crate::{Dialect, Drains, End};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// A value that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    pub(crate) fn inc(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn dec(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    pub(crate) fn add(&self, n: i64) -> i64 {
        self.0.fetch_add(n, Relaxed) + n
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// A value that only goes up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn inc(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The upper bounds of the duration buckets, in milliseconds.
pub const DURATION_BUCKETS_MS: [u64; 12] =
    [5, 25, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 120_000, 600_000];

/// What a gateway counts.
#[derive(Debug, Default)]
pub struct Stats {
    /// Requests under way.
    pub requests_in_flight: Gauge,
    /// Bytes of callers' bodies that are held.
    pub body_bytes_in_flight: Gauge,
    /// Concurrency permits that are out.
    pub concurrency_permits: Gauge,
    /// Requests that are authenticated and not settled.
    pub drafts: Gauge,
    /// Answers that are read on after their caller has gone.
    pub drains: Drains,
    statuses: [[Counter; 5]; 5],
    ends: [Counter; 8],
    durations: [Counter; DURATION_BUCKETS_MS.len() + 1],
    duration_us: Counter,
}

const DIALECTS: [Dialect; 5] =
    [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Cohere, Dialect::Bedrock];
const ENDS: [End; 8] = [
    End::Finished,
    End::Refused,
    End::UpstreamFailed,
    End::UpstreamCut,
    End::TimedOut,
    End::UpstreamError,
    End::CallerGone,
    End::Orphaned,
];

impl Stats {
    pub(crate) fn answered(&self, dialect: Dialect, status: http::StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.statuses[dialect as usize][class].inc();
    }

    pub(crate) fn ended(&self, end: End, took_us: u64) {
        self.ends[end as usize].inc();
        let ms = took_us / 1000;
        let bucket = DURATION_BUCKETS_MS.iter().position(|bound| ms <= *bound);
        self.durations[bucket.unwrap_or(DURATION_BUCKETS_MS.len())].inc();
        self.duration_us.0.fetch_add(took_us, Relaxed);
    }

    /// Answers by dialect and hundred of the status: `(dialect, 2, count)` is 2xx.
    pub fn statuses(&self) -> impl Iterator<Item = (Dialect, usize, u64)> + '_ {
        DIALECTS.into_iter().zip(&self.statuses).flat_map(|(dialect, classes)| {
            classes.iter().enumerate().map(move |(i, count)| (dialect, i + 1, count.get()))
        })
    }

    /// Settled requests by their end.
    pub fn ends(&self) -> impl Iterator<Item = (End, u64)> + '_ {
        ENDS.into_iter().zip(&self.ends).map(|(end, count)| (end, count.get()))
    }

    /// Settled requests by duration: the counts of [`DURATION_BUCKETS_MS`] (not cumulative), then of what
    /// took longer; and the sum in microseconds.
    #[must_use]
    pub fn durations(&self) -> (Vec<u64>, u64) {
        (self.durations.iter().map(Counter::get).collect(), self.duration_us.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_and_end_has_its_place() {
        let stats = Stats::default();
        for dialect in DIALECTS {
            stats.answered(dialect, http::StatusCode::OK);
        }
        for end in ENDS {
            stats.ended(end, 30_000);
        }
        assert!(stats.statuses().filter(|s| s.1 == 2).all(|s| s.2 == 1));
        assert!(stats.ends().all(|(_, count)| count == 1));
        assert_eq!(stats.durations().0.iter().sum::<u64>(), 8);
    }
}
