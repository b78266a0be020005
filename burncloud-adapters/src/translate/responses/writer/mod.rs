//! Streams, written for a caller.
//!
//! The last event repeats the whole answer, so the output items are kept until then; nothing else is.

mod close;

use super::OWN;
use super::items::annotation;
use super::reply::{call_words, write_usage};
use crate::translate::{
    Block, CallKind, Caller, Delta, Event, Failure, FailureKind, Signature, Start, Stop, WriteStream, new_id,
    now_seconds, prefixed_id, sse,
};
use burncloud_core::Usage;
use bytes::BytesMut;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Writes an answer, as events and as a whole.
pub(super) struct Writer {
    /// The answer but for status, output and usage.
    head: Map<String, Value>,
    sequence: u64,
    started: bool,
    output: Vec<Value>,
    open: Open,
    /// Google's, of a text: written as reasoning after the message.
    signature: Option<Signature>,
    usage: Option<Usage>,
    stop: Stop,
    refused: bool,
}

/// Where bytes go; nowhere when only the whole is wanted.
type Out<'a> = Option<&'a mut BytesMut>;

enum Open {
    Nothing,
    Message { id: String, content: Vec<Value>, part: Option<TextPart> },
    Reasoning { id: String, text: String, redacted: bool, begun: bool, signature: Option<Signature> },
    Call { id: String, call_id: String, name: String, kind: CallKind, arguments: String },
}

/// A text or a refusal that is being written.
#[derive(Default)]
struct TextPart {
    refusal: bool,
    text: String,
    /// Characters of it.
    length: u64,
    annotations: Vec<Value>,
    logprobs: Vec<Value>,
}

impl TextPart {
    fn value(&self) -> Value {
        if self.refusal {
            return json!({ "type": "refusal", "refusal": self.text });
        }
        json!({
            "type": "output_text",
            "annotations": self.annotations,
            "logprobs": self.logprobs,
            "text": self.text,
        })
    }
}

/// The frequent events.
#[derive(Serialize)]
struct DeltaEvent<'a> {
    r#type: &'static str,
    sequence_number: u64,
    item_id: &'a str,
    output_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<usize>,
    delta: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a [Value]>,
}

impl WriteStream for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        self.take(event, Some(out));
    }
}

impl Writer {
    pub(super) fn new(to: &Caller) -> Writer {
        Writer {
            head: head(to),
            sequence: 0,
            started: false,
            output: Vec::new(),
            open: Open::Nothing,
            signature: None,
            usage: None,
            stop: Stop::End,
            refused: false,
        }
    }

    /// One event; other answers than the first are passed over.
    pub(super) fn take(&mut self, event: Event, mut out: Out<'_>) {
        match event {
            Event::Start(start) => self.start(start, &mut out),
            Event::Open { choice: 0, block } => self.begin(block, &mut out),
            Event::Delta { choice: 0, delta } => self.delta(delta, &mut out),
            Event::Close { choice: 0 } => self.close_block(&mut out),
            Event::Whole { choice: 0, part } => self.whole(part, &mut out),
            Event::Stop { choice: 0, stop, .. } => {
                self.stop = stop;
                self.close_item(&mut out);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Failed(failure) => self.failed(&failure, &mut out),
            Event::End => {
                self.close_item(&mut out);
                let name =
                    if self.incomplete().is_some() { "response.incomplete" } else { "response.completed" };
                if out.is_some() {
                    let response = self.response();
                    self.emit(&mut out, name, json!({ "response": response }));
                }
            }
            _ => {}
        }
    }

    /// The whole answer, at its end.
    pub(super) fn into_response(mut self) -> Value {
        self.response()
    }

    fn incomplete(&self) -> Option<&'static str> {
        match self.stop {
            Stop::MaxTokens => Some("max_output_tokens"),
            Stop::Filtered => Some("content_filter"),
            Stop::Refusal if !self.refused => Some("content_filter"),
            _ => None,
        }
    }

    /// What the answer has come to; the output goes with it.
    fn response(&mut self) -> Value {
        let mut response = self.head.clone();
        let incomplete = self.incomplete();
        response["status"] = if incomplete.is_some() { "incomplete" } else { "completed" }.into();
        if let Some(reason) = incomplete {
            response["incomplete_details"] = json!({ "reason": reason });
        } else {
            response["completed_at"] = now_seconds().into();
        }
        response["output"] = Value::Array(std::mem::take(&mut self.output));
        response["usage"] = self.usage.as_ref().map(write_usage).unwrap_or_default();
        Value::Object(response)
    }

    fn start(&mut self, start: Start, out: &mut Out<'_>) {
        self.started = true;
        self.head["id"] = prefixed_id("resp_", start.id.as_deref()).into();
        self.head["created_at"] = start.created.unwrap_or_else(now_seconds).into();
        if let Some(tier) = start.service_tier.as_deref().and_then(tier) {
            self.head["service_tier"] = tier.into();
        }
        self.usage = start.usage;
        for name in ["response.created", "response.in_progress"] {
            if out.is_some() {
                self.emit(out, name, json!({ "response": self.head }));
            }
        }
    }

    fn failed(&mut self, failure: &Failure, out: &mut Out<'_>) {
        if !self.started {
            self.start(Start::default(), &mut None);
        }
        let mut error = failure.write(OWN)["error"].take();
        let code = match failure.kind {
            FailureKind::RateLimited => "rate_limit_exceeded",
            FailureKind::Invalid | FailureKind::TooLarge => "invalid_prompt",
            _ => "server_error",
        };
        let mut response = self.head.clone();
        response["status"] = "failed".into();
        response["error"] = json!({ "code": code, "message": failure.message });
        response["output"] = Value::Array(std::mem::take(&mut self.output));
        self.emit(out, "response.failed", json!({ "response": response }));
        // SDKs raise an error at this one, not at the one before.
        if error["code"].is_null() {
            error["code"] = code.into();
        }
        self.emit(out, "error", json!({ "error": error }));
    }

    fn emit(&mut self, out: &mut Out<'_>, name: &'static str, fields: Value) {
        let Some(out) = out else { return };
        let mut event = Map::new();
        event.insert("type".to_owned(), name.into());
        event.insert("sequence_number".to_owned(), self.sequence.into());
        if let Value::Object(fields) = fields {
            event.extend(fields);
        }
        self.sequence += 1;
        sse::event(out, name, &event);
    }

    // === Blocks ===

    fn begin(&mut self, block: Block, out: &mut Out<'_>) {
        match block {
            Block::Text | Block::Refusal => {
                let refusal = block == Block::Refusal;
                self.refused |= refusal;
                self.begin_text(TextPart { refusal, ..TextPart::default() }, out);
            }
            Block::Thinking { redacted } => {
                self.close_item(out);
                let id = new_id("rs_");
                self.added(json!({ "id": id, "type": "reasoning", "summary": [] }), out);
                self.open =
                    Open::Reasoning { id, text: String::new(), redacted, begun: false, signature: None };
            }
            Block::ToolCall { id: call_id, name, kind, signature } => {
                self.close_item(out);
                if let Some(signature) = signature {
                    self.lone_signature(signature, out);
                }
                let (item, field, prefix) = call_words(kind);
                let id = new_id(prefix);
                let added = json!({
                    "id": id, "type": item, "status": "in_progress", "call_id": call_id, "name": name, field: "",
                });
                self.added(added, out);
                self.open = Open::Call { id, call_id, name, kind, arguments: String::new() };
            }
        }
    }

    /// A text goes on in the open message, if there is one.
    fn begin_text(&mut self, begun: TextPart, out: &mut Out<'_>) {
        if !matches!(self.open, Open::Message { .. }) {
            self.close_item(out);
            let id = new_id("msg_");
            let added = json!({
                "id": id, "type": "message", "status": "in_progress", "content": [], "role": "assistant",
            });
            self.added(added, out);
            self.open = Open::Message { id, content: Vec::new(), part: None };
        }
        let Open::Message { id, content, part } = &mut self.open else { return };
        let added = json!({
            "item_id": id,
            "output_index": self.output.len(),
            "content_index": content.len(),
            "part": begun.value(),
        });
        *part = Some(begun);
        self.emit(out, "response.content_part.added", added);
    }

    fn added(&mut self, item: Value, out: &mut Out<'_>) {
        let added = json!({ "output_index": self.output.len(), "item": item });
        self.emit(out, "response.output_item.added", added);
    }

    fn done(&mut self, item: Value, out: &mut Out<'_>) {
        if out.is_some() {
            let done = json!({ "output_index": self.output.len(), "item": item });
            self.emit(out, "response.output_item.done", done);
        }
        self.output.push(item);
    }

    fn delta(&mut self, delta: Delta, out: &mut Out<'_>) {
        match delta {
            Delta::Text(text) => self.text(&text, out),
            Delta::Thinking(text) => self.thinking(&text, out),
            Delta::Arguments(text) => self.arguments(&text, out),
            Delta::Signature(signature) => match &mut self.open {
                Open::Reasoning { signature: place, .. } => *place = Some(signature),
                _ => self.signature = Some(signature),
            },
            Delta::Citation(citation) => {
                let Open::Message { id, content, part: Some(part) } = &mut self.open else { return };
                let Some(annotation) = annotation(citation, part.length) else { return };
                let fields = json!({
                    "item_id": id,
                    "output_index": self.output.len(),
                    "content_index": content.len(),
                    "annotation_index": part.annotations.len(),
                    "annotation": annotation,
                });
                part.annotations.push(annotation);
                self.emit(out, "response.output_text.annotation.added", fields);
            }
            Delta::Logprobs(mut logprobs) => {
                if let (Open::Message { part: Some(part), .. }, Some(Value::Array(list))) =
                    (&mut self.open, logprobs.get_mut("content").map(Value::take))
                {
                    part.logprobs.extend(list);
                }
            }
        }
    }

    fn text(&mut self, text: &str, out: &mut Out<'_>) {
        let Open::Message { id, content, part: Some(part) } = &mut self.open else { return };
        part.text.push_str(text);
        part.length += text.chars().count() as u64;
        let Some(out) = out else { return };
        let refusal = part.refusal;
        let name = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        let event = DeltaEvent {
            r#type: name,
            sequence_number: self.sequence,
            item_id: id,
            output_index: self.output.len(),
            content_index: Some(content.len()),
            summary_index: None,
            delta: text,
            logprobs: (!refusal).then_some(&[]),
        };
        self.sequence += 1;
        sse::event(out, name, &event);
    }

    fn thinking(&mut self, more: &str, out: &mut Out<'_>) {
        self.begin_summary(out);
        let Open::Reasoning { id, text, .. } = &mut self.open else { return };
        text.push_str(more);
        let Some(out) = out else { return };
        let name = "response.reasoning_summary_text.delta";
        let event = DeltaEvent {
            r#type: name,
            sequence_number: self.sequence,
            item_id: id,
            output_index: self.output.len(),
            content_index: None,
            summary_index: Some(0),
            delta: more,
            logprobs: None,
        };
        self.sequence += 1;
        sse::event(out, name, &event);
    }

    fn begin_summary(&mut self, out: &mut Out<'_>) {
        let Open::Reasoning { id, begun, .. } = &mut self.open else { return };
        if std::mem::replace(begun, true) {
            return;
        }
        let added = json!({
            "item_id": id,
            "output_index": self.output.len(),
            "summary_index": 0,
            "part": { "type": "summary_text", "text": "" },
        });
        self.emit(out, "response.reasoning_summary_part.added", added);
    }

    fn arguments(&mut self, more: &str, out: &mut Out<'_>) {
        let Open::Call { id, kind, arguments, .. } = &mut self.open else { return };
        if more.is_empty() {
            return;
        }
        arguments.push_str(more);
        let Some(out) = out else { return };
        let name = match kind {
            CallKind::Function => "response.function_call_arguments.delta",
            CallKind::Custom => "response.custom_tool_call_input.delta",
        };
        let event = DeltaEvent {
            r#type: name,
            sequence_number: self.sequence,
            item_id: id,
            output_index: self.output.len(),
            content_index: None,
            summary_index: None,
            delta: more,
            logprobs: None,
        };
        self.sequence += 1;
        sse::event(out, name, &event);
    }
}

/// What an answer says of its request, and what SDKs expect beside.
fn head(to: &Caller) -> Map<String, Value> {
    let defaults = json!({
        "id": "",
        "object": "response",
        "created_at": 0,
        "status": "in_progress",
        "background": false,
        "completed_at": null,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "max_tool_calls": null,
        "model": to.model,
        "output": [],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "prompt_cache_key": null,
        "reasoning": { "effort": null, "summary": null },
        "safety_identifier": null,
        "service_tier": "default",
        "store": false,
        "temperature": 1.0,
        "text": { "format": { "type": "text" }, "verbosity": "medium" },
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": null,
        "user": null,
        "metadata": {},
    });
    let Value::Object(mut head) = defaults else { return Map::new() };
    for (name, value) in &to.echo {
        if !value.is_null() {
            head.insert(name.clone(), value.clone());
        }
    }
    head.insert("model".to_owned(), to.model.clone().into());
    head
}

/// A tier by OpenAI's name.
fn tier(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "default" | "standard" => Some("default"),
        "flex" => Some("flex"),
        "scale" => Some("scale"),
        "priority" => Some("priority"),
        _ => None,
    }
}
