//! Who is here: the roster, the family tree, groups, roles, invitations, and each person in a drawer.

mod create;
mod data;
mod groups;
mod invite;
mod invites;
mod money;
mod person;
mod roles;
mod roster;
mod secret;
mod statement;
mod tenant;
mod terms;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use crate::kit::{Tab, Views};
use crate::live::{Here, Place, use_conn, use_here, use_lang};
use burncloud_billing::desk::WalletId;
use burncloud_billing::people::{Action, Place as At, may};
use burncloud_core::{TenantId, UserId};
use dioxus::prelude::*;

/// What a page of the roster keeps while a drawer is opened over it.
const ROSTER: [&str; 5] = ["q", "state", "tenant", "below", "p"];

/// Which view of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    People,
    Tree,
    Groups,
    Roles,
    Invites,
}

impl View {
    const EACH: [View; 5] = [View::People, View::Tree, View::Groups, View::Roles, View::Invites];

    fn path(self) -> &'static str {
        match self {
            View::People => "",
            View::Tree => "tree",
            View::Groups => "groups",
            View::Roles => "roles",
            View::Invites => "invites",
        }
    }

    fn of(here: &Here) -> View {
        let path = here.segment(1).unwrap_or_default();
        View::EACH.into_iter().find(|view| view.path() == path).unwrap_or(View::People)
    }

    fn place(self) -> Place {
        match self {
            View::People => Place::at(["users"]),
            other => Place::at(["users", other.path()]),
        }
    }
}

/// The person whose drawer is open.
fn person(here: &Here) -> Option<UserId> {
    here.segment(1)?.parse().ok().map(UserId)
}

/// The URL of somebody's drawer, over the roster as it is.
fn person_href(here: &Here, id: UserId) -> String {
    here.href(&keeping(here, Place::at(["users".to_owned(), id.to_string()])))
}

/// A place with what the roster shows now.
fn keeping(here: &Here, place: Place) -> Place {
    ROSTER.into_iter().fold(place, |place, key| match here.get(key) {
        Some(value) => place.with(key, value),
        None => place,
    })
}

/// The URL that opens a dialog over where they are.
fn dialog_href(here: &Here, what: &str, who: &str) -> String {
    here.href(&here.place().without(&["role"]).with("do", what).with("who", who))
}

/// Closes whatever dialog is open.
fn close(mut here: Here) {
    here.replace(here.place().without(&["do", "who", "role"]));
}

/// A wallet as the query names it: `u7`, `t3`.
fn wallet_of(text: &str) -> Option<WalletId> {
    let number = text.get(1..)?.parse().ok()?;
    match text.as_bytes().first()? {
        b'u' => Some(WalletId::User(UserId(number))),
        b't' => Some(WalletId::Tenant(TenantId(number))),
        _ => None,
    }
}

#[component]
pub(crate) fn Users() -> Element {
    let here = use_here();
    let view = View::of(&here);
    let what = here.get("do").unwrap_or_default();
    let who = here.get("who").and_then(|who| wallet_of(&who));
    rsx! {
        match view {
            View::People => rsx! { roster::People {} },
            View::Tree => rsx! { tree::FamilyTree {} },
            View::Groups => rsx! { groups::Groups {} },
            View::Roles => rsx! { roles::Roles {} },
            View::Invites => rsx! { invites::Invites {} },
        }
        if let Some(id) = person(&here) {
            person::Person { key: "{id}", id }
        }
        match (what.as_str(), who) {
            ("invite", _) => rsx! { invite::Invite {} },
            ("user", _) => rsx! { create::NewUser {} },
            ("tenant", _) => rsx! { create::NewTenant {} },
            ("topup", Some(wallet)) => rsx! { money::Money { wallet } },
            ("terms", Some(WalletId::Tenant(id))) => rsx! { tenant::Terms { key: "{id}", id } },
            ("password", Some(WalletId::User(id))) => rsx! { secret::Password { id } },
            _ => rsx! {},
        }
    }
}

/// The views, as links.
#[component]
fn Switch(view: View) -> Element {
    let (lang, here, conn) = (use_lang(), use_here(), use_conn());
    let tab = |of: View, label: &str| Tab::new(here.href(&of.place()), label, of == view);
    let mut tabs = vec![
        tab(View::People, lang.t("People", "用户")),
        tab(View::Tree, lang.t("Family tree", "家谱")),
        tab(View::Groups, lang.t("Groups", "分组")),
        tab(View::Roles, lang.t("Roles", "角色")),
    ];
    if may(conn.viewer.actor.role, Action::ManageUsers, At::Own) {
        tabs.push(tab(View::Invites, lang.t("Invites", "邀请")));
    }
    rsx! { Views { label: lang.t("Views", "视图"), tabs, class: "mb-6" } }
}
