//! How much passed in the last minute, exactly enough.
//!
//! A minute is 61 buckets of one second: the current one and the 60 before it. An amount counts for at
//! least 60 and less than 61 seconds, so in no 60 seconds does more than the limit pass. (A token bucket
//! would let nearly twice the limit pass in its first minute.)

use parking_lot::Mutex;
use std::time::{Duration, Instant};

const BUCKETS: usize = 61;

/// A sliding minute.
#[derive(Debug)]
pub struct Window {
    origin: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    buckets: [u64; BUCKETS],
    second: u64,
    total: u64,
}

/// What stood in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When enough will have passed out of the window, if nothing more comes in.
    pub retry_after: Duration,
}

/// What passed: where it was counted, so that it can be corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    second: u64,
    amount: u64,
    /// What is left of the limit.
    pub remaining: u64,
}

impl Default for Window {
    fn default() -> Window {
        let inner = Inner { buckets: [0; BUCKETS], second: 0, total: 0 };
        Window { origin: Instant::now(), inner: Mutex::new(inner) }
    }
}

impl Inner {
    fn advance(&mut self, second: u64) {
        if second <= self.second {
            return;
        }
        let steps = (second - self.second).min(BUCKETS as u64);
        for step in 1..=steps {
            let index = ((self.second + step) % BUCKETS as u64) as usize;
            self.total -= std::mem::take(&mut self.buckets[index]);
        }
        if steps == BUCKETS as u64 {
            self.buckets = [0; BUCKETS];
            self.total = 0;
        }
        self.second = second;
    }

    /// When `amount` fits under `limit`: the oldest buckets leave first.
    fn wait(&self, amount: u64, limit: u64) -> u64 {
        let mut excess = (self.total + amount).saturating_sub(limit);
        for age in (0..BUCKETS as u64).rev().filter(|age| *age <= self.second) {
            let held = self.buckets[((self.second - age) % BUCKETS as u64) as usize];
            if held >= excess {
                return BUCKETS as u64 - age;
            }
            excess -= held;
        }
        BUCKETS as u64
    }
}

impl Window {
    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.origin).as_secs()
    }

    /// Counts `amount`, if the window then holds no more than `limit`. An amount that alone is over the
    /// limit passes when the window is empty: it would never fit otherwise.
    ///
    /// # Errors
    /// When it does not fit, and when it will.
    pub fn take(&self, amount: u64, limit: u64, now: Instant) -> Result<Taken, Refused> {
        let mut inner = self.inner.lock();
        inner.advance(self.second(now));
        let fits = inner.total.saturating_add(amount) <= limit || (inner.total == 0 && limit > 0);
        if !fits {
            let seconds = inner.wait(amount.min(limit), limit);
            return Err(Refused { retry_after: Duration::from_secs(seconds.max(1)) });
        }
        let second = inner.second;
        inner.buckets[(second % BUCKETS as u64) as usize] += amount;
        inner.total += amount;
        Ok(Taken { second, amount, remaining: limit.saturating_sub(inner.total) })
    }

    /// Replaces what was counted by what it really was. An amount that has left the window stays out.
    pub fn correct(&self, taken: Taken, amount: u64, now: Instant) {
        let mut inner = self.inner.lock();
        inner.advance(self.second(now));
        if inner.second - taken.second >= BUCKETS as u64 {
            return;
        }
        let index = (taken.second % BUCKETS as u64) as usize;
        inner.buckets[index] = inner.buckets[index] - taken.amount + amount;
        inner.total = inner.total - taken.amount + amount;
    }

    /// What the window holds.
    #[must_use]
    pub fn total(&self, now: Instant) -> u64 {
        let mut inner = self.inner.lock();
        inner.advance(self.second(now));
        inner.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_over_the_limit_and_says_when() {
        let window = Window::default();
        let start = window.origin;
        for i in 0..5 {
            assert_eq!(window.take(1, 5, start).unwrap().remaining, 4 - i);
        }
        let refused = window.take(1, 5, start + Duration::from_secs(10)).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(51));
        assert!(window.take(1, 5, start + Duration::from_secs(60)).is_err());
        assert!(window.take(1, 5, start + Duration::from_secs(61)).is_ok());
    }

    #[test]
    fn corrections_move_the_total() {
        let window = Window::default();
        let start = window.origin;
        let taken = window.take(100, 1000, start).unwrap();
        window.correct(taken, 30, start + Duration::from_secs(5));
        assert_eq!(window.total(start + Duration::from_secs(5)), 30);
        window.correct(Taken { amount: 30, ..taken }, 500, start + Duration::from_secs(70));
        assert_eq!(window.total(start + Duration::from_secs(70)), 0, "it had left");
    }

    #[test]
    fn an_amount_over_the_limit_passes_alone() {
        let window = Window::default();
        assert!(window.take(10, 5, window.origin).is_ok());
        assert!(window.take(1, 5, window.origin).is_err());
        assert!(Window::default().take(1, 0, Instant::now()).is_err());
    }

    #[test]
    fn exact_under_concurrency() {
        let window = Window::default();
        let passed = std::sync::atomic::AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        if window.take(1, 500, window.origin).is_ok() {
                            passed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 500);
    }

    proptest! {
        #[test]
        fn no_minute_holds_more_than_the_limit(steps in proptest::collection::vec((0u64..9_000, 1u64..4), 1..200)) {
            let window = Window::default();
            let (mut at, mut log) = (0u64, Vec::new());
            for (ms, amount) in steps {
                at += ms;
                if window.take(amount, 10, window.origin + Duration::from_millis(at)).is_ok() {
                    log.push((at, amount));
                }
            }
            for (end, _) in &log {
                let held: u64 = log.iter().filter(|(t, _)| *t <= *end && end - t < 60_000).map(|(_, n)| n).sum();
                prop_assert!(held <= 10);
            }
        }
    }
}
