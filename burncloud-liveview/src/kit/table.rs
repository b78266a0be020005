//! Tables and the way through long ones.

use super::Icon;
use crate::live::use_lang;
use dioxus::prelude::*;

/// A table: `caption` is for screen readers; `head` has the `th { scope: "col" }` of the first row; the children are the
/// rows, each with a `key`. On phones hide all columns but the first and the last (`max-md:hidden`). Page at 50.
#[component]
pub fn Table(
    caption: String,
    head: Element,
    #[props(default)] class: &'static str,
    children: Element,
) -> Element {
    rsx! {
        table { class: "table table-hover {class}",
            caption { class: "sr-only", "{caption}" }
            thead { tr { {head} } }
            tbody { {children} }
        }
    }
}

/// To the pages before and after, by their URLs; one that is not there cannot be pressed. Nothing is drawn where there
/// is only one page.
#[component]
pub fn Pager(
    #[props(default)] before: Option<String>,
    #[props(default)] after: Option<String>,
    #[props(default)] words: Option<String>,
) -> Element {
    let lang = use_lang();
    if before.is_none() && after.is_none() {
        return rsx! {};
    }
    rsx! {
        nav { class: "flex items-center justify-end gap-2 mt-4", "aria-label": lang.t("Pages", "分页"),
            if let Some(words) = words { span { class: "me-auto text-sm text-muted num", "{words}" } }
            Step { href: before, icon: "icon-[lucide--chevron-left]", label: lang.t("Previous", "上一页") }
            Step { href: after, icon: "icon-[lucide--chevron-right]", label: lang.t("Next", "下一页") }
        }
    }
}

#[component]
fn Step(href: Option<String>, icon: &'static str, label: String) -> Element {
    rsx! {
        if let Some(href) = href {
            a { class: "btn btn-quiet btn-sm btn-square", href, "aria-label": "{label}", Icon { i: icon } }
        } else {
            span { class: "btn btn-quiet btn-sm btn-square", "aria-disabled": "true", "aria-label": "{label}", role: "img",
                Icon { i: icon }
            }
        }
    }
}
