//! Streams, read.

use super::chunk::{Arguments, CallChunk, Chunk, DeltaChunk, Head, Said};
use super::{parts, reply::says_logprobs, stop_of, thoughts};
use crate::openai;
use crate::translate::{
    Block, CallKind, Content, Delta, Event, Failure, FailureKind, Part, Profile, ReadStream, Signature,
    Start, Stop, Thinking, Wire, new_id,
};
use burncloud_core::Operation;
use burncloud_core::{Error, ErrorKind, Usage};
use http::StatusCode;
use serde_json::{Value, json};

/// More answers than anybody asks for at once.
const MOST_CHOICES: usize = 1024;

/// See [`Profile`]. Reasons to finish wait for the stream's end: some providers still have something to say.
pub(super) struct Reader {
    profile: Profile,
    started: bool,
    ended: bool,
    choices: Vec<Choice>,
    usage: Option<Usage>,
    tier: Option<String>,
}

struct Choice {
    index: u32,
    open: Open,
    stop: Option<Stop>,
    calls: bool,
    /// The highest number of a call so far, and the ids that came with it.
    call: Option<CallPlace>,
    /// A call whose name has not come.
    pending: Option<(CallPlace, String)>,
}

#[derive(Clone, Debug, PartialEq)]
struct CallPlace {
    number: Option<u64>,
    id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Text,
    Refusal,
    /// Thoughts; signed thoughts take no more.
    Thinking {
        signed: bool,
    },
    Call,
}

impl Reader {
    pub(super) fn new(profile: Profile) -> Reader {
        Reader { profile, started: false, ended: false, choices: Vec::new(), usage: None, tier: None }
    }

    fn fail(&mut self, error: Value, out: &mut Vec<Event>) {
        self.ended = true;
        let error = json!({ "error": error });
        let code = error.pointer("/error/code").or_else(|| error.pointer("/error/status_code"));
        let status = code.and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let status = status.and_then(|code| StatusCode::from_u16(code).ok());
        let kind = status.map_or(FailureKind::Server, FailureKind::of_status);
        out.push(Event::Failed(Failure::of_json(&error, kind)));
    }

    fn start(&mut self, data: &[u8], chunk: &Chunk, out: &mut Vec<Event>) -> Result<(), Error> {
        let head: Head = serde_json::from_slice(data).map_err(unreadable)?;
        let empty = chunk.choices.as_ref().is_none_or(Vec::is_empty);
        let id = head.id.filter(|id| !id.is_empty());
        if empty && id.is_none() {
            // Azure's word on the question comes before the answer.
            return Ok(());
        }
        self.started = true;
        out.push(Event::Start(Start {
            id,
            model: head.model.filter(|model| !model.is_empty()),
            created: head.created.and_then(|created| created.as_i64()),
            usage: None,
            service_tier: chunk.service_tier.clone(),
        }));
        Ok(())
    }

    fn count(&mut self, usage: Option<Value>) {
        let usage = usage.filter(Value::is_object);
        let tier = self.tier.as_deref();
        let usage =
            usage.and_then(|usage| openai::usage_of(Operation::Chat, self.profile.reasoning, &usage, tier));
        self.usage = usage.or(self.usage);
    }

    fn choice(&mut self, index: u32) -> Result<&mut Choice, Error> {
        if let Some(at) = self.choices.iter().position(|choice| choice.index == index) {
            return Ok(&mut self.choices[at]);
        }
        if self.choices.len() >= MOST_CHOICES {
            return Err(Error::new(ErrorKind::BadGateway, "the provider's stream has too many choices"));
        }
        self.choices.push(Choice {
            index,
            open: Open::Nothing,
            stop: None,
            calls: false,
            call: None,
            pending: None,
        });
        let last = self.choices.len() - 1;
        Ok(&mut self.choices[last])
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.ended = true;
        for choice in &mut self.choices {
            choice.close(out);
            let stop = choice.stop.unwrap_or(if choice.calls { Stop::ToolCalls } else { Stop::End });
            out.push(Event::Stop { choice: choice.index, stop, sequence: None });
        }
        out.extend(self.usage.map(Event::Usage));
        out.push(Event::End);
    }
}

impl ReadStream for Reader {
    fn read(&mut self, event: Wire<'_>, out: &mut Vec<Event>) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        let data = event.data.trim_ascii();
        if data == b"[DONE]" {
            if !self.started {
                return Err(cut_off());
            }
            self.end(out);
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        let mut chunk: Chunk = serde_json::from_slice(data).map_err(unreadable)?;
        if let Some(error) = chunk.error.take().filter(|error| !error.is_null() && *error != json!("")) {
            self.fail(error, out);
            return Ok(());
        }
        if event.name == "error" {
            self.fail(serde_json::from_slice(data).unwrap_or_default(), out);
            return Ok(());
        }
        if !self.started {
            self.start(data, &chunk, out)?;
        }
        self.tier = chunk.service_tier.take().or(self.tier.take());
        for choice in chunk.choices.take().unwrap_or_default() {
            let inside = choice.usage;
            let state = self.choice(choice.index.unwrap_or(0))?;
            state.delta(choice.delta.unwrap_or_default(), choice.logprobs, out)?;
            if let Some(reason) = choice.finish_reason {
                state.stop = stop_of(&reason, state.calls).or(state.stop);
            }
            self.count(inside);
        }
        let groq = chunk.x_groq.as_mut().and_then(|groq| groq.get_mut("usage")).map(Value::take);
        self.count(chunk.usage.filter(Value::is_object).or(groq));
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        // Not everybody says `[DONE]`; everybody gives a reason to finish.
        let finished = !self.choices.is_empty() && self.choices.iter().all(|choice| choice.stop.is_some());
        if !finished {
            return Err(cut_off());
        }
        self.end(out);
        Ok(())
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::BadGateway, "an event of the provider's stream cannot be read")
        .with_context(error.to_string())
}

fn cut_off() -> Error {
    Error::new(ErrorKind::BadGateway, "the provider's stream ended without its closing event")
}

impl Choice {
    fn delta(
        &mut self,
        delta: DeltaChunk,
        logprobs: Option<Value>,
        out: &mut Vec<Event>,
    ) -> Result<(), Error> {
        self.thoughts(delta.reasoning_details, delta.reasoning_content.or(delta.reasoning), out);
        match delta.content {
            Said::Nothing => {}
            Said::Text(text) => self.text(text, out),
            Said::Parts(items) => self.items(items, out),
        }
        for citation in parts::read_annotations(delta.annotations.unwrap_or_default()) {
            self.turn_to(Open::Text, out);
            self.say(Delta::Citation(citation), out);
        }
        if let Some(logprobs) = logprobs.filter(says_logprobs).filter(|_| self.open == Open::Text) {
            self.say(Delta::Logprobs(logprobs), out);
        }
        if let Some(refusal) = delta.refusal.filter(|text| !text.is_empty()) {
            self.turn_to(Open::Refusal, out);
            self.say(Delta::Text(refusal), out);
        }
        if let Some(pictures) = delta.images {
            self.items(pictures, out);
        }
        for call in delta.tool_calls.unwrap_or_default() {
            self.call_chunk(call, out)?;
        }
        // Some providers write an empty one with every chunk.
        let legacy = delta.function_call.filter(|call| {
            let named = call.name.as_ref().is_some_and(|name| !name.is_empty());
            named || self.open == Open::Call
        });
        match legacy {
            None => Ok(()),
            Some(function) => {
                let call = CallChunk {
                    index: Some(0),
                    id: None,
                    function: Some(function),
                    custom: None,
                    extra_content: None,
                };
                self.call_chunk(call, out)
            }
        }
    }

    fn say(&self, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta { choice: self.index, delta });
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.open, Open::Nothing) != Open::Nothing {
            out.push(Event::Close { choice: self.index });
        }
    }

    fn open(&mut self, open: Open, block: Block, out: &mut Vec<Event>) {
        self.close(out);
        self.open = open;
        out.push(Event::Open { choice: self.index, block });
    }

    /// Makes sure that such a block is open.
    fn turn_to(&mut self, open: Open, out: &mut Vec<Event>) {
        if self.open == open {
            return;
        }
        let block = match open {
            Open::Refusal => Block::Refusal,
            Open::Thinking { .. } => Block::Thinking { redacted: false },
            _ => Block::Text,
        };
        self.open(open, block, out);
    }

    fn text(&mut self, text: String, out: &mut Vec<Event>) {
        if !text.is_empty() {
            self.turn_to(Open::Text, out);
            self.say(Delta::Text(text), out);
        }
    }

    fn thought(&mut self, text: String, out: &mut Vec<Event>) {
        if !text.is_empty() {
            self.turn_to(Open::Thinking { signed: false }, out);
            self.say(Delta::Thinking(text), out);
        }
    }

    /// Where details have the text, the plain field only repeats it.
    fn thoughts(&mut self, details: Option<Vec<Value>>, plain: Option<String>, out: &mut Vec<Event>) {
        let parts = details.unwrap_or_default().into_iter().filter_map(|detail| match detail {
            Value::Object(detail) => thoughts::read_detail(detail),
            _ => None,
        });
        let parts: Vec<Thinking> = parts
            .filter_map(|part| match part.content {
                Content::Thinking(thinking) => Some(thinking),
                _ => None,
            })
            .collect();
        if let Some(plain) = plain.filter(|_| parts.iter().all(|thinking| thinking.text.is_empty())) {
            self.thought(plain, out);
        }
        for thinking in parts {
            if thinking.redacted {
                self.open(Open::Thinking { signed: true }, Block::Thinking { redacted: true }, out);
            }
            self.thought(thinking.text, out);
            if let Some(signature) = thinking.signature {
                self.sign(signature, out);
            }
        }
    }

    fn sign(&mut self, signature: Signature, out: &mut Vec<Event>) {
        if !matches!(self.open, Open::Thinking { .. }) {
            self.turn_to(Open::Thinking { signed: false }, out);
        }
        self.open = Open::Thinking { signed: true };
        self.say(Delta::Signature(signature), out);
    }

    /// Parts of a list: Mistral's texts and thoughts, OpenRouter's pictures.
    fn items(&mut self, items: Vec<Value>, out: &mut Vec<Event>) {
        let fields = crate::translate::Fields::of_answer(serde_json::Map::new());
        let parts =
            items.into_iter().filter_map(|item| parts::read(Some(Value::Array(vec![item])), &fields).ok());
        for part in parts.flatten() {
            match part.content {
                Content::Text { text, .. } => self.text(text, out),
                Content::Thinking(thinking) => self.thought(thinking.text, out),
                content => {
                    self.close(out);
                    out.push(Event::Whole { choice: self.index, part: Part { content, ..part } });
                }
            }
        }
    }

    fn call_chunk(&mut self, chunk: CallChunk, out: &mut Vec<Event>) -> Result<(), Error> {
        let kind = if chunk.custom.is_some() { CallKind::Custom } else { CallKind::Function };
        let inner = chunk.custom.or(chunk.function);
        let (name, arguments) = inner.map_or((None, None), |inner| (inner.name, inner.arguments));
        let name = name.filter(|name| !name.is_empty());
        let mut arguments = arguments.map(Arguments::into_text).unwrap_or_default();
        let id = chunk.id.filter(|id| !id.is_empty());
        if self.continues(chunk.index, id.as_deref(), name.as_deref())? {
            if !arguments.is_empty() {
                self.say(Delta::Arguments(arguments), out);
            }
            return Ok(());
        }
        let (mut place, mut before) = match self.pending.take() {
            Some(pending) if pending.0.number == chunk.index => pending,
            _ => (CallPlace { number: chunk.index, id: String::new() }, String::new()),
        };
        if let Some(id) = id {
            place.id = id;
        }
        before.push_str(&arguments);
        let Some(name) = name else {
            if before.len() > 1 << 20 {
                return Err(Error::new(
                    ErrorKind::BadGateway,
                    "the provider's stream calls a tool without a name",
                ));
            }
            self.pending = Some((place, before));
            return Ok(());
        };
        arguments = before;
        let id = if place.id.is_empty() { new_id("call_") } else { place.id.clone() };
        let signature = thoughts::read_extra(chunk.extra_content.as_ref());
        self.call = Some(place);
        self.calls = true;
        self.open(Open::Call, Block::ToolCall { id, name, kind, signature }, out);
        if !arguments.is_empty() {
            self.say(Delta::Arguments(arguments), out);
        }
        Ok(())
    }

    /// Whether a piece belongs to the open call. One that belongs to a call that was closed for another cannot be said
    /// any more.
    fn continues(&self, number: Option<u64>, id: Option<&str>, name: Option<&str>) -> Result<bool, Error> {
        let Some(call) = &self.call else { return Ok(false) };
        let other_id = id.is_some_and(|id| id != call.id);
        if name.is_some() && (other_id || number != call.number) {
            return Ok(false);
        }
        let same_place = match (number, call.number) {
            (Some(number), Some(open)) => number == open,
            _ => !other_id,
        };
        if same_place && self.open == Open::Call {
            // The same number and name again without ids: two whole calls where nothing tells them apart.
            return Ok(!(name.is_some() && id.is_none() && number.is_none()));
        }
        if self.pending.is_none() && number < call.number && number.is_some() {
            let text = "the provider's stream mixes the arguments of its calls";
            return Err(Error::new(ErrorKind::BadGateway, text));
        }
        Ok(false)
    }
}
