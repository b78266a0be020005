//! `GET ws`: the socket that keeps a page alive.

use super::assets::build;
use super::{Web, same_origin};
use crate::auth::Caller;
use crate::lang::Look;
use crate::live::{Conn, MAX_FRAME, pump};
use crate::shell::App;
use axum::extract::{Query, State, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::ORIGIN;
use jiff::tz::TimeZone;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct From {
    path: String,
    zone: Option<String>,
}

pub(super) async fn socket(
    State(web): State<Web>,
    Query(from): Query<From>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    // A browser lets any site open a socket with our cookies, but says which site it is.
    if !same_origin(&web.console, &caller.headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(viewer) = web.viewer(&caller).await else { return StatusCode::UNAUTHORIZED.into_response() };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let mut look = Look::of(&caller.headers);
    if let Some(zone) = from.zone.and_then(|name| TimeZone::get(&name).ok()) {
        look.zone = zone;
    }
    let origin = caller.headers.get(ORIGIN).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let conn = Conn::page(web.console.clone(), viewer, look, from.path).at(origin);
    let limited = upgrade.max_message_size(MAX_FRAME).max_frame_size(MAX_FRAME);
    limited.on_upgrade(move |socket| pump(socket, web.pool, conn, App, build()))
}
