//! What the fake provider says: small made-up answers in each provider's own protocol, whole and streamed.
//!
//! Every answer reports the same usage, so that a test knows what a receipt must hold ([`usage`]).

mod anthropic;
mod gemini;
mod openai;

use crate::upstream::Recorded;
use serde_json::{Value, json};

/// The tokens of every chat-like answer, as classes that do not overlap.
pub mod usage {
    /// Input that was neither read from nor written to a cache.
    pub const INPUT: u64 = 8;
    /// Input read from a cache.
    pub const CACHED: u64 = 4;
    /// Input written to the five-minute cache (Anthropic alone).
    pub const WRITE_5M: u64 = 3;
    /// Input written to the one-hour cache (Anthropic alone).
    pub const WRITE_1H: u64 = 2;
    /// Visible output.
    pub const OUTPUT: u64 = 4;
    /// Reasoning.
    pub const REASONING: u64 = 3;
    /// Input of an embedding.
    pub const EMBEDDING: u64 = 6;
}

/// The text of every answer, in the pieces in which it is streamed: multi-byte characters on purpose.
pub const PIECES: [&str; 4] = ["Hel", "lo, ", "wörld", " ✓"];

/// A response before it is framed.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// The status.
    pub status: u16,
    /// Headers without framing.
    pub headers: Vec<(String, String)>,
    /// The body: events of a stream, or one element.
    pub frames: Vec<Vec<u8>>,
    /// Whether each frame is a chunk of its own.
    pub streamed: bool,
}

impl Spoken {
    /// A whole body.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: base_headers(content_type), frames: vec![body], streamed: false }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string().into_bytes())
    }

    fn events(frames: Vec<String>) -> Self {
        let frames = frames.into_iter().map(String::into_bytes).collect();
        Self { status: 200, headers: base_headers("text/event-stream"), frames, streamed: true }
    }
}

fn base_headers(content_type: &str) -> Vec<(String, String)> {
    [("content-type", content_type), ("x-request-id", "req_made_up"), ("x-made-up", "kept")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
}

fn dialect(request: &Recorded) -> Dialect {
    if request.path().contains("/messages") || request.path().contains("/publishers/anthropic/") {
        Dialect::Anthropic
    } else if request.path().contains(':') || request.path().starts_with("/v1beta") {
        Dialect::Gemini
    } else {
        Dialect::OpenAi
    }
}

/// What a provider answers to `request`; `usage` tells whether it reports any.
#[must_use]
pub fn answer(request: &Recorded, usage: bool) -> Spoken {
    match dialect(request) {
        Dialect::OpenAi => openai::answer(request, usage),
        Dialect::Anthropic => anthropic::answer(request, usage),
        Dialect::Gemini => gemini::answer(request, usage),
    }
}

/// An error in the shape of the dialect's provider.
#[must_use]
pub fn error(request: &Recorded, status: u16) -> Spoken {
    let message = format!("made-up failure {status}");
    let body = match dialect(request) {
        Dialect::OpenAi => {
            json!({"error": {"message": message, "type": "made_up_error", "param": null, "code": "made_up"}})
        }
        Dialect::Anthropic => {
            let kind = match status {
                401 => "authentication_error",
                429 => "rate_limit_error",
                529 => "overloaded_error",
                _ => "api_error",
            };
            json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_made_up"})
        }
        Dialect::Gemini => json!({"error": {"code": status, "message": message, "status": "MADE_UP"}}),
    };
    Spoken::json(status, &body)
}

/// The content type that an answer to `request` has.
#[must_use]
pub fn content_type(request: &Recorded) -> &'static str {
    if request.json()["stream"] == true || request.path().contains(":stream") {
        "text/event-stream"
    } else {
        "application/json"
    }
}

/// Whether the request offers tools and no result of one is in it yet: then the answer calls the first.
fn calls_tool(body: &Value) -> bool {
    let text = body.to_string();
    let answered = ["\"role\":\"tool\"", "tool_result", "function_call_output", "functionResponse"];
    body["tools"].as_array().is_some_and(|tools| !tools.is_empty())
        && !answered.iter().any(|mark| text.contains(mark))
}
