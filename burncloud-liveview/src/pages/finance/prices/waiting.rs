//! Published prices that wait for somebody's word.

use crate::fmt::{grouped, now, price};
use crate::kit::{Button, Kind, Toast, use_fmt, use_toasts};
use crate::lang::Lang;
use crate::live::{use_act, use_lang, use_load};
use crate::pages::finance::words::moment;
use burncloud_billing::desk::{WaitingChange, WaitingPrices};
use burncloud_core::Nano;
use dioxus::prelude::*;

/// How many changes are drawn.
const MOST: usize = 100;

#[component]
pub(super) fn Waiting() -> Element {
    let loaded =
        use_load((), |cx, ()| async move { cx.console.desk().waiting_prices(&cx.viewer.actor).await });
    match &*loaded.read() {
        Some(Ok(Some(waiting))) => rsx! { Shown { waiting: waiting.clone() } },
        _ => rsx! {},
    }
}

fn shown(of: Option<Nano>) -> String {
    of.map_or_else(|| "—".to_owned(), price)
}

#[component]
pub(super) fn Shown(waiting: WaitingPrices) -> Element {
    let (lang, f, mut toasts) = (use_lang(), use_fmt(), use_toasts());
    let mut decide = use_act(|cx, (version, yes): (i64, bool)| async move {
        cx.console.desk().decide_prices(&cx.viewer.actor, version, yes).await.map(|()| yes)
    });
    let version = waiting.version;
    let mut say = move |yes: bool| {
        decide.then((version, yes), move |yes| {
            toasts.show(Toast::done(if yes {
                lang.t("The published prices are in force", "公开价格已生效")
            } else {
                lang.t("Put aside", "已搁置")
            }));
        });
    };
    let n = grouped(waiting.changes.len() as u64);
    let when = moment(&f, waiting.fetched_at, now());
    let head = match lang {
        Lang::En => format!("{n} published prices changed and wait for your word"),
        Lang::Zh => format!("{n} 个公开价格有变化，等你确认"),
    };
    let rows: Vec<(String, String, String)> = waiting.changes.iter().take(MOST).map(row).collect();
    rsx! {
        section { class: "panel p-4 mb-6", "aria-labelledby": "waiting",
            div { class: "flex flex-wrap items-center gap-3",
                h2 { id: "waiting", class: "section-title", "{head}" }
                span { class: "ms-auto flex gap-2",
                    Button { id: "waiting-no", small: true, kind: Kind::Ghost, disabled: decide.busy(), onclick: move |_| say(false), {lang.t("Put aside", "搁置")} }
                    Button { id: "waiting-yes", small: true, busy: decide.busy(), onclick: move |_| say(true), {lang.t("Put in force", "生效")} }
                }
            }
            p { class: "mt-1 text-sm text-muted truncate", title: "{waiting.source}", "{when} · {waiting.source}" }
            details { id: "waiting-changes", class: "mt-2",
                summary { class: "cursor-pointer text-sm font-medium", {lang.t("See what changes", "查看变化")} }
                ul { class: "rows mt-2 max-h-80 overflow-y-auto", tabindex: "0", "aria-label": "{head}",
                    for (at, (name, what, change)) in rows.into_iter().enumerate() {
                        li { key: "{at}", class: "flex items-center gap-3 py-2 text-sm",
                            span { class: "font-medium truncate", title: "{name}", "{name}" }
                            span { class: "text-muted", "{what}" }
                            span { class: "ms-auto num whitespace-nowrap", "{change}" }
                        }
                    }
                }
            }
        }
    }
}

fn row(change: &WaitingChange) -> (String, String, String) {
    let name = format!("{}/{}", change.provider, change.model);
    let arrow = match (change.from, change.to) {
        (None, None) => String::new(),
        (from, to) => format!("{} → {}", shown(from), shown(to)),
    };
    (name, change.what.to_owned(), arrow)
}
