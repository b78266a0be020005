//! Words, months and files of the finance pages.

use crate::fmt::{Fmt, basis_points, money, ms, percent};
use crate::lang::Lang;
use burncloud_billing::desk::reports::{Of, Slice, Span, cell};
use burncloud_core::ledger::EntryKind;
use burncloud_core::{Nano, UnixMicros};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::fmt::Write;

const DOLLAR: i64 = 1_000_000_000;

/// A large sum: whole dollars from a hundred on.
pub(super) fn whole(amount: Nano) -> String {
    if amount.0.unsigned_abs() < 100 * DOLLAR.unsigned_abs() {
        return money(amount);
    }
    let half = DOLLAR / 2;
    let near = if amount.0 < 0 { amount.0.saturating_sub(half) } else { amount.0.saturating_add(half) };
    money(Nano(near / DOLLAR * DOLLAR)).trim_end_matches(".00").to_owned()
}

/// A share in percent with at most one decimal.
pub(super) fn share(part: Nano, of: Nano) -> Option<String> {
    basis_points(part.0, of.0).map(|n| percent((n + if n < 0 { -5 } else { 5 }) / 10 * 10))
}

/// How much more than before, with its sign: `+12.4%`.
pub(super) fn change(now: Nano, before: Nano) -> Option<String> {
    let text = share(now.minus(before), before)?;
    Some(if text.starts_with('\u{2212}') { text } else { format!("+{text}") })
}

/// What a million tokens come to.
pub(super) fn per_million(amount: Nano, tokens: u64) -> Option<Nano> {
    let exact = (i128::from(amount.0) * 1_000_000).checked_div(i128::from(tokens))?;
    i64::try_from(exact).ok().map(Nano)
}

/// For a chart: dollars to the cent.
pub(super) fn dollars(amount: Nano) -> f64 {
    (amount.0 / 10_000_000) as f64 / 100.0
}

/// A month of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Month {
    pub(super) year: i16,
    pub(super) month: i8,
}

impl Month {
    /// As in a URL: `2026-11`.
    pub(super) fn parse(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-')?;
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        ((1970..=9000).contains(&year) && (1..=12).contains(&month)).then_some(Month { year, month })
    }

    /// That a moment is in.
    pub(super) fn of(at: UnixMicros, zone: &TimeZone) -> Month {
        let date = date_of(at, zone);
        Month { year: date.year(), month: date.month() }
    }

    pub(super) fn code(self) -> String {
        format!("{:04}-{:02}", self.year, self.month)
    }

    pub(super) fn step(self, by: i32) -> Month {
        let n = i32::from(self.year) * 12 + i32::from(self.month) - 1 + by;
        let (year, month) = (n.div_euclid(12), n.rem_euclid(12) + 1);
        Month { year: i16::try_from(year).unwrap_or(self.year), month: i8::try_from(month).unwrap_or(1) }
    }

    pub(super) fn span(self) -> Span {
        Span::Month { year: self.year, month: self.month }
    }

    /// Its name alone.
    pub(super) fn name(self, lang: Lang) -> String {
        const NAMES: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        match lang {
            Lang::En => {
                let at = usize::try_from(self.month - 1).unwrap_or_default();
                NAMES.get(at).copied().unwrap_or_default().to_owned()
            }
            Lang::Zh => format!("{} 月", self.month),
        }
    }

    /// With its year.
    pub(super) fn full(self, lang: Lang) -> String {
        match lang {
            Lang::En => format!("{} {}", self.name(lang), self.year),
            Lang::Zh => format!("{}年{}月", self.year, self.month),
        }
    }
}

/// The zone of that name; UTC where there is none.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn date_of(at: UnixMicros, zone: &TimeZone) -> Date {
    Timestamp::from_microsecond(at.0).unwrap_or_default().to_zoned(zone.clone()).date()
}

/// A day for a chart, which reads its times as UTC: the day's midnight there, in seconds.
pub(super) fn chart_day(at: UnixMicros, zone: &TimeZone) -> u64 {
    let midnight = date_of(at, zone).to_zoned(TimeZone::UTC);
    midnight.ok().and_then(|at| u64::try_from(at.timestamp().as_second()).ok()).unwrap_or_default()
}

/// The midnight that comes next by the clock of whoever looks.
pub(super) fn tomorrow(zone: &TimeZone, now: u64) -> Option<UnixMicros> {
    let now = UnixMicros(i64::try_from(now).ok()?.checked_mul(1_000)?);
    let next = date_of(now, zone).checked_add(1.day()).ok()?.to_zoned(zone.clone()).ok()?;
    Some(UnixMicros(next.timestamp().as_microsecond()))
}

/// What an input of the type `datetime-local` holds, by that clock.
pub(super) fn local_time(text: &str, zone: &TimeZone) -> Option<UnixMicros> {
    let at = text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(zone.clone()).ok()?;
    Some(UnixMicros(at.timestamp().as_microsecond()))
}

/// What a slice is called.
pub(super) fn slice_name(slice: &Slice, lang: Lang) -> String {
    match (&slice.name, &slice.of) {
        (Some(name), _) => name.clone(),
        (None, Of::Others(_)) => lang.t("Others", "其他").to_owned(),
        (None, Of::Below) => lang.t("Resellers below", "下级分销商").to_owned(),
        (None, Of::Channel(None) | Of::Provider(_)) => lang.t("Nobody", "无").to_owned(),
        (None, Of::Model(_)) => lang.t("No model", "无模型").to_owned(),
        (None, _) => lang.t("Gone", "已删除").to_owned(),
    }
}

/// What an entry is called.
pub(super) fn kind_name(kind: EntryKind, lang: Lang) -> &'static str {
    match kind {
        EntryKind::Receipts => lang.t("Requests", "请求"),
        EntryKind::TopUp => lang.t("Top-up", "充值"),
        EntryKind::Redeem => lang.t("Redeem code", "兑换码"),
        EntryKind::Promotion => lang.t("Gift", "赠送"),
        EntryKind::Adjustment => lang.t("Correction", "调整"),
        EntryKind::CreditLine => lang.t("Credit line", "信用额度"),
        EntryKind::Reversal => lang.t("Undone", "冲正"),
        EntryKind::Opening => lang.t("Opening balance", "期初余额"),
    }
}

/// An amount with its sign, as in a statement: `+$5.00`.
pub(super) fn signed(amount: Nano) -> String {
    let text = money(amount);
    if amount.0 > 0 { format!("+{text}") } else { text }
}

/// A small table as a file, for a link with `download`: cells are safe to open with a spreadsheet.
pub(super) fn csv_href(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        let quoted = cells.map(|text| format!("\"{}\"", text.replace('"', "\"\""))).collect::<Vec<_>>();
        text.push_str(&quoted.join(","));
        text.push_str("\r\n");
    };
    line(&mut header.iter().map(|name| (*name).to_owned()));
    for row in rows {
        line(&mut row.iter().map(|text| cell(text)));
    }
    file_href("text/csv", &text)
}

/// A text as a file, for a link with `download`.
pub(super) fn file_href(media: &'static str, text: &str) -> String {
    let mut href = format!("data:{media};charset=utf-8,");
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                href.push(char::from(byte));
            }
            _ => drop(write!(href, "%{byte:02X}")),
        }
    }
    href
}

/// The date and time of an entry.
pub(super) fn moment(f: &Fmt, at: UnixMicros, now: u64) -> String {
    f.moment(ms(at), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sums_are_rounded_and_small_ones_are_not() {
        assert_eq!(whole(Nano(58_940_510_000_000)), "$58,941");
        assert_eq!(whole(Nano(-22_759_400_000_000)), "\u{2212}$22,759");
        assert_eq!(whole(Nano(99_990_000_000)), "$99.99");
        assert_eq!((whole(Nano::ZERO), whole(Nano::MAX)), ("$0.00".into(), "$9,223,372,036".into()));
    }

    #[test]
    fn shares_and_changes_have_one_decimal() {
        assert_eq!(share(Nano(3862), Nano(10_000)).as_deref(), Some("38.6%"));
        assert_eq!(change(Nano(1124), Nano(1000)).as_deref(), Some("+12.4%"));
        assert_eq!(change(Nano(911), Nano(1000)).as_deref(), Some("\u{2212}8.9%"));
        assert_eq!(change(Nano(1), Nano::ZERO), None);
    }

    #[test]
    fn a_million_tokens_of_none_cost_nothing_sayable() {
        assert_eq!(per_million(Nano(DOLLAR), 0), None);
        assert_eq!(per_million(Nano(3 * DOLLAR), 1_500_000), Some(Nano(2 * DOLLAR)));
        assert_eq!(per_million(Nano::MAX, 1), None);
    }

    #[test]
    fn months_step_over_the_year() {
        let month = Month::parse("2026-12").unwrap();
        assert_eq!((month.step(1).code(), month.step(-12).code()), ("2027-01".into(), "2025-12".into()));
        assert_eq!(
            (month.full(Lang::En), month.full(Lang::Zh)),
            ("December 2026".into(), "2026年12月".into())
        );
        for wrong in ["2026-13", "2026", "x-1", "1-1"] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_are_those_of_the_zone() {
        let zone = zone("Asia/Shanghai");
        let at = UnixMicros("2026-11-20T17:00:00Z".parse::<Timestamp>().unwrap().as_microsecond());
        let day: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        assert_eq!(chart_day(at, &zone), day.as_second() as u64);
        assert_eq!(Month::of(at, &zone).code(), "2026-11");
        let next: Timestamp = "2026-11-21T16:00:00Z".parse().unwrap();
        assert_eq!(tomorrow(&zone, ms(at)), Some(UnixMicros(next.as_microsecond())));
        let noon: Timestamp = "2026-11-21T04:00:00Z".parse().unwrap();
        assert_eq!(local_time("2026-11-21T12:00", &zone), Some(UnixMicros(noon.as_microsecond())));
    }

    #[test]
    fn a_file_holds_no_formula_and_no_raw_quote() {
        let href = csv_href(&["a"], &[vec!["=1".into()], vec!["x\"y".into()]]);
        assert_eq!(href, "data:text/csv;charset=utf-8,%22a%22%0D%0A%22%27%3D1%22%0D%0A%22x%22%22y%22%0D%0A");
    }
}
