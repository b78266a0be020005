//! Accounts and models: where tokens come from, and what is on the shelf.
//!
//! | path | |
//! |---|---|
//! | `/models` | the accounts; `q`, `page`, `withdrawn=1`, `remove=<id>` |
//! | `/models/cards` | the models; `q` |
//! | `/models/groups` | who is served by which accounts |
//! | `/models/accounts/<id>` | one account; `tab=transforms`, `draft=<what was posted>` |
//! | `/models/add` | the guided way to a new account; `provider`, `step` |
//! | `/models/import` | many accounts at once; `draft` |
//!
//! Whoever does not run the house sees the cards alone, with their own prices.

mod accounts;
mod add;
mod batch;
mod cards;
mod data;
mod edit;
mod groups;
mod posts;
mod providers;
mod read;
mod rests;
mod speed;
#[cfg(test)]
mod tests;
mod transforms;

pub(crate) use posts::Drafts;
pub(crate) use posts::routes;

use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::people::Action;
use burncloud_core::ChannelId;
use data::Overview;
use dioxus::prelude::*;
use std::time::Duration;

/// How often what the page shows is read again.
const EVERY: Duration = Duration::from_secs(10);

/// Which part of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Accounts,
    Cards,
    Groups,
}

impl Part {
    fn of(place: &Place) -> Part {
        match place.segment(1) {
            Some("cards") => Part::Cards,
            Some("groups") => Part::Groups,
            _ => Part::Accounts,
        }
    }
}

/// What lies over the page.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Over {
    Nothing,
    Account(ChannelId),
    Add,
    Import,
    Remove(ChannelId),
}

impl Over {
    fn of(place: &Place) -> Over {
        let id = || place.segment(2)?.parse().ok().map(ChannelId);
        match place.segment(1) {
            Some("accounts") => id().map_or(Over::Nothing, Over::Account),
            Some("add") => Over::Add,
            Some("import") => Over::Import,
            _ => place.parsed("remove").map_or(Over::Nothing, |id| Over::Remove(ChannelId(id))),
        }
    }
}

#[component]
pub(crate) fn Models() -> Element {
    let (conn, here) = (use_conn(), use_here());
    let place = here.place();
    if !conn.viewer.actor.may_in_house(Action::ManageHouse) {
        return rsx! { cards::Shelf {} };
    }
    rsx! { House { part: Part::of(&place), over: Over::of(&place) } }
}

#[component]
fn House(part: Part, over: Over) -> Element {
    let mut data = use_load((), |cx, ()| data::load(cx));
    use_again(EVERY, data);
    let page = match &*data.read() {
        None => rsx! { Loading { rows: 8 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| data.reload() } },
        Some(Ok(overview)) => rsx! {
            match part {
                Part::Accounts => rsx! { accounts::Accounts { overview: overview.clone(), data } },
                Part::Cards => rsx! { cards::HouseCards { overview: overview.clone() } },
                Part::Groups => rsx! { groups::Groups { overview: overview.clone() } },
            }
            Above { over, overview: overview.clone() }
        },
    };
    page
}

#[component]
fn Above(over: Over, overview: Overview) -> Element {
    let account = |id| overview.accounts.iter().find(|account| account.view.id == id).cloned();
    match over {
        Over::Nothing => rsx! {},
        Over::Account(id) => {
            rsx! { edit::Edit { key: "{id}", id, account: account(id), groups: overview.group_names() } }
        }
        Over::Add => rsx! { add::Add { overview } },
        Over::Import => rsx! { batch::Import {} },
        Over::Remove(id) => match account(id) {
            Some(account) => rsx! { accounts::Remove { key: "{id}", account } },
            None => rsx! {},
        },
    }
}

/// The parts of the page, with how much is in each.
#[component]
fn Parts(part: Part, overview: Overview) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let tab = |is: Part, path: &[&str], name: &'static str, count: usize| {
        let class = if is == part { "tab gap-1.5 tab-active" } else { "tab gap-1.5" };
        let href = here.href(&Place::at(path.iter().copied()));
        rsx! {
            a { key: "{name}", class, href, "aria-current": if is == part { "page" },
                "{name}" span { class: "text-faint font-normal num", "{count}" }
            }
        }
    };
    rsx! {
        nav { class: "tabs tabs-border mb-1", "aria-label": lang.t("Accounts and models", "账号与模型"),
            {tab(Part::Accounts, &["models"], lang.t("Accounts", "账号"), overview.in_use().count())}
            {tab(Part::Cards, &["models", "cards"], lang.t("Models", "模型"), overview.models())}
            {tab(Part::Groups, &["models", "groups"], lang.t("Groups", "分组"), overview.group_names().len())}
        }
    }
}

/// Where whoever closes what lies over the page goes.
fn home() -> Place {
    Place::at(["models"])
}

/// A number in a sentence: small ones in words.
fn many(lang: Lang, n: usize) -> String {
    const WORDS: [&str; 10] = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];
    const ZH: [&str; 10] = ["零", "一", "两", "三", "四", "五", "六", "七", "八", "九"];
    let words = match lang {
        Lang::En => &WORDS,
        Lang::Zh => &ZH,
    };
    words.get(n).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}
