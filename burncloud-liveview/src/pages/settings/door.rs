//! How people get in: registration, the second lock, how long a session lasts, a provider of identities.

use super::{Part, Setting};
use crate::kit::{Broken, Button, Choice, Field, Form, Kind, Loading, Select, Toast, Toggle, use_toasts};
use crate::live::{Fault, use_act, use_lang, use_load};
use burncloud_billing::desk::login::{AccessSettings, OidcSettings, SecretPlace};
use burncloud_core::Role;
use dioxus::prelude::*;

#[derive(Clone, PartialEq)]
struct Known {
    access: AccessSettings,
    tenants: Vec<String>,
    /// Whether the viewer may change who vouches for people.
    owner: bool,
}

#[component]
pub(super) fn FrontDoor() -> Element {
    let known = use_load((), |cx, ()| async move {
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let access = desk.access_for(actor).await?;
        let tenants = desk.tenants(actor).await?.into_iter().map(|view| view.tenant.name).collect();
        Ok::<_, Fault>(Known { access, tenants, owner: actor.role == Role::Owner })
    });
    let body = match &*known.read() {
        None => rsx! { Loading { rows: 3 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(known)) => rsx! { Doors { known: known.clone() } },
    };
    rsx! { Part { id: "door", {body} } }
}

#[component]
fn Doors(known: Known) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut save = use_act(|cx, next: AccessSettings| async move {
        cx.console.desk().set_access(&cx.viewer.actor, &next).await
    });
    let Known { access, tenants, owner } = known;
    let mut choices = vec![Choice::new("", lang.t("Nobody", "不允许"))];
    choices.extend(tenants.iter().map(|name| Choice::new(name.clone(), name.clone())));
    let before = access.clone();
    rsx! {
        form {
            onsubmit: move |event| {
                let next = typed(&Form::of(&event), &before, owner);
                save.then(next, move |()| toasts.show(Toast::done(lang.t("Saved.", "已保存。"))));
            },
            Setting { name: lang.t("Strangers may sign up", "允许陌生人注册"),
                means: lang.t("They become customers of this tenant. Nobody: only people you invite.", "他们会成为该租户的客户。不允许时只能受邀加入。"),
                div { class: "w-full sm:w-52",
                    Select { id: "registration", label: lang.t("Strangers may sign up", "允许陌生人注册"), hide_label: true, choices,
                        value: access.registration.clone().unwrap_or_default(), error: save.error("registration") }
                }
            }
            Setting { name: lang.t("Second lock for administrators", "管理员二次验证"),
                means: lang.t("A six-digit code besides the password.", "除密码外再输六位数字。"),
                Toggle { id: "second-lock", label: lang.t("Second lock for administrators", "管理员二次验证"),
                    on: access.require_totp_for_administrators }
            }
            Setting { name: lang.t("Sign out when idle", "闲置后退出"),
                div { class: "w-full sm:w-40",
                    Field { id: "idle_minutes", label: lang.t("Sign out when idle", "闲置后退出"), hide_label: true, inputmode: "numeric",
                        value: access.idle_minutes.to_string(), after: lang.t("minutes", "分钟"), error: save.error("idle_minutes") }
                }
            }
            Setting { name: lang.t("Sign out in any case", "到期退出"),
                div { class: "w-full sm:w-40",
                    Field { id: "absolute_days", label: lang.t("Sign out in any case", "到期退出"), hide_label: true, inputmode: "numeric",
                        value: access.absolute_days.to_string(), after: lang.t("days", "天"), error: save.error("absolute_days") }
                }
            }
            if owner { Oidc { oidc: access.oidc.clone(), issuer_error: save.error("issuer"), client_error: save.error("client_id"),
                secret_error: save.error("client_secret"), domains_error: save.error("domains") } }
            div { class: "flex justify-end py-4",
                Button { kind: Kind::Quiet, submit: true, busy: save.busy(), {lang.t("Save", "保存")} }
            }
        }
    }
}

#[component]
fn Oidc(
    oidc: Option<OidcSettings>,
    issuer_error: Option<String>,
    client_error: Option<String>,
    secret_error: Option<String>,
    domains_error: Option<String>,
) -> Element {
    let lang = use_lang();
    let oidc = oidc.unwrap_or_else(nobody);
    let secret = match &oidc.client_secret {
        Some(SecretPlace::Env(name)) => name.clone(),
        Some(SecretPlace::File(path)) => path.clone(),
        None => String::new(),
    };
    rsx! {
        details { class: "py-4", open: !oidc.issuer.is_empty(),
            summary { class: "font-medium", {lang.t("Sign in with your company's accounts", "用公司账号登录")} }
            p { class: "text-sm text-muted mt-0.5 mb-4 text-pretty",
                {lang.t("OpenID Connect. Empty issuer: off. Needs the address where browsers find the console.", "OpenID Connect。签发方留空即关闭，需先填写浏览器访问地址。")}
            }
            div { class: "grid sm:grid-cols-2 gap-4",
                Field { id: "issuer", label: lang.t("Issuer", "签发方"), value: oidc.issuer.clone(), placeholder: "https://id.example", error: issuer_error }
                Field { id: "client_id", label: lang.t("Client", "客户端编号"), value: oidc.client_id.clone(), error: client_error }
                Field { id: "client_secret", label: lang.t("Where the client's secret is", "客户端密钥的位置"), value: secret, error: secret_error,
                    hint: lang.t("A variable BURNCLOUD_OIDC_… or a file named burncloud-oidc…", "名为 BURNCLOUD_OIDC_… 的环境变量，或 burncloud-oidc… 文件") }
                Field { id: "domains", label: lang.t("Addresses that may come in", "允许的邮箱域名"), value: oidc.domains.join(", "), placeholder: "harbour.example", error: domains_error }
                Field { id: "create_in", label: lang.t("New people go to", "新人加入"), value: oidc.create_in.clone().unwrap_or_default(),
                    hint: lang.t("A tenant. Empty: only people who are known.", "填租户名；留空则只允许已有用户。") }
                Field { id: "button", label: lang.t("What the button says", "按钮文字"), value: oidc.button.clone() }
            }
        }
    }
}

fn nobody() -> OidcSettings {
    OidcSettings {
        issuer: String::new(),
        client_id: String::new(),
        client_secret: None,
        domains: Vec::new(),
        create_in: None,
        button: String::new(),
    }
}

/// What was typed. A number that is none becomes 0, which the check names.
fn typed(form: &Form, before: &AccessSettings, owner: bool) -> AccessSettings {
    let number = |name: &str| form.text(name).parse().unwrap_or(0);
    AccessSettings {
        idle_minutes: number("idle_minutes"),
        absolute_days: number("absolute_days"),
        require_totp_for_administrators: form.on("second-lock"),
        registration: form.some("registration"),
        oidc: if owner { typed_oidc(form) } else { before.oidc.clone() },
    }
}

fn typed_oidc(form: &Form) -> Option<OidcSettings> {
    let issuer = form.some("issuer")?;
    let place = |text: String| {
        if text.contains(['/', '\\', '.']) || text.starts_with("burncloud-oidc") {
            SecretPlace::File(text)
        } else {
            SecretPlace::Env(text)
        }
    };
    let domains = form.text("domains");
    let domains = domains.split([',', ' ', '\n']).map(str::trim).filter(|domain| !domain.is_empty());
    Some(OidcSettings {
        issuer,
        client_id: form.text("client_id"),
        client_secret: form.some("client_secret").map(place),
        domains: domains.map(str::to_owned).collect(),
        create_in: form.some("create_in"),
        button: form.text("button"),
    })
}
