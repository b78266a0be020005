//! One's own wallet: what is left, codes, what was used, budgets.

use super::chart::{Used, by_of};
use super::overview::{Big, Stepper, month_of, span_of};
use super::words::{Month, change, whole, zone};
use super::{Parts, Side};
use crate::fmt::{grouped, money, ms, now};
use crate::kit::{
    Broken, Button, Field, Form, Headline, Kind, LinkButton, Loading, Meter, Section, Toast, Tone, use_fmt,
    use_toasts,
};
use crate::lang::Lang;
use crate::live::{Place, use_act, use_conn, use_here, use_lang, use_load};
use burncloud_billing::desk::BudgetView;
use burncloud_billing::desk::reports::{Books, Wallet};
use burncloud_billing::people::{Action, Place as At, may};
use burncloud_core::{Allowance, Enforcement, Nano, Period};
use dioxus::prelude::*;

#[component]
pub(super) fn Balance() -> Element {
    let here = use_here();
    let by = by_of(here.get("by").as_deref(), Side::Own);
    let month = month_of(here.get("month").as_deref());
    let loaded = use_load((month, by), |cx, (month, by)| async move {
        cx.console.desk().books(&cx.viewer.actor, span_of(month), by).await
    });
    match &*loaded.read() {
        None => rsx! { Loading { rows: 6 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(books)) => rsx! { Shown { books: books.clone() } },
    }
}

#[component]
fn Left(wallet: Option<Wallet>) -> Element {
    let lang = use_lang();
    let Some(wallet) = wallet else {
        return rsx! { strong { {lang.t("You have no wallet.", "你没有钱包。")} } };
    };
    let sum = money(Nano(wallet.balance.0.saturating_abs()));
    match (wallet.unlimited, wallet.balance < Nano::ZERO, lang) {
        (true, _, Lang::En) => rsx! { strong { "No limit" } " on what you spend." },
        (true, _, Lang::Zh) => rsx! { "你的消费" strong { "不设上限" } "。" },
        (_, true, Lang::En) => rsx! { "You owe " strong { "{sum}" } "." },
        (_, true, Lang::Zh) => rsx! { "你欠 " strong { "{sum}" } "。" },
        (_, _, Lang::En) => rsx! { strong { "{sum} left" } " to spend." },
        (_, _, Lang::Zh) => rsx! { "还有 " strong { "{sum}" } " 可用。" },
    }
}

#[component]
pub(super) fn Shown(books: Books) -> Element {
    let (lang, f, conn) = (use_lang(), use_fmt(), use_conn());
    let month = Month::of(books.window.since, &zone(&books.zone));
    let csv = conn.href(&Place::at(["api", "usage", "export"]).with("month", month.code()).to_string());
    let credit = books.wallet.filter(|wallet| wallet.credit > Nano::ZERO && !wallet.unlimited);
    let credit = credit.map(|wallet| match lang {
        Lang::En => format!("You may go {} below zero.", money(wallet.credit)),
        Lang::Zh => format!("可透支 {}。", money(wallet.credit)),
    });
    let sums = &books.now;
    let before = Month::of(books.before_window.since, &zone(&books.zone)).name(lang);
    let more = change(sums.charge, books.before.charge).map(|text| match lang {
        Lang::En => format!("{text} on {before}"),
        Lang::Zh => format!("较 {before} {text}"),
    });
    let redeems = may(conn.viewer.actor.role, Action::RedeemOwn, At::Own);
    rsx! {
        Headline { class: "mb-5", sub: credit,
            actions: rsx! {
                Stepper { books: books.clone() }
                LinkButton { href: csv, small: true, full: true, icon: "icon-[lucide--download]", "CSV" }
            },
            Left { wallet: books.wallet }
        }
        Parts { on: "" }
        div { class: "grid grid-cols-2 lg:grid-cols-4 gap-x-6 gap-y-5",
            Big { name: lang.t("Used", "已用"), value: whole(sums.charge), sub: more }
            Big { name: lang.t("Requests", "请求"), value: f.count(sums.requests) }
            Big { name: lang.t("Tokens in", "输入 token"), value: f.count(sums.tokens_in) }
            Big { name: lang.t("Tokens out", "输出 token"), value: f.count(sums.tokens_out) }
        }
        if redeems { Redeem {} }
        Budgets {}
        Used { books: books.clone() }
    }
}

#[component]
fn Redeem() -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    // Another one each time a code was used: a form of its own, empty again.
    let mut turn = use_signal(|| 0_u32);
    let mut redeem =
        use_act(|cx, code: String| async move { cx.console.desk().redeem(&cx.viewer.actor, &code).await });
    let submit = move |event: FormEvent| {
        let code = Form::of(&event).text("redeem-code");
        redeem.then(code, move |done| {
            turn += 1;
            let sum = money(done.amount);
            toasts.show(Toast::done(match lang {
                Lang::En => format!("{sum} added"),
                Lang::Zh => format!("已到账 {sum}"),
            }));
        });
    };
    rsx! {
        Section { id: "redeem-title", title: lang.t("Redeem a code", "兑换"),
            for n in [turn()] {
                form { key: "{n}", id: "redeem", class: "flex flex-wrap items-end gap-3", "data-forget": "1", onsubmit: submit,
                    Field { id: "redeem-code", label: lang.t("Code", "兑换码"), class: "sm:w-96 mono", required: true, error: redeem.error("code") }
                    Button { submit: true, busy: redeem.busy(), kind: Kind::Primary, {lang.t("Add to my balance", "充入余额")} }
                }
            }
        }
    }
}

#[component]
fn Budgets() -> Element {
    let loaded = use_load((), |cx, ()| async move { cx.console.desk().budgets(&cx.viewer.actor).await });
    match &*loaded.read() {
        Some(Ok(all)) if !all.is_empty() => rsx! { Limits { all: all.clone() } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        _ => rsx! {},
    }
}

/// What a budget says of itself: how full it is, and in which words.
fn filled(view: &BudgetView, lang: Lang) -> (u32, String) {
    let percent = |spent: i128, of: i128| {
        let part = (spent * 100).checked_div(of).unwrap_or(100).clamp(0, 100);
        u32::try_from(part).unwrap_or(100)
    };
    let (part, spent, of) = match view.budget.allowance {
        Allowance::Money(most) => {
            (percent(view.spent_money.0.into(), most.0.into()), money(view.spent_money), money(most))
        }
        Allowance::Tokens(most) => {
            let words = |n: u64| format!("{} token", grouped(n));
            (percent(view.spent_tokens.into(), most.into()), grouped(view.spent_tokens), words(most))
        }
    };
    (
        part,
        match lang {
            Lang::En => format!("{spent} of {of}"),
            Lang::Zh => format!("{spent} / {of}"),
        },
    )
}

#[component]
pub(super) fn Limits(all: Vec<BudgetView>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let period = |period: Period| match period {
        Period::Hour => lang.t("an hour", "每小时"),
        Period::Day => lang.t("a day", "每天"),
        Period::Month => lang.t("a month", "每月"),
        Period::Total => lang.t("in all", "总计"),
    };
    let rows: Vec<_> = all
        .iter()
        .map(|view| {
            let (part, words) = filled(view, lang);
            let tone = match part {
                0..=79 => Tone::Info,
                80..=99 => Tone::Care,
                _ => Tone::Bad,
            };
            let then = match view.budget.enforcement {
                Enforcement::Hard => lang.t("then requests are refused", "用完后拒绝请求"),
                Enforcement::Soft => lang.t("then somebody is told", "用完后提醒"),
            };
            let since = f.date(ms(view.since), now());
            (view.budget.name.clone(), part, words, tone, period(view.budget.period), then, since)
        })
        .collect();
    rsx! {
        Section { id: "budgets", title: lang.t("Budgets", "预算"),
            ul { class: "rows",
                for (name, part, words, tone, period, then, since) in rows {
                    li { key: "{name}", class: "grid sm:grid-cols-[minmax(0,1fr)_10rem_auto] items-center gap-x-6 gap-y-1 py-3",
                        div { class: "min-w-0",
                            p { class: "font-medium truncate", title: "{name}", "{name}" }
                            p { class: "text-sm text-muted num", "{period} · {then} · " {lang.t("since ", "自 ")} "{since}" }
                        }
                        Meter { percent: part, label: "{name}: {words}", tone }
                        span { class: "num text-right", "{words}" }
                    }
                }
            }
        }
    }
}
