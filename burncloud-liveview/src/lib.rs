//! The operator console of the BurnCloud gateway: what a server mounts under `/console`.
//!
//! - `pages`: the table of pages and the pages; its documentation says how one is added
//! - [`live`]: how a page lives on a socket, how it reads and writes
//! - [`kit`]: what pages are made of
//! - [`fmt`], [`lang`]: numbers, times and words in both languages
//! - [`web`]: pages, socket and assets over HTTP
//! - [`auth`]: who somebody is

mod api;
pub mod auth;
mod console;
pub mod fmt;
pub mod kit;
pub mod lang;
pub mod live;
pub mod pages;
mod shell;
mod watch;
pub mod web;

pub use console::{Console, ConsoleBuilder};
pub use watch::{Pulse, Watch};

use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Router, http::StatusCode};

/// What stands where no console is mounted. `GET /console/internal/health` says that it could be; any other
/// path below it is 404 as JSON.
pub fn router() -> Router {
    Router::new().route("/console/internal/health", get(health)).fallback(nothing)
}

async fn health() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

async fn nothing() -> Response {
    let body = serde_json::json!({ "error": { "message": "there is nothing here", "type": "not_found" } });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    async fn status(path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn answers_its_health_and_nothing_else() {
        assert_eq!(status("/console/internal/health").await, StatusCode::OK);
        assert_eq!(status("/console").await, StatusCode::NOT_FOUND);
    }
}
