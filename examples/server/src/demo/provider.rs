//! A provider that exists only here: answers OpenAI chat on the loopback, whole and streamed, with usage.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// What it wants to be paid with.
pub(super) const CREDENTIAL: &str = "demo-provider-credential";

const WORDS: [&str; 9] =
    ["Hello", " from", " a", " provider", " that", " exists", " only", " on", " loopback."];
/// Between two words of a stream, so that it can be seen to be one.
const PACE: Duration = Duration::from_millis(25);

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Starts it on a free port of the loopback; it runs as long as the runtime.
///
/// # Errors
/// When no port is free.
pub(super) async fn start() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            // Without it a small frame may wait for an acknowledgement.
            let _ = tcp.set_nodelay(true);
            tokio::spawn(async move {
                let service = service_fn(answer);
                // A gateway that goes away in the middle is no news.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(tcp), service)
                    .await;
            });
        }
    });
    Ok(addr)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    let wanted = format!("Bearer {CREDENTIAL}");
    if request.headers().get(header::AUTHORIZATION).is_none_or(|v| v.as_bytes() != wanted.as_bytes()) {
        return Ok(refusal(StatusCode::UNAUTHORIZED, "wrong credential"));
    }
    if request.uri().path() != "/v1/chat/completions" {
        return Ok(refusal(StatusCode::NOT_FOUND, "this provider only chats"));
    }
    let body = request.into_body().collect().await?.to_bytes();
    let Ok(ask) = serde_json::from_slice::<Value>(&body) else {
        return Ok(refusal(StatusCode::BAD_REQUEST, "not JSON"));
    };
    let model = ask["model"].as_str().unwrap_or_default();
    // Four bytes a token, as a rule of thumb.
    let prompt = body.len().div_ceil(4);
    Ok(if ask["stream"] == true {
        streamed(model, prompt, ask["stream_options"]["include_usage"] == true)
    } else {
        let message = json!({ "role": "assistant", "content": WORDS.concat() });
        let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
        let whole = json!({
            "id": "chatcmpl-demo", "object": "chat.completion", "created": 1_700_000_000, "model": model,
            "choices": [choice], "usage": usage(prompt),
        });
        respond(StatusCode::OK, "application/json", Full::from(whole.to_string()).boxed_unsync())
    })
}

fn usage(prompt: usize) -> Value {
    let words = WORDS.len();
    json!({ "prompt_tokens": prompt, "completion_tokens": words, "total_tokens": prompt + words })
}

fn streamed(model: &str, prompt: usize, with_usage: bool) -> Response<Body> {
    let chunk = |choices: Value, usage: Option<Value>| {
        let mut chunk = json!({
            "id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model,
            "choices": choices,
        });
        if let Some(usage) = usage {
            chunk["usage"] = usage;
        }
        format!("data: {chunk}\n\n")
    };
    let mut events: Vec<String> = WORDS
        .iter()
        .map(|word| chunk(json!([{ "index": 0, "delta": { "content": word }, "finish_reason": null }]), None))
        .collect();
    events.push(chunk(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]), None));
    if with_usage {
        events.push(chunk(json!([]), Some(usage(prompt))));
    }
    events.push("data: [DONE]\n\n".to_owned());
    let frames = stream::iter(events).then(|event| async move {
        tokio::time::sleep(PACE).await;
        Ok(Frame::data(Bytes::from(event)))
    });
    respond(StatusCode::OK, "text/event-stream", StreamBody::new(frames).boxed_unsync())
}

fn refusal(status: StatusCode, why: &str) -> Response<Body> {
    let body = json!({ "error": { "message": why, "type": "invalid_request_error" } });
    respond(status, "application/json", Full::from(body.to_string()).boxed_unsync())
}

fn respond(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
