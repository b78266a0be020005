//! `POST look`: another language or theme, remembered in a cookie, then back to where somebody was.

use super::{Web, same_origin};
use crate::lang::{LANG_COOKIE, Lang, THEME_COOKIE, Theme};
use axum::extract::{Form, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

/// The largest form in bytes: anybody may send one.
pub(super) const LARGEST: usize = 16 << 10;

#[derive(Deserialize)]
pub(super) struct Wish {
    lang: Option<String>,
    theme: Option<String>,
    back: Option<String>,
}

pub(super) async fn look(State(web): State<Web>, headers: HeaderMap, Form(wish): Form<Wish>) -> Response {
    if !same_origin(&web.console, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let prefix = web.console.prefix();
    let path = if prefix.is_empty() { "/" } else { prefix };
    let cookie = |name: &str, value: &str| {
        (SET_COOKIE, format!("{name}={value}; Path={path}; Max-Age=31536000; SameSite=Lax"))
    };
    let lang = wish.lang.as_deref().and_then(Lang::of).map(|lang| cookie(LANG_COOKIE, lang.code()));
    let theme = wish.theme.map(|theme| cookie(THEME_COOKIE, Theme::of(&theme).code()));
    let cookies: Vec<_> = lang.into_iter().chain(theme).collect();
    let back = wish.back.filter(|back| within(prefix, back)).unwrap_or_else(|| path.to_owned());
    (AppendHeaders(cookies), Redirect::to(&back)).into_response()
}

/// Whether a path is the console's, and not one that leads to another host (`//evil.example`, `/\evil.example`).
fn within(prefix: &str, path: &str) -> bool {
    let rest = path.strip_prefix(prefix);
    let inside = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    inside
        && path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && !path.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_leads_nowhere_else() {
        for good in ["/console", "/console/logs?q=a", "/console?x=1"] {
            assert!(within("/console", good), "{good}");
        }
        for bad in
            ["", "https://evil.example", "//evil.example", "/consoles", "/", "/console\r\nset-cookie: a=b"]
        {
            assert!(!within("/console", bad), "{bad:?}");
        }
        assert!(within("", "/logs") && !within("", "//evil.example") && !within("", "/\\evil.example"));
    }
}
