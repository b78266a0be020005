//! What the month will come to: an estimate, from full days.

use super::span::{Grain, Spans, Window, bins, date_of, midnight};
use super::tally::{Asked, By, Tally};
use super::view::Source;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Nano, UnixMicros};
use jiff::ToSpan;
use jiff::civil::Weekday;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many full days are looked back at.
const DAYS: usize = 28;
/// Fewer say nothing.
const LEAST: usize = 3;

/// How it was estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Each day as the same day of the last four weeks, on average.
    Weekdays,
    /// Each day as all full days there are, on average: there are fewer than 28.
    Average,
}

/// An estimate of a whole month: what there is so far and what the days that are left bring, as the days before did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Always set: nothing here is a fact.
    pub estimate: bool,
    /// How.
    pub method: Method,
    /// From so many full days.
    pub days: u32,
    /// What the month will have brought in; for an end user what it will have been charged.
    pub value: Nano,
    /// What it will have cost; `None` for an end user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Nano>,
    /// What will stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Nano>,
    /// What each day that is left brings in, today with what is left of it first.
    pub ahead: Vec<Ahead>,
}

/// A day that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ahead {
    /// When it begins.
    pub at: UnixMicros,
    /// What it will still bring in.
    pub value: Nano,
}

/// What a day brought in, and what it cost.
type Day = (Nano, Nano);

/// Of full days, the oldest first: what a day brings, by its weekday. `None` of fewer than three.
pub(super) fn expected(full: &[(Weekday, Day)]) -> Option<(Method, impl Fn(Weekday) -> Day)> {
    if full.len() < LEAST {
        return None;
    }
    let method = if full.len() < DAYS { Method::Average } else { Method::Weekdays };
    let full = full.to_vec();
    let day = move |weekday| {
        let alike = full.iter().filter(|(day, _)| method == Method::Average || *day == weekday);
        let (mut sums, mut days) = ((0_i128, 0_i128), 0_i128);
        for (_, (value, cost)) in alike {
            sums = (sums.0 + i128::from(value.0), sums.1 + i128::from(cost.0));
            days += 1;
        }
        let each = |sum: i128| Nano(i64::try_from(sum / days.max(1)).unwrap_or(i64::MAX));
        (each(sums.0), each(sums.1))
    };
    Some((method, day))
}

/// Of the month that `now` is in.
pub(super) async fn forecast<'a, S: Source + ?Sized>(
    asked: &impl Fn(Window, Option<By>, Option<Grain>) -> Asked<'a, S>,
    spans: Spans,
    now: UnixMicros,
) -> UseCaseResult<Option<Forecast>> {
    let zone = &asked(spans.now, None, None).sight.zone;
    let today = date_of(zone, now)?;
    let first = today.checked_sub((DAYS as i64).days()).unwrap_or(today);
    let (first, today) = (midnight(zone, first)?, midnight(zone, today)?);
    let since = first.min(spans.now.since);
    let mut days: BTreeMap<UnixMicros, Tally> = BTreeMap::new();
    let window = Window { since, until: now };
    for ((at, _), tally) in asked(window, None, Some(Grain::Day)).tallies().await? {
        days.entry(at).or_default().add(&tally);
    }
    let of = |at: &UnixMicros| {
        days.get(at).map_or((Nano::ZERO, Nano::ZERO), |day| (day.value(), day.cost.unwrap_or_default()))
    };
    let begun = days.iter().find(|(_, day)| day.row.requests > 0).map_or(today, |(at, _)| *at).max(first);
    let mut full = Vec::with_capacity(DAYS);
    // The day that everything began on was no full day, as far as anybody knows.
    let partial = usize::from(begun > first);
    for at in bins(zone, Window { since: begun, until: today }, Grain::Day).into_iter().skip(partial) {
        full.push((date_of(zone, at)?.weekday(), of(&at)));
    }
    let Some((method, expect)) = expected(&full) else { return Ok(None) };
    let known = bins(zone, spans.now, Grain::Day);
    let so_far = known.iter().map(of).fold((Nano::ZERO, Nano::ZERO), plus);
    let mut ahead = Vec::new();
    let mut sum = so_far;
    for at in bins(zone, Window { since: today, until: spans.end }, Grain::Day) {
        let (value, cost) = expect(date_of(zone, at)?.weekday());
        let (had, spent) = if at == today { of(&at) } else { (Nano::ZERO, Nano::ZERO) };
        let more = (value.minus(had).max(Nano::ZERO), cost.minus(spent).max(Nano::ZERO));
        ahead.push(Ahead { at, value: more.0 });
        sum = plus(sum, more);
    }
    let knows_cost = days.values().any(|day| day.cost.is_some());
    let cost = knows_cost.then_some(sum.1);
    let margin = cost.map(|cost| sum.0.minus(cost));
    let days = u32::try_from(full.len()).unwrap_or(u32::MAX);
    Ok(Some(Forecast { estimate: true, method, days, value: sum.0, cost, margin, ahead }))
}

fn plus(a: Day, b: Day) -> Day {
    (a.0.plus(b.0), a.1.plus(b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(n: usize, value: impl Fn(usize) -> i64) -> Vec<(Weekday, Day)> {
        let weekday = |k: usize| Weekday::Monday.wrapping_add(k as i64);
        (0..n).map(|k| (weekday(k), (Nano(value(k)), Nano(value(k) / 2)))).collect()
    }

    #[test]
    fn few_days_say_nothing() {
        assert!(expected(&days(2, |_| 100)).is_none());
    }

    #[test]
    fn fewer_than_four_weeks_are_averaged() {
        let full = days(3, |k| [10, 20, 31][k]);
        let (method, expect) = expected(&full).unwrap();
        assert_eq!(method, Method::Average);
        assert_eq!(expect(Weekday::Sunday), (Nano(20), Nano(10)));
    }

    #[test]
    fn four_weeks_tell_weekdays_apart() {
        // Five on the weekend, and on other days a hundred more each week.
        let full = days(28, |k| if k % 7 >= 5 { 5 } else { 100 * (k as i64 / 7 + 1) });
        let (method, expect) = expected(&full).unwrap();
        assert_eq!(method, Method::Weekdays);
        assert_eq!(expect(Weekday::Monday), (Nano(250), Nano(125)));
        assert_eq!(expect(Weekday::Sunday), (Nano(5), Nano(2)));
    }
}
