//! Where the account is.

use super::super::providers::{COMPATIBLE, ProviderTile, choices, name};
use super::{Frame, at};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use dioxus::prelude::*;

#[component]
pub(super) fn ChooseProvider() -> Element {
    let (lang, conn, mut here) = (use_lang(), use_conn(), use_here());
    let mut query = use_signal(String::new);
    let mut missing = use_signal(|| false);
    let registry = conn.console.desk().registry();
    let (all, shown) = (choices(registry, "").len(), choices(registry, &query.read()));
    let find = match lang {
        Lang::En => format!("Search {all} providers"),
        Lang::Zh => format!("搜索 {all} 个平台"),
    };
    let chosen = here.get("provider");
    rsx! {
        Frame { n: 1, title: lang.t("Where is the account?", "账号在哪个平台？"),
            onsubmit: move |form: Form| match form.some("provider") {
                Some(provider) => here.go(at(&provider)),
                None => missing.set(true),
            },
            foot: rsx! {
                span {}
                Button { kind: Kind::Primary, submit: true, id: "add-next", {lang.t("Continue", "继续")} }
            },
            Field { id: "provider-q", kind: "search", label: find.clone(), placeholder: find, hide_label: true, autofocus: true, debounce: 150,
                oninput: move |event: FormEvent| query.set(event.value()),
            }
            div { class: "grid grid-cols-2 sm:grid-cols-3 gap-2 mt-3", role: "radiogroup", "aria-label": lang.t("Provider", "平台"),
                for id in shown.clone() {
                    label { key: "{id}",
                        class: "flex items-center gap-3 p-3 rounded-xl border border-line cursor-pointer hover:bg-fill/60 has-checked:border-ink has-checked:ring-1 has-checked:ring-ink has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2",
                        input { id: "provider-{id}", r#type: "radio", name: "provider", value: "{id}", class: "sr-only",
                            initial_checked: chosen.as_deref() == Some(id.as_str()) || shown.len() == 1,
                        }
                        ProviderTile { id: id.clone() }
                        span { class: "font-medium truncate", title: "{name(&id)}", {name(&id)} }
                    }
                }
            }
            if shown.is_empty() {
                p { class: "mt-4 text-muted", {lang.t("No provider is called that.", "没有这个名字的平台。")} }
            }
            if missing() {
                p { class: "mt-3 text-sm text-error", role: "alert", {lang.t("Choose a provider first.", "先选一个平台。")} }
            }
            p { class: "mt-4 text-sm text-muted",
                {lang.t("Something else? Use any ", "不在列表里？填一个")}
                a { class: "link", href: here.href(&at(COMPATIBLE)), {lang.t("compatible address", "兼容地址")} }
                {lang.t(".", "。")}
            }
        }
    }
}
