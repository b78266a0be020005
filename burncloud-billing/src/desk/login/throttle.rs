//! Whoever tries again and again waits longer and longer.

use burncloud_core::UnixMicros;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;

const SECOND: i64 = 1_000_000;
/// The most that are remembered at once.
const MOST: usize = 16_384;

/// How many tries somebody has, and how long they wait then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Tries before they wait.
    pub(super) free: u32,
    /// What the first wait is in seconds; each is twice the one before.
    pub(super) first: i64,
    /// The longest wait in seconds.
    pub(super) most: i64,
    /// After how many seconds of quiet it is forgotten.
    pub(super) memory: i64,
}

/// Of a name: five, then 15 s, 30 s, … up to an hour.
pub(super) const OF_NAME: Patience = Patience { free: 5, first: 15, most: 3600, memory: 30 * 86_400 };
/// Of an address: many may be behind one.
pub(super) const OF_ADDRESS: Patience = Patience { free: 20, first: 5, most: 600, memory: 3600 };
/// Of the one-time password of the first run: six, then a minute.
pub(super) const OF_SETUP: Patience = Patience { free: 6, first: 60, most: 60, memory: 60 };
/// Of new users from one address: three an hour.
pub(super) const OF_REGISTRATION: Patience = Patience { free: 3, first: 3600, most: 3600, memory: 3600 };
/// Of being sent to the provider of identities from one address: whoever comes in by it is forgiven.
pub(super) const OF_PROVIDER: Patience = Patience { free: 60, first: 5, most: 60, memory: 600 };

impl Patience {
    /// Until when nobody gets in after so many failures in a row.
    pub(super) fn lock(self, failures: u32, now: UnixMicros) -> Option<UnixMicros> {
        let over = failures.checked_sub(self.free)?;
        let wait =
            self.first.saturating_mul(1_i64.checked_shl(over.min(32)).unwrap_or(i64::MAX)).min(self.most);
        Some(UnixMicros(now.0 + wait * SECOND))
    }
}

#[derive(Clone, Copy)]
struct Tried {
    failures: u32,
    /// Tries that nobody knows the end of yet.
    open: u32,
    until: UnixMicros,
    last: UnixMicros,
}

/// Failures in memory: by address, by name that is nobody's, and by browser.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<String, Tried>>);

impl Throttle {
    /// How many seconds are left to wait.
    pub(super) fn wait(&self, who: &str, now: UnixMicros) -> Option<u64> {
        let until = self.0.lock().get(who)?.until;
        seconds_left(until, now)
    }

    /// Takes one of the tries that are left, before any work is done for it: of a burst no more get through than are free, and
    /// one at a time after that. Else how many seconds are left to wait.
    pub(super) fn take(&self, who: String, patience: Patience, now: UnixMicros) -> Result<Turn<'_>, u64> {
        let mut all = self.0.lock();
        let tried = Tried::of(&mut all, &who, patience, now);
        if let Some(seconds) = seconds_left(tried.until, now) {
            return Err(seconds);
        }
        if tried.open > 0 && tried.failures.saturating_add(tried.open) >= patience.free {
            return Err(1);
        }
        tried.open += 1;
        drop(all);
        Ok(Turn { throttle: self, who, patience })
    }

    /// Counts a failure; answers how many there are in a row.
    pub(super) fn failed(&self, who: &str, patience: Patience, now: UnixMicros) -> u32 {
        let mut all = self.0.lock();
        let tried = Tried::of(&mut all, who, patience, now);
        tried.failures = tried.failures.saturating_add(1);
        tried.last = now;
        tried.until = patience.lock(tried.failures, now).unwrap_or(UnixMicros(0));
        tried.failures
    }

    /// Forgets.
    pub(super) fn succeeded(&self, who: &str) {
        self.0.lock().remove(who);
    }
}

impl Tried {
    /// What is remembered of somebody, which may be nothing.
    fn of<'a>(
        all: &'a mut HashMap<String, Tried>,
        who: &str,
        patience: Patience,
        now: UnixMicros,
    ) -> &'a mut Tried {
        if all.len() >= MOST && !all.contains_key(who) {
            // Those who were quiet longest are forgotten, many at once: this looks at all of them.
            let mut times: Vec<UnixMicros> = all.values().map(|tried| tried.last).collect();
            let (_, middle, _) = times.select_nth_unstable(MOST / 8);
            let middle = *middle;
            all.retain(|_, tried| tried.last > middle);
        }
        let none = Tried { failures: 0, open: 0, until: UnixMicros(0), last: now };
        let tried = all.entry(who.to_owned()).or_insert(none);
        if tried.last.0 + patience.memory * SECOND <= now.0 {
            *tried = Tried { open: tried.open, ..none };
        }
        tried
    }
}

/// A try that was taken. It counts once it is said to have failed; else it is given back.
pub(super) struct Turn<'a> {
    throttle: &'a Throttle,
    who: String,
    patience: Patience,
}

impl Turn<'_> {
    /// Counts it.
    pub(super) fn failed(&self, now: UnixMicros) {
        self.throttle.failed(&self.who, self.patience, now);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut all = self.throttle.0.lock();
        let Some(tried) = all.get_mut(&self.who) else { return };
        tried.open = tried.open.saturating_sub(1);
        if tried.open == 0 && tried.failures == 0 {
            all.remove(&self.who);
        }
    }
}

/// How many seconds are left until then, at least one; `None` where it is over.
pub(super) fn seconds_left(until: UnixMicros, now: UnixMicros) -> Option<u64> {
    let left = until.0.checked_sub(now.0).filter(|left| *left > 0)?;
    u64::try_from((left + SECOND - 1) / SECOND).ok()
}

/// What of an address counts as one: all of IPv4, the network of IPv6, which one household has for itself.
pub(super) fn address(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => format!("ip:{ip}"),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("ip:{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_are_free_and_then_each_wait_is_twice_the_last_up_to_an_hour() {
        let now = UnixMicros(1_000 * SECOND);
        let wait = |failures| OF_NAME.lock(failures, now).map(|until| (until.0 - now.0) / SECOND);
        assert_eq!((wait(0), wait(4)), (None, None));
        assert_eq!((wait(5), wait(6), wait(7)), (Some(15), Some(30), Some(60)));
        assert_eq!((wait(12), wait(13), wait(u32::MAX)), (Some(1920), Some(3600), Some(3600)));
    }

    #[test]
    fn an_address_that_tries_many_waits_and_is_forgiven_after_an_hour_of_quiet() {
        let throttle = Throttle::default();
        let at = |second: i64| UnixMicros(second * SECOND);
        for _ in 0..20 {
            assert_eq!(throttle.wait("ip:1", at(0)), None);
            throttle.failed("ip:1", OF_ADDRESS, at(0));
        }
        assert_eq!(throttle.wait("ip:1", at(0)), Some(5));
        assert_eq!(throttle.wait("ip:2", at(0)), None);
        assert_eq!(throttle.wait("ip:1", at(5)), None);
        assert_eq!(throttle.failed("ip:1", OF_ADDRESS, at(5)), 21);
        assert_eq!(throttle.failed("ip:1", OF_ADDRESS, at(5 + 3600)), 1);
    }

    #[test]
    fn of_tries_at_once_as_many_are_let_through_as_are_free_and_one_that_did_not_fail_is_given_back() {
        let throttle = Throttle::default();
        let at = |second: i64| UnixMicros(second * SECOND);
        let take = |second: i64| throttle.take("ip:1".into(), OF_ADDRESS, at(second));
        let mut turns: Vec<Turn<'_>> = (0..20).map(|_| take(0).unwrap_or_else(|_| panic!("free"))).collect();
        assert_eq!(take(0).err(), Some(1));
        turns.pop();
        turns.push(take(0).unwrap_or_else(|_| panic!("given back")));
        turns.iter().for_each(|turn| turn.failed(at(0)));
        drop(turns);
        assert_eq!(take(0).err(), Some(5), "all failed");
        let one = take(5);
        assert_eq!((one.is_ok(), take(5).err()), (true, Some(1)), "one at a time after that");
        drop(one);
        assert!(take(5).is_ok(), "it did not fail");
        drop(throttle.take("ip:2".into(), OF_ADDRESS, at(0)));
        assert!(!throttle.0.lock().contains_key("ip:2"), "nothing is remembered of whoever got in");
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let throttle = Throttle::default();
        for n in 0..MOST + 10 {
            throttle.failed(&n.to_string(), OF_NAME, UnixMicros(i64::try_from(n).unwrap()));
        }
        let all = throttle.0.lock();
        assert!(all.len() <= MOST && all.len() > MOST / 2);
        assert!(!all.contains_key("0") && all.contains_key(&MOST.to_string()));
    }

    #[test]
    fn a_household_is_one() {
        let of = |ip: &str| address(ip.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
