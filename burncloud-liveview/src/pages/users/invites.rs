//! The invitations that were made.

use super::roster::Actions;
use super::words::role_name;
use super::{Switch, View};
use crate::fmt::{money, ms, now};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_core::store::Invitation;
use burncloud_core::{Nano, TenantId, UnixMicros};
use dioxus::prelude::*;
use std::collections::BTreeMap;

/// Invitations, and the names of the tenants they are to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) all: Vec<Invitation>,
    pub(super) tenants: BTreeMap<TenantId, String>,
    pub(super) may: bool,
}

pub(super) async fn open(cx: &Cx) -> Result<Open, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let powers = desk.powers(actor).await?;
    let may = powers.iter().any(|at| at.manage);
    let tenants = powers.into_iter().map(|at| (at.tenant, at.name)).collect();
    Ok(Open { all: desk.invitations(actor).await?, tenants, may })
}

pub(super) fn id_of(invitation: &Invitation) -> String {
    invitation.hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn stands(invitation: &Invitation) -> bool {
    invitation.used.is_none() && invitation.revoked_at.is_none() && invitation.expires_at > UnixMicros::now()
}

#[component]
pub(super) fn Invites() -> Element {
    let mut read = use_load((), |cx, ()| async move { open(&cx).await });
    match &*read.read() {
        None => rsx! { Loading { rows: 6 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| read.reload() } },
        Some(Ok(open)) => rsx! { Seen { open: open.clone() } },
    }
}

#[component]
pub(super) fn Seen(open: Open) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let waiting = open.all.iter().filter(|invitation| stands(invitation)).count();
    let wanted = here.get("revoke");
    let chosen = open
        .all
        .iter()
        .find(|one| wanted.as_ref().is_some_and(|id| *id == id_of(one)) && stands(one))
        .cloned();
    rsx! {
        Headline { actions: rsx! { Actions { may: open.may } }, class: "mb-5",
            match (lang, waiting) {
                (Lang::En, 0) => rsx! { strong { "No invitation" } " is open." },
                (Lang::En, 1) => rsx! { strong { "One invitation" } " waits for somebody." },
                (Lang::En, n) => rsx! { strong { "{n} invitations" } " wait for somebody." },
                (Lang::Zh, 0) => rsx! { strong { "没有" } "待用的邀请。" },
                (Lang::Zh, n) => rsx! { strong { "{n} 份邀请" } "等人来用。" },
            }
        }
        Switch { view: View::Invites }
        if open.all.is_empty() {
            Empty { text: lang.t("A link makes somebody a user, once.", "一条链接，让一个人成为用户。"), icon: "icon-[lucide--user-plus]" }
        } else {
            List { open }
        }
        if let Some(invitation) = chosen { Revoke { invitation } }
    }
}

#[component]
fn List(open: Open) -> Element {
    let lang = use_lang();
    let head = rsx! {
        th { scope: "col", {lang.t("For whom", "给谁")} }
        th { scope: "col", class: "max-md:hidden", {lang.t("Becomes", "成为")} }
        th { scope: "col", class: "text-right max-md:hidden", {lang.t("Gift", "见面礼")} }
        th { scope: "col", class: "max-md:hidden", {lang.t("Made by", "发出人")} }
        th { scope: "col", class: "max-md:text-right", {lang.t("State", "状态")} }
        th { class: "max-md:hidden", span { class: "sr-only", {lang.t("Actions", "操作")} } }
    };
    rsx! {
        Table { caption: lang.t("Invitations", "邀请"), head,
            for one in open.all.clone() {
                Row { key: "{id_of(&one)}", place: open.tenants.get(&one.tenant).cloned().unwrap_or_default(), invitation: one }
            }
        }
    }
}

#[component]
fn Row(invitation: Invitation, place: String) -> Element {
    let (lang, here, f) = (use_lang(), use_here(), use_fmt());
    let date = |at| f.date(ms(at), now());
    let open = stands(&invitation);
    let (words, class) = match (&invitation.used, invitation.revoked_at) {
        (Some((at, _)), _) => (format!("{} {}", lang.t("Used", "已使用"), date(*at)), "text-muted"),
        (None, Some(at)) => (format!("{} {}", lang.t("Withdrawn", "已撤回"), date(at)), "text-muted"),
        (None, None) if open => {
            let until = date(invitation.expires_at);
            let words = match lang {
                Lang::En => format!("Open until {until}"),
                Lang::Zh => format!("{until} 前有效"),
            };
            (words, "")
        }
        (None, None) => {
            (format!("{} {}", lang.t("Expired", "已过期"), date(invitation.expires_at)), "text-muted")
        }
    };
    let note = if invitation.note.is_empty() {
        lang.t("Somebody", "某人").to_owned()
    } else {
        invitation.note.clone()
    };
    let gift =
        if invitation.gift == Nano::ZERO { crate::fmt::NOTHING.to_owned() } else { money(invitation.gift) };
    let role = role_name(lang, invitation.role);
    let revoke = here.with("revoke", id_of(&invitation));
    rsx! {
        tr { class: if open { "" } else { "text-muted" },
            th { scope: "row", class: "font-normal",
                span { class: "block font-medium truncate max-w-[42vw] md:max-w-60", title: "{note}", "{note}" }
                span { class: "block text-sm text-muted num", {f.ago(ms(invitation.created_at), now())} }
            }
            td { class: "max-md:hidden", span { class: "block", "{role}" } span { class: "block text-sm text-muted", "{place}" } }
            td { class: "text-right num max-md:hidden", "{gift}" }
            td { class: "max-md:hidden truncate", "{invitation.author}" }
            td { class: "max-md:text-right", span { class, "{words}" }
                if open { a { class: "md:hidden block text-sm text-error", href: "{revoke}", {lang.t("Withdraw", "撤回")} } }
            }
            td { class: "text-right max-md:hidden",
                if open { a { class: "btn btn-danger btn-sm", href: "{revoke}", {lang.t("Withdraw", "撤回")} } }
            }
        }
    }
}

#[component]
fn Revoke(invitation: Invitation) -> Element {
    let (lang, mut here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let hash = invitation.hash;
    let mut run =
        use_act(
            move |cx, ()| async move { cx.console.desk().revoke_invitation(&cx.viewer.actor, &hash).await },
        );
    let back = move || here.replace(here.place().without(&["revoke"]));
    rsx! {
        Confirm { id: "revoke", title: lang.t("Withdraw this invitation?", "撤回这份邀请？"),
            text: lang.t("Its link opens nothing any more. You can make another at any time.", "链接立即失效，随时可以另发一份。"),
            action: lang.t("Withdraw", "撤回"), busy: run.busy(),
            onclose: move |()| { let mut back = back; back() },
            onconfirm: move |()| {
                let mut back = back;
                run.then((), move |()| {
                    toasts.show(Toast::done(lang.t("Withdrawn", "已撤回")));
                    back();
                });
            },
        }
    }
}
