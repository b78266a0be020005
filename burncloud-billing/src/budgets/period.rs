//! When a budget begins anew: by the clock on the wall of its time zone.

use burncloud_core::{Period, QUARTER_US, UnixMicros};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const HOUR_US: i64 = 3_600_000_000;

/// A span of time, in microseconds since the epoch; its end is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Window {
    /// All of time.
    pub(crate) const ALWAYS: Window = Window { start: 0, end: i64::MAX };

    /// The window of a period that a moment is in. The windows of a period follow one another without gaps.
    pub(crate) fn of(period: Period, zone: &TimeZone, at: UnixMicros) -> Window {
        if period == Period::Total {
            return Window::ALWAYS;
        }
        // A moment that no calendar holds is in a window that never ends.
        Timestamp::from_microsecond(at.0)
            .ok()
            .and_then(|at| match period {
                Period::Hour => hour(zone, at),
                Period::Day => days(zone, at, |date| date, Date::tomorrow),
                Period::Month => days(zone, at, Date::first_of_month, |date| date.last_of_month().tomorrow()),
                Period::Total => None,
            })
            .unwrap_or(Window::ALWAYS)
    }

    /// From when on receipts count, as the store sums them.
    pub(crate) fn since(self) -> UnixMicros {
        UnixMicros(self.start.div_euclid(QUARTER_US) * QUARTER_US)
    }
}

/// From full hour to full hour; where the clock is set in between, that begins one too.
fn hour(zone: &TimeZone, at: Timestamp) -> Option<Window> {
    let clock = at.to_zoned(zone.clone());
    let past = i64::from(clock.minute()) * 60_000_000
        + i64::from(clock.second()) * 1_000_000
        + i64::from(clock.subsec_nanosecond()) / 1_000;
    let start = at.as_microsecond() - past;
    let after = Timestamp::from_microsecond(at.as_microsecond() + 1).ok()?;
    let set = zone.preceding(after).next().map_or(i64::MIN, |set| set.timestamp().as_microsecond());
    let next = zone.following(at).next().map_or(i64::MAX, |set| set.timestamp().as_microsecond());
    Some(Window { start: start.max(set), end: (start + HOUR_US).min(next) })
}

/// From midnight to midnight. A midnight that the clock skips is the moment after; one that it shows twice is the first.
fn days(
    zone: &TimeZone,
    at: Timestamp,
    first: impl Fn(Date) -> Date,
    next: impl Fn(Date) -> Result<Date, jiff::Error>,
) -> Option<Window> {
    let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond());
    let first = first(at.to_zoned(zone.clone()).date());
    Some(Window { start: midnight(first)?, end: midnight(next(first).ok()?)? })
}

/// The zone of that IANA name; empty is UTC.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() { Some(TimeZone::UTC) } else { TimeZone::get(name).ok() }
}

/// A moment in words, such as `2026-03-01T00:00:00+08:00[Asia/Shanghai]`.
pub(crate) fn spell(zone: &TimeZone, at: i64) -> String {
    Timestamp::from_microsecond(at)
        .map_or_else(|_| at.to_string(), |at| at.to_zoned(zone.clone()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn micros(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    #[track_caller]
    fn check(period: Period, name: &str, at: &str, start: &str, end: &str) {
        let window = Window::of(period, &zone(name).unwrap(), UnixMicros(micros(at)));
        assert_eq!(window, Window { start: micros(start), end: micros(end) }, "{period:?} {name} {at}");
    }

    #[test]
    fn windows_go_by_the_zones_clock() {
        use Period::{Day, Hour, Month};
        for (period, name, at, start, end) in [
            (Hour, "UTC", "2026-05-05T10:59:59.999999Z", "2026-05-05T10:00:00Z", "2026-05-05T11:00:00Z"),
            (Hour, "Asia/Kolkata", "2026-05-05T10:29:00Z", "2026-05-05T09:30:00Z", "2026-05-05T10:30:00Z"),
            (Hour, "Asia/Kathmandu", "2026-05-05T10:20:00Z", "2026-05-05T10:15:00Z", "2026-05-05T11:15:00Z"),
            (Day, "", "2026-05-05T23:59:59Z", "2026-05-05T00:00:00Z", "2026-05-06T00:00:00Z"),
            (Day, "Asia/Shanghai", "2026-05-05T17:00:00Z", "2026-05-05T16:00:00Z", "2026-05-06T16:00:00Z"),
            // A day of 23 hours and one of 25.
            (Day, "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            (Day, "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            // No midnight on this day.
            (Day, "Africa/Cairo", "2026-04-24T09:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"),
            // The hour from one to two, twice.
            (
                Hour,
                "America/New_York",
                "2026-11-01T05:30:00Z",
                "2026-11-01T05:00:00Z",
                "2026-11-01T06:00:00Z",
            ),
            (
                Hour,
                "America/New_York",
                "2026-11-01T06:30:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T07:00:00Z",
            ),
            // Half an hour back: half past one comes again.
            (
                Hour,
                "Australia/Lord_Howe",
                "2026-04-04T14:45:00Z",
                "2026-04-04T14:00:00Z",
                "2026-04-04T15:00:00Z",
            ),
            (
                Hour,
                "Australia/Lord_Howe",
                "2026-04-04T15:10:00Z",
                "2026-04-04T15:00:00Z",
                "2026-04-04T15:30:00Z",
            ),
            (Month, "Asia/Shanghai", "2026-02-28T16:00:00Z", "2026-02-28T16:00:00Z", "2026-03-31T16:00:00Z"),
            (
                Month,
                "America/New_York",
                "2026-03-31T12:00:00Z",
                "2026-03-01T05:00:00Z",
                "2026-04-01T04:00:00Z",
            ),
            (Month, "UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ] {
            check(period, name, at, start, end);
        }
        assert_eq!(Window::of(Period::Total, &TimeZone::UTC, UnixMicros(5)), Window::ALWAYS);
        assert!(zone("Mars/Olympus").is_none());
        assert_eq!(Window { start: QUARTER_US + 7, end: 0 }.since(), UnixMicros(QUARTER_US));
    }

    proptest! {
        /// Every moment is in its window, and the next window begins where it ends.
        #[test]
        fn windows_are_a_partition(
            at in micros("1990-01-01T00:00:00Z")..micros("2045-01-01T00:00:00Z"),
            period in prop_oneof![Just(Period::Hour), Just(Period::Day), Just(Period::Month)],
            name in prop_oneof![
                Just("UTC"), Just("Europe/Berlin"), Just("America/Sao_Paulo"), Just("Australia/Lord_Howe"),
                Just("Asia/Kathmandu"), Just("Africa/Cairo"), Just("Pacific/Apia"), Just("America/St_Johns"),
            ],
        ) {
            let zone = zone(name).unwrap();
            let window = Window::of(period, &zone, UnixMicros(at));
            prop_assert!(window.start <= at && at < window.end);
            for inside in [window.start, at, window.end - 1] {
                prop_assert_eq!(Window::of(period, &zone, UnixMicros(inside)), window);
            }
            let next = Window::of(period, &zone, UnixMicros(window.end));
            prop_assert_eq!(next.start, window.end);
            prop_assert_eq!(window.since(), UnixMicros(window.start), "a full quarter of an hour");
        }
    }
}
