//! The words of a page: its headline, its sections, and what it says while there is nothing.

use super::Icon;
use crate::fmt::money_parts;
use crate::live::{Fault, use_lang};
use burncloud_core::Nano;
use dioxus::prelude::*;

/// The sentence that a page opens with: the fact in `strong`, the rest as children; `actions` stand beside it.
///
/// `Headline { actions: rsx! { … }, strong { "9 of 12" } " accounts are healthy." }`
#[component]
pub fn Headline(
    #[props(default)] sub: Option<String>,
    #[props(default)] actions: Option<Element>,
    #[props(default = "mb-6 md:mb-8")] class: &'static str,
    children: Element,
) -> Element {
    rsx! {
        div { class: "flex flex-wrap items-start justify-between gap-x-8 gap-y-4 {class}",
            div { class: "min-w-0 max-w-[44rem]",
                h1 { class: "headline", {children} }
                if let Some(sub) = sub { p { class: "mt-1.5 text-muted", "{sub}" } }
            }
            if let Some(actions) = actions { div { class: "flex flex-wrap items-center gap-2 md:pt-0.5", {actions} } }
        }
    }
}

/// A part of a page under its own title; `id` is that of the title.
#[component]
pub fn Section(
    id: String,
    title: String,
    #[props(default = "mt-12")] class: &'static str,
    #[props(default)] actions: Option<Element>,
    children: Element,
) -> Element {
    rsx! {
        section { class, "aria-labelledby": "{id}",
            div { class: "flex items-center justify-between gap-4 pb-2 mb-4",
                h2 { id: "{id}", class: "section-title", "{title}" }
                if let Some(actions) = actions { {actions} }
            }
            {children}
        }
    }
}

/// A large sum of money, its sign and cents fainter.
#[component]
pub fn Figure(amount: Nano, #[props(default)] class: &'static str) -> Element {
    let (sign, whole, cents) = money_parts(amount);
    rsx! { span { class: "figure {class}", span { class: "cents", "{sign}" } "{whole}" span { class: "cents", "{cents}" } } }
}

/// What a list says that has nothing: why, and under it what to do.
#[component]
pub fn Empty(
    text: String,
    #[props(default)] icon: Option<&'static str>,
    #[props(default)] children: Element,
) -> Element {
    rsx! {
        div { class: "text-center py-24",
            if let Some(i) = icon { span { class: "inline-grid place-items-center size-11 rounded-full bg-fill text-faint mb-4", Icon { i, class: "size-5" } } }
            p { class: "text-muted text-pretty", "{text}" }
            div { class: "mt-4 flex justify-center gap-2", {children} }
        }
    }
}

/// What a page shows until it was read: the outline of a headline and of `rows` rows.
#[component]
pub fn Loading(#[props(default = 8)] rows: usize, #[props(default = true)] headline: bool) -> Element {
    let lang = use_lang();
    rsx! {
        div { "aria-busy": "true",
            p { class: "sr-only", role: "status", {lang.t("Loading", "加载中")} }
            if headline {
                div { class: "flex justify-between gap-8 mb-8",
                    div { class: "grid gap-3 w-full max-w-md", span { class: "skeleton h-8 w-4/5 block" } }
                    span { class: "skeleton h-8 w-24 block" }
                }
            }
            div { class: "rows border-t border-line mt-6",
                for row in 0..rows {
                    div { key: "{row}", class: "flex items-center gap-6 h-[4.25rem]",
                        span { class: "grid gap-2 w-56 shrink-0 max-sm:w-40",
                            span { class: "skeleton h-3.5 block w-40 max-sm:w-28" }
                            span { class: "skeleton h-3 block w-24" }
                        }
                        span { class: "flex items-center gap-2.5 w-44 max-md:hidden",
                            span { class: "skeleton size-6 rounded-full" }
                            span { class: "skeleton h-3.5 block w-24" }
                        }
                        span { class: "grow max-lg:hidden", span { class: "skeleton h-3.5 block w-20" } }
                        span { class: "grow max-md:hidden", span { class: "skeleton h-3.5 block w-full max-w-40" } }
                        span { class: "ms-auto", span { class: "skeleton h-3.5 block w-16" } }
                    }
                }
            }
        }
    }
}

/// What a page says that could not be read.
#[component]
pub fn Broken(fault: Fault, #[props(default)] onretry: Option<EventHandler<MouseEvent>>) -> Element {
    let lang = use_lang();
    rsx! {
        div { class: "text-center py-24", role: "alert",
            span { class: "inline-grid place-items-center size-11 rounded-full bg-error/10 text-error mb-4",
                Icon { i: "icon-[lucide--circle-alert]", class: "size-5" }
            }
            p { class: "font-medium", {lang.t("This could not be read", "没能读到内容")} }
            p { class: "mt-1 text-muted text-pretty", "{fault.text}" }
            if let Some(onretry) = onretry {
                button { r#type: "button", class: "btn btn-quiet btn-sm mt-4", onclick: move |event| onretry.call(event),
                    {lang.t("Try again", "再试一次")}
                }
            }
        }
    }
}
