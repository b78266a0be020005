//! What somebody sees where there is no page, or none for them.

use crate::kit::Empty;
use crate::live::{use_conn, use_lang};
use dioxus::prelude::*;

#[component]
pub(crate) fn Nothing() -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    rsx! {
        h1 { class: "sr-only", {lang.t("Nothing here", "这里什么也没有")} }
        Empty { text: lang.t("There is no page here, or none for you.", "这里没有页面，或者没有给你看的页面。"),
            icon: "icon-[lucide--compass]",
            a { class: "btn btn-quiet btn-sm", href: conn.href("/"), {lang.t("To the first page", "回到首页")} }
        }
    }
}
