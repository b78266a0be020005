//! Three facts below the sea: who buys, what serves, what was answered.

use super::figures::{Account, Glance};
use crate::fmt::{NOTHING, grouped, money, percent};
use crate::kit::{Fence, Icon, Tile, use_fmt};
use crate::lang::Lang;
use crate::live::use_lang;
use burncloud_billing::desk::reports::Wallet;
use dioxus::prelude::*;
use std::sync::Arc;

/// Faces and bars that are drawn; how many more there are is a number.
const FACES: usize = 6;
const BARS: usize = 24;

#[component]
pub(super) fn Facts(glance: Arc<Glance>) -> Element {
    rsx! {
        div { class: "grid md:grid-cols-3 border-t border-line max-md:divide-y md:divide-x divide-line bg-base-100 relative",
            Customers { glance: glance.clone() }
            if let Some(accounts) = &glance.accounts {
                Accounts { accounts: accounts.clone() }
            } else if let Some(wallet) = glance.books.wallet {
                Purse { wallet }
            } else {
                Requests { glance: glance.clone() }
            }
            Answered { glance }
        }
    }
}

/// One of them; `small` says what the number is of.
#[component]
pub(super) fn Fact(title: String, big: String, small: String, children: Element) -> Element {
    rsx! {
        section { class: "py-5 md:py-6 px-4 md:px-8 xl:px-10 flex md:block items-center justify-between gap-4",
            div { class: "min-w-0",
                h2 { class: "text-sm text-muted font-normal", "{title}" }
                p { class: "figure mt-1 text-xl md:text-2xl", "{big}" }
                p { class: "mt-0.5 text-sm text-muted num truncate", title: "{small}", "{small}" }
            }
            div { class: "md:mt-4 shrink-0", {children} }
        }
    }
}

#[component]
fn Customers(glance: Arc<Glance>) -> Element {
    let lang = use_lang();
    let seen = &glance.seen;
    let names: Vec<String> = seen.leaders.iter().filter_map(|slice| slice.name.clone()).collect();
    let small = match (names.first(), lang) {
        (None, _) => lang.t("Nobody in this time", "这段时间没有客户").to_owned(),
        (Some(first), Lang::En) => format!("{first} leads"),
        (Some(first), Lang::Zh) => format!("{first}最多"),
    };
    let more = seen.active.saturating_sub(names.len().min(FACES) as u64);
    rsx! {
        Fact { title: lang.t("Active customers", "活跃客户"), big: grouped(seen.active), small,
            span { class: "tile-row",
                for (at, name) in names.into_iter().take(FACES).enumerate() {
                    Tile { key: "{at}", name, round: true, class: "max-md:size-7 size-8 text-[0.625rem]" }
                }
                if more > 0 {
                    span { class: "tile tile-round max-md:size-7 size-8 text-[0.625rem] bg-fill! text-muted!", "+{more}" }
                }
            }
        }
    }
}

fn accounts_words(lang: Lang, on: usize, asleep: usize) -> String {
    match (lang, asleep) {
        (Lang::En, 0) => format!("of {on} are healthy"),
        (Lang::En, 1) => format!("of {on} are healthy, 1 needs an eye"),
        (Lang::En, n) => format!("of {on} are healthy, {n} need an eye"),
        (Lang::Zh, 0) => format!("共 {on} 个，全部健康"),
        (Lang::Zh, n) => format!("共 {on} 个，{n} 个需留意"),
    }
}

#[component]
fn Accounts(accounts: Vec<Account>) -> Element {
    let lang = use_lang();
    let well = accounts.iter().filter(|account| account.is_healthy()).count();
    let small = accounts_words(lang, accounts.len(), accounts.len() - well);
    rsx! {
        Fact { title: lang.t("Accounts", "账号"), big: grouped(well as u64), small,
            span { class: "flex items-end gap-1 h-8", role: "img", "aria-label": lang.t("How much each account answered, last two hours", "最近两小时各账号的应答率"),
                for account in accounts.into_iter().take(BARS) {
                    AccountBar { key: "{account.id}", account }
                }
            }
        }
    }
}

/// As high as the share of attempts that went well; an account that was not asked is full.
#[component]
fn AccountBar(account: Account) -> Element {
    let lang = use_lang();
    let share = account.well.map_or_else(
        || lang.t("not asked", "未被请求").to_owned(),
        |well| percent(i64::try_from(well).unwrap_or_default()),
    );
    let height = account.well.unwrap_or(10_000) / 100;
    let colour = match (account.well, account.is_healthy()) {
        (_, false) => "var(--care)",
        (None, true) => "var(--rest)",
        (Some(_), true) => "var(--chart-2)",
    };
    rsx! {
        i { class: "relative w-2 h-full rounded-[3px] bg-line overflow-hidden", title: "{account.name}: {share}",
            i { class: "absolute inset-x-0 bottom-0 rounded-[3px]", style: "height:{height}%;background:{colour}" }
        }
    }
}

/// What a reseller has left with whom it buys from.
#[component]
fn Purse(wallet: Wallet) -> Element {
    let lang = use_lang();
    let (big, small) = purse(lang, wallet);
    rsx! {
        Fact { title: lang.t("Your balance", "你的余额"), big, small,
            Icon { i: "icon-[lucide--wallet]", class: "size-5 text-faint" }
        }
    }
}

/// What there is to spend: the number, and what it is.
pub(super) fn purse(lang: Lang, wallet: Wallet) -> (String, String) {
    let credit = money(wallet.credit);
    let small = match (wallet.unlimited, wallet.credit.0) {
        (true, _) => lang.t("No limit", "不设上限").to_owned(),
        (false, 0) => lang.t("Prepaid", "预付").to_owned(),
        (false, _) => match lang {
            Lang::En => format!("and {credit} of credit"),
            Lang::Zh => format!("另有 {credit} 信用额度"),
        },
    };
    (money(wallet.balance), small)
}

#[component]
fn Requests(glance: Arc<Glance>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let now = &glance.books.now;
    let tokens = f.count(now.tokens_in.saturating_add(now.tokens_out));
    let small = match lang {
        Lang::En => format!("{tokens} tokens"),
        Lang::Zh => format!("共 {tokens} token"),
    };
    rsx! {
        Fact { title: lang.t("Requests", "请求"), big: f.compact(now.requests), small,
            Icon { i: "icon-[lucide--scroll-text]", class: "size-5 text-faint" }
        }
    }
}

#[component]
pub(super) fn Answered(glance: Arc<Glance>) -> Element {
    let lang = use_lang();
    let share = glance.answered.and_then(|share| i64::try_from(share).ok());
    let big = share.map_or_else(|| NOTHING.to_owned(), percent);
    rsx! {
        Fact { title: lang.t("Answered", "已应答"), big, small: lang.t("of requests, last 24 hours", "过去 24 小时的请求"),
            Fence { spans: glance.fence(), class: "h-8!", label: lang.t("Answered, by hour", "每小时应答情况") }
        }
    }
}
