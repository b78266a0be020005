//! What each model leaves.

use super::words::whole;
use crate::fmt::percent;
use crate::live::use_lang;
use burncloud_billing::desk::reports::ModelMargin;
use burncloud_core::Nano;
use dioxus::prelude::*;

/// How many are told apart by what they bring in; those that lose money are told apart too.
const TOP: usize = 7;
const LOSING: usize = 5;

/// A row: no name is the others together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) model: Option<String>,
    pub(super) left: Nano,
    /// Of a thousand that came in.
    pub(super) permille: i64,
}

/// The models that bring in most and those that lose, the rest as one; what keeps most of its price first.
pub(super) fn rows(all: &[ModelMargin]) -> Vec<Left> {
    let mut losing = 0;
    let (mut shown, mut rest) = (Vec::new(), None::<(Nano, Nano)>);
    for (at, sums) in all.iter().enumerate() {
        let loses = sums.cost > sums.revenue;
        losing += usize::from(at >= TOP && loses);
        if at < TOP || (loses && losing <= LOSING) {
            shown.push(left(Some(sums.model.clone()), sums.revenue, sums.cost));
        } else {
            let (revenue, cost) = rest.unwrap_or_default();
            rest = Some((revenue.plus(sums.revenue), cost.plus(sums.cost)));
        }
    }
    if let Some((revenue, cost)) = rest {
        shown.push(left(None, revenue, cost));
    }
    shown.sort_by_key(|row| std::cmp::Reverse(row.permille));
    shown
}

fn left(model: Option<String>, revenue: Nano, cost: Nano) -> Left {
    let left = revenue.minus(cost);
    let of = i128::from(revenue.0);
    // What brings in nothing and costs something loses all of it.
    let permille = (i128::from(left.0) * 1_000).checked_div(of).unwrap_or(-1_000);
    Left { model, left, permille: i64::try_from(permille.clamp(-99_990, 1_000)).unwrap_or(-99_990) }
}

/// Where a bar begins and how long it is, in thousandths of the track: the zero stands at 160.
fn bar(permille: i64) -> (u32, u32) {
    let long = u32::try_from(permille.unsigned_abs().min(1_000)).unwrap_or(1_000);
    if permille < 0 { (160, long.min(160)) } else { (160, long * 84 / 100) }
}

fn thousandths(n: u32) -> String {
    format!("{}.{}%", n / 10, n % 10)
}

#[component]
pub(super) fn Leaves(margins: Vec<ModelMargin>) -> Element {
    let lang = use_lang();
    rsx! {
        section { "aria-labelledby": "leaves",
            h2 { id: "leaves", class: "section-title", {lang.t("What each model leaves", "每个模型留下多少")} }
            List { rows: rows(&margins) }
        }
    }
}

#[component]
pub(super) fn List(rows: Vec<Left>) -> Element {
    let lang = use_lang();
    if rows.is_empty() {
        return rsx! { p { class: "mt-5 text-muted", {lang.t("No model was used.", "没有使用任何模型。")} } };
    }
    rsx! {
        ul { class: "rows mt-3",
            for (at, row) in rows.iter().enumerate() { Row { key: "{at}", row: row.clone() } }
        }
    }
}

#[component]
fn Row(row: Left) -> Element {
    let lang = use_lang();
    let Left { model, left, permille } = row;
    let loses = left < Nano::ZERO;
    let (zero, long) = bar(permille);
    let (zero, far, long) = (thousandths(zero), thousandths(1_000 - zero), thousandths(long));
    let style = if loses {
        format!("right:{far};width:{long};background:var(--hurt)")
    } else {
        format!("left:{zero};width:{long};background:var(--chart-2)")
    };
    let kept = percent(permille.saturating_mul(10));
    let name = match model {
        Some(name) if name.is_empty() => Some(lang.t("No model", "无模型").to_owned()),
        other => other,
    };
    let tone = if loses { "text-error" } else { "" };
    let share = if loses { "text-error" } else { "text-muted" };
    rsx! {
        li { class: "grid grid-cols-[minmax(0,1fr)_5rem_3.75rem] sm:grid-cols-[minmax(0,11rem)_1fr_4.5rem_3.75rem] items-center gap-x-3 h-11",
            if let Some(name) = name {
                span { class: "font-medium truncate", title: "{name}", "{name}" }
            } else {
                span { class: "text-muted truncate", {lang.t("Others", "其他")} }
            }
            span { class: "relative h-1.5 max-sm:hidden", "aria-hidden": "true",
                i { class: "absolute w-px bg-line", style: "left:{zero};top:-6px;bottom:-6px" }
                i { class: if loses { "absolute inset-y-0 rounded-s-full" } else { "absolute inset-y-0 rounded-e-full" }, style }
            }
            span { class: "text-right num {tone}", {whole(left)} }
            span { class: "text-right num {share}", "{kept}" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loses_is_told_apart_though_it_is_small() {
        let sums = |n: i64, cost: i64| ModelMargin {
            model: format!("m{n}"),
            revenue: Nano(1_000 - n),
            cost: Nano(cost),
        };
        let mut all: Vec<ModelMargin> = (0..9).map(|n| sums(n, 500)).collect();
        all.push(sums(900, 150));
        let rows = rows(&all);
        assert_eq!(rows.len(), 9, "seven, the one that loses, and the others");
        let last = rows.last().unwrap();
        assert_eq!((last.model.as_deref(), last.left, last.permille), (Some("m900"), Nano(-50), -500));
        let others = rows.iter().find(|row| row.model.is_none()).unwrap();
        assert_eq!(others.left, Nano(993 + 992 - 1_000));
    }

    #[test]
    fn a_bar_stays_on_its_track() {
        assert_eq!(
            (bar(1_000), bar(-5_000), bar(386), bar(0)),
            ((160, 840), (160, 160), (160, 324), (160, 0))
        );
        assert_eq!(left(None, Nano::ZERO, Nano(5)).permille, -1_000);
    }
}
