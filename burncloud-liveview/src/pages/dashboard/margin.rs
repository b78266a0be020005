//! The margin: of the house, or of a reseller.

use super::behind::Behind;
use super::facts::Facts;
use super::figures::{Glance, Period};
use super::sea::{Hours, Now};
use crate::fmt::{money, money_parts, percent};
use crate::kit::{Pulse, PulseState, Sun, Tab, Tabs, use_fmt};
use crate::lang::Lang;
use crate::live::{Here, use_here, use_lang};
use burncloud_billing::desk::reports::View;
use burncloud_core::Nano;
use dioxus::prelude::*;
use std::sync::Arc;

#[component]
pub(super) fn Margin(glance: Arc<Glance>, period: Period, behind: bool) -> Element {
    let state = glance.state();
    let tone = tone(state);
    rsx! {
        div { class: "grow flex flex-col {tone}",
            div { class: "relative grow flex flex-col overflow-hidden isolate",
                Sun { state }
                div { class: "flex items-center justify-between gap-3 px-4 md:px-8 xl:px-10 pt-1 md:pt-4",
                    State { state }
                    Periods { period }
                }
                div { class: "grow flex flex-col justify-center py-10 md:py-8",
                    Sum { glance: glance.clone(), period }
                }
                if glance.live { Now { state } } else { Hours { glance: glance.clone(), state } }
            }
            Facts { glance: glance.clone() }
            Behind { glance, period, open: behind }
        }
    }
}

/// The classes by which what is inside shows the state.
pub(super) fn tone(state: PulseState) -> &'static str {
    match state {
        PulseState::Flow => "",
        PulseState::Hurt => "is-hurt",
        PulseState::Rest => "is-rest",
    }
}

/// The breathing dot and what it says.
#[component]
pub(super) fn State(state: PulseState) -> Element {
    let lang = use_lang();
    let word = match state {
        PulseState::Flow => lang.t("Money flows", "正在进账"),
        PulseState::Hurt => lang.t("Act now", "需要处理"),
        PulseState::Rest => lang.t("Nothing flows yet", "还没有进账"),
    };
    rsx! {
        p { id: "state", class: "flex items-center gap-2.5 text-base font-medium", role: "status", Pulse { state } "{word}" }
    }
}

#[component]
fn Periods(period: Period) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let tab = |one: Period| Tab::new(here.with("span", one.code()), one.name(lang), one == period);
    let tabs: Vec<Tab> = Period::ALL.into_iter().map(tab).collect();
    rsx! { Tabs { label: lang.t("Period", "时段"), tabs } }
}

/// A number at the side of the large one.
#[component]
pub(super) fn Side(name: String, amount: Nano, class: &'static str) -> Element {
    let amount = money(amount);
    rsx! {
        div { class: "{class} max-md:text-center",
            div { class: "text-sm text-muted", "{name}" }
            div { class: "figure mt-1 text-xl md:text-2xl xl:text-[2rem] xl:leading-10 text-base-content", "{amount}" }
        }
    }
}

/// The large number: smaller the more digits it has, so that it stays on a phone.
#[component]
pub(super) fn Large(amount: Nano) -> Element {
    let (sign, whole, cents) = money_parts(amount);
    let size = match sign.chars().count() + whole.len() {
        0..=6 => "text-[clamp(3.5rem,8.6vw,7.25rem)]",
        7..=9 => "text-[clamp(2.75rem,7.6vw,6.25rem)]",
        _ => "text-[clamp(2rem,6.2vw,5rem)]",
    };
    rsx! {
        p { id: "figure", class: "figure mt-2 {size} leading-none tracking-[-0.05em]! font-[580]!",
            span { class: "cents", "{sign}" }
            "{whole}"
            span { class: "cents", "{cents}" }
        }
    }
}

#[component]
fn Sum(glance: Arc<Glance>, period: Period) -> Element {
    let lang = use_lang();
    let now = &glance.books.now;
    let title = match period {
        Period::Today => lang.t("Net margin today", "今日净利"),
        Period::Week => lang.t("Net margin, 7 days", "近 7 天净利"),
        Period::Month => lang.t("Net margin this month", "本月净利"),
    };
    let reseller = matches!(glance.books.view, View::Reseller(_));
    let cost = if reseller { lang.t("Paid upstream", "进货成本") } else { lang.t("Cost", "成本") };
    rsx! {
        div { class: "grid grid-cols-2 md:grid-cols-[1fr_auto_1fr] items-end gap-x-6 xl:gap-x-12 gap-y-7 w-full max-w-[68rem] mx-auto px-4 md:px-8",
            div { class: "order-2 md:order-1 md:pb-1.5",
                Side { name: lang.t("Revenue", "收入"), amount: now.revenue.unwrap_or_default(), class: "md:text-right" }
            }
            div { class: "order-1 md:order-2 col-span-2 md:col-span-1 text-center",
                h1 { class: "text-base text-muted font-normal", "{title}" }
                Large { amount: now.margin.unwrap_or_default() }
            }
            div { class: "order-3 md:pb-1.5",
                Side { name: cost, amount: now.cost.unwrap_or_default(), class: "md:text-left" }
            }
        }
        Change { kept: now.kept_permille, by: glance.books.kept_change, period }
    }
}

/// How much of each dollar stays, and whether that is better than before; in thousandths.
#[component]
fn Change(kept: Option<i64>, by: Option<i64>, period: Period) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let Some(kept) = kept else {
        return rsx! { p { class: "mt-5 text-center text-base text-muted px-4", {lang.t("Nothing came in yet.", "还没有收入。")} } };
    };
    let kept = percent(kept.saturating_mul(10));
    let change = by.map(|by| (by, words(lang, &f.points(by.saturating_mul(10)), by, period)));
    rsx! {
        p { class: "mt-5 text-center text-base text-muted num px-4",
            span { class: "text-base-content font-medium", "{kept}" }
            " "
            {lang.t("kept of every dollar", "净利率")}
            if let Some((by, words)) = change {
                " "
                span { class: "mx-1.5 text-faint", "aria-hidden": "true", "·" }
                " "
                span { class: match by.signum() { -1 => "text-error font-medium", 0 => "font-medium", _ => "text-success font-medium" }, "{words}" }
            }
        }
    }
}

fn words(lang: Lang, points: &str, by: i64, period: Period) -> String {
    let then = match period {
        Period::Today => lang.t("yesterday", "昨天"),
        Period::Week => lang.t("the week before", "前一周"),
        Period::Month => lang.t("last month", "上月"),
    };
    match (lang, by.signum()) {
        (Lang::En, 0) => format!("as much as {then}"),
        (Lang::En, 1) => format!("{points} better than {then}"),
        (Lang::En, _) => format!("{points} worse than {then}"),
        (Lang::Zh, 0) => format!("与{then}持平"),
        (Lang::Zh, 1) => format!("比{then}高 {points}"),
        (Lang::Zh, _) => format!("比{then}低 {points}"),
    }
}

/// The URL of where they are with what is behind the number opened or closed.
pub(super) fn toggled(here: Here, open: bool) -> String {
    here.with("behind", if open { "" } else { "1" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_said_in_words() {
        assert_eq!(words(Lang::En, "2.1 points", 21, Period::Today), "2.1 points better than yesterday");
        assert_eq!(words(Lang::En, "6.5 points", -65, Period::Week), "6.5 points worse than the week before");
        assert_eq!(words(Lang::Zh, "6.5 个百分点", -65, Period::Month), "比上月低 6.5 个百分点");
        assert_eq!(words(Lang::Zh, "0 个百分点", 0, Period::Today), "与昨天持平");
    }
}
