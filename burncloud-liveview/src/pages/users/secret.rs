//! One-time passwords: made here, shown once, changed at the next sign-in.

use super::close;
use super::words::called;
use crate::kit::*;
use crate::live::*;
use burncloud_billing::desk::UserView;
use burncloud_billing::desk::login::random;
use burncloud_core::UserId;
use dioxus::prelude::*;
use secrecy::{ExposeSecret, SecretString};

/// Crockford's base 32, small: none of them is taken for another.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Eighty random bits, in four groups.
pub(super) fn one_time() -> Result<SecretString, Fault> {
    let bytes: [u8; 16] = random()?;
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(SecretString::from(groups.join("-")))
}

/// What somebody signs in with, this once.
#[component]
pub(super) fn Shown(name: String, password: String) -> Element {
    let lang = use_lang();
    rsx! {
        div { class: "mt-4 grid gap-2",
            p { class: "text-sm text-muted text-pretty", {lang.t("Give them this. The password is shown only now, and they choose their own at the first sign-in.", "把它交给对方。密码只显示这一次，首次登录时需自行更改。")} }
            Line { label: lang.t("Signs in by", "登录名"), value: name, id: "one-time-login" }
            Line { label: lang.t("One-time password", "一次性密码"), value: password, id: "one-time-password" }
        }
    }
}

#[component]
fn Line(label: String, value: String, id: String) -> Element {
    rsx! {
        div {
            span { class: "label-text block", "{label}" }
            div { class: "flex items-center gap-2 rounded-xl bg-fill p-2 ps-4",
                code { id: "{id}", class: "mono truncate grow", "{value}" }
                Copy { value: value.clone(), label: label.clone() }
            }
        }
    }
}

/// A name and the password that goes with it.
type Given = (String, SecretString);

async fn give(cx: Cx, id: UserId, name: Option<String>) -> Result<Given, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let password = one_time()?;
    desk.set_password_of(actor, id, name.as_deref(), password.clone()).await?;
    let login = desk.user(actor, id).await?.login.unwrap_or_default();
    Ok((login, password))
}

#[component]
pub(super) fn Password(id: UserId) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let read = use_load(id, |cx, id| async move { cx.console.desk().user(&cx.viewer.actor, id).await });
    let body = match &*read.read() {
        None => rsx! { Loading { rows: 1, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(view)) => rsx! { Give { view: view.clone() } },
    };
    rsx! { Dialog { id: "one-time", title: lang.t("One-time password", "一次性密码"), onclose: move |()| close(here), {body} } }
}

#[component]
fn Give(view: UserView) -> Element {
    let lang = use_lang();
    let mut given = use_signal(|| None::<Given>);
    let id = view.user.id;
    let mut run = use_act(move |cx, name| give(cx, id, name));
    if let Some((name, password)) = given.read().clone() {
        return rsx! { Shown { name, password: password.expose_secret().to_owned() } };
    }
    let (who, login) = (called(&view), view.login.clone().unwrap_or_default());
    let new = view.login.is_none();
    rsx! {
        form { class: "grid gap-4",
            onsubmit: move |event| {
                let name = Form::of(&event).some("one-time-name");
                run.then(name, move |made| given.set(Some(made)));
            },
            p { class: "text-muted text-pretty",
                span { class: "text-ink font-medium", "{who}" }
                {lang.t(" is signed out everywhere, and their old password opens nothing any more.", " 将在所有地方退出，旧密码立即失效。")}
            }
            Field { id: "one-time-name", label: lang.t("Signs in by", "登录名"), value: login, required: new, error: run.error("login") }
            if let Some(error) = run.error("password") { p { role: "alert", class: "text-sm text-error", "{error}" } }
            div { class: "flex justify-end", Button { kind: Kind::Primary, submit: true, busy: run.busy(), id: "one-time-go", {lang.t("Make the password", "生成密码")} } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_billing::desk::login::check_password;

    #[test]
    fn a_one_time_password_is_taken_and_never_the_same() {
        let (a, b) = (one_time().unwrap(), one_time().unwrap());
        assert!(check_password(&a, &["mina"]).is_ok());
        assert_eq!(a.expose_secret().len(), 19);
        assert_ne!(a.expose_secret(), b.expose_secret());
    }
}
