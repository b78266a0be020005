//! Charts.

use crate::live::use_lang;
use dioxus::prelude::*;

/// A small line without axes, oldest value first.
#[component]
pub fn Spark(
    values: Vec<u64>,
    #[props(default = 72)] width: u32,
    #[props(default = 20)] height: u32,
    #[props(default = "text-muted")] class: &'static str,
) -> Element {
    let points = points(&values, width, height);
    rsx! {
        svg { class, width: "{width}", height: "{height}", view_box: "0 0 {width} {height}", "aria-hidden": "true",
            polyline { points, fill: "none", stroke: "currentColor", stroke_width: "1.5", stroke_linejoin: "round", stroke_linecap: "round" }
        }
    }
}

fn points(values: &[u64], width: u32, height: u32) -> String {
    let (low, high) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
    let range = (high - low).max(1) as f64;
    let step = f64::from(width) / (values.len().max(2) - 1) as f64;
    let room = f64::from(height) - 4.0;
    let point = |(at, value): (usize, &u64)| {
        let y = f64::from(height) - 2.0 - (value - low) as f64 / range * room;
        format!("{:.1},{y:.1}", at as f64 * step)
    };
    values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

/// A chart with axes, which the browser draws and which shows its values under the pointer: `x` are Unix times in
/// seconds, each of the `series` has a name and a value for each of them; stacked bars, or `lines`. What `unit` says
/// stands before a value (`$`). With `forecast`, the values from that index on are hatched. `label` says in words what
/// is to be seen, and the same numbers should stand in a table nearby.
#[component]
pub fn Chart(
    id: String,
    x: Vec<u64>,
    series: Vec<(String, Vec<f64>)>,
    label: String,
    #[props(default)] unit: &'static str,
    #[props(default)] lines: bool,
    #[props(default)] forecast: Option<usize>,
    #[props(default = 280)] height: u32,
    #[props(default)] class: &'static str,
) -> Element {
    let lang = use_lang();
    let names = series.iter().map(|(name, _)| name.replace(',', " ")).collect::<Vec<_>>().join(",");
    let mut data = vec![serde_json::json!(x)];
    data.extend(series.iter().map(|(_, values)| serde_json::json!(values)));
    let data = serde_json::Value::Array(data).to_string();
    rsx! {
        x-chart { id: "{id}", class, role: "img", "aria-label": "{label}", lang: lang.tag(), "series": "{names}", "data": "{data}",
            "unit": unit, "type": if lines { "line" } else { "bars" }, "height": "{height}",
            "forecast": forecast.map(|at| at.to_string()), style: "min-height:{height}px",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_in_its_picture() {
        assert_eq!(points(&[0, 10, 5], 72, 20), "0.0,18.0 36.0,2.0 72.0,10.0");
        assert_eq!(points(&[7], 72, 20), "0.0,18.0");
        assert_eq!(points(&[], 72, 20), "");
    }
}
