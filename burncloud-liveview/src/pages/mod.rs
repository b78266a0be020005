//! The pages of the console, and the table of them.
//!
//! # Adding a page
//!
//! One file (or folder) in `src/pages/` with a component, and one row in [`PAGES`]; the sidebar, the phone's dock, the
//! command palette and the title of the tab follow from the row.
//!
//! ```ignore
//! //! What the page is for.
//! use crate::kit::*;
//! use crate::live::*;
//! use dioxus::prelude::*;
//!
//! #[component]
//! pub(crate) fn Keys() -> Element {
//!     let (lang, f, here) = (use_lang(), use_fmt(), use_here());           // language, numbers, where somebody is
//!     let keys = use_load(here.get("q"), |cx, q| async move {              // read off the drawing thread
//!         cx.console.desk().keys(&cx.viewer.actor, q.as_deref()).await
//!     });
//!     let mut revoke = use_act(|cx, id| async move { cx.console.desk().revoke_key(&cx.viewer.actor, id).await });
//!     let page = match &*keys.read() {
//!         None => rsx! { Loading { rows: 8 } },
//!         Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
//!         Some(Ok(keys)) => rsx! {
//!             Headline { strong { {lang.t("12 keys", "12 把密钥")} } {lang.t(" are in use.", "在用。")} }
//!             for key in keys.clone() {
//!                 button { key: "{key.id}", onclick: move |_| revoke.run(key.id), {f.ago(key.used, now())} }
//!             }
//!         },
//!     };
//!     page
//! }
//! ```
//!
//! - **Where somebody is** lives in the URL: [`Here`](crate::live::Here). Filters, tabs, the open drawer and the selected
//!   row are parts of the query; links are plain `a { href: here.with("tab", "codes") }`.
//! - **Reading**: [`use_load`](crate::live::use_load); live figures: [`use_watch`](crate::live::use_watch).
//! - **Writing**: [`use_act`](crate::live::use_act): `busy()`, `error("field")`, toasts, and everything that was read is
//!   read again. Who may do it is decided in the use case, never here.
//! - **Words**: `lang.t("English", "中文")`. **Numbers**: [`fmt`](crate::fmt) and [`use_fmt`](crate::kit::use_fmt).
//! - Inputs have an id and `initial_value`, never `value`; lists have keys; forms have no `action` and are read on
//!   submit with [`Form`](crate::kit::Form).
//! - Class names are literals, so that the CSS build finds them: run it as `css/README.md` says after using a new one.

mod access;
mod account;
mod dashboard;
mod finance;
pub(crate) mod logs;
mod models;
mod nothing;
mod playground;
mod radar;
mod reasons;
mod settings;
mod users;

use burncloud_billing::people::{Action, Actor, Place as At, may};
use dioxus::prelude::*;

use crate::lang::Lang;
use crate::live::Place;
pub(crate) use dashboard::{Figures, Period};
pub(crate) use models::{Drafts, routes as model_routes};
pub(crate) use nothing::Nothing;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageId {
    /// How much stayed today; what there is to spend.
    Dashboard,
    /// Accounts and models.
    Models,
    /// What needs somebody.
    Radar,
    /// Requests.
    Logs,
    /// Keys.
    Access,
    /// Who is here.
    Users,
    /// Money.
    Finance,
    /// The playground.
    Playground,
    /// Settings of the house.
    Settings,
    /// One's own account: password, second factor, sessions.
    Account,
}

/// How a page is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// In a column for reading.
    Column,
    /// In a wide column: tables.
    Wide,
    /// To the edges of the sheet.
    Flush,
}

/// A row of the table of pages.
#[derive(Debug)]
pub struct Page {
    /// Which one.
    pub id: PageId,
    /// The first part of its path; empty for the first page.
    pub path: &'static str,
    /// Its icon: one of lucide's, as a class.
    pub icon: &'static str,
    /// Its name in English.
    pub en: &'static str,
    /// Its name in Chinese.
    pub zh: &'static str,
    /// The group of the sidebar, from the top; `None` where the sidebar does not list it.
    pub group: Option<u8>,
    /// Whether a phone's dock shows it.
    pub dock: bool,
    /// How it is laid out.
    pub layout: Layout,
    /// Whom it is for. What they may do on it, the use cases decide.
    pub for_whom: fn(&Actor) -> bool,
    /// What it shows.
    pub view: fn() -> Element,
}

impl Page {
    /// Its name.
    #[must_use]
    pub fn name(&self, lang: Lang) -> &'static str {
        lang.t(self.en, self.zh)
    }
}

/// The group of the sidebar's foot.
pub const FOOT: u8 = 9;

/// The table of pages, in the order of the sidebar.
#[rustfmt::skip]
pub static PAGES: &[Page] = &[
    Page { id: PageId::Dashboard, path: "", icon: "icon-[lucide--sun]", en: "Dashboard", zh: "总览", group: Some(0), dock: true, layout: Layout::Flush, for_whom: own, view: dashboard::Dashboard },
    Page { id: PageId::Models, path: "models", icon: "icon-[lucide--layers]", en: "Models", zh: "模型", group: Some(1), dock: true, layout: Layout::Wide, for_whom: own, view: models::Models },
    Page { id: PageId::Radar, path: "radar", icon: "icon-[lucide--radar]", en: "Radar", zh: "雷达", group: Some(1), dock: false, layout: Layout::Column, for_whom: people, view: radar::Radar },
    Page { id: PageId::Logs, path: "logs", icon: "icon-[lucide--scroll-text]", en: "Logs", zh: "日志", group: Some(1), dock: true, layout: Layout::Wide, for_whom: own, view: logs::Logs },
    Page { id: PageId::Access, path: "access", icon: "icon-[lucide--key-round]", en: "Access", zh: "密钥", group: Some(2), dock: false, layout: Layout::Wide, for_whom: keys, view: access::Access },
    Page { id: PageId::Users, path: "users", icon: "icon-[lucide--users]", en: "Users", zh: "用户", group: Some(2), dock: false, layout: Layout::Wide, for_whom: people, view: users::Users },
    Page { id: PageId::Finance, path: "finance", icon: "icon-[lucide--wallet]", en: "Finance", zh: "财务", group: Some(2), dock: true, layout: Layout::Column, for_whom: own, view: finance::Finance },
    Page { id: PageId::Playground, path: "playground", icon: "icon-[lucide--message-circle]", en: "Playground", zh: "试玩", group: Some(3), dock: false, layout: Layout::Flush, for_whom: keys, view: playground::Playground },
    Page { id: PageId::Settings, path: "settings", icon: "icon-[lucide--settings-2]", en: "Settings", zh: "设置", group: Some(FOOT), dock: false, layout: Layout::Column, for_whom: house, view: settings::Settings },
    Page { id: PageId::Account, path: "account", icon: "icon-[lucide--shield-check]", en: "Account", zh: "账户", group: None, dock: false, layout: Layout::Column, for_whom: own, view: account::Account },
];

fn house(actor: &Actor) -> bool {
    actor.may_in_house(Action::ManageHouse)
}
fn people(actor: &Actor) -> bool {
    may(actor.role, Action::See, At::Own)
}
fn own(actor: &Actor) -> bool {
    may(actor.role, Action::SeeOwn, At::Own)
}
fn keys(actor: &Actor) -> bool {
    may(actor.role, Action::ManageOwnKeys, At::Own)
}

/// The row of a page.
#[must_use]
pub fn page(id: PageId) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.id == id)
}

/// The pages that are for somebody, in order.
#[must_use]
pub fn pages_for(actor: &Actor) -> Vec<PageId> {
    PAGES.iter().filter(|page| (page.for_whom)(actor)).map(|page| page.id).collect()
}

/// The page at a place, where it is for them; at the root, the first that is.
#[must_use]
pub fn page_at(actor: &Actor, place: &Place) -> Option<&'static Page> {
    let mut theirs = PAGES.iter().filter(|page| (page.for_whom)(actor));
    match place.segment(0) {
        None => theirs.next(),
        Some(path) => theirs.find(|page| page.path == path),
    }
}
