//! The command palette: go anywhere, do anything. Pages are known from their table; what else can be found comes from
//! [`SOURCES`], what can be done from [`DEEDS`].

use crate::kit::{Icon, Tile};
use crate::live::{Cx, Fault, Place, use_conn, use_here, use_lang, use_load};
use crate::pages::{PAGES, PageId, pages_for};
use burncloud_billing::desk::{KeyFilter, KeyView};
use dioxus::prelude::*;
use std::future::Future;
use std::pin::Pin;

/// Something that was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    /// Its icon, as a class; without one, a tile of its name.
    pub(crate) icon: Option<&'static str>,
    /// Its name.
    pub(crate) main: String,
    /// What else tells it apart.
    pub(crate) sub: String,
    /// Where it leads.
    pub(crate) to: Place,
}

/// Things being looked for.
type Finding = Pin<Box<dyn Future<Output = Result<Vec<Hit>, Fault>> + Send>>;

/// Where things are found.
pub(crate) struct Source {
    /// What they are, in English.
    pub(crate) en: &'static str,
    /// In Chinese.
    pub(crate) zh: &'static str,
    /// The page that they are on: whoever does not see it finds nothing here.
    pub(crate) page: PageId,
    /// Finds at most five by what was typed, which is not empty.
    pub(crate) find: fn(Cx, String) -> Finding,
}

/// Something that can be done: a page with its dialog open.
pub(crate) struct Deed {
    /// In English: "Add an account".
    pub(crate) en: &'static str,
    /// In Chinese.
    pub(crate) zh: &'static str,
    /// Its icon, as a class.
    pub(crate) icon: &'static str,
    /// The page that does it.
    pub(crate) page: PageId,
    /// The query that opens it there: `("open", "new")`.
    pub(crate) query: (&'static str, &'static str),
}

/// What can be found beside the pages; a row for each.
pub(crate) static SOURCES: &[Source] =
    &[Source { en: "Keys", zh: "密钥", page: PageId::Access, find: |cx, text| Box::pin(keys(cx, text)) }];

/// What can be done; a row for each.
pub(crate) static DEEDS: &[Deed] = &[Deed {
    en: "Make a key",
    zh: "新建密钥",
    icon: "icon-[lucide--key-round]",
    page: PageId::Access,
    query: ("do", "new"),
}];

async fn keys(cx: Cx, text: String) -> Result<Vec<Hit>, Fault> {
    let filter = KeyFilter { text: Some(text), limit: 5, ..KeyFilter::default() };
    let found = cx.console.desk().keys(&cx.viewer.actor, &filter).await?;
    let hit = |view: KeyView| Hit {
        icon: Some("icon-[lucide--key-round]"),
        main: view.key.name,
        sub: view.user_name,
        to: Place::at(["access".to_owned(), view.key.id.to_string()]),
    };
    Ok(found.items.into_iter().map(hit).collect())
}

/// Only what can be done is shown after this mark.
const DEEDS_ONLY: char = '>';

#[component]
pub(super) fn Palette(onclose: EventHandler<()>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let mut typed = use_signal(String::new);
    let found = use_load(typed(), |cx, typed| async move { find(cx, typed).await });
    let text = typed().trim().to_lowercase();
    let deeds_only = text.starts_with(DEEDS_ONLY);
    let text = text.trim_start_matches(DEEDS_ONLY).trim().to_owned();
    let fits =
        |en: &str, zh: &str| text.is_empty() || en.to_lowercase().contains(&text) || zh.contains(&text);
    let theirs = pages_for(&conn.viewer.actor);
    let pages =
        PAGES.iter().filter(|page| !deeds_only && theirs.contains(&page.id) && fits(page.en, page.zh));
    let pages: Vec<Hit> = pages
        .map(|page| {
            hit(page.icon, page.name(lang), Place::at([page.path].into_iter().filter(|p| !p.is_empty())))
        })
        .collect();
    let deeds = DEEDS.iter().filter(|deed| theirs.contains(&deed.page) && fits(deed.en, deed.zh)).filter_map(
        |deed| {
            let place = Place::at([crate::pages::page(deed.page)?.path]).with(deed.query.0, deed.query.1);
            Some(hit(deed.icon, lang.t(deed.en, deed.zh), place))
        },
    );
    let deeds: Vec<Hit> = deeds.collect();
    let mut groups = found.get().unwrap_or_default();
    groups.push((lang.t("Go to", "前往").to_owned(), pages));
    groups.push((lang.t("Do", "操作").to_owned(), deeds));
    groups.retain(|(_, hits)| !hits.is_empty());
    rsx! {
        x-dialog {
            dialog { id: "palette", class: "modal modal-top sm:items-start!", "aria-labelledby": "palette-label",
                div { class: "modal-box w-full max-w-[40rem]! mx-auto! mt-[14vh] max-sm:mt-3 max-sm:max-w-[calc(100vw-1.5rem)]! rounded-box!",
                    h2 { id: "palette-label", class: "sr-only", {lang.t("Search", "搜索")} }
                    x-pick {
                        div { class: "flex items-center gap-3 px-5 h-14 border-b border-line",
                            Icon { i: "icon-[lucide--search]", class: "size-4 text-muted" }
                            input { id: "palette-text", autofocus: true, autocomplete: "off", spellcheck: "false", role: "combobox", "data-forget": "1",
                                class: "grow min-w-0 bg-transparent outline-none text-lg", "data-debounce": "120",
                                "aria-expanded": "true", "aria-controls": "palette-list", "aria-label": lang.t("Search", "搜索"),
                                placeholder: lang.t("Go anywhere, do anything", "去哪里，做什么"),
                                oninput: move |event| typed.set(event.value()),
                            }
                            kbd { class: "kbd max-sm:hidden", "Esc" }
                            button { r#type: "button", "data-close": "1", class: "btn btn-ghost btn-sm btn-square sm:hidden -me-2",
                                "aria-label": lang.t("Close", "关闭"), onclick: move |_| onclose.call(()),
                                Icon { i: "icon-[lucide--x]" }
                            }
                        }
                        div { id: "palette-list", role: "listbox", class: "p-2 pb-3 max-h-[26rem] overflow-y-auto", "aria-label": lang.t("Results", "结果"),
                            for (title, hits) in groups { Hits { key: "{title}", title, hits, onclose } }
                        }
                    }
                    Keys {}
                }
                form { method: "dialog", class: "modal-backdrop", button { "aria-label": lang.t("Close", "关闭"), tabindex: "-1" } }
            }
        }
    }
}

fn hit(icon: &'static str, main: &str, to: Place) -> Hit {
    Hit { icon: Some(icon), main: main.to_owned(), sub: String::new(), to }
}

/// What the sources find, in their order.
async fn find(cx: Cx, typed: String) -> Result<Vec<(String, Vec<Hit>)>, Fault> {
    let text = typed.trim().to_owned();
    let theirs = pages_for(&cx.viewer.actor);
    let mut groups = Vec::new();
    if text.is_empty() || text.starts_with(DEEDS_ONLY) {
        return Ok(groups);
    }
    for source in SOURCES.iter().filter(|source| theirs.contains(&source.page)) {
        let hits = (source.find)(cx.clone(), text.clone()).await?;
        groups.push((cx.viewer.lang.t(source.en, source.zh).to_owned(), hits));
    }
    Ok(groups)
}

#[component]
fn Hits(title: String, hits: Vec<Hit>, onclose: EventHandler<()>) -> Element {
    let here = use_here();
    rsx! {
        div { role: "group", "aria-label": "{title}",
            span { role: "presentation", class: "block px-3 pt-3 pb-1 text-xs text-muted", "{title}" }
            for hit in hits {
                a { key: "{hit.to}", id: "hit-{hit.to}", role: "option", tabindex: "-1", href: here.href(&hit.to),
                    class: "flex items-center gap-3 h-11 px-3 rounded-lg aria-selected:bg-fill", onclick: move |_| onclose.call(()),
                    match hit.icon {
                        Some(i) => rsx! { span { class: "grid place-items-center size-6 text-muted", Icon { i } } },
                        None => rsx! { Tile { name: hit.main.clone(), round: true, class: "size-6! text-[0.5625rem]!" } },
                    }
                    span { class: "truncate", "{hit.main}" }
                    span { class: "text-muted truncate max-sm:hidden", "{hit.sub}" }
                }
            }
        }
    }
}

/// The line below: which keys do what.
#[component]
fn Keys() -> Element {
    let lang = use_lang();
    rsx! {
        div { class: "flex items-center gap-4 px-5 h-10 border-t border-line text-xs text-muted max-sm:hidden",
            span { class: "flex items-center gap-1.5",
                kbd { class: "kbd", Icon { i: "icon-[lucide--arrow-up]", class: "size-3" } }
                kbd { class: "kbd", Icon { i: "icon-[lucide--arrow-down]", class: "size-3" } }
                {lang.t("choose", "选择")}
            }
            span { class: "flex items-center gap-1.5",
                kbd { class: "kbd", Icon { i: "icon-[lucide--corner-down-left]", class: "size-3" } }
                {lang.t("open", "打开")}
            }
            if !DEEDS.is_empty() { span { class: "ms-auto", {lang.t("Type > for actions only", "输入 > 只看操作")} } }
        }
    }
}
