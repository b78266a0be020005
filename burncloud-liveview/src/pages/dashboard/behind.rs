//! Behind the number: what brought it in, what it cost, and how the requests went. Read when it is opened.

use super::figures::{Glance, Period};
use super::margin::toggled;
use crate::fmt::{NOTHING, micros, money, percent};
use crate::kit::{Icon, Tile, use_fmt};
use crate::live::{use_conn, use_here, use_lang, use_load};
use burncloud_billing::desk::reports::{Of, Slice};
use burncloud_billing::people::Action;
use dioxus::prelude::*;
use std::sync::Arc;

#[component]
pub(super) fn Behind(glance: Arc<Glance>, period: Period, open: bool) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let accounts = conn.viewer.actor.may_in_house(Action::ManageHouse);
    let turn =
        if open { "size-3.5 transition-transform rotate-180" } else { "size-3.5 transition-transform" };
    rsx! {
        div { class: "border-t border-line bg-base-100 rounded-b-[inherit]",
            a { id: "behind", href: toggled(here, open), "aria-expanded": if open { "true" } else { "false" }, "aria-controls": "behind-number",
                class: "flex items-center justify-center gap-1.5 h-12 text-sm text-muted hover:text-base-content rounded-b-[inherit]",
                {lang.t("Behind the number", "数字背后")}
                Icon { i: "icon-[lucide--chevron-down]", class: turn }
            }
            div { id: "behind-number", hidden: !open, class: "px-4 md:px-8 pb-8 max-w-[60rem] mx-auto",
                if open {
                    Plain { glance: glance.clone() }
                    Models { slices: glance.books.slices.clone() }
                    if accounts { Accounts { period } }
                }
            }
        }
    }
}

/// How the requests of the period went, as plain numbers.
#[component]
fn Plain(glance: Arc<Glance>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let now = &glance.books.now;
    let first = now.first_us.map_or_else(|| NOTHING.to_owned(), micros);
    let all = [
        (lang.t("Requests", "请求"), f.compact(now.requests)),
        (lang.t("Tokens in", "输入 token"), f.compact(now.tokens_in)),
        (lang.t("Tokens out", "输出 token"), f.compact(now.tokens_out)),
        (lang.t("Failed", "失败"), f.compact(now.failed)),
        (lang.t("Refused at the door", "进门被拒"), f.compact(now.refused)),
        (lang.t("First word", "首字"), first),
    ];
    rsx! {
        dl { class: "grid grid-cols-2 sm:grid-cols-3 lg:grid-cols-6 gap-x-6 gap-y-4 py-4",
            for (name, value) in all {
                div { key: "{name}", dt { class: "text-xs text-muted", "{name}" } dd { class: "num font-medium", "{value}" } }
            }
        }
    }
}

#[component]
fn Models(slices: Vec<Slice>) -> Element {
    let lang = use_lang();
    rsx! {
        table { class: "table",
            caption { class: "sr-only", {lang.t("Margin by model", "各模型净利")} }
            thead { tr {
                th { scope: "col", {lang.t("Model", "模型")} }
                th { scope: "col", class: "text-right max-md:hidden", {lang.t("Revenue", "收入")} }
                th { scope: "col", class: "text-right max-md:hidden", {lang.t("Cost", "成本")} }
                th { scope: "col", class: "text-right", {lang.t("Kept", "净利")} }
            } }
            tbody {
                for (at, slice) in slices.into_iter().enumerate() { Row { key: "{at}", slice } }
            }
        }
    }
}

/// One model. A reseller's costs are known in the whole alone: of a model it sees what it brought in.
#[component]
fn Row(slice: Slice) -> Element {
    let lang = use_lang();
    let name = name_of(&slice, lang.t("Unknown model", "未知模型"), lang);
    let sums = &slice.sums;
    let or_nothing = |amount: Option<_>| amount.map_or_else(|| NOTHING.to_owned(), money);
    let kept = or_nothing(sums.margin.or(sums.revenue.filter(|_| sums.cost.is_none())));
    let share = sums.kept_permille.map(|kept| percent(kept.saturating_mul(10))).unwrap_or_default();
    rsx! {
        tr {
            th { scope: "row", class: "font-normal",
                span { class: "flex items-center gap-2.5 min-w-0",
                    Tile { name: name.clone(), class: "tile-sm" }
                    span { class: "font-medium truncate max-w-[14rem] md:max-w-[22rem]", title: "{name}", "{name}" }
                }
            }
            td { class: "text-right num max-md:hidden", {or_nothing(sums.revenue)} }
            td { class: "text-right num text-muted max-md:hidden", {or_nothing(sums.cost)} }
            td { class: "text-right num whitespace-nowrap",
                span { class: "font-medium", "{kept}" }
                " "
                span { class: "text-muted inline-block w-14", "{share}" }
            }
        }
    }
}

fn name_of(slice: &Slice, nameless: &str, lang: crate::lang::Lang) -> String {
    match (&slice.name, &slice.of) {
        (Some(name), _) => name.clone(),
        (None, Of::Others(n)) => match lang {
            crate::lang::Lang::En => format!("{n} others"),
            crate::lang::Lang::Zh => format!("其他 {n} 个"),
        },
        (None, Of::Below) => lang.t("Resellers below", "下级分销商").to_owned(),
        (None, _) => nameless.to_owned(),
    }
}

#[component]
fn Accounts(period: Period) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let books =
        use_load(period, |cx, period| async move { cx.console.figures().by_account(&cx, period).await });
    let rows = match &*books.read() {
        None => {
            return rsx! { div { class: "py-4 grid gap-3", "aria-busy": "true", span { class: "skeleton h-4 w-full block" } span { class: "skeleton h-4 w-full block" } } };
        }
        Some(Err(fault)) => return rsx! { p { class: "py-4 text-error", role: "alert", "{fault.text}" } },
        Some(Ok(books)) => books.slices.clone(),
    };
    rsx! {
        table { class: "table mt-8",
            caption { class: "sr-only", {lang.t("Cost by account", "各账号成本")} }
            thead { tr {
                th { scope: "col", {lang.t("Account", "账号")} }
                th { scope: "col", class: "text-right max-md:hidden", {lang.t("Requests", "请求")} }
                th { scope: "col", class: "text-right max-md:hidden", {lang.t("First word", "首字")} }
                th { scope: "col", class: "text-right", {lang.t("Cost", "成本")} }
            } }
            tbody {
                for (at, slice) in rows.into_iter().enumerate() {
                    tr { key: "{at}",
                        th { scope: "row", class: "font-normal",
                            span { class: "flex items-center gap-2.5 min-w-0",
                                Tile { name: name_of(&slice, lang.t("No account", "未到账号"), lang), class: "tile-sm" }
                                span { class: "font-medium truncate max-w-[14rem] md:max-w-[22rem]", {name_of(&slice, lang.t("No account", "未到账号"), lang)} }
                            }
                        }
                        td { class: "text-right num max-md:hidden", {f.compact(slice.sums.requests)} }
                        td { class: "text-right num text-muted max-md:hidden", {slice.sums.first_us.map_or_else(|| NOTHING.to_owned(), micros)} }
                        td { class: "text-right num font-medium", {slice.sums.cost.map_or_else(|| NOTHING.to_owned(), money)} }
                    }
                }
            }
        }
    }
}
