//! A conversation with one model.

use super::composer::Composer;
use super::dials::{Rail, Side};
use super::run::{State, Take};
use super::speech::{Ask, Call, Picture, Words};
use super::talk::Turn;
use super::terms::{Chosen, chosen, terms};
use super::{Bar, HEIGHT, Models, Room, words};
use crate::fmt::charge;
use crate::kit::{Copy, Dot, Drawer, Icon, Markdown, Tile, Toast, Tone, use_toasts};
use crate::live::{Conn, Fault, use_conn, use_here, use_lang};
use burncloud_billing::desk::KeyView;
use dioxus::prelude::*;
use std::rc::Rc;

const TEXT: &str = "prose-sm text-[0.9375rem] leading-7 text-ink prose-headings:text-ink prose-strong:text-ink prose-p:my-3 first:prose-p:mt-0 marker:text-faint";
const STAT: &str = "mt-3 flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted num";

#[component]
pub(super) fn Chat(room: Room, keys: Rc<Vec<KeyView>>) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let mut toasts = use_toasts();
    let draft = use_signal(|| (0_u64, String::new()));
    let place = here.place();
    let gateway = conn.console.gateway();
    let Some(chosen) = gateway.and_then(|gateway| chosen(gateway, &keys, &place)) else {
        return rsx! {};
    };
    let chosen = Rc::new(chosen);
    let model = chosen.model(&place, "m", 0);
    let mut talk = room.chat;
    let rail = here.with("rail", 1);
    let mut away = here;
    rsx! {
        div { class: HEIGHT,
            Bar { arena: false,
                Models { id: "play-model", part: "m", chosen: chosen.clone(), model: model.clone() }
                span { class: "ms-auto flex items-center",
                    a { id: "play-dials", href: rail, class: "btn btn-ghost btn-sm btn-square lg:hidden", "aria-label": lang.t("Dials", "旋钮"),
                        Icon { i: "icon-[lucide--sliders-horizontal]" }
                    }
                    button { id: "play-clear", r#type: "button", class: "btn btn-ghost btn-sm", onclick: move |_| {
                            let gone = talk.clear();
                            if !gone.is_empty() {
                                let told = Toast::done(lang.t("Conversation cleared", "对话已清空"));
                                toasts.show(told.undo(move |_| {
                                    let mut talk = talk;
                                    talk.bring_back(&gone);
                                    async { Ok::<(), Fault>(()) }
                                }));
                            }
                        },
                        Icon { i: "icon-[lucide--eraser]", class: "size-3.5" }
                        span { class: "max-sm:sr-only", {lang.t("Clear", "清空")} }
                    }
                }
            }
            div { class: "flex grow min-h-0",
                div { class: "flex flex-col grow min-w-0 min-h-0",
                    // Turned around, so that what is new is in sight without a script.
                    div { class: "grow overflow-y-auto flex flex-col-reverse", tabindex: "0", role: "log", "aria-label": lang.t("Conversation", "对话"),
                        Thread { room, chosen: chosen.clone(), model: model.clone(), draft }
                    }
                    div { class: "mx-auto w-full max-w-[46rem] px-4 md:px-8 pb-4 pt-2 shrink-0",
                        Write { room, chosen: chosen.clone(), model: model.clone(), draft }
                    }
                }
                aside { class: "border-s border-line w-[21rem] shrink-0 max-lg:hidden flex flex-col min-h-0 overflow-y-auto",
                    "aria-label": lang.t("Dials, raw and receipt", "旋钮、原文与小票"),
                    Side { within: "play", room, keys: keys.clone(), chosen: chosen.clone(), model: model.clone() }
                }
            }
        }
        if here.get("rail").is_some() {
            Drawer { id: "play-rail", title: lang.t("Dials, raw and receipt", "旋钮、原文与小票"),
                onclose: move |()| { let place = away.place(); away.go(place.without(&["rail"])); },
                Side { within: "sheet", room, keys, chosen, model }
            }
        }
    }
}

/// The field below.
#[component]
fn Write(room: Room, chosen: Rc<Chosen>, model: String, draft: Signal<(u64, String)>) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let (talk, mut draft) = (room.chat, draft);
    let (nonce, text) = draft.read().clone();
    let fresh = talk.turns.read().is_empty();
    let none = chosen.models.is_empty();
    let client = conn.client.clone();
    let send = move |words: Words| {
        let Some(gateway) = conn.console.gateway() else { return };
        talk.say(terms(gateway, &chosen, &here.place(), model.clone(), room.typed), Ask::Text(words));
        let nonce = draft.peek().0 + 1;
        draft.set((nonce, String::new()));
        if let Some(client) = &client {
            client.focus("play-prompt");
        }
    };
    let hint = if fresh { lang.t("Ask anything", "问点什么") } else { lang.t("Ask again", "继续问") };
    rsx! { Composer { text, nonce, hint, busy: talk.busy(), disabled: none, attached: room.attached, onsend: send, onstop: move |()| talk.stop() } }
}

#[component]
fn Thread(room: Room, chosen: Rc<Chosen>, model: String, draft: Signal<(u64, String)>) -> Element {
    let talk = room.chat;
    if talk.turns.read().is_empty() {
        return rsx! { Hello { chosen, model, draft } };
    }
    let last = talk.turns.read().last().map(|turn| turn.id);
    rsx! {
        div { class: "mx-auto w-full max-w-[46rem] px-4 md:px-8 py-6 grid gap-8 mb-auto",
            for turn in talk.turns.read().iter().cloned() {
                OneTurn { key: "{turn.id}", last: Some(turn.id) == last, turn, room, chosen: chosen.clone(), model: model.clone(), draft }
            }
        }
    }
}

/// What stands there before anything was said.
#[component]
fn Hello(chosen: Rc<Chosen>, model: String, draft: Signal<(u64, String)>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let ideas = [
        ("Write a haiku about rain on a tin roof", "写一首关于屋檐听雨的短诗"),
        ("Explain a mortgage to a ten-year-old", "给十岁的孩子讲讲房贷"),
        ("Plan three days in Kyoto in November", "安排十一月的京都三日游"),
    ];
    if chosen.models.is_empty() {
        return rsx! {
            p { class: "m-auto text-center text-muted text-pretty px-6",
                {lang.t("This key opens no model that an account serves. Choose another key among the dials.", "这把密钥打不开任何有账号提供的模型。请在旋钮里换一把密钥。")}
            }
        };
    }
    rsx! {
        div { class: "m-auto text-center max-w-md px-6 py-6",
            p { class: "headline headline-sm",
                strong { {lang.t("Say hello to ", "和 ")} "{model}" {lang.t("", " 打个招呼")} }
            }
            p { class: "mt-2 text-muted", {lang.t("A real call through your own gateway, with a real receipt.", "真实请求，走你自己的网关，出真实小票。")} }
            div { class: "mt-6 grid gap-2",
                for (en, zh) in ideas {
                    button { key: "{en}", r#type: "button", class: "btn btn-quiet font-normal justify-start",
                        onclick: {
                            let client = conn.client.clone();
                            move |_| {
                                let (mut draft, client) = (draft, client.clone());
                                let nonce = draft.peek().0 + 1;
                                draft.set((nonce, lang.t(en, zh).to_owned()));
                                if let Some(client) = client { client.focus("play-prompt"); }
                            }
                        },
                        {lang.t(en, zh)}
                    }
                }
            }
        }
    }
}

#[component]
fn OneTurn(
    turn: Turn,
    last: bool,
    room: Room,
    chosen: Rc<Chosen>,
    model: String,
    draft: Signal<(u64, String)>,
) -> Element {
    let (lang, conn, here) = (use_lang(), use_conn(), use_here());
    let (id, mut talk) = (turn.id, room.chat);
    let busy = talk.busy();
    let edit = {
        let conn = conn.clone();
        move |_| {
            if let Some(Ask::Text(words)) = talk.back_to(id) {
                write_anew(&conn, room, draft, words);
            }
        }
    };
    let retry = {
        let (conn, chosen, model) = (conn.clone(), chosen.clone(), model.clone());
        move |_| {
            let Some(gateway) = conn.console.gateway() else { return };
            let terms = terms(gateway, &chosen, &here.place(), model.clone(), room.typed);
            talk.retry(id, terms);
        }
    };
    let results = move |results: Vec<String>| {
        let Some(gateway) = conn.console.gateway() else { return };
        let terms = terms(gateway, &chosen, &here.place(), model.clone(), room.typed);
        talk.say(terms, Ask::Results(results));
    };
    rsx! {
        Mine { ask: turn.ask.clone(),
            if !busy && matches!(turn.ask, Ask::Text(_)) {
                button { r#type: "button", class: "btn btn-ghost btn-xs btn-square", "aria-label": lang.t("Edit and ask again", "修改后重问"), onclick: edit,
                    Icon { i: "icon-[lucide--pencil]", class: "size-3.5" }
                }
            }
        }
        div { class: "flex gap-3.5",
            Tile { name: turn.take.model.clone(), class: "mt-0.5 max-sm:hidden" }
            div { class: "min-w-0 grow",
                Answer { take: turn.take.clone() }
                if last && !busy && !turn.take.said.calls.is_empty() {
                    Returns { id, calls: turn.take.said.calls.clone(), onsend: results }
                } else {
                    for (at, call) in turn.take.said.calls.iter().enumerate() { Called { key: "{at}", call: call.clone() } }
                }
                Stats { take: turn.take.clone(), at: id,
                    if !turn.take.busy() {
                        if !turn.take.said.text.is_empty() { Copy { value: turn.take.said.text.clone(), label: lang.t("Copy the answer", "复制回答") } }
                        if !busy {
                            button { r#type: "button", class: "btn btn-ghost btn-xs btn-square", "aria-label": lang.t("Ask again", "重新回答"), onclick: retry,
                                Icon { i: "icon-[lucide--rotate-cw]", class: "size-3.5" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Puts a message back where it was written, with what belongs to it.
fn write_anew(conn: &Conn, room: Room, mut draft: Signal<(u64, String)>, words: Words) {
    let mut attached = room.attached;
    attached.put_back(conn, &words.pictures);
    let nonce = draft.peek().0 + 1;
    let long = words.long.map(|long| conn.console.held().find(&conn.viewer.csrf, &long.id));
    if long == Some(None) {
        attached.say("long_expired");
    }
    let whole = long.flatten().map(|blob| blob.text().to_owned());
    draft.set((nonce, whole.unwrap_or(words.text)));
    if let Some(client) = &conn.client {
        client.focus("play-prompt");
    }
}

/// What somebody said.
#[component]
pub(super) fn Mine(ask: Ask, children: Element) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let words = match ask {
        Ask::Text(words) => words,
        Ask::Results(results) => results.join("\n\n").as_str().into(),
    };
    rsx! {
        div { class: "flex justify-end items-end gap-1",
            {children}
            div { class: "max-w-[85%] rounded-2xl rounded-ee-md bg-fill px-4 py-2.5 whitespace-pre-wrap break-words min-w-0",
                span { class: "sr-only", {lang.t("You: ", "你：")} }
                for (at, id) in words.pictures.iter().enumerate() {
                    img { key: "{id}", class: "rounded-lg max-h-48 max-w-full mb-2", src: conn.href(&format!("/uploads/{id}")), alt: words::picture(lang, at + 1) }
                }
                "{words.text}"
                if let Some(long) = &words.long { span { class: "block mt-2 text-sm text-muted", {words::more(lang, long.more)} } }
            }
        }
    }
}

/// What a model said, or why it did not.
#[component]
pub(super) fn Answer(take: Take) -> Element {
    let lang = use_lang();
    let thinking = take.busy() && take.said.text.is_empty() && !take.said.thoughts.is_empty();
    rsx! {
        if !take.said.thoughts.is_empty() {
            details { class: "group mb-3",
                summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded",
                    Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                    if thinking { {lang.t("Thinking", "思考中")} } else { {lang.t("Thoughts", "思考过程")} }
                }
                p { class: "mt-2 text-sm text-muted whitespace-pre-wrap break-words", "{take.said.thoughts}" }
            }
        }
        if !take.said.text.is_empty() { Markdown { text: take.said.text.clone(), class: TEXT } }
        for (at, picture) in take.said.pictures.iter().cloned().enumerate() { Drawn { key: "{at}", at, picture } }
        if take.state == State::Talking { span { class: "caret", "aria-hidden": "true" } }
        if take.cut { p { class: "mt-2 text-sm text-warning", {lang.t("Cut off: the longest answer was reached.", "到达最长回答，被截断了。")} } }
        if let Some(fault) = &take.fault {
            div { role: "alert", class: "mt-1",
                p { class: "text-error flex items-center gap-1.5",
                    Icon { i: "icon-[lucide--circle-alert]" }
                    {words::failed(lang, &take)}
                    if let Some(status) = take.status { span { class: "num text-sm", "{status}" } }
                }
                p { class: "mt-1 text-muted break-words", "{fault}" }
                if !take.raw.is_empty() {
                    details { class: "group mt-2",
                        summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded",
                            Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                            {lang.t("What came back", "返回的原文")}
                        }
                        pre { class: "mono mt-1.5 rounded-xl bg-fill p-4 overflow-x-auto text-xs! leading-5", tabindex: "0", "{take.raw}" }
                    }
                }
            }
        }
    }
}

/// A picture that a model drew. One that is elsewhere is a link: a page loads nothing from there.
#[component]
fn Drawn(at: usize, picture: Picture) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    match picture {
        Picture::Held(id, _) => rsx! {
            img { class: "rounded-xl max-h-[28rem] max-w-full my-3", src: conn.href(&format!("/uploads/{id}")), alt: words::picture(lang, at + 1) }
        },
        Picture::Away(url) if url.starts_with("https://") || url.starts_with("http://") => rsx! {
            p { class: "my-3 break-words",
                {lang.t("A picture elsewhere: ", "图片在别处：")}
                a { class: "link", href: "{url}", target: "_blank", rel: "noopener noreferrer nofollow", "{url}" }
            }
        },
        Picture::Away(url) => {
            rsx! { p { class: "my-3 break-words", {lang.t("A picture elsewhere: ", "图片在别处：")} "{url}" } }
        }
        Picture::Odd => rsx! {
            p { class: "my-3 text-sm text-warning", {lang.t("A picture came that cannot be shown: no PNG, JPEG, WebP or GIF, or no room for it.", "返回了一张无法显示的图片：不是 PNG、JPEG、WebP 或 GIF，或者没有空间存放。")} }
        },
    }
}

/// The line below an answer.
#[component]
fn Stats(take: Take, at: u64, children: Element) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let receipt = here.href(&here.place().with("tab", "receipt").with("turn", at));
    rsx! {
        div { class: STAT,
            match take.state {
                State::Waiting => rsx! { span { class: "inline-flex items-center gap-2 text-ink", role: "status", span { class: "pulse", "aria-hidden": "true" } {lang.t("Waiting for the first word", "等待首字")} } },
                State::Talking => rsx! { span { class: "inline-flex items-center gap-2 text-ink", role: "status", span { class: "pulse", "aria-hidden": "true" } {lang.t("Talking", "正在输出")} } },
                State::Stopped => rsx! { span { class: "inline-flex items-center gap-2", Dot { tone: Tone::Care } {lang.t("Stopped", "已停止")} } },
                State::Done | State::Failed => rsx! {},
            }
            if let Some(ms) = take.first_ms { span { {words::first(lang, ms)} } }
            if let Some(speed) = take.speed() { span { {words::speed(lang, speed)} } }
            if let Some(view) = &take.receipt { span { {charge(view.row.charge)} } }
            if take.receipt_id.is_some() && !take.busy() { a { href: receipt, class: "link", {lang.t("Receipt", "小票")} } }
            span { class: "flex items-center gap-1", {children} }
        }
    }
}

/// A function that a model called.
#[component]
fn Called(call: Call) -> Element {
    rsx! {
        div { class: "mt-3 rounded-xl border border-line px-4 py-3",
            p { class: "flex items-center gap-2 text-sm", Icon { i: "icon-[lucide--wrench]", class: "size-3.5" } code { class: "mono", "{call.name}" } }
            pre { class: "mono mt-1.5 text-xs! whitespace-pre-wrap break-words text-muted", "{call.arguments}" }
        }
    }
}

/// The functions that a model called last, and fields for what they answer.
#[component]
fn Returns(id: u64, calls: Vec<Call>, onsend: EventHandler<Vec<String>>) -> Element {
    let lang = use_lang();
    let count = calls.len();
    // All of them together fit a frame.
    let longest = (60_000 / count.max(1)).min(20_000);
    rsx! {
        form { class: "grid gap-2",
            onsubmit: move |event| {
                let form = crate::kit::Form::of(&event);
                onsend.call((0..count).map(|at| form.text(&format!("result-{at}"))).collect());
            },
            for (at, call) in calls.into_iter().enumerate() {
                div { key: "{at}",
                    Called { call: call.clone() }
                    label { r#for: "play-result-{id}-{at}", class: "label-text block mt-2", {lang.t("What it answers", "它返回什么")} }
                    textarea { id: "play-result-{id}-{at}", name: "result-{at}", rows: "2", maxlength: "{longest}", class: "textarea w-full mono" }
                }
            }
            button { r#type: "submit", class: "btn btn-primary btn-sm justify-self-start", {lang.t("Send the results", "发送结果")} }
        }
    }
}

/// Which turn the raw view and the receipt are of: the one that the URL names, else the last.
pub(super) fn shown(turns: &[Turn], wanted: Option<u64>) -> Option<Turn> {
    turns.iter().find(|turn| Some(turn.id) == wanted).or(turns.last()).cloned()
}

impl Rail {
    /// Of the URL.
    pub(super) fn of(tab: Option<&str>) -> Rail {
        match tab {
            Some("raw") => Rail::Raw,
            Some("receipt") => Rail::Receipt,
            _ => Rail::Dials,
        }
    }
}
