//! A conversation through the gateway.

use crate::kit::Headline;
use crate::live::use_lang;
use crate::pages::{PageId, page};
use dioxus::prelude::*;

#[component]
pub(crate) fn Playground() -> Element {
    let lang = use_lang();
    let name = page(PageId::Playground).map_or("", |page| page.name(lang));
    rsx! { Headline { strong { "{name}" } } }
}
