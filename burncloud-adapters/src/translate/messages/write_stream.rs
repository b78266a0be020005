//! Events into Anthropic's stream.

use super::reply::{write_citation, write_stop, write_usage};
use crate::translate::{
    Block, Caller, Content, Delta, Event, Format, Origin, Part, Signature, Start, Stop, WriteStream,
    prefixed_id, sse,
};
use burncloud_core::Usage;
use bytes::{BufMut, BytesMut};
use serde_json::{Value, json};
use std::fmt::Write;

/// See the module. Keeps what the closing `message_delta` says, and no text.
#[derive(Debug)]
pub(super) struct Writer {
    model: String,
    started: bool,
    ended: bool,
    /// The block that is open, and the number of the next.
    open: Open,
    index: u64,
    stop: Option<(Stop, Option<String>)>,
    usage: Option<Usage>,
}

#[derive(Debug, PartialEq)]
enum Open {
    Nothing,
    /// Text; begun on the wire with its first words, because it may turn out to hold a signature alone.
    Text {
        begun: bool,
        signature: Option<Signature>,
    },
    /// Thoughts that are withheld: their block says all at its start.
    Redacted,
    Thinking,
    Call,
    /// Nothing that callers can be told.
    Skipped,
}

impl Writer {
    pub(super) fn new(to: &Caller) -> Writer {
        Writer {
            model: to.model.clone(),
            started: false,
            ended: false,
            open: Open::Nothing,
            index: 0,
            stop: None,
            usage: None,
        }
    }
}

impl WriteStream for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        if self.ended {
            return;
        }
        match event {
            Event::Start(start) => self.start(&start, out),
            Event::Failed(failure) => {
                sse::event(out, "error", &failure.write(Format::Messages));
                self.ended = true;
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::End => self.end(out),
            // Anthropic's callers cannot ask for more than one answer.
            Event::Open { choice: 0, block } => self.open(block, out),
            Event::Delta { choice: 0, delta } => self.delta(delta, out),
            Event::Close { choice: 0 } => self.close(out),
            Event::Whole { choice: 0, part } => self.whole(part, out),
            Event::Stop { choice: 0, stop, sequence } => self.stop = Some((stop, sequence)),
            Event::Open { .. }
            | Event::Delta { .. }
            | Event::Close { .. }
            | Event::Whole { .. }
            | Event::Stop { .. } => {}
        }
    }
}

impl Writer {
    fn start(&mut self, start: &Start, out: &mut BytesMut) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let message = json!({
            "id": prefixed_id("msg_", start.id.as_deref()),
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "stop_details": null,
            "usage": write_usage(&start.usage.unwrap_or_default()),
        });
        self.usage = start.usage;
        sse::event(out, "message_start", &json!({"type": "message_start", "message": message}));
    }

    fn open(&mut self, block: Block, out: &mut BytesMut) {
        self.start(&Start::default(), out);
        self.close(out);
        self.open = match block {
            Block::Text | Block::Refusal => Open::Text { begun: false, signature: None },
            Block::Thinking { redacted: true } => Open::Redacted,
            Block::Thinking { redacted: false } => {
                self.block_start(&json!({"type": "thinking", "thinking": "", "signature": ""}), out);
                Open::Thinking
            }
            Block::ToolCall { id, name, signature, .. } => {
                if let Some(signature) = signature {
                    self.signed(&signature, out);
                }
                self.block_start(&json!({"type": "tool_use", "id": id, "name": name, "input": {}}), out);
                Open::Call
            }
        };
    }

    fn delta(&mut self, delta: Delta, out: &mut BytesMut) {
        match (&mut self.open, delta) {
            (Open::Text { begun, .. }, Delta::Text(text)) => {
                if text.is_empty() {
                    return;
                }
                if !std::mem::replace(begun, true) {
                    self.block_start(&json!({"type": "text", "text": ""}), out);
                }
                self.text_delta("text_delta", "text", &text, out);
            }
            (Open::Text { begun, .. }, Delta::Citation(citation)) => {
                if !std::mem::replace(begun, true) {
                    self.block_start(&json!({"type": "text", "text": ""}), out);
                }
                let delta = json!({"type": "citations_delta", "citation": write_citation(citation)});
                self.block_delta(&delta, out);
            }
            (Open::Text { signature, .. }, Delta::Signature(whole)) => *signature = Some(whole),
            (Open::Redacted, Delta::Signature(signature)) => {
                let data = signature.to_field(Origin::Anthropic);
                self.block_start(&json!({"type": "redacted_thinking", "data": data}), out);
                self.block_stop(out);
                self.open = Open::Skipped;
            }
            (Open::Redacted, Delta::Thinking(text)) => {
                self.block_start(&json!({"type": "thinking", "thinking": "", "signature": ""}), out);
                self.text_delta("thinking_delta", "thinking", &text, out);
                self.open = Open::Thinking;
            }
            (Open::Thinking, Delta::Thinking(text)) => {
                self.text_delta("thinking_delta", "thinking", &text, out);
            }
            (Open::Thinking, Delta::Signature(signature)) => {
                let signature = signature.to_field(Origin::Anthropic);
                self.text_delta("signature_delta", "signature", &signature, out);
            }
            (Open::Call, Delta::Arguments(json)) => {
                self.text_delta("input_json_delta", "partial_json", &json, out);
            }
            _ => {}
        }
    }

    fn close(&mut self, out: &mut BytesMut) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Thinking | Open::Call => self.block_stop(out),
            Open::Text { begun, signature } => {
                if begun {
                    self.block_stop(out);
                }
                if let Some(signature) = signature {
                    self.signed(&signature, out);
                }
            }
            Open::Nothing | Open::Redacted | Open::Skipped => {}
        }
    }

    /// Somebody else's signature of a text or a call, as a block of thoughts without words.
    fn signed(&mut self, signature: &Signature, out: &mut BytesMut) {
        self.block_start(&json!({"type": "thinking", "thinking": "", "signature": ""}), out);
        self.text_delta("signature_delta", "signature", &signature.to_field(Origin::Anthropic), out);
        self.block_stop(out);
    }

    fn whole(&mut self, part: Part, out: &mut BytesMut) {
        self.start(&Start::default(), out);
        self.close(out);
        let Content::Other { format: Format::Messages, mut value } = part.content else { return };
        // As the provider streams it: the input comes after.
        let input = match value.get_mut("input") {
            Some(input @ Value::Object(_)) => Some(std::mem::replace(input, json!({}))),
            _ => None,
        };
        self.block_start(&value, out);
        if let Some(input) = input.filter(|input| *input != json!({})) {
            self.text_delta("input_json_delta", "partial_json", &input.to_string(), out);
        }
        self.block_stop(out);
    }

    fn end(&mut self, out: &mut BytesMut) {
        self.start(&Start::default(), out);
        self.close(out);
        let (stop, sequence) = self.stop.take().unwrap_or_default();
        let usage = write_usage(&self.usage.unwrap_or_default());
        let delta = json!({
            "type": "message_delta",
            "delta": {"stop_reason": write_stop(stop), "stop_sequence": sequence, "stop_details": null},
            "usage": usage,
        });
        sse::event(out, "message_delta", &delta);
        sse::event(out, "message_stop", &json!({"type": "message_stop"}));
        self.ended = true;
    }

    fn block_start(&mut self, block: &Value, out: &mut BytesMut) {
        let event = json!({"type": "content_block_start", "index": self.index, "content_block": block});
        sse::event(out, "content_block_start", &event);
    }

    fn block_stop(&mut self, out: &mut BytesMut) {
        sse::event(out, "content_block_stop", &json!({"type": "content_block_stop", "index": self.index}));
        self.index += 1;
    }

    fn block_delta(&self, delta: &Value, out: &mut BytesMut) {
        let event = json!({"type": "content_block_delta", "index": self.index, "delta": delta});
        sse::event(out, "content_block_delta", &event);
    }

    /// The event that streams are made of, without a tree in between.
    fn text_delta(&self, kind: &str, field: &str, text: &str, out: &mut BytesMut) {
        // Writing into memory does not fail.
        let _ = write!(
            out,
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{},\"delta\":{{\"type\":\"{kind}\",\"{field}\":",
            self.index
        );
        let _ = serde_json::to_writer(out.writer(), text);
        out.extend_from_slice(b"}}\n\n");
    }
}
