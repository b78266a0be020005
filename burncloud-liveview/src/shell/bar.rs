//! The bar above a page.

use super::account::AccountMenu;
use super::palette::Palette;
use super::side::Home;
use crate::kit::{Hotkey, Icon, LookSwitch, PulseState};
use crate::live::{use_conn, use_here, use_lang};
use crate::pages::PageId;
use dioxus::prelude::*;

#[component]
pub(super) fn Topbar(current: Option<PageId>, pulse: Signal<PulseState>) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let name = current.and_then(crate::pages::page).map_or("", |page| page.name(lang));
    rsx! {
        header { class: "topbar",
            Home { pulse, class: "md:hidden me-1 rounded-lg" }
            div { class: "flex min-w-0 items-center gap-2 text-base font-medium", "{name}" }
            div { class: "ms-auto flex items-center gap-0.5",
                Search {}
                LookSwitch { prefix: conn.console.prefix().to_owned(), back: here.href(&here.place()) }
                div { class: "md:hidden", AccountMenu { side: false } }
            }
        }
    }
}

#[component]
fn Search() -> Element {
    let lang = use_lang();
    let mut open = use_signal(|| false);
    rsx! {
        Hotkey { press: "k", ctrl: true,
            button { r#type: "button", "aria-label": lang.t("Search", "搜索"), onclick: move |_| open.set(true),
                class: "btn btn-quiet btn-sm font-normal text-muted gap-2 me-1 max-md:btn-square max-md:border-transparent! w-48 max-xl:w-40 max-md:w-8 justify-start max-md:justify-center",
                Icon { i: "icon-[lucide--search]", class: "size-3.5" }
                span { class: "max-md:hidden", {lang.t("Search", "搜索")} }
                span { class: "max-md:hidden ms-auto flex gap-0.5", kbd { class: "kbd", "Ctrl" } kbd { class: "kbd", "K" } }
            }
        }
        if open() { Palette { onclose: move |()| open.set(false) } }
    }
}
