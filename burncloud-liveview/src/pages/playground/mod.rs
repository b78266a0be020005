//! Real requests through the gateway in this process, with a real receipt: a conversation, or one question to two models.

mod arena;
mod attach;
mod chat;
mod composer;
mod dials;
mod heard;
mod run;
mod slip;
mod speech;
mod talk;
mod terms;
#[cfg(test)]
mod tests;
mod wire;
mod words;

use crate::kit::{Broken, Empty, Loading, Tab, Tabs, Tile};
use crate::live::{Place, use_conn, use_here, use_lang, use_load};
use crate::pages::{PageId, page};
use attach::{Attached, use_attached};
use burncloud_billing::desk::KeyView;
use dioxus::prelude::*;
use std::rc::Rc;
use talk::{Talk, use_talk};
use terms::Chosen;

/// What is chosen and is not in the URL: prompts belong into no log of addresses.
#[derive(Clone, Copy, PartialEq)]
struct Typed {
    system: Signal<String>,
    tools: Signal<String>,
}

/// What the parts of the page share.
#[derive(Clone, Copy, PartialEq)]
struct Room {
    chat: Talk,
    left: Talk,
    right: Talk,
    typed: Typed,
    attached: Attached,
}

#[component]
pub(crate) fn Playground() -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let mut keys = use_load((), |cx, ()| async move { cx.console.desk().trial_keys(&cx.viewer.actor).await });
    let name = page(PageId::Playground).map_or("", |page| page.name(lang));
    if conn.console.gateway().is_none() {
        return rsx! {
            h1 { class: "sr-only", "{name}" }
            Empty { icon: "icon-[lucide--plug]", text: lang.t("There is no gateway in this process to talk to.", "这个进程里没有网关可以对话。") }
        };
    }
    let read = keys.read();
    let body = match &*read {
        None => rsx! { div { class: "page", Loading { rows: 4 } } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| keys.reload() } },
        Some(Ok(keys)) if keys.is_empty() => rsx! { NoKey {} },
        Some(Ok(keys)) => rsx! { Inside { keys: Rc::new(keys.clone()) } },
    };
    rsx! {
        h1 { class: "sr-only", "{name}" }
        {body}
    }
}

#[component]
fn NoKey() -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    rsx! {
        Empty { icon: "icon-[lucide--key-round]",
            text: lang.t("Calls from here are made with a key of yours, and you have none in use yet.", "这里的请求用你自己的密钥发出，而你还没有可用的密钥。"),
            a { id: "play-make-key", class: "btn btn-primary btn-sm", href: conn.href("/access"), {lang.t("Make a key", "创建密钥")} }
        }
    }
}

#[component]
fn Inside(keys: Rc<Vec<KeyView>>) -> Element {
    let here = use_here();
    let (chat, left, right) = (use_talk(), use_talk(), use_talk());
    let typed = Typed { system: use_signal(String::new), tools: use_signal(String::new) };
    let room = Room { chat, left, right, typed, attached: use_attached() };
    let arena = here.segment(1).as_deref() == Some("arena");
    rsx! {
        Kept { talk: chat }
        if arena { arena::Arena { room, keys } } else { chat::Chat { room, keys } }
    }
}

/// What the browser keeps of a conversation, so that a new socket takes it up again: a text field that nobody sees, whose
/// value the browser gives back like any that somebody typed.
#[component]
fn Kept(talk: Talk) -> Element {
    let mut kept = use_signal(String::new);
    use_effect(move || {
        if !talk.busy() {
            kept.set(talk.kept());
        }
    });
    rsx! {
        textarea { id: "play-kept", hidden: true, "aria-hidden": "true", tabindex: "-1", value: "{kept}",
            oninput: move |event| { let mut talk = talk; talk.restore(&event.value()); },
        }
    }
}

/// The two ways, and what stands right of them.
#[component]
fn Bar(arena: bool, children: Element) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let keep = |to: &[&str]| {
        let mut place = Place::at(to.iter().copied());
        for name in ["k", "d", "m", "n", "t", "p", "max", "think"] {
            place = place.with(name, here.get(name).unwrap_or_default());
        }
        here.href(&place)
    };
    let tabs = vec![
        Tab::new(keep(&["playground"]), lang.t("Chat", "对话"), !arena),
        Tab::new(keep(&["playground", "arena"]), lang.t("Arena", "擂台"), arena),
    ];
    rsx! {
        div { class: "flex items-center gap-1.5 sm:gap-2 px-4 md:px-8 xl:px-10 py-2.5 border-b border-line shrink-0",
            Tabs { label: lang.t("Mode", "模式"), tabs }
            {children}
        }
    }
}

/// Which model is asked; `part` of the query holds it.
#[component]
fn Models(
    id: &'static str,
    part: &'static str,
    chosen: Rc<Chosen>,
    model: String,
    #[props(default)] disabled: bool,
) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    rsx! {
        span { class: "flex items-center gap-2 min-w-0",
            Tile { name: model.clone(), class: "max-sm:hidden" }
            select { id, class: "select select-sm min-w-0 max-w-64", "aria-label": lang.t("Model", "模型"), disabled,
                onchange: move |event| { let place = here.place(); here.go(place.with(part, event.value())); },
                for name in chosen.models.iter() {
                    option { key: "{name}", value: "{name}", selected: *name == model, "{name}" }
                }
            }
        }
    }
}

/// The height that is left below the top bar.
const HEIGHT: &str = "flex flex-col h-[calc(100dvh-3.25rem-4rem)] md:h-[calc(100dvh-3.25rem-1.125rem)]";
