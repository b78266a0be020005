//! One's own account: what one is called, the password, the second factor, where one is signed in, tokens.

mod factor;
mod places;

use crate::kit::{Broken, Button, Field, Headline, Kind, Loading, Section, Toast, use_toasts};
use crate::lang::Lang;
use crate::live::{Fault, use_act, use_conn, use_lang, use_load};
use burncloud_billing::desk::login::{Own, SHORTEST};
use dioxus::prelude::*;

#[component]
pub(crate) fn Account() -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let acting = conn.viewer.acting.is_some();
    let own = use_load((), move |cx, ()| async move {
        if acting {
            return Ok::<_, Fault>(None);
        }
        Ok(Some(cx.console.desk().own(&cx.viewer.actor).await?))
    });
    let body = match &*own.read() {
        None => rsx! { Loading { rows: 6 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(None)) => rsx! { Theirs {} },
        Some(Ok(Some(own))) => rsx! { Mine { own: own.clone() } },
    };
    rsx! {
        Headline { strong { "{conn.viewer.name}" } {lang.t(" is signed in here.", " 已在这里登录。")} }
        {body}
    }
}

/// What whoever acts as somebody else sees: nothing of theirs.
#[component]
fn Theirs() -> Element {
    let lang = use_lang();
    rsx! {
        p { class: "text-muted text-pretty",
            {lang.t("How somebody signs in is theirs alone. Go back to yourself to see your own.", "登录方式只属于本人。回到本人身份后可查看自己的设置。")}
        }
    }
}

#[component]
fn Mine(own: Own) -> Element {
    let lang = use_lang();
    rsx! {
        Name { own: own.clone() }
        Section { id: "password-title", title: lang.t("Password", "密码"), Password { has: own.password } }
        Section { id: "factor-title", title: lang.t("Second factor", "双重验证"), factor::Factor { own: own.clone() } }
        Section { id: "places-title", title: lang.t("Signed in", "登录位置"), places::Places {} }
        Section { id: "tokens-title", title: lang.t("Tokens for programs", "程序令牌"), places::Tokens {} }
    }
}

#[component]
fn Name(own: Own) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut rename = use_act(|cx, display: String| async move {
        cx.console.desk().set_display(&cx.viewer.actor, &display).await
    });
    rsx! {
        Section { id: "name-title", title: lang.t("Name", "名字"), class: "mt-2",
            p { class: "text-sm text-muted mb-4", {lang.t("You sign in by ", "登录名：")} span { class: "text-ink", "{own.name}" } }
            form { class: "flex flex-wrap items-end gap-3",
                onsubmit: move |event| {
                    let display = crate::kit::Form::of(&event).text("display");
                    rename.then(display, move |()| toasts.show(Toast::done(lang.t("Changed. Pages opened from now on show it.", "已修改，新打开的页面会显示。"))));
                },
                Field { id: "display", label: lang.t("What you are called", "显示名称"), value: own.display.clone(), autocomplete: "name",
                    error: rename.error("display")
                }
                Button { submit: true, busy: rename.busy(), {lang.t("Save", "保存")} }
            }
        }
    }
}

/// A form of its own: the answer is another cookie.
#[component]
fn Password(has: bool) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let hint = match lang {
        Lang::En => format!(
            "At least {SHORTEST} characters. Everything else that is signed in is signed out, tokens too."
        ),
        Lang::Zh => format!("至少 {SHORTEST} 个字符。其他登录和令牌都会失效。"),
    };
    rsx! {
        form { method: "post", action: conn.href("/account/password"), class: "grid gap-4 max-w-[22rem]",
            input { r#type: "hidden", name: "csrf", value: "{conn.viewer.csrf}" }
            if has {
                Field { id: "current", label: lang.t("Your password", "当前密码"), kind: "password", autocomplete: "current-password", required: true }
            }
            Field { id: "password", label: lang.t("New password", "新密码"), kind: "password", autocomplete: "new-password", required: true, hint }
            div { Button { kind: Kind::Quiet, submit: true, {lang.t("Change the password", "修改密码")} } }
        }
    }
}
