//! What fuzzers drive: whatever comes over a wire, read without a panic and without waiting for ever.
//!
//! See `fuzz/` in the repository. Each function takes any bytes; what it asserts must hold of all of them.

use crate::translate::codec::{Caller, Profile, Target, Wire, codec};
use crate::translate::{Block, Content, Event, Format, Notes, sse};
use crate::wire::event_stream;
use bytes::BytesMut;
use serde_json::{Map, Value};

/// The format that the first byte chooses, and the rest.
fn chosen(data: &[u8]) -> Option<(Format, &[u8])> {
    let (first, rest) = data.split_first()?;
    Some((Format::ALL[usize::from(*first) % Format::ALL.len()], rest))
}

fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

fn caller() -> Caller {
    Caller { model: "m".to_owned(), include_usage: true, as_list: false, echo: Map::new() }
}

/// Server-sent events come out the same however the bytes are cut.
pub fn sse(data: &[u8]) {
    let events = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut events = Vec::new();
        let mut each = |name: &str, data: &[u8]| {
            events.push((name.to_owned(), data.to_vec()));
            Ok(())
        };
        let mut decoder = sse::Decoder::default();
        pieces.for_each(|piece| {
            decoder.push(piece, &mut each).expect("fuzzers' inputs are shorter than an event may be")
        });
        decoder.finish(&mut each).expect("as above");
        events
    };
    assert_eq!(events(&mut std::iter::once(data)), events(&mut data.chunks(1)));
}

/// Frames of AWS's event stream come out the same however the bytes are cut.
pub fn event_stream(data: &[u8]) {
    let messages = |size: usize| {
        let mut decoder = event_stream::Decoder::default();
        let mut messages = Vec::new();
        for piece in data.chunks(size) {
            decoder.push(piece);
            loop {
                match decoder.next() {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(_) => return (messages, true),
                }
            }
        }
        (messages, false)
    };
    assert_eq!(messages(data.len().max(1)), messages(1));
}

/// A request that can be read can be written in every format, or is refused; what was written can be read.
pub fn request(data: &[u8]) {
    let Some((from, bytes)) = chosen(data) else { return };
    let Some(body) = object(bytes) else { return };
    let Ok(conversation) = codec(from).read_request(body, &mut Notes::new(from)) else { return };
    for to in Format::ALL {
        let writer = codec(to);
        let mut conversation = conversation.clone();
        let mut notes = Notes::new(from);
        if crate::translate::leave_out_foreign(&mut conversation, to, &mut notes).is_err() {
            continue;
        }
        let target = Target { model: "m", streamed: false, profile: &Profile::GENUINE };
        if let Ok(written) = writer.write_request(conversation, &target, &mut notes) {
            let Value::Object(written) = written else { panic!("{to:?} wrote no object") };
            let again = writer.read_request(written, &mut Notes::new(to));
            // Within a family a field passes unread, whatever stands in it.
            assert!(
                again.is_ok() || (from != to && from.family(to)),
                "a format reads what it wrote: {again:?}"
            );
        }
    }
}

/// An answer that can be read can be written in every format, and read again.
pub fn reply(data: &[u8]) {
    let Some((from, bytes)) = chosen(data) else { return };
    let Some(body) = object(bytes) else { return };
    let Ok(reply) = codec(from).read_reply(body, &Profile::GENUINE) else { return };
    for to in Format::ALL {
        let writer = codec(to);
        let Value::Object(written) = writer.write_reply(reply.clone(), &caller()) else {
            panic!("{to:?} wrote no object")
        };
        writer.read_reply(written, &Profile::GENUINE).expect("a format reads what it wrote");
    }
}

/// A stream is read the same however its bytes are cut, and can be written in every format.
pub fn stream(data: &[u8]) {
    let Some((from, bytes)) = chosen(data) else { return };
    let (whole, cut) = (events(from, bytes, bytes.len().max(1)), events(from, bytes, 1));
    assert_eq!(anonymous(&whole), anonymous(&cut));
    for writer in Format::ALL.into_iter().map(codec) {
        let mut writer = writer.stream_writer(&caller());
        let mut out = BytesMut::new();
        whole.iter().for_each(|event| writer.write(event.clone(), &mut out));
    }
}

/// Without the ids that a reader makes up where there are none.
fn anonymous(events: &[Event]) -> Vec<Event> {
    let mut events = events.to_vec();
    for event in &mut events {
        match event {
            Event::Open { block: Block::ToolCall { id, .. }, .. } => id.clear(),
            Event::Whole { part, .. } => {
                if let Content::ToolCall(call) = &mut part.content {
                    call.id.clear();
                }
            }
            _ => {}
        }
    }
    events
}

fn events(from: Format, bytes: &[u8], size: usize) -> Vec<Event> {
    let mut reader = codec(from).stream_reader(&Profile::GENUINE);
    let mut events = Vec::new();
    let mut text = sse::Decoder::default();
    let mut binary = event_stream::Decoder::default();
    for piece in bytes.chunks(size) {
        let read = if from == Format::Converse {
            binary.push(piece);
            loop {
                match binary.next() {
                    Ok(Some(message)) => {
                        let exception = message.kind != event_stream::Kind::Event;
                        let wire = Wire { name: &message.name, data: &message.payload, exception };
                        if let Err(error) = reader.read(wire, &mut events) {
                            break Err(error);
                        }
                    }
                    Ok(None) => break Ok(()),
                    Err(_) => return events,
                }
            }
        } else {
            text.push(piece, &mut |name, data| {
                reader.read(Wire { name, data, exception: false }, &mut events)
            })
        };
        if read.is_err() {
            return events;
        }
    }
    let _ = text.finish(&mut |name, data| reader.read(Wire { name, data, exception: false }, &mut events));
    let _ = reader.finish(&mut events);
    events
}
