//! A request's place among those in flight, and the bytes it holds.

use crate::stats::Stats;
use crate::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShedSettings {
    /// Requests at the same time.
    pub max_requests: usize,
    /// Bytes of callers' bodies that are held at the same time.
    pub max_body_bytes: usize,
}

impl Default for ShedSettings {
    fn default() -> ShedSettings {
        ShedSettings { max_requests: 10_000, max_body_bytes: 512 << 20 }
    }
}

fn full() -> Error {
    Error::new(ErrorKind::Unavailable, "the gateway is at its capacity; try again shortly")
        .with_code("overloaded")
        .with_retry_after(Duration::from_secs(1))
}

/// A request's place among those in flight, and the bytes it holds. Clones share it; the last one gives
/// both back.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Place>);

#[derive(Debug)]
struct Place {
    stats: Arc<Stats>,
    max_body_bytes: i64,
    bytes: AtomicI64,
}

impl Admission {
    pub(crate) fn new(settings: &ShedSettings, stats: &Arc<Stats>) -> Result<Admission, Error> {
        let place = Place {
            stats: stats.clone(),
            max_body_bytes: i64::try_from(settings.max_body_bytes).unwrap_or(i64::MAX),
            bytes: AtomicI64::new(0),
        };
        let most = i64::try_from(settings.max_requests).unwrap_or(i64::MAX);
        // Counted before it is judged: the place gives it back when it is dropped, refused or not.
        if stats.requests_in_flight.add(1) > most {
            drop(Admission(Arc::new(place)));
            return Err(full());
        }
        Ok(Admission(Arc::new(place)))
    }

    /// Holds `bytes` more.
    ///
    /// # Errors
    /// 503 when the gateway holds as much as it may.
    pub fn hold(&self, bytes: usize) -> Result<(), Error> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.bytes.fetch_add(bytes, Relaxed);
        if self.0.stats.body_bytes_in_flight.add(bytes) > self.0.max_body_bytes {
            return Err(full());
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stats.requests_in_flight.dec();
        self.stats.body_bytes_in_flight.add(-*self.bytes.get_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_bounded_and_given_back() {
        let stats = Arc::new(Stats::default());
        let settings = ShedSettings { max_requests: 2, max_body_bytes: 10 };
        let one = Admission::new(&settings, &stats).unwrap();
        assert!(one.hold(8).is_ok());
        let two = Admission::new(&settings, &stats).unwrap();
        assert!(two.hold(8).is_err());
        drop((one, two));
        assert_eq!((stats.body_bytes_in_flight.get(), stats.requests_in_flight.get()), (0, 0));
    }
}
