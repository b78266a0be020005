//! The operator's paths: `/healthz`, `/readyz`, `/metrics`, `/console`.

use super::metrics;
use super::parts::Parts;
use axum::Router;
use burncloud_core::Body;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt;

/// How long the store may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers the operator's paths.
pub(super) struct Ops {
    parts: Arc<Parts>,
    stopping: watch::Receiver<bool>,
    console: Option<Router>,
}

impl Ops {
    pub(super) fn new(parts: Arc<Parts>, stopping: watch::Receiver<bool>, console: Option<Router>) -> Ops {
        Ops { parts, stopping, console }
    }

    /// Whether a path is one of these.
    pub(super) fn answers(&self, path: &str) -> bool {
        match path {
            "/healthz" | "/readyz" | "/metrics" => true,
            _ => self.console.is_some() && (path == "/console" || path.starts_with("/console/")),
        }
    }

    pub(super) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        if !matches!(path, "/healthz" | "/readyz" | "/metrics") {
            return self.console(request).await;
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return json_answer(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "ask with GET" }));
        }
        match path {
            "/healthz" => json_answer(StatusCode::OK, &json!({ "status": "ok" })),
            "/readyz" => self.ready().await,
            _ => {
                let text = metrics::render(&self.parts);
                answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
            }
        }
    }

    async fn console(&self, request: Request<Body>) -> Response<Body> {
        let Some(router) = &self.console else {
            return json_answer(StatusCode::NOT_FOUND, &json!({ "error": "there is no console here" }));
        };
        let Ok(response) = router.clone().oneshot(request.map(axum::body::Body::new)).await;
        response.map(Body::new)
    }

    async fn ready(&self) -> Response<Body> {
        let reasons = self.reasons().await;
        if reasons.is_empty() {
            return json_answer(StatusCode::OK, &json!({ "status": "ready" }));
        }
        json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "not ready", "reasons": reasons }))
    }

    /// Why nobody should send requests here.
    async fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if *self.stopping.borrow() {
            reasons.push("stopping".to_owned());
        }
        match tokio::time::timeout(PATIENCE, self.parts.store.change_version()).await {
            Ok(Ok(_)) => (),
            Ok(Err(error)) => reasons.push(format!("store: {error}")),
            Err(_) => reasons.push(format!("store: no answer within {} s", PATIENCE.as_secs())),
        }
        if self.parts.biller.journal_bytes() >= self.parts.journal_bound {
            reasons
                .push("journal: full; requests are refused until the store takes receipts again".to_owned());
        }
        if self.parts.biller.journal_is_failing() {
            reasons.push("journal: cannot be written; requests are refused until it can".to_owned());
        }
        reasons
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response<Body> {
    answer(status, "application/json", body.to_string())
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
