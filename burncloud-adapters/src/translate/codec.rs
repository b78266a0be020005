//! What each format implements.

use super::{Conversation, Event, Format, Notes, Reply};
use crate::openai::Reasoning;
use burncloud_core::Error;
use bytes::BytesMut;
use serde_json::{Map, Value};

/// One format: reads and writes requests, whole answers, streams.
pub(crate) trait Codec: Sync {
    /// Reads a caller's request. Model and stream are known already and are only taken out.
    fn read_request(&self, body: Map<String, Value>, notes: &mut Notes) -> Result<Conversation, Error>;

    /// Writes a request for a provider. What the format has no words for is noted, or refused where it is content.
    fn write_request(
        &self,
        conversation: Conversation,
        to: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<Value, Error>;

    /// Reads a provider's whole answer.
    fn read_reply(&self, body: Map<String, Value>, from: &Profile) -> Result<Reply, Error>;

    /// Writes a whole answer for a caller. Never fails: what has no place is left out.
    fn write_reply(&self, reply: Reply, to: &Caller) -> Value;

    /// Reads a provider's stream.
    fn stream_reader(&self, from: &Profile) -> Box<dyn ReadStream>;

    /// Writes a stream for a caller.
    fn stream_writer(&self, to: &Caller) -> Box<dyn WriteStream>;
}

/// An event as it comes off the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire<'a> {
    /// Its name: the `event:` line, or `:event-type`; empty where there is none.
    pub(crate) name: &'a str,
    /// Its data.
    pub(crate) data: &'a [u8],
    /// An exception frame of an AWS event stream; the name says which.
    pub(crate) exception: bool,
}

/// Reads a stream, event by event. Constant in memory.
pub(crate) trait ReadStream: Send + Sync {
    /// One event; adds what it means.
    fn read(&mut self, event: Wire<'_>, out: &mut Vec<Event>) -> Result<(), Error>;

    /// The body has ended: adds what is left to say; an error where the closing event of the format is missing.
    fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), Error>;
}

/// Writes a stream, event by event. Constant in memory.
pub(crate) trait WriteStream: Send + Sync {
    /// Adds an event as bytes, framed; some events add nothing.
    fn write(&mut self, event: Event, out: &mut BytesMut);
}

/// Who is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// The model, by the provider's name.
    pub(crate) model: &'a str,
    /// Whether a stream is asked for.
    pub(crate) streamed: bool,
    /// The provider's particulars.
    pub(crate) profile: &'a Profile,
}

/// A provider's particulars, as far as its format does not settle them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// OpenAI itself (or Azure's copy of it), which knows `max_completion_tokens`, `developer` and the rest; others who
    /// speak its API know its older half.
    pub(crate) genuine: bool,
    /// Takes `stream_options.include_usage`.
    pub(crate) include_usage: bool,
    /// Where an OpenAI-like report counts reasoning.
    pub(crate) reasoning: Reasoning,
    /// On Google Vertex rather than AI Studio.
    pub(crate) vertex: bool,
}

impl Profile {
    /// A provider that is what its format says.
    pub(crate) const GENUINE: Profile =
        Profile { genuine: true, include_usage: true, reasoning: Reasoning::Within, vertex: false };
}

/// What an answer's writer must know of its caller.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The model as the caller asked for it.
    pub(crate) model: String,
    /// Whether the stream shall report usage (chat).
    pub(crate) include_usage: bool,
    /// A stream as a JSON list rather than as server-sent events (Gemini without `alt=sse`).
    pub(crate) as_list: bool,
    /// What the caller sent and the answer repeats (Responses: instructions, tools, …).
    pub(crate) echo: Map<String, Value>,
}

/// The codec of a format.
pub(crate) fn codec(format: Format) -> &'static dyn Codec {
    match format {
        Format::Chat => super::chat::codec(),
        Format::Responses => super::responses::codec(),
        Format::Messages => super::messages::codec(),
        Format::Gemini => super::gemini::codec(),
        Format::Cohere => super::cohere::codec(),
        Format::Converse => super::converse::codec(),
    }
}
