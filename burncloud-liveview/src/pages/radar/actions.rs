//! What would help, as buttons and links.

use super::words::{reports_place, requests};
use crate::kit::{Button, Kind as Look, LinkButton, Toast, use_toasts};
use crate::lang::Lang;
use crate::live::{Cx, Fault, Place, use_act, use_conn, use_here, use_lang};
use burncloud_billing::desk::reports::{Customer, Finding, Kind, Reason, Suggestion};
use burncloud_billing::people::Action;
use burncloud_core::ChannelId;
use burncloud_core::usecase::Said;
use dioxus::prelude::*;

/// What is done here; everything else leads to where it is done.
#[derive(Clone, Debug, PartialEq)]
enum Deed {
    ToppedUp(ChannelId),
    Wake(ChannelId, String),
}

async fn help(cx: Cx, deed: Deed) -> Result<usize, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let gateway = cx.console.gateway().map(|gateway| gateway.handle());
    let woken = match (deed, gateway) {
        (Deed::ToppedUp(channel), gateway) => desk.topped_up(actor, gateway, channel).await?,
        (Deed::Wake(channel, model), Some(gateway)) => {
            desk.wake_lanes(actor, gateway, channel, Some(&model)).await?
        }
        (Deed::Wake(..), None) => {
            return Err(Said::new("no gateway runs in this process", "此进程中没有网关").into());
        }
    };
    cx.console.figures().forget(actor);
    Ok(woken)
}

fn woken(lang: Lang, models: usize) -> String {
    match (lang, models) {
        (Lang::En, 0) => "Nothing of it rests: the next request tells".to_owned(),
        (Lang::En, 1) => "Awake: one model is tried again".to_owned(),
        (Lang::En, n) => format!("Awake: {n} models are tried again"),
        (Lang::Zh, 0) => "没有休息中的模型，下一个请求见分晓".to_owned(),
        (Lang::Zh, n) => format!("已唤醒，{n} 个模型重新启用"),
    }
}

/// The buttons of a finding; the first is the one that matters.
#[component]
pub(crate) fn Actions(finding: Finding, #[props(default)] why: bool) -> Element {
    let (lang, here, conn) = (use_lang(), use_here(), use_conn());
    let see = requests(&finding).map(|place| here.href(&place));
    let remove = removable(&finding).filter(|_| conn.viewer.actor.may_in_house(Action::ManageHouse));
    let known = finding.actions.iter().filter(|one| !matches!(one, Suggestion::LookAtKey { .. }));
    rsx! {
        div { class: "flex flex-wrap items-center gap-2",
            for (at, suggestion) in known.cloned().enumerate() {
                One { key: "{at}", first: at == 0, suggestion, kind: finding.kind.clone() }
            }
            if let Some(href) = see {
                LinkButton { href, small: true, {lang.t("See requests", "查看请求")} }
            }
            if let Some(id) = remove {
                LinkButton { href: here.href(&Place::at(["models"]).with("remove", id)), small: true, {lang.t("Remove account", "移除账号")} }
            }
            if why {
                LinkButton { href: here.href(&Place::at(["radar"])), kind: Look::Ghost, small: true, {lang.t("Why?", "为什么？")} }
            }
        }
    }
}

/// The account that is no use as it is.
fn removable(finding: &Finding) -> Option<ChannelId> {
    match finding.kind {
        Kind::Errors { reason: Reason::AccountEmpty | Reason::Credential, channel, .. } => channel,
        _ => None,
    }
}

#[component]
fn One(suggestion: Suggestion, kind: Kind, first: bool) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let look = if first { Look::Primary } else { Look::Quiet };
    let (words, deed, to) = said(lang, &suggestion, &kind);
    match (deed, to) {
        (Some(deed), _) => rsx! { Do { deed, words, look } },
        (None, Some(place)) => {
            rsx! { LinkButton { href: here.href(&place), kind: look, small: true, "{words}" } }
        }
        (None, None) => rsx! {},
    }
}

/// A suggestion in words, with what it does or where it leads.
fn said(lang: Lang, suggestion: &Suggestion, kind: &Kind) -> (&'static str, Option<Deed>, Option<Place>) {
    let account = |id: &ChannelId| Place::at(["models".to_owned(), "accounts".to_owned(), id.to_string()]);
    let (words, deed, to) = match suggestion {
        Suggestion::TopUpAccount { channel } => {
            (("I topped it up", "已充值，恢复"), Some(Deed::ToppedUp(*channel)), None)
        }
        Suggestion::WakeLane { channel, model } => {
            (("Wake", "唤醒"), Some(Deed::Wake(*channel, model.clone())), None)
        }
        Suggestion::CheckCredential { channel } => {
            (("Check the credential", "检查凭证"), None, Some(account(channel)))
        }
        Suggestion::RaiseLimit { key } => {
            (("Raise its limit", "提高限额"), None, Some(Place::at(["access".to_owned(), key.to_string()])))
        }
        Suggestion::SetPrice { model, .. } => {
            (("Set the price", "设置价格"), None, Some(Place::at(["finance", "prices"]).with("q", model)))
        }
        Suggestion::ApprovePrices { .. } => {
            (("Look at the prices", "查看价格"), None, Some(Place::at(["finance", "prices"])))
        }
        Suggestion::TopUpCustomer { customer } => (("Top up", "充值"), None, Some(customer_place(*customer))),
        Suggestion::RaiseBudget { .. } => (("Look at the budget", "查看预算"), None, reports_place(kind)),
        Suggestion::LookAtKey { .. } => (("See requests", "查看请求"), None, None),
    };
    (lang.t(words.0, words.1), deed, to)
}

/// Where money is put into a customer's wallet.
fn customer_place(customer: Customer) -> Place {
    let who = match customer {
        Customer::User(id) => format!("u{}", id.0),
        Customer::Tenant(id) => format!("t{}", id.0),
    };
    Place::at(["users"]).with("do", "topup").with("who", who)
}

#[component]
fn Do(deed: Deed, words: &'static str, look: Look) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut act = use_act(help);
    rsx! {
        Button { kind: look, small: true, busy: act.busy(),
            onclick: move |_| act.then(deed.clone(), move |models| toasts.show(Toast::done(woken(lang, models)))),
            "{words}"
        }
    }
}

/// The button that wakes one lane.
#[component]
pub(super) fn Wake(channel: ChannelId, model: String, label: String) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut act = use_act(help);
    rsx! {
        Button { kind: Look::Ghost, small: true, busy: act.busy(), class: "ms-auto", label,
            onclick: move |_| act.then(Deed::Wake(channel, model.clone()), move |models| toasts.show(Toast::done(woken(lang, models)))),
            {lang.t("Wake", "唤醒")}
        }
    }
}
