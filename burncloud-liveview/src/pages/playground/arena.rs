//! One question to two models, side by side.

use super::chat::{Answer, Mine};
use super::composer::Composer;
use super::run::Take;
use super::speech::{Ask, Words};
use super::talk::Talk;
use super::terms::{Chosen, chosen, terms};
use super::{Bar, HEIGHT, Models, Room};
use crate::fmt::{charge, millis};
use crate::kit::Icon;
use crate::live::{Place, use_conn, use_here, use_lang};
use burncloud_billing::desk::KeyView;
use dioxus::prelude::*;
use std::cmp::Ordering;
use std::rc::Rc;

fn take(talk: Talk) -> Option<Take> {
    talk.turns.read().last().map(|turn| turn.take.clone())
}

/// What of the two answers is better on the left (`Less`), on the right (`Greater`), or neither: the first word, the
/// speed, the cost.
pub(super) fn better(left: Option<&Take>, right: Option<&Take>) -> [Ordering; 3] {
    fn less<T: Ord>(left: Option<T>, right: Option<T>) -> Ordering {
        left.zip(right).map_or(Ordering::Equal, |(left, right)| left.cmp(&right))
    }
    let first = |take: Option<&Take>| take.and_then(|take| take.first_ms);
    let speed = |take: Option<&Take>| take.and_then(Take::speed);
    let cost = |take: Option<&Take>| take.and_then(|take| take.receipt.as_ref()).map(|view| view.row.charge);
    [
        less(first(left), first(right)),
        less(speed(left), speed(right)).reverse(),
        less(cost(left), cost(right)),
    ]
}

#[component]
pub(super) fn Arena(room: Room, keys: Rc<Vec<KeyView>>) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let ask = use_memo(move || room.left.turns.read().last().map(|turn| turn.ask.clone()));
    let place = here.place();
    let gateway = conn.console.gateway();
    let Some(chosen) = gateway.and_then(|gateway| chosen(gateway, &keys, &place)).map(Rc::new) else {
        return rsx! {};
    };
    let (left, right) = (chosen.model(&place, "m", 0), chosen.model(&place, "n", 1));
    let busy = room.left.busy() || room.right.busy();
    let back = here.href(&Place::at(["playground"]).with("k", here.get("k").unwrap_or_default()));
    rsx! {
        div { class: "{HEIGHT} max-md:h-auto! max-md:min-h-[calc(100dvh-8rem)]",
            Bar { arena: true,
                span { class: "ms-auto text-sm text-muted truncate max-sm:hidden",
                    {lang.t("Paid by ", "付费密钥 ")}
                    a { class: "link", href: back, "{chosen.key.key.name}" }
                }
            }
            if let Some(ask) = ask() {
                div { class: "px-4 md:px-8 xl:px-10 pt-6", Mine { ask } }
            }
            div { class: "grid md:grid-cols-2 grow min-h-0 mt-4 md:divide-x max-md:divide-y divide-line border-y border-line",
                Half { id: "play-left", part: "m", talk: room.left, other: room.right, chosen: chosen.clone(), model: left.clone(), first: true }
                Half { id: "play-right", part: "n", talk: room.right, other: room.left, chosen: chosen.clone(), model: right.clone(), first: false }
            }
            div { class: "mx-auto w-full max-w-[46rem] px-4 md:px-8 py-4",
                Write { room, chosen, left, right, busy }
            }
        }
    }
}

#[component]
fn Write(room: Room, chosen: Rc<Chosen>, left: String, right: String, busy: bool) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let mut nonce = use_signal(|| 0_u64);
    let none = chosen.models.is_empty();
    let client = conn.client.clone();
    let send = move |words: Words| {
        let Some(gateway) = conn.console.gateway() else { return };
        let place = here.place();
        for (mut talk, model) in [(room.left, &left), (room.right, &right)] {
            talk.clear();
            talk.say(terms(gateway, &chosen, &place, model.clone(), room.typed), Ask::Text(words.clone()));
        }
        nonce += 1;
        if let Some(client) = &client {
            client.focus("play-prompt");
        }
    };
    let stop = move |()| {
        room.left.stop();
        room.right.stop();
    };
    rsx! {
        Composer { text: String::new(), nonce: nonce(), hint: lang.t("Same question for both", "同一个问题问两边"), busy, disabled: none, attached: room.attached, onsend: send, onstop: stop }
    }
}

/// One of the two.
#[component]
fn Half(
    id: &'static str,
    part: &'static str,
    talk: Talk,
    other: Talk,
    chosen: Rc<Chosen>,
    model: String,
    first: bool,
) -> Element {
    let lang = use_lang();
    let (mine, theirs) = (take(talk), take(other));
    let better = better(mine.as_ref(), theirs.as_ref()).map(|order| order == Ordering::Less);
    fn none() -> String {
        "—".to_owned()
    }
    let word = mine.as_ref().and_then(|take| take.first_ms).map_or_else(none, millis);
    let speed = mine.as_ref().and_then(Take::speed).map(|speed| speed.to_string());
    let cost = mine
        .as_ref()
        .and_then(|take| take.receipt.as_ref())
        .map_or_else(none, |view| charge(view.row.charge));
    let busy = talk.busy() || other.busy();
    let heading = if first { lang.t("Left", "左边") } else { lang.t("Right", "右边") };
    let named = format!("{heading}: {model}");
    rsx! {
        section { class: "flex flex-col min-w-0 min-h-0", "aria-label": named,
            div { class: "flex items-center gap-2 px-4 md:px-8 xl:px-10 py-3",
                Models { id, part, chosen, model, disabled: busy }
            }
            div { class: "grow overflow-y-auto px-4 md:px-8 xl:px-10 pb-6 min-h-24", tabindex: "0", role: "log", "aria-label": "{heading}",
                if let Some(take) = mine {
                    if take.busy() && take.first_ms.is_none() {
                        p { class: "inline-flex items-center gap-2 text-muted text-sm", role: "status",
                            span { class: "pulse", "aria-hidden": "true" }
                            {lang.t("Waiting for the first word", "等待首字")}
                        }
                    }
                    Answer { take }
                }
            }
            div { class: "grid grid-cols-3 border-t border-line py-3.5 shrink-0",
                Metric { name: lang.t("First word", "首字"), value: word, better: better[0] }
                Metric { name: lang.t("Speed", "速度"), value: speed.clone().unwrap_or_else(none), unit: speed.map(|_| lang.t("tok/s", "token/秒")), better: better[1] }
                Metric { name: lang.t("Cost", "花费"), value: cost, better: better[2] }
            }
        }
    }
}

#[component]
fn Metric(
    name: &'static str,
    value: String,
    better: bool,
    #[props(default)] unit: Option<&'static str>,
) -> Element {
    let lang = use_lang();
    let weight = if better { "font-semibold" } else { "text-muted" };
    rsx! {
        div { class: "text-center",
            p { class: "text-xs text-muted", "{name}" }
            p { class: "num mt-0.5 md:text-lg whitespace-nowrap {weight}",
                "{value}"
                if let Some(unit) = unit { " " span { class: "text-xs font-normal text-muted", "{unit}" } }
                if better {
                    span { class: "sr-only", {lang.t(" better", " 更好")} }
                    Icon { i: "icon-[lucide--crown]", class: "size-3.5 ms-1 md:ms-1.5 -mt-0.5 align-middle text-care inline-block" }
                }
            }
        }
    }
}
