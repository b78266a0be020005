//! The bar above a page.

use super::account::AccountMenu;
use super::palette::Palette;
use super::side::Home;
use crate::kit::{Hotkey, Icon, PulseState};
use crate::lang::Theme;
use crate::live::{use_conn, use_here, use_lang};
use crate::pages::PageId;
use dioxus::prelude::*;

#[component]
pub(super) fn Topbar(current: Option<PageId>, pulse: ReadSignal<PulseState>) -> Element {
    let lang = use_lang();
    let name = current.and_then(crate::pages::page).map_or("", |page| page.name(lang));
    rsx! {
        header { class: "topbar",
            Home { pulse, class: "md:hidden me-1 rounded-lg" }
            div { class: "flex min-w-0 items-center gap-2 text-base font-medium", "{name}" }
            div { class: "ms-auto flex items-center gap-0.5",
                Search {}
                Language {}
                Dark {}
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

/// A form that is posted, so that it works while the socket is away; the answer leads back to the same URL.
#[component]
fn Language() -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let back = here.href(&here.place());
    rsx! {
        form { method: "post", action: conn.href("/look"), "data-here": "1",
            input { r#type: "hidden", name: "lang", value: lang.other().code() }
            input { r#type: "hidden", name: "back", value: "{back}" }
            button { r#type: "submit", class: "btn btn-ghost btn-sm btn-square", lang: lang.other().tag(),
                "aria-label": lang.t("切换到中文", "Switch to English"),
                span { class: "text-sm font-medium", {lang.t("中", "EN")} }
            }
        }
    }
}

/// The script changes the theme on the spot; without it the form does.
#[component]
fn Dark() -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let back = here.href(&here.place());
    let next = if conn.look.theme == Theme::Night { Theme::Day } else { Theme::Night };
    rsx! {
        form { method: "post", action: conn.href("/look"), "data-theme-form": "1",
            input { r#type: "hidden", name: "theme", value: next.code() }
            input { r#type: "hidden", name: "back", value: "{back}" }
            button { r#type: "submit", class: "btn btn-ghost btn-sm btn-square", "aria-label": lang.t("Switch light and dark", "切换明暗"),
                Icon { i: "icon-[lucide--sun-moon]" }
            }
        }
    }
}
