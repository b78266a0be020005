//! A circuit breaker per (channel, model): after enough failures in a window it opens, so that requests go
//! to other lanes first; after a pause one request at a time probes whether the lane has recovered.
//!
//! One error never opens it, and no paid test call is made: the probe is a caller's own request.

use crate::UnixMicros;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// However long a pause is set to be.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures within `window` that open it; 0 is 1.
    pub failures: u32,
    /// The window.
    pub window: Duration,
    /// The first pause; doubles with each failed probe up to `max_pause`.
    pub pause: Duration,
    /// The longest pause, a day at most.
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

/// Why a lane failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The provider answered with this status.
    Status(u16),
    /// No answer could be used. The text holds no secret.
    Error(Box<str>),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Status(status) => write!(f, "the provider answered {status}"),
            Why::Error(text) => f.write_str(text),
        }
    }
}

/// A lane that is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Since when.
    pub since: UnixMicros,
    /// How long still; zero when the next request tries whether it has recovered.
    pub back_in: Duration,
    /// How often it has failed since it last answered.
    pub failures: u32,
    /// How often it was opened since it last answered. 0 where the provider only asked for a pause.
    pub trips: u32,
    /// Why it failed the last time.
    pub why: Option<Why>,
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
    /// Shared with the breakers of the same gateway; read only where something fails or has failed.
    settings: Arc<ArcSwap<BreakerSettings>>,
}

#[derive(Debug, Default)]
struct Inner {
    failures: Vec<Instant>,
    open_until: Option<Instant>,
    trips: u32,
    probe: Option<Instant>,
    since: Option<UnixMicros>,
    /// All failures, those of earlier trips too.
    failed: u32,
    why: Option<Why>,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Breaker {
        Breaker::sharing(Arc::new(ArcSwap::from_pointee(settings)))
    }

    /// A closed one whose settings may change while it is used.
    pub(crate) fn sharing(settings: Arc<ArcSwap<BreakerSettings>>) -> Breaker {
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
            Some(_) => inner.probe.is_none_or(|at| now - at >= self.0.settings.load().pause),
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
        self.fail(None);
    }

    /// The same, and why.
    pub fn failure_because(&self, why: Why) {
        self.fail(Some(why));
    }

    fn fail(&self, why: Option<Why>) {
        let (now, settings) = (Instant::now(), **self.0.settings.load());
        let mut inner = self.0.inner.lock();
        inner.failed = inner.failed.saturating_add(1);
        inner.why = why;
        inner.failures.retain(|at| now - *at < settings.window);
        inner.failures.push(now);
        let probed = inner.probe.take().is_some();
        if probed || inner.failures.len() >= settings.failures as usize {
            let factor = 1 << inner.trips.min(16);
            let until = now + settings.pause.saturating_mul(factor).min(settings.max_pause).min(LONGEST);
            // A longer rest that the provider asked for stands.
            inner.open_until = Some(inner.open_until.map_or(until, |asked| asked.max(until)));
            inner.since.get_or_insert_with(UnixMicros::now);
            inner.trips = inner.trips.saturating_add(1);
            inner.failures.clear();
        }
        self.0.state.store(TRIPPED, Relaxed);
    }

    /// The provider asked for a pause (`retry-after`): other lanes go first until then.
    pub fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST);
        let mut inner = self.0.inner.lock();
        inner.since.get_or_insert_with(UnixMicros::now);
        if inner.open_until.is_none_or(|open| open < until) {
            inner.open_until = Some(until);
        }
        self.0.state.store(TRIPPED, Relaxed);
    }

    /// The lane is well again, somebody says: it is used like any other from now on.
    pub fn wake(&self) {
        self.success();
    }

    /// Why it is passed over, since when and how long still; `None` where it is not.
    #[must_use]
    pub fn resting(&self) -> Option<Resting> {
        if self.0.state.load(Relaxed) == CLOSED {
            return None;
        }
        let inner = self.0.inner.lock();
        let until = inner.open_until?;
        Some(Resting {
            since: inner.since?,
            back_in: until.saturating_duration_since(Instant::now()),
            failures: inner.failed,
            trips: inner.trips,
            why: inner.why.clone(),
        })
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
    fn one_that_rests_says_why() {
        let breaker = quick();
        breaker.failure();
        breaker.failure_because(Why::Status(500));
        assert_eq!(breaker.resting(), None, "two failures are none yet");
        breaker.failure_because(Why::Error("the provider cannot be reached".into()));
        let resting = breaker.resting().unwrap();
        assert_eq!((resting.failures, resting.trips), (3, 1));
        assert_eq!(resting.why.unwrap().to_string(), "the provider cannot be reached");
        assert!(resting.since <= UnixMicros::now());
        breaker.failure();
        assert_eq!(breaker.resting().unwrap().failures, 4);
        breaker.wake();
        assert!(breaker.resting().is_none() && breaker.admits());
        breaker.failure();
        assert_eq!(breaker.state(), BreakerState::Closed, "what was, is forgotten");
    }

    #[test]
    fn a_pause_that_was_asked_for_is_a_rest() {
        let breaker = quick();
        breaker.failure_because(Why::Status(429));
        breaker.rest(Duration::from_secs(60));
        let resting = breaker.resting().unwrap();
        assert!(resting.back_in > Duration::from_secs(30) && resting.trips == 0, "{resting:?}");
        assert_eq!(resting.why, Some(Why::Status(429)));
    }

    #[test]
    fn settings_change_under_breakers_that_are_in_use() {
        let settings = Arc::new(ArcSwap::from_pointee(BreakerSettings::default()));
        let breaker = Breaker::sharing(settings.clone());
        breaker.failure();
        assert!(breaker.admits());
        let odd = BreakerSettings {
            failures: 2,
            pause: Duration::MAX,
            max_pause: Duration::MAX,
            ..**settings.load()
        };
        settings.store(Arc::new(odd));
        breaker.failure();
        assert!(!breaker.admits());
        assert!(breaker.resting().unwrap().back_in <= LONGEST);
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
