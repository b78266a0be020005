//! What came in this month, what went out, what stays.

use super::chart::{Used, by_of};
use super::words::{Month, change, per_million, share, whole, zone};
use super::{Parts, Side, books, leaves};
use crate::fmt::{money, ms, now, percent};
use crate::kit::{Broken, Headline, Icon, LinkButton, Loading, Tab, Tabs};
use crate::lang::Lang;
use crate::live::{Cx, Loaded, Place, use_conn, use_here, use_lang, use_load};
use burncloud_billing::desk::reports::{Books, By, Of, Slice, Span, Sums, View};
use burncloud_core::Nano;
use burncloud_core::usecase::UseCaseResult;
use dioxus::prelude::*;

/// So many payees are told apart; the others are one.
const PAYEES: usize = 5;

/// The month in the URL; the present one where there is none.
pub(super) fn month_of(code: Option<&str>) -> Option<Month> {
    code.and_then(Month::parse)
}

pub(super) fn span_of(month: Option<Month>) -> Span {
    month.map_or(Span::ThisMonth, Month::span)
}

#[component]
pub(super) fn Overview() -> Element {
    let (conn, here) = (use_conn(), use_here());
    let side = Side::of(&conn.viewer.actor);
    let by = by_of(here.get("by").as_deref(), side);
    let month = month_of(here.get("month").as_deref());
    let accounts = here.get("pay").as_deref() == Some("account");
    let loaded = use_load((month, by), |cx, (month, by)| async move {
        cx.console.desk().books_and_margins(&cx.viewer.actor, span_of(month), by).await
    });
    // Read at the same time, not when the books are there.
    let payees = use_load((month, accounts), |cx, (month, accounts)| {
        payees(cx, span_of(month), if accounts { By::Channel } else { By::Provider })
    });
    match &*loaded.read() {
        None => rsx! { Loading { rows: 6 } },
        Some(Err(fault)) => rsx! { Top {} Broken { fault: fault.clone() } },
        Some(Ok((books, margins))) => rsx! {
            Shown { books: books.clone(),
                Paid { payees, accounts }
                leaves::Leaves { margins: margins.clone() }
            }
        },
    }
}

#[component]
fn Top() -> Element {
    let lang = use_lang();
    rsx! {
        Headline { class: "mb-5", strong { {lang.t("Finance", "财务")} } }
        Parts { on: "" }
    }
}

#[component]
fn Shown(books: Books, children: Element) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let month = Month::of(books.window.since, &zone(&books.zone));
    let house = books.view == View::House;
    let csv = conn.href(&Place::at(["api", "usage", "export"]).with("month", month.code()).to_string());
    rsx! {
        Headline { class: "mb-5",
            actions: rsx! {
                Stepper { books: books.clone() }
                LinkButton { href: csv, small: true, full: true, icon: "icon-[lucide--download]", "CSV" }
            },
            Kept { books: books.clone() }
        }
        Parts { on: "" }
        Figures { books: books.clone() }
        Used { books: books.clone() }
        if house {
            div { class: "grid lg:grid-cols-2 gap-x-16 gap-y-12 mt-14",
                {children}
            }
        }
        if let Some(wallet) = books.wallet {
            p { class: "mt-10 text-muted",
                {lang.t("Your wallet at whom you buy from: ", "你在上级的钱包：")}
                span { class: "text-ink num font-medium", {money(wallet.balance)} }
                " · "
                a { class: "link", href: conn.href("/finance/statement"), {lang.t("Statement", "对账单")} }
            }
        }
        books::Books { actor: conn.viewer.actor.clone() }
    }
}

/// The sentence of the month.
#[component]
fn Kept(books: Books) -> Element {
    let lang = use_lang();
    let month = Month::of(books.window.since, &zone(&books.zone));
    let current = books.end.0 / 1_000 > i64::try_from(now()).unwrap_or_default();
    let when = match (current, lang) {
        (true, Lang::En) => " this month".to_owned(),
        (true, Lang::Zh) => "本月".to_owned(),
        (false, Lang::En) => format!(" in {}", month.full(lang)),
        (false, Lang::Zh) => month.full(lang),
    };
    let margin = books.now.margin.unwrap_or_default();
    let heading = books.forecast.as_ref().and_then(|forecast| forecast.margin).map(whole);
    if books.now.requests == 0 && books.now.revenue.unwrap_or_default() == Nano::ZERO {
        return match lang {
            Lang::En => rsx! { strong { "Nothing came in" } "{when}." },
            Lang::Zh => rsx! { "{when}" strong { "没有收入" } "。" },
        };
    }
    let lost = margin < Nano::ZERO;
    let sum = whole(Nano(margin.0.saturating_abs()));
    match lang {
        Lang::En => rsx! {
            strong { {if lost { format!("{sum} lost") } else { format!("{sum} kept") }} }
            "{when}"
            if let Some(heading) = heading { ", heading for " strong { "{heading}" } }
            "."
        },
        Lang::Zh => rsx! {
            "{when}"
            strong { {if lost { format!("亏损 {sum}") } else { format!("净利 {sum}") }} }
            if let Some(heading) = heading { "，预计到 " strong { "{heading}" } }
            "。"
        },
    }
}

/// To the months before and after.
#[component]
pub(super) fn Stepper(books: Books) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let month = Month::of(books.window.since, &zone(&books.zone));
    let (before, after) = (month.step(-1), month.step(1));
    let last = ms(books.end) > now();
    // The present month has no name in the URL: tomorrow the link still means the present one.
    let present = Month::of(burncloud_core::UnixMicros::now(), &zone(&books.zone));
    let next = if after == present { String::new() } else { after.code() };
    rsx! {
        div { class: "join",
            a { class: "btn btn-quiet btn-sm btn-square join-item", href: here.with("month", before.code()), "aria-label": before.name(lang),
                Icon { i: "icon-[lucide--chevron-left]" }
            }
            span { id: "month", class: "btn btn-quiet btn-sm join-item font-medium num min-w-28 pointer-events-none", {month.full(lang)} }
            if last {
                button { r#type: "button", class: "btn btn-quiet btn-sm btn-square join-item", disabled: true, "aria-label": after.name(lang),
                    Icon { i: "icon-[lucide--chevron-right]" }
                }
            } else {
                a { class: "btn btn-quiet btn-sm btn-square join-item", href: here.with("month", next), "aria-label": after.name(lang),
                    Icon { i: "icon-[lucide--chevron-right]" }
                }
            }
        }
    }
}

#[component]
pub(super) fn Big(name: String, value: String, #[props(default)] sub: Option<String>) -> Element {
    rsx! {
        div { class: "py-1",
            h2 { class: "text-sm text-muted font-normal", "{name}" }
            p { class: "figure text-2xl mt-1", "{value}" }
            if let Some(sub) = sub { p { class: "text-sm text-muted num mt-0.5", "{sub}" } }
        }
    }
}

/// Against the month before, as far into it.
fn against(of: impl Fn(&Sums) -> Option<Nano>, books: &Books, lang: Lang) -> Option<String> {
    let text = change(of(&books.now)?, of(&books.before)?)?;
    let month = Month::of(books.before_window.since, &zone(&books.zone)).name(lang);
    let part = books.window.until < books.end;
    Some(match (lang, part) {
        (Lang::En, true) => format!("{text} on {month} by then"),
        (Lang::En, false) => format!("{text} on {month}"),
        (Lang::Zh, true) => format!("较 {month}同期 {text}"),
        (Lang::Zh, false) => format!("较 {month} {text}"),
    })
}

#[component]
fn Figures(books: Books) -> Element {
    let lang = use_lang();
    let sums = &books.now;
    let tokens = sums.tokens_in.saturating_add(sums.tokens_out);
    let show = |amount: Option<Nano>| amount.map_or_else(|| "—".to_owned(), whole);
    let each = |amount: Option<Nano>| amount.and_then(|amount| per_million(amount, tokens)).map(money);
    let kept = sums.kept_permille.map(|n| percent(n.saturating_mul(10)));
    let kept = kept.map(|text| match lang {
        Lang::En => format!("{text} kept"),
        Lang::Zh => format!("净利率 {text}"),
    });
    let pays = each(sums.cost).map(|text| match lang {
        Lang::En => format!("you pay {text}"),
        Lang::Zh => format!("进价 {text}"),
    });
    rsx! {
        div { class: "grid grid-cols-2 lg:grid-cols-4 gap-x-6 gap-y-5",
            Big { name: lang.t("Revenue", "收入"), value: show(sums.revenue), sub: against(|s| s.revenue, &books, lang) }
            Big { name: lang.t("Cost", "成本"), value: show(sums.cost), sub: against(|s| s.cost, &books, lang) }
            Big { name: lang.t("Net margin", "净利"), value: show(sums.margin), sub: kept }
            Big { name: lang.t("Price of a million tokens", "百万 token 均价"), value: each(sums.revenue).unwrap_or_else(|| "—".to_owned()), sub: pays }
        }
    }
}

/// Who takes the house's money: providers, or single accounts.
#[component]
fn Paid(payees: Loaded<Vec<Slice>>, accounts: bool) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let tabs = vec![
        Tab::new(here.with("pay", ""), lang.t("Provider", "平台"), !accounts),
        Tab::new(here.with("pay", "account"), lang.t("Account", "账号"), accounts),
    ];
    let list = match &*payees.read() {
        None => rsx! { Loading { rows: 4, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(payees)) => rsx! { Payees { payees: payees.clone() } },
    };
    rsx! {
        section { "aria-labelledby": "share",
            div { class: "flex items-center justify-between gap-3",
                h2 { id: "share", class: "section-title", {lang.t("Who you pay", "钱付给谁")} }
                Tabs { label: lang.t("Told apart by", "分组"), tabs }
            }
            {list}
        }
    }
}

/// Those who were paid most in a span, most first, and the others as one; nobody for whom that is not.
async fn payees(cx: Cx, span: Span, by: By) -> UseCaseResult<Vec<Slice>> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    if desk.view(actor).await? != View::House {
        return Ok(Vec::new());
    }
    let mut slices = desk.seen(actor, span, by).await?.leaders;
    slices.retain(|slice| paid(slice) > Nano::ZERO);
    slices.sort_by_key(|slice| std::cmp::Reverse(paid(slice)));
    let others = slices.split_off(slices.len().min(PAYEES));
    if !others.is_empty() {
        let cost = others.iter().fold(Nano::ZERO, |sum, slice| sum.plus(paid(slice)));
        let sums = Sums { cost: Some(cost), ..Sums::default() };
        slices.push(Slice { of: Of::Others(others.len() as u64), name: None, sums });
    }
    Ok(slices)
}

fn paid(slice: &Slice) -> Nano {
    slice.sums.cost.unwrap_or_default()
}

#[component]
fn Payees(payees: Vec<Slice>) -> Element {
    let lang = use_lang();
    let all = payees.iter().fold(Nano::ZERO, |sum, slice| sum.plus(paid(slice)));
    let rows: Vec<(usize, String, String, String, String)> = payees
        .iter()
        .enumerate()
        .map(|(at, slice)| {
            let cost = paid(slice);
            let part = share(cost, all).unwrap_or_default();
            // A width as the style sheet reads it: a share says nothing but digits, a dot and a percent sign.
            (at + 1, super::words::slice_name(slice, lang), whole(cost), part.clone(), part)
        })
        .collect();
    if rows.is_empty() {
        return rsx! { p { class: "mt-5 text-muted", {lang.t("Nobody was paid.", "没有支出。")} } };
    }
    let said =
        rows.iter().map(|(_, name, _, part, _)| format!("{name} {part}")).collect::<Vec<_>>().join(", ");
    rsx! {
        div { class: "flex h-3 gap-0.5 mt-5 rounded-full overflow-hidden", role: "img", "aria-label": "{said}",
            for (at, _, _, _, width) in rows.iter() { i { key: "{at}", style: "width:{width};background:var(--chart-{at})" } }
        }
        ul { class: "rows mt-4",
            for (at, name, cost, part, _) in rows.iter() {
                li { key: "{at}", class: "flex items-center gap-3 h-11",
                    span { class: "swatch", style: "--s:var(--chart-{at})" }
                    span { class: "font-medium truncate", title: "{name}", "{name}" }
                    span { class: "ms-auto num", "{cost}" }
                    span { class: "w-14 text-right num text-muted", "{part}" }
                }
            }
        }
    }
}
