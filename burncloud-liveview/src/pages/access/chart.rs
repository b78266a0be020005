//! What a key cost each day.

use crate::fmt::{money, ms, now};
use crate::kit::{Icon, use_fmt};
use crate::lang::Lang;
use crate::live::use_lang;
use burncloud_billing::desk::reports::KeyDay;
use dioxus::prelude::*;

const HEIGHT: i64 = 72;
const ROOM: i64 = 66;

/// How high each bar is, of 66: a day with a charge has at least one.
fn heights(days: &[KeyDay]) -> Vec<i64> {
    let top = days.iter().map(|day| day.charge.0).max().unwrap_or(0).max(1);
    let height = |day: &KeyDay| {
        let full = i128::from(day.charge.0.max(0)) * i128::from(ROOM) / i128::from(top);
        i64::try_from(full).unwrap_or(ROOM).max(i64::from(day.charge.0 > 0))
    };
    days.iter().map(height).collect()
}

/// A bar for each day, today's last, and the same in a table.
#[component]
pub(super) fn Days(days: Vec<KeyDay>, care: bool) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let (now, last, width) = (now(), days.len().saturating_sub(1), days.len() * 12);
    let heights = heights(&days);
    let first = days.first().map(|day| f.date(ms(day.at), now)).unwrap_or_default();
    let all = days.iter().fold(burncloud_core::Nano::ZERO, |sum, day| sum.plus(day.charge));
    let label = match lang {
        Lang::En => format!("Spent per day, {} days: {} in all", days.len(), money(all)),
        Lang::Zh => format!("近 {} 天每日花费，共 {}", days.len(), money(all)),
    };
    rsx! {
        svg { view_box: "0 0 {width} {HEIGHT}", class: "w-full h-18", role: "img", preserve_aspect_ratio: "none", "aria-label": "{label}",
            for (at , height) in heights.into_iter().enumerate() {
                rect { key: "{at}", x: "{at * 12 + 1}", y: "{HEIGHT - height}", width: "9", height: "{height}", rx: "2",
                    fill: if at == last && care { "var(--care)" } else { "var(--chart-2)" },
                    opacity: if at == last { "1" } else { "0.75" },
                }
            }
        }
        div { class: "flex justify-between text-xs text-faint num mt-1.5",
            span { "{first}" }
            span { {lang.t("Today", "今天")} }
        }
        details { class: "mt-3 group",
            summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded",
                Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                {lang.t("As a table", "以表格显示")} }
            div { class: "max-h-64 overflow-y-auto mt-2",
                table { class: "table",
                    caption { class: "sr-only", {lang.t("Spent per day", "每日花费")} }
                    thead { tr {
                        th { scope: "col", {lang.t("Day", "日期")} }
                        th { scope: "col", class: "text-right", {lang.t("Requests", "请求")} }
                        th { scope: "col", class: "text-right", {lang.t("Spent", "花费")} }
                    } }
                    tbody {
                        for day in days.into_iter().rev() {
                            tr { key: "{day.at.0}",
                                th { scope: "row", class: "font-normal num", {f.date(ms(day.at), now)} }
                                td { class: "text-right num", {crate::fmt::grouped(day.requests)} }
                                td { class: "text-right num", {money(day.charge)} }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::{Nano, UnixMicros};

    #[test]
    fn bars_are_in_proportion_and_what_was_spent_is_seen() {
        let day = |nano| KeyDay { at: UnixMicros(0), charge: Nano(nano), requests: 1 };
        assert_eq!(heights(&[day(0), day(1), day(50), day(i64::MAX / 2 * 2)]), [0, 1, 1, 66]);
        assert_eq!(heights(&[day(50), day(100), day(-5)]), [33, 66, 0]);
        assert_eq!(heights(&[day(0)]), [0]);
    }
}
