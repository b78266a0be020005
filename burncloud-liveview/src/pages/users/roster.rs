//! Everybody, in pages.

use super::data::{ROWS, Roster, Wanted, roster};
use super::words::{State, called, role_name};
use super::{Switch, View, dialog_href, keeping, person_href};
use crate::fmt::{NOTHING, grouped, money};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::UserView;
use burncloud_core::{Nano, Status, UserId};
use dioxus::prelude::*;
use std::collections::BTreeMap;

#[component]
pub(super) fn People() -> Element {
    let here = use_here();
    let wanted = Wanted::of(&here);
    let mut read = use_load(wanted.clone(), |cx, wanted: Wanted| async move {
        roster(cx.console.desk(), &cx.viewer.actor, &wanted).await
    });
    let ids: Vec<UserId> = read
        .get()
        .map(|roster| roster.page.items.iter().map(|view| view.user.id).collect())
        .unwrap_or_default();
    // After the roster: sums may take their time.
    let month = use_load(ids, |cx, ids: Vec<UserId>| async move {
        cx.console.desk().charged_this_month(&cx.viewer.actor, &ids).await
    });
    match &*read.read() {
        None => rsx! { Loading { rows: 8 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| read.reload() } },
        Some(Ok(roster)) => {
            rsx! { Seen { roster: roster.clone(), wanted, month: month.get(), busy: read.busy() } }
        }
    }
}

/// The roster, drawn. `month` is what each was charged this month, once that is known.
#[component]
pub(super) fn Seen(
    roster: Roster,
    wanted: Wanted,
    month: Option<BTreeMap<UserId, Nano>>,
    #[props(default)] busy: bool,
) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let actions = rsx! { Actions { may: roster.may_manage() } };
    let (all, here_now) = (grouped(roster.all), grouped(roster.online));
    let empty = roster.page.items.is_empty();
    rsx! {
        Headline { actions, class: "mb-5",
            match lang {
                Lang::En => rsx! { strong { "{all} " if roster.all == 1 { "person" } else { "people" } } ", {here_now} here now." },
                Lang::Zh => rsx! { strong { "{all} 位用户" } "，{here_now} 位在线。" },
            }
        }
        Switch { view: View::People }
        Filters { wanted: wanted.clone(), powers: roster.powers.clone() }
        div { "aria-busy": if busy { "true" },
            if empty && wanted.narrow() {
                Empty { text: lang.t("Nobody is like that.", "没有符合条件的用户。"), icon: "icon-[lucide--search]",
                    LinkButton { small: true, full: true, href: here.href(&View::People.place()), {lang.t("Show everybody", "显示全部")} }
                }
            } else if empty {
                Empty { text: lang.t("Nobody is here yet.", "还没有用户。"), icon: "icon-[lucide--users]" }
            } else {
                Rows { roster: roster.clone(), month }
                Pages { roster, wanted }
            }
        }
    }
}

/// What is done from every view: invite, make.
#[component]
pub(super) fn Actions(may: bool, #[props(default)] reseller: bool) -> Element {
    let (lang, here) = (use_lang(), use_here());
    if !may {
        return rsx! {};
    }
    rsx! {
        if reseller {
            LinkButton { small: true, icon: "icon-[lucide--git-branch-plus]", href: dialog_href(&here, "tenant", ""), {lang.t("New tenant", "新建租户")} }
        } else {
            LinkButton { small: true, icon: "icon-[lucide--plus]", href: dialog_href(&here, "user", ""), {lang.t("New user", "新建用户")} }
        }
        LinkButton { small: true, kind: Kind::Primary, icon: "icon-[lucide--user-plus]", href: dialog_href(&here, "invite", ""), {lang.t("Invite", "邀请")} }
    }
}

#[component]
fn Filters(wanted: Wanted, powers: Vec<burncloud_billing::desk::Powers>) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let at = here.place().without(&["p"]);
    let tab = |code: &str, label: &str, state: Option<State>| {
        Tab::new(here.href(&at.clone().with("state", code)), label, wanted.state == state)
    };
    let tabs = vec![
        tab("", lang.t("All", "全部"), None),
        tab("online", State::Online.word(lang), Some(State::Online)),
        tab("broke", State::Broke.word(lang), Some(State::Broke)),
        tab("banned", State::Banned.word(lang), Some(State::Banned)),
    ];
    let mut places = vec![Choice::new("", lang.t("Every tenant", "所有租户"))];
    places.extend(super::words::places(&powers, |_| true));
    rsx! {
        div { class: "flex flex-wrap items-center gap-2 mb-2",
            label { class: "input input-sm w-full sm:w-64", r#for: "find",
                Icon { i: "icon-[lucide--search]", class: "size-3.5 text-faint" }
                input { id: "find", r#type: "search", placeholder: lang.t("Name or address", "名称或邮箱"), "aria-label": lang.t("Find someone", "查找用户"),
                    initial_value: wanted.text.clone().unwrap_or_default(), "data-debounce": "250",
                    oninput: move |event| {
                        let place = here.place().without(&["p"]).with("q", event.value().trim());
                        here.replace(place);
                    },
                }
            }
            Tabs { label: lang.t("State", "状态"), tabs }
            if places.len() > 2 {
                div { class: "w-full sm:w-48 sm:ms-auto",
                    Select { id: "tenant", label: lang.t("Tenant", "租户"), hide_label: true, class: "select-sm", choices: places,
                        value: wanted.tenant.map(|id| id.to_string()).unwrap_or_default(),
                        onchange: move |id: String| {
                            let place = here.place().without(&["p", "below"]).with("tenant", id);
                            here.go(place);
                        },
                    }
                }
            }
        }
    }
}

#[component]
fn Rows(roster: Roster, month: Option<BTreeMap<UserId, Nano>>) -> Element {
    let lang = use_lang();
    let head = rsx! {
        th { scope: "col", {lang.t("Who", "名称")} }
        th { scope: "col", class: "max-lg:hidden", {lang.t("Role", "角色")} }
        th { scope: "col", class: "max-md:hidden", {lang.t("State", "状态")} }
        th { scope: "col", class: "text-right max-sm:pe-0", {lang.t("Balance", "余额")} }
        th { scope: "col", class: "text-right max-sm:hidden max-md:pe-0", {lang.t("Used this month", "本月用量")} }
        th { class: "max-md:hidden", span { class: "sr-only", {lang.t("Actions", "操作")} } }
    };
    rsx! {
        Table { caption: lang.t("People", "用户"), head,
            for view in roster.page.items.clone() {
                Row { key: "{view.user.id}",
                    funds: roster.at(view.user.tenant).is_some_and(|at| at.fund),
                    below: roster.at(view.user.tenant).is_some_and(|at| at.level > 0) && roster.powers.len() > 1,
                    month: month.as_ref().map(|sums| sums.get(&view.user.id).copied().unwrap_or_default()),
                    view,
                }
            }
        }
    }
}

#[component]
fn Row(view: UserView, month: Option<Nano>, funds: bool, below: bool) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let state = State::of(&view);
    let (name, user) = (called(&view), &view.user);
    let gone = user.status != Status::Active;
    let (balance, used) = (money(user.balance), month.map_or_else(|| NOTHING.to_owned(), money));
    let under = view
        .login
        .clone()
        .unwrap_or_else(|| if name == user.name { String::new() } else { user.name.clone() });
    let role = role_name(lang, user.role);
    let funds = funds && user.status != Status::Revoked;
    rsx! {
        tr { class: if gone { "group text-muted" } else { "group" },
            th { scope: "row", class: "font-normal",
                span { class: "flex items-center gap-3",
                    span { class: "relative",
                        Tile { name: name.clone(), round: true, class: "size-9! text-xs" }
                        span { class: "absolute -end-0.5 -bottom-0.5 rounded-full ring-2 ring-base-100 flex", Dot { tone: state.tone() } }
                    }
                    span { class: "min-w-0",
                        a { href: person_href(&here, user.id), title: "{name}", class: "font-medium text-ink block truncate max-w-[42vw] sm:max-w-44 lg:max-w-60 rounded", "{name}" }
                        span { class: "block text-sm text-muted truncate max-w-[42vw] sm:max-w-44 lg:max-w-60", "{under}" }
                        span { class: "sr-only md:hidden", {state.word(lang)} }
                    }
                }
            }
            td { class: "max-lg:hidden",
                span { class: "block", "{role}" }
                if below { span { class: "block text-sm text-muted", {lang.t("under ", "属于")} "{view.tenant_name}" } }
            }
            td { class: "max-md:hidden", span { class: state.class(), {state.word(lang)} } }
            td { class: "text-right num max-sm:pe-0",
                if user.unlimited {
                    span { class: "text-muted", {lang.t("No limit", "不限")} }
                } else {
                    span { class: if user.balance == Nano::ZERO { "text-muted" } else { "font-medium" }, "{balance}" }
                }
                span { class: "sm:hidden block text-sm text-muted", "{used}" }
            }
            td { class: "text-right num text-muted max-sm:hidden max-md:pe-0", "{used}" }
            td { class: "text-right w-40 max-md:hidden",
                span { class: "inline-flex items-center justify-end gap-1",
                    if funds {
                        a { href: dialog_href(&here, "topup", &format!("u{}", user.id)),
                            class: if state == State::Broke { "btn btn-quiet btn-sm" } else { "btn btn-quiet btn-sm opacity-0 group-hover:opacity-100 group-focus-within:opacity-100" },
                            {lang.t("Top up", "充值")}
                        }
                    }
                    More { id: user.id, name: name.clone() }
                }
            }
        }
    }
}

#[component]
fn More(id: UserId, name: String) -> Element {
    let (lang, here, conn) = (use_lang(), use_here(), use_conn());
    let label = match lang {
        Lang::En => format!("{name}: more"),
        Lang::Zh => format!("{name}：更多"),
    };
    rsx! {
        Menu { label,
            MenuLink { href: person_href(&here, id), icon: "icon-[lucide--user]", {lang.t("Open", "打开")} }
            MenuLink { href: conn.href(&format!("/access?user={id}")), icon: "icon-[lucide--key-round]", {lang.t("Keys", "密钥")} }
            MenuLink { href: conn.href(&format!("/logs?customer=u{id}")), icon: "icon-[lucide--scroll-text]", {lang.t("Requests", "请求")} }
        }
    }
}

#[component]
fn Pages(roster: Roster, wanted: Wanted) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let to = |trail: String| here.href(&keeping(&here, View::People.place()).with("p", trail));
    let from = wanted.trail.len() as u64 * u64::from(ROWS);
    let shown = roster.page.items.len() as u64;
    let (first, last) = (grouped(from + 1), grouped(from + shown));
    let total = grouped(roster.page.total.unwrap_or(from + shown));
    let words = match lang {
        Lang::En => format!("{first}–{last} of {total}"),
        Lang::Zh => format!("第 {first}–{last} 位，共 {total} 位"),
    };
    let more = from + shown < roster.page.total.unwrap_or_default();
    let next = roster.page.next.filter(|_| more).map(|last| to(wanted.after(last)));
    rsx! { Pager { before: wanted.before().map(to), after: next, words } }
}
