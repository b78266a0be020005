//! Streams, read and written.

use super::{
    finish_reason, read_citation, read_logprobs, stop_of, write_citation, write_logprobs, write_usage,
};
use crate::cohere;
use crate::translate::{
    Block, CallKind, Delta, Event, Failure, FailureKind, ReadStream, Start, Stop, Wire, WriteStream, new_id,
    sse,
};
use burncloud_core::{Error, ErrorKind, Usage};
use bytes::{BufMut, BytesMut};
use serde_json::{Value, json};

/// Reads a stream of one answer.
#[derive(Default)]
pub(super) struct Reader {
    started: bool,
    ended: bool,
    open: Open,
    calls: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    Text,
    Thinking,
    Call,
}

impl Reader {
    fn close(&mut self, out: &mut Vec<Event>) {
        if std::mem::take(&mut self.open) != Open::Nothing {
            out.push(Event::Close { choice: 0 });
        }
    }

    fn open(&mut self, open: Open, block: Block, out: &mut Vec<Event>) {
        self.close(out);
        self.open = open;
        out.push(Event::Open { choice: 0, block });
    }

    fn turn_to(&mut self, open: Open, out: &mut Vec<Event>) {
        if self.open != open {
            let block =
                if open == Open::Thinking { Block::Thinking { redacted: false } } else { Block::Text };
            self.open(open, block, out);
        }
    }

    fn text(&mut self, text: Option<&Value>, open: Open, out: &mut Vec<Event>) {
        let Some(text) = text.and_then(Value::as_str).filter(|text| !text.is_empty()) else { return };
        self.turn_to(open, out);
        let text = text.to_owned();
        let delta = if open == Open::Thinking { Delta::Thinking(text) } else { Delta::Text(text) };
        out.push(Event::Delta { choice: 0, delta });
    }

    fn content(&mut self, message: &Value, out: &mut Vec<Event>) {
        let content = &message["content"];
        self.text(content.get("thinking"), Open::Thinking, out);
        self.text(content.get("text"), Open::Text, out);
    }

    fn call(&mut self, message: &Value, out: &mut Vec<Event>) -> Result<(), Error> {
        let call = &message["tool_calls"];
        let Some(name) = call.pointer("/function/name").and_then(Value::as_str) else {
            return Err(Error::new(
                ErrorKind::BadGateway,
                "the provider's stream calls a tool without a name",
            ));
        };
        let id = call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let id = id.map_or_else(|| new_id("call_"), str::to_owned);
        let block = Block::ToolCall { id, name: name.to_owned(), kind: CallKind::Function, signature: None };
        self.calls = true;
        self.open(Open::Call, block, out);
        self.arguments(message, out);
        Ok(())
    }

    fn arguments(&self, message: &Value, out: &mut Vec<Event>) {
        let arguments = message.pointer("/tool_calls/function/arguments").and_then(Value::as_str);
        if let Some(text) = arguments.filter(|text| !text.is_empty() && self.open == Open::Call) {
            out.push(Event::Delta { choice: 0, delta: Delta::Arguments(text.to_owned()) });
        }
    }

    fn citation(&mut self, value: Value, out: &mut Vec<Event>) {
        let Some(mut citation) = read_citation(value) else { return };
        if self.open != Open::Text {
            // Its text is over: where it stood there cannot be said any more.
            (citation.start, citation.end) = (None, None);
            self.turn_to(Open::Text, out);
        }
        out.push(Event::Delta { choice: 0, delta: Delta::Citation(citation) });
    }

    fn end(&mut self, delta: &Value, out: &mut Vec<Event>) {
        self.ended = true;
        let reason = delta.get("finish_reason").and_then(Value::as_str).unwrap_or_default();
        let error = delta.get("error").and_then(Value::as_str).filter(|text| !text.is_empty());
        let stop = match (error, stop_of(reason, self.calls)) {
            (None, Ok(stop)) => stop,
            (said, result) => {
                let text = said.map(str::to_owned).or_else(|| result.err().map(|e| e.message().to_owned()));
                let kind = if reason == "TIMEOUT" { FailureKind::Timeout } else { FailureKind::Server };
                out.push(Event::Failed(Failure::new(kind, text.unwrap_or_default())));
                return;
            }
        };
        self.close(out);
        out.push(Event::Stop { choice: 0, stop, sequence: None });
        out.extend(delta.get("usage").and_then(cohere::usage_of).map(Event::Usage));
        out.push(Event::End);
    }

    fn start(&mut self, id: Option<&Value>, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            let id = id.and_then(Value::as_str).map(str::to_owned);
            out.push(Event::Start(Start { id, ..Start::default() }));
        }
    }
}

impl ReadStream for Reader {
    fn read(&mut self, event: Wire<'_>, out: &mut Vec<Event>) -> Result<(), Error> {
        let data = event.data.trim_ascii();
        if self.ended || data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        let mut json: Value = serde_json::from_slice(data).map_err(|error| {
            Error::new(ErrorKind::BadGateway, "an event of the provider's stream cannot be read")
                .with_context(error.to_string())
        })?;
        let mut delta = json.get_mut("delta").map(Value::take).unwrap_or_default();
        let kind = match json.get("type").and_then(Value::as_str) {
            Some(kind) => kind,
            None if json.get("message").is_some_and(Value::is_string) => {
                self.ended = true;
                out.push(Event::Failed(Failure::of_json(&json, FailureKind::Server)));
                return Ok(());
            }
            None => event.name,
        };
        if kind.is_empty() || kind == "debug" {
            return Ok(());
        }
        self.start(json.get("id"), out);
        let message = &delta["message"];
        match kind {
            "content-start" => {
                let thinking = message.pointer("/content/type").is_some_and(|kind| kind == "thinking");
                let (open, block) = if thinking {
                    (Open::Thinking, Block::Thinking { redacted: false })
                } else {
                    (Open::Text, Block::Text)
                };
                self.open(open, block, out);
                self.content(message, out);
            }
            "content-delta" => {
                self.content(message, out);
                let logprobs = json.get("logprobs").filter(|value| value.is_object());
                let logprobs = logprobs.and_then(|item| read_logprobs(std::slice::from_ref(item)));
                if let Some(logprobs) = logprobs.filter(|_| self.open == Open::Text) {
                    out.push(Event::Delta { choice: 0, delta: Delta::Logprobs(logprobs) });
                }
            }
            "tool-plan-delta" => self.text(message.get("tool_plan"), Open::Thinking, out),
            "tool-call-start" => self.call(message, out)?,
            "tool-call-delta" => self.arguments(message, out),
            "content-end" | "tool-call-end" => self.close(out),
            "citation-start" => match delta["message"]["citations"].take() {
                Value::Array(all) => all.into_iter().for_each(|citation| self.citation(citation, out)),
                one => self.citation(one, out),
            },
            "message-end" => self.end(&delta, out),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<Event>) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadGateway, "the provider's stream ended without its closing event"))
    }
}

/// Writes a stream of one answer; other answers of the same question have no place in it.
#[derive(Default)]
pub(super) struct Writer {
    /// Parts of the content so far.
    contents: usize,
    calls: usize,
    citations: usize,
    open: Open,
    custom: bool,
    arguments: bool,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

impl Writer {
    fn open(&mut self, block: Block, out: &mut BytesMut) {
        let index = self.contents;
        let content = match block {
            Block::Text | Block::Refusal => {
                self.open = Open::Text;
                json!({ "type": "text", "text": "" })
            }
            Block::Thinking { redacted: true } => {
                self.open = Open::Nothing;
                return;
            }
            Block::Thinking { redacted: false } => {
                self.open = Open::Thinking;
                json!({ "type": "thinking", "thinking": "" })
            }
            Block::ToolCall { id, name, kind, .. } => {
                self.open = Open::Call;
                self.custom = kind == CallKind::Custom;
                self.arguments = false;
                let function = json!({ "name": name, "arguments": "" });
                let call = json!({ "id": id, "type": "function", "function": function });
                send(out, "tool-call-start", Some(self.calls), json!({ "message": { "tool_calls": call } }));
                return;
            }
        };
        send(out, "content-start", Some(index), json!({ "message": { "content": content } }));
    }

    fn delta(&mut self, delta: Delta, out: &mut BytesMut) {
        match delta {
            Delta::Text(text) => self.piece("text", &text, out),
            Delta::Thinking(text) if self.open == Open::Thinking => self.piece("thinking", &text, out),
            Delta::Arguments(text) => self.piece_of_arguments(&text, out),
            Delta::Citation(citation) => {
                let value = write_citation(&citation, self.contents);
                let index = Some(self.citations);
                send(out, "citation-start", index, json!({ "message": { "citations": value } }));
                sse::event(out, "citation-end", &json!({ "type": "citation-end", "index": index }));
                self.citations += 1;
            }
            Delta::Logprobs(value) => {
                for item in write_logprobs(&value) {
                    let delta = json!({ "message": { "content": { "text": "" } } });
                    let event = json!({
                        "type": "content-delta", "index": self.contents, "delta": delta, "logprobs": item,
                    });
                    sse::event(out, "content-delta", &event);
                }
            }
            Delta::Thinking(_) | Delta::Signature(_) => {}
        }
    }

    /// The event that there are most of.
    fn piece(&self, name: &str, text: &str, out: &mut BytesMut) {
        out.extend_from_slice(b"event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":");
        json_to(out, &self.contents);
        out.extend_from_slice(b",\"delta\":{\"message\":{\"content\":{");
        json_to(out, name);
        out.extend_from_slice(b":");
        json_to(out, text);
        out.extend_from_slice(b"}}}}\n\n");
    }

    /// Free text cannot be told from arguments: it is the value of one, whose quotes stand around the pieces.
    fn piece_of_arguments(&mut self, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        let first = !std::mem::replace(&mut self.arguments, true);
        if !self.custom {
            return self.send_arguments(text, out);
        }
        let escaped = Value::from(text).to_string();
        let escaped = escaped.get(1..escaped.len() - 1).unwrap_or_default();
        let before = if first { "{\"input\":\"" } else { "" };
        self.send_arguments(&format!("{before}{escaped}"), out);
    }

    fn send_arguments(&self, text: &str, out: &mut BytesMut) {
        let delta = json!({ "message": { "tool_calls": { "function": { "arguments": text } } } });
        send(out, "tool-call-delta", Some(self.calls), delta);
    }

    fn close(&mut self, out: &mut BytesMut) {
        let (kind, index) = match std::mem::take(&mut self.open) {
            Open::Nothing => return,
            Open::Text | Open::Thinking => {
                self.contents += 1;
                ("content-end", self.contents - 1)
            }
            Open::Call => {
                match (self.custom, self.arguments) {
                    (true, true) => self.send_arguments("\"}", out),
                    (true, false) => self.send_arguments("{\"input\":\"\"}", out),
                    (false, false) => self.send_arguments("{}", out),
                    (false, true) => {}
                }
                self.calls += 1;
                ("tool-call-end", self.calls - 1)
            }
        };
        sse::event(out, kind, &json!({ "type": kind, "index": index }));
    }

    fn end(&self, out: &mut BytesMut) {
        let mut delta = json!({ "finish_reason": finish_reason(self.stop.unwrap_or_default()) });
        if let Some(usage) = &self.usage {
            delta["usage"] = write_usage(usage);
        }
        send(out, "message-end", None, delta);
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl WriteStream for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::Start(start) => {
                self.usage = start.usage;
                let id = start.id.filter(|id| !id.is_empty()).unwrap_or_else(|| new_id(""));
                let message = json!({ "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [] });
                let event = json!({ "id": id, "type": "message-start", "delta": { "message": message } });
                sse::event(out, "message-start", &event);
            }
            Event::Open { choice: 0, block } => self.open(block, out),
            Event::Delta { choice: 0, delta } => self.delta(delta, out),
            Event::Close { choice: 0 } => self.close(out),
            Event::Stop { choice: 0, stop, .. } => self.stop = Some(stop),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Failed(failure) => {
                let delta = json!({ "error": failure.message, "finish_reason": "ERROR" });
                send(out, "message-end", None, delta);
            }
            Event::End => self.end(out),
            Event::Open { .. }
            | Event::Delta { .. }
            | Event::Close { .. }
            | Event::Stop { .. }
            | Event::Whole { .. } => {}
        }
    }
}

fn send(out: &mut BytesMut, kind: &str, index: Option<usize>, delta: Value) {
    let event = match index {
        Some(index) => json!({ "type": kind, "index": index, "delta": delta }),
        None => json!({ "type": kind, "delta": delta }),
    };
    sse::event(out, kind, &event);
}

/// Writing numbers and strings into memory does not fail.
fn json_to<T: serde::Serialize + ?Sized>(out: &mut BytesMut, value: &T) {
    let _ = serde_json::to_writer(out.writer(), value);
}
