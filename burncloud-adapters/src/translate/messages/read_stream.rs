//! Anthropic's stream into events.

use super::read_blocks::{read_block, read_citation, read_signature};
use super::reply::read_stop;
use crate::anthropic::usage::Reports;
use crate::translate::{
    Block, CallKind, Content, Delta, Event, Failure, FailureKind, Fields, Part, ReadStream, Start, Stop, Wire,
};
use burncloud_core::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Most bytes that a block which passes whole may grow to.
const WHOLE_LIMIT: usize = 16 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Reader {
    started: bool,
    ended: bool,
    stopped: bool,
    open: Open,
    usage: Reports,
}

#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Text,
    Thinking,
    /// With the input that stood in its start, which counts where no other comes.
    Call(Option<String>),
    /// What only Anthropic knows: gathered, and passed on whole.
    Other {
        value: Map<String, Value>,
        json: String,
    },
}

/// The event that streams are made of.
#[derive(Deserialize)]
struct BlockDelta<'a> {
    #[serde(borrow)]
    delta: DeltaFields<'a>,
}

#[derive(Deserialize)]
struct DeltaFields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    text: Option<String>,
    thinking: Option<String>,
    partial_json: Option<String>,
    signature: Option<String>,
    citation: Option<Value>,
    content: Option<Value>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::BadGateway, "an event of the provider's stream cannot be read")
        .with_context(error.to_string())
}

impl ReadStream for Reader {
    fn read(&mut self, event: Wire<'_>, out: &mut Vec<Event>) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        // Some who serve this API leave the names out.
        let name = match event.name {
            "" | "message" => serde_json::from_slice::<Named<'_>>(event.data).map_err(unreadable)?.kind,
            name => Cow::Borrowed(name),
        };
        match name.as_ref() {
            "content_block_delta" => {
                let event: BlockDelta<'_> = serde_json::from_slice(event.data).map_err(unreadable)?;
                self.begin(Start::default(), out);
                self.delta(event.delta, out)?;
            }
            "content_block_start" => {
                let block = inner(event.data, "content_block")?;
                self.begin(Start::default(), out);
                self.open(block, out)?;
            }
            "content_block_stop" => self.close(out)?,
            "message_start" => {
                let message = inner(event.data, "message")?;
                self.message_start(message, out)?;
            }
            "message_delta" => self.message_delta(event.data, out)?,
            "message_stop" => {
                self.stop(Stop::End, None, out)?;
                out.push(Event::End);
                self.ended = true;
            }
            "error" => {
                let json: Value = serde_json::from_slice(event.data).unwrap_or_default();
                out.push(Event::Failed(Failure::of_json(&json, FailureKind::Server)));
                self.ended = true;
            }
            // `ping`, and what comes.
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<Event>) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        self.ended = true;
        Err(Error::new(ErrorKind::BadGateway, "the provider's stream ended without its closing event"))
    }
}

fn object(data: &[u8]) -> Result<Map<String, Value>, Error> {
    serde_json::from_slice(data).map_err(unreadable)
}

fn inner(data: &[u8], name: &'static str) -> Result<Fields, Error> {
    Fields::of_answer(object(data)?).fields(name)
}

impl Reader {
    fn begin(&mut self, start: Start, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start(start));
        }
    }

    fn message_start(&mut self, mut message: Fields, out: &mut Vec<Event>) -> Result<(), Error> {
        let mut start =
            Start { id: message.string("id")?, model: message.string("model")?, ..Start::default() };
        if let Some(usage) = message.take("usage") {
            self.usage.add(&usage);
            start.usage = self.usage.usage();
            start.service_tier = usage.get("service_tier").and_then(Value::as_str).map(str::to_owned);
        }
        self.begin(start, out);
        Ok(())
    }

    fn message_delta(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), Error> {
        let mut fields = Fields::of_answer(object(data)?);
        self.begin(Start::default(), out);
        let mut delta = fields.fields("delta")?;
        if let Some(reason) = delta.string("stop_reason")? {
            let sequence = delta.string("stop_sequence")?;
            self.stop(read_stop(&reason), sequence, out)?;
        }
        if let Some(usage) = fields.take("usage") {
            self.usage.add(&usage);
            out.extend(self.usage.usage().map(Event::Usage));
        }
        Ok(())
    }

    fn stop(&mut self, stop: Stop, sequence: Option<String>, out: &mut Vec<Event>) -> Result<(), Error> {
        self.begin(Start::default(), out);
        self.close(out)?;
        if !std::mem::replace(&mut self.stopped, true) {
            out.push(Event::Stop { choice: 0, stop, sequence });
        }
        Ok(())
    }

    fn open(&mut self, fields: Fields, out: &mut Vec<Event>) -> Result<(), Error> {
        self.close(out)?;
        if self.stopped {
            return Ok(());
        }
        let kind = fields.peek("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !matches!(kind.as_str(), "text" | "thinking" | "redacted_thinking" | "tool_use") {
            self.open = Open::Other { value: fields.rest(), json: String::new() };
            return Ok(());
        }
        let block = |block| Event::Open { choice: 0, block };
        match read_block(fields)?.content {
            Content::Text { text, citations, .. } => {
                out.push(block(Block::Text));
                self.open = Open::Text;
                if !text.is_empty() {
                    push(Delta::Text(text), out);
                }
                citations.into_iter().for_each(|citation| push(Delta::Citation(citation), out));
            }
            Content::Thinking(thinking) => {
                out.push(block(Block::Thinking { redacted: thinking.redacted }));
                self.open = Open::Thinking;
                if !thinking.text.is_empty() {
                    push(Delta::Thinking(thinking.text), out);
                }
                thinking.signature.into_iter().for_each(|it| push(Delta::Signature(it), out));
            }
            Content::ToolCall(call) => {
                let input = Some(call.arguments).filter(|input| input != "{}");
                let (id, name) = (call.id, call.name);
                let kind = CallKind::Function;
                out.push(block(Block::ToolCall { id, name, kind, signature: None }));
                self.open = Open::Call(input);
            }
            _ => {}
        }
        Ok(())
    }

    fn delta(&mut self, delta: DeltaFields<'_>, out: &mut Vec<Event>) -> Result<(), Error> {
        if matches!(self.open, Open::Nothing) && !self.stopped {
            // A block without its start: whose it is, the delta says.
            let (open, block) = match delta.kind.as_ref() {
                "text_delta" => (Open::Text, Block::Text),
                "thinking_delta" => (Open::Thinking, Block::Thinking { redacted: false }),
                _ => return Ok(()),
            };
            self.open = open;
            out.push(Event::Open { choice: 0, block });
        }
        match (&mut self.open, delta.kind.as_ref()) {
            (Open::Text, "text_delta") => out.extend(delta.text.map(|it| event(Delta::Text(it)))),
            (Open::Text, "citations_delta") => {
                out.extend(delta.citation.map(|it| event(Delta::Citation(read_citation(it)))));
            }
            (Open::Thinking, "thinking_delta") => {
                let text = delta.thinking.filter(|text| !text.is_empty());
                out.extend(text.map(|it| event(Delta::Thinking(it))));
            }
            (Open::Thinking, "signature_delta") => {
                out.extend(read_signature(delta.signature).map(|it| event(Delta::Signature(it))));
            }
            (Open::Call(input), "input_json_delta") => {
                let json = delta.partial_json.filter(|json| !json.is_empty());
                if let Some(json) = json {
                    *input = None;
                    push(Delta::Arguments(json), out);
                }
            }
            (Open::Other { json, .. }, "input_json_delta") => {
                json.push_str(&delta.partial_json.unwrap_or_default());
                if json.len() > WHOLE_LIMIT {
                    return Err(unreadable("a block is too long"));
                }
            }
            (Open::Other { value, .. }, "compaction_delta") => {
                value.extend(delta.content.map(|content| ("content".to_owned(), content)));
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, out: &mut Vec<Event>) -> Result<(), Error> {
        match std::mem::take(&mut self.open) {
            Open::Nothing => return Ok(()),
            Open::Other { mut value, json } => {
                if !json.is_empty() {
                    value.insert("input".to_owned(), serde_json::from_str(&json).map_err(unreadable)?);
                }
                let part = read_block(Fields::of_answer(value))?;
                out.push(Event::Whole { choice: 0, part: Part { cache: None, ..part } });
                return Ok(());
            }
            Open::Call(Some(input)) => push(Delta::Arguments(input), out),
            Open::Text | Open::Thinking | Open::Call(None) => {}
        }
        out.push(Event::Close { choice: 0 });
        Ok(())
    }
}

fn event(delta: Delta) -> Event {
    Event::Delta { choice: 0, delta }
}

fn push(delta: Delta, out: &mut Vec<Event>) {
    out.push(event(delta));
}
