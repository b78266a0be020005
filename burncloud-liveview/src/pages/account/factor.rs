//! The second factor of one's own account.

use crate::auth::qr;
use crate::kit::{Button, Copy, Field, Form, Kind, Toast, use_toasts};
use crate::lang::Lang;
use crate::live::{use_act, use_lang};
use burncloud_billing::desk::login::Own;
use dioxus::prelude::*;
use secrecy::{ExposeSecret, SecretString};

/// A second factor that is being taken: the picture, the text, and what the desk wants back.
#[derive(Clone, PartialEq)]
struct Offered {
    picture: String,
    secret: String,
    sealed: String,
}

#[component]
pub(super) fn Factor(own: Own) -> Element {
    let codes = use_signal(Vec::<String>::new);
    let shown = codes.read().clone();
    rsx! {
        if !shown.is_empty() { Codes { codes: shown } }
        match own.recovery {
            None => rsx! { Take { codes } },
            Some(left) => rsx! { Have { left, codes } },
        }
    }
}

#[component]
fn Codes(codes: Vec<String>) -> Element {
    let lang = use_lang();
    let all = codes.join("\n");
    rsx! {
        div { role: "status", class: "panel p-4 mb-6",
            p { class: "text-pretty mb-4",
                {lang.t("Keep these. Each opens once when your phone is gone, and they are shown only now.", "请保存。手机不在时每个可用一次，仅显示这一次。")}
            }
            ul { class: "grid grid-cols-2 gap-2 mono text-sm mb-4",
                for code in codes { li { key: "{code}", "{code}" } }
            }
            Copy { value: all }
        }
    }
}

#[component]
fn Take(codes: Signal<Vec<String>>) -> Element {
    let lang = use_lang();
    let mut offered = use_signal(|| None::<Offered>);
    let mut offer = use_act(|cx, ()| async move { cx.console.desk().offer_factor(&cx.viewer.actor).await });
    let mut take = use_act(|cx, (sealed, code): (String, String)| async move {
        cx.console.desk().take_factor(&cx.viewer.actor, &sealed, &code).await
    });
    let begin = move |_| {
        offer.then((), move |offer| {
            offered.set(Some(Offered {
                picture: qr(offer.uri.expose_secret()),
                secret: offer.secret.expose_secret().to_owned(),
                sealed: offer.sealed,
            }));
        });
    };
    let mut codes = codes;
    let Some(now) = offered.read().clone() else {
        return rsx! {
            p { class: "text-sm text-muted mb-4 text-pretty",
                {lang.t("A code from your phone besides the password.", "除密码外，还需手机上的验证码。")}
            }
            Button { icon: "icon-[lucide--shield-check]", busy: offer.busy(), onclick: begin, {lang.t("Set it up", "开启")} }
        };
    };
    let sealed = now.sealed.clone();
    rsx! {
        form { class: "grid gap-4 max-w-[22rem]",
            onsubmit: move |event| {
                let code = Form::of(&event).text("code");
                take.then((sealed.clone(), code), move |new| {
                    offered.set(None);
                    codes.set(new);
                });
            },
            img { src: "{now.picture}", alt: lang.t("The picture for your authenticator", "验证器二维码"), width: "200", height: "200", class: "rounded-xl bg-white p-2" }
            p { class: "mono text-sm break-all", "{now.secret}" }
            Field { id: "code", label: lang.t("What it shows now", "验证器上的六位数字"), inputmode: "numeric", autocomplete: "one-time-code",
                error: take.error("code"), required: true
            }
            div { Button { kind: Kind::Primary, submit: true, busy: take.busy(), {lang.t("Confirm", "确认")} } }
        }
    }
}

#[component]
fn Have(left: usize, codes: Signal<Vec<String>>) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut codes = codes;
    let mut renew = use_act(|cx, current: SecretString| async move {
        cx.console.desk().renew_recovery(&cx.viewer.actor, current).await
    });
    let mut drop_it = use_act(|cx, current: SecretString| async move {
        cx.console.desk().drop_factor(&cx.viewer.actor, current).await
    });
    let words = match lang {
        Lang::En => format!("On. {left} recovery codes are left."),
        Lang::Zh => format!("已开启，还剩 {left} 个恢复码。"),
    };
    rsx! {
        p { class: "text-sm text-muted mb-4", "{words}" }
        form { class: "grid gap-4 max-w-[22rem]",
            onsubmit: move |event| {
                let form = Form::of(&event);
                let current = SecretString::from(form.raw("factor-current").to_owned());
                if form.on("factor-off") {
                    drop_it.then(current, move |()| {
                        codes.set(Vec::new());
                        toasts.show(Toast::done(lang.t("The second factor is off.", "双重验证已关闭。")));
                    });
                } else {
                    renew.then(current, move |new| codes.set(new));
                }
            },
            Field { id: "factor-current", label: lang.t("Your password", "当前密码"), kind: "password", autocomplete: "current-password",
                error: renew.error("current").or_else(|| drop_it.error("current")), required: true
            }
            crate::kit::Check { id: "factor-off", {lang.t("Take the second factor away", "关闭双重验证")} }
            div { Button { submit: true, busy: renew.busy() || drop_it.busy(), {lang.t("New recovery codes, or off", "更换恢复码或关闭")} } }
        }
    }
}
