//! Switching between views of a page.

use dioxus::prelude::*;

/// One of the views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// Where it leads: mostly `here.with("tab", "codes")`.
    pub href: String,
    /// Its name.
    pub label: String,
    /// Whether it is the present one.
    pub on: bool,
}

impl Tab {
    /// A tab.
    #[must_use]
    pub fn new(href: impl Into<String>, label: impl Into<String>, on: bool) -> Tab {
        Tab { href: href.into(), label: label.into(), on }
    }
}

/// Views of a page, as links under a line.
#[component]
pub fn Views(label: String, tabs: Vec<Tab>, #[props(default)] class: &'static str) -> Element {
    rsx! {
        nav { class: "tabs tabs-border {class}", "aria-label": "{label}",
            for tab in tabs {
                a { key: "{tab.label}", href: "{tab.href}", class: if tab.on { "tab tab-active" } else { "tab" },
                    "aria-current": if tab.on { "page" }, "{tab.label}"
                }
            }
        }
    }
}

/// Filters of a list, as a box of links: one of them is on.
#[component]
pub fn Tabs(label: String, tabs: Vec<Tab>, #[props(default)] class: &'static str) -> Element {
    rsx! {
        div { class: "tabs tabs-box {class}", role: "group", "aria-label": "{label}",
            for tab in tabs {
                a { key: "{tab.label}", href: "{tab.href}", class: if tab.on { "tab tab-active" } else { "tab" },
                    "aria-current": if tab.on { "true" }, "{tab.label}"
                }
            }
        }
    }
}
