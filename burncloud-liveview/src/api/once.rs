//! `Idempotency-Key`: a change that is asked for twice is made once.

use super::Api;
use super::problem::Problem;
use super::read::MAX_BODY;
use super::reply::ShownOnce;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use burncloud_billing::people::Actor;
use burncloud_billing::proof::hex;
use burncloud_core::store::Began;
use burncloud_core::{KeyHash, UnixMicros};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;

const HEADER: &str = "idempotency-key";
/// Says that an answer was given before.
pub(super) const REPLAY: HeaderName = HeaderName::from_static("idempotent-replay");
/// The longest key, in bytes.
const MAX_KEY: usize = 255;

/// What a write with an idempotency key is known by, also where the answer to it was never kept: a crash between the
/// posting and its note leaves only the ledger to tell that it was done. `None` without a key.
#[derive(Clone)]
pub(super) struct OnceKey(Option<Arc<str>>);

impl OnceKey {
    pub(super) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<S: Sync> FromRequestParts<S> for OnceKey {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<OnceKey, Infallible> {
        Ok(parts.extensions.get::<OnceKey>().cloned().unwrap_or(OnceKey(None)))
    }
}

/// The layer: behind the door, before the handlers. Without the header it does nothing.
pub(super) async fn once(State(api): State<Api>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(HEADER) else { return next.run(request).await };
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let visible = |b: u8| b.is_ascii_graphic() || b == b' ';
    let key = key.to_str().ok().filter(|k| !k.is_empty() && k.len() <= MAX_KEY && k.bytes().all(visible));
    let Some(key) = key.map(str::to_owned) else {
        return Problem::unreadable("Idempotency-Key", "it is 1 to 255 visible characters").into_response();
    };
    let Some(actor) = request.extensions().get::<Actor>().cloned() else {
        return Problem::anonymous().into_response();
    };
    match run(&api, &actor, &key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

/// Who asks, as far as keys are told apart: somebody in another's name is not that other.
pub(super) fn name_of(actor: &Actor) -> String {
    match (actor.user, actor.acting) {
        (Some(user), None) => format!("user:{user}"),
        (Some(user), Some(acting)) => format!("user:{user}:{acting}"),
        (None, _) => format!("name:{}", actor.name),
    }
}

async fn run(api: &Api, actor: &Actor, key: &str, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| Problem::too_large(MAX_BODY))?;
    let who = name_of(actor);
    let store = api.desk().store();
    let print = fingerprint(&parts, &body, &who);
    match store.begin_once(&who, key, &print, UnixMicros::now()).await? {
        Began::Done { status, body } => return Ok(replay(status, body)),
        Began::UnderWay => {
            return Err(Problem::conflict("this very request is under way; ask again in a minute"));
        }
        Began::Other => {
            return Err(Problem::invalid("Idempotency-Key", "another request had this key: take a new one"));
        }
        Began::New => {}
    }
    let known_by = hex(&hash([key.as_bytes(), &print]));
    parts.extensions.insert(OnceKey(Some(known_by.into())));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let status = response.status();
    if status.is_client_error() {
        store.abandon_once(&who, key).await?;
    }
    if !status.is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY * 4).await;
    let body = body.map_err(|_| Problem::away("the answer is too long to be kept"))?;
    let kept = kept(&body, parts.extensions.get::<ShownOnce>().copied());
    store.finish_once(&who, key, status.as_u16(), &kept).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn fingerprint(parts: &Parts, body: &Bytes, who: &str) -> [u8; 32] {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    hash([parts.method.as_str().as_bytes(), path.as_bytes(), who.as_bytes(), body])
}

/// Of parts that cannot run into each other.
fn hash<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
    let mut text = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    }
    KeyHash::of(&text).0
}

/// An answer as it is kept: without what is shown only once.
fn kept(body: &[u8], secrets: Option<ShownOnce>) -> String {
    let Some(secrets) = secrets else { return String::from_utf8_lossy(body).into_owned() };
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    secrets.strip(&mut value);
    value.to_string()
}

fn replay(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = if body.is_empty() {
        status.into_response()
    } else {
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        (status, [kind], body).into_response()
    };
    response.headers_mut().insert(REPLAY, HeaderValue::from_static("true"));
    response
}
