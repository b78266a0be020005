//! Where somebody writes, and attaches pictures.

use super::attach::{Attached, Faults, MOST, Pictures, Tray};
use super::speech::Words;
use crate::held::{PICTURE, TEXT};
use crate::kit::{Form, Icon};
use crate::live::{use_conn, use_lang};
use crate::web::{PICTURES, TEXTS};
use dioxus::prelude::*;

/// The longest message that goes by the socket, in bytes: a frame has its whole form.
const INLINE: usize = 32 << 10;

/// Where somebody writes. `onsend` gets what they wrote and attached.
#[component]
pub(super) fn Composer(
    /// What stands there at first; `nonce` tells one from the next.
    text: String,
    nonce: u64,
    hint: String,
    busy: bool,
    #[props(default)] disabled: bool,
    attached: Attached,
    onsend: EventHandler<Words>,
    onstop: EventHandler<()>,
) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let mut attached = attached;
    let mut send = move |words: Words| {
        if !busy
            && !disabled
            && let Some(words) = attached.with(words)
        {
            onsend.call(words);
        }
    };
    let told = {
        let conn = conn.clone();
        move |event: FormEvent| {
            if let Some(words) = attached.told(&conn, &event.value()) {
                send(words);
            }
        }
    };
    rsx! {
        // Pictures and what is too long for the socket go by POST; the socket has their ids.
        x-upload { "data-pictures": conn.href(PICTURES), "data-texts": conn.href(TEXTS), "data-csrf": "{conn.viewer.csrf}",
            "data-most": "{MOST}", "data-largest": "{PICTURE}", "data-inline": "{INLINE}", "data-longest": "{TEXT}",
            "data-into": "play-attached", "data-news": "play-news",
            Faults { attached }
            Tray { attached }
            input { id: "play-news", r#type: "hidden", "data-forget": "1", oninput: told }
            x-send {
                form { id: "play-form", class: "block rounded-2xl border border-line bg-raised shadow-shade focus-within:border-accent focus-within:ring-1 focus-within:ring-accent",
                    onsubmit: move |event| send(Form::of(&event).text("prompt").as_str().into()),
                    input { r#type: "hidden", name: "prompt" }
                    Pictures { attached }
                    for nonce in [nonce] {
                        textarea { key: "{nonce}", id: "play-prompt", rows: "1", initial_value: "{text}", "data-quiet": "1",
                            class: "block w-full resize-none bg-transparent px-4 pt-3.5 pb-1 outline-none placeholder:text-faint field-sizing-content max-h-60 min-h-11",
                            placeholder: "{hint}", "aria-label": lang.t("Message", "消息"),
                        }
                    }
                    Foot { busy, disabled, onstop }
                }
            }
        }
    }
}

/// What stands below the text: the ways to attach, to send, to stop.
#[component]
fn Foot(busy: bool, disabled: bool, onstop: EventHandler<()>) -> Element {
    let lang = use_lang();
    rsx! {
        div { class: "flex items-center gap-1 px-2.5 pb-2.5",
            Attach {}
            span { class: "ms-auto text-xs text-faint max-sm:hidden",
                if !busy { {lang.t("Enter to send", "回车发送")} }
            }
            if busy {
                button { id: "play-stop", r#type: "button", class: "btn btn-primary btn-sm btn-square ms-2 max-sm:ms-auto",
                    "aria-label": lang.t("Stop", "停止"), onclick: move |_| onstop.call(()),
                    span { class: "size-2.5 rounded-[2px] bg-current", "aria-hidden": "true" }
                }
            } else {
                button { id: "play-send", r#type: "submit", class: "btn btn-primary btn-sm btn-square ms-2 max-sm:ms-auto", disabled,
                    "aria-label": lang.t("Send", "发送"),
                    Icon { i: "icon-[lucide--arrow-up]" }
                }
            }
        }
    }
}

/// The button for pictures, and that they are on their way.
#[component]
fn Attach() -> Element {
    let lang = use_lang();
    rsx! {
        input { id: "play-file", r#type: "file", hidden: true, multiple: true, accept: "image/png,image/jpeg,image/webp,image/gif", "data-quiet": "1",
            "aria-label": lang.t("Pictures", "图片"),
        }
        button { id: "play-attach", r#type: "button", "data-pick": "1", class: "btn btn-ghost btn-sm btn-square",
            title: lang.t("Add pictures: choose, paste or drop them", "添加图片：选择、粘贴或拖入"), "aria-label": lang.t("Add a picture", "添加图片"),
            Icon { i: "icon-[lucide--image-plus]" }
        }
        span { class: "upload-wait items-center gap-2 text-xs text-muted", role: "status",
            span { class: "loading loading-spinner size-3.5", "aria-hidden": "true" }
            {lang.t("On its way", "上传中")}
        }
    }
}
