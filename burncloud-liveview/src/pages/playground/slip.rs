//! The receipt of an answer.

use super::run::Take;
use crate::kit::Icon;
use crate::live::{Place, use_conn, use_here, use_lang};
use crate::pages::logs::{Eyes, Printed};
use dioxus::prelude::*;

/// The receipt, or why there is none.
#[component]
pub(super) fn Slip(take: Take) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
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
            Printed { view: (*view).clone(), eyes: Eyes::expected(&conn.viewer.actor), class: "text-xs! [&_dl]:gap-x-3" }
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
