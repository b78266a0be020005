//! The rows as a file.

use crate::kit::Icon;
use crate::lang::Lang;
use crate::live::{use_conn, use_here, use_lang};
use crate::web::EXPORT_MOST;
use dioxus::prelude::*;

/// Files of what is chosen, from its first page on. A script shows how far it is; without it the browser does.
#[component]
pub(super) fn Export() -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let place = here.place().without(&["page", "open", "live"]);
    let search = place.to_string();
    let search = search.split_once('?').map_or("", |(_, search)| search);
    let href = |format: &str| {
        let and = if search.is_empty() { "" } else { "&" };
        conn.href(&format!("/logs/export?format={format}{and}{search}"))
    };
    let most = crate::fmt::grouped(EXPORT_MOST as u64);
    let note = match lang {
        Lang::En => format!("What you chose, the newest {most} at most."),
        Lang::Zh => format!("按当前条件，最多最新的 {most} 条。"),
    };
    let item = |name: &'static str, format: &'static str, file: &'static str| {
        rsx! {
            li { a { class: "menu-item", href: href(format), download: file, "{name}" } }
        }
    };
    rsx! {
        x-download { class: "inline-flex items-center gap-2", "data-busy": lang.t("{n} rows", "{n} 条"), "data-done": lang.t("{n} rows saved", "已保存 {n} 条"),
            "data-failed": lang.t("The file broke off. Try again.", "文件中断，请重试。"),
            span { "data-said": "1", role: "status", class: "text-sm text-muted num" }
            x-menu { class: "relative inline-block",
                details {
                    summary { id: "logs-export", class: "btn btn-quiet btn-sm list-none",
                        Icon { i: "icon-[lucide--download]", class: "size-3.5" }
                        {lang.t("Export", "导出")}
                    }
                    ul { class: "menu-pop max-md:start-0! max-md:end-auto!",
                        {item("CSV", "csv", "requests.csv")}
                        {item("NDJSON", "ndjson", "requests.ndjson")}
                        li { class: "px-3 py-1.5 text-sm text-muted text-pretty", "{note}" }
                    }
                }
            }
        }
    }
}
