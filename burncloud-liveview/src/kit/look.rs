//! The buttons for language and theme.

use super::Icon;
use crate::lang::{Look, Theme};
use dioxus::prelude::*;

/// Language and theme, as forms that are posted, so that they work without a socket and before the sign-in: the answer
/// leads back to `back`, a URL of the console. On a live page the script changes the theme on the spot.
#[component]
pub fn LookSwitch(prefix: String, back: String) -> Element {
    let look = use_hook(|| try_consume_context::<Look>().unwrap_or_default());
    let lang = look.lang;
    let next = if look.theme == Theme::Night { Theme::Day } else { Theme::Night };
    rsx! {
        form { method: "post", action: "{prefix}/look", "data-here": "1",
            input { r#type: "hidden", name: "lang", value: lang.other().code() }
            input { r#type: "hidden", name: "back", value: "{back}" }
            button { r#type: "submit", class: "btn btn-ghost btn-sm btn-square", lang: lang.other().tag(),
                "aria-label": lang.t("切换到中文", "Switch to English"),
                span { class: "text-sm font-medium", {lang.t("中", "EN")} }
            }
        }
        form { method: "post", action: "{prefix}/look", "data-theme-form": "1",
            input { r#type: "hidden", name: "theme", value: next.code() }
            input { r#type: "hidden", name: "back", value: "{back}" }
            button { r#type: "submit", class: "btn btn-ghost btn-sm btn-square", "aria-label": lang.t("Switch light and dark", "切换明暗"),
                Icon { i: "icon-[lucide--sun-moon]" }
            }
        }
    }
}
