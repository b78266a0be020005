//! What the log says while it has nothing.

use super::bar::clear;
use super::query::Query;
use crate::fmt::{ms, now};
use crate::kit::{Copy, Empty, use_fmt};
use crate::lang::Lang;
use crate::live::{use_conn, use_here, use_lang};
use crate::pages::{PageId, pages_for};
use burncloud_core::{ReceiptId, UnixMicros};
use dioxus::prelude::*;

/// The first request, as a command line.
fn curl(base: Option<&str>, model: &str) -> String {
    let base = base.unwrap_or("$BURNCLOUD_URL");
    let body = serde_json::json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] });
    format!(
        "curl \"{base}/v1/chat/completions\" \\\n  -H \"Authorization: Bearer $BURNCLOUD_KEY\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  -d '{}'",
        body.to_string().replace('\'', "'\\''")
    )
}

/// Nobody asked anything yet: how it is done.
#[component]
pub(super) fn Never(model: Option<String>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let base = conn.console.public_url();
    let text = curl(base, model.as_deref().unwrap_or("MODEL"));
    let mut what = Vec::new();
    if base.is_none() {
        what.push(lang.t("BURNCLOUD_URL is where the gateway listens", "BURNCLOUD_URL 是网关的地址"));
    }
    what.push(lang.t("BURNCLOUD_KEY is one of your keys", "BURNCLOUD_KEY 是您的一把密钥"));
    if model.is_none() {
        what.push(lang.t("MODEL is one that it serves", "MODEL 是它提供的模型"));
    }
    let what = format!("{}{}", what.join(lang.t(", ", "，")), lang.t(".", "。"));
    let access = pages_for(&conn.viewer.actor).contains(&PageId::Access);
    rsx! {
        div { class: "py-12 max-w-[44rem]",
            p { class: "text-muted text-pretty", {lang.t("Send the first one. It shows up here within a second.", "发出第一个请求，一秒之内就会出现在这里。")} }
            div { class: "panel mt-4 relative",
                pre { class: "mono text-sm p-4 pe-12 overflow-x-auto", tabindex: "0", "aria-label": lang.t("Command line", "命令行"), code { "{text}" } }
                span { class: "absolute top-2 end-2", Copy { value: text.clone() } }
            }
            p { class: "mt-3 text-sm text-muted text-pretty", "{what}" }
            if access {
                a { class: "btn btn-quiet btn-sm mt-4", href: conn.href("/access"), {lang.t("To the keys", "前往密钥")} }
            }
        }
    }
}

/// Nothing fits, as far as was looked.
#[component]
pub(super) fn NoMatch(query: Query, searched: Option<UnixMicros>, next: Option<ReceiptId>) -> Element {
    let (lang, here, f) = (use_lang(), use_here(), use_fmt());
    let searched = searched.filter(|_| next.is_some()).map(|at| f.moment(ms(at), now()));
    let text = match (searched, lang) {
        (Some(at), Lang::En) => format!("Nothing since {at}. Look further back, or choose fewer conditions."),
        (Some(at), Lang::Zh) => format!("{at} 以来没有。继续往前找，或减少条件。"),
        (None, _) => lang.t("Try a longer time, or fewer conditions.", "把时间放宽，或减少条件。").to_owned(),
    };
    let clear = here.href(&clear(here.place()));
    let further = next.map(|next| here.href(&query.older(here.place(), next)));
    rsx! {
        Empty { text,
            if let Some(further) = further {
                a { id: "logs-older", class: "btn btn-quiet btn-sm", href: further, {lang.t("Look further back", "继续往前找")} }
            }
            a { id: "logs-clear", class: "btn btn-quiet btn-sm", href: clear, {lang.t("Clear filters", "清除条件")} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_holds_what_a_shell_would_take_apart() {
        let text = curl(Some("https://gateway.example"), "it's");
        assert!(text.starts_with("curl \"https://gateway.example/v1/chat/completions\" \\\n"));
        assert!(text.contains("it'\\''s") && text.ends_with('\''), "{text}");
        assert!(curl(None, "m").contains("\"$BURNCLOUD_URL/v1/"));
    }
}
