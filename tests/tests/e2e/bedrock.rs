//! AWS Bedrock: callers who sign, a provider that streams frames, and Anthropic's messages on both sides of it.

use crate::common::{CLAUDE, CLAUDE_TOKENS, tokens};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_tests::config::{Channel, Config, Key};
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::Request;
use burncloud_tests::sdk::Script;
use burncloud_tests::speak::PIECES;
use burncloud_tests::upstream::{Behaviour, Canned, Recorded, Upstream};
use serde_json::{Value, json};

/// With a colon, which AWS's signature encodes twice.
const MODEL: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

fn frame(kind: &str, payload: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in
        [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")]
    {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let mut frame = u32::try_from(16 + headers.len() + payload.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload.as_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

fn canned(status: u16, kind: &str, frames: Vec<Vec<u8>>) -> Behaviour {
    let mut headers = vec![("content-type".into(), kind.into()), ("x-amzn-requestid".into(), "req-1".into())];
    let failure = match status {
        429 => Some("ThrottlingException"),
        400 => Some("ValidationException"),
        _ => None,
    };
    headers.extend(
        failure.map(|name| ("x-amzn-errortype".into(), format!("{name}:http://internal.amazon.com/"))),
    );
    let chunked = kind != "application/json";
    Behaviour::Canned(Box::new(Canned { status, headers, frames, chunked }))
}

fn whole(body: &Value) -> Behaviour {
    canned(200, "application/json", vec![body.to_string().into_bytes()])
}

fn streamed(frames: Vec<Vec<u8>>) -> Behaviour {
    canned(200, "application/vnd.amazon.eventstream", frames)
}

fn usage() -> Value {
    json!({"inputTokens": 8, "outputTokens": 7, "totalTokens": 19, "cacheReadInputTokens": 4})
}

fn converse() -> Value {
    json!({"metrics": {"latencyMs": 5}, "stopReason": "end_turn", "usage": usage(),
        "output": {"message": {"role": "assistant", "content": [{"text": PIECES.concat()}]}}})
}

fn converse_frames() -> Vec<Vec<u8>> {
    let mut frames = vec![frame("messageStart", &json!({"role": "assistant"}))];
    let delta = |text: &str| json!({"contentBlockIndex": 0, "delta": {"text": text}, "p": "ab"});
    frames.extend(PIECES.map(|text| frame("contentBlockDelta", &delta(text))));
    frames.push(frame("contentBlockStop", &json!({"contentBlockIndex": 0})));
    frames.push(frame("messageStop", &json!({"stopReason": "end_turn"})));
    frames.push(frame("metadata", &json!({"usage": usage(), "metrics": {"latencyMs": 5}})));
    frames
}

/// Anthropic's usage as every answer of the fake provider reports it.
fn claude_usage() -> Value {
    json!({"input_tokens": 8, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 5, "output_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 2},
        "output_tokens_details": {"thinking_tokens": 3}})
}

fn message(content: &Value) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content,
        "stop_reason": "end_turn", "stop_sequence": null, "usage": claude_usage()})
}

fn invoke() -> Value {
    message(&json!([{"type": "text", "text": PIECES.concat()}]))
}

fn chunk(event: &Value) -> Vec<u8> {
    frame("chunk", &json!({"bytes": STANDARD.encode(event.to_string()), "p": "abc"}))
}

fn invoke_frames() -> Vec<Vec<u8>> {
    let mut start = message(&json!([]));
    start["stop_reason"] = Value::Null;
    let block = json!({"type": "text", "text": ""});
    let mut events = vec![
        json!({"type": "message_start", "message": start}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
    ];
    let delta = |text: &str| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
    events.extend(PIECES.map(delta));
    let metrics = json!({"inputTokenCount": 8, "outputTokenCount": 7});
    events.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": claude_usage()}),
        json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics}),
    ]);
    events.iter().map(chunk).collect()
}

/// A channel that signs with an access key.
fn channel(upstream: &Upstream, keys: &std::path::Path) -> Channel {
    let credential =
        json!({"access_key_id": KEY_ID, "secret_access_key": "secret-of-the-account", "region": "eu-west-1"});
    std::fs::write(keys, credential.to_string()).unwrap();
    std::fs::set_permissions(keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    Channel::new("aws", "bedrock", &upstream.url())
        .credential_from(keys)
        .models([MODEL])
        .line("model_mapping = { \"claude-sonnet-4-5\" = \"us.anthropic.claude-sonnet-4-5-20250929-v1:0\" }")
}

fn header<'a>(request: &'a Recorded, name: &str) -> &'a str {
    request.headers.get(name).unwrap_or_default()
}

/// What the provider was asked is signed by the channel's account, and says nothing of the caller's.
fn is_signed_by_the_channel(request: &Recorded) {
    let authorization = header(request, "authorization");
    let start = format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/");
    assert!(authorization.starts_with(&start), "{authorization}");
    assert!(authorization.contains("/eu-west-1/bedrock/aws4_request"), "{authorization}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_sdks_cannot_tell() {
    let (upstream, folder) = (Upstream::start().await, tempfile::tempdir().unwrap());
    let config = Config::new().channel(channel(&upstream, &folder.path().join("keys"))).key(Key::new("dev"));
    let gateway = Gateway::start(config).await;
    let pair = gateway.cli(&["keys", "aws", "dev"]).await;
    assert_eq!(gateway.cli(&["keys", "aws", "dev"]).await, pair, "it can be asked for again");
    gateway.cli(&["keys", "create", "other"]).await;
    let other = gateway.cli(&["keys", "aws", "other"]).await;
    gateway.cli(&["keys", "revoke", "other"]).await;
    upstream.next(whole(&converse()));
    upstream.next(streamed(converse_frames()));
    upstream.next(whole(&invoke()));
    upstream.next(streamed(invoke_frames()));
    upstream.next(canned(429, "application/json", vec![br#"{"message":"Too many requests"}"#.to_vec()]));
    upstream.next(streamed(converse_frames()[..3].to_vec()));
    let orders = json!({"base": gateway.url(), "key": "", "model": MODEL, "listed": [], "errors": [],
        "pair": pair, "other": other, "cut": true});
    if Script::PythonBedrock.run(&orders).await.is_none() {
        return;
    }
    gateway.idle().await;
    let requests = upstream.requests();
    assert_eq!(requests.len(), 6, "what is refused does not reach the provider");
    for request in &requests {
        is_signed_by_the_channel(request);
        assert!(
            request.target.starts_with("/model/anthropic.claude-3-haiku-20240307-v1%3A0/"),
            "{request:?}"
        );
    }
    let receipts = gateway.receipts_when(6).await;
    assert_eq!(tokens(&receipts[0]), [8, 4, 0, 0, 7, 0]);
    assert_eq!(tokens(&receipts[1]), [8, 4, 0, 0, 7, 0]);
    assert_eq!(tokens(&receipts[2]), CLAUDE_TOKENS);
    assert_eq!(tokens(&receipts[3]), CLAUDE_TOKENS);
    let log = gateway.log();
    for secret in [&pair, &other].map(|pair| pair["secret_access_key"].as_str().unwrap()) {
        assert!(!log.contains(secret), "a signing secret is in the log");
    }
    assert!(!log.contains("secret-of-the-account"), "the account's secret is in the log");
}

fn ask(stream: bool, model: &str) -> Request {
    let body = json!({"model": model, "max_tokens": 50, "stream": stream,
        "messages": [{"role": "user", "content": "hi"}]});
    Request::json("/v1/messages", &body)
        .header("anthropic-version", "2023-06-01")
        .header("anthropic-beta", "one,two")
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropics_callers_reach_bedrock() {
    let (upstream, folder) = (Upstream::start().await, tempfile::tempdir().unwrap());
    let config = Config::new().channel(channel(&upstream, &folder.path().join("keys"))).key(Key::new("dev"));
    let gateway = Gateway::start(config).await;
    upstream.next(whole(&invoke()));
    let answer = gateway.ask("dev", ask(false, CLAUDE)).await;
    assert_eq!((answer.status, answer.json()["content"][0]["text"].clone()), (200, json!(PIECES.concat())));
    let asked = upstream.last();
    is_signed_by_the_channel(&asked);
    assert_eq!(asked.target, "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke");
    assert_eq!(
        asked.json(),
        json!({"max_tokens": 50, "messages": [{"role": "user", "content": "hi"}],
            "anthropic_version": "bedrock-2023-05-31", "anthropic_beta": ["one", "two"]})
    );
    upstream.next(streamed(invoke_frames()));
    let answer = gateway.ask("dev", ask(true, CLAUDE)).await;
    let text = answer.text();
    assert!(
        text.starts_with("event: message_start\ndata: {") && text.ends_with("\"message_stop\"}\n\n"),
        "{text}"
    );
    upstream.next(canned(400, "application/json", vec![br#"{"message":"no such thing"}"#.to_vec()]));
    let refused = gateway.ask("dev", ask(false, CLAUDE)).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"], json!({"type": "invalid_request_error", "message": "no such thing"}));
    gateway.idle().await;
    let receipts = gateway.receipts_when(3).await;
    assert_eq!((tokens(&receipts[0]), tokens(&receipts[1])), (CLAUDE_TOKENS, CLAUDE_TOKENS));
}

#[tokio::test(flavor = "multi_thread")]
async fn bedrocks_callers_reach_anthropic() {
    let upstream = Upstream::start().await;
    let claude = Channel::new("claude", "anthropic", &upstream.url()).models([CLAUDE]);
    let gateway = Gateway::start(Config::new().channel(claude).key(Key::new("dev"))).await;
    let body = json!({"anthropic_version": "bedrock-2023-05-31", "anthropic_beta": ["one"], "max_tokens": 50,
        "messages": [{"role": "user", "content": "hi"}]});
    let ask = |action: &str| Request::json(&format!("/model/{CLAUDE}/{action}"), &body);
    let answer = gateway.ask("dev", ask("invoke")).await;
    assert_eq!((answer.status, answer.json()["content"][0]["text"].clone()), (200, json!(PIECES.concat())));
    let asked = upstream.last();
    assert_eq!((asked.path(), header(&asked, "anthropic-beta")), ("/v1/messages", "one"));
    assert_eq!(asked.json()["model"], CLAUDE);
    let stream = gateway.ask("dev", ask("invoke-with-response-stream")).await;
    assert_eq!(stream.headers.get("content-type"), Some("application/vnd.amazon.eventstream"));
    let (bytes, mut rest) = (stream.bytes(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let total = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        rest.push(&bytes[at..at + total]);
        at += total;
    }
    assert!(rest.len() > PIECES.len(), "each event is a frame: {}", rest.len());
    assert!(rest.iter().all(|frame| frame.windows(8).any(|w| w == b"\"bytes\":")), "{rest:?}");
    let refused = gateway
        .ask("dev", Request::json(&format!("/model/{CLAUDE}/invoke"), &json!({"inputText": "x"})))
        .await;
    assert_eq!(refused.status, 400);
    gateway.idle().await;
    let receipts = gateway.receipts_when(3).await;
    assert_eq!((tokens(&receipts[0]), tokens(&receipts[1])), (CLAUDE_TOKENS, CLAUDE_TOKENS));
}
