//! What an answer says, apart from how: for tests that compare one with its translation.

use super::codec::{Caller, Profile, Wire, codec};
use super::rewrite::Translation;
use super::{
    Block, CallKind, Choice, Content, Delta, Event, Format, Part, Reply, Stop, Thinking, ToolCall, sse,
};
use crate::wire::event_stream;
use burncloud_core::adapter::Rewrite;
use burncloud_core::{Error, ErrorKind, Usage};
use bytes::BytesMut;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What an answer says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Its texts, one after the other.
    pub text: String,
    /// The model's words for not answering.
    pub refusal: String,
    /// Its thoughts.
    pub thoughts: String,
    /// The calls of tools, in order.
    pub calls: Vec<SaidCall>,
    /// Why it ended.
    pub stop: Stop,
    /// What was used.
    pub usage: Option<Usage>,
    /// The provider failed midway, with these words.
    pub failure: Option<String>,
    /// What only its format knows, pictures and sounds.
    pub others: usize,
}

/// A call of a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaidCall {
    /// Its id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments: parsed, where they are an object; free text under `input`.
    pub arguments: Value,
    /// What the tool takes.
    pub kind: CallKind,
}

impl Said {
    /// By the first choice of a reply.
    #[must_use]
    pub fn of(reply: &Reply) -> Said {
        let mut said = Said { usage: reply.usage, ..Said::default() };
        let Some(choice) = reply.choices.first() else { return said };
        said.stop = choice.stop;
        for Part { content, .. } in &choice.parts {
            match content {
                Content::Text { text, .. } => said.text.push_str(text),
                Content::Refusal(text) => said.refusal.push_str(text),
                Content::Thinking(thinking) => said.thoughts.push_str(&thinking.text),
                Content::ToolCall(call) => said.calls.push(SaidCall {
                    id: call.id.clone(),
                    name: call.name.clone(),
                    arguments: Value::Object(call.object()),
                    kind: call.kind,
                }),
                Content::Media(_) | Content::Other { .. } | Content::ToolResult(_) => said.others += 1,
            }
        }
        said
    }

    fn of_events(events: &[Event]) -> Said {
        let mut said = Said::of(&assemble(events));
        if let Some(Event::Failed(failure)) = events.last() {
            said.failure = Some(failure.message.clone());
        }
        said
    }
}

/// A provider's answer, as a caller of another format gets it.
#[derive(Clone, Debug)]
pub struct Translated {
    /// Of the body.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// What the provider's body says.
    pub said: Said,
}

/// Translates the body of a provider's successful answer. The provider is one of those that traffic was recorded of;
/// it tells how its copy of a format counts.
///
/// # Errors
/// [`ErrorKind::BadGateway`] for a body that cannot be read.
pub fn translated(
    provider: &str,
    (from, to): (Format, Format),
    streamed: bool,
    body: &[u8],
) -> Result<Translated, Error> {
    let profile = profile_of(provider);
    let said = read(from, &profile, streamed, body)?;
    let (content_type, out) = rewritten(&profile, (from, to), streamed, [body])?;
    Ok(Translated { content_type, body: out, said })
}

/// Turns the body of a provider's successful answer into a caller's, piece by piece; and its content type.
///
/// # Errors
/// None that a test can bring about.
pub fn translation(
    provider: &str,
    pair: (Format, Format),
    streamed: bool,
) -> Result<(String, Box<dyn Rewrite>), Error> {
    let (kind, translation) = begun(&profile_of(provider), pair, streamed)?;
    Ok((kind, Box::new(translation)))
}

/// What an answer in this format says.
///
/// # Errors
/// [`ErrorKind::BadGateway`] for a body that cannot be read.
pub fn said(provider: &str, from: Format, streamed: bool, body: &[u8]) -> Result<Said, Error> {
    read(from, &profile_of(provider), streamed, body)
}

/// The provider's particulars that matter to how it is read.
pub(super) fn profile_of(provider: &str) -> Profile {
    let name = match provider {
        "zai" => "zhipu",
        "vercel-gateway" => "vercel",
        other => other,
    };
    #[cfg(feature = "compatible")]
    let row = crate::compatible::TABLE.iter().find(|row| row.name == name);
    #[cfg(not(feature = "compatible"))]
    let row: Option<&crate::openai::OpenAiCompatible> = None;
    Profile {
        genuine: matches!(name, "openai" | "azure"),
        include_usage: true,
        reasoning: row.unwrap_or(&crate::openai::OPENAI).quirks.reasoning,
        vertex: name == "vertex",
    }
}

fn unreadable(context: impl ToString) -> Error {
    Error::new(ErrorKind::BadGateway, "the provider's answer cannot be read")
        .with_context(context.to_string())
}

fn read(from: Format, profile: &Profile, streamed: bool, body: &[u8]) -> Result<Said, Error> {
    if streamed {
        return Ok(Said::of_events(&read_events(from, profile, body)?));
    }
    let body: Map<String, Value> = serde_json::from_slice(body).map_err(unreadable)?;
    let codec = codec(from);
    Ok(Said::of(&codec.read_reply(body, profile)?))
}

fn read_events(from: Format, profile: &Profile, body: &[u8]) -> Result<Vec<Event>, Error> {
    let mut reader = codec(from).stream_reader(profile);
    let mut events = Vec::new();
    if from == Format::Converse {
        let mut decoder = event_stream::Decoder::default();
        decoder.push(body);
        while let Some(message) = decoder.next().map_err(unreadable)? {
            let exception = message.kind != event_stream::Kind::Event;
            reader.read(Wire { name: &message.name, data: &message.payload, exception }, &mut events)?;
        }
    } else {
        let mut decoder = sse::Decoder::default();
        let mut each =
            |name: &str, data: &[u8]| reader.read(Wire { name, data, exception: false }, &mut events);
        decoder.push(body, &mut each)?;
        decoder.finish(&mut each)?;
    }
    reader.finish(&mut events)?;
    Ok(events)
}

/// The content type and the body of an answer that comes in these pieces.
pub(super) fn rewritten<'a>(
    profile: &Profile,
    pair: (Format, Format),
    streamed: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(String, Vec<u8>), Error> {
    let (kind, mut translation) = begun(profile, pair, streamed)?;
    let mut out = BytesMut::new();
    for piece in pieces {
        translation.data(piece, &mut out)?;
    }
    translation.finish(&mut out)?;
    Ok((kind, out.to_vec()))
}

/// The head has come: the caller's content type, and what turns the rest.
fn begun(
    profile: &Profile,
    (from, to): (Format, Format),
    streamed: bool,
) -> Result<(String, Translation), Error> {
    let kind = match (from, streamed) {
        (_, false) => "application/json",
        (Format::Converse, true) => "application/vnd.amazon.eventstream",
        (_, true) => "text/event-stream; charset=utf-8",
    };
    let caller = Caller { model: "asked".to_owned(), include_usage: true, as_list: false, echo: Map::new() };
    let mut translation = Translation::new(from, *profile, to, caller, streamed, BTreeSet::new());
    let head = http::Response::builder().header(CONTENT_TYPE, kind).body(()).map_err(unreadable)?;
    let (mut head, ()) = head.into_parts();
    translation.head(&mut head);
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    Ok((kind.unwrap_or_default().to_owned(), translation))
}

/// The whole answer that a stream's events come to.
pub(super) fn assemble(events: &[Event]) -> Reply {
    let mut reply = Reply::default();
    for event in events {
        match event {
            Event::Start(start) => {
                reply.id.clone_from(&start.id);
                reply.model.clone_from(&start.model);
                reply.created = start.created;
            }
            Event::Open { choice, block } => {
                let content = match block.clone() {
                    Block::Text => Content::text(""),
                    Block::Refusal => Content::Refusal(String::new()),
                    Block::Thinking { redacted } => {
                        Content::Thinking(Thinking { redacted, ..Thinking::default() })
                    }
                    Block::ToolCall { id, name, kind, signature } => {
                        Content::ToolCall(ToolCall { id, name, kind, signature, ..ToolCall::default() })
                    }
                };
                choice_of(&mut reply, *choice).parts.push(Part::new(content));
            }
            Event::Delta { choice, delta } => {
                if let Some(part) = choice_of(&mut reply, *choice).parts.last_mut() {
                    add(&mut part.content, delta);
                }
            }
            Event::Whole { choice, part } => choice_of(&mut reply, *choice).parts.push(part.clone()),
            Event::Stop { choice, stop, sequence } => {
                let choice = choice_of(&mut reply, *choice);
                choice.stop = *stop;
                choice.stop_sequence.clone_from(sequence);
            }
            Event::Usage(usage) => reply.usage = Some(*usage),
            Event::Close { .. } | Event::Failed(_) | Event::End => {}
        }
    }
    reply
}

fn choice_of(reply: &mut Reply, index: u32) -> &mut Choice {
    let known = reply.choices.iter().position(|choice| choice.index == index);
    let at = known.unwrap_or_else(|| {
        reply.choices.push(Choice { index, ..Choice::default() });
        reply.choices.len() - 1
    });
    &mut reply.choices[at]
}

fn add(content: &mut Content, delta: &Delta) {
    match (content, delta) {
        (Content::Text { text, .. } | Content::Refusal(text), Delta::Text(more)) => text.push_str(more),
        (Content::Text { citations, .. }, Delta::Citation(citation)) => citations.push(citation.clone()),
        (Content::Text { signature, .. }, Delta::Signature(whole)) => *signature = Some(whole.clone()),
        (Content::Thinking(thinking), Delta::Thinking(more)) => thinking.text.push_str(more),
        (Content::Thinking(thinking), Delta::Signature(whole)) => thinking.signature = Some(whole.clone()),
        (Content::ToolCall(call), Delta::Arguments(more)) => call.arguments.push_str(more),
        (_, Delta::Logprobs(_)) => {}
        // [`Event`]'s order rules it out.
        (content, delta) => debug_assert!(false, "{delta:?} in {content:?}"),
    }
}
