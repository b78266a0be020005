//! The operator console of the BurnCloud gateway: what a server mounts under `/console`.
//!
//! ```
//! let app: axum::Router = burncloud_liveview::router();
//! ```

mod api;
mod console;

pub use console::{Console, ConsoleBuilder};

use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use axum::{Router, http::StatusCode};

/// Everything under `/console`. `GET /console/internal/health` says that the console is mounted; any other
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
