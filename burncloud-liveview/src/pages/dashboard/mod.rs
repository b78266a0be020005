//! How much stayed: the margin over the sun, the tokens as the sea, and nothing else until it is asked for.

mod act;
mod behind;
mod facts;
mod figures;
mod first;
mod kept;
mod margin;
mod own;
mod sea;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use figures::{Figures, Period};

use crate::kit::Broken;
use crate::live::{use_conn, use_here, use_lang, use_load, use_turns_after};
use burncloud_billing::desk::reports::View;
use burncloud_billing::people::{Action, Place, may};
use dioxus::prelude::*;
use figures::Glance;
use std::sync::Arc;
use std::time::Duration;

/// Between two readings where many see the same, and where somebody sees their own.
const SHARED: Duration = Duration::from_secs(5);
const ALONE: Duration = Duration::from_secs(15);
/// Until what the page opened with is read anew.
const SOON: Duration = Duration::from_millis(200);

#[component]
pub(crate) fn Dashboard() -> Element {
    let (conn, here) = (use_conn(), use_here());
    let period = Period::of(here.get("span").as_deref());
    let house = conn.viewer.actor.may_in_house(Action::SeeMoney);
    let turn = use_turns_after(SOON, if house { SHARED } else { ALONE });
    let mut glance = use_load((period, turn()), |cx, (period, turn)| async move {
        let figures = cx.console.figures();
        if turn == 0 { figures.opening(&cx, period).await } else { figures.glance(&cx, period).await }
    });
    // Bound, so that what was read is not borrowed when the page is drawn.
    let page = match &*glance.read() {
        None => rsx! { Waiting {} },
        Some(Err(fault)) => {
            rsx! { Broken { fault: fault.clone(), onretry: move |_| glance.reload() } }
        }
        Some(Ok(glance)) => rsx! { Seen { glance: glance.clone(), period } },
    };
    page
}

/// What was read, as whoever looks may see it.
#[component]
fn Seen(glance: Arc<Glance>, period: Period) -> Element {
    let here = use_here();
    let own = matches!(glance.books.view, View::EndUser(_));
    let behind = here.get("behind").is_some();
    match (own, glance.begun) {
        (true, _) => rsx! { own::Own { glance } },
        (false, Some(begun)) => rsx! { first::First { begun } },
        (false, None) => rsx! { margin::Margin { glance, period, behind } },
    }
}

/// The outline of the page while it is read for the first time.
#[component]
fn Waiting() -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let money = may(conn.viewer.actor.role, Action::SeeMoney, Place::Own);
    rsx! {
        div { class: "grow flex flex-col", "aria-busy": "true",
            p { class: "sr-only", role: "status", {lang.t("Loading", "加载中")} }
            div { class: "grow flex flex-col items-center justify-center gap-5 py-10",
                h1 { class: "text-base text-muted font-normal",
                    {if money { lang.t("Net margin", "净利") } else { lang.t("Balance", "余额") }}
                }
                span { class: "skeleton h-20 w-72 md:w-[28rem] max-w-[80vw] block" }
                span { class: "skeleton h-4 w-56 block" }
            }
            div { class: "grid md:grid-cols-3 border-t border-line max-md:divide-y md:divide-x divide-line",
                for n in 0..3 {
                    div { key: "{n}", class: "py-5 md:py-6 px-4 md:px-8 xl:px-10 grid gap-2",
                        span { class: "skeleton h-3 w-24 block" }
                        span { class: "skeleton h-6 w-20 block" }
                    }
                }
            }
        }
    }
}
