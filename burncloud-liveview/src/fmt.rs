//! Numbers, money and times in words, in both languages, from integers only.
//!
//! [`Fmt`] knows the language and the time zone of whoever looks; in a component it comes from
//! [`use_fmt`](crate::kit::use_fmt).

use crate::lang::{Lang, Look};
use burncloud_core::{Nano, UnixMicros};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What stands where there is nothing.
pub const NOTHING: &str = "—";
const MINUS: &str = "\u{2212}";
const NANOS: u64 = 1_000_000_000;

/// How numbers are written for somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Fmt {
    /// In which language.
    pub lang: Lang,
    /// In which time zone.
    pub zone: TimeZone,
}

impl From<&Look> for Fmt {
    fn from(look: &Look) -> Fmt {
        Fmt { lang: look.lang, zone: look.zone.clone() }
    }
}

// === money: the same in both languages ===

/// Money to the cent, as in `$1,284.64` and `−$38.20`; half a cent is rounded away from zero.
#[must_use]
pub fn money(amount: Nano) -> String {
    dollars(amount, 2)
}

/// The charge of one request, to the millionth: `$0.026473`.
#[must_use]
pub fn charge(amount: Nano) -> String {
    dollars(amount, 6)
}

/// A price in dollars per million units, as short as it goes but with cents at least: `$3.42`, `$0.0125`.
/// `amount` is for a million units.
#[must_use]
pub fn price(amount: Nano) -> String {
    let full = dollars(amount, 9);
    let cents = full.find('.').map_or(full.len(), |dot| dot + 3);
    let (head, tail) = full.split_at(cents);
    format!("{head}{}", tail.trim_end_matches('0'))
}

/// A sum in its parts, for large figures: the sign with `$`, whole dollars, and the cents with their dot.
#[must_use]
pub fn money_parts(amount: Nano) -> (String, String, String) {
    let text = money(amount);
    let (sign, rest) = text.split_once('$').unwrap_or(("", &text));
    let (whole, cents) = rest.split_once('.').unwrap_or((rest, "00"));
    (format!("{sign}$"), whole.to_owned(), format!(".{cents}"))
}

fn dollars(amount: Nano, places: u32) -> String {
    let unit = 10_u64.pow(9 - places);
    // Half away from zero, so that a sum and its reversal read alike.
    let rounded = (amount.0.unsigned_abs() + unit / 2) / unit;
    let scale = NANOS / unit;
    let (whole, part) = (rounded / scale, rounded % scale);
    let sign = if amount.0 < 0 && rounded > 0 { MINUS } else { "" };
    format!("{sign}${}.{part:0width$}", grouped(whole), width = places as usize)
}

// === counts ===

/// With a comma at each thousand: `31,044`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `n` in units of `unit` with one decimal, which is left out where it is 0: `1.2`.
fn tenths(n: u64, unit: u64) -> String {
    let tenths = (u128::from(n) * 10 + u128::from(unit) / 2) / u128::from(unit);
    let whole = grouped(u64::try_from(tenths / 10).unwrap_or(u64::MAX));
    if tenths.is_multiple_of(10) { whole } else { format!("{whole}.{}", tenths % 10) }
}

/// A share of a whole in percent, given in ten-thousandths: 3820 is `38.2%`, 9994 is `99.94%`.
#[must_use]
pub fn percent(basis_points: i64) -> String {
    let n = basis_points.unsigned_abs();
    let sign = if basis_points < 0 { MINUS } else { "" };
    let part = format!("{:02}", n % 100);
    let part = part.trim_end_matches('0');
    let dot = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{part}%", grouped(n / 100))
}

/// `part` of `whole` in ten-thousandths, rounded; nothing where `whole` is not above zero.
#[must_use]
pub fn basis_points(part: i64, whole: i64) -> Option<i64> {
    if whole <= 0 {
        return None;
    }
    let scaled = i128::from(part) * 10_000;
    let half = i128::from(whole) / 2;
    let rounded =
        if scaled < 0 { (scaled - half) / i128::from(whole) } else { (scaled + half) / i128::from(whole) };
    i64::try_from(rounded).ok()
}

/// A moment in Unix milliseconds, which clocks and dates are made of; 0 for what was before 1970.
#[must_use]
pub fn ms(at: UnixMicros) -> u64 {
    u64::try_from(at.0 / 1_000).unwrap_or_default()
}

/// A time spent, in milliseconds: `418 ms`, `2.14 s`, `12.3 s`.
#[must_use]
pub fn millis(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=9_994 => format!("{}.{:02} s", (ms + 5) / 1_000, (ms + 5) % 1_000 / 10),
        9_995..=99_949 => format!("{}.{} s", (ms + 50) / 1_000, (ms + 50) % 1_000 / 100),
        _ => format!("{} s", grouped((ms + 500) / 1_000)),
    }
}

/// A time spent, in microseconds: `0.4 ms`, else as [`millis`].
#[must_use]
pub fn micros(us: u64) -> String {
    if us < 10_000 { format!("{} ms", tenths(us, 1_000)) } else { millis((us + 500) / 1_000) }
}

/// A size in bytes: `812 B`, `1.2 MB`; thousands, not 1024s.
#[must_use]
pub fn bytes(n: u64) -> String {
    match n {
        0..=999 => format!("{n} B"),
        1_000..=999_949 => format!("{} KB", tenths(n, 1_000)),
        999_950..=999_949_999 => format!("{} MB", tenths(n, 1_000_000)),
        _ => format!("{} GB", tenths(n, 1_000_000_000)),
    }
}

impl Fmt {
    /// A big count in a sentence: `1.2 million`, `120 万`; up to 9,999 (English: 999,999) in full.
    #[must_use]
    pub fn count(&self, n: u64) -> String {
        let steps: &[(u64, &str)] = match self.lang {
            Lang::En => &[(1_000_000_000, " billion"), (1_000_000, " million")],
            Lang::Zh => &[(100_000_000, " 亿"), (10_000, " 万")],
        };
        match steps.iter().find(|(unit, _)| n >= *unit) {
            Some((unit, word)) => format!("{}{word}", tenths(n, *unit)),
            None => grouped(n),
        }
    }

    /// A big count in a table: `200K`, `1.2M`, `120 万`; small ones in full.
    #[must_use]
    pub fn compact(&self, n: u64) -> String {
        match self.lang {
            Lang::Zh => self.count(n),
            Lang::En => match n {
                0..=9_999 => grouped(n),
                10_000..=999_949 => format!("{}K", tenths(n, 1_000)),
                999_950..=999_949_999 => format!("{}M", tenths(n, 1_000_000)),
                _ => format!("{}B", tenths(n, 1_000_000_000)),
            },
        }
    }

    /// A change of a share, in ten-thousandths: `2.1 points`, `2.1 个百分点`; without its sign.
    #[must_use]
    pub fn points(&self, basis_points: i64) -> String {
        let n = percent(i64::try_from(basis_points.unsigned_abs()).unwrap_or(i64::MAX));
        let n = n.trim_end_matches('%');
        match self.lang {
            Lang::En => format!("{n} {}", if n == "1" { "point" } else { "points" }),
            Lang::Zh => format!("{n} 个百分点"),
        }
    }

    /// A long time, in seconds: `45 s`, `12 min`, `6 h 40 min`, `3 days`.
    #[must_use]
    pub fn duration(&self, seconds: u64) -> String {
        let zh = self.lang == Lang::Zh;
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        let days = seconds / 86_400;
        match seconds {
            0..=59 if zh => format!("{seconds} 秒"),
            0..=59 => format!("{seconds} s"),
            60..=3_599 if zh => format!("{minutes} 分钟"),
            60..=3_599 => format!("{minutes} min"),
            3_600..=172_799 if minutes == 0 && zh => format!("{hours} 小时"),
            3_600..=172_799 if minutes == 0 => format!("{hours} h"),
            3_600..=172_799 if zh => format!("{hours} 小时 {minutes} 分"),
            3_600..=172_799 => format!("{hours} h {minutes} min"),
            _ if zh => format!("{days} 天"),
            _ => format!("{days} days"),
        }
    }

    // === moments: all are Unix times in milliseconds ===

    fn at(&self, ms: u64) -> Option<jiff::Zoned> {
        let moment = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
        Some(moment.to_zoned(self.zone.clone()))
    }

    /// The time of day: `14:32`.
    #[must_use]
    pub fn clock(&self, ms: u64) -> String {
        self.at(ms).map_or_else(|| NOTHING.to_owned(), |t| format!("{:02}:{:02}", t.hour(), t.minute()))
    }

    /// The time of day to the second, for logs: `14:32:08`.
    #[must_use]
    pub fn clock_seconds(&self, ms: u64) -> String {
        let text = self.at(ms).map(|t| format!("{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second()));
        text.unwrap_or_else(|| NOTHING.to_owned())
    }

    /// The date, with its year only where that is not the year of `now`: `Nov 20`, `2027年11月20日`.
    #[must_use]
    pub fn date(&self, ms: u64, now: u64) -> String {
        let Some(t) = self.at(ms) else { return NOTHING.to_owned() };
        let year = self.at(now).is_none_or(|now| now.year() != t.year()).then(|| t.year());
        match (self.lang, year) {
            (Lang::En, None) => format!("{} {}", month(t.month()), t.day()),
            (Lang::En, Some(year)) => format!("{} {}, {year}", month(t.month()), t.day()),
            (Lang::Zh, None) => format!("{}月{}日", t.month(), t.day()),
            (Lang::Zh, Some(year)) => format!("{year}年{}月{}日", t.month(), t.day()),
        }
    }

    /// Date and time of day: `Nov 20, 14:32`, `11月20日 14:32`.
    #[must_use]
    pub fn moment(&self, ms: u64, now: u64) -> String {
        let between = self.lang.t(", ", " ");
        format!("{}{between}{}", self.date(ms, now), self.clock(ms))
    }

    /// How long ago: `now`, `8 min ago`, `3 h ago`, then the date.
    #[must_use]
    pub fn ago(&self, ms: u64, now: u64) -> String {
        let zh = self.lang == Lang::Zh;
        let seconds = now.saturating_sub(ms) / 1_000;
        match seconds {
            0..=59 => self.lang.t("now", "刚刚").to_owned(),
            60..=3_599 if zh => format!("{} 分钟前", seconds / 60),
            60..=3_599 => format!("{} min ago", seconds / 60),
            3_600..=86_399 if zh => format!("{} 小时前", seconds / 3_600),
            3_600..=86_399 => format!("{} h ago", seconds / 3_600),
            _ => self.date(ms, now),
        }
    }
}

fn month(number: i8) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    usize::try_from(number - 1).ok().and_then(|at| NAMES.get(at)).copied().unwrap_or(NOTHING)
}

/// Now, as a Unix time in milliseconds.
#[must_use]
pub fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn en() -> Fmt {
        Fmt { lang: Lang::En, zone: TimeZone::UTC }
    }
    fn zh() -> Fmt {
        Fmt { lang: Lang::Zh, zone: TimeZone::get("Asia/Shanghai").unwrap() }
    }
    fn unix(text: &str) -> u64 {
        text.parse::<Timestamp>().unwrap().as_millisecond().try_into().unwrap()
    }

    #[test]
    fn money_is_written_to_the_cent_and_a_charge_to_the_millionth() {
        assert_eq!(money(Nano(1_284_640_000_000)), "$1,284.64");
        assert_eq!(money(Nano(-38_200_000_000)), "−$38.20");
        assert_eq!(money(Nano(5_000_000)), "$0.01");
        assert_eq!(money(Nano(-4_999_999)), "$0.00");
        assert_eq!(money(Nano(i64::MIN)), "−$9,223,372,036.85");
        assert_eq!(charge(Nano(26_473_000)), "$0.026473");
        assert_eq!(price(Nano(3_420_000_000)), "$3.42");
        assert_eq!(price(Nano(12_500_000)), "$0.0125");
        assert_eq!(price(Nano(3_000_000_000)), "$3.00");
        let parts = money_parts(Nano(-1_284_640_000_000));
        assert_eq!(parts, ("−$".to_owned(), "1,284".to_owned(), ".64".to_owned()));
    }

    #[test]
    fn counts_are_short_in_each_language() {
        assert_eq!((en().count(1_200_000), zh().count(1_200_000)), ("1.2 million".into(), "120 万".into()));
        assert_eq!((en().count(31_044), zh().count(31_044)), ("31,044".into(), "3.1 万".into()));
        assert_eq!((en().compact(200_000), zh().compact(200_000)), ("200K".into(), "20 万".into()));
        assert_eq!((en().compact(999_950), en().compact(9_999)), ("1M".into(), "9,999".into()));
        assert_eq!(zh().count(250_000_000), "2.5 亿");
    }

    #[test]
    fn shares_keep_what_they_say_and_no_zeros() {
        assert_eq!(
            [percent(3_820), percent(9_994), percent(10_000), percent(-5)],
            ["38.2%", "99.94%", "100%", "−0.05%"]
        );
        assert_eq!((en().points(210), zh().points(-210)), ("2.1 points".into(), "2.1 个百分点".into()));
        assert_eq!(en().points(100), "1 point");
        assert_eq!(
            (basis_points(1, 3), basis_points(-1, 3), basis_points(1, 0)),
            (Some(3_333), Some(-3_333), None)
        );
    }

    #[test]
    fn times_spent_are_rounded_within_their_unit() {
        assert_eq!(
            [millis(418), millis(2_140), millis(9_994), millis(9_995)],
            ["418 ms", "2.14 s", "9.99 s", "10.0 s"]
        );
        assert_eq!(
            [millis(12_345), millis(99_950), micros(430), micros(182_400)],
            ["12.3 s", "100 s", "0.4 ms", "182 ms"]
        );
        assert_eq!(
            (en().duration(24_000), zh().duration(24_000)),
            ("6 h 40 min".into(), "6 小时 40 分".into())
        );
        assert_eq!(
            (en().duration(45), en().duration(3_600), en().duration(259_200)),
            ("45 s".into(), "1 h".into(), "3 days".into())
        );
    }

    #[test]
    fn moments_are_in_the_zone_of_whoever_looks() {
        let (then, now) = (unix("2027-11-20T14:32:08Z"), unix("2027-11-20T14:40:30Z"));
        assert_eq!((en().clock(then), zh().clock_seconds(then)), ("14:32".into(), "22:32:08".into()));
        assert_eq!(
            (en().date(then, now), zh().date(then, unix("2028-02-01T00:00:00Z"))),
            ("Nov 20".into(), "2027年11月20日".into())
        );
        assert_eq!((en().ago(then, now), zh().ago(then, now)), ("8 min ago".into(), "8 分钟前".into()));
        assert_eq!(
            (en().ago(now, then), en().ago(unix("2026-01-02T00:00:00Z"), now)),
            ("now".into(), "Jan 2, 2026".into())
        );
        assert_eq!(en().moment(then, now), "Nov 20, 14:32");
        assert_eq!(en().clock(u64::MAX), NOTHING);
    }

    proptest! {
        /// Whatever the sum, its text read back as digits is the sum, rounded.
        #[test]
        fn a_charge_read_back_is_the_charge(amount in any::<i64>()) {
            let text = charge(Nano(amount)).replace([',', '$', '.'], "").replace(MINUS, "-");
            let read: i128 = text.parse().unwrap();
            let off = (read * 1_000 - i128::from(amount)).abs();
            prop_assert!(off <= 500, "{amount} became {text}");
        }
    }
}
