//! Pictures that go with the next message, and what was wrong with them.

use super::speech::{Long, Words};
use super::wire::beginning;
use super::words;
use crate::held::{Blob, Kind};
use crate::kit::Icon;
use crate::live::{Conn, use_conn, use_lang};
use dioxus::prelude::*;
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;

/// How many pictures go with one message.
pub(super) const MOST: usize = 4;
/// How much of a long text is shown, in bytes.
const HEAD: usize = 4 << 10;
/// How many things that were wrong are said at a time.
const SAID: usize = 6;

/// What the next message has beside words.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Attached {
    pictures: Signal<Vec<Arc<Blob>>>,
    /// Those that were taken away or sent: the browser may still name them for a moment.
    gone: Signal<HashSet<String>>,
    wrong: Signal<Vec<Wrong>>,
    /// Changes where the browser names what is not there.
    round: Signal<u64>,
}

/// What was wrong, and with which file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Wrong {
    #[serde(default)]
    wrong: String,
    #[serde(default)]
    name: String,
}

/// What the script says of its posts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct News {
    #[serde(flatten)]
    wrong: Wrong,
    /// The id of a message that was too long for the socket, to be sent now.
    #[serde(default)]
    pub(super) long: Option<String>,
}

pub(super) fn use_attached() -> Attached {
    Attached {
        pictures: use_signal(Vec::new),
        gone: use_signal(HashSet::new),
        wrong: use_signal(Vec::new),
        round: use_signal(|| 0),
    }
}

impl Attached {
    fn ids(&self) -> Vec<String> {
        self.pictures.read().iter().map(|blob| blob.id.clone()).collect()
    }

    fn is_empty(&self) -> bool {
        self.pictures.peek().is_empty()
    }

    /// Takes in the list of ids that the browser has.
    fn hear(&mut self, conn: &Conn, list: &str) {
        for id in list.split_whitespace().take(4 * MOST) {
            let known = self.pictures.peek().iter().any(|blob| blob.id == id);
            if known || self.gone.peek().contains(id) {
                continue;
            }
            self.add(conn, id);
        }
        if self.ids().join(" ") != list {
            self.round += 1;
        }
    }

    fn add(&mut self, conn: &Conn, id: &str) {
        let held = conn.console.held().find(&conn.viewer.csrf, id).filter(|blob| blob.kind != Kind::Text);
        match held {
            Some(_) if self.pictures.peek().len() >= MOST => self.say("too_many"),
            Some(blob) => self.pictures.write().push(blob),
            None => {
                self.gone.write().insert(id.to_owned());
                self.say("expired");
            }
        }
    }

    /// Puts back the pictures of a message that is written anew.
    pub(super) fn put_back(&mut self, conn: &Conn, ids: &[String]) {
        for id in self.ids() {
            self.remove(&id);
        }
        self.wrong.write().clear();
        for id in ids {
            self.gone.write().remove(id);
            self.add(conn, id);
        }
    }

    fn remove(&mut self, id: &str) {
        self.gone.write().insert(id.to_owned());
        self.pictures.write().retain(|blob| blob.id != id);
    }

    /// Says that something is wrong, in the words of its code.
    pub(super) fn say(&mut self, code: &str) {
        self.blame(Wrong { wrong: code.to_owned(), name: String::new() });
    }

    fn blame(&mut self, wrong: Wrong) {
        let mut all = self.wrong.write();
        if all.len() < SAID && !all.contains(&wrong) {
            all.push(wrong);
        }
    }

    /// Takes in what the script says; the message that is to be sent, where that is what it says.
    pub(super) fn told(&mut self, conn: &Conn, text: &str) -> Option<Words> {
        let news: News = serde_json::from_str(text).ok()?;
        let Some(id) = news.long else {
            if news.wrong.wrong.is_empty() {
                // Something new was begun.
                self.wrong.write().clear();
            } else {
                let name = beginning(&news.wrong.name, 80).to_owned();
                self.blame(Wrong { name, ..news.wrong });
            }
            return None;
        };
        let Some(blob) =
            conn.console.held().find(&conn.viewer.csrf, &id).filter(|blob| blob.kind == Kind::Text)
        else {
            self.say("long_expired");
            return None;
        };
        let head = beginning(blob.text(), HEAD);
        let more = blob.text()[head.len()..].chars().count();
        Some(Words { text: head.to_owned(), long: Some(Long { id, more }), pictures: Vec::new() })
    }

    /// The message with its pictures, which are attached no more; `None` where it is nothing.
    pub(super) fn with(&mut self, words: Words) -> Option<Words> {
        if words.text.is_empty() && self.is_empty() {
            return None;
        }
        let pictures = self.ids();
        for id in &pictures {
            self.remove(id);
        }
        self.wrong.write().clear();
        Some(Words { pictures, ..words })
    }
}

/// Where the browser keeps which pictures are attached: a field that nobody sees, whose value a new socket is given back.
#[component]
pub(super) fn Tray(attached: Attached) -> Element {
    let conn = use_conn();
    let ids = attached.ids().join(" ");
    let mut attached = attached;
    let hear = use_callback(move |event: FormEvent| attached.hear(&conn, &event.value()));
    rsx! {
        for round in [*attached.round.read()] {
            textarea { key: "{round}", id: "play-attached", hidden: true, "aria-hidden": "true", tabindex: "-1", value: "{ids}",
                oninput: move |event| hear.call(event),
            }
        }
    }
}

/// What is attached, and a way to take each away.
#[component]
pub(super) fn Pictures(attached: Attached) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let mut attached = attached;
    let ids = attached.ids();
    rsx! {
        if !ids.is_empty() {
            ul { class: "flex flex-wrap gap-2 px-4 pt-3.5", "aria-label": lang.t("Pictures that go with it", "随消息发送的图片"),
                for (at, id) in ids.into_iter().enumerate() {
                    li { key: "{id}", class: "relative",
                        img { class: "size-16 rounded-lg object-cover border border-line", src: conn.href(&format!("/uploads/{id}")), alt: words::picture(lang, at + 1) }
                        button { r#type: "button", class: "btn btn-primary btn-xs btn-circle absolute -top-1.5 -end-1.5", "aria-label": words::without(lang, at + 1),
                            onclick: move |_| attached.remove(&id),
                            Icon { i: "icon-[lucide--x]", class: "size-3" }
                        }
                    }
                }
            }
        }
    }
}

/// What was wrong with what somebody attached or wrote.
#[component]
pub(super) fn Faults(attached: Attached) -> Element {
    let lang = use_lang();
    let all = attached.wrong.read();
    rsx! {
        if !all.is_empty() {
            div { id: "play-wrong", role: "alert", class: "mb-2 grid gap-1 text-sm text-error",
                for (at, one) in all.iter().enumerate() {
                    p { key: "{at}", class: "flex items-center gap-1.5",
                        Icon { i: "icon-[lucide--circle-alert]", class: "size-3.5" }
                        span { class: "min-w-0 break-words", {words::upload(lang, &one.wrong, &one.name)} }
                    }
                }
            }
        }
    }
}
