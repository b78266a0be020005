//! The "…" menu of a row.

use super::Icon;
use crate::live::use_lang;
use dioxus::prelude::*;

/// A button that unfolds a few [`MenuItem`]s and [`MenuLink`]s. It closes by itself: on a choice, Esc, a click elsewhere.
#[component]
pub fn Menu(
    #[props(default)] label: Option<String>,
    #[props(default)] button: Option<Element>,
    #[props(default = "btn btn-ghost btn-sm btn-square")] class: &'static str,
    #[props(default)] up: bool,
    children: Element,
) -> Element {
    let lang = use_lang();
    let label = label.unwrap_or_else(|| lang.t("More", "更多").to_owned());
    rsx! {
        x-menu { class: "relative inline-block",
            details {
                summary { class: "{class} list-none", "aria-label": "{label}",
                    if let Some(button) = button { {button} } else { Icon { i: "icon-[lucide--ellipsis]" } }
                }
                ul { class: if up { "menu-pop menu-pop-up" } else { "menu-pop" }, {children} }
            }
        }
    }
}

/// Something that a [`Menu`] does.
#[component]
pub fn MenuItem(
    onclick: EventHandler<MouseEvent>,
    #[props(default)] icon: Option<&'static str>,
    #[props(default)] danger: bool,
    #[props(default)] disabled: bool,
    children: Element,
) -> Element {
    let tone = if danger { "text-error" } else { "" };
    rsx! {
        li {
            button { r#type: "button", class: "menu-item {tone}", disabled, onclick: move |event| onclick.call(event),
                if let Some(i) = icon { Icon { i } }
                {children}
            }
        }
    }
}

/// Somewhere that a [`Menu`] leads. `full` leaves the live page.
#[component]
pub fn MenuLink(
    href: String,
    #[props(default)] icon: Option<&'static str>,
    #[props(default)] full: bool,
    children: Element,
) -> Element {
    rsx! {
        li {
            a { class: "menu-item", href, "data-full": if full { "1" },
                if let Some(i) = icon { Icon { i } }
                {children}
            }
        }
    }
}
