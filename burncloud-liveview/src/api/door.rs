//! The door: who asks, how fast they change things, and how much of theirs is read at a time.

use super::Api;
use super::once::name_of;
use super::problem::Problem;
use super::read::MAX_BODY;
use crate::auth::{Denied, api_actor};
use crate::room::{One, Slot, Unread};
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use burncloud_billing::people::Actor;
use http::request::Parts;
use std::time::Instant;

/// A body of so many bytes is read without asking how many others are.
const SMALL: u64 = 64 << 10;

pub(super) async fn enter(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let actor = match actor(&api, &parts).await {
        Ok(actor) => actor,
        Err(problem) => return problem.into_response(),
    };
    if !parts.method.is_safe()
        && let Err(seconds) = api.pace().take(&name_of(&actor), Instant::now())
    {
        return Problem::slower(seconds).into_response();
    }
    let (body, _slot) = match read(&api, &actor, &parts, body).await {
        Ok(read) => read,
        Err(problem) => return problem.into_response(),
    };
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(actor);
    next.run(request).await
}

/// A body that may be large, once it may be read: it counts until its request is answered.
async fn read(api: &Api, actor: &Actor, parts: &Parts, body: Body) -> Result<(Body, Option<Slot>), Problem> {
    if body.size_hint().upper().is_some_and(|most| most <= SMALL) {
        return Ok((body, None));
    }
    let read = api.console().slots().read(One::of(actor), &parts.headers, body, MAX_BODY).await;
    let (bytes, slot) = read.map_err(|why| match why {
        Unread::TooLarge => Problem::too_large(MAX_BODY),
        Unread::Crowded => Problem::crowded(10),
        Unread::Lost => Problem::unreadable("body", "it did not come, or not in time"),
    })?;
    Ok((Body::from(bytes), Some(slot)))
}

async fn actor(api: &Api, parts: &Parts) -> Result<Actor, Problem> {
    api_actor(api.console(), parts).await.map_err(|denied| match denied {
        Denied::Nobody => Problem::anonymous(),
        Denied::Forged => {
            Problem::forbidden("a write with a cookie comes from a page of the console, with its token")
        }
        Denied::Away => Problem::away("the store is away; try again"),
    })
}
