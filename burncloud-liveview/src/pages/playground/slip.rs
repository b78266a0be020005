//! The receipt of an answer.

use super::run::Take;
use super::words;
use crate::fmt::{charge, grouped, price};
use crate::kit::{Icon, ReceiptBox, ReceiptLine, ReceiptSum};
use crate::live::{Place, use_here, use_lang};
use burncloud_billing::desk::reports::{ReceiptView, Seal};
use burncloud_core::LineKind;
use dioxus::prelude::*;

/// The receipt, or why there is none.
#[component]
pub(super) fn Slip(take: Take) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let Some(id) = take.receipt_id else {
        let text = if take.busy() {
            lang.t("The receipt comes with the answer.", "小票随回答而来。")
        } else {
            lang.t(
                "This was stopped or failed before it had a receipt's number. Logs have it.",
                "在拿到小票编号之前就停下或失败了，可在日志中查看。",
            )
        };
        return rsx! { p { class: "text-muted", "{text}" } };
    };
    let log = here.href(&Place::at(["logs"]).with("open", id));
    rsx! {
        if let Some(view) = take.receipt.clone() {
            Printed { view: (*view).clone() }
        } else {
            div { class: "flex items-center gap-2 text-muted", role: "status",
                span { class: "loading loading-spinner size-4", "aria-hidden": "true" }
                {lang.t("Being written", "正在写入")}
            }
        }
        a { id: "play-to-log", href: log, class: "link inline-flex items-center gap-1 mt-4 text-sm",
            {lang.t("Follow it in Logs", "在日志中查看")}
            Icon { i: "icon-[lucide--arrow-right]", class: "size-3.5" }
        }
    }
}

#[component]
fn Printed(view: ReceiptView) -> Element {
    let lang = use_lang();
    let tokens = |kind| {
        !matches!(
            kind,
            LineKind::Piece
                | LineKind::Request
                | LineKind::WebSearch
                | LineKind::FileSearch
                | LineKind::CodeSession
                | LineKind::AudioTime
                | LineKind::VideoTime
        )
    };
    let lines = view.lines.iter().map(|line| {
        let units = grouped(line.units);
        let rate = if tokens(line.kind) { format!("{units} × {}/M", price(line.price)) } else { units };
        ReceiptLine { name: words::line(lang, line.kind).to_owned(), rate, amount: charge(line.amount) }
    });
    let sum = |name: &str, amount, class| ReceiptSum { name: name.to_owned(), amount: charge(amount), class };
    let mut sums = vec![sum(lang.t("Charged", "收取"), view.row.charge, "font-semibold")];
    if let Some(cost) = view.row.cost {
        sums.push(sum(lang.t("Cost", "成本"), cost, "text-muted"));
    }
    if let Some(margin) = view.row.margin {
        let lost = margin.0 < 0;
        let (name, class) = if lost {
            (lang.t("You lose", "净亏"), "text-error")
        } else {
            (lang.t("You keep", "净利"), "text-success")
        };
        sums.push(sum(name, margin, class));
    }
    let signed = match &view.seal {
        Seal::Verified { signature, .. } => Some(format!("{}…", signature.get(..8).unwrap_or_default())),
        Seal::None | Seal::Broken => None,
    };
    rsx! {
        ReceiptBox { class: "text-xs! [&_dl]:gap-x-3", number: view.row.id.to_string(), lines: lines.collect::<Vec<_>>(), sums,
            foot: vec![words::counted(lang, view.usage_source).to_owned()], signed,
        }
    }
}
