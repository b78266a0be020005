//! Writes a stream for a caller: every event a whole answer, or all of them one list.

use super::super::codec::{Caller, WriteStream};
use super::super::{
    Block, Delta, Event, Failure, Format, Signature, Start, Stop, Thinking, ToolCall, new_id,
};
use super::citation::Grounding;
use super::{logprobs, part, reply, sign, usage};
use burncloud_core::Usage;
use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// See the module. It keeps the arguments of the call that is open, and the sources of texts: Gemini says them at the
/// end.
#[derive(Debug)]
pub(super) struct Writer {
    as_list: bool,
    model: String,
    /// Follows a candidate's index in every event.
    tail: String,
    written: bool,
    choices: BTreeMap<u32, Choice>,
    usage: Option<Usage>,
}

#[derive(Debug, Default)]
struct Choice {
    open: Open,
    stop: Option<Stop>,
    grounding: Grounding,
    /// All texts so far are of one byte a character.
    beyond_ascii: bool,
}

#[derive(Debug, Default)]
enum Open {
    #[default]
    Text,
    /// The latest piece of the thoughts is held: a signature that comes after it must be on it, for SDKs pass over a
    /// thought without a text.
    Thinking {
        redacted: bool,
        held: String,
    },
    Call(ToolCall),
}

impl Writer {
    pub(super) fn new(to: &Caller) -> Writer {
        Writer {
            as_list: to.as_list,
            model: to.model.clone(),
            tail: String::new(),
            written: false,
            choices: BTreeMap::new(),
            usage: None,
        }
    }

    /// The first event says nothing yet but that the answer has begun.
    fn start(&mut self, start: Start, out: &mut BytesMut) {
        let id = start.id.unwrap_or_else(|| new_id(""));
        self.usage = start.usage;
        self.tail = format!(
            "}}],\"modelVersion\":{},\"responseId\":{}}}",
            Value::from(self.model.as_str()),
            Value::from(id)
        );
        self.part(0, &Said { text: "", thought: false }, out);
    }

    fn before(&mut self, out: &mut BytesMut) {
        let begun = std::mem::replace(&mut self.written, true);
        let text: &[u8] = match (self.as_list, begun) {
            (false, _) => b"data: ",
            (true, false) => b"[",
            (true, true) => b"\n,",
        };
        out.extend_from_slice(text);
    }

    fn after(&self, out: &mut BytesMut) {
        if !self.as_list {
            out.extend_from_slice(b"\r\n\r\n");
        }
    }

    fn event(&mut self, json: &Value, out: &mut BytesMut) {
        self.before(out);
        put(out, json);
        self.after(out);
    }

    /// An event of one part.
    fn part(&mut self, choice: u32, part: &impl Serialize, out: &mut BytesMut) {
        self.before(out);
        out.extend_from_slice(b"{\"candidates\":[{\"content\":{\"parts\":[");
        put(out, part);
        out.extend_from_slice(b"],\"role\":\"model\"},\"index\":");
        put(out, &choice);
        out.extend_from_slice(self.tail.as_bytes());
        self.after(out);
    }

    fn open(&mut self, choice: u32, block: Block) {
        self.choices.entry(choice).or_default().open = match block {
            Block::Text | Block::Refusal => Open::Text,
            Block::Thinking { redacted } => Open::Thinking { redacted, held: String::new() },
            Block::ToolCall { id, name, kind, signature } => {
                Open::Call(ToolCall { id, name, kind, signature, arguments: String::new() })
            }
        };
    }

    fn delta(&mut self, number: u32, delta: Delta, out: &mut BytesMut) {
        let choice = self.choices.entry(number).or_default();
        match delta {
            Delta::Text(text) => {
                choice.beyond_ascii |= !text.is_ascii();
                self.part(number, &Said { text: &text, thought: false }, out);
            }
            Delta::Thinking(text) => {
                let Open::Thinking { held, .. } = &mut choice.open else { return };
                let before = std::mem::replace(held, text);
                self.thought(number, &before, out);
            }
            Delta::Signature(signature) => self.signature(number, signature, out),
            Delta::Arguments(more) => {
                if let Open::Call(call) = &mut choice.open {
                    call.arguments.push_str(&more);
                }
            }
            Delta::Citation(mut citation) => {
                // Without the text at hand there is no telling which byte a character is.
                if choice.beyond_ascii {
                    (citation.start, citation.end) = (None, None);
                }
                choice.grounding.add(&citation, 0, None);
            }
            Delta::Logprobs(logprobs) => {
                let Some(result) = logprobs::write(&logprobs) else { return };
                let candidate = json!({
                    "content": { "parts": [{ "text": "" }], "role": "model" },
                    "index": number, "logprobsResult": result,
                });
                self.candidates(vec![candidate], out);
            }
        }
    }

    fn signature(&mut self, number: u32, signature: Signature, out: &mut BytesMut) {
        let choice = self.choices.entry(number).or_default();
        let part = match &mut choice.open {
            Open::Thinking { redacted, held } => {
                let text = std::mem::take(held);
                let redacted = *redacted;
                let thinking = Thinking { text: String::new(), signature: Some(signature), redacted };
                part::text(&text, true, sign::write_thinking(&thinking))
            }
            _ => part::text("", false, Some(sign::write(&signature, false))),
        };
        self.part(number, &part, out);
    }

    fn close(&mut self, number: u32, out: &mut BytesMut) {
        let choice = self.choices.entry(number).or_default();
        match std::mem::take(&mut choice.open) {
            Open::Call(call) => {
                let signature = call.signature.as_ref().map(|signature| sign::write(signature, false));
                let part = part::call(&call, Some(part::for_caller(&call.id)), signature);
                self.part(number, &part, out);
            }
            Open::Thinking { held, .. } => self.thought(number, &held, out),
            Open::Text => {}
        }
    }

    fn thought(&mut self, number: u32, text: &str, out: &mut BytesMut) {
        if !text.is_empty() {
            self.part(number, &Said { text, thought: true }, out);
        }
    }

    fn candidates(&mut self, candidates: Vec<Value>, out: &mut BytesMut) {
        self.before(out);
        out.extend_from_slice(b"{\"candidates\":");
        put(out, &candidates);
        // The tail closes a candidate and their list first.
        out.extend_from_slice(self.tail.strip_prefix("}]").unwrap_or("}").as_bytes());
        self.after(out);
    }

    /// The last event: why it ended, and what was used.
    fn end(&mut self, out: &mut BytesMut) {
        let choices = std::mem::take(&mut self.choices);
        let candidates: Vec<Value> = choices
            .into_iter()
            .map(|(number, choice)| {
                let mut candidate = json!({
                    "content": { "parts": [{ "text": "" }], "role": "model" },
                    "finishReason": reply::finish_reason(choice.stop.unwrap_or_default()),
                    "index": number,
                });
                if let Some(grounding) = choice.grounding.into_value() {
                    candidate["groundingMetadata"] = grounding;
                }
                candidate
            })
            .collect();
        let usage = self.usage.map(|usage| usage::write(&usage));
        if let Some(usage) = usage {
            let begin = self.tail.strip_prefix("}]").unwrap_or("}").to_owned();
            self.tail = format!("}}],\"usageMetadata\":{usage}{begin}");
        }
        self.candidates(candidates, out);
        self.close_list(out);
    }

    fn close_list(&self, out: &mut BytesMut) {
        if self.as_list {
            out.extend_from_slice(if self.written { b"]" } else { b"[]" });
        }
    }

    fn failed(&mut self, failure: &Failure, out: &mut BytesMut) {
        // What was thought until then is not lost.
        let open: Vec<u32> = self.choices.keys().copied().collect();
        for number in open {
            if matches!(self.choices[&number].open, Open::Thinking { .. }) {
                self.close(number, out);
            }
        }
        self.event(&failure.write(Format::Gemini), out);
        self.close_list(out);
    }
}

impl WriteStream for Writer {
    fn write(&mut self, event: Event, out: &mut BytesMut) {
        match event {
            Event::Start(start) => self.start(start, out),
            Event::Open { choice, block } => self.open(choice, block),
            Event::Delta { choice, delta } => self.delta(choice, delta, out),
            Event::Close { choice } => self.close(choice, out),
            Event::Whole { choice, part } => {
                if let Some(part) = reply::write_part(part) {
                    self.part(choice, &part, out);
                }
            }
            Event::Stop { choice, stop, .. } => {
                self.choices.entry(choice).or_default().stop = Some(stop);
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Failed(failure) => self.failed(&failure, out),
            Event::End => self.end(out),
        }
    }
}

#[derive(Serialize)]
struct Said<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    thought: bool,
}

fn put(out: &mut BytesMut, json: &impl Serialize) {
    // Writing JSON of strings and numbers into memory does not fail.
    let _ = serde_json::to_writer(out.writer(), json);
}
