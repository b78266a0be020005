//! `GET ws`: the socket that keeps a page alive.

use super::assets::build;
use super::{Web, same_origin};
use crate::auth::{AGAIN, Caller};
use crate::lang::Look;
use crate::live::{Conn, MAX_FRAME, pump};
use crate::room::retry_after;
use crate::shell::App;
use axum::extract::{Query, State, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::ORIGIN;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// What is read of a socket at a time, in bytes: an event is a few hundred.
const READ: usize = 4 << 10;

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
    let Some(place) = web.console.sockets().admit(&viewer.actor) else {
        let mut answer = StatusCode::TOO_MANY_REQUESTS.into_response();
        retry_after(answer.headers_mut(), AGAIN);
        return answer;
    };
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
    // Of what is read into, all that is free is zeroed each time: the 128 KiB that it would be are a third of what a page holds.
    let limited = upgrade.read_buffer_size(READ).max_message_size(MAX_FRAME).max_frame_size(MAX_FRAME);
    limited.on_upgrade(move |socket| async move {
        pump(socket, web.pool, conn, App, build()).await;
        drop(place);
    })
}
