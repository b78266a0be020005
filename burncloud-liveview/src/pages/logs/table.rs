//! The rows.

use super::choices::Eyes;
use super::query::Query;
use super::tail::Shown;
use super::words;
use crate::fmt::{NOTHING, charge, grouped, micros};
use crate::kit::{Dot, Hop, Hops, Icon, Table, Tile, use_fmt};
use crate::live::{use_here, use_lang};
use crate::pages::reasons::reason;
use burncloud_billing::desk::reports::{LogRow, Reason};
use burncloud_core::{End, Nano, ReceiptId};
use dioxus::prelude::*;

/// The rows with their head, and the way to older and newer ones.
#[component]
pub(super) fn Rows(shown: Signal<Option<Shown>>, eyes: Eyes, open: Option<ReceiptId>, now: u64) -> Element {
    let lang = use_lang();
    let whose = if eyes == Eyes::User { lang.t("Key", "密钥") } else { lang.t("Customer", "客户") };
    let shown = shown.read();
    let Some(shown) = &*shown else { return rsx! {} };
    let rows = shown.page.rows.clone();
    rsx! {
        Table { caption: lang.t("Requests", "请求"), class: "[&_td]:py-2 [&_th]:py-2 md:[&_td]:h-11",
            head: rsx! {
                th { scope: "col", class: "hidden md:table-cell", {lang.t("Time", "时间")} }
                th { scope: "col", class: "max-md:ps-0", "{whose}" }
                th { scope: "col", class: "hidden md:table-cell", {lang.t("Model", "模型")} }
                th { scope: "col", class: "max-md:hidden", {lang.t("Answer", "应答")} }
                th { scope: "col", class: "hidden lg:table-cell", if eyes == Eyes::House { {lang.t("Road taken", "经过")} } else { {lang.t("Result", "结果")} } }
                th { scope: "col", class: "hidden xl:table-cell text-right", {lang.t("First word", "首字")} }
                th { scope: "col", class: "hidden xl:table-cell text-right", {lang.t("Whole", "全程")} }
                th { scope: "col", class: "hidden xl:table-cell text-right", {lang.t("Tokens in / out", "token 入 / 出")} }
                if eyes != Eyes::User { th { scope: "col", class: "hidden xl:table-cell text-right", {lang.t("You keep", "净利")} } }
                th { scope: "col", class: "text-right", {lang.t("Charge", "收费")} }
            },
            for row in rows {
                Row { key: "{row.id}", fresh: shown.fresh.contains(&row.id), open: open == Some(row.id), eyes, now, row }
            }
        }
    }
}

#[component]
fn Row(row: LogRow, eyes: Eyes, fresh: bool, open: bool, now: u64) -> Element {
    let (lang, here, f) = (use_lang(), use_here(), use_fmt());
    let unknown = lang.t("gone", "已不存在");
    let name = match eyes {
        Eyes::User => row.key_name.clone(),
        _ => row.customer_name.clone(),
    };
    let name = name.unwrap_or_else(|| unknown.to_owned());
    let model = if row.model.is_empty() { NOTHING.to_owned() } else { row.model.clone() };
    let amount = row.revenue.unwrap_or(row.charge);
    let first = row.first_us.map(|us| micros(u64::from(us)));
    let at = words::when(&f, row.at, now);
    let answered = row.reason.is_none();
    let class = if open {
        "is-open bg-fill"
    } else if fresh {
        "row-new"
    } else {
        ""
    };
    rsx! {
        tr { class, "data-id": "{row.id}",
            td { class: "hidden md:table-cell whitespace-nowrap text-muted num w-20", "{at}" }
            th { scope: "row", class: "font-normal max-md:ps-0",
                span { class: "flex items-center gap-2.5",
                    Tile { name: name.clone(), round: true, class: "size-6! text-[0.5625rem]!" }
                    span { class: "min-w-0",
                        a { id: "log-{row.id}", href: here.with("open", row.id), title: "{name}",
                            class: "block truncate max-w-[42vw] md:max-w-[9.5rem] xl:max-w-44 rounded max-md:font-medium",
                            "{name}"
                            span { class: "sr-only", {lang.t(", at ", "，")} "{at}" }
                        }
                        span { class: "md:hidden block text-sm text-muted truncate max-w-[44vw]", title: "{model}", "{model}" }
                    }
                }
            }
            td { class: "hidden md:table-cell", span { class: "block truncate max-w-36 xl:max-w-56", title: "{model}", "{model}" } }
            td { class: "w-16 max-md:hidden", Status { row: row.clone() } }
            td { class: "hidden lg:table-cell text-sm", Road { row: row.clone(), eyes } }
            td { class: "hidden xl:table-cell text-right whitespace-nowrap num",
                if let Some(first) = &first { "{first}" } else { Nothing {} }
            }
            td { class: "hidden xl:table-cell text-right whitespace-nowrap text-muted num", {micros(row.took_us)} }
            td { class: "hidden xl:table-cell text-right whitespace-nowrap text-muted num",
                if row.tokens_in + row.tokens_out > 0 {
                    {grouped(row.tokens_in)} " " span { class: "text-faint", "/" } " " {grouped(row.tokens_out)}
                } else { Nothing {} }
            }
            if eyes != Eyes::User { td { class: "hidden xl:table-cell text-right whitespace-nowrap num", Kept { margin: row.margin } } }
            td { class: "text-right whitespace-nowrap num",
                span { class: "font-medium", if amount == Nano::ZERO { Nothing {} } else { {charge(amount)} } }
                span { class: "md:hidden block text-sm text-muted",
                    if let Some(first) = first.filter(|_| answered) { "{first}" } else { Status { row: row.clone() } }
                }
            }
        }
    }
}

#[component]
fn Nothing() -> Element {
    rsx! { span { class: "text-faint", "{NOTHING}" } }
}

#[component]
fn Kept(margin: Option<Nano>) -> Element {
    match margin {
        Some(margin) if margin.0 < 0 => rsx! { span { class: "text-error", {charge(margin)} } },
        Some(margin) if margin.0 > 0 => rsx! { span { class: "text-success", {charge(margin)} } },
        _ => rsx! { Nothing {} },
    }
}

/// The status that the caller got; 499 where they left before the end.
#[component]
pub(super) fn Status(row: LogRow) -> Element {
    let lang = use_lang();
    let status = if row.end == End::CallerGone { 499 } else { row.status };
    let word = words::outcome(lang, row.outcome);
    rsx! {
        span { class: "inline-flex items-center gap-2 num",
            Dot { tone: words::tone(&row) }
            "{status}"
            span { class: "sr-only", "{word}" }
        }
    }
}

/// How the hops of a road are written.
pub(super) fn hops(lang: crate::lang::Lang, row: &LogRow) -> Vec<Hop> {
    let asked = row.road.iter().filter(|hop| hop.reason != Some(Reason::NotAfforded));
    let hop = |hop: &burncloud_billing::desk::reports::Hop| Hop {
        name: hop.name.clone().unwrap_or_else(|| lang.t("gone", "已不存在").to_owned()),
        failed: hop.reason.map(|why| match hop.status {
            Some(status) => status.to_string(),
            None => reason(lang, why).to_owned(),
        }),
    };
    asked.map(hop).collect()
}

#[component]
fn Road(row: LogRow, eyes: Eyes) -> Element {
    let lang = use_lang();
    let why = row.reason.map(|why| reason(lang, why));
    if row.road.is_empty() {
        return match why {
            Some(why) => rsx! {
                span { class: "inline-flex items-center gap-1.5 text-muted",
                    if eyes == Eyes::House || row.end == End::Refused { Icon { i: "icon-[lucide--door-closed]", class: "size-3.5" } }
                    "{why}"
                }
            },
            None => rsx! { span { class: "text-muted", {words::outcome(lang, row.outcome)} } },
        };
    }
    let hops = hops(lang, &row);
    // What the last hop says already is not said again.
    let said = hops.last().and_then(|hop| hop.failed.clone());
    let why = why.filter(|why| said.as_deref() != Some(*why));
    rsx! {
        Hops { hops }
        if let Some(why) = why { span { class: "text-muted ms-2 whitespace-nowrap", "{why}" } }
    }
}

/// To newer and older rows.
#[component]
pub(super) fn Steps(query: Query, next: Option<ReceiptId>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let newer = query.newer(here.place()).map(|place| here.href(&place));
    let older = next.map(|next| here.href(&query.older(here.place(), next)));
    if newer.is_none() && older.is_none() {
        return rsx! {};
    }
    let step = |id: &'static str, href: Option<String>, label: &'static str, icon: &'static str| {
        rsx! {
            if let Some(href) = href { a { id, class: "btn btn-quiet btn-sm", href, Icon { i: icon, class: "size-3.5" } "{label}" } }
        }
    };
    rsx! {
        nav { class: "flex items-center justify-end gap-2 mt-4", "aria-label": lang.t("Pages", "分页"),
            {step("logs-newer", newer, lang.t("Newer", "较新"), "icon-[lucide--arrow-up]")}
            {step("logs-older", older, lang.t("Older", "较旧"), "icon-[lucide--arrow-down]")}
        }
    }
}
