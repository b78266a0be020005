//! Streams, read.
//!
//! Items may come one after another or interleaved. While a block of one is open, another's events are passed over, and
//! that item is told whole when it is done: the event that says so repeats it.

use super::super::event::part_events;
use super::super::{
    Block, CallKind, Citation, Delta, Event, Failure, FailureKind, Fields, Origin, Profile, ReadStream,
    Signature, Start, Wire,
};
use super::delta::{DeltaEvent, Typed};
use super::input::citation;
use super::reply::{count, parts, stop_of};
use burncloud_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Reads a provider's events.
pub(super) struct Reader {
    profile: Profile,
    started: bool,
    ended: bool,
    open: Option<Open>,
    items: BTreeMap<u64, Item>,
    calls: bool,
    refused: bool,
    said: bool,
}

/// The open block.
struct Open {
    /// Of which item,
    item: u64,
    /// and which part of it.
    part: u64,
    kind: Kind,
    /// Something came.
    filled: bool,
    /// Sources so far.
    citations: usize,
    /// Nothing more comes but what closes it.
    complete: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Refusal,
    /// From the item's summary, or else from its content.
    Thinking {
        summary: bool,
    },
    Call,
}

/// What became of an item.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Item {
    /// Nothing was said of it yet.
    #[default]
    Quiet,
    /// Its events are told as they come.
    Told,
    Done,
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(ErrorKind::BadGateway, "the provider's stream cannot be read").with_context(error.to_string())
}

impl ReadStream for Reader {
    fn read(&mut self, event: Wire<'_>, out: &mut Vec<Event>) -> Result<(), Error> {
        if self.ended || event.data.trim_ascii().is_empty() || event.data.starts_with(b"[DONE]") {
            return Ok(());
        }
        let kind: Cow<'_, str> = if event.name.starts_with("response.") {
            Cow::Borrowed(event.name)
        } else {
            serde_json::from_slice::<Typed<'_>>(event.data).map_err(|e| unreadable(&e))?.r#type
        };
        let deltas = match kind.as_ref() {
            "response.output_text.delta" => Some(Kind::Text),
            "response.refusal.delta" => Some(Kind::Refusal),
            "response.reasoning_summary_text.delta" => Some(Kind::Thinking { summary: true }),
            "response.reasoning_text.delta" => Some(Kind::Thinking { summary: false }),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                Some(Kind::Call)
            }
            _ => None,
        };
        if let Some(deltas) = deltas {
            let delta = serde_json::from_slice(event.data).map_err(|e| unreadable(&e))?;
            self.begin(None, out);
            self.delta(deltas, delta, out);
            return Ok(());
        }
        self.other(&kind, event.data, out)
    }

    fn finish(&mut self, _out: &mut Vec<Event>) -> Result<(), Error> {
        if self.ended {
            return Ok(());
        }
        Err(Error::new(ErrorKind::BadGateway, "the provider's stream ended without its closing event"))
    }
}

impl Reader {
    pub(super) fn new(profile: &Profile) -> Reader {
        Reader {
            profile: *profile,
            started: false,
            ended: false,
            open: None,
            items: BTreeMap::new(),
            calls: false,
            refused: false,
            said: false,
        }
    }

    /// Says `Start`, if nobody did.
    fn begin(&mut self, response: Option<&Value>, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let text = |name: &str| Some(response?.get(name)?.as_str()?.to_owned());
        #[allow(clippy::cast_possible_truncation)]
        let created = response.and_then(|it| it.get("created_at")?.as_f64()).map(|seconds| seconds as i64);
        // The tier that is named here is the one asked for.
        out.push(Event::Start(Start {
            id: text("id"),
            model: text("model"),
            created,
            usage: None,
            service_tier: None,
        }));
    }

    fn other(&mut self, kind: &str, data: &[u8], out: &mut Vec<Event>) -> Result<(), Error> {
        match kind {
            "response.created"
            | "response.in_progress"
            | "response.queued"
            | "response.output_item.added"
            | "response.output_item.done"
            | "response.output_text.annotation.added"
            | "response.output_text.done"
            | "response.refusal.done"
            | "response.content_part.done"
            | "response.function_call_arguments.done"
            | "response.custom_tool_call_input.done"
            | "response.completed"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled"
            | "error"
            | "" => {}
            // Searches and interpreters in progress, and whatever comes tomorrow.
            _ => return Ok(()),
        }
        let event: Map<String, Value> = serde_json::from_slice(data).map_err(|e| unreadable(&e))?;
        let failed = matches!(kind, "error" | "response.failed" | "response.cancelled");
        if failed || (kind.is_empty() && event.get("error").is_some_and(|error| !error.is_null())) {
            self.failed(event, out);
            return Ok(());
        }
        self.begin(event.get("response"), out);
        let mut event = Fields::of_answer(event);
        let index = event.unsigned("output_index")?.unwrap_or(0);
        match kind {
            "response.output_item.added" => self.added(index, event.fields("item")?, out),
            "response.output_item.done" => {
                self.done(index, event.object("item")?.unwrap_or_default(), out)?
            }
            "response.output_text.annotation.added" => {
                if let Some(annotation) = event.take("annotation") {
                    self.cite(index, citation(annotation), out);
                }
            }
            "response.output_text.done" | "response.refusal.done" => self.complete(index),
            "response.function_call_arguments.done" | "response.custom_tool_call_input.done" => {
                let whole = match event.string("arguments")? {
                    Some(arguments) => Some(arguments),
                    None => event.string("input")?,
                };
                self.fill_call(index, whole, out);
                self.complete(index);
            }
            "response.content_part.done" => self.part_done(index, event.fields("part")?, out)?,
            "response.completed" | "response.incomplete" => self.end(event.fields("response")?, out)?,
            _ => {}
        }
        Ok(())
    }

    fn failed(&mut self, mut event: Map<String, Value>, out: &mut Vec<Event>) {
        let error = match event.get_mut("response").map(Value::take) {
            Some(mut response) => response.get_mut("error").map(Value::take).unwrap_or_default(),
            None => Value::Object(event),
        };
        let mut failure = Failure::of_json(&error, FailureKind::Server);
        if failure.message.is_empty() {
            failure.message = "the provider did not finish its answer".to_owned();
        }
        self.close(out);
        self.ended = true;
        out.push(Event::Failed(failure));
    }

    // === Blocks ===

    fn close(&mut self, out: &mut Vec<Event>) {
        if self.open.take().is_some() {
            out.push(Event::Close { choice: 0 });
        }
    }

    /// The open block is of this item: nothing more comes for it but what closes it.
    fn complete(&mut self, index: u64) {
        if let Some(open) = self.open.as_mut().filter(|open| open.item == index) {
            open.complete = true;
        }
    }

    /// Opens a block of an item, unless another item's is open; then this one waits.
    fn open(&mut self, item: u64, part: u64, kind: Kind, block: Block, out: &mut Vec<Event>) -> bool {
        if self.open.as_ref().is_some_and(|open| open.item != item && !open.complete) {
            return false;
        }
        self.close(out);
        self.items.insert(item, Item::Told);
        self.open = Some(Open { item, part, kind, filled: false, citations: 0, complete: false });
        out.push(Event::Open { choice: 0, block });
        true
    }

    fn delta(&mut self, kind: Kind, event: DeltaEvent, out: &mut Vec<Event>) {
        let item = event.output_index;
        let part = match kind {
            Kind::Thinking { summary: true } => event.summary_index,
            Kind::Call => 0,
            _ => event.content_index,
        };
        let thinking = matches!(kind, Kind::Thinking { .. });
        let (mut goes_on, mut next_part) = (false, false);
        if let Some(open) = self.open.as_ref().filter(|open| open.item == item) {
            if thinking && open.kind != kind {
                // Both a summary and the thoughts themselves: what came first is told.
                return;
            }
            goes_on = open.kind == kind && (open.part == part || thinking);
            next_part = open.part != part && open.filled;
        }
        if !goes_on {
            let block = match kind {
                Kind::Text => Block::Text,
                Kind::Refusal => Block::Refusal,
                Kind::Thinking { .. } => Block::Thinking { redacted: false },
                Kind::Call => return,
            };
            let done = self.items.get(&item) == Some(&Item::Done);
            let told_thinking = thinking && self.items.get(&item) == Some(&Item::Told);
            if done || told_thinking || !self.open(item, part, kind, block, out) {
                return;
            }
        }
        let Some(open) = self.open.as_mut() else { return };
        let text = event.delta.unwrap_or_default();
        open.filled |= !text.is_empty();
        open.part = part;
        let delta = match kind {
            Kind::Text | Kind::Refusal => {
                self.said |= kind == Kind::Text && !text.is_empty();
                self.refused |= kind == Kind::Refusal;
                Delta::Text(text)
            }
            // Paragraphs of a summary.
            Kind::Thinking { .. } if next_part => Delta::Thinking(format!("\n\n{text}")),
            Kind::Thinking { .. } => Delta::Thinking(text),
            Kind::Call => Delta::Arguments(text),
        };
        out.push(Event::Delta { choice: 0, delta });
        if kind == Kind::Text
            && let Some(logprobs) = event.logprobs.filter(|list| !list.is_empty())
        {
            let delta = Delta::Logprobs(json!({ "content": logprobs, "refusal": null }));
            out.push(Event::Delta { choice: 0, delta });
        }
    }

    fn cite(&mut self, index: u64, citation: Citation, out: &mut Vec<Event>) {
        let Some(open) = self.open.as_mut().filter(|it| it.item == index && it.kind == Kind::Text) else {
            return;
        };
        open.citations += 1;
        out.push(Event::Delta { choice: 0, delta: Delta::Citation(citation) });
    }

    fn fill_call(&mut self, index: u64, whole: Option<String>, out: &mut Vec<Event>) {
        let Some(open) = self.open.as_mut().filter(|it| it.item == index && it.kind == Kind::Call) else {
            return;
        };
        if let Some(arguments) = whole.filter(|text| !open.filled && !text.is_empty()) {
            open.filled = true;
            out.push(Event::Delta { choice: 0, delta: Delta::Arguments(arguments) });
        }
    }

    /// A part of a message is complete; sources that were not told as they came are now.
    fn part_done(&mut self, index: u64, mut part: Fields, out: &mut Vec<Event>) -> Result<(), Error> {
        let Some(open) = self.open.as_ref().filter(|open| open.item == index) else { return Ok(()) };
        if !matches!(open.kind, Kind::Text | Kind::Refusal) {
            return Ok(());
        }
        let told = open.citations;
        for annotation in part.array("annotations")?.unwrap_or_default().into_iter().skip(told) {
            self.cite(index, citation(annotation), out);
        }
        self.close(out);
        Ok(())
    }

    // === Items ===

    fn added(&mut self, index: u64, mut item: Fields, out: &mut Vec<Event>) {
        self.items.entry(index).or_default();
        let kind = match item.peek("type").and_then(Value::as_str) {
            Some("function_call") => CallKind::Function,
            Some("custom_tool_call") => CallKind::Custom,
            _ => return,
        };
        let mut text = |name: &'static str| item.string(name).ok().flatten().filter(|text| !text.is_empty());
        let (Some(id), Some(name)) = (text("call_id"), text("name")) else { return };
        let arguments = text("arguments").or_else(|| text("input"));
        let block = Block::ToolCall { id, name, kind, signature: None };
        if self.open(index, 0, Kind::Call, block, out) {
            self.calls = true;
            self.fill_call(index, arguments, out);
        }
    }

    /// An item is complete. One of which nothing was told is told whole.
    fn done(&mut self, index: u64, item: Map<String, Value>, out: &mut Vec<Event>) -> Result<(), Error> {
        let state = self.items.insert(index, Item::Done).unwrap_or_default();
        match state {
            Item::Done => return Ok(()),
            Item::Quiet if self.open.as_ref().is_some_and(|open| !open.complete) => {
                // Inside another's block: told at the end, which repeats all items.
                self.items.insert(index, Item::Quiet);
                return Ok(());
            }
            Item::Quiet => {
                self.close(out);
                return self.tell(vec![Fields::of_answer(item)], out);
            }
            Item::Told => {}
        }
        let mut item = Fields::of_answer(item);
        match item.peek("type").and_then(Value::as_str) {
            Some("reasoning") => {
                let id = item.string("id")?;
                let encrypted = item.string("encrypted_content")?;
                self.sign(index, id, encrypted, out);
            }
            Some("function_call" | "custom_tool_call") => {
                let whole = match item.string("arguments")? {
                    Some(arguments) => Some(arguments),
                    None => item.string("input")?,
                };
                self.fill_call(index, whole, out);
            }
            _ => {}
        }
        if self.open.as_ref().is_some_and(|open| open.item == index) {
            self.close(out);
        }
        Ok(())
    }

    /// The encrypted form of thoughts comes when they are complete.
    fn sign(&mut self, index: u64, id: Option<String>, encrypted: Option<String>, out: &mut Vec<Event>) {
        let Some(text) = encrypted.filter(|text| !text.is_empty()) else { return };
        let native: Origin = super::origin(&self.profile);
        let mut signature = Signature::from_field(&text, native);
        if signature.origin == native && signature.id.is_none() {
            signature.id = id;
        }
        let open = self.open.as_ref();
        if open.is_some_and(|it| it.item == index && matches!(it.kind, Kind::Thinking { .. })) {
            out.push(Event::Delta { choice: 0, delta: Delta::Signature(signature) });
        }
    }

    /// Items whole.
    fn tell(&mut self, items: Vec<Fields>, out: &mut Vec<Event>) -> Result<(), Error> {
        use super::super::Content as C;
        for mut part in parts(items, &self.profile)? {
            let logprobs = part.carry.shift_remove("logprobs");
            part.carry.clear();
            self.calls |= matches!(part.content, C::ToolCall(_));
            self.refused |= matches!(part.content, C::Refusal(_));
            self.said |= part.as_text().is_some_and(|text| !text.is_empty());
            part_events(0, part, out);
            if let Some(Value::Array(list)) = logprobs {
                let delta = Delta::Logprobs(json!({ "content": list, "refusal": null }));
                let close = out.pop();
                out.push(Event::Delta { choice: 0, delta });
                out.extend(close);
            }
        }
        Ok(())
    }

    fn end(&mut self, mut response: Fields, out: &mut Vec<Event>) -> Result<(), Error> {
        self.close(out);
        // An item that was announced and not told since; all, where none was announced.
        let silent = self.items.is_empty();
        for (index, item) in (0_u64..).zip(response.objects("output")?) {
            if silent || self.items.get(&index) == Some(&Item::Quiet) {
                self.tell(vec![item], out)?;
            }
        }
        let incomplete = response.take("incomplete_details");
        let stop = stop_of(incomplete.as_ref(), self.calls, self.refused && !self.said);
        out.push(Event::Stop { choice: 0, stop, sequence: None });
        let tier = response.string("service_tier")?;
        let usage = response.take("usage");
        out.extend(usage.and_then(|usage| count(&usage, tier.as_deref(), &self.profile)).map(Event::Usage));
        out.push(Event::End);
        self.ended = true;
        Ok(())
    }
}
