//! Settings of the house: what holds, where it is said, and what waits for a restart.

mod about;
mod door;
mod rows;
mod words;

use crate::kit::{Broken, Headline, Icon, Loading};
use crate::lang::Lang;
use crate::live::{use_lang, use_load};
use burncloud_billing::desk::settings::SettingView;
use dioxus::prelude::*;
use rows::Group;

/// The parts of the page, in order: id, English, Chinese.
const PARTS: [(&str, &str, &str); 7] = [
    ("general", "General", "基本"),
    ("routing", "Routing", "路线"),
    ("door", "Front door", "大门"),
    ("network", "Network", "网络"),
    ("memory", "Memory", "记忆"),
    ("backup", "Backup", "备份"),
    ("about", "About", "关于"),
];

#[component]
pub(crate) fn Settings() -> Element {
    let all = use_load((), |cx, ()| async move { cx.console.desk().list_settings(&cx.viewer.actor).await });
    let page = match &*all.read() {
        None => rsx! { Loading { rows: 8 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(all)) => rsx! { Parts { all: all.clone() } },
    };
    page
}

#[component]
fn Parts(all: Vec<SettingView>) -> Element {
    let lang = use_lang();
    let waiting = all.iter().filter(|setting| setting.waits).count();
    rsx! {
        Headline {
            strong { {waits(lang, waiting).0} }
            {waits(lang, waiting).1}
        }
        div { class: "grid lg:grid-cols-[9rem_minmax(0,44rem)] gap-x-14",
            nav { class: "max-lg:hidden sticky top-20 self-start grid gap-0.5", "aria-label": lang.t("Sections", "分区"),
                for (id, en, zh) in PARTS { a { key: "{id}", href: "#{id}", class: "nav-item -ms-[0.6875rem]", {lang.t(en, zh)} } }
            }
            div { class: "grid gap-12 min-w-0",
                Group { id: "general", all: all.clone() }
                Group { id: "routing", all: all.clone() }
                door::FrontDoor {}
                Group { id: "network", all: all.clone() }
                about::Memory { all: all.clone() }
                about::Copies {}
                about::About { all }
            }
        }
    }
}

fn waits(lang: Lang, count: usize) -> (String, &'static str) {
    match (lang, count) {
        (Lang::En, 0) => ("Everything".to_owned(), " is in force."),
        (Lang::Zh, 0) => ("所有设置".to_owned(), "都已生效。"),
        (Lang::En, 1) => ("One change".to_owned(), " waits for a restart."),
        (Lang::Zh, 1) => ("一项改动".to_owned(), "等重启。"),
        (Lang::En, n) => (format!("{n} changes"), " wait for a restart."),
        (Lang::Zh, n) => (format!("{n} 项改动"), "等重启。"),
    }
}

/// A part of the page under its title.
#[component]
fn Part(id: &'static str, children: Element) -> Element {
    let lang = use_lang();
    let title = PARTS.iter().find(|part| part.0 == id).map_or("", |(_, en, zh)| lang.t(en, zh));
    rsx! {
        section { id, class: "scroll-mt-20", "aria-labelledby": "{id}-h",
            h2 { id: "{id}-h", class: "section-title pb-2 border-b border-line", "{title}" }
            div { class: "rows", {children} }
        }
    }
}

/// One thing that can be set: its name, what it means, and beside them the control.
#[component]
fn Setting(
    name: String,
    #[props(default)] means: Option<String>,
    #[props(default)] waits: bool,
    #[props(default)] declared: bool,
    children: Element,
) -> Element {
    let lang = use_lang();
    rsx! {
        div { class: "setting",
            div { class: "min-w-0",
                h3 { class: "font-medium flex flex-wrap items-center gap-2",
                    "{name}"
                    if waits {
                        span { class: "badge badge-soft badge-warning",
                            Icon { i: "icon-[lucide--rotate-ccw]", class: "size-3" }
                            {lang.t("after restart", "重启后生效")}
                        }
                    }
                    if declared {
                        span { class: "badge badge-plain", {lang.t("from the file", "来自配置文件")} }
                    }
                }
                if let Some(means) = means { p { class: "text-sm text-muted mt-0.5 text-pretty", "{means}" } }
            }
            div { class: "w-full sm:w-auto flex sm:justify-end", {children} }
        }
    }
}
