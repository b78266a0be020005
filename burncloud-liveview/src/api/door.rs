//! The door: who asks, and how fast they change things.

use super::Api;
use super::once::name_of;
use super::problem::Problem;
use crate::auth::{Denied, api_actor};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use burncloud_billing::people::Actor;
use http::request::Parts;
use std::time::Instant;

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
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(actor);
    next.run(request).await
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
