//! How fast somebody may change things.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Changes that somebody may make at once.
const BURST: f64 = 240.0;
/// And in a second, after that.
const PER_SECOND: f64 = 4.0;
/// How many people are remembered.
const PEOPLE: usize = 10_000;

/// Remembers who changed how much of late.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<String, (f64, Instant)>>);

impl Pace {
    /// Counts a change of somebody's; the seconds to wait where it is one too many.
    pub(super) fn take(&self, who: &str, now: Instant) -> Result<(), u32> {
        let mut people = self.0.lock();
        if people.len() >= PEOPLE && !people.contains_key(who) {
            let rested = Duration::from_secs_f64(BURST / PER_SECOND);
            people.retain(|_, (_, at)| now.saturating_duration_since(*at) < rested);
            if people.len() >= PEOPLE {
                return Err(1);
            }
        }
        let (left, at) = people.entry(who.to_owned()).or_insert((BURST, now));
        let gained = now.saturating_duration_since(*at).as_secs_f64() * PER_SECOND;
        (*left, *at) = ((*left + gained).min(BURST), now);
        if *left < 1.0 {
            return Err(1);
        }
        *left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_a_change_at_a_time() {
        let (pace, start) = (Pace::default(), Instant::now());
        let passed = (0..1_000).filter(|_| pace.take("a", start).is_ok()).count();
        assert_eq!(passed, 240);
        assert!(pace.take("b", start).is_ok(), "somebody else is not held up");
        assert!(pace.take("a", start + Duration::from_millis(250)).is_ok());
        assert!(pace.take("a", start + Duration::from_millis(250)).is_err());
    }
}
