//! A secret that was just made, shown once.

use super::snippets::Snippets;
use crate::kit::{Copy, Icon};
use crate::live::{Conn, use_conn, use_lang};
use dioxus::prelude::*;

/// A key that was just made or rotated. It does not show its secret but on the page.
#[derive(Clone, PartialEq)]
pub(super) struct Made {
    pub(super) secret: String,
    /// A model that it opens; empty where none is served.
    pub(super) model: String,
    /// What did not work beside it.
    pub(super) note: Option<String>,
}

/// Where callers find the gateway, as far as the page knows.
pub(super) fn base(conn: &Conn) -> String {
    if conn.origin.is_empty() { "https://YOUR-GATEWAY".to_owned() } else { conn.origin.clone() }
}

/// A model for an example: the first that the key opens and that is served.
pub(super) fn example(models: Option<&[String]>, served: &[String]) -> String {
    let opened = |name: &&String| models.is_none_or(|models| models.contains(name));
    let first = models.and_then(<[String]>::first);
    served.iter().find(opened).or(first).cloned().unwrap_or_else(|| "MODEL".to_owned())
}

/// Stays until somebody says that they have it.
#[component]
pub(super) fn Shown(made: Made, onclose: EventHandler<()>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let mut saved = use_signal(|| false);
    let Made { secret, model, note } = made;
    rsx! {
        x-dialog {
            dialog { id: "shown", class: "modal", "aria-labelledby": "shown-title",
                div { class: "modal-box max-w-lg w-full",
                    div { class: "px-6 pt-8 pb-6",
                        span { class: "grid place-items-center size-12 rounded-xl bg-fill", Icon { i: "icon-[lucide--key-round]", class: "size-5.5" } }
                        h2 { id: "shown-title", class: "mt-5 text-xl font-semibold tracking-[-0.015em] zh:tracking-normal", {lang.t("Copy it now", "现在就复制")} }
                        p { class: "mt-1 text-muted text-pretty",
                            {lang.t("You see this key only once. We keep a fingerprint, not the key.", "这把密钥只显示一次。我们只存指纹，不存密钥。")}
                        }
                        if let Some(note) = note {
                            p { role: "alert", class: "mt-3 text-sm text-error text-pretty",
                                {lang.t("The key is made, but without its budget: ", "密钥已生成，但预算没有设上：")}
                                "{note}"
                            }
                        }
                        div { class: "mt-5 rounded-xl bg-fill p-4",
                            code { id: "shown-secret", class: "mono text-[0.9375rem]! leading-6 break-all select-all", "{secret}" }
                        }
                        div { class: "mt-3",
                            Copy { value: secret.clone(), label: lang.t("Copy key", "复制密钥"), class: "btn btn-primary w-full", {lang.t("Copy key", "复制密钥")} }
                        }
                        details { class: "mt-5 group",
                            summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded",
                                Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                                {lang.t("How to use it", "怎么用")}
                            }
                            div { class: "mt-3", Snippets { base: base(&conn), secret: secret.clone(), model } }
                        }
                    }
                    div { class: "flex items-center justify-between gap-3 px-6 py-4 border-t border-line",
                        label { class: "flex items-center gap-2.5 text-sm cursor-pointer", r#for: "shown-saved",
                            input { id: "shown-saved", r#type: "checkbox", class: "checkbox", onchange: move |event| saved.set(event.checked()) }
                            {lang.t("I saved it", "我已保存")}
                        }
                        button { r#type: "button", "data-close": "1", class: "btn btn-quiet", disabled: !saved(), onclick: move |_| onclose.call(()),
                            {lang.t("Done", "完成")}
                        }
                    }
                }
            }
        }
    }
}
