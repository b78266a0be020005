//! One account: everything of it, in a drawer.

mod form;
mod look;

use super::data::Account;
use super::providers::{ProviderTile, name};
use super::rests::use_rests;
use super::transforms::Transforms;
use super::{home, providers};
use crate::fmt;
use crate::kit::*;
use crate::live::*;
use burncloud_core::{ChannelId, Status};
use dioxus::prelude::*;
use form::Settings;

/// Where an account is shown.
pub(super) fn account_at(id: ChannelId) -> Place {
    Place::at(["models".to_owned(), "accounts".to_owned(), id.to_string()])
}

#[component]
pub(super) fn Edit(id: ChannelId, account: Option<Account>, groups: Vec<String>) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let rests = use_rests();
    let Some(account) = account else {
        return rsx! {
            Drawer { id: "account", title: lang.t("There is no such account", "没有这个账号"), onclose: move |()| here.go(home()),
                p { class: "mt-3 text-muted", {lang.t("It may have been removed.", "它可能已被移除。")} }
            }
        };
    };
    let transforms = here.get("tab").as_deref() == Some("transforms");
    let view = &account.view;
    let width = if transforms { "max-w-[64rem]" } else { "max-w-[40rem]" };
    let rest = rests.read().get(&id).cloned();
    let tabs = vec![
        Tab::new(here.href(&account_at(id)), lang.t("Account", "账号"), !transforms),
        Tab::new(
            here.href(&account_at(id).with("tab", "transforms")),
            lang.t("Transforms", "改写"),
            transforms,
        ),
    ];
    rsx! {
        Drawer { id: "account", title: view.name.clone(), class: width,
            onclose: move |()| here.go(home()),
            bar: rsx! {
                ProviderTile { id: view.provider.clone() }
                span { class: "text-muted truncate", {name(&view.provider)} }
            },
            div { class: "mt-2 flex flex-wrap items-center gap-x-5 gap-y-1 text-sm text-muted num",
                super::accounts::Health { state: account.state(rest.as_ref()), why: rest.as_ref().and_then(|rest| rest.why.clone()) }
                if let Some(us) = account.first_us() { span { {lang.t("First word ", "首字 ")} {fmt::micros(us)} } }
                span { {lang.t("Spent today ", "今日花费 ")} {fmt::money(account.sums.today)} }
            }
            if let Some(why) = rest.and_then(|rest| rest.why) { p { class: "mt-1 text-sm text-muted wrap-anywhere", "{why}" } }
            Views { label: lang.t("Parts of the account", "账号的各部分"), tabs, class: "mt-4" }
            if view.status == Status::Revoked {
                p { class: "mt-6 text-muted", {lang.t("It was withdrawn and serves no more.", "它已撤下，不再供应。")} }
            } else if transforms {
                Transforms { account: account.clone() }
            } else {
                look::Look { account: account.clone() }
                // Another version is another form: what is shown is what is stored.
                for version in [view.version.clone()] {
                    Settings { key: "{version}", account: account.clone(), groups: groups.clone() }
                }
            }
        }
    }
}

/// The fields that the account's provider has of its own.
fn needs(account: &Account) -> &'static [providers::Need] {
    providers::known(&account.view.provider).map_or(&[], |provider| provider.needs)
}
