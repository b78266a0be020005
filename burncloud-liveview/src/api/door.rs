//! The door: who asks, and how fast they change things.

use super::Api;
use super::once::name_of;
use super::problem::Problem;
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

async fn actor(_api: &Api, parts: &Parts) -> Result<Actor, Problem> {
    parts.extensions.get::<Actor>().cloned().ok_or_else(Problem::anonymous)
}
