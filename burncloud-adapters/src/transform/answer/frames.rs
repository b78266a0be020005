//! AWS event-stream frames, one at a time.
//!
//! Steps and scripts see a frame's JSON; where that holds a model's own event in Base64 (`{"bytes": …}`, as Bedrock's
//! invoke streams it), they see the model's event.

use super::{EditEvent, MAX_EVENT, too_long};
use crate::wire::event_stream::{Decoder, Kind, Message, encode_event, encode_exception};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::Error;
use bytes::BytesMut;
use serde_json::Value;

/// Takes a stream apart. Keeps one frame; a frame that is not changed goes out byte for byte.
#[derive(Debug, Default)]
pub(super) struct Frames {
    held: Vec<u8>,
    /// What came is no such stream: it passes.
    lost: bool,
}

/// The lengths of the frame and of its headers, and their checksum.
const PRELUDE: usize = 12;

impl Frames {
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        out: &mut BytesMut,
        edit: &mut EditEvent<'_>,
    ) -> Result<(), Error> {
        self.held.extend_from_slice(chunk);
        let mut done = 0;
        while let Some(length) = self.next_length(done)? {
            let frame = &self.held[done..done + length];
            if !edit_frame(frame, out, edit)? {
                out.extend_from_slice(frame);
            }
            done += length;
        }
        if self.lost {
            out.extend_from_slice(&self.held[done..]);
            done = self.held.len();
        }
        self.held.drain(..done);
        Ok(())
    }

    /// The stream has ended; a frame that has no end is passed on for its reader to judge.
    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(&std::mem::take(&mut self.held));
    }

    /// How long the frame is that begins here, if it is here whole.
    fn next_length(&mut self, from: usize) -> Result<Option<usize>, Error> {
        let Some(&[a, b, c, d, ..]) = self.held.get(from..).filter(|_| !self.lost) else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > MAX_EVENT {
            return Err(too_long("a frame of the answer"));
        }
        self.lost = length < PRELUDE + 4;
        Ok((!self.lost && self.held.len() - from >= length).then_some(length))
    }
}

/// Writes the frame as it is after the edit; false where it stays as it is, or cannot be read.
fn edit_frame(frame: &[u8], out: &mut BytesMut, edit: &mut EditEvent<'_>) -> Result<bool, Error> {
    let mut decoder = Decoder::default();
    decoder.push(frame);
    let Ok(Some(Message { kind, name, payload })) = decoder.next() else { return Ok(false) };
    let changed = match inner(&payload) {
        Some((mut outer, event)) => edit(&event)?.map(|event| {
            outer["bytes"] = STANDARD.encode(event).into();
            outer.to_string().into_bytes()
        }),
        None => edit(&payload)?,
    };
    match (changed, kind) {
        (Some(payload), Kind::Event) => encode_event(out, &name, &payload),
        (Some(payload), Kind::Exception) => encode_exception(out, &name, &payload),
        _ => return Ok(false),
    }
    Ok(true)
}

/// The model's own event, and what it is wrapped in.
fn inner(payload: &[u8]) -> Option<(Value, Vec<u8>)> {
    if !payload.starts_with(b"{\"bytes\":") {
        return None;
    }
    let outer: Value = serde_json::from_slice(payload).ok()?;
    let event = STANDARD.decode(outer.get("bytes")?.as_str()?).ok()?;
    Some((outer, event))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stream: &[u8], cut: usize, edit: &mut EditEvent<'_>) -> Vec<u8> {
        let (mut frames, mut out) = (Frames::default(), BytesMut::new());
        let (a, b) = stream.split_at(cut);
        frames.feed(a, &mut out, edit).unwrap();
        frames.feed(b, &mut out, edit).unwrap();
        frames.finish(&mut out);
        out.to_vec()
    }

    fn stream(events: [&[u8]; 3]) -> Vec<u8> {
        let mut out = BytesMut::new();
        encode_event(&mut out, "contentBlockDelta", events[0]);
        let wrapped = format!("{{\"bytes\":\"{}\",\"p\":\"abc\"}}", STANDARD.encode(events[1]));
        encode_event(&mut out, "chunk", wrapped.as_bytes());
        encode_exception(&mut out, "throttlingException", events[2]);
        out.to_vec()
    }

    #[test]
    fn frames_are_changed_at_any_border() {
        let before = stream([b"{\"a\":1}", b"{\"b\":2}", b"{\"message\":\"m\"}"]);
        let after = stream([b"{\"A\":1}", b"{\"B\":2}", b"{\"MESSAGE\":\"M\"}"]);
        for cut in 0..=before.len() {
            let mut shout = |json: &[u8]| Ok(Some(json.to_ascii_uppercase()));
            assert_eq!(run(&before, cut, &mut shout), after, "cut at {cut}");
            assert_eq!(run(&before, cut, &mut |_| Ok(None)), before);
        }
    }

    #[test]
    fn what_is_no_frame_passes_and_what_is_too_long_ends() {
        let mut damaged = stream([b"{\"a\":1}", b"{}", b"{}"]);
        damaged[20] ^= 1;
        let mut shout = |json: &[u8]| Ok(Some(json.to_ascii_uppercase()));
        assert_eq!(run(&damaged, 30, &mut shout)[..40], damaged[..40]);
        let short = b"\0\0\0\x01 and more";
        assert_eq!(run(short, 3, &mut shout), short);
        let mut frames = Frames::default();
        assert!(frames.feed(&[0xff; 4], &mut BytesMut::new(), &mut shout).is_err());
    }
}
