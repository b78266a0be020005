//! The menu of one's own account, and the bar that says whom one acts as.

use crate::kit::{Icon, Menu, MenuLink, Tile};
use crate::live::{use_conn, use_lang};
use crate::pages::{PageId, page, pages_for};
use dioxus::prelude::*;

/// One's own account: security, signing out.
#[component]
pub(super) fn AccountMenu(side: bool) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let viewer = conn.viewer.clone();
    let account = page(PageId::Account).filter(|page| pages_for(&viewer.actor).contains(&page.id));
    let label = format!("{}{}", lang.t("Account: ", "账户："), viewer.name);
    let face = rsx! {
        Tile { name: viewer.name.clone(), round: true, class: "size-6.5! text-2xs!" }
        if side {
            span { class: "side-label truncate", "{viewer.name}" }
            Icon { i: "icon-[lucide--chevrons-up-down]", class: "side-label size-3.5 ms-auto text-faint max-xl:hidden" }
        }
    };
    let class = if side {
        "nav-item w-full px-[0.375rem] h-10 text-ink cursor-pointer hover:bg-base-content/5"
    } else {
        "btn btn-ghost btn-sm btn-square"
    };
    rsx! {
        Menu { label, button: face, class, up: side,
            li { class: "px-3 pt-2 pb-1.5 text-xs text-muted truncate", "{viewer.actor.name}" }
            if let Some(account) = account {
                MenuLink { href: conn.href(&format!("/{}", account.path)), icon: "icon-[lucide--shield-check]",
                    {lang.t("Security", "账号安全")}
                }
            }
            li {
                form { method: "post", action: conn.href("/signout"),
                    input { r#type: "hidden", name: "csrf", value: "{viewer.csrf}" }
                    button { r#type: "submit", class: "menu-item",
                        Icon { i: "icon-[lucide--log-out]" }
                        {lang.t("Sign out", "退出")}
                    }
                }
            }
        }
    }
}

/// Says whom an administrator acts as, with the way back.
#[component]
pub(super) fn Acting() -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let viewer = conn.viewer.clone();
    let Some(really) = viewer.acting.clone() else { return rsx! {} };
    rsx! {
        div { role: "status", class: "flex items-center justify-center gap-3 min-h-10 px-4 py-1.5 text-sm font-medium offline rounded-t-[calc(var(--radius-box)-1px)]",
            Icon { i: "icon-[lucide--user-round-check]", class: "size-3.5" }
            span { {lang.t("You act as ", "你正以 ")} strong { "{viewer.name}" } {lang.t(". You are ", " 的身份操作，本人是 ")} "{really}" {lang.t(".", "。")} }
            form { method: "post", action: conn.href("/impersonate/stop"),
                input { r#type: "hidden", name: "csrf", value: "{viewer.csrf}" }
                button { r#type: "submit", class: "btn btn-xs bg-transparent! border-current/40! text-current!", {lang.t("Back to yourself", "回到本人")} }
            }
        }
    }
}
