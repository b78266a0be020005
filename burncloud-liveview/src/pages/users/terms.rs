//! A person's terms: role, group, limits; and the way out: a ban, which can be undone, and withdrawal, which cannot.

use super::words::{called, role_name};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::{UserEdit, UserPowers, UserView};
use burncloud_core::{Limits, Role, Status, UserId};
use dioxus::prelude::*;

#[component]
pub(super) fn Terms(view: UserView, over: UserPowers) -> Element {
    let lang = use_lang();
    if !over.change || view.user.status == Status::Revoked {
        return rsx! {};
    }
    let version = view.version.clone();
    rsx! {
        Section { id: "terms-title", title: lang.t("Terms", "条款"), class: "mt-10",
            Edit { key: "{version}", view: view.clone(), credit: over.credit }
        }
        if !over.roles.is_empty() {
            Section { id: "role-title", title: lang.t("Role", "角色"), class: "mt-10", RoleForm { key: "{version}", view: view.clone(), roles: over.roles.clone() } }
        }
        Section { id: "out-title", title: lang.t("The door", "去留"), class: "mt-10", Door { view } }
    }
}

fn number(lang: Lang, form: &Form, name: &str, field: &str) -> Result<Option<u64>, Fault> {
    let wrong = |_| {
        Fault::field(
            field,
            lang.t("Write a whole number, or nothing for no limit.", "请填写整数，留空为不限。"),
        )
    };
    form.some(name).map(|text| text.replace(',', "").parse().map_err(wrong)).transpose()
}

fn edit(lang: Lang, form: &Form, credit: bool) -> Result<UserEdit, Fault> {
    let limits = Limits {
        requests_per_minute: number(lang, form, "rpm", "limits.requests_per_minute")?,
        tokens_per_minute: number(lang, form, "tpm", "limits.tokens_per_minute")?,
        concurrency: number(lang, form, "concurrency", "limits.concurrency")?,
    };
    Ok(UserEdit {
        unlimited: credit.then(|| form.on("unlimited")),
        group: Some(form.some("group-of")),
        limits: Some(limits),
        ..UserEdit::default()
    })
}

#[component]
fn Edit(view: UserView, credit: bool) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let (id, version) = (view.user.id, view.version.clone());
    let mut run = use_act(move |cx, form: Form| {
        let version = version.clone();
        async move {
            let edit = edit(lang, &form, credit)?;
            cx.console
                .desk()
                .update_user(&cx.viewer.actor, id, edit, Some(&version))
                .await
                .map_err(Fault::from)
        }
    });
    let text = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let Limits { requests_per_minute, tokens_per_minute, concurrency } = view.user.limits;
    let limit = |field: &str| run.error(&format!("limits.{field}")).or_else(|| run.error(field));
    let (rpm, tpm, most) = (limit("requests_per_minute"), limit("tokens_per_minute"), limit("concurrency"));
    rsx! {
        form { class: "grid gap-4",
            onsubmit: move |event| run.then(Form::of(&event), move |_| toasts.show(Toast::done(lang.t("Saved", "已保存")))),
            Field { id: "group-of", label: lang.t("Group", "分组"), value: view.user.group.clone().unwrap_or_default(), error: run.error("group") }
            div { class: "grid sm:grid-cols-3 gap-4",
                Field { id: "rpm", label: lang.t("Requests a minute", "每分钟请求"), value: text(requests_per_minute), inputmode: "numeric", error: rpm }
                Field { id: "tpm", label: lang.t("Tokens a minute", "每分钟 token"), value: text(tokens_per_minute), inputmode: "numeric", error: tpm }
                Field { id: "concurrency", label: lang.t("At once", "同时请求"), value: text(concurrency), inputmode: "numeric", error: most }
            }
            if credit { Check { id: "unlimited", checked: view.user.unlimited, {lang.t("No limit to what they may owe", "不限额度，可一直欠费")} } }
            div { Button { small: true, submit: true, busy: run.busy(), id: "terms-go", {lang.t("Save", "保存")} } }
        }
    }
}

#[component]
fn RoleForm(view: UserView, roles: Vec<Role>) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let (id, old) = (view.user.id, view.user.role);
    let mut run = use_act(move |cx, role: Role| async move {
        cx.console.desk().set_role(&cx.viewer.actor, id, role, None).await
    });
    let mut choices = vec![Choice::new(old.as_str(), role_name(lang, old))];
    choices.extend(roles.iter().map(|role| Choice::new(role.as_str(), role_name(lang, *role))));
    rsx! {
        form { class: "flex flex-wrap items-end gap-3",
            onsubmit: move |event| {
                let Some(role) = Role::parse(&Form::of(&event).text("role-of")).filter(|role| *role != old) else { return };
                run.then(role, move |_| {
                    toasts.show(Toast::done(lang.t("They have another role, and sign in again", "角色已更改，对方需重新登录")).undo(move |cx| async move {
                        cx.console.desk().set_role(&cx.viewer.actor, id, old, None).await.map(|_| ())
                    }));
                });
            },
            div { class: "grow", Select { id: "role-of", label: lang.t("What they may do", "权限"), choices, value: old.as_str(), error: run.error("role") } }
            Button { submit: true, busy: run.busy(), id: "role-go", {lang.t("Change", "更改")} }
        }
    }
}

/// Says that somebody was banned or let in again, with the way back.
fn told(lang: Lang, id: UserId, banned: bool) -> Toast {
    let words = if banned {
        lang.t("Banned: their keys are refused", "已封禁，密钥不再可用")
    } else {
        lang.t("Let in again", "已解封")
    };
    Toast::done(words).undo(move |cx| async move {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let done = if banned {
            desk.unban_user(actor, id, None).await
        } else {
            desk.ban_user(actor, id, None).await
        };
        done.map(|_| ())
    })
}

#[component]
fn Door(view: UserView) -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let id = view.user.id;
    let banned = view.user.status == Status::Disabled;
    let icon = if banned { "icon-[lucide--undo-2]" } else { "icon-[lucide--ban]" };
    let mut turn = use_act(move |cx, ban: bool| async move {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        if ban { desk.ban_user(actor, id, None).await } else { desk.unban_user(actor, id, None).await }
    });
    rsx! {
        p { class: "text-muted text-pretty", {lang.t("Banned, they are signed out and their keys are refused. Withdrawn, they never come back; what they paid stays on record.", "封禁后立即退出，密钥被拒绝。注销后无法恢复，账目仍会保留。")} }
        div { class: "flex flex-wrap gap-2 mt-4",
            Button { small: true, id: "ban", busy: turn.busy(), kind: if banned { Kind::Quiet } else { Kind::Danger },
                icon,
                onclick: move |_| turn.then(!banned, move |_| toasts.show(told(lang, id, !banned))),
                if banned { {lang.t("Lift the ban", "解封")} } else { {lang.t("Ban", "封禁")} }
            }
            LinkButton { small: true, kind: Kind::Danger, href: here.with("do", "withdraw"), {lang.t("Withdraw for good", "永久注销")} }
        }
        if here.get("do").as_deref() == Some("withdraw") { Withdraw { view } }
    }
}

#[component]
fn Withdraw(view: UserView) -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let id = view.user.id;
    let mut run =
        use_act(
            move |cx, ()| async move { cx.console.desk().withdraw_user(&cx.viewer.actor, id, None).await },
        );
    let title = match lang {
        Lang::En => format!("Withdraw {}?", called(&view)),
        Lang::Zh => format!("注销{}？", called(&view)),
    };
    rsx! {
        Confirm { id: "withdraw", title, text: lang.t("Their keys and sessions end now, and nobody can bring them back.", "密钥和登录立即失效，且无法恢复。"),
            action: lang.t("Withdraw", "注销"), word: view.user.name.clone(), busy: run.busy(),
            onclose: move |()| super::close(here),
            onconfirm: move |()| run.then((), move |_| {
                toasts.show(Toast::done(lang.t("Withdrawn", "已注销")));
                super::close(here);
            }),
        }
    }
}
