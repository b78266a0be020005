//! An invitation: a link that makes somebody a user, shown once.

use super::words::{amount, places, role_icon, role_name, role_words};
use super::{close, wallet_of};
use crate::fmt::{ms, now};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::login::InvitationSpec;
use burncloud_billing::desk::{Powers, WalletId};
use burncloud_core::{Nano, Role, TenantId, UnixMicros};
use dioxus::prelude::*;
use secrecy::{ExposeSecret, SecretString};

const DAY_US: i64 = 86_400_000_000;

/// What was made: the code, and until when it works.
type Made = (SecretString, UnixMicros);

async fn invite(cx: Cx, lang: Lang, form: Form) -> Result<Made, Fault> {
    let gift = match form.some("gift") {
        None => Nano::ZERO,
        Some(text) => amount(lang, &text, "gift")?,
    };
    let wrong = || {
        Fault::field("days", lang.t("An invitation stands for 1 to 90 days.", "邀请有效期为 1 到 90 天。"))
    };
    let days: i64 =
        form.text("days").parse().ok().filter(|days| (1..=90).contains(days)).ok_or_else(wrong)?;
    let spec = InvitationSpec {
        tenant: TenantId(form.text("place").parse().unwrap_or(cx.viewer.actor.tenant.0)),
        role: Role::parse(&form.text("role")).unwrap_or_default(),
        note: form.text("for-whom"),
        gift,
        // A little less than ninety days, which are the most.
        expires_at: UnixMicros(UnixMicros::now().0 + days * DAY_US - 60_000_000),
    };
    let made = cx.console.desk().invite(&cx.viewer.actor, spec).await?;
    Ok((made.code, made.invitation.expires_at))
}

#[component]
pub(super) fn Invite() -> Element {
    let (lang, here) = (use_lang(), use_here());
    let made = use_signal(|| None::<Made>);
    let powers = use_load((), |cx, ()| async move { cx.console.desk().powers(&cx.viewer.actor).await });
    let done = made.read().clone();
    let body = match (done, &*powers.read()) {
        (Some((code, until)), _) => rsx! { Link { code: code.expose_secret().to_owned(), until } },
        (None, None) => rsx! { Loading { rows: 3, headline: false } },
        (None, Some(Err(fault))) => rsx! { Broken { fault: fault.clone() } },
        (None, Some(Ok(powers))) => rsx! { InviteForm { powers: powers.clone(), made } },
    };
    rsx! { Dialog { id: "invite", title: lang.t("Invite someone", "邀请加入"), onclose: move |()| close(here), {body} } }
}

/// The link, this once.
#[component]
pub(super) fn Link(code: String, until: UnixMicros) -> Element {
    let (lang, conn, f, here) = (use_lang(), use_conn(), use_fmt(), use_here());
    let link = format!("{}{}?code={code}", conn.origin, conn.href("/join"));
    let until = f.date(ms(until), now());
    rsx! {
        div { role: "status",
            span { class: "label-text block", {lang.t("Send this link", "把链接发给对方")} }
            div { class: "flex items-center gap-2 rounded-xl bg-fill p-2 ps-4",
                code { id: "invite-link", class: "mono truncate grow", "{link}" }
                Copy { value: link.clone(), class: "btn btn-primary btn-sm", {lang.t("Copy", "复制")} }
            }
            p { class: "field-hint mt-2",
                match lang {
                    Lang::En => rsx! { "Works once, until {until}. It is shown only now." },
                    Lang::Zh => rsx! { "只能用一次，{until} 前有效。仅显示这一次。" },
                }
            }
        }
        div { class: "flex justify-end mt-6", Button { onclick: move |_| close(here), {lang.t("Done", "完成")} } }
    }
}

/// Where to, by the query: `who=t3`.
fn asked(here: &Here) -> Option<TenantId> {
    match wallet_of(&here.get("who")?)? {
        WalletId::Tenant(id) => Some(id),
        WalletId::User(_) => None,
    }
}

#[component]
pub(super) fn InviteForm(powers: Vec<Powers>, made: Signal<Option<Made>>) -> Element {
    let (lang, conn, here, mut made) = (use_lang(), use_conn(), use_here(), made);
    let manage: Vec<Powers> = powers.iter().filter(|at| at.manage).cloned().collect();
    let mut run = use_act(move |cx, form| invite(cx, lang, form));
    let wanted = asked(&here).unwrap_or(conn.viewer.actor.tenant);
    let first = manage.iter().find(|at| at.tenant == wanted).or(manage.first()).map(|at| at.tenant);
    let mut tenant = use_signal(|| first.unwrap_or_default());
    let Some(at) = manage.iter().find(|at| at.tenant == tenant()).cloned() else {
        return rsx! { p { role: "alert", class: "text-muted", {lang.t("You may not invite anybody.", "你不能邀请别人。")} } };
    };
    let asked = here.get("role").and_then(|role| Role::parse(&role)).filter(|role| at.roles.contains(role));
    let role = asked.unwrap_or(Role::EndUser);
    let choices = places(&powers, |at| at.manage);
    // The most common first.
    let roles: Vec<Role> =
        [Role::EndUser, Role::Reseller, Role::Accountant, Role::Administrator, Role::Owner]
            .into_iter()
            .filter(|role| at.roles.contains(role))
            .collect();
    rsx! {
        form { class: "grid gap-5",
            onsubmit: move |event| run.then(Form::of(&event), move |done| made.set(Some(done))),
            if choices.len() > 1 {
                Select { id: "place", label: lang.t("Belongs to", "所属租户"), choices, value: tenant().to_string(), error: run.error("tenant"),
                    onchange: move |id: String| tenant.set(TenantId(id.parse().unwrap_or_default())),
                }
            }
            for of in [tenant()] {
                fieldset { key: "{of}", class: "grid grid-cols-2 gap-2 p-0", "aria-label": lang.t("Role", "角色"),
                    for one in roles.clone() { RoleCard { key: "{one:?}", role: one, on: one == role } }
                }
            }
            if let Some(error) = run.error("role") { p { role: "alert", class: "text-sm text-error", "{error}" } }
            if at.fund {
                Field { id: "gift", label: lang.t("Welcome gift", "见面礼"), before: "$", value: "5.00", inputmode: "decimal", error: run.error("gift") }
            }
            div { class: "grid grid-cols-2 gap-4",
                Field { id: "for-whom", label: lang.t("For whom", "给谁"), error: run.error("note") }
                Field { id: "days", label: lang.t("Days it works", "有效天数"), value: "7", inputmode: "numeric", error: run.error("days").or_else(|| run.error("expires_at")) }
            }
            div { class: "flex justify-end", Button { kind: Kind::Primary, submit: true, busy: run.busy(), id: "invite-go", {lang.t("Make the link", "生成链接")} } }
        }
    }
}

#[component]
fn RoleCard(role: Role, on: bool) -> Element {
    let lang = use_lang();
    let id = format!("role-{}", role.as_str());
    rsx! {
        label { r#for: "{id}", class: "p-3.5 rounded-xl border border-line cursor-pointer hover:bg-fill/60 has-checked:border-ink has-checked:ring-1 has-checked:ring-ink has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2",
            input { id: "{id}", r#type: "radio", name: "role", value: role.as_str(), class: "sr-only", initial_checked: on }
            Icon { i: role_icon(role), class: "size-4.5" }
            span { class: "block mt-2 font-medium", {role_name(lang, role)} }
            span { class: "block text-sm text-muted", {role_words(lang, role)} }
        }
    }
}
