//! A finding that needs somebody.

use super::actions::Actions;
use super::read::Found;
use super::words::{icon, sentence, since, title};
use crate::fmt::now;
use crate::kit::{Icon, Locator, use_fmt};
use crate::live::{use_conn, use_lang};
use crate::pages::reasons::{places, reason};
use burncloud_billing::desk::reports::{Fault, Hop, Kind, Severity};
use burncloud_billing::people::Action;
use dioxus::prelude::*;

#[component]
pub(super) fn Card(found: Found) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let Found { finding, said } = found;
    let tone = match finding.severity {
        Severity::Hurt => "grid place-items-center size-10 rounded-full shrink-0 bg-error/10 text-error",
        _ => "grid place-items-center size-10 rounded-full shrink-0 bg-warning/12 text-warning",
    };
    let id = format!("finding-{}", finding.id);
    let fault = match &finding.kind {
        Kind::Errors { fault, .. } => Some(*fault),
        _ => None,
    };
    let since = since(&finding, lang, &f, now());
    let (head, text) = (title(&finding, lang), sentence(&finding, lang, &f));
    rsx! {
        article { class: "panel p-5 md:p-6", "aria-labelledby": "{id}",
            div { class: "flex items-start gap-4",
                span { class: tone, Icon { i: icon(&finding), class: "size-5" } }
                div { class: "min-w-0 grow",
                    div { class: "flex flex-wrap items-baseline justify-between gap-x-4",
                        h2 { id: "{id}", class: "text-lg font-semibold tracking-[-0.01em] zh:tracking-normal wrap-anywhere", "{head}" }
                        span { class: "text-sm text-muted num whitespace-nowrap", "{since}" }
                    }
                    p { class: "mt-1 text-muted max-w-[40rem] text-pretty wrap-anywhere num", "{text}" }
                    if let Some(fault) = fault { div { class: "mt-4", Where { fault } } }
                    div { class: "mt-5", Actions { finding: finding.clone() } }
                    if !said.is_empty() { Said { said } }
                }
            }
        }
    }
}

/// Where the fault lies. Whoever does not see accounts is told of three places.
#[component]
pub(super) fn Where(fault: Fault) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let house = conn.viewer.actor.may_in_house(Action::SeeMoney);
    let (places, at) = places(lang, fault, house);
    rsx! { Locator { places, at } }
}

/// What each account answered to the newest request.
#[component]
fn Said(said: Vec<Hop>) -> Element {
    let lang = use_lang();
    let line = |hop: &Hop| {
        let name = hop.name.as_deref().unwrap_or("—");
        let status = hop.status.map(|status| status.to_string()).unwrap_or_else(|| "—".to_owned());
        let reason = hop.reason.map(|why| reason(lang, why)).unwrap_or_default();
        format!("{name}  {status}  {reason}")
    };
    let text = said.iter().map(line).collect::<Vec<_>>().join("\n");
    rsx! {
        details { class: "mt-4 group",
            summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-base-content rounded",
                Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                {lang.t("What the provider said", "平台的原话")}
            }
            pre { class: "mono mt-2 rounded-lg bg-fill px-4 py-3 overflow-x-auto text-xs!", tabindex: "0", "{text}" }
        }
    }
}
