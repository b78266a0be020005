//! What was used per day, and the legend with its sums.

use super::words::{chart_day, dollars, slice_name, whole, zone};
use crate::fmt::{ms, now};
use crate::kit::{Chart, Tab, Tabs, use_fmt};
use crate::lang::Lang;
use crate::live::{use_here, use_lang};
use burncloud_billing::desk::reports::{Books, By, View};
use burncloud_core::{Nano, UnixMicros};
use dioxus::prelude::*;

/// How the URL names what is told apart by.
pub(super) fn by_of(code: Option<&str>, side: super::Side) -> By {
    match (code, side) {
        (Some("account"), super::Side::House) => By::Channel,
        (Some("customer"), super::Side::House | super::Side::Seller) => By::Customer,
        (Some("key"), super::Side::Own) => By::Key,
        _ => By::Model,
    }
}

/// The points of a chart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drawing {
    pub(super) x: Vec<u64>,
    pub(super) series: Vec<(String, Vec<f64>)>,
    /// From which point on it is an estimate.
    pub(super) ahead: Option<usize>,
}

/// Days that passed, told apart, and those ahead as one.
pub(super) fn drawing(books: &Books, names: &[String]) -> Drawing {
    let zone = zone(&books.zone);
    let mut x: Vec<u64> = books.points.iter().map(|point| chart_day(point.at, &zone)).collect();
    let part = |at: usize, point: &burncloud_billing::desk::reports::Point| {
        dollars(point.parts.get(at).copied().unwrap_or_default())
    };
    let mut series: Vec<(String, Vec<f64>)> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (name.clone(), books.points.iter().map(|point| part(at, point)).collect()))
        .collect();
    if series.is_empty() {
        series.push((String::new(), vec![0.0; x.len()]));
    }
    let lived = x.len();
    // Today is drawn as it is: what is left of it is in the sum, not in a bar.
    let days = books.forecast.iter().flat_map(|forecast| forecast.ahead.iter());
    let last = x.last().copied().unwrap_or_default();
    for day in days.filter(|day| chart_day(day.at, &zone) > last) {
        x.push(chart_day(day.at, &zone));
        for (at, (_, values)) in series.iter_mut().enumerate() {
            values.push(if at == 0 { dollars(day.value) } else { 0.0 });
        }
    }
    let ahead = (x.len() > lived).then_some(lived);
    Drawing { x, series, ahead }
}

/// What customers used, per day; of an end user, what they did.
#[component]
pub(super) fn Used(books: Books) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let end_user = matches!(books.view, View::EndUser(_));
    let names: Vec<String> = books.slices.iter().map(|slice| slice_name(slice, lang)).collect();
    let Drawing { x, series, ahead } = drawing(&books, &names);
    let choices: &[(&str, &str, &str, By)] = match books.view {
        View::House => &[
            ("", "Model", "模型", By::Model),
            ("account", "Account", "账号", By::Channel),
            ("customer", "Customer", "客户", By::Customer),
        ],
        View::Reseller(_) => {
            &[("", "Model", "模型", By::Model), ("customer", "Customer", "客户", By::Customer)]
        }
        View::EndUser(_) => &[("", "Model", "模型", By::Model), ("key", "Key", "密钥", By::Key)],
    };
    let tabs = choices.iter();
    let tabs: Vec<Tab> = tabs
        .map(|(code, en, zh, by)| Tab::new(here.with("by", code), lang.t(en, zh), books.by == *by))
        .collect();
    let sums = books.slices.iter().map(|slice| whole(slice.sums.revenue.unwrap_or(slice.sums.charge)));
    let legend: Vec<(usize, String, String)> =
        names.iter().cloned().zip(sums).enumerate().map(|(at, (name, sum))| (at + 1, name, sum)).collect();
    let said = legend.iter().map(|(_, name, sum)| format!("{name} {sum}")).collect::<Vec<_>>().join(", ");
    let value = books.now.revenue.unwrap_or(books.now.charge);
    let more =
        books.forecast.as_ref().map(|forecast| forecast.value.minus(value)).filter(|more| *more > Nano::ZERO);
    let title = if end_user {
        lang.t("What you used", "你的用量")
    } else {
        lang.t("What customers used", "客户用了多少")
    };
    let label = match lang {
        Lang::En => format!("Consumption per day. {said}"),
        Lang::Zh => format!("每日消费。{said}"),
    };
    rsx! {
        section { class: "mt-10", "aria-labelledby": "used",
            div { class: "flex flex-wrap items-center justify-between gap-3",
                h2 { id: "used", class: "section-title", "{title}" }
                Tabs { label: lang.t("Stack by", "分组"), tabs }
            }
            Legend { rows: legend }
            Chart { id: "used-chart", x, series, label, unit: "$", forecast: ahead, class: "mt-4 -ms-1 block" }
            if let (Some(more), Some(_)) = (more, ahead) { More { more, end: books.end } }
        }
    }
}

/// The swatch of a series (from 1), its name and its sum.
#[component]
fn Legend(rows: Vec<(usize, String, String)>) -> Element {
    rsx! {
        ul { class: "flex flex-wrap gap-x-5 gap-y-1.5 mt-3 text-sm",
            for (at, name, sum) in rows {
                li { key: "{at}", class: "flex items-center gap-2 min-w-0",
                    span { class: "swatch", style: "--s:var(--chart-{at})" }
                    span { class: "text-muted truncate max-w-56", title: "{name}", "{name}" }
                    span { class: "num font-medium", "{sum}" }
                }
            }
        }
    }
}

/// What the days that are left are expected to bring.
#[component]
fn More(more: Nano, end: UnixMicros) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let until = f.date(ms(UnixMicros(end.0.saturating_sub(1))), now());
    let said = match lang {
        Lang::En => format!("Estimate: {} more by {until}", whole(more)),
        Lang::Zh => format!("预计：到 {until} 还有 {}", whole(more)),
    };
    rsx! {
        p { class: "mt-1 text-sm text-muted flex items-center gap-2",
            svg { width: "14", height: "10", "aria-hidden": "true", view_box: "0 0 14 10",
                rect { x: ".5", y: ".5", width: "13", height: "9", rx: "2", fill: "none", stroke: "var(--chart-6)", stroke_dasharray: "2 2" }
            }
            "{said}"
        }
    }
}
