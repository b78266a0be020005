//! Hours that belong to two days.

use super::usage::HOUR;
use burncloud_core::QUARTER_US;
use burncloud_core::store::Step;
use std::ops::Range;

/// The hours of a range in which a day ends and another begins: midnight is not on the hour in all of the world.
pub(super) fn torn(step: Step, hours: &Range<i64>) -> Vec<i64> {
    let Step::Day { offset } = step else { return Vec::new() };
    let ahead = offset.div_euclid(QUARTER_US);
    if ahead.rem_euclid(HOUR) == 0 {
        return Vec::new();
    }
    let day = 24 * HOUR;
    let first = (hours.start * HOUR + ahead).div_euclid(day);
    let midnights = (first..).map(|number| number * day - ahead).take_while(|at| *at < hours.end * HOUR);
    midnights.map(|quarter| quarter.div_euclid(HOUR)).filter(|hour| hours.contains(hour)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_torn_where_midnight_is_not_on_it() {
        let quarter = QUARTER_US;
        let day = |quarters: i64| Step::Day { offset: quarters * quarter };
        // In Kolkata, 22 quarters ahead, days begin at 18:30 of the day before.
        assert_eq!(torn(day(22), &(0..72)), [18, 42, 66]);
        // In St. John's, 14 quarters behind, at 03:30; in Kathmandu, 23 ahead, at 18:15.
        assert_eq!(torn(day(-14), &(0..48)), [3, 27]);
        assert_eq!(torn(day(23), &(18..19)), [18]);
        assert_eq!(torn(day(22), &(19..42)), [0_i64; 0]);
        assert_eq!(torn(day(32), &(0..72)), [0_i64; 0], "on the hour");
        assert_eq!(torn(Step::Hour, &(0..72)), [0_i64; 0]);
    }
}
