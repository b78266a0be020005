//! The account is there: what to do next.

use super::super::data::Account;
use super::super::home;
use super::Draft;
use crate::fmt;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use dioxus::prelude::*;

#[component]
pub(super) fn Done(account: Option<Account>, draft: Signal<Option<Draft>>) -> Element {
    let (lang, conn, mut here) = (use_lang(), use_conn(), use_here());
    // The credential is not needed any more.
    let mut draft = draft;
    let took =
        use_hook(move || draft.write().take().and_then(|draft| draft.found).map(|found| found.took_us));
    let Some(account) = account else { return rsx! {} };
    let (name, weight) = (account.view.name.clone(), account.view.weight);
    let title = match lang {
        Lang::En => format!("{name} is live"),
        Lang::Zh => format!("{name} 已上线"),
    };
    let answered = took.map(|us| match lang {
        Lang::En => format!("The provider answered in {}. ", fmt::micros(us)),
        Lang::Zh => format!("平台在 {} 内应答。", fmt::micros(us)),
    });
    let share = match lang {
        Lang::En => format!("It takes a share of {weight} from now on."),
        Lang::Zh => format!("从现在起分担 {weight} 份流量。"),
    };
    let model = account.names().next().map(str::to_owned).unwrap_or_default();
    rsx! {
        x-dialog {
            dialog { id: "add", class: "modal", "aria-labelledby": "add-title",
                div { class: "modal-box max-w-md w-full text-center",
                    div { class: "px-8 pt-10 pb-8",
                        span { class: "relative inline-grid place-items-center size-16",
                            span { class: "absolute inset-0 rounded-full bg-success/10" }
                            span { class: "absolute inset-2 rounded-full bg-success/15" }
                            Icon { i: "icon-[lucide--check]", class: "size-7 text-success relative" }
                        }
                        h2 { id: "add-title", class: "mt-5 text-xl font-semibold tracking-[-0.015em] zh:tracking-normal wrap-anywhere", "{title}" }
                        p { class: "mt-1.5 text-muted num", {answered} "{share}" }
                        p { class: "mt-3 text-sm text-muted",
                            {lang.t("A first request: hand out a key and ask for ", "第一个请求：发一把密钥，请求 ")}
                            code { class: "mono wrap-anywhere", "{model}" }
                            {lang.t(", or try it here.", "，也可以直接试玩。")}
                        }
                        div { class: "mt-7 grid gap-2",
                            a { class: "btn btn-primary", autofocus: true, href: conn.href("/access/new"), {lang.t("Hand out a key", "发一把密钥")} }
                            a { class: "btn btn-quiet", href: here.href(&Place::at(["playground"]).with("model", &model)), {lang.t("Try it in the playground", "试玩一下")} }
                            button { r#type: "button", "data-close": "1", class: "btn btn-ghost", onclick: move |_| here.go(home()), {lang.t("Done", "完成")} }
                        }
                    }
                }
                form { method: "dialog", class: "modal-backdrop", button { "aria-label": lang.t("Close", "关闭"), tabindex: "-1" } }
            }
        }
    }
}
