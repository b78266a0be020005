//! Converse's stream into events.

use super::read::{read_block, read_citation, redacted};
use super::reply::read_stop;
use crate::bedrock::usage::usage_of;
use crate::translate::{
    Block, CallKind, Delta, Event, Failure, FailureKind, Fields, Origin, ReadStream, Signature, Start, Wire,
};
use burncloud_core::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Most bytes that a block which passes whole may grow to.
const WHOLE_LIMIT: usize = 64 << 20;

/// See the module. Texts and thoughts have no start: the first of their pieces is one.
#[derive(Debug, Default)]
pub(super) struct Reader {
    started: bool,
    ended: bool,
    stopped: bool,
    open: Open,
    /// The number of the open block.
    index: u64,
}

#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Text,
    Thinking,
    Call,
    /// What passes whole, gathered: its name, what its start said, its pieces.
    Whole {
        name: String,
        value: Map<String, Value>,
        text: String,
        items: Vec<Value>,
        size: usize,
    },
}

/// The event that streams are made of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeltaEvent {
    #[serde(default)]
    content_block_index: u64,
    delta: DeltaFields,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeltaFields {
    text: Option<String>,
    tool_use: Option<ToolUse>,
    reasoning_content: Option<Reasoning>,
    citation: Option<Value>,
    tool_result: Option<Vec<Value>>,
    image: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct ToolUse {
    #[serde(default)]
    input: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reasoning {
    text: Option<String>,
    signature: Option<String>,
    redacted_content: Option<String>,
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::BadGateway, "an event of the provider's stream cannot be read")
        .with_context(error.to_string())
}

fn fields(data: &[u8]) -> Result<Fields, Error> {
    Ok(Fields::of_answer(serde_json::from_slice(data).map_err(unreadable)?))
}

impl ReadStream for Reader {
    fn read(&mut self, event: Wire<'_>, out: &mut Vec<Event>) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        if event.exception || event.name.ends_with("Exception") {
            self.ended = true;
            out.push(Event::Failed(failure(event)));
            return Ok(());
        }
        match event.name {
            "messageStart" => self.begin(out),
            "contentBlockDelta" => {
                let event: DeltaEvent = serde_json::from_slice(event.data).map_err(unreadable)?;
                self.begin(out);
                self.delta(event, out)?;
            }
            "contentBlockStart" => self.start(event.data, out)?,
            "contentBlockStop" => self.close(out)?,
            "messageStop" => {
                self.begin(out);
                self.close(out)?;
                let reason = fields(event.data)?.string("stopReason")?.unwrap_or_default();
                if !std::mem::replace(&mut self.stopped, true) {
                    out.push(Event::Stop { choice: 0, stop: read_stop(&reason), sequence: None });
                }
            }
            "metadata" => {
                let mut fields = fields(event.data)?;
                let tier = fields.take("serviceTier");
                let usage = fields.take("usage").and_then(|usage| usage_of(&usage, tier.as_ref()));
                self.begin(out);
                out.extend(usage.map(Event::Usage));
                if self.stopped {
                    self.ended = true;
                    out.push(Event::End);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), Error> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        if self.stopped {
            out.push(Event::End);
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadGateway, "the provider's stream ended without its closing event"))
    }
}

fn failure(event: Wire<'_>) -> Failure {
    let kind = FailureKind::of_word(event.name).unwrap_or_default();
    match serde_json::from_slice::<Value>(event.data) {
        Ok(json @ Value::Object(_)) => {
            let mut failure = Failure::of_json(&json, kind);
            if let Some(original) = json["originalMessage"].as_str().filter(|_| failure.message.is_empty()) {
                failure.message = original.to_owned();
            }
            failure
        }
        _ => Failure::new(kind, String::from_utf8_lossy(event.data)),
    }
}

impl Reader {
    fn begin(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start(Start::default()));
        }
    }

    fn start(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), Error> {
        let mut fields = fields(data)?;
        self.begin(out);
        self.close(out)?;
        if self.stopped {
            return Ok(());
        }
        self.index = fields.unsigned("contentBlockIndex")?.unwrap_or_default();
        let mut start = fields.fields("start")?;
        let server =
            start.peek("toolUse").is_some_and(|it| it["type"].as_str().is_some_and(|it| it != "tool_use"));
        if start.has("toolUse") && !server {
            let mut call = start.fields("toolUse")?;
            let (id, name) = (call.required("toolUseId")?, call.required("name")?);
            let block = Block::ToolCall { id, name, kind: CallKind::Function, signature: None };
            out.push(Event::Open { choice: 0, block });
            self.open = Open::Call;
            return Ok(());
        }
        if let Some((name, Value::Object(value))) = start.rest().into_iter().next() {
            self.open = Open::Whole { name, value, text: String::new(), items: Vec::new(), size: 0 };
        }
        Ok(())
    }

    /// Sees to it that a block of this kind is open; false where there cannot be one any more.
    fn open(&mut self, open: Open, block: Block, out: &mut Vec<Event>) -> Result<bool, Error> {
        if std::mem::discriminant(&self.open) == std::mem::discriminant(&open) {
            return Ok(true);
        }
        self.close(out)?;
        if self.stopped {
            return Ok(false);
        }
        self.open = open;
        out.push(Event::Open { choice: 0, block });
        Ok(true)
    }

    fn delta(&mut self, event: DeltaEvent, out: &mut Vec<Event>) -> Result<(), Error> {
        if self.index != event.content_block_index {
            self.close(out)?;
            self.index = event.content_block_index;
        }
        if let Open::Whole { .. } = self.open {
            return self.gather(event.delta);
        }
        let push = |delta: Delta, out: &mut Vec<Event>| out.push(Event::Delta { choice: 0, delta });
        let DeltaFields { text, tool_use, reasoning_content, citation, .. } = event.delta;
        if let Some(text) = text.filter(|text| !text.is_empty())
            && self.open(Open::Text, Block::Text, out)?
        {
            push(Delta::Text(text), out);
        }
        if let Some(citation) = citation
            && self.open(Open::Text, Block::Text, out)?
        {
            push(Delta::Citation(read_citation(citation)), out);
        }
        if let Some(call) = tool_use.filter(|call| !call.input.is_empty())
            && matches!(self.open, Open::Call)
        {
            push(Delta::Arguments(call.input), out);
        }
        let Some(reasoning) = reasoning_content else { return Ok(()) };
        let redacts = reasoning.redacted_content.is_some();
        let some = redacts
            || reasoning.signature.is_some()
            || reasoning.text.as_deref().is_some_and(|it| !it.is_empty());
        if !some || !self.open(Open::Thinking, Block::Thinking { redacted: redacts }, out)? {
            return Ok(());
        }
        if let Some(text) = reasoning.text.filter(|text| !text.is_empty()) {
            push(Delta::Thinking(text), out);
        }
        if let Some(signature) = reasoning.signature.filter(|signature| !signature.is_empty()) {
            push(Delta::Signature(Signature::from_field(&signature, Origin::Anthropic)), out);
        }
        if let Some(content) = reasoning.redacted_content {
            push(Delta::Signature(redacted(&content)), out);
        }
        Ok(())
    }

    fn gather(&mut self, delta: DeltaFields) -> Result<(), Error> {
        let Open::Whole { value, text, items, size, .. } = &mut self.open else { return Ok(()) };
        if let Some(call) = delta.tool_use {
            *size += call.input.len();
            text.push_str(&call.input);
        }
        for item in delta.tool_result.into_iter().flatten() {
            *size += item.to_string().len();
            // Texts come in pieces.
            match (items.last_mut().and_then(|last| last.get_mut("text")), item.get("text")) {
                (Some(Value::String(last)), Some(Value::String(more))) => last.push_str(more),
                _ => items.push(item),
            }
        }
        for (name, piece) in delta.image.into_iter().flatten() {
            *size += piece.to_string().len();
            match (value.get_mut(&name).and_then(|it| it.get_mut("bytes")), piece.get("bytes")) {
                // Whole groups of three bytes, so that pieces of Base64 join.
                (Some(Value::String(last)), Some(Value::String(more))) => last.push_str(more),
                _ => drop(value.insert(name, piece)),
            }
        }
        if *size > WHOLE_LIMIT {
            return Err(unreadable("a block is too long"));
        }
        Ok(())
    }

    fn close(&mut self, out: &mut Vec<Event>) -> Result<(), Error> {
        match std::mem::take(&mut self.open) {
            Open::Nothing => {}
            Open::Text | Open::Thinking | Open::Call => out.push(Event::Close { choice: 0 }),
            Open::Whole { name, mut value, text, items, .. } => {
                if name == "toolUse" {
                    let input = if text.is_empty() {
                        json!({})
                    } else {
                        serde_json::from_str(&text).map_err(unreadable)?
                    };
                    value.insert("input".to_owned(), input);
                }
                if !items.is_empty() {
                    value.insert("content".to_owned(), Value::Array(items));
                }
                let block = Map::from_iter([(name, Value::Object(value))]);
                out.push(Event::Whole { choice: 0, part: read_block(Fields::of_answer(block))? });
            }
        }
        Ok(())
    }
}
