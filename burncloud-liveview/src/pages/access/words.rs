//! What keys are, in words.

use crate::fmt::{Fmt, grouped, money, ms};
use crate::kit::Tone;
use crate::lang::Lang;
use burncloud_billing::desk::reports::{KeyRow, KeyState};
use burncloud_core::usecase::keys::PREFIX;
use burncloud_core::{Allowance, ApiKey, Budget, Enforcement, Limits, Nano, Period, UnixMicros};

/// From this share on a meter asks for care.
const CARE: u32 = 80;

/// When a key was last used, which is known to the quarter of an hour that begins `at`: never longer ago than it was.
pub(super) fn last_used(f: &Fmt, at: UnixMicros, now: u64) -> String {
    const QUARTER: u64 = 15 * 60 * 1_000;
    match ms(at) + QUARTER {
        end if end > now => f.lang.t("< 15 min ago", "15 分钟内").to_owned(),
        end => f.ago(end, now),
    }
}

/// The states that the list can be cut to, in the order of its menu.
pub(super) const STATES: [KeyState; 7] = [
    KeyState::Active,
    KeyState::Near,
    KeyState::Spent,
    KeyState::Idle,
    KeyState::Expired,
    KeyState::Off,
    KeyState::Revoked,
];

/// As in the URL.
pub(super) fn state_code(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "active",
        KeyState::Near => "near",
        KeyState::Spent => "spent",
        KeyState::Idle => "idle",
        KeyState::Expired => "expired",
        KeyState::Off => "off",
        KeyState::Revoked => "revoked",
    }
}

pub(super) fn state_words(lang: Lang, state: KeyState) -> (Tone, &'static str) {
    match state {
        KeyState::Active => (Tone::Good, lang.t("Active", "使用中")),
        KeyState::Near => (Tone::Care, lang.t("Near budget", "快用完")),
        KeyState::Spent => (Tone::Bad, lang.t("Used up", "已用完")),
        KeyState::Idle => (Tone::Plain, lang.t("Idle", "闲置")),
        KeyState::Expired => (Tone::Bad, lang.t("Expired", "已过期")),
        KeyState::Off => (Tone::Plain, lang.t("Off", "已关闭")),
        KeyState::Revoked => (Tone::Plain, lang.t("Revoked", "已作废")),
    }
}

/// "6 models".
pub(super) fn opens(lang: Lang, models: Option<&[String]>) -> String {
    match (models, lang) {
        (None, _) => lang.t("All models", "全部模型").to_owned(),
        (Some([_]), Lang::En) => "1 model".to_owned(),
        (Some(models), Lang::En) => format!("{} models", models.len()),
        (Some(models), Lang::Zh) => format!("{} 个模型", models.len()),
    }
}

/// Money, without cents where there are none: `$500`, `$12.50`.
pub(super) fn round_money(amount: Nano) -> String {
    let text = money(amount);
    text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
}

pub(super) fn allowance(f: &Fmt, allowance: Allowance) -> String {
    match (allowance, f.lang) {
        (Allowance::Money(amount), _) => round_money(amount),
        (Allowance::Tokens(n), Lang::En) => format!("{} tokens", f.compact(n)),
        (Allowance::Tokens(n), Lang::Zh) => format!("{} token", f.compact(n)),
    }
}

/// "$500 a day".
pub(super) fn budget(f: &Fmt, budget: &Budget) -> String {
    let amount = allowance(f, budget.allowance);
    match (budget.period, f.lang) {
        (Period::Hour, Lang::En) => format!("{amount} an hour"),
        (Period::Day, Lang::En) => format!("{amount} a day"),
        (Period::Month, Lang::En) => format!("{amount} a month"),
        (Period::Total, Lang::En) => format!("{amount} in all"),
        (Period::Hour, Lang::Zh) => format!("每小时 {amount}"),
        (Period::Day, Lang::Zh) => format!("每天 {amount}"),
        (Period::Month, Lang::Zh) => format!("每月 {amount}"),
        (Period::Total, Lang::Zh) => format!("总计 {amount}"),
    }
}

/// What happens when a budget is used up.
pub(super) fn enforcement(lang: Lang, enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::Hard => lang.t("then refused", "用完即拒绝"),
        Enforcement::Soft => lang.t("then somebody is told", "用完只提醒"),
    }
}

/// The colour of a meter.
pub(super) fn meter_tone(percent: u32, hard: bool) -> Tone {
    match percent {
        100.. if hard => Tone::Bad,
        CARE.. => Tone::Care,
        _ => Tone::Plain,
    }
}

/// What a row of the list shows beside what was spent today: how full that which is fullest is (with its colour), what
/// that is for screen readers, and a word of it.
pub(super) fn tightest(f: &Fmt, row: &KeyRow) -> Option<(u32, Tone, String, String)> {
    let budgets = row.budgets.iter().map(|view| {
        let hard = view.budget.enforcement == Enforcement::Hard;
        (view.percent(), hard, Some(&view.budget))
    });
    let quota = row.quota_percent().map(|percent| (percent, true, None));
    // Of those that are as full, the day's: beside stands what was spent today.
    let day = |of: &Option<&Budget>| of.is_some_and(|budget| budget.period == Period::Day);
    let (percent, hard, of) = budgets.chain(quota).max_by_key(|(percent, _, of)| (*percent, day(of)))?;
    let (name, short) = match of.map(|budget| budget.period) {
        Some(Period::Hour) => (f.lang.t("this hour's budget", "本小时预算"), f.lang.t("this hour", "本小时")),
        Some(Period::Day) => (f.lang.t("today's budget", "今日预算"), f.lang.t("today", "今日")),
        Some(Period::Month) => (f.lang.t("this month's budget", "本月预算"), f.lang.t("this month", "本月")),
        Some(Period::Total) => (f.lang.t("its budget", "总预算"), f.lang.t("in all", "总计")),
        None => (f.lang.t("its quota", "额度"), f.lang.t("in its life", "总额度")),
    };
    let (label, short) = match f.lang {
        Lang::En => (format!("{percent}% of {name}"), format!("{percent}% {short}")),
        Lang::Zh => (format!("{name}已用 {percent}%"), format!("{short} {percent}%")),
    };
    let word = match of {
        Some(Budget { period: Period::Day, allowance: Allowance::Money(amount), .. }) => {
            format!("/ {}", round_money(*amount).trim_start_matches('$'))
        }
        _ => format!("· {short}"),
    };
    Some((percent, meter_tone(percent, hard), label, word))
}

/// "600 requests a minute, 5 at a time"; `None` without limits.
pub(super) fn limits(f: &Fmt, limits: &Limits) -> Option<String> {
    let zh = f.lang == Lang::Zh;
    let parts = [
        limits.requests_per_minute.map(|n| match zh {
            true => format!("每分钟 {} 次请求", grouped(n)),
            false => format!("{} requests a minute", grouped(n)),
        }),
        limits.tokens_per_minute.map(|n| match zh {
            true => format!("每分钟 {} token", f.compact(n)),
            false => format!("{} tokens a minute", f.compact(n)),
        }),
        limits.concurrency.map(|n| match zh {
            true => format!("同时 {} 个", grouped(n)),
            false => format!("{} at a time", grouped(n)),
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(f.lang.t(", ", "，")))
}

/// When a key ends: a midnight is the end of the day before.
pub(super) fn ends(f: &Fmt, at: UnixMicros, now: u64) -> String {
    let at = ms(at);
    if f.clock(at) == "00:00" { f.date(at.saturating_sub(1), now) } else { f.moment(at, now) }
}

/// What is typed before a key is withdrawn: what is shown of its secret, or its name where that is too little.
pub(super) fn confirm_word(key: &ApiKey) -> String {
    // Keys of older versions show how their secret begins.
    let (begins, ends) = key.hint.split_once('…').unwrap_or((&key.hint, ""));
    let shown = if ends.is_empty() { begins.strip_prefix(PREFIX).unwrap_or(begins) } else { ends };
    if shown.len() >= 3 && shown.bytes().all(|byte| byte.is_ascii_graphic()) {
        shown.to_owned()
    } else {
        key.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn f(lang: Lang) -> Fmt {
        Fmt { lang, zone: TimeZone::UTC }
    }

    #[test]
    fn a_key_is_not_said_to_rest_while_it_is_used() {
        let (en, quarter) = (f(Lang::En), UnixMicros(1_795_181_400_000_000));
        let minutes = |n: u64| ms(quarter) + n * 60_000;
        assert_eq!(last_used(&en, quarter, minutes(14)), "< 15 min ago");
        assert_eq!(last_used(&f(Lang::Zh), quarter, minutes(14)), "15 分钟内");
        assert_eq!(last_used(&en, quarter, minutes(17)), "2 min ago");
    }

    #[test]
    fn budgets_and_limits_are_sentences() {
        let of = |period, allowance| Budget {
            name: "b".into(),
            scope: burncloud_core::Scope::Model("m".into()),
            period,
            allowance,
            enforcement: Enforcement::Hard,
            time_zone: "UTC".into(),
        };
        let day = of(Period::Day, Allowance::Money(Nano(500_000_000_000)));
        let month = of(Period::Month, Allowance::Tokens(2_000_000));
        assert_eq!(
            (budget(&f(Lang::En), &day), budget(&f(Lang::Zh), &day)),
            ("$500 a day".into(), "每天 $500".into())
        );
        assert_eq!(budget(&f(Lang::En), &month), "2M tokens a month");
        let some = Limits { requests_per_minute: Some(1_600), concurrency: Some(2), ..Limits::default() };
        assert_eq!(limits(&f(Lang::En), &some).unwrap(), "1,600 requests a minute, 2 at a time");
        assert_eq!(limits(&f(Lang::Zh), &some).unwrap(), "每分钟 1,600 次请求，同时 2 个");
        assert_eq!(limits(&f(Lang::En), &Limits::default()), None);
        assert_eq!([79, 80, 100].map(|n| meter_tone(n, true)), [Tone::Plain, Tone::Care, Tone::Bad]);
        assert_eq!(meter_tone(140, false), Tone::Care);
    }

    #[test]
    fn a_midnight_is_the_end_of_the_day_before() {
        let at = |text: &str| UnixMicros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
        let now = ms(at("2027-01-01T00:00:00Z"));
        assert_eq!(ends(&f(Lang::En), at("2027-04-01T00:00:00Z"), now), "Mar 31");
        assert_eq!(ends(&f(Lang::En), at("2027-04-01T09:30:00Z"), now), "Apr 1, 09:30");
    }

    #[test]
    fn the_word_to_type_is_short_and_never_the_secret() {
        let key = |hint: &str| ApiKey { name: "k".into(), hint: hint.into(), ..ApiKey::default() };
        assert_eq!(confirm_word(&key("sk-burn-…7f3a")), "7f3a");
        assert_eq!(confirm_word(&key("sk-burn-7f3a…")), "7f3a");
        assert_eq!(confirm_word(&key("sk-o…")), "sk-o");
        assert_eq!(confirm_word(&key("…ab")), "k");
    }

    #[test]
    fn every_state_has_its_own_name_in_the_url() {
        let codes: std::collections::BTreeSet<_> = STATES.into_iter().map(state_code).collect();
        assert_eq!(codes.len(), STATES.len());
    }
}
