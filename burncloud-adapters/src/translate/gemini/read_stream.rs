//! Reads a provider's stream: each event is a whole answer, of which texts are pieces and counts are sums.

use super::super::codec::{ReadStream, Wire};
use super::super::event::part_events;
use super::super::{
    Block, CallKind, Content, Delta, Event, Failure, FailureKind, Fields, Part, Signature, Start, Stop,
};
use super::names::{camel, object};
use super::part::{self, Calls};
use super::partial::Partial;
use super::{citation, logprobs, reply, sign, usage};
use crate::gemini::Meter;
use burncloud_core::{Error, ErrorKind, Usage};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Reader {
    calls: Option<Calls>,
    choices: BTreeMap<u32, Choice>,
    meter: Meter,
    usage: Option<Usage>,
    failed: bool,
}

/// An event. Google's own names are in camelCase always.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(default)]
    candidates: Option<Vec<Map<String, Value>>>,
    #[serde(borrow, default)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(default)]
    model_version: Option<String>,
    #[serde(default)]
    response_id: Option<String>,
    #[serde(default)]
    prompt_feedback: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Default)]
struct Choice {
    open: Open,
    called: bool,
    stop: Option<Stop>,
    /// The last ones said; they name all sources so far.
    grounding: Option<Value>,
    citations: Option<Value>,
    /// All texts so far are of one byte a character, so that positions in bytes hold.
    beyond_ascii: bool,
}

/// The block that is open.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Text {
        signed: bool,
    },
    Thinking {
        signed: bool,
    },
    Call(Partial),
}

impl ReadStream for Reader {
    fn read(&mut self, event: Wire<'_>, out: &mut Vec<Event>) -> Result<(), Error> {
        if self.failed {
            return Ok(());
        }
        let chunk: Chunk<'_> = serde_json::from_slice(event.data).map_err(|error| {
            Error::new(ErrorKind::BadGateway, "an event of the provider's stream cannot be read")
                .with_context(error.to_string())
        })?;
        if let Some(error) = chunk.error {
            self.failed = true;
            out.push(Event::Failed(Failure::of_json(&error, FailureKind::Server)));
            return Ok(());
        }
        let metadata = chunk.usage_metadata.map(RawValue::get);
        if let Some(metadata) = metadata {
            self.usage = self.meter.add(metadata.as_bytes());
        }
        if self.calls.is_none() {
            self.calls = Some(Calls::of_answer(chunk.response_id.as_deref()));
            let tier = metadata.and_then(|it| usage::service_tier(&serde_json::from_str(it).ok()?));
            out.push(Event::Start(Start {
                id: chunk.response_id,
                model: chunk.model_version,
                created: None,
                usage: self.usage,
                service_tier: tier,
            }));
        }
        let candidates = chunk.candidates.unwrap_or_default();
        if candidates.is_empty() && chunk.prompt_feedback.as_ref().is_some_and(reply::blocks) {
            self.choices.entry(0).or_default().stop = Some(Stop::Filtered);
        }
        for (number, candidate) in candidates.into_iter().enumerate() {
            self.candidate(candidate, number, out)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), Error> {
        if self.failed {
            return Ok(());
        }
        if self.choices.is_empty() || self.choices.values().any(|choice| choice.stop.is_none()) {
            let text = "the provider's stream ended without its closing event";
            return Err(Error::new(ErrorKind::BadGateway, text));
        }
        for (number, mut choice) in std::mem::take(&mut self.choices) {
            choice.cite(number, out);
            choice.close(number, out);
            let stop = choice.stop.unwrap_or_default();
            out.push(Event::Stop { choice: number, stop, sequence: None });
        }
        out.extend(self.usage.map(Event::Usage));
        out.push(Event::End);
        Ok(())
    }
}

impl Reader {
    fn candidate(
        &mut self,
        candidate: Map<String, Value>,
        number: usize,
        out: &mut Vec<Event>,
    ) -> Result<(), Error> {
        let mut fields = Fields::of_answer(camel(candidate));
        let index = fields.unsigned("index")?.and_then(|index| u32::try_from(index).ok());
        let index = index.unwrap_or(u32::try_from(number).unwrap_or(u32::MAX));
        let choice = self.choices.entry(index).or_default();
        let calls = self.calls.get_or_insert_with(|| Calls::of_answer(None));
        if let Some(mut content) = object(&mut fields, "content")? {
            for part in super::names::objects(&mut content, "parts")? {
                choice.part(index, part, calls, out)?;
            }
        }
        if let Some(logprobs) = fields.peek("logprobsResult").and_then(logprobs::read)
            && matches!(choice.open, Open::Text { .. })
        {
            out.push(Event::Delta { choice: index, delta: Delta::Logprobs(logprobs) });
        }
        choice.grounding = fields.take("groundingMetadata").or(choice.grounding.take());
        choice.citations = fields.take("citationMetadata").or(choice.citations.take());
        if let Some(reason) = fields.string("finishReason")? {
            choice.stop = Some(reply::stop(&reason, choice.called));
        }
        Ok(())
    }
}

impl Choice {
    fn part(
        &mut self,
        number: u32,
        mut part: Fields,
        calls: &mut Calls,
        out: &mut Vec<Event>,
    ) -> Result<(), Error> {
        if matches!(part.peek("text"), Some(Value::String(_))) {
            let text = part.string("text")?.unwrap_or_default();
            let thought = part.boolean("thought")? == Some(true);
            let signature = part.string("thoughtSignature")?.map(|text| sign::read(&text).0);
            self.said(number, text, thought, signature, out);
            return Ok(());
        }
        if part.has("functionCall") && self.partial(number, &mut part, calls, out)? {
            return Ok(());
        }
        let Some(Part { content, .. }) = part::read(part, calls)? else { return Ok(()) };
        match content {
            Content::Text { text, signature, .. } => self.said(number, text, false, signature, out),
            Content::Thinking(it) => self.said(number, it.text, true, it.signature, out),
            content => {
                self.called |= matches!(content, Content::ToolCall(_));
                self.close(number, out);
                part_events(number, Part::new(content), out);
            }
        }
        Ok(())
    }

    fn said(
        &mut self,
        number: u32,
        text: String,
        thought: bool,
        signature: Option<Signature>,
        out: &mut Vec<Event>,
    ) {
        if text.is_empty() && signature.is_none() {
            return;
        }
        // A block has one signature: what comes after it is another block.
        let fits = match self.open {
            Open::Text { signed } => !thought && !signed,
            Open::Thinking { signed } => thought && !signed,
            Open::Nothing | Open::Call(_) => false,
        };
        if !fits {
            self.close(number, out);
            let block = if thought { Block::Thinking { redacted: false } } else { Block::Text };
            out.push(Event::Open { choice: number, block });
        }
        let signed = signature.is_some();
        self.open = if thought { Open::Thinking { signed } } else { Open::Text { signed } };
        if !text.is_empty() {
            self.beyond_ascii |= !thought && !text.is_ascii();
            let delta = if thought { Delta::Thinking(text) } else { Delta::Text(text) };
            out.push(Event::Delta { choice: number, delta });
        }
        let signature = signature.map(Delta::Signature);
        out.extend(signature.map(|delta| Event::Delta { choice: number, delta }));
    }

    /// A piece of a call; false for a call that comes whole.
    fn partial(
        &mut self,
        number: u32,
        part: &mut Fields,
        calls: &mut Calls,
        out: &mut Vec<Event>,
    ) -> Result<bool, Error> {
        let going = matches!(self.open, Open::Call(_));
        let Some(call) = part.peek("functionCall").and_then(Value::as_object) else { return Ok(false) };
        let continues = call.get("willContinue") == Some(&Value::Bool(true));
        let named = call.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
        if !continues && !call.contains_key("partialArgs") && named {
            return Ok(false);
        }
        if !named && !going {
            // The closing piece of a call that is closed already.
            return Ok(true);
        }
        let Some(mut call) = object(part, "functionCall")? else { return Ok(true) };
        if named {
            self.close(number, out);
            self.called = true;
            let name = call.required("name")?;
            let id = call.string("id")?;
            let id = calls.call(&name, id);
            let signature = part.string("thoughtSignature")?.map(|text| sign::read(&text).0);
            let block = Block::ToolCall { id, name, kind: CallKind::Function, signature };
            out.push(Event::Open { choice: number, block });
            self.open = Open::Call(Partial::new(call.object("args")?.map(Value::Object)));
        }
        if let Open::Call(partial) = &mut self.open {
            for piece in call.array("partialArgs")?.unwrap_or_default() {
                partial.add(&piece)?;
            }
        }
        if !continues {
            self.close(number, out);
        }
        Ok(true)
    }

    fn close(&mut self, number: u32, out: &mut Vec<Event>) {
        match std::mem::take(&mut self.open) {
            Open::Nothing => return,
            Open::Call(partial) => {
                let delta = Delta::Arguments(partial.into_arguments());
                out.push(Event::Delta { choice: number, delta });
            }
            Open::Text { .. } | Open::Thinking { .. } => {}
        }
        out.push(Event::Close { choice: number });
    }

    /// Says the sources of the text that is still open.
    fn cite(&mut self, number: u32, out: &mut Vec<Event>) {
        if !matches!(self.open, Open::Text { .. }) {
            return;
        }
        for (_, mut citation) in citation::read(self.grounding.as_ref(), self.citations.as_ref()) {
            if self.beyond_ascii {
                (citation.start, citation.end) = (None, None);
            }
            out.push(Event::Delta { choice: number, delta: Delta::Citation(citation) });
        }
    }
}
