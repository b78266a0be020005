//! Groups: which accounts serve whom, in which order, and what customers' groups pay.

use super::data::{Account, Overview};
use super::edit::account_at;
use super::providers::ProviderTile;
use super::{Part, Parts};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::channels::ChannelChange;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, Status};
use dioxus::prelude::*;

/// A group of callers.
#[derive(Clone, Debug, PartialEq)]
struct Group {
    /// `None` is everybody.
    name: Option<String>,
    ratio: Option<String>,
    users: u64,
    tenants: u64,
    /// The accounts that are for it alone, or for everybody, in the order in which they are tried.
    accounts: Vec<Account>,
    /// How many accounts that serve everybody serve it besides.
    besides: usize,
}

fn groups(overview: &Overview) -> Vec<Group> {
    let open = |account: &&Account| account.view.settings.groups.is_empty();
    let everybody: Vec<Account> = overview.in_use().filter(open).cloned().collect();
    let besides = everybody.iter().filter(|account| account.view.status == Status::Active).count();
    let named = |name: String| {
        let mine = overview.groups.iter().filter(|group| group.group == name);
        let (users, tenants) =
            mine.fold((0, 0), |(users, tenants), group| (users + group.users, tenants + group.tenants));
        let own = overview.in_use().filter(|account| account.view.settings.groups.contains(&name));
        Group {
            ratio: overview.ratios.get(&name).cloned(),
            users,
            tenants,
            accounts: own.cloned().collect(),
            besides,
            name: Some(name),
        }
    };
    let all = Group { name: None, ratio: None, users: 0, tenants: 0, accounts: everybody, besides: 0 };
    std::iter::once(all).chain(overview.group_names().into_iter().map(named)).collect()
}

/// The part of its tier's traffic that an account takes, in percent; of one that is off nothing.
fn part(account: &Account, all: &[Account]) -> u32 {
    let view = &account.view;
    let same = all
        .iter()
        .filter(|other| other.view.priority == view.priority && other.view.status == Status::Active);
    let sum: u64 = same.map(|other| u64::from(other.view.weight)).sum();
    let own = if view.status == Status::Active { u64::from(view.weight) * 100 } else { 0 };
    own.checked_div(sum).and_then(|part| u32::try_from(part).ok()).unwrap_or(0)
}

/// What of an account is changed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Share(u32),
    Order(i32),
}

async fn turn(cx: Cx, id: ChannelId, turn: Turn) -> UseCaseResult<()> {
    let change = match turn {
        Turn::Share(weight) => ChannelChange { weight: Some(weight), ..ChannelChange::default() },
        Turn::Order(priority) => ChannelChange { priority: Some(priority), ..ChannelChange::default() },
    };
    cx.console.desk().update_channel(&cx.viewer.actor, id, change, None).await.map(drop)
}

#[component]
pub(super) fn Groups(overview: Overview) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut turning = use_act(|cx: Cx, (id, what): (ChannelId, Turn)| turn(cx, id, what));
    let all = groups(&overview);
    let named = all.len() - 1;
    let onturn = {
        let overview = overview.clone();
        move |(id, what): (ChannelId, Turn)| {
            let Some(account) = overview.accounts.iter().find(|account| account.view.id == id) else {
                return;
            };
            let name = account.view.name.clone();
            let back = match what {
                Turn::Share(_) => Turn::Share(account.view.weight),
                Turn::Order(_) => Turn::Order(account.view.priority),
            };
            turning.then((id, what), move |()| {
                let text = match (lang, what) {
                    (Lang::En, Turn::Share(n)) => format!("{name} takes a share of {n}"),
                    (Lang::En, Turn::Order(n)) => format!("{name} is tried at order {n}"),
                    (Lang::Zh, Turn::Share(n)) => format!("{name} 的分量改为 {n}"),
                    (Lang::Zh, Turn::Order(n)) => format!("{name} 的顺位改为 {n}"),
                };
                toasts.show(Toast::done(text).undo(move |cx| turn(cx, id, back)));
            });
        }
    };
    rsx! {
        Headline {
            sub: lang.t("An account serves everybody, or some groups alone. Within one order, shares divide the traffic.",
                "账号可以供所有人用，也可以只供某些分组。同一顺位内按分量分配流量。").to_owned(),
            match lang {
                Lang::En if named == 1 => rsx! { strong { "1 group" } " of callers." },
                Lang::En => rsx! { strong { "{named} groups" } " of callers." },
                Lang::Zh => rsx! { "共 " strong { "{named} 个分组" } "。" },
            }
        }
        Parts { part: Part::Groups, overview }
        div { class: "grid grid-cols-1 gap-4 mt-6",
            for group in all { One { key: "{group.name:?}", group, onturn: onturn.clone() } }
        }
    }
}

/// Who is in a group and what they pay, in a line.
fn about(lang: Lang, group: &Group) -> String {
    let Group { users, tenants, ratio, .. } = group;
    if group.name.is_none() {
        return lang
            .t(
                "Callers in no group, and every group besides its own accounts",
                "没有分组的调用者，以及各分组的补充",
            )
            .to_owned();
    }
    let mut parts = match lang {
        Lang::En => vec![
            if *users == 1 { "1 user".to_owned() } else { format!("{users} users") },
            if *tenants == 1 { "1 reseller".to_owned() } else { format!("{tenants} resellers") },
        ],
        Lang::Zh => vec![format!("{users} 位用户"), format!("{tenants} 个分销商")],
    };
    parts.extend(ratio.as_ref().map(|ratio| match lang {
        Lang::En => format!("pays ×{ratio}"),
        Lang::Zh => format!("按 ×{ratio} 计价"),
    }));
    parts.join(" · ")
}

#[component]
fn One(group: Group, onturn: EventHandler<(ChannelId, Turn)>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let title = group.name.clone().unwrap_or_else(|| lang.t("Everybody", "所有人").to_owned());
    let besides = group.besides;
    rsx! {
        section { class: "panel p-5", "aria-label": "{title}",
            div { class: "flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1",
                h2 { class: "font-semibold wrap-anywhere", "{title}" }
                p { class: "text-sm text-muted num", {about(lang, &group)}
                    if group.name.is_some() { " · " a { class: "link", href: conn.href("/finance/prices"), {lang.t("Prices", "价目表")} } }
                }
            }
            if group.accounts.is_empty() {
                p { class: "mt-3 text-muted", {lang.t("No account is for it alone.", "没有专供它的账号。")} }
            } else {
                div { class: "mt-3 overflow-x-auto",
                    table { class: "table table-inset",
                        caption { class: "sr-only", "{title}" }
                        thead { tr {
                            th { scope: "col", {lang.t("Account", "账号")} }
                            th { scope: "col", class: "hidden md:table-cell", {lang.t("Takes", "承担")} }
                            th { scope: "col", {lang.t("Order", "顺位")} }
                            th { scope: "col", {lang.t("Share", "分量")} }
                        } }
                        tbody {
                            for account in group.accounts.clone() {
                                Line { key: "{account.view.id}", part: part(&account, &group.accounts), group: title.clone(), account, onturn }
                            }
                        }
                    }
                }
            }
            if group.name.is_some() && besides > 0 {
                p { class: "mt-3 text-sm text-muted num",
                    {match lang {
                        Lang::En if besides == 1 => "One account that serves everybody serves it too.".to_owned(),
                        Lang::En => format!("{besides} accounts that serve everybody serve it too."),
                        Lang::Zh => format!("另有 {besides} 个供所有人用的账号也会供应它。"),
                    }}
                }
            }
        }
    }
}

#[component]
fn Line(account: Account, part: u32, group: String, onturn: EventHandler<(ChannelId, Turn)>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let (id, view) = (account.view.id, &account.view);
    let label = |en: &str, zh: &str| match lang {
        Lang::En => format!("{}: {en}", view.name),
        Lang::Zh => format!("{}：{zh}", view.name),
    };
    let off = view.status != Status::Active;
    let input = "input input-sm w-16 md:w-20 num";
    rsx! {
        tr { class: if off { "text-muted" },
            th { scope: "row", class: "font-normal",
                span { class: "flex items-center gap-3 min-w-0",
                    ProviderTile { id: view.provider.clone() }
                    a { class: "font-medium truncate max-w-[30vw] rounded", title: "{view.name}", href: here.href(&account_at(id)), "{view.name}" }
                    if off { span { class: "text-sm", {lang.t("off", "已停用")} } }
                }
            }
            td { class: "hidden md:table-cell",
                span { class: "flex items-center gap-2.5",
                    span { class: "w-24", Meter { percent: part, tone: Tone::Info, label: label(&format!("takes {part}%"), &format!("承担 {part}%")) } }
                    span { class: "num text-sm", "{part}%" }
                }
            }
            td {
                // Another value is another input: what is shown is what is stored.
                for value in [view.priority] {
                    input { key: "{value}", id: "order-{group}-{id}", class: input, r#type: "number", step: "1", initial_value: "{value}", "aria-label": label("order", "顺位"),
                        onchange: move |event| if let Ok(order) = event.value().trim().parse() { onturn.call((id, Turn::Order(order))) },
                    }
                }
            }
            td {
                for value in [view.weight] {
                    input { key: "{value}", id: "share-{group}-{id}", class: input, r#type: "number", min: "0", step: "1", initial_value: "{value}", "aria-label": label("share", "分量"),
                        onchange: move |event| if let Ok(share) = event.value().trim().parse() { onturn.call((id, Turn::Share(share))) },
                    }
                }
            }
        }
    }
}
