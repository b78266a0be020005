//! One account in the list.

use super::super::data::{Account, State};
use super::super::edit::account_at;
use super::super::home;
use super::super::providers::{ProviderTile, name};
use super::super::rests::Rest;
use super::super::speed::Test;
use crate::fmt;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_core::{ChannelId, Nano, Status};
use dioxus::prelude::*;
use std::time::Duration;

/// What somebody wants of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Switch(bool),
    Wake,
    Test,
}

/// Above this a first word is slow, in microseconds.
const SLOW_US: u64 = 1_000_000;

#[component]
pub(super) fn Row(
    account: Account,
    rest: Option<Rest>,
    test: Option<Test>,
    tier: usize,
    most: u32,
    onwish: EventHandler<(ChannelId, Wish)>,
) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let state = account.state(rest.as_ref());
    let view = &account.view;
    let quiet = matches!(state, State::Off | State::Withdrawn);
    let (share, weight) = (u64::from(view.weight) * 100 / u64::from(most.max(1)), view.weight);
    let fence = match lang {
        Lang::En => format!("{}, last 30 hours", view.name),
        Lang::Zh => format!("{}，最近 30 小时", view.name),
    };
    rsx! {
        tr { class: if quiet { "text-muted" }, id: "account-{view.id}",
            th { scope: "row", class: "font-normal",
                span { class: "flex items-center gap-3",
                    ProviderTile { id: view.provider.clone() }
                    span { class: "min-w-0",
                        a { class: "font-medium text-ink block truncate max-w-[39vw] md:max-w-52 rounded", title: "{view.name}",
                            href: here.href(&account_at(view.id)), "{view.name}"
                        }
                        span { class: "block text-sm text-muted truncate max-w-[39vw] md:max-w-52", {line(lang, &account, tier)} }
                    }
                }
            }
            td {
                span { class: "flex items-center gap-3",
                    span { class: "hidden xl:flex", Fence { spans: account.fence(), label: fence } }
                    Health { state: state.clone(), why: rest.as_ref().and_then(|rest| rest.why.clone()) }
                }
            }
            td { class: "text-right whitespace-nowrap max-md:pe-0 num", FirstWord { first_us: account.first_us(), test } }
            td { class: "hidden md:table-cell text-right num", {account.sums.per_million.map_or_else(nothing, average)} }
            td { class: "hidden lg:table-cell",
                span { class: "flex items-center gap-2.5 justify-end",
                    span { class: "w-14",
                        Meter { percent: u32::try_from(share).unwrap_or(100), tone: Tone::Info,
                            label: match lang { Lang::En => format!("Share {weight}"), Lang::Zh => format!("分量 {weight}") },
                        }
                    }
                    span { class: "w-6 text-right num", "{weight}" }
                }
            }
            td { class: "hidden md:table-cell text-right font-medium num", {fmt::money(account.sums.today)} }
            td { class: "w-10 text-right", Kebab { account: account.clone(), state, onwish } }
        }
    }
}

fn nothing() -> String {
    fmt::NOTHING.to_owned()
}

/// An average price: to the cent, and where that is little to a hundredth of one.
fn average(amount: Nano) -> String {
    if amount.0 >= 100_000_000 {
        fmt::money(amount)
    } else {
        fmt::price(Nano((amount.0 + 50_000) / 100_000 * 100_000))
    }
}

/// The provider, where the account is, and when it is tried if not first.
fn line(lang: Lang, account: &Account, tier: usize) -> String {
    let mut parts = vec![name(&account.view.provider).to_owned()];
    parts.extend(account.detail());
    if account.view.status == Status::Active && tier > 0 {
        parts.push(match (lang, tier) {
            (Lang::En, 1) => "second choice".to_owned(),
            (Lang::Zh, 1) => "备选".to_owned(),
            (Lang::En, n) => format!("choice {}", n + 1),
            (Lang::Zh, n) => format!("第 {} 备选", n),
        });
    }
    parts.join(" · ")
}

/// `0:38`.
pub(super) fn countdown(left: Duration) -> String {
    let seconds = left.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// How an account stands, in words.
pub(super) fn words(lang: Lang, state: &State) -> String {
    let fixed = |en, zh| lang.t(en, zh).to_owned();
    match state {
        State::Healthy => fixed("Healthy", "健康"),
        State::Failing => fixed("Failing", "一直失败"),
        State::OutOfCredit => fixed("Out of credit", "欠费暂停"),
        State::CredentialRefused => fixed("Key refused", "密钥被拒"),
        State::Off => fixed("Switched off", "已停用"),
        State::Withdrawn => fixed("Withdrawn", "已撤下"),
        State::Resting { models, of, back_in } => {
            let left = countdown(*back_in);
            let about = match lang {
                _ if models == of => lang.t("Resting", "休息中").to_owned(),
                Lang::En => format!("{models} of {of} models rest"),
                Lang::Zh => format!("{of} 个模型中 {models} 个休息"),
            };
            match lang {
                _ if back_in.is_zero() => format!("{about}{}", lang.t(", trying next", "，马上再试")),
                Lang::En => format!("{about}, back in {left}"),
                Lang::Zh => format!("{about}，{left} 后回来"),
            }
        }
    }
}

#[component]
pub(in super::super) fn Health(state: State, why: Option<String>) -> Element {
    let lang = use_lang();
    let (dot, class) = match &state {
        State::Healthy => (Tone::Good, "max-md:sr-only text-muted"),
        State::Resting { .. } => (Tone::Care, "max-md:sr-only text-warning"),
        State::Failing | State::OutOfCredit | State::CredentialRefused => {
            (Tone::Bad, "max-md:sr-only text-error")
        }
        State::Off | State::Withdrawn => (Tone::Plain, "max-md:sr-only text-muted"),
    };
    rsx! {
        span { class: "flex items-center gap-2 text-sm whitespace-nowrap max-md:justify-end num", title: why,
            Dot { tone: dot }
            span { class, {words(lang, &state)} }
        }
    }
}

#[component]
fn FirstWord(first_us: Option<u64>, test: Option<Test>) -> Element {
    let lang = use_lang();
    match test {
        Some(Test::Waiting) => rsx! { span { class: "text-faint", {lang.t("waiting", "等待")} } },
        Some(Test::Asking) => rsx! {
            span { class: "inline-flex items-center gap-1.5 text-muted",
                span { class: "loading loading-spinner size-3.5", "aria-hidden": "true" }
                {lang.t("asking", "询问中")}
            }
        },
        Some(Test::Answered(us)) => rsx! {
            span { class: "inline-flex items-center gap-1.5",
                Icon { i: "icon-[lucide--check]", class: "size-3.5 text-success" }
                {fmt::micros(us)}
            }
        },
        Some(Test::Silent(why)) => rsx! {
            span { class: "text-error font-medium", title: "{why}", {lang.t("no answer", "无应答")} }
        },
        None => match first_us {
            Some(us) => {
                rsx! { span { class: if us > SLOW_US { "text-warning font-medium" }, {fmt::micros(us)} } }
            }
            None => rsx! { span { class: "text-faint", {fmt::NOTHING} } },
        },
    }
}

#[component]
fn Kebab(account: Account, state: State, onwish: EventHandler<(ChannelId, Wish)>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let (id, view) = (account.view.id, &account.view);
    let label = match lang {
        Lang::En => format!("{}: more", view.name),
        Lang::Zh => format!("{}：更多", view.name),
    };
    let remove = here.href(&home().with("remove", id));
    let on = view.status == Status::Active;
    let rests = matches!(state, State::Resting { .. } | State::OutOfCredit | State::CredentialRefused);
    rsx! {
        Menu { label,
            if view.status == Status::Revoked {
                MenuLink { href: remove, icon: "icon-[lucide--trash-2]", {lang.t("Delete for good", "彻底删除")} }
            } else {
                MenuLink { href: here.href(&account_at(id)), icon: "icon-[lucide--pencil]", {lang.t("Edit", "编辑")} }
                if on {
                    MenuItem { icon: "icon-[lucide--gauge]", onclick: move |_| onwish.call((id, Wish::Test)), {lang.t("Test speed", "测速")} }
                }
                if rests {
                    MenuItem { icon: "icon-[lucide--alarm-clock]", onclick: move |_| onwish.call((id, Wish::Wake)), {lang.t("Wake it", "唤醒")} }
                }
                MenuItem { icon: "icon-[lucide--power]", onclick: move |_| onwish.call((id, Wish::Switch(!on))),
                    if on { {lang.t("Switch off", "停用")} } else { {lang.t("Switch on", "启用")} }
                }
                MenuLink { href: remove, icon: "icon-[lucide--trash-2]", {lang.t("Remove…", "移除…")} }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_average_keeps_two_figures_more() {
        assert_eq!([3_424_000_000, 4_560_000].map(|n| average(Nano(n))), ["$3.42", "$0.0046"]);
    }

    #[test]
    fn a_rest_is_counted_down() {
        let state = |models, seconds| State::Resting { models, of: 4, back_in: Duration::from_secs(seconds) };
        assert_eq!(words(Lang::En, &state(4, 38)), "Resting, back in 0:38");
        assert_eq!(words(Lang::Zh, &state(4, 38)), "休息中，0:38 后回来");
        assert_eq!(words(Lang::En, &state(1, 75)), "1 of 4 models rest, back in 1:15");
        assert_eq!(words(Lang::En, &state(4, 0)), "Resting, trying next");
    }
}
