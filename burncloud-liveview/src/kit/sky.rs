//! The sun over the sea: margin and tokens, on the dashboard and at the door.

use super::{Pulse, PulseState};
use dioxus::prelude::*;

/// The sun: red when hurt, dashed before the first cent.
#[component]
pub fn Sun(#[props(default)] state: PulseState) -> Element {
    let class = match state {
        PulseState::Flow => "sun",
        PulseState::Hurt => "sun sun-hurt",
        PulseState::Rest => "sun sun-rest",
    };
    rsx! { span { class, "aria-hidden": "true", i {} i {} i {} } }
}

/// The width of the curve, of 1200; the rest lies ahead.
const NOW: f64 = 1_080.0;
/// The height of the picture.
const DEEP: f64 = 150.0;

/// The path of a curve through values, and the height of its last point; flat where there is nothing.
fn curve(values: &[u64]) -> (String, f64) {
    let top = values.iter().copied().max().unwrap_or_default().max(1);
    let level = |value: u64| {
        let share = if top == 1 { 0.16 } else { value as f64 / top as f64 };
        DEEP - share.clamp(0.03, 1.0) * DEEP * 0.84
    };
    let mut values: Vec<u64> = values.to_vec();
    values.resize(values.len().max(2), 0);
    let step = NOW / (values.len() - 1) as f64;
    let mut path = format!("M0,{:.1}", level(values[0]));
    for (at, pair) in values.windows(2).enumerate() {
        let (from, to) = (at as f64 * step, (at + 1) as f64 * step);
        let middle = f64::midpoint(from, to);
        let (a, b) = (level(pair[0]), level(pair[1]));
        path.push_str(&format!("C{middle:.1},{a:.1} {middle:.1},{b:.1} {to:.1},{b:.1}"));
    }
    (path, level(values.last().copied().unwrap_or_default()))
}

/// The sea: tokens per second, oldest first; the children stand over its last point. `label` says it in words.
#[component]
pub fn Horizon(
    id: String,
    values: Vec<u64>,
    label: String,
    #[props(default)] state: PulseState,
    #[props(default)] children: Element,
) -> Element {
    let (path, last) = curve(&values);
    let top = last / DEEP * 100.0;
    let tone = match state {
        PulseState::Flow => "text-flow",
        PulseState::Hurt => "text-hurt is-hurt",
        PulseState::Rest => "text-rest is-rest",
    };
    rsx! {
        div { class: "relative {tone}",
            svg { class: "horizon h-28 md:h-36", view_box: "0 0 1200 150", preserve_aspect_ratio: "none", role: "img", "aria-label": "{label}",
                defs {
                    linearGradient { id: "tide-{id}", x1: "0", y1: "0", x2: "0", y2: "1",
                        stop { offset: "0", stop_color: "currentColor", stop_opacity: ".16" }
                        stop { offset: "1", stop_color: "currentColor", stop_opacity: "0" }
                    }
                }
                path { class: "sea", d: "{path}L1200,{last:.1}V152H0Z" }
                path { d: "{path}L1200,{last:.1}V152H0Z", fill: "url(#tide-{id})" }
                path { class: "line ahead", d: "M1080,{last:.1}H1200" }
                path { class: "line", d: "{path}" }
            }
            span { class: "absolute left-[90%]", style: "top:{top:.1}%", Pulse { state, class: "absolute! -translate-x-1/2 -translate-y-1/2" } }
            span { class: "absolute right-[10%] translate-x-2 -translate-y-7 max-md:right-3 max-md:translate-x-0 max-md:-translate-y-8 whitespace-nowrap text-sm text-muted num",
                style: "top:{top:.1}%", {children}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_edge_to_now_whatever_the_values() {
        for values in [vec![], vec![0], vec![0, 0, 0], vec![5, 1, 9], vec![u64::MAX; 3]] {
            let (path, last) = curve(&values);
            assert!(path.starts_with("M0,") && path.contains(" 1080.0,"), "{path}");
            assert!(!path.contains("NaN") && (0.0..=DEEP).contains(&last), "{path}");
        }
        assert!(curve(&[1, 9]).1 < curve(&[9, 1]).1, "more is higher");
    }
}
