//! Lets a log line through now and then.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// Seconds between two lines.
const EVERY: u64 = 10;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// When the next may pass, in seconds since the start.
    next: AtomicU64,
    unsaid: AtomicU64,
}

impl Throttle {
    /// Whether a line may be written, and how many were not since the last.
    pub(super) fn pass(&self) -> Option<u64> {
        let now = START.elapsed().as_secs();
        let next = self.next.load(Relaxed);
        if now >= next && self.next.compare_exchange(next, now + EVERY, Relaxed, Relaxed).is_ok() {
            return Some(self.unsaid.swap(0, Relaxed));
        }
        self.unsaid.fetch_add(1, Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_passes_and_the_rest_is_counted() {
        let throttle = Throttle { next: AtomicU64::new(0), unsaid: AtomicU64::new(0) };
        assert_eq!(throttle.pass(), Some(0));
        throttle.next.store(u64::MAX, Relaxed);
        assert_eq!((throttle.pass(), throttle.pass()), (None, None));
        throttle.next.store(0, Relaxed);
        assert_eq!(throttle.pass(), Some(2));
    }
}
