//! Where one is signed in, and tokens for programs.

use crate::fmt::{ms, now};
use crate::kit::{Broken, Button, Copy, Field, Form, Kind, Loading, use_fmt};
use crate::live::{Loaded, use_act, use_conn, use_lang, use_load};
use burncloud_billing::desk::login::Place;
use dioxus::prelude::*;
use secrecy::ExposeSecret;

fn use_places() -> Loaded<Vec<Place>> {
    use_load((), |cx, ()| async move { cx.console.desk().own_sessions(&cx.viewer.actor).await })
}

#[component]
pub(super) fn Places() -> Element {
    let (lang, conn, places) = (use_lang(), use_conn(), use_places());
    let list = match &*places.read() {
        None => rsx! { Loading { rows: 2 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(all)) => rsx! {
            ul { class: "rows",
                for place in all.iter().filter(|place| place.token.is_none()).cloned() {
                    Row { key: "{place.id}", place }
                }
            }
        },
    };
    rsx! {
        {list}
        // A form of its own: it needs the cookie to know which one stays.
        form { method: "post", action: conn.href("/account/elsewhere"), class: "mt-4",
            input { r#type: "hidden", name: "csrf", value: "{conn.viewer.csrf}" }
            Button { kind: Kind::Danger, submit: true, {lang.t("Sign out everywhere else", "退出其他所有登录")} }
        }
    }
}

#[component]
fn Row(place: Place) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let mut end =
        use_act(|cx, id: String| async move { cx.console.desk().end_session(&cx.viewer.actor, &id).await });
    let session = &place.session;
    let (name, seen) = match &place.token {
        Some(token) => (token.clone(), f.ago(ms(session.seen_at), now())),
        None if session.agent.is_empty() => {
            (lang.t("A browser", "浏览器").to_owned(), f.ago(ms(session.seen_at), now()))
        }
        None => (session.agent.clone(), f.ago(ms(session.seen_at), now())),
    };
    let until = f.date(ms(session.expires_at), now());
    let id = place.id.clone();
    rsx! {
        li { class: "flex items-center gap-4 py-3",
            div { class: "min-w-0 grow",
                p { class: "truncate", title: "{name}", "{name}" }
                p { class: "text-sm text-muted num", "{session.ip} · {seen} · " {lang.t("until ", "至 ")} "{until}" }
            }
            Button { small: true, busy: end.busy(), onclick: move |_| end.run(id.clone()), {lang.t("End", "结束")} }
        }
    }
}

#[component]
pub(super) fn Tokens() -> Element {
    let (lang, places) = (use_lang(), use_places());
    let mut made = use_signal(|| None::<String>);
    let mut create = use_act(|cx, (name, days): (String, u32)| async move {
        cx.console.desk().create_token(&cx.viewer.actor, &name, days).await
    });
    let list = match &*places.read() {
        None => rsx! { Loading { rows: 1 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(all)) => rsx! {
            ul { class: "rows",
                for place in all.iter().filter(|place| place.token.is_some()).cloned() {
                    Row { key: "{place.id}", place }
                }
            }
        },
    };
    let shown = made.read().clone();
    rsx! {
        p { class: "text-sm text-muted mb-4 text-pretty",
            {lang.t("A token calls the management API and may do what you may.", "令牌可调用管理接口，权限与你相同。")}
        }
        if let Some(token) = shown {
            div { role: "status", class: "panel p-4 mb-4",
                p { class: "mb-4", {lang.t("Copy it now: it is not shown again.", "请立即复制，之后不再显示。")} }
                p { class: "flex items-center gap-2 mono text-sm break-all", "{token}" Copy { value: token.clone() } }
            }
        }
        {list}
        form { class: "flex flex-wrap items-end gap-3 mt-4",
            onsubmit: move |event| {
                let form = Form::of(&event);
                let days = form.text("days").parse().unwrap_or_default();
                create.then((form.text("token"), days), move |opened| {
                    made.set(Some(opened.secret.expose_secret().to_owned()));
                });
            },
            Field { id: "token", label: lang.t("What it is for", "用途"), error: create.error("name"), required: true }
            Field { id: "days", label: lang.t("Days it stands", "有效天数"), value: "90", inputmode: "numeric", error: create.error("days") }
            Button { submit: true, busy: create.busy(), {lang.t("Make a token", "创建令牌")} }
        }
    }
}
