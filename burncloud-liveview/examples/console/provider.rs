//! A provider that exists only here: OpenAI chat on the loopback, whole and streamed, with usage.

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const WORDS: &str = "Here is **an answer** from a provider that lives in this process. It writes `code`, \
    lists and formulas:\n\n```rust\nfn main() {\n    println!(\"hello\");\n}\n```\n\n1. one\n2. two\n\n\
    The area is $\\pi r^2$.\n";

/// Starts it; every seventh request of the account `moody` is refused with 429.
pub(crate) async fn start() -> std::io::Result<SocketAddr> {
    let app = Router::new()
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(chat))
        .with_state(Arc::new(AtomicU64::new(0)));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(addr)
}

async fn models() -> Json<Value> {
    let list = ["gpt-4o-mini", "gpt-4o", "gpt-5-mini"].map(|id| json!({ "id": id, "object": "model" }));
    Json(json!({ "object": "list", "data": list }))
}

async fn chat(
    State(count): State<Arc<AtomicU64>>,
    headers: axum::http::HeaderMap,
    Json(ask): Json<Value>,
) -> Response {
    let n = count.fetch_add(1, Relaxed);
    let moody = headers.get(header::AUTHORIZATION).is_some_and(|v| v.as_bytes().ends_with(b"moody"));
    if moody && n % 7 < 3 {
        let body = json!({ "error": { "message": "slow down", "type": "rate_limit_error" } });
        return (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    }
    tokio::time::sleep(Duration::from_millis(80 + n * 37 % 400)).await;
    let model = ask["model"].as_str().unwrap_or_default().to_owned();
    let words: Vec<&str> = WORDS.split_inclusive(' ').collect();
    let usage =
        json!({ "prompt_tokens": 400 + n % 900, "completion_tokens": words.len(), "total_tokens": 0 });
    if ask["stream"] != true {
        let message = json!({ "role": "assistant", "content": WORDS });
        let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
        return Json(json!({ "id": "c", "object": "chat.completion", "created": 1, "model": model,
            "choices": [choice], "usage": usage }))
        .into_response();
    }
    let chunk = move |choices: Value, usage: Value| {
        let chunk = json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": model,
            "choices": choices, "usage": usage });
        format!("data: {chunk}\n\n")
    };
    let mut events: Vec<String> = words
        .iter()
        .map(|word| chunk(json!([{ "index": 0, "delta": { "content": word } }]), Value::Null))
        .collect();
    events.push(chunk(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]), Value::Null));
    events.push(chunk(json!([]), usage));
    events.push("data: [DONE]\n\n".to_owned());
    let events = stream::iter(events).then(|event| async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok::<_, std::convert::Infallible>(event)
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}
