//! Bars and grids that say how something went.

use super::Tone;
use dioxus::prelude::*;

/// How full something is: `percent` of 0 to 100, more is drawn as full. `label` says it in words.
#[component]
pub fn Meter(
    percent: u32,
    label: String,
    #[props(default)] tone: Tone,
    #[props(default)] class: &'static str,
) -> Element {
    let kind = match tone {
        Tone::Plain => "meter",
        Tone::Good => "meter meter-flow",
        Tone::Care => "meter meter-care",
        Tone::Bad => "meter meter-hurt",
        Tone::Info => "meter meter-accent",
    };
    let width = percent.min(100);
    rsx! {
        span { class: "{kind} {class}", role: "meter", "aria-valuenow": "{width}", "aria-valuemin": "0",
            "aria-valuemax": "100", "aria-label": "{label}",
            i { style: "width:{width}%" }
        }
    }
}

/// How one span of time went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Well.
    Good,
    /// With some failures.
    Care,
    /// Badly.
    Bad,
    /// Nothing happened.
    None,
}

/// The health of the last hours, a bar for each, like a fence. `label` says it in words.
#[component]
pub fn Fence(spans: Vec<Span>, label: String, #[props(default)] class: &'static str) -> Element {
    rsx! {
        span { class: "fence {class}", role: "img", "aria-label": "{label}",
            for (at, span) in spans.into_iter().enumerate() {
                i { key: "{at}", class: match span { Span::Good => "", Span::Care => "w", Span::Bad => "e", Span::None => "n" } }
            }
        }
    }
}

/// A row of 24 hours, each from 0 (nothing happened) over 1 (well) to 4 (on fire). `label` says it in words.
#[component]
pub fn Heat(hours: Vec<u8>, label: String, #[props(default)] class: &'static str) -> Element {
    rsx! {
        span { class: "heat {class}", role: "img", "aria-label": "{label}",
            for (at, hour) in hours.into_iter().enumerate() {
                i { key: "{at}", class: match hour { 0 => "h0", 1 => "", 2 => "h1", 3 => "h2", _ => "h3" } }
            }
        }
    }
}
