//! An answer on its way back: from the provider's format into the caller's.

use super::codec::{Caller, Profile, ReadStream, Wire, WriteStream, codec};
use super::custom::{self, Restorer};
use super::{Event, Failure, FailureKind, Format, Reply, Start, sse};
use crate::wire::event_stream;
use burncloud_core::adapter::Rewrite;
use burncloud_core::{Error, ErrorKind};
use bytes::{BufMut, BytesMut};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use std::collections::BTreeSet;

/// The longest whole answer.
const WHOLE_LIMIT: usize = 128 << 20;

/// See the module.
pub(crate) struct Translation {
    from: Format,
    profile: Profile,
    to: Format,
    caller: Caller,
    streamed: bool,
    /// Custom tools that the provider was told are functions.
    custom: BTreeSet<String>,
    state: State,
}

enum State {
    /// The head has not come.
    Waiting,
    /// An answer that is read when it is complete.
    Whole {
        bytes: BytesMut,
        status: StatusCode,
        error_type: Option<String>,
    },
    Stream(Box<Stream>),
}

struct Stream {
    framing: Framing,
    reader: Box<dyn ReadStream>,
    restorer: Restorer,
    writer: Box<dyn WriteStream>,
    /// Between reader and writer; empty but for one call's while.
    events: Vec<Event>,
}

enum Framing {
    Events(sse::Decoder),
    Binary(event_stream::Decoder),
}

impl Translation {
    pub(crate) fn new(
        from: Format,
        profile: Profile,
        to: Format,
        caller: Caller,
        streamed: bool,
        custom: BTreeSet<String>,
    ) -> Translation {
        Translation { from, profile, to, caller, streamed, custom, state: State::Waiting }
    }

    fn stream(&self, framing: Framing) -> Stream {
        Stream {
            framing,
            reader: codec(self.from).stream_reader(&self.profile),
            restorer: Restorer::new(self.custom.clone()),
            writer: codec(self.to).stream_writer(&self.caller),
            events: Vec::new(),
        }
    }

    fn content_type(&self, streamed: bool) -> &'static str {
        match (self.to, streamed) {
            (Format::Converse, true) => "application/vnd.amazon.eventstream",
            (_, true) if !self.caller.as_list => "text/event-stream",
            _ => "application/json",
        }
    }

    fn whole(&self, bytes: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        let unreadable = |context: String| {
            Error::new(ErrorKind::BadGateway, "the provider's answer cannot be read").with_context(context)
        };
        let body: Value = serde_json::from_slice(bytes).map_err(|e| unreadable(e.to_string()))?;
        let Value::Object(body) = body else { return Err(unreadable("it is no object".to_owned())) };
        let mut reply = codec(self.from).read_reply(body, &self.profile)?;
        custom::restore(&mut reply, &self.custom);
        if self.streamed {
            // Asked for a stream, the provider sent it all at once.
            let mut writer = codec(self.to).stream_writer(&self.caller);
            reply.into_events().into_iter().for_each(|event| writer.write(event, out));
            return Ok(());
        }
        serde_json::to_writer(out.writer(), &codec(self.to).write_reply(reply, &self.caller))
            .map_err(|e| unreadable(e.to_string()))
    }
}

/// What of a provider's head means something in every dialect.
pub(super) fn passing(headers: &HeaderMap) -> HeaderMap {
    let retry_after_ms = HeaderName::from_static("retry-after-ms");
    let names = [RETRY_AFTER, retry_after_ms];
    names.into_iter().filter_map(|name| headers.get(&name).cloned().map(|value| (name, value))).collect()
}

/// The head of an error's answer, as the caller's format has it.
pub(super) fn error_head(head: &mut Parts, to: Format) {
    let failure = Failure::new(FailureKind::of_status(head.status), "");
    if head.status.as_u16() == 529 && to != Format::Messages {
        head.status = StatusCode::SERVICE_UNAVAILABLE;
    }
    if to == Format::Converse {
        let name = HeaderName::from_static("x-amzn-errortype");
        head.headers.insert(name, HeaderValue::from_static(failure.bedrock_type()));
    }
}

/// Its body.
pub(super) fn error_body(
    status: StatusCode,
    error_type: Option<&str>,
    body: &[u8],
    to: Format,
    out: &mut BytesMut,
) {
    let failure = Failure::read(status, error_type, body);
    let _ = serde_json::to_writer(out.writer(), &failure.write(to));
}

impl Rewrite for Translation {
    fn head(&mut self, head: &mut Parts) {
        let kind = head.headers.get(CONTENT_TYPE).map(|v| v.as_bytes().to_vec()).unwrap_or_default();
        let error_type =
            head.headers.get("x-amzn-errortype").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let ok = head.status.is_success();
        let framing = if kind.starts_with(b"text/event-stream") {
            Some(Framing::Events(sse::Decoder::default()))
        } else if kind.starts_with(b"application/vnd.amazon.eventstream") {
            Some(Framing::Binary(event_stream::Decoder::default()))
        } else {
            None
        };
        let stream = framing.filter(|_| ok).map(|framing| self.stream(framing));
        let content_type = self.content_type(ok && self.streamed);
        head.headers = passing(&head.headers);
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let status = head.status;
        if !ok {
            error_head(head, self.to);
        }
        self.state = match stream {
            Some(stream) => State::Stream(Box::new(stream)),
            None => State::Whole { bytes: BytesMut::new(), status, error_type },
        };
    }

    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        match &mut self.state {
            State::Waiting => Err(Error::new(ErrorKind::Internal, "an answer without a head")),
            State::Whole { bytes, .. } => {
                if bytes.len() + chunk.len() > WHOLE_LIMIT {
                    return Err(Error::new(ErrorKind::BadGateway, "the provider's answer is too long"));
                }
                bytes.extend_from_slice(chunk);
                Ok(())
            }
            State::Stream(stream) => stream.data(chunk, out),
        }
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        match std::mem::replace(&mut self.state, State::Waiting) {
            State::Waiting => Ok(()),
            State::Whole { bytes, status, error_type } if !status.is_success() => {
                error_body(status, error_type.as_deref(), &bytes, self.to, out);
                Ok(())
            }
            State::Whole { bytes, .. } => self.whole(&bytes, out),
            State::Stream(mut stream) => stream.finish(out),
        }
    }
}

impl Stream {
    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        let Stream { framing, reader, restorer, writer, events } = self;
        let mut each = |event: Wire<'_>| {
            let result = reader.read(event, events);
            let mut write = |event| writer.write(event, out);
            events.drain(..).for_each(|event| restorer.pass(event, &mut write));
            result
        };
        match framing {
            Framing::Events(decoder) => {
                decoder.push(chunk, &mut |name, data| each(Wire { name, data, exception: false }))
            }
            Framing::Binary(decoder) => {
                decoder.push(chunk);
                let broken = |e: event_stream::FrameError| {
                    Error::new(ErrorKind::BadGateway, "the provider's stream is damaged")
                        .with_context(e.to_string())
                };
                while let Some(message) = decoder.next().map_err(broken)? {
                    let exception = message.kind != event_stream::Kind::Event;
                    each(Wire { name: &message.name, data: &message.payload, exception })?;
                }
                Ok(())
            }
        }
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        let Stream { framing, reader, restorer, writer, events } = self;
        let mut result = Ok(());
        if let Framing::Events(decoder) = framing {
            result =
                decoder.finish(&mut |name, data| reader.read(Wire { name, data, exception: false }, events));
        }
        let result = result.and_then(|()| reader.finish(events));
        let mut write = |event| writer.write(event, out);
        events.drain(..).for_each(|event| restorer.pass(event, &mut write));
        result
    }
}

impl Reply {
    /// The events of a stream that says the same.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        let start = Start {
            id: self.id,
            model: self.model,
            created: self.created,
            usage: self.usage,
            service_tier: self.service_tier,
        };
        let mut events = vec![Event::Start(start)];
        for choice in self.choices {
            let index = choice.index;
            choice.parts.into_iter().for_each(|part| super::event::part_events(index, part, &mut events));
            events.push(Event::Stop { choice: index, stop: choice.stop, sequence: choice.stop_sequence });
        }
        events.extend(self.usage.map(Event::Usage));
        events.push(Event::End);
        events
    }
}
