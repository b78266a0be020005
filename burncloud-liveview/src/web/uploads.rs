//! `POST uploads/pictures`, `POST uploads/texts`: what is too large for the socket is held for its session and named by an
//! id. `GET uploads/{id}`: shows that session its picture.

use super::Web;
use crate::auth::{CSRF_HEADER, Caller, is_from_here};
use crate::held::{PICTURE, Refused, TEXT};
use crate::live::Viewer;
use crate::pages::{PageId, page};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// How long a post may take to come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why something is not held, as the page's script is told.
fn refused(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "wrong": code }))).into_response()
}

fn why(refused_: Refused) -> Response {
    match refused_ {
        Refused::TooLarge => refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        Refused::NotAPicture => refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_picture"),
        Refused::NotText => refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_text"),
        Refused::Full => refused(StatusCode::INSUFFICIENT_STORAGE, "full"),
        Refused::Crowded => refused(StatusCode::SERVICE_UNAVAILABLE, "crowded"),
    }
}

/// Who posts, where it is a page of the console in a session that stands, and a page that takes posts is theirs.
async fn sender(web: &Web, caller: &Caller) -> Result<Arc<Viewer>, Response> {
    let headers = &caller.headers;
    if !is_from_here(&web.console, headers) {
        return Err(refused(StatusCode::FORBIDDEN, "refused"));
    }
    let viewer = web.viewer(caller).await.ok_or_else(|| refused(StatusCode::UNAUTHORIZED, "refused"))?;
    let given = headers.get(CSRF_HEADER).map_or(&b""[..], |value| value.as_bytes());
    // Of their hashes, so that the time says nothing of the token.
    let own = Sha256::digest(given) == Sha256::digest(viewer.csrf.as_bytes());
    let theirs = page(PageId::Playground).is_some_and(|page| (page.for_whom)(&viewer.actor));
    if own && theirs { Ok(viewer) } else { Err(refused(StatusCode::FORBIDDEN, "refused")) }
}

/// A post of at most `most` bytes.
async fn body(web: &Web, headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Response> {
    let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|said| said > most) {
        return Err(why(Refused::TooLarge));
    }
    let crowded = || why(Refused::Crowded);
    let _slot = web.console.held().slots.acquire().await.map_err(|_| crowded())?;
    let read = tokio::time::timeout(PATIENCE, to_bytes(body, most)).await;
    let read = read.map_err(|_| refused(StatusCode::REQUEST_TIMEOUT, "lost"))?;
    // Of what can go wrong, all but the size leaves nobody to read the answer.
    read.map_err(|_| why(Refused::TooLarge))
}

pub(super) async fn picture(State(web): State<Web>, caller: Caller, posted: Body) -> Response {
    post(web, caller, posted, PICTURE).await
}

pub(super) async fn text(State(web): State<Web>, caller: Caller, posted: Body) -> Response {
    post(web, caller, posted, TEXT).await
}

async fn post(web: Web, caller: Caller, posted: Body, most: usize) -> Response {
    let viewer = match sender(&web, &caller).await {
        Ok(viewer) => viewer,
        Err(answer) => return answer,
    };
    let bytes = match body(&web, &caller.headers, posted, most).await {
        Ok(bytes) => bytes,
        Err(answer) => return answer,
    };
    let held = web.console.held();
    let kept =
        if most == PICTURE { held.picture(&viewer.csrf, bytes) } else { held.text(&viewer.csrf, bytes) };
    match kept {
        Ok(blob) => (StatusCode::CREATED, Json(json!({ "id": blob.id }))).into_response(),
        Err(refused) => why(refused),
    }
}

pub(super) async fn show(State(web): State<Web>, Path(id): Path<String>, caller: Caller) -> Response {
    let Some(viewer) = web.viewer(&caller).await else { return StatusCode::UNAUTHORIZED.into_response() };
    let Some(blob) = web.console.held().find(&viewer.csrf, &id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(CONTENT_TYPE, blob.kind.mime())], blob.bytes.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{app, send};
    use super::*;
    use crate::held::tests::DOT;
    use axum::Router;
    use http::Request;
    use http_body_util::BodyExt;

    const OURS: [(&str, &str); 4] =
        [("host", "a"), ("origin", "http://a"), ("cookie", "who=1"), ("x-csrf", "token of 1")];

    async fn put(app: &Router, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> (u16, String) {
        let mut request = Request::post(format!("/console/uploads/{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = send(app.clone(), request.body(body.into()).unwrap()).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let said: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let said = said.get("id").or(said.get("wrong")).unwrap().as_str().unwrap().to_owned();
        (parts.status.as_u16(), said)
    }

    async fn get(app: &Router, id: &str, cookie: &str) -> (u16, String, Bytes) {
        let request = Request::get(format!("/console/uploads/{id}")).header("cookie", cookie);
        let response = send(app.clone(), request.body(Body::empty()).unwrap()).await;
        let (parts, body) = response.into_parts();
        let kind = parts.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        (parts.status.as_u16(), kind, body.collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn a_picture_is_held_for_its_session_alone() {
        let app = app(None);
        // It is called what it is not: what counts is what it holds.
        let headers = [&OURS[..], &[("content-type", "text/html")]].concat();
        let (status, id) = put(&app, "pictures", &headers, DOT).await;
        assert_eq!(status, 201);
        assert_eq!(get(&app, &id, "who=1").await, (200, "image/png".into(), Bytes::from_static(DOT)));
        assert_eq!(get(&app, &id, "who=2").await.0, 404, "another session");
        assert_eq!(get(&app, &id, "").await.0, 401);
        assert_eq!(get(&app, "made-up", "who=1").await.0, 404);
    }

    #[tokio::test]
    async fn only_a_page_of_ones_own_posts() {
        let app = app(None);
        for (at, other, status) in [
            (1, ("origin", "https://evil.example"), 403),
            (1, ("accept", "*/*"), 403),
            (2, ("cookie", ""), 401),
            (3, ("x-csrf", "token of 2"), 403),
            (3, ("accept", "*/*"), 403),
            (2, ("cookie", "who=accountant"), 403),
        ] {
            let mut headers = OURS;
            headers[at] = other;
            let answer = put(&app, "pictures", &headers, DOT).await;
            assert_eq!(answer, (status, "refused".into()), "{other:?}");
        }
        let mut accountant = OURS;
        accountant[2] = ("cookie", "who=accountant");
        accountant[3] = ("x-csrf", "token of accountant");
        assert_eq!(put(&app, "texts", &accountant, "a").await.0, 403, "who may not ask");
    }

    #[tokio::test]
    async fn what_is_wrong_is_said() {
        let app = app(None);
        let page = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
        let answer = put(&app, "pictures", &OURS, &page[..]).await;
        assert_eq!(answer, (415, "not_a_picture".into()));
        let mut large = DOT.to_vec();
        large.resize(PICTURE + 1, 0);
        assert_eq!(put(&app, "pictures", &OURS, large.clone()).await, (413, "too_large".into()));
        let length = large.len().to_string();
        let headers = [&OURS[..], &[("content-length", &*length)]].concat();
        assert_eq!(put(&app, "pictures", &headers, large).await, (413, "too_large".into()));
        assert_eq!(put(&app, "texts", &OURS, "a".repeat(TEXT + 1)).await, (413, "too_large".into()));
        assert_eq!(put(&app, "texts", &OURS, &b"\xff\xfe"[..]).await, (415, "not_text".into()));
        assert_eq!(put(&app, "texts", &OURS, "你好".repeat(TEXT / 6)).await.0, 201);
    }
}
