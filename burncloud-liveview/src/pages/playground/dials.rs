//! What stands beside a conversation: the dials, what was sent and came back, the receipt.

use super::chat::shown;
use super::slip::Slip;
use super::speech::{Speech, Think, tools};
use super::terms::{Chosen, format, formats};
use super::{Room, Typed};
use crate::kit::{Choice, Copy, Dot, Hint, Icon, Select, Tone};
use crate::live::{use_conn, use_here, use_lang};
use burncloud_billing::desk::KeyView;
use dioxus::prelude::*;
use std::rc::Rc;

/// How much of what came back is drawn while more comes, in bytes.
const TAIL: usize = 4 << 10;

/// Which of the three.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rail {
    Dials,
    Raw,
    Receipt,
}

/// The three of them; `within` tells the ids of two on one page apart.
#[component]
pub(super) fn Side(
    within: &'static str,
    room: Room,
    keys: Rc<Vec<KeyView>>,
    chosen: Rc<Chosen>,
    model: String,
) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let rail = Rail::of(here.get("tab").as_deref());
    let tabs = [
        (Rail::Dials, "", lang.t("Dials", "旋钮")),
        (Rail::Raw, "raw", lang.t("Raw", "原文")),
        (Rail::Receipt, "receipt", lang.t("Receipt", "小票")),
    ];
    rsx! {
        nav { class: "tabs tabs-border px-5 shrink-0", "aria-label": lang.t("Dials, raw and receipt", "旋钮、原文与小票"),
            for (one, code, label) in tabs {
                a { key: "{code}", id: "{within}-tab-{code}", href: here.with("tab", code), class: if one == rail { "tab tab-active" } else { "tab" },
                    "aria-current": if one == rail { "page" }, "{label}"
                }
            }
        }
        match rail {
            Rail::Dials => rsx! { Dials { within, typed: room.typed, keys, chosen, model } },
            Rail::Raw => rsx! { Raw { room } },
            Rail::Receipt => rsx! { Receipt { room } },
        }
    }
}

/// A range that sends nothing until it is moved.
#[component]
fn Dial(
    id: String,
    label: String,
    part: &'static str,
    min: u32,
    max: u32,
    step: u32,
    start: u32,
    shown: Option<String>,
) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    let own = shown.is_none();
    let value: u32 = here.parsed(part).unwrap_or(start);
    rsx! {
        div { class: "block",
            div { class: "flex items-center justify-between",
                label { r#for: "{id}", class: "label-text p-0!", "{label}" }
                span { class: "num text-sm text-muted flex items-center gap-1",
                    if let Some(shown) = shown { "{shown}" } else { {lang.t("its own", "默认")} }
                    if !own {
                        button { r#type: "button", class: "btn btn-ghost btn-xs btn-square", "aria-label": lang.t("Back to its own", "恢复默认"),
                            onclick: move |_| { let place = here.place(); here.replace(place.with(part, "")); },
                            Icon { i: "icon-[lucide--x]", class: "size-3" }
                        }
                    }
                }
            }
            // Drawn anew when it is let go of, so that it goes back to where it was.
            for own in [own] {
                input { key: "{own}", id: "{id}", r#type: "range", class: "range range-xs w-full mt-2 text-ink", min: "{min}", max: "{max}", step: "{step}",
                    initial_value: "{value}", "data-debounce": "80",
                    oninput: move |event| { let place = here.place(); here.replace(place.with(part, event.value())); },
                }
            }
        }
    }
}

fn parts(value: u32, of: u32) -> String {
    let digits = if of == 10 { 1 } else { 2 };
    format!("{}.{:0digits$}", value / of, value % of)
}

#[component]
fn Dials(
    within: &'static str,
    typed: Typed,
    keys: Rc<Vec<KeyView>>,
    chosen: Rc<Chosen>,
    model: String,
) -> Element {
    let (lang, conn, mut here) = (use_lang(), use_conn(), use_here());
    let mut typed = typed;
    let place = here.place();
    let key = chosen.key.key.id.0.to_string();
    let me = conn.viewer.actor.user;
    let name = |view: &KeyView| {
        let own = me == Some(view.key.user);
        if own { view.key.name.clone() } else { format!("{} · {}", view.user_name, view.key.name) }
    };
    let choices: Vec<Choice> =
        keys.iter().map(|view| Choice::new(view.key.id.0.to_string(), name(view))).collect();
    let think = |think: Think| match think {
        Think::Own => lang.t("Its own way", "默认"),
        Think::Low => lang.t("A little", "少"),
        Think::Medium => lang.t("Some", "中"),
        Think::High => lang.t("A lot", "多"),
    };
    let thinks: Vec<Choice> = Think::ALL.map(|one| Choice::new(one.code(), think(one))).into();
    let gateway = conn.console.gateway();
    let speeches = gateway.map(|gateway| formats(gateway, &model)).unwrap_or_default();
    let speech = gateway.map(|gateway| format(gateway, &place, &model)).unwrap_or_default();
    let speeches: Vec<Choice> = speeches.into_iter().map(|one| Choice::new(one.code(), one.name())).collect();
    let wrong = tools(&typed.tools.read()).err();
    let described = format!("{within}-tools-{}", if wrong.is_some() { "error" } else { "hint" });
    let invalid = if wrong.is_some() { "true" } else { "false" };
    let most = if speech == Speech::Messages { 10 } else { 20 };
    let foreign = me != Some(chosen.key.key.user);
    let (system, functions) = (typed.system.peek().clone(), typed.tools.peek().clone());
    let ranged = place.parsed::<u32>("t").filter(|t| *t <= 20).map(|t| parts(t, 10));
    let likely = place.parsed::<u32>("p").filter(|p| *p <= 100).map(|p| parts(p, 100));
    let longest = place.parsed::<u32>("max").map(|max| crate::fmt::grouped(max.into()));
    rsx! {
        div { class: "p-5 grid gap-5",
            Select { id: "{within}-key", label: lang.t("Which key pays", "用哪把密钥付费"), choices, value: key,
                hint: foreign.then(|| lang.t("Somebody else's: its use is written down.", "这是别人的密钥：使用会记入审计。").to_owned()),
                onchange: move |key: String| { let place = here.place(); here.go(place.with("k", key)); },
            }
            div { class: "block",
                label { r#for: "{within}-system", class: "label-text block", {lang.t("Who it should be", "扮演谁")} }
                textarea { id: "{within}-system", class: "textarea w-full", rows: "3", maxlength: "20000", initial_value: "{system}", "data-debounce": "250",
                    oninput: move |event| typed.system.set(event.value()),
                }
            }
            Dial { id: "{within}-temperature", label: lang.t("Imagination", "想象力"), part: "t", min: 0, max: most, step: 1, start: 10, shown: ranged }
            Dial { id: "{within}-longest", label: lang.t("Longest answer", "最长回答"), part: "max", min: 256, max: 16_384, step: 256, start: 4096, shown: longest }
            Select { id: "{within}-think", label: lang.t("Think first", "先想再答"), choices: thinks, value: place.get("think").unwrap_or_default(),
                hint: lang.t("Slower, better at hard things; not every model can", "慢一点，难题更稳；不是每个模型都会").to_owned(),
                onchange: move |think: String| { let place = here.place(); here.replace(place.with("think", think)); },
            }
            details { id: "{within}-more", class: "group",
                summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded",
                    Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                    {lang.t("More dials", "更多旋钮")}
                }
                div { class: "grid gap-5 pt-4",
                    Select { id: "{within}-speech", label: lang.t("Spoken to as", "用哪种格式"), choices: speeches, value: speech.code(),
                        onchange: move |speech: String| { let place = here.place(); here.go(place.with("d", speech)); },
                    }
                    Dial { id: "{within}-top-p", label: lang.t("Likely words only", "只用常见词"), part: "p", min: 5, max: 100, step: 5, start: 100, shown: likely }
                    div { class: "block",
                        label { r#for: "{within}-tools", class: "label-text block", {lang.t("Functions it may call", "可调用的函数")} }
                        textarea { id: "{within}-tools", class: "textarea w-full mono text-xs!", rows: "5", maxlength: "20000", initial_value: "{functions}", spellcheck: "false",
                            placeholder: "[{{\"name\": \"weather\", \"description\": \"…\", \"parameters\": {{…}}}}]", "data-debounce": "250",
                            "aria-invalid": invalid, "aria-describedby": described,
                            oninput: move |event| typed.tools.set(event.value()),
                        }
                        Hint { id: "{within}-tools", error: wrong,
                            hint: lang.t("A JSON list. What they answer, you type.", "JSON 数组。函数的返回由你填写。").to_owned(),
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Nothing() -> Element {
    let lang = use_lang();
    rsx! { p { class: "p-5 text-muted", {lang.t("Nothing was sent yet.", "还没有发出请求。")} } }
}

/// What was sent and what came back, as it was.
#[component]
fn Raw(room: Room) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let Some(turn) = shown(&room.chat.turns.read(), here.parsed("turn")) else { return rsx! { Nothing {} } };
    let take = turn.take;
    let busy = take.busy();
    let from = if busy { take.raw.len().saturating_sub(TAIL) } else { 0 };
    let from = (from..=take.raw.len()).find(|at| take.raw.is_char_boundary(*at)).unwrap_or_default();
    let raw = &take.raw[from..];
    let status = take.status;
    let tone = if status.is_some_and(|status| status < 400) { Tone::Good } else { Tone::Bad };
    rsx! {
        div { class: "p-5 grid gap-5 min-w-0",
            section { class: "min-w-0",
                div { class: "flex items-center justify-between",
                    h2 { class: "eyebrow", {lang.t("We sent", "发出")} }
                    Copy { value: take.sent.to_string() }
                }
                pre { class: "mono mt-1.5 rounded-xl bg-fill p-4 overflow-x-auto text-xs! leading-5", tabindex: "0", "{take.sent}" }
            }
            section { class: "min-w-0",
                div { class: "flex items-center justify-between",
                    h2 { class: "eyebrow flex items-center gap-2",
                        {lang.t("Came back", "收到")}
                        if let Some(status) = status { span { class: "inline-flex items-center gap-1.5 num", Dot { tone } "{status}" } }
                    }
                    if !busy { Copy { value: take.raw.clone() } }
                }
                pre { class: "mono mt-1.5 rounded-xl bg-fill p-4 overflow-x-auto text-xs! leading-5", tabindex: "0",
                    if from > 0 { "…\n" }
                    "{raw}"
                }
            }
        }
    }
}

#[component]
fn Receipt(room: Room) -> Element {
    let here = use_here();
    match shown(&room.chat.turns.read(), here.parsed("turn")) {
        Some(turn) => rsx! { div { class: "p-5", Slip { take: turn.take } } },
        None => rsx! { Nothing {} },
    }
}
