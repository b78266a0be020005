//! Every price that was set in a book.

use super::edit::{State, since};
use super::rule::words;
use crate::kit::{Broken, Drawer, Empty, Loading, use_fmt};
use crate::live::{use_here, use_lang, use_load};
use burncloud_billing::desk::RuleView;
use burncloud_core::TenantId;
use dioxus::prelude::*;

/// How many are drawn.
const MOST: usize = 200;

#[component]
pub(super) fn Rules(book: Option<TenantId>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let loaded = use_load(book, |cx, book| async move {
        cx.console.desk().price_rules(&cx.viewer.actor, book, true).await
    });
    let body = match &*loaded.read() {
        None => rsx! { Loading { rows: 6, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(rules)) => rsx! { List { rules: rules.clone() } },
    };
    let onclose = move |()| {
        let mut here = here;
        let place = here.place().with("sheet", "");
        here.go(place);
    };
    rsx! { Drawer { id: "rules", title: lang.t("Every price that was set", "所有设置过的价格"), onclose, {body} } }
}

#[component]
pub(super) fn List(rules: Vec<RuleView>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    if rules.is_empty() {
        return rsx! { Empty { text: lang.t("No price was set here yet.", "这里还没有设置过价格。") } };
    }
    let rows = rules.iter().take(MOST).map(|view| {
        let rule = &view.rule;
        let mut of = match rule.model.as_str() {
            "" => lang.t("The whole book", "整本价目").to_owned(),
            "*" => lang.t("All others", "其余模型").to_owned(),
            name => name.to_owned(),
        };
        if let Some(channel) = rule.channel {
            of = format!("{of} · {} {channel}", lang.t("account", "账号"));
        }
        (rule.version, of, words(&rule.rates, lang), view.state, since(rule.effective_at, &f, lang))
    });
    let rows: Vec<_> = rows.collect();
    rsx! {
        ul { class: "rows mt-4",
            for (version, of, said, state, from) in rows {
                li { key: "{version}", class: "py-3",
                    p { class: "flex items-center gap-3",
                        span { class: "font-medium truncate", title: "{of}", "{of}" }
                        span { class: "ms-auto", State { state } }
                    }
                    p { class: "text-sm text-muted num flex gap-3", "{said}" span { class: "ms-auto whitespace-nowrap", "{from}" } }
                }
            }
        }
    }
}
