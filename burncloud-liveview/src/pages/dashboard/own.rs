//! What an end user sees: their balance, what they spent, their own requests, and how to top up.

use super::facts::{Answered, purse};
use super::figures::Glance;
use super::margin::{Large, Side, tone};
use super::sea::Hours;
use crate::fmt::{charge, money, now};
use crate::kit::{
    Button, Dot, Empty, Field, Form, Kind, LinkButton, Pulse, PulseState, Sun, Toast, Tone, use_fmt,
    use_toasts,
};
use crate::lang::Lang;
use crate::live::{use_act, use_conn, use_lang};
use burncloud_billing::desk::reports::LogRow;
use burncloud_billing::people::{Action, Place, may};
use burncloud_core::store::Outcome;
use dioxus::prelude::*;
use std::sync::Arc;

#[component]
pub(super) fn Own(glance: Arc<Glance>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let state = glance.state();
    let wallet = glance.books.wallet;
    let small = wallet.map(|wallet| purse(lang, wallet).1).unwrap_or_default();
    let tone = tone(state);
    let actor = &conn.viewer.actor;
    let redeem = actor.user.is_some() && may(actor.role, Action::RedeemOwn, Place::Own);
    rsx! {
        div { class: "grow flex flex-col {tone}",
            div { class: "relative grow flex flex-col overflow-hidden isolate",
                Sun { state }
                div { class: "flex items-center px-4 md:px-8 xl:px-10 pt-1 md:pt-4 h-9 md:h-12", Ready { state } }
                div { class: "grow flex flex-col justify-center py-10 md:py-8",
                    div { class: "grid grid-cols-2 md:grid-cols-[1fr_auto_1fr] items-end gap-x-6 xl:gap-x-12 gap-y-7 w-full max-w-[68rem] mx-auto px-4 md:px-8",
                        div { class: "order-2 md:order-1 md:pb-1.5",
                            Side { name: lang.t("Spent today", "今日花费"), amount: glance.books.now.charge, class: "md:text-right" }
                        }
                        div { class: "order-1 md:order-2 col-span-2 md:col-span-1 text-center",
                            h1 { class: "text-base text-muted font-normal", {lang.t("Balance", "余额")} }
                            Large { amount: wallet.map(|wallet| wallet.balance).unwrap_or_default() }
                        }
                        div { class: "order-3 md:pb-1.5",
                            Side { name: lang.t("Spent this month", "本月花费"), amount: glance.month, class: "md:text-left" }
                        }
                    }
                    p { class: "mt-5 text-center text-base text-muted num px-4", "{small}" }
                    if redeem { Redeem {} }
                }
                Hours { glance: glance.clone(), state }
            }
            div { class: "grid md:grid-cols-[2fr_1fr] border-t border-line max-md:divide-y md:divide-x divide-line bg-base-100 relative rounded-b-[inherit]",
                Last { rows: glance.last.clone() }
                Answered { glance }
            }
        }
    }
}

#[component]
fn Ready(state: PulseState) -> Element {
    let lang = use_lang();
    let word = match state {
        PulseState::Flow => lang.t("Ready to call", "可以调用"),
        PulseState::Hurt => lang.t("Top up to go on", "请充值后继续"),
        PulseState::Rest => lang.t("No call yet", "还没有调用"),
    };
    rsx! {
        p { id: "state", class: "flex items-center gap-2.5 text-base font-medium", role: "status", Pulse { state } "{word}" }
    }
}

/// A code that somebody bought or was given.
#[component]
fn Redeem() -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    // The field is drawn anew once a code was used: it stands empty again.
    let mut used = use_signal(|| 0_u32);
    let mut redeem = use_act(|cx, code: String| async move {
        let done = cx.console.desk().redeem(&cx.viewer.actor, &code).await?;
        cx.console.figures().forget(&cx.viewer.actor);
        Ok::<_, crate::live::Fault>(done)
    });
    rsx! {
        form { class: "mt-8 mx-auto flex items-start gap-2 px-4 w-full max-w-[26rem]",
            onsubmit: move |event| {
                redeem.then(Form::of(&event).text("code"), move |done| {
                    used += 1;
                    let amount = money(done.amount);
                    toasts.show(Toast::done(match lang {
                        Lang::En => format!("{amount} added"),
                        Lang::Zh => format!("已到账 {amount}"),
                    }));
                });
            },
            div { class: "grow min-w-0",
                for n in [used()] {
                    Field { key: "{n}", id: "redeem-code", name: "code", label: lang.t("Redeem code", "兑换码"), hide_label: true, required: true,
                        placeholder: lang.t("Redeem code", "兑换码"), class: "mono", error: redeem.error("code")
                    }
                }
            }
            Button { id: "redeem", kind: Kind::Primary, submit: true, busy: redeem.busy(), {lang.t("Top up", "充值")} }
        }
    }
}

#[component]
fn Last(rows: Vec<LogRow>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let keys = may(conn.viewer.actor.role, Action::ManageOwnKeys, Place::Own);
    rsx! {
        section { class: "py-5 md:py-6 px-4 md:px-8 xl:px-10 min-w-0", "aria-labelledby": "last-title",
            div { class: "flex items-center justify-between gap-4",
                h2 { id: "last-title", class: "text-sm text-muted font-normal", {lang.t("Last requests", "最近请求")} }
                if !rows.is_empty() { a { class: "link text-sm", href: conn.href("/logs"), {lang.t("All", "全部")} } }
            }
            if rows.is_empty() {
                Empty { text: lang.t("No request yet. Make a key and call with it.", "还没有请求。先创建一把密钥再调用。"), icon: "icon-[lucide--send]",
                    if keys { LinkButton { small: true, href: conn.href("/access/new"), {lang.t("Make a key", "创建密钥")} } }
                }
            } else {
                ul { class: "rows mt-2",
                    for row in rows { Line { key: "{row.id}", row } }
                }
            }
        }
    }
}

#[component]
fn Line(row: LogRow) -> Element {
    let (lang, conn, f) = (use_lang(), use_conn(), use_fmt());
    let (tone, word) = match row.outcome {
        Outcome::Answered => (Tone::Good, lang.t("Answered", "已应答")),
        Outcome::Refused => (Tone::Care, lang.t("Refused", "被拒")),
        Outcome::Failed => (Tone::Bad, lang.t("Failed", "失败")),
    };
    let model = if row.model.is_empty() {
        lang.t("Unknown model", "未知模型").to_owned()
    } else {
        row.model.clone()
    };
    let at = f.ago(u64::try_from(row.at.0 / 1_000).unwrap_or_default(), now());
    rsx! {
        li { class: "flex items-center gap-3 py-2.5",
            Dot { tone }
            span { class: "sr-only", "{word}" }
            a { class: "font-medium truncate hover:underline", href: conn.href(&format!("/logs?open={}", row.id)), title: "{model}", "{model}" }
            span { class: "text-sm text-muted whitespace-nowrap", "{at}" }
            span { class: "ms-auto num text-muted whitespace-nowrap", {charge(row.charge)} }
        }
    }
}
