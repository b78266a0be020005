//! The sidebar (a rail on narrow screens) and the phone's dock.

use super::account::AccountMenu;
use crate::kit::{Brand, Drawer, Icon, PulseState};
use crate::live::{Conn, use_conn, use_lang};
use crate::pages::{FOOT, PAGES, Page, PageId, pages_for};
use dioxus::prelude::*;

/// The pages of a group that are for whoever looks.
pub(super) fn group(conn: &Conn, group: u8) -> Vec<&'static Page> {
    let theirs = pages_for(&conn.viewer.actor);
    PAGES.iter().filter(|page| page.group == Some(group) && theirs.contains(&page.id)).collect()
}

/// The URL of a page.
pub(super) fn href(conn: &Conn, page: &Page) -> String {
    conn.href(&format!("/{}", page.path))
}

#[component]
pub(super) fn Home(
    pulse: Signal<PulseState>,
    class: &'static str,
    #[props(default)] children: Element,
) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    rsx! {
        a { href: conn.href("/"), class, "aria-label": lang.t("BurnCloud, home", "BurnCloud 首页"),
            Brand { state: pulse() }
            {children}
        }
    }
}

#[component]
fn Item(page: PageId, current: Option<PageId>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let Some(page) = crate::pages::page(page) else { return rsx! {} };
    let name = page.name(lang);
    rsx! {
        li {
            a { class: "nav-item md:max-xl:tooltip md:max-xl:tooltip-right md:max-xl:flex!", "data-tip": name, href: href(&conn, page),
                "aria-current": if current == Some(page.id) { "page" },
                Icon { i: page.icon, class: "size-[1.0625rem]" }
                span { class: "side-label", "{name}" }
            }
        }
    }
}

/// The groups above the foot.
#[component]
pub(super) fn Nav(current: Option<PageId>, label: String) -> Element {
    let conn = use_conn();
    let groups: Vec<Vec<PageId>> = (0..FOOT)
        .map(|n| group(&conn, n).into_iter().map(|page| page.id).collect::<Vec<_>>())
        .filter(|pages| !pages.is_empty())
        .collect();
    rsx! {
        nav { class: "grid gap-4", "aria-label": "{label}",
            for (at, pages) in groups.into_iter().enumerate() {
                ul { key: "{at}", class: "grid gap-0.5",
                    for page in pages { Item { key: "{page:?}", page, current } }
                }
            }
        }
    }
}

#[component]
fn Foot(current: Option<PageId>) -> Element {
    let conn = use_conn();
    rsx! { for page in group(&conn, FOOT) { Item { key: "{page.path}", page: page.id, current } } }
}

#[component]
pub(super) fn Side(current: Option<PageId>, pulse: Signal<PulseState>) -> Element {
    let (lang, house) = (use_lang(), use_conn().console.house());
    rsx! {
        aside { class: "side", "aria-label": lang.t("Sidebar", "侧栏"),
            Home { pulse, class: "flex items-center gap-2.5 h-8 px-[0.5rem] mb-5 font-semibold tracking-[-0.015em] text-[0.9375rem] rounded-lg",
                span { class: "side-label truncate", title: "{house}", "{house}" }
            }
            Nav { current, label: lang.t("Main", "主导航") }
            ul { class: "mt-auto grid gap-0.5",
                Foot { current }
                li { AccountMenu { side: true } }
            }
        }
    }
}

/// The dock of a phone, and behind its last button all pages.
#[component]
pub(super) fn Dock(current: Option<PageId>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let mut more = use_signal(|| false);
    // Chosen a page: the menu has done its work.
    use_effect(use_reactive!(|(current,)| {
        let _ = current;
        more.set(false);
    }));
    let theirs = pages_for(&conn.viewer.actor);
    let docked: Vec<&Page> = PAGES.iter().filter(|page| page.dock && theirs.contains(&page.id)).collect();
    let elsewhere = !docked.iter().any(|page| Some(page.id) == current);
    rsx! {
        nav { class: "dock md:hidden z-30", "aria-label": lang.t("Main", "主导航"),
            for page in docked {
                a { key: "{page.path}", href: href(&conn, page), "aria-current": if current == Some(page.id) { "page" },
                    Icon { i: page.icon, class: "size-5" }
                    span { class: "dock-label", {page.name(lang)} }
                }
            }
            button { r#type: "button", "aria-current": if elsewhere { "page" }, onclick: move |_| more.set(true),
                Icon { i: "icon-[lucide--menu]", class: "size-5" }
                span { class: "dock-label", {lang.t("More", "更多")} }
            }
        }
        if more() {
            Drawer { id: "more", title: lang.t("Menu", "菜单"), onclose: move |()| more.set(false),
                div { class: "mt-6 grid gap-4",
                    Nav { current, label: lang.t("All pages", "全部页面") }
                    ul { class: "grid gap-0.5", Foot { current } }
                }
            }
        }
    }
}
