//! What the fake provider says in each dialect: the same text and the same report, in pieces that a test can stop at.

use burncloud_tests::http1::encode_chunk;
use burncloud_tests::raw::Request;
use serde_json::{Value, json};

/// Tokens of the whole answer, as the provider reports them at its end.
pub(crate) const FINAL: (u64, u64) = (100, 30);
/// What some providers report at the beginning already.
pub(crate) const PROVISIONAL: (u64, u64) = (100, 1);
/// What is asked.
pub(crate) const PROMPT: &str = "Tell me a story about a fox.";
/// What an error says: were it counted as output, every charge would be another.
const ERROR: &str =
    "the provider is overloaded and has a great deal to say about why it is so, at some length";

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dialect {
    Chat,
    Responses,
    Anthropic,
    Gemini,
    Cohere,
    Bedrock,
}

/// The pieces in which the text is streamed.
pub(crate) fn pieces() -> Vec<String> {
    let words = ["fox", "dog", "hen", "cow", "cat", "owl", "bee", "ant"];
    words.iter().map(|word| format!(" The {word} jumps over it.")).collect()
}

/// A stream in three parts.
pub(crate) struct Speech {
    /// Before the first piece of text.
    pub(crate) open: Vec<Vec<u8>>,
    /// One for each piece.
    pub(crate) texts: Vec<Vec<u8>>,
    /// After the last: why it ended, the report, the closing event.
    pub(crate) tail: Vec<Vec<u8>>,
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As it should.
    Complete,
    /// At a limit; with its report.
    Incomplete,
    /// In a failure that comes with a report, where the dialect has such a thing.
    Failed,
    /// As it should, but nothing is reported.
    NoUsage,
}

fn sse(data: &Value) -> Vec<u8> {
    match data["type"].as_str() {
        Some(kind) => format!("event: {kind}\ndata: {data}\n\n").into_bytes(),
        None => format!("data: {data}\n\n").into_bytes(),
    }
}

/// A message of AWS's event stream.
fn aws(message: &str, name: &str, payload: &Value) -> Vec<u8> {
    let kind = if message == "event" { ":event-type" } else { ":exception-type" };
    let mut headers = Vec::new();
    for (key, value) in [(kind, name), (":content-type", "application/json"), (":message-type", message)] {
        headers.push(u8::try_from(key.len()).unwrap());
        headers.extend_from_slice(key.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let payload = payload.to_string().into_bytes();
    let size = |bytes: usize| u32::try_from(bytes).unwrap().to_be_bytes();
    let mut out = size(16 + headers.len() + payload.len()).to_vec();
    out.extend_from_slice(&size(headers.len()));
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(&payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn chat_usage() -> Value {
    json!({"prompt_tokens": FINAL.0, "completion_tokens": FINAL.1, "total_tokens": FINAL.0 + FINAL.1})
}

fn responses_usage() -> Value {
    json!({"input_tokens": FINAL.0, "output_tokens": FINAL.1, "total_tokens": FINAL.0 + FINAL.1})
}

fn gemini_usage((input, output): (u64, u64)) -> Value {
    json!({"promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output})
}

fn cohere_usage() -> Value {
    let tokens = json!({"input_tokens": FINAL.0, "output_tokens": FINAL.1});
    json!({"billed_units": tokens, "tokens": tokens})
}

fn bedrock_usage() -> Value {
    json!({"inputTokens": FINAL.0, "outputTokens": FINAL.1, "totalTokens": FINAL.0 + FINAL.1})
}

fn without(mut value: Value, key: &str, dropped: bool) -> Value {
    if let (true, Some(object)) = (dropped, value.as_object_mut()) {
        object.remove(key);
    }
    value
}

impl Dialect {
    pub(crate) const ALL: [Dialect; 6] = [
        Dialect::Chat,
        Dialect::Responses,
        Dialect::Anthropic,
        Dialect::Gemini,
        Dialect::Cohere,
        Dialect::Bedrock,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Dialect::Chat => "OpenAI Chat",
            Dialect::Responses => "OpenAI Responses",
            Dialect::Anthropic => "Anthropic Messages",
            Dialect::Gemini => "Gemini",
            Dialect::Cohere => "Cohere v2",
            Dialect::Bedrock => "Bedrock Converse",
        }
    }

    /// Whether the provider reports something at the beginning of a stream.
    pub(crate) fn provisional(self) -> Option<(u64, u64)> {
        matches!(self, Dialect::Anthropic | Dialect::Gemini).then_some(PROVISIONAL)
    }

    /// Whether a failure can come with a report.
    pub(crate) fn fails_with_report(self) -> bool {
        matches!(self, Dialect::Responses | Dialect::Cohere)
    }

    /// A request for that model.
    pub(crate) fn ask(self, model: &str, stream: bool) -> Request {
        let messages = json!([{"role": "user", "content": PROMPT}]);
        match self {
            Dialect::Chat => {
                let mut body = json!({"model": model, "messages": messages, "stream": stream});
                if stream {
                    body["stream_options"] = json!({"include_usage": true});
                }
                Request::json("/v1/chat/completions", &body)
            }
            Dialect::Responses => {
                Request::json("/v1/responses", &json!({"model": model, "input": PROMPT, "stream": stream}))
            }
            Dialect::Anthropic => {
                let body =
                    json!({"model": model, "max_tokens": 2000, "messages": messages, "stream": stream});
                Request::json("/v1/messages", &body).header("anthropic-version", "2023-06-01")
            }
            Dialect::Gemini => {
                let action = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
                let body = json!({"contents": [{"role": "user", "parts": [{"text": PROMPT}]}]});
                Request::json(&format!("/v1beta/models/{model}:{action}"), &body)
            }
            Dialect::Cohere => {
                Request::json("/v2/chat", &json!({"model": model, "messages": messages, "stream": stream}))
            }
            Dialect::Bedrock => {
                let action = if stream { "converse-stream" } else { "converse" };
                let body = json!({"messages": [{"role": "user", "content": [{"text": PROMPT}]}]});
                Request::json(&format!("/model/{model}/{action}"), &body)
            }
        }
    }

    /// The head of an answer; `length` where it is whole.
    pub(crate) fn head(self, length: Option<usize>) -> Vec<u8> {
        let kind = match (length, self) {
            (Some(_), _) => "application/json",
            (None, Dialect::Bedrock) => "application/vnd.amazon.eventstream",
            (None, _) => "text/event-stream",
        };
        let framing = match length {
            Some(length) => format!("content-length: {length}"),
            None => "transfer-encoding: chunked".to_owned(),
        };
        format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n").into_bytes()
    }

    fn text(self, piece: &str) -> Vec<u8> {
        match self {
            Dialect::Chat => {
                sse(&json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]}))
            }
            Dialect::Responses => sse(&json!({"type": "response.output_text.delta", "item_id": "m",
                "output_index": 0, "content_index": 0, "delta": piece})),
            Dialect::Anthropic => sse(&json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": piece}})),
            Dialect::Gemini => {
                sse(&json!({"candidates": [{"content": {"parts": [{"text": piece}], "role": "model"},
                "index": 0}], "usageMetadata": gemini_usage(PROVISIONAL)}))
            }
            Dialect::Cohere => sse(&json!({"type": "content-delta", "index": 0,
                "delta": {"message": {"content": {"text": piece}}}})),
            Dialect::Bedrock => {
                aws("event", "contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": piece}}))
            }
        }
    }

    fn open(self) -> Vec<Vec<u8>> {
        match self {
            Dialect::Chat => vec![sse(&json!({"id": "c", "object": "chat.completion.chunk", "created": 1,
                "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""},
                "finish_reason": null}]}))],
            Dialect::Responses => vec![sse(&json!({"type": "response.created", "response": {"id": "r",
                "object": "response", "status": "in_progress", "output": [], "usage": null}}))],
            Dialect::Anthropic => vec![
                sse(&json!({"type": "message_start", "message": {"id": "m", "type": "message",
                    "role": "assistant", "model": "m", "content": [], "stop_reason": null,
                    "usage": {"input_tokens": PROVISIONAL.0, "output_tokens": PROVISIONAL.1}}})),
                sse(&json!({"type": "content_block_start", "index": 0,
                    "content_block": {"type": "text", "text": ""}})),
            ],
            Dialect::Gemini => Vec::new(),
            Dialect::Cohere => vec![sse(&json!({"type": "message-start", "id": "c", "delta": {"message":
                {"role": "assistant", "content": []}}}))],
            Dialect::Bedrock => vec![aws("event", "messageStart", &json!({"role": "assistant"}))],
        }
    }

    fn tail(self, ending: Ending) -> Vec<Vec<u8>> {
        let (cut, silent) = (ending == Ending::Incomplete, ending == Ending::NoUsage);
        match self {
            Dialect::Chat => {
                let chunk = |choices: Value, usage: Value| {
                    sse(&json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                        "choices": choices, "usage": usage}))
                };
                let reason = if cut { "length" } else { "stop" };
                let mut tail =
                    vec![chunk(json!([{"index": 0, "delta": {}, "finish_reason": reason}]), Value::Null)];
                if !silent {
                    tail.push(chunk(json!([]), chat_usage()));
                }
                tail.push(b"data: [DONE]\n\n".to_vec());
                tail
            }
            Dialect::Responses => {
                let status = match ending {
                    Ending::Complete | Ending::NoUsage => "completed",
                    Ending::Incomplete => "incomplete",
                    Ending::Failed => "failed",
                };
                let error = json!({"code": "server_error", "message": ERROR, "text": ERROR});
                let response = json!({"id": "r", "object": "response", "status": status,
                    "error": (ending == Ending::Failed).then_some(error),
                    "output": [{"type": "message", "content": [{"type": "output_text", "text": pieces().concat()}]}],
                    "usage": (!silent).then(responses_usage)});
                vec![sse(&json!({"type": format!("response.{status}"), "response": response}))]
            }
            Dialect::Anthropic => {
                let reason = if cut { "max_tokens" } else { "end_turn" };
                let usage = json!({"output_tokens": FINAL.1});
                let delta =
                    json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage});
                vec![
                    sse(&json!({"type": "content_block_stop", "index": 0})),
                    sse(&without(delta, "usage", silent)),
                    sse(&json!({"type": "message_stop"})),
                ]
            }
            Dialect::Gemini => {
                let reason = if cut { "MAX_TOKENS" } else { "STOP" };
                let chunk = json!({"candidates": [{"content": {"parts": [], "role": "model"}, "index": 0,
                    "finishReason": reason}], "usageMetadata": gemini_usage(FINAL)});
                vec![sse(&without(chunk, "usageMetadata", silent))]
            }
            Dialect::Cohere => {
                let reason = match ending {
                    Ending::Complete | Ending::NoUsage => "COMPLETE",
                    Ending::Incomplete => "MAX_TOKENS",
                    Ending::Failed => "ERROR",
                };
                let mut delta =
                    without(json!({"finish_reason": reason, "usage": cohere_usage()}), "usage", silent);
                if ending == Ending::Failed {
                    delta["error"] = json!(ERROR);
                }
                vec![
                    sse(&json!({"type": "content-end", "index": 0})),
                    sse(&json!({"type": "message-end", "id": "c", "delta": delta})),
                ]
            }
            Dialect::Bedrock => {
                let reason = if cut { "max_tokens" } else { "end_turn" };
                let mut tail = vec![
                    aws("event", "contentBlockStop", &json!({"contentBlockIndex": 0})),
                    aws("event", "messageStop", &json!({"stopReason": reason})),
                ];
                if !silent {
                    let payload = json!({"usage": bedrock_usage(), "metrics": {"latencyMs": 1}});
                    tail.push(aws("event", "metadata", &payload));
                }
                tail
            }
        }
    }

    /// A stream.
    pub(crate) fn speech(self, ending: Ending) -> Speech {
        let mut texts: Vec<Vec<u8>> = pieces().iter().map(|piece| self.text(piece)).collect();
        if self == Dialect::Gemini && ending == Ending::NoUsage {
            let silent = |piece: &String| {
                sse(
                    &json!({"candidates": [{"content": {"parts": [{"text": piece}], "role": "model"}, "index": 0}]}),
                )
            };
            texts = pieces().iter().map(silent).collect();
        }
        let mut open = self.open();
        if self == Dialect::Anthropic && ending == Ending::NoUsage {
            open[0] = sse(&json!({"type": "message_start", "message": {"id": "m", "type": "message",
                "role": "assistant", "model": "m", "content": [], "stop_reason": null}}));
        }
        Speech { open, texts, tail: self.tail(ending) }
    }

    /// An error in the middle of a stream.
    pub(crate) fn error(self) -> Vec<u8> {
        let error = json!({"message": ERROR, "type": "server_error", "param": null, "code": null,
            "details": [{"text": ERROR, "content": ERROR}]});
        match self {
            Dialect::Chat => sse(&json!({"error": error})),
            Dialect::Responses => sse(&json!({"type": "error", "sequence_number": 9, "error": error})),
            Dialect::Anthropic => sse(&json!({"type": "error", "error": {"type": "overloaded_error",
                "message": ERROR}})),
            Dialect::Gemini => {
                sse(&json!({"error": {"code": 503, "message": ERROR, "status": "UNAVAILABLE"}}))
            }
            Dialect::Cohere => sse(&json!({"type": "message-end", "delta": {"finish_reason": "ERROR",
                "error": ERROR}})),
            Dialect::Bedrock => aws("exception", "modelStreamErrorException", &json!({"message": ERROR})),
        }
    }

    /// A whole answer's body.
    pub(crate) fn whole(self) -> Vec<u8> {
        let text = pieces().concat();
        let body = match self {
            Dialect::Chat => json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                "finish_reason": "stop"}], "usage": chat_usage()}),
            Dialect::Responses => {
                json!({"id": "r", "object": "response", "status": "completed", "model": "m",
                "output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}],
                "usage": responses_usage()})
            }
            Dialect::Anthropic => json!({"id": "m", "type": "message", "role": "assistant", "model": "m",
                "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
                "usage": {"input_tokens": FINAL.0, "output_tokens": FINAL.1}}),
            Dialect::Gemini => {
                json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"},
                "finishReason": "STOP"}], "usageMetadata": gemini_usage(FINAL)})
            }
            Dialect::Cohere => json!({"id": "c", "message": {"role": "assistant",
                "content": [{"type": "text", "text": text}]}, "finish_reason": "COMPLETE",
                "usage": cohere_usage()}),
            Dialect::Bedrock => {
                json!({"output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                "stopReason": "end_turn", "usage": bedrock_usage(), "metrics": {"latencyMs": 1}})
            }
        };
        body.to_string().into_bytes()
    }
}

/// Frames as chunks on the wire.
pub(crate) fn chunked(frames: &[Vec<u8>]) -> Vec<u8> {
    frames.iter().flat_map(|frame| encode_chunk(frame)).collect()
}
