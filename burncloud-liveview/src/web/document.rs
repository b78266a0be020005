//! The HTML around a page.

use super::assets::{build, served};
use crate::Console;
use crate::lang::Look;
use axum::response::{Html, IntoResponse, Response};
use dioxus::prelude::*;

/// What stands around what a component drew.
pub(super) struct Document<'a> {
    pub(super) console: &'a Console,
    pub(super) look: &'a Look,
    pub(super) title: &'a str,
    /// Whether a socket takes over.
    pub(super) live: bool,
}

impl Document<'_> {
    pub(super) fn around(&self, body: &str) -> String {
        let Document { console, look, title, live } = self;
        let assets = format!("{}/assets", console.prefix());
        let theme = match look.theme.code() {
            "" => String::new(),
            code => format!(" data-theme=\"{code}\""),
        };
        let script = |path: &str, rest: &str| {
            format!("<script defer src=\"{assets}/{}\"{rest}></script>", served(path))
        };
        let mut scripts = script("console.js", "");
        if *live {
            scripts.push_str(&script("uplot.js", ""));
            let prefix = escape(console.prefix());
            let data =
                format!(" data-ws=\"{prefix}/ws\" data-prefix=\"{prefix}\" data-build=\"{}\"", build());
            scripts.push_str(&script("console-live.js", &data));
        }
        format!(
            "<!DOCTYPE html><html lang=\"{lang}\"{theme}><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1,viewport-fit=cover\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · {house}</title>\
             <link rel=\"icon\" type=\"image/svg+xml\" href=\"{assets}/{icon}\">\
             <link rel=\"preload\" as=\"font\" type=\"font/woff2\" crossorigin href=\"{assets}/{font}\">\
             <link rel=\"stylesheet\" href=\"{assets}/{css}\">{scripts}</head>\
             <body><div id=\"app\">{body}</div></body></html>",
            lang = look.lang.tag(),
            title = escape(title),
            house = escape(&console.house()),
            icon = served("icon.svg"),
            font = served("fonts/inter.woff2"),
            css = served("console.css"),
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What the components of a page drew. Their first values are attributes of dioxus' own until a socket takes over; here
/// they become HTML's, so that a page without a socket shows them.
pub(super) fn draw(mut dom: VirtualDom) -> String {
    dom.rebuild_in_place();
    dioxus_ssr::render(&dom)
        .replace(" initial_value=", " value=")
        .replace(" initial_checked=false", "")
        .replace(" initial_checked=true", " checked")
        .replace(" initial_selected=false", "")
        .replace(" initial_selected=true", " selected")
}

/// A page without a socket, for whoever has not signed in: what `app` draws of `props`. Its components may use
/// [`use_lang`](crate::live::use_lang) and [`use_fmt`](crate::kit::use_fmt), not `use_conn` and what needs it.
pub fn still<P: Clone + 'static>(
    console: &Console,
    look: &Look,
    title: &str,
    app: fn(P) -> Element,
    props: P,
) -> Response {
    let dom = VirtualDom::new_with_props(app, props).with_root_context(look.clone());
    let document = Document { console, look, title, live: false };
    Html(document.around(&draw(dom))).into_response()
}
