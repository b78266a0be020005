//! What lies over a page. Each is open because it is drawn: whether it is, lives in the URL or in a signal. Esc and a
//! click beside it press its close button.

use super::{Icon, ToastStack, Toasts};
use crate::live::use_lang;
use dioxus::prelude::*;

#[component]
fn Over(id: String, place: &'static str, class: String, labelled: String, children: Element) -> Element {
    let lang = use_lang();
    let notices = use_hook(|| try_consume_context::<Toasts>().is_some());
    rsx! {
        x-dialog {
            dialog { id: "{id}", class: "modal {place}", "aria-labelledby": "{labelled}",
                div { class: "modal-box {class}", {children} }
                form { method: "dialog", class: "modal-backdrop",
                    button { "aria-label": lang.t("Close", "关闭"), tabindex: "-1" }
                }
                // The page behind is inert: its notices cannot be pressed there.
                if notices { ToastStack {} }
            }
        }
    }
}

#[component]
fn CloseButton(onclose: EventHandler<()>) -> Element {
    let lang = use_lang();
    rsx! {
        button { r#type: "button", "data-close": "1", class: "btn btn-ghost btn-sm btn-square -me-1.5",
            "aria-label": lang.t("Close", "关闭"), onclick: move |_| onclose.call(()),
            Icon { i: "icon-[lucide--x]" }
        }
    }
}

/// A dialog in the middle. `foot` has its buttons, the primary one last.
#[component]
pub fn Dialog(
    id: String,
    title: String,
    onclose: EventHandler<()>,
    #[props(default)] sub: Option<String>,
    #[props(default = "max-w-md w-full")] class: &'static str,
    #[props(default)] foot: Option<Element>,
    children: Element,
) -> Element {
    rsx! {
        Over { id: "{id}", place: "", class, labelled: "{id}-title",
            div { class: "px-6 pt-6 pb-5",
                div { class: "flex items-start justify-between gap-4",
                    h2 { id: "{id}-title", class: "text-xl font-semibold tracking-[-0.015em] zh:tracking-normal text-balance", "{title}" }
                    CloseButton { onclose }
                }
                if let Some(sub) = sub { p { class: "mt-2 text-muted text-pretty num", "{sub}" } }
                div { class: "mt-5", {children} }
            }
            if let Some(foot) = foot { div { class: "flex justify-end gap-2 px-6 py-4 border-t border-line", {foot} } }
        }
    }
}

/// A sheet at the right (from below on phones) with what a row holds. `bar` stands left of the close button; `head` is the
/// title with its fact in `strong`.
#[component]
pub fn Drawer(
    id: String,
    title: String,
    onclose: EventHandler<()>,
    #[props(default)] head: Option<Element>,
    #[props(default)] bar: Option<Element>,
    #[props(default)] foot: Option<Element>,
    #[props(default = "max-w-[36rem]")] class: &'static str,
    children: Element,
) -> Element {
    rsx! {
        Over { id: "{id}", place: "modal-end max-sm:modal-bottom", labelled: "{id}-title",
            class: "side-in w-full {class} h-dvh max-h-dvh! rounded-none border-y-0 border-e-0 max-sm:h-[92dvh] max-sm:rounded-t-2xl flex flex-col",
            div { class: "flex items-center gap-2 px-6 h-14 border-b border-line shrink-0",
                if let Some(bar) = bar { {bar} }
                span { class: "ms-auto flex items-center", CloseButton { onclose } }
            }
            div { class: "overflow-y-auto px-6 py-6 grow",
                h2 { id: "{id}-title", tabindex: "-1", autofocus: true, class: "headline headline-sm",
                    if let Some(head) = head { {head} } else { "{title}" }
                }
                {children}
            }
            if let Some(foot) = foot { div { class: "flex items-center gap-2 px-6 py-4 border-t border-line shrink-0", {foot} } }
        }
    }
}

/// Asks before something that cannot be undone. With a `word`, it has to be typed first.
#[component]
pub fn Confirm(
    id: String,
    title: String,
    text: String,
    /// What the button says: a verb.
    action: String,
    onclose: EventHandler<()>,
    onconfirm: EventHandler<()>,
    #[props(default)] keep: Option<String>,
    #[props(default)] word: Option<String>,
    #[props(default)] busy: bool,
) -> Element {
    let lang = use_lang();
    let mut typed = use_signal(String::new);
    let ready = word.as_ref().is_none_or(|word| typed.read().trim() == word);
    let keep = keep.unwrap_or_else(|| lang.t("Keep it", "保留").to_owned());
    rsx! {
        Over { id: "{id}", place: "", class: "max-w-[26rem] w-full", labelled: "{id}-title",
            form { onsubmit: move |_| if ready && !busy { onconfirm.call(()) },
                div { class: "px-6 pt-6 pb-5",
                    h2 { id: "{id}-title", class: "text-xl font-semibold tracking-[-0.015em] zh:tracking-normal text-balance", "{title}" }
                    p { class: "mt-2 text-muted text-pretty num", "{text}" }
                    if let Some(word) = &word {
                        label { class: "block mt-5", r#for: "{id}-word",
                            span { class: "label-text block",
                                {lang.t("Type ", "输入 ")}
                                code { class: "mono select-all", "{word}" }
                                {lang.t(" to go on", " 继续")}
                            }
                        }
                        input { id: "{id}-word", class: "input w-full mono", autofocus: true, autocomplete: "off", spellcheck: "false",
                            placeholder: "{word}", oninput: move |event| typed.set(event.value()),
                        }
                    }
                }
                div { class: "flex justify-end gap-2 px-6 py-4 border-t border-line",
                    button { r#type: "button", "data-close": "1", class: "btn btn-quiet", onclick: move |_| onclose.call(()), "{keep}" }
                    button { r#type: "submit", class: "btn btn-error", disabled: !ready || busy,
                        if busy { span { class: "loading loading-spinner size-4" } }
                        "{action}"
                    }
                }
            }
        }
    }
}
