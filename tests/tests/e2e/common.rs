//! What most tests start from: one provider, one gateway, one key.

use burncloud_tests::config::{Channel, Config, Key};
use burncloud_tests::gateway::Gateway;
use burncloud_tests::raw::{Request, Response};
use burncloud_tests::speak::usage;
use burncloud_tests::upstream::Upstream;
use serde_json::{Value, json};

/// A priced chat model.
pub(crate) const MODEL: &str = "gpt-4o-mini";
/// A priced Anthropic model.
pub(crate) const CLAUDE: &str = "claude-sonnet-4-5";
/// A priced Gemini model.
pub(crate) const GEMINI: &str = "gemini-2.5-flash";

/// The models that the OpenAI channel of [`config`] serves.
pub(crate) const OPENAI_MODELS: [&str; 8] = [
    MODEL,
    "gpt-3.5-turbo-instruct",
    "text-embedding-3-small",
    "gpt-image-1",
    "tts-1",
    "gpt-4o-transcribe",
    "omni-moderation-latest",
    "rerank-1",
];

/// Short time limits, so that a silent provider is found out soon.
pub(crate) const IMPATIENT: &str =
    "timeouts = { connect_ms = 1000, first_byte_ms = 400, idle_ms = 400, total_ms = 5000 }";

/// An OpenAI channel.
pub(crate) fn openai(name: &str, url: &str) -> Channel {
    Channel::new(name, "openai", url).models(OPENAI_MODELS)
}

/// A channel for each of the three dialects at one provider, a mapped name `fast`, and the key `dev`.
pub(crate) fn config(upstream: &Upstream) -> Config {
    Config::new()
        .channel(openai("openai-main", &upstream.url()).line("model_mapping = { fast = \"gpt-4o-mini\" }"))
        .channel(Channel::new("claude-main", "anthropic", &upstream.url()).models([CLAUDE]))
        .channel(
            Channel::new("gemini-main", "gemini", &upstream.url()).models([GEMINI, "gemini-embedding-001"]),
        )
        .key(Key::new("dev"))
}

/// A provider and a gateway before it.
pub(crate) async fn pair() -> (Upstream, Gateway) {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(config(&upstream)).await;
    (upstream, gateway)
}

/// A chat request.
pub(crate) fn chat(model: &str) -> Request {
    Request::json("/v1/chat/completions", &chat_body(model))
}

/// A chat request's body.
pub(crate) fn chat_body(model: &str) -> Value {
    json!({"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]})
}

/// A streamed chat request that asks for usage.
pub(crate) fn chat_stream(model: &str) -> Request {
    let mut body = chat_body(model);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    Request::json("/v1/chat/completions", &body)
}

/// An Anthropic request.
pub(crate) fn message(stream: bool) -> Request {
    let body = json!({"model": CLAUDE, "max_tokens": 50, "stream": stream,
        "messages": [{"role": "user", "content": "hi"}]});
    Request::json("/v1/messages", &body).header("anthropic-version", "2023-06-01")
}

/// A Gemini request.
pub(crate) fn generate(stream: bool) -> Request {
    let action = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
    Request::json(&format!("/v1beta/models/{GEMINI}:{action}"), &body)
}

/// The code or type that an OpenAI-shaped error carries, after checking that it is one.
pub(crate) fn openai_error(response: &Response) -> Value {
    let error = response.json()["error"].clone();
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{response:?}");
    assert!(error["type"].is_string(), "{response:?}");
    error
}

/// The usage of a receipt as `[input, cached, write 5 min, write 1 h, output, reasoning]`.
pub(crate) fn tokens(receipt: &Value) -> [u64; 6] {
    ["input", "cached_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"].map(|class| {
        receipt["usage"][class].as_u64().unwrap_or_else(|| panic!("no usage.{class} in {receipt}"))
    })
}

/// What every chat-like answer of the fake provider reports.
pub(crate) const CHAT_TOKENS: [u64; 6] = [usage::INPUT, usage::CACHED, 0, 0, usage::OUTPUT, usage::REASONING];
/// The same at Anthropic.
pub(crate) const CLAUDE_TOKENS: [u64; 6] =
    [usage::INPUT, usage::CACHED, usage::WRITE_5M, usage::WRITE_1H, usage::OUTPUT, usage::REASONING];

/// A receipt's charge in nano-dollars.
pub(crate) fn charge(receipt: &Value) -> i64 {
    receipt["charge_nano"].as_i64().unwrap_or_else(|| panic!("no charge in {receipt}"))
}
