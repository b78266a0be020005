//! How one request went, and what it cost.

use super::Icon;
use crate::live::use_lang;
use dioxus::prelude::*;

/// Where a fault is: the places from the caller to the provider; `at` is the index of the one at fault.
#[component]
pub fn Locator(
    places: Vec<String>,
    #[props(default)] at: Option<usize>,
    #[props(default)] class: &'static str,
) -> Element {
    rsx! {
        ol { class: "locator {class}",
            for (index, place) in places.into_iter().enumerate() {
                li { key: "{index}", "aria-current": if at == Some(index) { "step" }, i { "aria-hidden": "true" } "{place}" }
            }
        }
    }
}

/// One account that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its name.
    pub name: String,
    /// What it failed with: a status, a word; `None` where it answered.
    pub failed: Option<String>,
}

/// The accounts that a request went over, in order.
#[component]
pub fn Hops(hops: Vec<Hop>) -> Element {
    rsx! {
        span { class: "hops",
            for (at, hop) in hops.into_iter().enumerate() {
                if at > 0 { Icon { i: "icon-[lucide--arrow-right]", class: "size-3 text-faint" } }
                span { class: if hop.failed.is_some() { "hop hop-fail" } else { "hop" }, "{hop.name}" }
                if let Some(failed) = &hop.failed { span { class: "text-error text-xs num", "{failed}" } }
            }
        }
    }
}

/// What a bar of a [`Fall`] stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FallBar {
    /// The gateway's own time.
    #[default]
    Own,
    /// Waiting for a provider.
    Wait,
    /// An answer that streams.
    Talk,
    /// An attempt that failed.
    Failed,
}

/// One line of a waterfall: from `start` for `length`, both in ten-thousandths of the whole; `time` in words.
#[component]
pub fn Fall(label: String, start: u32, length: u32, time: String, #[props(default)] bar: FallBar) -> Element {
    let colour = match bar {
        FallBar::Own => "var(--rest)",
        FallBar::Wait => "var(--chart-3)",
        FallBar::Talk => "var(--chart-2)",
        FallBar::Failed => "var(--hurt)",
    };
    let start = start.min(10_000);
    let length = length.min(10_000 - start);
    let percent = |n: u32| format!("{}.{:02}%", n / 100, n % 100);
    let style = format!("left:{};width:{};background:{colour}", percent(start), percent(length));
    rsx! {
        div { class: "fall",
            span { class: "truncate", title: "{label}", "{label}" }
            span { class: "fall-track", i { style } }
            span { class: "text-right num text-muted", "{time}" }
        }
    }
}

/// One line of a receipt: what, how much at which price, and its amount; all as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptLine {
    /// What was used.
    pub name: String,
    /// How much, at which price: `1,204 × $4.20/M`.
    pub rate: String,
    /// What that makes.
    pub amount: String,
}

/// One of the sums of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptSum {
    /// What it is.
    pub name: String,
    /// How much.
    pub amount: String,
    /// How it is written: of `font-semibold`, `text-muted`, `text-success`, `text-error`.
    pub class: &'static str,
}

/// A receipt as it would be printed. `foot` has who counted, which prices, and the signature.
#[component]
pub fn ReceiptBox(
    number: String,
    lines: Vec<ReceiptLine>,
    sums: Vec<ReceiptSum>,
    foot: Vec<String>,
    #[props(default)] signed: Option<String>,
    #[props(default)] class: &'static str,
) -> Element {
    let lang = use_lang();
    rsx! {
        div { class: "receipt {class}",
            div { class: "px-4 py-3 flex justify-between gap-3",
                span { class: "font-semibold", {lang.t("Receipt", "小票")} }
                span { class: "text-muted truncate", title: "{number}", "{number}" }
            }
            hr {}
            dl { class: "px-4 py-3 grid grid-cols-[1fr_auto_auto] gap-x-4 gap-y-1",
                for (at, line) in lines.into_iter().enumerate() {
                    dt { key: "{at}", "{line.name}" }
                    dd { class: "text-muted text-right", "{line.rate}" }
                    dd { class: "text-right min-w-18", "{line.amount}" }
                }
            }
            hr {}
            dl { class: "px-4 py-3 grid grid-cols-[1fr_auto] gap-y-1",
                for (at, sum) in sums.into_iter().enumerate() {
                    dt { key: "{at}", class: sum.class, "{sum.name}" }
                    dd { class: "text-right {sum.class}", "{sum.amount}" }
                }
            }
            hr {}
            div { class: "px-4 py-2.5 text-muted flex flex-wrap gap-x-4 gap-y-0.5 justify-between text-[0.71875rem]",
                for (at, text) in foot.into_iter().enumerate() { span { key: "{at}", "{text}" } }
                if let Some(signed) = signed {
                    span { class: "inline-flex items-center gap-1",
                        Icon { i: "icon-[lucide--badge-check]", class: "size-3.5" }
                        {lang.t("Signed", "已签名")} " {signed}"
                    }
                }
            }
        }
    }
}

/// A family tree: the children are `li`s with a `div { class: "tree-row" }` and, for those below, a `ul`.
#[component]
pub fn Tree(label: String, #[props(default)] class: &'static str, children: Element) -> Element {
    rsx! { ul { class: "tree {class}", "aria-label": "{label}", {children} } }
}
