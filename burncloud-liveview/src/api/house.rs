//! What anybody may see.

use super::Api;
use super::docs;
use super::reply::{Answer, ok};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(get_health)).routes(routes!(get_document)).routes(routes!(get_docs))
}

/// Whether the console is there
///
/// For whoever watches over the process; it asks nothing of the store.
#[utoipa::path(get, path = "/internal/health", tag = "House", security(()),
    responses((status = 200, description = "It is", body = super::schema::Health)))]
async fn get_health() -> Answer {
    ok(&json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// This document
#[utoipa::path(get, path = "/api/openapi.json", tag = "House", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn get_document(State(api): State<Api>) -> Answer {
    ok(api.document())
}

/// This document, as a page
#[utoipa::path(get, path = "/api/docs", tag = "House", security(()),
    responses((status = 200, description = "A page to read", body = String, content_type = "text/html")))]
async fn get_docs(State(api): State<Api>) -> Response {
    let html = docs::page(api.document());
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, docs::policy()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (headers, html).into_response()
}
