//! What hurts, on the first page: only when money is lost or many are not served.

use crate::kit::{Icon, use_fmt};
use crate::lang::Lang;
use crate::live::{Place, use_here, use_lang};
use crate::pages::radar::{Actions, icon, sentence, title};
use burncloud_billing::desk::reports::Finding;
use dioxus::prelude::*;

/// The first of them, and how many more there are.
#[component]
pub(super) fn Act(hurt: Vec<Finding>) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let Some(first) = hurt.first().cloned() else { return rsx! {} };
    let more = hurt.len() - 1;
    let (head, text) = (title(&first, lang), sentence(&first, lang, &f));
    let others = match (lang, more) {
        (Lang::En, 1) => "One more thing needs you".to_owned(),
        (Lang::En, n) => format!("{n} more things need you"),
        (Lang::Zh, n) => format!("另有 {n} 件事等你处理"),
    };
    rsx! {
        section { id: "act", class: "mt-8 mx-4 md:mx-auto md:w-[40rem] panel shadow-lift p-4 md:p-5 text-left", "aria-labelledby": "act-title",
            div { class: "flex items-start gap-3.5",
                span { class: "grid place-items-center size-9 rounded-full bg-error/10 text-error shrink-0",
                    Icon { i: icon(&first), class: "size-[1.125rem]" }
                }
                div { class: "min-w-0 grow",
                    h2 { id: "act-title", class: "text-lg font-semibold tracking-[-0.01em] zh:tracking-normal wrap-anywhere", "{head}" }
                    p { class: "mt-0.5 text-muted num wrap-anywhere", "{text}" }
                }
            }
            div { class: "mt-4 sm:ps-[3.125rem]", Actions { finding: first, why: true } }
            if more > 0 {
                p { class: "mt-3 sm:ps-[3.125rem] text-sm", a { class: "link", href: here.href(&Place::at(["radar"])), "{others}" } }
            }
        }
    }
}
