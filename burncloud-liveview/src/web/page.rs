//! `GET` any page: its first HTML.

use super::Web;
use super::document::{Document, draw};
use crate::auth::{Caller, sign_in_path};
use crate::lang::Look;
use crate::live::{Conn, Place};
use crate::pages::page_at;
use crate::shell::App;
use axum::extract::{OriginalUri, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use dioxus::prelude::*;
use http::StatusCode;

pub(super) async fn page(State(web): State<Web>, OriginalUri(uri): OriginalUri, caller: Caller) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let Some(viewer) = web.viewer(&caller).await else {
        return Redirect::to(&sign_in_path(web.console.prefix(), &path)).into_response();
    };
    let place = Place::parse(web.console.prefix(), &path);
    let page = page_at(&viewer.actor, &place);
    let conn = Conn::page(web.console.clone(), viewer, Look::of(&caller.headers), path);
    let look = conn.look.clone();
    let title =
        page.map_or(look.lang.t("Nothing here", "这里什么也没有"), |page| page.name(look.lang));
    let document = Document { console: &web.console, look: &look, title, live: true };
    // The components are not `Send`: they are drawn and gone before anything is awaited.
    let body = draw(VirtualDom::new(App).with_root_context(look.clone()).with_root_context(conn));
    let status = if page.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    (status, Html(document.around(&body))).into_response()
}
