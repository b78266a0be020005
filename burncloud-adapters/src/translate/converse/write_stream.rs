//! Events into Converse's stream.

use super::media::MediaWriter;
use super::reply::{write_stop, write_tier, write_usage};
use crate::translate::{
    Block, Citation, Content, Delta, Event, Failure, FailureKind, Format, Origin, Part, Signature, Stop,
    WriteStream,
};
use crate::wire::event_stream::{encode_event, encode_exception};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::Usage;
use bytes::BytesMut;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::time::Instant;

/// See the module. Keeps what the last two events say, and no text.
#[derive(Debug)]
pub(super) struct Writer {
    since: Instant,
    started: bool,
    ended: bool,
    open: Open,
    index: u64,
    stop: Stop,
    usage: Option<Usage>,
    /// An event's payload while it is built.
    payload: Vec<u8>,
}

#[derive(Debug, PartialEq)]
enum Open {
    Nothing,
    /// Nothing of it is written yet: a text's first piece begins it.
    Text {
        begun: bool,
        signature: Option<Signature>,
    },
    Thinking {
        begun: bool,
        redacted: bool,
    },
    Call,
}

impl Writer {
    pub(super) fn new() -> Writer {
        Writer {
            since: Instant::now(),
            started: false,
            ended: false,
            open: Open::Nothing,
            index: 0,
            stop: Stop::End,
            usage: None,
            payload: Vec::new(),
        }
    }
}

impl WriteStream for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => {
                self.usage = start.usage;
                self.start(out);
            }
            Event::Failed(failure) => {
                let payload = failure.write(Format::Converse).to_string();
                encode_exception(out, exception(&failure), payload.as_bytes());
                self.ended = true;
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::End => self.end(out),
            // Converse's callers cannot ask for more than one answer.
            Event::Open { choice: 0, block } => self.open(block, out),
            Event::Delta { choice: 0, delta } => self.delta(delta, out),
            Event::Close { choice: 0 } => self.close(out),
            Event::Whole { choice: 0, part } => self.whole(part, out),
            Event::Stop { choice: 0, stop, .. } => self.stop = stop,
            Event::Open { .. }
            | Event::Delta { .. }
            | Event::Close { .. }
            | Event::Whole { .. }
            | Event::Stop { .. } => {}
        }
    }
}

/// The exceptions that a stream may end with.
fn exception(failure: &Failure) -> &'static str {
    match failure.kind {
        FailureKind::RateLimited => "throttlingException",
        FailureKind::Overloaded => "serviceUnavailableException",
        FailureKind::Timeout => "modelStreamErrorException",
        FailureKind::Server => "internalServerException",
        _ => "validationException",
    }
}

fn event(name: &str, payload: &Value, out: &mut BytesMut) {
    encode_event(out, name, payload.to_string().as_bytes());
}

impl Writer {
    fn start(&mut self, out: &mut BytesMut) {
        if !std::mem::replace(&mut self.started, true) {
            event("messageStart", &json!({"role": "assistant"}), out);
        }
    }

    fn open(&mut self, block: Block, out: &mut BytesMut) {
        self.start(out);
        self.close(out);
        self.open = match block {
            Block::Text | Block::Refusal => Open::Text { begun: false, signature: None },
            Block::Thinking { redacted } => Open::Thinking { begun: false, redacted },
            Block::ToolCall { id, name, signature, .. } => {
                if let Some(signature) = signature {
                    self.signed(&signature, out);
                }
                let start = json!({"toolUse": {"toolUseId": id, "name": name}});
                self.block_start(&start, out);
                Open::Call
            }
        };
    }

    fn delta(&mut self, delta: Delta, out: &mut BytesMut) {
        match (&mut self.open, delta) {
            (Open::Text { begun, .. }, Delta::Text(text)) if !text.is_empty() => {
                *begun = true;
                self.piece("{\"text\":", &text, "}", out);
            }
            (Open::Text { begun, .. }, Delta::Citation(citation)) => {
                *begun = true;
                self.block_delta(&json!({"citation": write_citation(citation)}), out);
            }
            (Open::Text { signature, .. }, Delta::Signature(whole)) => *signature = Some(whole),
            (Open::Thinking { begun, redacted }, Delta::Thinking(text)) => {
                (*begun, *redacted) = (true, false);
                self.piece("{\"reasoningContent\":{\"text\":", &text, "}}", out);
            }
            (Open::Thinking { begun, redacted }, Delta::Signature(signature)) => {
                *begun = true;
                let signature = signature.to_field(Origin::Anthropic);
                if *redacted {
                    let data = STANDARD.encode(signature);
                    self.piece("{\"reasoningContent\":{\"redactedContent\":", &data, "}}", out);
                } else {
                    self.piece("{\"reasoningContent\":{\"signature\":", &signature, "}}", out);
                }
            }
            (Open::Call, Delta::Arguments(json)) => self.piece("{\"toolUse\":{\"input\":", &json, "}}", out),
            _ => {}
        }
    }

    fn close(&mut self, out: &mut BytesMut) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Call | Open::Thinking { begun: true, .. } => self.block_stop(out),
            Open::Text { begun, signature } => {
                if begun {
                    self.block_stop(out);
                }
                if let Some(signature) = signature {
                    self.signed(&signature, out);
                }
            }
            Open::Nothing | Open::Thinking { begun: false, .. } => {}
        }
    }

    /// Somebody else's signature of a text or a call, as a block of thoughts without words.
    fn signed(&mut self, signature: &Signature, out: &mut BytesMut) {
        let signature = signature.to_field(Origin::Anthropic);
        self.piece("{\"reasoningContent\":{\"signature\":", &signature, "}}", out);
        self.block_stop(out);
    }

    fn whole(&mut self, part: Part, out: &mut BytesMut) {
        self.start(out);
        self.close(out);
        let Part { content, mut carry, .. } = part;
        let block = match content {
            Content::Other { format: Format::Converse, value } => Some(value),
            Content::Media(media) => MediaWriter::default().write(media, &mut carry).ok(),
            _ => None,
        };
        let Some(Value::Object(block)) = block else { return };
        let Some((name, Value::Object(mut value))) = block.into_iter().next() else { return };
        let delta = match name.as_str() {
            "toolUse" => {
                value.shift_remove("input").map(|input| json!({"toolUse": {"input": input.to_string()}}))
            }
            "toolResult" => value.shift_remove("content").map(|content| json!({"toolResult": content})),
            "image" => value.shift_remove("source").map(|source| json!({"image": {"source": source}})),
            // The stream knows no others.
            _ => return,
        };
        self.block_start(&Value::Object(Map::from_iter([(name, Value::Object(value))])), out);
        if let Some(delta) = delta {
            self.block_delta(&delta, out);
        }
        self.block_stop(out);
    }

    fn end(&mut self, out: &mut BytesMut) {
        self.start(out);
        self.close(out);
        event("messageStop", &json!({"stopReason": write_stop(self.stop)}), out);
        let usage = self.usage.unwrap_or_default();
        let latency = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut metadata = json!({"usage": write_usage(&usage), "metrics": {"latencyMs": latency}});
        if let Some(tier) = write_tier(usage.tier) {
            metadata["serviceTier"] = tier;
        }
        event("metadata", &metadata, out);
        self.ended = true;
    }

    fn block_start(&mut self, start: &Value, out: &mut BytesMut) {
        event("contentBlockStart", &json!({"contentBlockIndex": self.index, "start": start}), out);
    }

    fn block_stop(&mut self, out: &mut BytesMut) {
        event("contentBlockStop", &json!({"contentBlockIndex": self.index}), out);
        self.index += 1;
    }

    fn block_delta(&self, delta: &Value, out: &mut BytesMut) {
        event("contentBlockDelta", &json!({"contentBlockIndex": self.index, "delta": delta}), out);
    }

    /// The event that streams are made of, without a tree in between.
    fn piece(&mut self, before: &str, text: &str, after: &str, out: &mut BytesMut) {
        self.payload.clear();
        // Writing into memory does not fail.
        let _ = write!(self.payload, "{{\"contentBlockIndex\":{},\"delta\":{before}", self.index);
        let _ = serde_json::to_writer(&mut self.payload, text);
        let _ = write!(self.payload, "{after}}}");
        encode_event(out, "contentBlockDelta", &self.payload);
    }
}

/// As AWS wrote it, else as a page in the web.
fn write_citation(citation: Citation) -> Value {
    match citation.raw {
        Some((Format::Converse, raw)) => raw,
        _ => super::reply::foreign_citation(citation),
    }
}
