//! Money: what came in and what stays, prices, redeem codes, money in and out, statements.

mod balance;
mod books;
mod chart;
mod codes;
mod leaves;
mod newcodes;
mod overview;
mod prices;
mod statement;
#[cfg(test)]
mod tests;
mod topups;
mod words;

use crate::kit::{Tab, Views};
use crate::live::{Place, use_conn, use_here, use_lang};
use crate::pages::Nothing;
use burncloud_billing::people::{Action, Actor, Place as At, may};
use burncloud_core::{Role, TenantId};
use dioxus::prelude::*;

/// Whose money it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// The house's.
    House,
    /// A tenant's own book.
    Seller,
    /// One's own wallet.
    Own,
}

impl Side {
    fn of(actor: &Actor) -> Side {
        match () {
            () if actor.may_in_house(Action::SeeMoney) => Side::House,
            () if may(actor.role, Action::SeeMoney, At::Own) => Side::Seller,
            () => Side::Own,
        }
    }
}

/// The book that is the actor's: the house's is `None`.
fn own_book(actor: &Actor) -> Option<TenantId> {
    (!actor.may_in_house(Action::ManageHouse)).then_some(actor.tenant)
}

/// Whether they change what they see, or look alone.
fn writes(actor: &Actor) -> bool {
    may(actor.role, Action::MakeCodes, At::Own) && actor.role != Role::Accountant
}

/// The parts of the page: how each is called in the URL, and its names.
fn parts(side: Side) -> &'static [(&'static str, &'static str, &'static str)] {
    match side {
        Side::Own => &[("", "Overview", "总览"), ("statement", "Statement", "对账单")],
        _ => &[
            ("", "Overview", "总览"),
            ("prices", "Price book", "价目表"),
            ("codes", "Redeem codes", "兑换码"),
            ("topups", "Top-ups", "充值"),
            ("statement", "Statement", "对账单"),
        ],
    }
}

#[component]
pub(crate) fn Finance() -> Element {
    let (conn, here) = (use_conn(), use_here());
    let side = Side::of(&conn.viewer.actor);
    let part = here.segment(1).unwrap_or_default();
    let known = parts(side).iter().any(|(path, ..)| *path == part);
    // A list of one with a key: another part is another component, with hooks of its own.
    rsx! {
        for part in [part] {
            match (part.as_str(), side) {
                _ if !known => rsx! { Nothing { key: "{part}" } },
                ("prices", _) => rsx! { prices::PriceBook { key: "{part}" } },
                ("codes", _) => rsx! { codes::Codes { key: "{part}" } },
                ("topups", _) => rsx! { topups::Topups { key: "{part}" } },
                ("statement", _) => rsx! { statement::Statement { key: "{part}" } },
                (_, Side::Own) => rsx! { balance::Balance { key: "{part}" } },
                _ => rsx! { overview::Overview { key: "{part}" } },
            }
        }
    }
}

/// The way between the parts.
#[component]
fn Parts(on: &'static str) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let tabs = parts(Side::of(&conn.viewer.actor)).iter().map(|(path, en, zh)| {
        let place = if path.is_empty() { Place::at(["finance"]) } else { Place::at(["finance", path]) };
        Tab::new(here.href(&place), lang.t(en, zh), *path == on)
    });
    let tabs: Vec<Tab> = tabs.collect();
    rsx! { Views { label: lang.t("Finance", "财务"), tabs, class: "mb-8 max-sm:overflow-x-auto max-sm:flex-nowrap" } }
}
