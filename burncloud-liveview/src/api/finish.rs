//! The outermost layer: every answer has an id and is not stored, every problem is written down, and what whoever asks
//! has already is not sent again.

use super::problem::Problem;
use super::reply::is_known;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use burncloud_core::TraceId;
use http::{HeaderName, HeaderValue, StatusCode, header};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) async fn finish(request: Request, next: Next) -> Response {
    let (method, asked) = (request.method().clone(), request.headers().clone());
    let id = TraceId::random().to_string();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = problem.render(&id);
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    } else if is_known(&method, &asked, &response) {
        let tag = response.headers_mut().remove(header::ETAG);
        response = StatusCode::NOT_MODIFIED.into_response();
        if let Some(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// What no route takes.
pub(super) async fn nothing() -> Problem {
    Problem::missing("there is no such address; the document at `api/openapi.json` names them all")
}

/// What a route takes by other methods alone.
pub(super) async fn not_so() -> Problem {
    Problem::method()
}
