//! Streams, written.

use super::{finish_reason, parts, thoughts, tier_word, write_usage};
use crate::translate::{
    Block, CallKind, Caller, Content, Delta, Event, Failure, Format, Origin, Part, Signature, Start, Stop,
    Thinking, WriteStream, now_seconds, prefixed_id, sse,
};
use burncloud_core::Usage;
use bytes::{BufMut, BytesMut};
use serde_json::{Map, Value, json};

/// Writes chunks. What all of them share is made once; the delta stands between two pieces of text.
pub(super) struct Writer {
    model: String,
    include_usage: bool,
    /// Up to `"choices":[`.
    head: Vec<u8>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

/// The block that is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Open {
    #[default]
    Text,
    Refusal,
    Thinking {
        redacted: bool,
    },
    Call(CallKind),
}

#[derive(Default)]
struct Choice {
    index: u32,
    open: Open,
    /// Calls so far.
    calls: usize,
    /// Whether arguments came for the open call.
    arguments: bool,
    /// Thoughts so far.
    thoughts: usize,
    annotations: usize,
    pictures: usize,
    /// Characters of text so far, and before the open block.
    length: u64,
    before: u64,
}

impl Writer {
    pub(super) fn new(to: &Caller) -> Writer {
        Writer {
            model: to.model.clone(),
            include_usage: to.include_usage,
            head: Vec::new(),
            choices: Vec::new(),
            usage: None,
        }
    }

    fn start(&mut self, start: &Start) {
        let mut head = json!({
            "id": prefixed_id("chatcmpl-", start.id.as_deref()),
            "object": "chat.completion.chunk",
            "created": start.created.unwrap_or_else(now_seconds),
            "model": self.model,
            "system_fingerprint": null,
        });
        if let Some(tier) = tier_word(start.service_tier.as_deref(), start.usage.as_ref()) {
            head["service_tier"] = tier.into();
        }
        let mut head = head.to_string().into_bytes();
        head.pop();
        head.extend_from_slice(b",\"choices\":[");
        self.head = head;
        self.usage = start.usage;
    }

    /// One chunk with one choice.
    fn chunk(&self, index: u32, out: &mut BytesMut, delta: impl FnOnce(&mut BytesMut)) {
        self.full_chunk(index, out, delta, None, None);
    }

    fn full_chunk(
        &self,
        index: u32,
        out: &mut BytesMut,
        delta: impl FnOnce(&mut BytesMut),
        logprobs: Option<&Value>,
        finish: Option<&str>,
    ) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"{\"index\":");
        json(out, &index);
        out.extend_from_slice(b",\"delta\":{");
        delta(out);
        out.extend_from_slice(b"},\"logprobs\":");
        json(out, &logprobs);
        out.extend_from_slice(b",\"finish_reason\":");
        json(out, &finish);
        let tail: &[u8] = if self.include_usage { b"}],\"usage\":null}\n\n" } else { b"}]}\n\n" };
        out.extend_from_slice(tail);
    }

    /// The place of a choice's state; its first chunk names the role.
    fn choice(&mut self, index: u32, out: &mut BytesMut) -> usize {
        if let Some(at) = self.choices.iter().position(|choice| choice.index == index) {
            return at;
        }
        self.chunk(index, out, |out| {
            out.extend_from_slice(b"\"role\":\"assistant\",\"content\":\"\",\"refusal\":null");
        });
        self.choices.push(Choice { index, ..Choice::default() });
        self.choices.len() - 1
    }

    fn open(&mut self, at: usize, block: Block, out: &mut BytesMut) {
        let choice = &mut self.choices[at];
        choice.before = choice.length;
        let (id, name, kind, signature) = match block {
            Block::Text => return choice.open = Open::Text,
            Block::Refusal => return choice.open = Open::Refusal,
            Block::Thinking { redacted } => return choice.open = Open::Thinking { redacted },
            Block::ToolCall { id, name, kind, signature } => (id, name, kind, signature),
        };
        choice.open = Open::Call(kind);
        choice.arguments = false;
        let (index, number) = (choice.index, choice.calls);
        let mut call = match kind {
            CallKind::Custom => json!({ "type": "custom", "custom": { "name": name, "input": "" } }),
            CallKind::Function => {
                json!({ "type": "function", "function": { "name": name, "arguments": "" } })
            }
        };
        call["index"] = number.into();
        call["id"] = id.into();
        if let Some(signature) = signature {
            call["extra_content"] = thoughts::write_extra(&signature);
        }
        self.chunk(index, out, |out| member(out, "tool_calls", &[call]));
    }

    fn delta(&mut self, at: usize, delta: Delta, out: &mut BytesMut) {
        let index = self.choices[at].index;
        match delta {
            Delta::Text(text) if self.choices[at].open == Open::Refusal => {
                self.chunk(index, out, |out| member(out, "refusal", &text))
            }
            Delta::Text(text) => {
                let choice = &mut self.choices[at];
                choice.length = choice.length.saturating_add(text.chars().count() as u64);
                self.chunk(index, out, |out| member(out, "content", &text));
            }
            Delta::Thinking(text) => {
                let number = self.choices[at].thoughts;
                self.chunk(index, out, |out| {
                    member(out, "reasoning_content", &text);
                    out.extend_from_slice(b",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":");
                    json(out, &text);
                    out.extend_from_slice(b",\"index\":");
                    json(out, &number);
                    out.extend_from_slice(b"}]");
                });
            }
            Delta::Signature(signature) => self.signature(at, signature, out),
            Delta::Arguments(text) => self.arguments(at, &text, out),
            Delta::Citation(citation) => {
                let choice = &mut self.choices[at];
                let number = choice.annotations;
                if let Some(mut annotation) = parts::write_annotation(&citation, choice.before) {
                    // Clients that gather lists need to know the place.
                    annotation.insert("index".to_owned(), number.into());
                    choice.annotations += 1;
                    self.chunk(index, out, |out| member(out, "annotations", &[annotation]));
                }
            }
            Delta::Logprobs(value) => self.full_chunk(index, out, |_| {}, Some(&value), None),
        }
    }

    fn arguments(&mut self, at: usize, text: &str, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        let choice = &mut self.choices[at];
        choice.arguments = true;
        let (index, number, custom) =
            (choice.index, choice.calls, choice.open == Open::Call(CallKind::Custom));
        self.chunk(index, out, |out| {
            out.extend_from_slice(b"\"tool_calls\":[{\"index\":");
            json(out, &number);
            let inner: &[u8] =
                if custom { b",\"custom\":{\"input\":" } else { b",\"function\":{\"arguments\":" };
            out.extend_from_slice(inner);
            json(out, text);
            out.extend_from_slice(b"}}]");
        });
    }

    /// Of thoughts it goes with them; a text's stands by itself.
    fn signature(&mut self, at: usize, signature: Signature, out: &mut BytesMut) {
        let choice = &mut self.choices[at];
        let (index, number) = (choice.index, choice.thoughts);
        if choice.open == Open::Text {
            choice.thoughts += 1;
        }
        let detail = if choice.open == (Open::Thinking { redacted: true }) {
            json!({ "type": "reasoning.encrypted", "data": signature.to_field(Origin::Other), "index": number })
        } else {
            let thinking = Thinking { signature: Some(signature), ..Thinking::default() };
            thoughts::write_detail(&thinking, &Map::new(), number)
        };
        self.chunk(index, out, |out| member(out, "reasoning_details", &[detail]));
    }

    fn close(&mut self, at: usize, out: &mut BytesMut) {
        match self.choices[at].open {
            Open::Text | Open::Refusal => {}
            Open::Thinking { .. } => self.choices[at].thoughts += 1,
            Open::Call(kind) => {
                if kind == CallKind::Function && !self.choices[at].arguments {
                    self.arguments(at, "{}", out);
                }
                self.choices[at].calls += 1;
            }
        }
    }

    fn whole(&mut self, at: usize, part: &Part, out: &mut BytesMut) {
        let choice = &mut self.choices[at];
        let index = choice.index;
        match &part.content {
            Content::Media(media) => {
                let Some(mut picture) = parts::write_picture(media) else { return };
                picture["index"] = choice.pictures.into();
                choice.pictures += 1;
                self.chunk(index, out, |out| member(out, "images", &[picture]));
            }
            Content::Other { format: Format::Chat, value } if value["type"] == "audio" => {
                self.chunk(index, out, |out| member(out, "audio", &value["audio"]));
            }
            _ => {}
        }
    }

    fn stop(&mut self, at: usize, stop: Stop, out: &mut BytesMut) {
        self.full_chunk(self.choices[at].index, out, |_| {}, None, Some(finish_reason(stop)));
    }

    fn end(&mut self, out: &mut BytesMut) {
        if let Some(usage) = self.usage.filter(|_| self.include_usage) {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"],");
            member(out, "usage", &write_usage(&usage));
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(failure: &Failure, out: &mut BytesMut) {
        sse::data(out, &failure.write(Format::Chat));
    }
}

impl WriteStream for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::Start(start) => {
                self.start(&start);
                self.choice(0, out);
            }
            Event::Open { choice, block } => {
                let at = self.choice(choice, out);
                self.open(at, block, out);
            }
            Event::Delta { choice, delta } => {
                let at = self.choice(choice, out);
                self.delta(at, delta, out);
            }
            Event::Close { choice } => {
                let at = self.choice(choice, out);
                self.close(at, out);
            }
            Event::Whole { choice, part } => {
                let at = self.choice(choice, out);
                self.whole(at, &part, out);
            }
            Event::Stop { choice, stop, .. } => {
                let at = self.choice(choice, out);
                self.stop(at, stop, out);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Failed(failure) => Writer::fail(&failure, out),
            Event::End => self.end(out),
        }
    }
}

/// Writing numbers and strings into memory does not fail.
fn json<T: serde::Serialize + ?Sized>(out: &mut BytesMut, value: &T) {
    let _ = serde_json::to_writer(out.writer(), value);
}

/// A name and its value.
fn member<T: serde::Serialize + ?Sized>(out: &mut BytesMut, name: &str, value: &T) {
    json(out, name);
    out.extend_from_slice(b":");
    json(out, value);
}
