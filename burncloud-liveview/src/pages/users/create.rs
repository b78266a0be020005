//! A new user, a new tenant.

use super::secret::{Shown, one_time};
use super::words::{places, role_name};
use super::{close, dialog_href};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::{Powers, TenantDraft, UserDraft};
use burncloud_core::{Role, TenantId, UserId};
use dioxus::prelude::*;
use secrecy::{ExposeSecret, SecretString};

/// A user who was just made.
#[derive(Clone)]
struct Made {
    id: UserId,
    name: String,
    /// What they type to sign in, and their one-time password, or why they cannot sign in.
    login: Option<Result<(String, SecretString), String>>,
}

async fn make(cx: Cx, form: Form) -> Result<Made, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let draft = UserDraft {
        name: form.text("user-name"),
        tenant: form.text("user-tenant").parse().ok().map(TenantId),
        role: Role::parse(&form.text("user-role")).unwrap_or_default(),
        unlimited: form.on("user-unlimited"),
        group: form.some("user-group"),
        ..UserDraft::default()
    };
    let made = desk.create_user(actor, draft).await?.user;
    let login = match form.some("user-login") {
        None => None,
        Some(name) => {
            let password = one_time()?;
            let set = desk.set_password_of(actor, made.id, Some(&name), password.clone()).await;
            // They are made by now: what failed beside that is said, not thrown.
            Some(set.map(|()| (name, password)).map_err(|error| Fault::from(error).text))
        }
    };
    Ok(Made { id: made.id, name: made.name, login })
}

fn use_powers() -> Loaded<Vec<Powers>> {
    use_load((), |cx, ()| async move { cx.console.desk().powers(&cx.viewer.actor).await })
}

#[component]
pub(super) fn NewUser() -> Element {
    let (lang, here) = (use_lang(), use_here());
    let powers = use_powers();
    let made = use_signal(|| None::<Made>);
    let done = made.read().clone();
    let body = match (&*powers.read(), done) {
        (_, Some(done)) => rsx! { Outcome { made: done.name.clone(), id: done.id, login: shown(&done) } },
        (None, _) => rsx! { Loading { rows: 3, headline: false } },
        (Some(Err(fault)), _) => rsx! { Broken { fault: fault.clone() } },
        (Some(Ok(powers)), None) => rsx! { UserForm { powers: powers.clone(), made } },
    };
    rsx! { Dialog { id: "new-user", title: lang.t("New user", "新建用户"), onclose: move |()| close(here), {body} } }
}

fn shown(made: &Made) -> Option<Result<(String, String), String>> {
    let login = made.login.clone()?;
    Some(login.map(|(name, password)| (name, password.expose_secret().to_owned())))
}

/// What came of it.
#[component]
fn Outcome(made: String, id: UserId, login: Option<Result<(String, String), String>>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    rsx! {
        p { role: "status", class: "font-medium",
            match lang {
                Lang::En => rsx! { "{made} is made." },
                Lang::Zh => rsx! { "已创建{made}。" },
            }
        }
        match login {
            None => rsx! {},
            Some(Ok((name, password))) => rsx! { Shown { name, password } },
            Some(Err(why)) => rsx! { p { role: "alert", class: "mt-2 text-sm text-error", {lang.t("They cannot sign in yet: ", "还不能登录：")} "{why}" } },
        }
        div { class: "flex justify-end gap-2 mt-6",
            LinkButton { href: here.href(&Place::at(["users".to_owned(), id.to_string()])), {lang.t("Open", "打开")} }
            LinkButton { kind: Kind::Primary, href: dialog_href(&here, "topup", &format!("u{id}")), {lang.t("Top up", "充值")} }
        }
    }
}

/// Where one may make users, and which roles they may have there.
#[component]
fn UserForm(powers: Vec<Powers>, made: Signal<Option<Made>>) -> Element {
    let (lang, conn, mut made) = (use_lang(), use_conn(), made);
    let mut run = use_act(make);
    let manage: Vec<Powers> = powers.iter().filter(|at| at.manage).cloned().collect();
    let own = manage.iter().find(|at| at.tenant == conn.viewer.actor.tenant).or(manage.first());
    let mut tenant = use_signal(|| own.map(|at| at.tenant).unwrap_or_default());
    let at = manage.iter().find(|at| at.tenant == tenant()).cloned().unwrap_or_default();
    let roles: Vec<Choice> =
        at.roles.iter().map(|role| Choice::new(role.as_str(), role_name(lang, *role))).collect();
    let choices = places(&powers, |at| at.manage);
    rsx! {
        form { class: "grid gap-4",
            onsubmit: move |event| run.then(Form::of(&event), move |user| made.set(Some(user))),
            Field { id: "user-name", label: lang.t("Name", "名称"), required: true, autofocus: true, error: run.error("name") }
            Field { id: "user-login", label: lang.t("Signs in by", "登录名"), error: run.error("login"),
                hint: lang.t("An address or a word. Leave it empty for somebody who only calls with keys.", "邮箱或一个词。只用密钥调用的用户可留空。").to_owned()
            }
            if choices.len() > 1 {
                Select { id: "user-tenant", label: lang.t("Belongs to", "所属租户"), choices, value: tenant().to_string(), error: run.error("tenant"),
                    onchange: move |id: String| tenant.set(TenantId(id.parse().unwrap_or_default())),
                }
            } else {
                input { r#type: "hidden", id: "user-tenant", name: "user-tenant", value: "{tenant}" }
            }
            for of in [tenant()] {
                div { key: "{of}", Select { id: "user-role", label: lang.t("Role", "角色"), choices: roles.clone(), value: Role::EndUser.as_str(), error: run.error("role") } }
            }
            Field { id: "user-group", label: lang.t("Group", "分组"), error: run.error("group"), hint: lang.t("Has a ratio of its own in the price book.", "在价目表里有自己的倍率。").to_owned() }
            if at.credit {
                Check { id: "user-unlimited", {lang.t("No limit to what they may owe", "不限额度，可一直欠费")} }
            }
            div { class: "flex justify-end", Button { kind: Kind::Primary, submit: true, busy: run.busy(), id: "new-user-go", {lang.t("Make the user", "创建用户")} } }
        }
    }
}

async fn found(cx: Cx, form: Form) -> Result<TenantId, Fault> {
    let draft = TenantDraft {
        name: form.text("tenant-name"),
        parent: form.text("tenant-parent").parse().ok().map(TenantId),
        group: form.some("tenant-group"),
        unlimited: form.on("tenant-unlimited"),
        time_zone: form.text("tenant-zone"),
        ..TenantDraft::default()
    };
    Ok(cx.console.desk().create_tenant(&cx.viewer.actor, draft).await?.tenant.id)
}

#[component]
pub(super) fn NewTenant() -> Element {
    let (lang, here) = (use_lang(), use_here());
    let powers = use_powers();
    let body = match &*powers.read() {
        None => rsx! { Loading { rows: 3, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(powers)) => rsx! { TenantForm { powers: powers.clone() } },
    };
    rsx! {
        Dialog { id: "new-tenant", title: lang.t("New tenant", "新建租户"), onclose: move |()| close(here),
            sub: lang.t("It buys from the one above it, and sells to its own users at its own prices.", "它向上级进货，再按自己的价格卖给自己的用户。").to_owned(),
            {body}
        }
    }
}

#[component]
fn TenantForm(powers: Vec<Powers>) -> Element {
    let (lang, conn, mut here) = (use_lang(), use_conn(), use_here());
    let mut run = use_act(found);
    let choices = places(&powers, |at| at.found);
    let own = powers.iter().filter(|at| at.found).find(|at| at.tenant == conn.viewer.actor.tenant);
    let value =
        own.map(|at| at.tenant.to_string()).or_else(|| choices.first().map(|choice| choice.value.clone()));
    rsx! {
        form { class: "grid gap-4",
            onsubmit: move |event| run.then(Form::of(&event), move |id| {
                let place = here.place().with("do", "invite").with("who", format!("t{id}")).with("role", Role::Reseller.as_str());
                here.replace(place);
            }),
            Field { id: "tenant-name", label: lang.t("Name", "名称"), required: true, autofocus: true, error: run.error("name") }
            Select { id: "tenant-parent", label: lang.t("Buys from", "进货自"), choices, value: value.unwrap_or_default(), error: run.error("parent") }
            Field { id: "tenant-group", label: lang.t("Group", "分组"), error: run.error("group"), hint: lang.t("Its ratio in the price book of whom it buys from.", "决定它在上级价目表里的倍率。").to_owned() }
            Field { id: "tenant-zone", label: lang.t("Time zone", "时区"), placeholder: "Asia/Shanghai", error: run.error("time_zone"), hint: lang.t("By whose clock its months begin. Empty is UTC.", "它的月份按此时区起算，留空为 UTC。").to_owned() }
            Check { id: "tenant-unlimited", {lang.t("No limit to what it may owe", "不限额度，可一直欠费")} }
            div { class: "flex justify-end", Button { kind: Kind::Primary, submit: true, busy: run.busy(), id: "new-tenant-go", {lang.t("Make it, then invite its reseller", "创建并邀请分销商")} } }
        }
    }
}
