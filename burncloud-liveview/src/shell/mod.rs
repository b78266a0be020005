//! What stands around each page: sidebar, rail, the phone's dock, the bar above, the notices, the palette.

mod account;
mod bar;
mod light;
mod palette;
mod side;
#[cfg(test)]
mod tests;

use crate::kit::{PulseState, ToastStack, Toasts, use_pulse};
use crate::live::{Changes, Conn, use_conn, use_here, use_lang, use_live_history};
use crate::pages::{Layout, Nothing, PageId, page_at};
use bar::Topbar;
use dioxus::prelude::*;
use side::{Dock, Side};

/// The root of a page: what all of its components share, and the page where somebody is.
#[allow(non_snake_case, reason = "a component")]
pub(crate) fn App() -> Element {
    use_live_history();
    use_context_provider(Changes::new);
    use_context_provider(Toasts::new);
    use_context_provider(|| Signal::new(PulseState::default()));
    rsx! { Shell {} }
}

#[component]
fn Shell() -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let pulse = use_pulse();
    let page = page_at(&conn.viewer.actor, &here.place());
    let id = page.map(|page| page.id);
    use_title(&conn, id);
    let layout = page.map_or(Layout::Column, |page| page.layout);
    let main = match layout {
        Layout::Column => "outline-none grow flex flex-col page",
        Layout::Wide => "outline-none grow flex flex-col page page-wide",
        Layout::Flush => "outline-none grow flex flex-col",
    };
    rsx! {
        a { href: "#main", class: "sr-only focus:not-sr-only focus:fixed focus:z-50 focus:m-3 focus:px-3! btn btn-primary btn-sm",
            {lang.t("Skip to content", "跳到正文")}
        }
        div { class: "shell",
            Side { current: id, pulse }
            div { class: "sheet",
                Offline {}
                account::Acting {}
                Topbar { current: id, pulse }
                main { id: "main", tabindex: "-1", class: main,
                    // A list of one with a key: another page is another component, with hooks of its own.
                    for id in [id] { View { key: "{id:?}", id } }
                }
            }
        }
        Dock { current: id }
        light::Light {}
        ToastStack {}
    }
}

#[component]
fn View(id: Option<PageId>) -> Element {
    match id.and_then(crate::pages::page) {
        Some(page) => (page.view)(),
        None => rsx! { Nothing {} },
    }
}

/// Tells the browser the title of the page, and puts the focus on a page that was just opened. While it is drawn, not in an
/// effect: an effect may come a drawing later, and the title would be that of the page before.
fn use_title(conn: &Conn, id: Option<PageId>) {
    let lang = use_lang();
    let mut last = use_hook(|| CopyValue::new(None::<Option<PageId>>));
    let before = *last.peek();
    let Some(client) = &conn.client else { return };
    if before == Some(id) {
        return;
    }
    last.set(Some(id));
    let name = id
        .and_then(crate::pages::page)
        .map_or(lang.t("Nothing here", "这里什么也没有"), |page| page.name(lang));
    client.title(&format!("{name} · {}", conn.console.house()));
    if before.is_some() {
        client.focus("main");
    }
}

/// Shown by CSS while the socket is away: what stands on the page is old.
#[component]
fn Offline() -> Element {
    let lang = use_lang();
    rsx! {
        div { id: "offline", role: "status",
            class: "hidden sticky top-0 z-30 items-center justify-center gap-3 h-10 px-4 text-sm font-medium offline rounded-t-[calc(var(--radius-box)-1px)]",
            span { class: "loading loading-spinner size-3.5" }
            span {
                {lang.t("Connection lost. What you see is from ", "连接断开，页面停在 ")}
                span { id: "offline-since", class: "num" }
                {lang.t(".", "。")}
            }
            button { r#type: "button", "data-reconnect": "1", class: "btn btn-xs bg-transparent! border-current/40! text-current!",
                {lang.t("Try now", "立即重连")}
            }
        }
    }
}
