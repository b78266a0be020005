//! Spans of time by the clock of a time zone, and the days and hours in them.

use burncloud_core::UnixMicros;
use burncloud_core::store::Step;
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// The longest span: two years of quarters of an hour are read for none.
const LONGEST_US: i64 = 732 * DAY_US;

/// Which time a report is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// Since midnight.
    #[default]
    Today,
    /// Today and the six days before.
    Week,
    /// Since the first of the month.
    ThisMonth,
    /// A month; as far as it has passed.
    Month {
        /// The year.
        year: i16,
        /// 1 to 12.
        month: i8,
    },
    /// From (inclusive) to (exclusive), at most two years.
    Between {
        /// From.
        since: UnixMicros,
        /// Until.
        until: UnixMicros,
    },
}

/// From (inclusive) to (exclusive); sums are by the quarters of an hour in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// From.
    pub since: UnixMicros,
    /// Until.
    pub until: UnixMicros,
}

/// What sums are told apart by in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// Hours of the clock.
    Hour,
    /// Days of the clock: of 23 or 25 hours where it is set.
    Day,
}

/// A span with its end, and what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spans {
    pub(super) now: Window,
    /// The span before, as far into it as now is into this one.
    pub(super) before: Window,
    /// When this span will be over.
    pub(super) end: UnixMicros,
    pub(super) grain: Grain,
}

fn unfit() -> UseCaseError {
    UseCaseError::invalid(
        "span",
        (
            "choose a time between the years 1970 and 9000, at most two years long",
            "请选择 1970 到 9000 年之间、不超过两年的时间",
        ),
    )
}

pub(super) fn date_of(zone: &TimeZone, at: UnixMicros) -> UseCaseResult<Date> {
    let at = Timestamp::from_microsecond(at.0).map_err(|_| unfit())?;
    Ok(at.to_zoned(zone.clone()).date())
}

/// When a day begins: a midnight that the clock skips is the moment after, one that it shows twice is the first.
pub(super) fn midnight(zone: &TimeZone, date: Date) -> UseCaseResult<UnixMicros> {
    let zoned = date.to_zoned(zone.clone()).map_err(|_| unfit())?;
    Ok(UnixMicros(zoned.timestamp().as_microsecond()))
}

fn plus(date: Date, days: i64) -> UseCaseResult<Date> {
    date.checked_add(days.days()).map_err(|_| unfit())
}

impl Span {
    /// The span, and the one before it.
    pub(super) fn resolve(self, zone: &TimeZone, now: UnixMicros) -> UseCaseResult<Spans> {
        let today = date_of(zone, now)?;
        let (first, next, last, grain) = match self {
            Span::Today => (today, plus(today, 1)?, plus(today, -1)?, Grain::Hour),
            Span::Week => (plus(today, -6)?, plus(today, 1)?, plus(today, -13)?, Grain::Day),
            Span::ThisMonth => month(today.first_of_month())?,
            Span::Month { year, month: number } => {
                if !(1970..=9000).contains(&year) {
                    return Err(unfit());
                }
                month(Date::new(year, number, 1).map_err(|_| unfit())?)?
            }
            Span::Between { since, until } => return between(since, until),
        };
        let (since, end) = (midnight(zone, first)?, midnight(zone, next)?);
        let until = UnixMicros(now.0.clamp(since.0, end.0));
        let begin = midnight(zone, last)?;
        let gone = until.0 - since.0;
        // A whole month is compared with the whole month before, however long that was.
        let then = if until == end { since.0 } else { (begin.0 + gone).min(since.0) };
        let before = Window { since: begin, until: UnixMicros(then) };
        Ok(Spans { now: Window { since, until }, before, end, grain })
    }
}

fn month(first: Date) -> UseCaseResult<(Date, Date, Date, Grain)> {
    let next = first.last_of_month().tomorrow().map_err(|_| unfit())?;
    let last = first.yesterday().map_err(|_| unfit())?.first_of_month();
    Ok((first, next, last, Grain::Day))
}

fn between(since: UnixMicros, until: UnixMicros) -> UseCaseResult<Spans> {
    let long = until.0.saturating_sub(since.0);
    if since.0 < 0 || long <= 0 || long > LONGEST_US || Timestamp::from_microsecond(until.0).is_err() {
        return Err(unfit());
    }
    let grain = if long <= 2 * DAY_US { Grain::Hour } else { Grain::Day };
    let before = Window { since: UnixMicros(since.0 - long), until: since };
    Ok(Spans { now: Window { since, until }, before, end: until, grain })
}

/// A part of a window in which the clock is not set: its days are all of 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) window: Window,
    /// How far the clock is ahead of UTC, in microseconds: full quarters of an hour.
    offset: i64,
}

/// The window cut where the clock is set, so that each piece can be summed by days of one offset.
pub(super) fn pieces(zone: &TimeZone, window: Window) -> Vec<Piece> {
    let offset = |at: i64| {
        let offset = Timestamp::from_microsecond(at).map_or(0, |at| zone.to_offset(at).seconds());
        i64::from(offset) * 1_000_000 / burncloud_core::QUARTER_US * burncloud_core::QUARTER_US
    };
    let mut out: Vec<Piece> = Vec::new();
    let mut since = window.since;
    while since < window.until {
        let next = Timestamp::from_microsecond(since.0).ok().and_then(|at| zone.following(at).next());
        let next = next.map_or(window.until.0, |set| set.timestamp().as_microsecond());
        let until = UnixMicros(next.min(window.until.0));
        out.push(Piece { window: Window { since, until }, offset: offset(since.0) });
        since = until;
    }
    out
}

impl Piece {
    /// What the store is asked to sum by.
    pub(super) fn step(&self, grain: Grain) -> Step {
        match grain {
            Grain::Day => Step::Day { offset: self.offset },
            Grain::Hour if self.offset % HOUR_US == 0 => Step::Hour,
            Grain::Hour => Step::Quarter,
        }
    }

    /// When the hour or the day of the clock begins that a sum of this piece belongs to.
    pub(super) fn begin(&self, zone: &TimeZone, grain: Grain, start: UnixMicros) -> UnixMicros {
        let shown = start.0 + self.offset;
        let hour = UnixMicros(shown.div_euclid(HOUR_US) * HOUR_US - self.offset);
        match grain {
            Grain::Hour => hour,
            Grain::Day => Date::constant(1970, 1, 1)
                .checked_add(shown.div_euclid(DAY_US).days())
                .ok()
                .and_then(|date| midnight(zone, date).ok())
                .unwrap_or(hour),
        }
    }
}

/// When each hour or day of a window begins, in order; the first may begin before it.
pub(super) fn bins(zone: &TimeZone, window: Window, grain: Grain) -> Vec<UnixMicros> {
    let mut out: Vec<UnixMicros> = Vec::new();
    let step = if grain == Grain::Hour { HOUR_US } else { 6 * HOUR_US };
    for piece in pieces(zone, window) {
        let mut at = piece.window.since;
        while at < piece.window.until {
            let begin = piece.begin(zone, grain, at);
            if out.last().is_none_or(|last| *last < begin) {
                out.push(begin);
            }
            // From the hour's own beginning: a window may begin within one.
            let from = if grain == Grain::Hour { begin.0 } else { at.0 };
            at = UnixMicros(from + step);
        }
        // The last hours of a piece may be a day of their own.
        let begin = piece.begin(zone, grain, UnixMicros(piece.window.until.0 - 1));
        if out.last().is_none_or(|last| *last < begin) {
            out.push(begin);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UnixMicros {
        UnixMicros(text.parse::<Timestamp>().unwrap().as_microsecond())
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn window(since: &str, until: &str) -> Window {
        Window { since: at(since), until: at(until) }
    }

    #[test]
    fn spans_go_by_the_clock_and_are_compared_with_as_much() {
        let berlin = zone("Europe/Berlin");
        let now = at("2026-11-20T13:30:00Z");
        let today = Span::Today.resolve(&berlin, now).unwrap();
        assert_eq!(today.now, window("2026-11-19T23:00:00Z", "2026-11-20T13:30:00Z"));
        assert_eq!(today.before, window("2026-11-18T23:00:00Z", "2026-11-19T13:30:00Z"));
        assert_eq!((today.end, today.grain), (at("2026-11-20T23:00:00Z"), Grain::Hour));
        let week = Span::Week.resolve(&berlin, now).unwrap();
        assert_eq!(week.now, window("2026-11-13T23:00:00Z", "2026-11-20T13:30:00Z"));
        assert_eq!(week.before, window("2026-11-06T23:00:00Z", "2026-11-13T13:30:00Z"));
        let month = Span::ThisMonth.resolve(&berlin, now).unwrap();
        assert_eq!(month.now, window("2026-10-31T23:00:00Z", "2026-11-20T13:30:00Z"));
        assert_eq!(month.before, window("2026-09-30T22:00:00Z", "2026-10-20T12:30:00Z"));
        let whole = Span::Month { year: 2026, month: 3 }.resolve(&berlin, now).unwrap();
        assert_eq!(whole.now, window("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"));
        assert_eq!(whole.before, window("2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z"));
        let ahead = Span::Month { year: 2027, month: 1 }.resolve(&berlin, now).unwrap();
        assert_eq!(ahead.now.since, ahead.now.until, "not yet begun");
    }

    #[test]
    fn what_is_no_span_is_refused() {
        let now = at("2026-11-20T13:30:00Z");
        let between = |since, until| Span::Between { since: UnixMicros(since), until: UnixMicros(until) };
        for span in [
            between(5, 5),
            between(-1, 5),
            between(0, i64::MAX),
            Span::Month { year: 2026, month: 13 },
            Span::Month { year: 9999, month: 12 },
        ] {
            assert!(span.resolve(&TimeZone::UTC, now).is_err(), "{span:?}");
        }
    }

    #[test]
    fn a_day_on_which_the_clock_is_set_is_one_day() {
        let berlin = zone("Europe/Berlin");
        let spring = window("2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z");
        let days = ["2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"].map(at);
        assert_eq!(bins(&berlin, spring, Grain::Day), days);
        let parts = pieces(&berlin, spring);
        assert_eq!(parts.len(), 2, "cut where the clock is set");
        // Sums of the same day come from both pieces and begin at the same midnight.
        for (piece, moment) in parts.iter().zip(["2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z"]) {
            let Step::Day { offset } = piece.step(Grain::Day) else { panic!("days") };
            let start = (at(moment).0 + offset).div_euclid(DAY_US) * DAY_US - offset;
            assert_eq!(piece.begin(&berlin, Grain::Day, UnixMicros(start)), days[1], "{moment}");
        }
        let day = window("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        assert_eq!(bins(&berlin, day, Grain::Hour).len(), 23);
        let autumn = window("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        assert_eq!(bins(&berlin, autumn, Grain::Hour).len(), 25);
        assert_eq!(bins(&berlin, autumn, Grain::Day), [at("2026-10-24T22:00:00Z")]);
    }

    #[test]
    fn hours_of_half_hour_zones_are_made_of_quarters() {
        let kolkata = zone("Asia/Kolkata");
        let span = window("2026-05-04T18:30:00Z", "2026-05-04T20:45:00Z");
        let piece = pieces(&kolkata, span)[0];
        assert_eq!(piece.step(Grain::Hour), Step::Quarter);
        assert_eq!(
            piece.begin(&kolkata, Grain::Hour, at("2026-05-04T19:15:00Z")),
            at("2026-05-04T18:30:00Z")
        );
        let hours = ["2026-05-04T18:30:00Z", "2026-05-04T19:30:00Z", "2026-05-04T20:30:00Z"].map(at);
        assert_eq!(bins(&kolkata, span, Grain::Hour), hours);
    }
}
