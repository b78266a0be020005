//! A circuit breaker per (channel, model): after enough failures in a window it opens, so that requests go
//! to other lanes first; after a pause one request at a time probes whether the lane has recovered.
//!
//! One error never opens it, and no paid test call is made: the probe is a caller's own request.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures within `window` that open it.
    pub failures: u32,
    /// The window.
    pub window: Duration,
    /// The first pause; doubles with each failed probe up to `max_pause`.
    pub pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
}

impl Default for BreakerSettings {
    /// Five failures in 30 s open it for 10 s, at most 5 minutes.
    fn default() -> BreakerSettings {
        BreakerSettings {
            failures: 5,
            window: Duration::from_secs(30),
            pause: Duration::from_secs(10),
            max_pause: Duration::from_secs(300),
        }
    }
}

/// What a breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Everything.
    Closed,
    /// Nothing, unless there is no other lane.
    Open,
    /// One request at a time, to see whether the lane has recovered.
    HalfOpen,
}

const CLOSED: u8 = 0;
const TRIPPED: u8 = 1;

/// The breaker of one lane; clones share its state.
#[derive(Clone, Debug, Default)]
pub struct Breaker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// [`CLOSED`] and no failure noted: the only thing a healthy request reads.
    state: AtomicU8,
    inner: Mutex<Inner>,
    settings: BreakerSettings,
}

#[derive(Debug, Default)]
struct Inner {
    failures: Vec<Instant>,
    open_until: Option<Instant>,
    trips: u32,
    probe: Option<Instant>,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Breaker {
        Breaker(Arc::new(Shared { settings, ..Shared::default() }))
    }

    /// Whether a request may go this way now: the breaker is closed, or it is time for a probe.
    #[must_use]
    pub fn admits(&self) -> bool {
        if self.0.state.load(Relaxed) == CLOSED {
            return true;
        }
        let now = Instant::now();
        let inner = self.0.inner.lock();
        match inner.open_until {
            None => true,
            Some(until) if now < until => false,
            // A probe that never reported (its caller went away) is given up after a while.
            Some(_) => inner.probe.is_none_or(|at| now - at >= self.0.settings.pause),
        }
    }

    /// A request goes this way now. In the half-open state it is the probe, and others wait for its outcome.
    pub fn probe(&self) {
        if self.0.state.load(Relaxed) != CLOSED {
            let mut inner = self.0.inner.lock();
            if inner.open_until.is_some() {
                inner.probe = Some(Instant::now());
            }
        }
    }

    /// The request that was the probe never reached the lane: the next one is.
    pub(crate) fn unprobed(&self) {
        if self.0.state.load(Relaxed) != CLOSED {
            self.0.inner.lock().probe = None;
        }
    }

    /// The lane answered.
    pub fn success(&self) {
        if self.0.state.load(Relaxed) == CLOSED {
            return;
        }
        *self.0.inner.lock() = Inner::default();
        self.0.state.store(CLOSED, Relaxed);
    }

    /// The lane failed in a way that is its own fault.
    pub fn failure(&self) {
        let (now, settings) = (Instant::now(), &self.0.settings);
        let mut inner = self.0.inner.lock();
        inner.failures.retain(|at| now - *at < settings.window);
        inner.failures.push(now);
        let probed = inner.probe.take().is_some();
        if probed || inner.failures.len() >= settings.failures as usize {
            let factor = 1 << inner.trips.min(16);
            let until = now + (settings.pause * factor).min(settings.max_pause);
            // A longer rest that the provider asked for stands.
            inner.open_until = Some(inner.open_until.map_or(until, |asked| asked.max(until)));
            inner.trips += 1;
            inner.failures.clear();
        }
        self.0.state.store(TRIPPED, Relaxed);
    }

    /// The provider asked for a pause (`retry-after`): other lanes go first until then.
    pub fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut inner = self.0.inner.lock();
        if inner.open_until.is_none_or(|open| open < until) {
            inner.open_until = Some(until);
        }
        self.0.state.store(TRIPPED, Relaxed);
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        if self.0.state.load(Relaxed) == CLOSED {
            return BreakerState::Closed;
        }
        match self.0.inner.lock().open_until {
            None => BreakerState::Closed,
            Some(until) if Instant::now() < until => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Breaker {
        Breaker::new(BreakerSettings { failures: 3, pause: Duration::from_millis(20), ..Default::default() })
    }

    #[test]
    fn one_error_does_not_open_it_and_a_success_forgets() {
        let breaker = quick();
        breaker.failure();
        breaker.failure();
        assert!(breaker.admits());
        breaker.success();
        breaker.failure();
        breaker.failure();
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn opens_then_lets_one_probe_through() {
        let breaker = quick();
        (0..3).for_each(|_| breaker.failure());
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(!breaker.admits());
        std::thread::sleep(Duration::from_millis(25));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(breaker.admits(), "the probe");
        breaker.probe();
        assert!(!breaker.admits(), "only one");
        breaker.success();
        assert!(breaker.admits() && breaker.admits());
    }

    #[test]
    fn a_probe_that_never_went_out_leaves_its_place() {
        let breaker = quick();
        (0..3).for_each(|_| breaker.failure());
        std::thread::sleep(Duration::from_millis(25));
        breaker.probe();
        breaker.unprobed();
        assert!(breaker.admits(), "the next one probes");
    }

    #[test]
    fn a_failed_probe_opens_it_for_longer() {
        let breaker = quick();
        (0..3).for_each(|_| breaker.failure());
        std::thread::sleep(Duration::from_millis(25));
        assert!(breaker.admits());
        breaker.probe();
        breaker.failure();
        std::thread::sleep(Duration::from_millis(25));
        assert_eq!(breaker.state(), BreakerState::Open, "twice the pause");
    }
}
