//! The list of keys.

use super::create::Create;
use super::key::switch_icon;
use super::shown::{Made, Shown};
use super::words::{STATES, last_used, opens, state_code, state_words, tightest};
use super::{AGAIN, place_of};
use crate::fmt::{NOTHING, grouped, money, now};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::{Fault, Place, use_act, use_again, use_here, use_lang, use_load};
use burncloud_billing::desk::reports::{KeyList, KeyRow, KeyState};
use burncloud_billing::desk::{KeyChange, KeyFilter, UserFilter};
use burncloud_core::{KeyId, Status, UserId};
use dioxus::prelude::*;

/// Users to choose from at most.
const PEOPLE: u32 = 1_000;

/// Whose keys there may be: id and name, by name.
pub(super) type People = Vec<(i64, String)>;

#[component]
pub(super) fn Keys() -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let mut made = use_signal(|| None::<Made>);
    let state =
        here.get("state").and_then(|code| STATES.into_iter().find(|state| state_code(*state) == code));
    let filter = KeyFilter {
        text: here.get("q"),
        user: here.parsed("user").map(UserId),
        after: here.parsed("after").map(KeyId),
        // What the store knows itself it cuts to.
        status: match state {
            None => None,
            Some(KeyState::Off) => Some(Status::Disabled),
            Some(KeyState::Revoked) => Some(Status::Revoked),
            Some(_) => Some(Status::Active),
        },
        ..KeyFilter::default()
    };
    let list = use_load((filter, state), |cx, (filter, state)| async move {
        cx.console.desk().keys_in_use(&cx.viewer.actor, &filter, state).await
    });
    use_again(AGAIN, list);
    let people = use_load((), |cx, ()| async move {
        let filter = UserFilter { limit: PEOPLE, ..UserFilter::default() };
        let found = cx.console.desk().users(&cx.viewer.actor, &filter).await?;
        let mut people: People =
            found.items.into_iter().map(|view| (view.user.id.0, view.user.name)).collect();
        people.sort_by_key(|(_, name)| name.to_lowercase());
        Ok::<_, Fault>(people)
    });
    let mut again = list;
    let page = match &*list.read() {
        None => rsx! { h1 { class: "sr-only", {lang.t("Keys", "密钥")} } Loading { rows: 8 } },
        Some(Err(fault)) => rsx! {
            h1 { class: "sr-only", {lang.t("Keys", "密钥")} }
            Broken { fault: fault.clone(), onretry: move |_| again.reload() }
        },
        Some(Ok(list)) => rsx! { List { list: list.clone(), people: people.get().unwrap_or_default() } },
    };
    let keys = here.place();
    let keys = move || {
        let query = ["q", "state", "user", "after"];
        let place = Place::at(["access"]);
        query.iter().fold(place, |place, key| place.with(key, keys.get(key).unwrap_or_default()))
    };
    let back = keys.clone();
    let shown = made.read().clone();
    rsx! {
        {page}
        if here.segment(1).is_some() || here.get("do").as_deref() == Some("new") {
            Create { people: people.get().unwrap_or_default(), onclose: move |()| here.replace(back()),
                onmade: move |key| { made.set(Some(key)); here.replace(keys()); }
            }
        }
        if let Some(key) = shown { Shown { made: key, onclose: move |()| made.set(None) } }
    }
}

/// What the list says, once it was read.
#[component]
pub(super) fn List(list: KeyList, people: People) -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let mut switch = use_act(|cx, (id, on): (KeyId, bool)| async move {
        let status = Some(if on { Status::Active } else { Status::Disabled });
        let change = KeyChange { status, ..KeyChange::default() };
        cx.console.desk().update_key(&cx.viewer.actor, id, change, None).await
    });
    let onswitch = move |(id, on): (KeyId, bool)| {
        switch.then((id, on), move |view| {
            let words = match (lang, on) {
                (Lang::En, true) => format!("{} is on", view.key.name),
                (Lang::En, false) => format!("{} is off", view.key.name),
                (Lang::Zh, true) => format!("已开启「{}」", view.key.name),
                (Lang::Zh, false) => format!("已关闭「{}」", view.key.name),
            };
            toasts.show(Toast::done(words).undo(move |cx| async move {
                let status = Some(if on { Status::Disabled } else { Status::Active });
                let change = KeyChange { status, ..KeyChange::default() };
                cx.console.desk().update_key(&cx.viewer.actor, id, change, None).await.map(drop)
            }));
        });
    };
    let place = here.place();
    let chosen = ["q", "state", "user", "after"].iter().any(|key| place.get(key).is_some());
    if list.rows.is_empty() && !chosen {
        return rsx! { NoKeys {} };
    }
    let after = list.next.map(|id| here.with("after", id.0));
    let before = place.get("after").map(|_| here.with("after", ""));
    let count = match lang {
        Lang::En => format!("{} of {}", grouped(list.rows.len() as u64), grouped(list.total)),
        Lang::Zh => format!("{} 把，共 {} 把", grouped(list.rows.len() as u64), grouped(list.total)),
    };
    let many = people.len() > 1;
    rsx! {
        Headline { actions: rsx! { NewKey {} },
            strong { {in_use(lang, list.active)} }
            {care(lang, list.care)}
        }
        Filters { people }
        if list.rows.is_empty() {
            Empty { text: lang.t("No key is like that.", "没有符合条件的密钥。"), icon: "icon-[lucide--key-round]",
                a { class: "btn btn-quiet btn-sm", href: here.href(&Place::at(["access"])), {lang.t("Show all", "显示全部")} }
            }
        } else {
            Table { caption: lang.t("Keys", "密钥"), head: rsx! { Head { many } },
                for row in list.rows {
                    Row { key: "{row.view.key.id}", row, many, onswitch }
                }
            }
        }
        Pager { before, after, words: count }
    }
}

fn in_use(lang: Lang, n: u64) -> String {
    match (lang, n) {
        (Lang::En, 1) => "1 key".to_owned(),
        (Lang::En, n) => format!("{} keys", grouped(n)),
        (Lang::Zh, n) => format!("{} 把密钥", grouped(n)),
    }
}

fn care(lang: Lang, n: u64) -> String {
    match (lang, n) {
        (Lang::En, 0) => " in use.".to_owned(),
        (Lang::En, 1) => " in use. One is near its budget.".to_owned(),
        (Lang::En, n) => format!(" in use. {} are near their budgets.", grouped(n)),
        (Lang::Zh, 0) => "在用。".to_owned(),
        (Lang::Zh, n) => format!("在用，{} 把快用完预算。", grouped(n)),
    }
}

#[component]
fn NewKey() -> Element {
    let (lang, here) = (use_lang(), use_here());
    let place = here.place();
    let new = ["q", "state", "user", "after"]
        .iter()
        .fold(Place::at(["access", "new"]), |new, key| new.with(key, place.get(key).unwrap_or_default()));
    rsx! {
        LinkButton { kind: Kind::Primary, small: true, icon: "icon-[lucide--plus]", href: here.href(&new), {lang.t("New key", "新建密钥")} }
    }
}

#[component]
fn NoKeys() -> Element {
    let (lang, here) = (use_lang(), use_here());
    rsx! {
        div { class: "grow grid place-items-center",
            div { class: "text-center max-w-sm py-16",
                span { class: "inline-grid place-items-center size-14 rounded-2xl bg-fill text-muted", Icon { i: "icon-[lucide--key-round]", class: "size-6" } }
                h1 { class: "headline mt-6", strong { {lang.t("No keys yet", "还没有密钥")} } }
                p { class: "mt-2 text-muted",
                    {lang.t("A key is what a customer holds. It opens the models you choose, up to a budget.", "密钥交到客户手里，打开你选的模型，花到预算为止。")}
                }
                div { class: "mt-6",
                    LinkButton { kind: Kind::Primary, href: here.href(&Place::at(["access", "new"])), {lang.t("New key", "新建密钥")} }
                }
            }
        }
    }
}

/// A search, the states, and whose.
#[component]
fn Filters(people: People) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let place = here.place();
    let of = move |key: &str, value: &str| here.href(&here.place().without(&["after"]).with(key, value));
    let now = place.get("state").and_then(|code| STATES.into_iter().find(|state| state_code(*state) == code));
    let all = lang.t("All states", "全部状态");
    let label = now.map_or(all, |state| state_words(lang, state).1);
    let whose = place.get("user").unwrap_or_default().to_owned();
    let mut choices = vec![Choice::new("", lang.t("All customers", "全部客户"))];
    choices.extend(people.iter().map(|(id, name)| Choice::new(id.to_string(), name.clone())));
    rsx! {
        div { class: "flex flex-wrap items-center gap-2 mb-2",
            label { class: "input input-sm flex-1 min-w-0 sm:flex-none sm:w-64",
                Icon { i: "icon-[lucide--search]", class: "size-3.5 text-faint" }
                input { id: "key-find", r#type: "search", autocomplete: "off", initial_value: place.get("q").unwrap_or_default(),
                    placeholder: lang.t("Name or first characters", "名称或开头几位"), "aria-label": lang.t("Find a key", "查找密钥"),
                    "data-debounce": "250",
                    oninput: move |event| here.replace(here.place().without(&["after"]).with("q", event.value().trim())),
                }
            }
            Menu { label: lang.t("State", "状态"), class: "btn btn-quiet btn-sm font-normal", button: rsx! { Icon { i: "icon-[lucide--list-filter]", class: "size-3.5" } "{label}" },
                MenuLink { href: of("state", ""), "{all}" }
                for state in STATES {
                    MenuLink { key: "{state_code(state)}", href: of("state", state_code(state)),
                        Dot { tone: state_words(lang, state).0 }
                        {state_words(lang, state).1}
                    }
                }
            }
            if people.len() > 1 {
                // A list of one with a key: the browser's "back" chooses anew.
                for whose in [whose] {
                    div { key: "{whose}-{people.len()}", class: "w-44 max-sm:w-full",
                        Select { id: "key-owner", label: lang.t("Customer", "客户"), hide_label: true, class: "select-sm", choices: choices.clone(), value: whose,
                            onchange: move |id: String| here.go(here.place().without(&["after"]).with("user", id)),
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Head(many: bool) -> Element {
    let lang = use_lang();
    rsx! {
        th { scope: "col", {lang.t("Key", "密钥")} }
        if many { th { scope: "col", class: "hidden md:table-cell", {lang.t("Customer", "客户")} } }
        th { scope: "col", class: "hidden xl:table-cell", {lang.t("Opens", "可用模型")} }
        th { scope: "col", class: "max-md:text-right max-md:pe-0", {lang.t("Spent today", "今日花费")} }
        th { scope: "col", class: "hidden xl:table-cell", {lang.t("Last used", "最近使用")} }
        th { scope: "col", class: "hidden md:table-cell", {lang.t("State", "状态")} }
        th { scope: "col", class: "hidden md:table-cell", span { class: "sr-only", {lang.t("More", "更多")} } }
    }
}

#[component]
fn Row(row: KeyRow, many: bool, onswitch: EventHandler<(KeyId, bool)>) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let key = &row.view.key;
    let (tone, word) = state_words(lang, row.state);
    let gone = matches!(row.state, KeyState::Expired | KeyState::Revoked);
    let used = row.last_used.map_or_else(|| NOTHING.to_owned(), |at| last_used(&f, at, now()));
    let tight = tightest(&f, &row);
    let href = here.href(&place_of(key.id));
    rsx! {
        tr { class: if gone { "text-muted" },
            th { scope: "row", class: "font-normal",
                a { href, class: "text-left block font-medium text-ink truncate max-w-[42vw] sm:max-w-56 md:max-w-40 lg:max-w-56 xl:max-w-64 rounded", title: "{key.name}", "{key.name}" }
                span { class: "mono text-muted text-xs!", "{key.hint}" }
                span { class: "sr-only md:hidden", " {word}" }
            }
            if many {
                td { class: "hidden md:table-cell",
                    span { class: "flex items-center gap-2.5",
                        Tile { name: row.view.user_name.clone(), round: true, class: "size-6! text-[0.5625rem]!" }
                        span { class: "truncate max-w-40", title: "{row.view.user_name}", "{row.view.user_name}" }
                    }
                }
            }
            td { class: "hidden xl:table-cell text-muted whitespace-nowrap", {opens(lang, key.models.as_deref())} }
            td { class: "lg:w-64 max-md:pe-0",
                span { class: "flex items-center gap-3 max-md:justify-end",
                    span { class: "hidden lg:block w-24 shrink-0",
                        if let Some((percent, tone, label, _)) = &tight { Meter { percent: *percent, tone: *tone, label: label.clone() } }
                    }
                    span { class: "num whitespace-nowrap", {money(row.today)} " "
                        span { class: "text-muted max-sm:hidden",
                            {tight.as_ref().map_or_else(|| lang.t("no limit", "不限").to_owned(), |(.., word)| word.clone())}
                        }
                    }
                }
            }
            td { class: "hidden xl:table-cell text-muted num whitespace-nowrap", "{used}" }
            td { class: "hidden md:table-cell w-32",
                span { class: "flex items-center gap-2 text-sm whitespace-nowrap text-muted", Dot { tone } "{word}" }
            }
            td { class: "hidden md:table-cell w-10 text-right",
                if row.may.change { RowMenu { row: row.clone(), onswitch } }
            }
        }
    }
}

#[component]
fn RowMenu(row: KeyRow, onswitch: EventHandler<(KeyId, bool)>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let (id, off) = (row.view.key.id, row.view.key.status == Status::Disabled);
    let page = place_of(id);
    let label = match lang {
        Lang::En => format!("{}: more", row.view.key.name),
        Lang::Zh => format!("{}：更多", row.view.key.name),
    };
    rsx! {
        Menu { label,
            MenuItem { icon: switch_icon(off), onclick: move |_| onswitch.call((id, off)),
                if off { {lang.t("Switch on", "开启")} } else { {lang.t("Switch off", "关闭")} }
            }
            MenuLink { icon: "icon-[lucide--refresh-cw]", href: here.href(&page.clone().with("do", "rotate")), {lang.t("Rotate", "更换")} }
            MenuLink { icon: "icon-[lucide--trash-2]", href: here.href(&page.with("do", "revoke")), {lang.t("Revoke", "作废")} }
        }
    }
}
