//! AWS's binary event stream (`application/vnd.amazon.eventstream`), as Bedrock streams.
//!
//! A frame is a prelude of twelve bytes (length of the whole, length of the headers, CRC of these eight), headers,
//! payload, and a CRC over all before it. The framing itself is AWS's own crate's; here it is cut out of chunks.

use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message as Frame};
use bytes::{Buf, Bytes, BytesMut};
use std::fmt;

/// Most bytes of one frame: what AWS itself allows.
const FRAME_LIMIT: usize = 16 << 20;
const PRELUDE: usize = 12;
/// A frame without headers and payload.
const SMALLEST: usize = PRELUDE + 4;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An event of the stream.
    Event,
    /// A failure that the service's model knows; the stream ends with it.
    Exception,
    /// Another failure; the stream ends with it.
    Error,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    /// The event's type, the exception's, or the error's code.
    pub(crate) name: String,
    /// JSON; of an [`Error`](Kind::Error) its text.
    pub(crate) payload: Bytes,
}

/// Bytes that are no event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameError(String);

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an event stream: {}", self.0)
    }
}

impl std::error::Error for FrameError {}

/// Cuts messages out of a stream. Keeps one unfinished frame at most, and never more than it has been given.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    held: BytesMut,
    failed: Option<FrameError>,
}

impl Decoder {
    /// The next bytes. Borders between calls fall anywhere.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.held.extend_from_slice(bytes);
        }
    }

    /// The next message that has come whole.
    ///
    /// # Errors
    /// For what is no frame, or is damaged; from then on always.
    pub(crate) fn next(&mut self) -> Result<Option<Message>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.cut().inspect_err(|error| {
            self.held = BytesMut::new();
            self.failed = Some(error.clone());
        })
    }

    /// Whether a frame has begun and not ended.
    pub(crate) fn is_midway(&self) -> bool {
        !self.held.is_empty()
    }

    fn cut(&mut self) -> Result<Option<Message>, FrameError> {
        let Some(prelude) = self.held.first_chunk::<PRELUDE>() else { return Ok(None) };
        let total = usize::try_from((&prelude[..]).get_u32()).unwrap_or(usize::MAX);
        // Checked before the length is believed: what is no event stream must not be waited for.
        if crc32fast::hash(&prelude[..8]) != (&prelude[8..]).get_u32() {
            return Err(FrameError("the checksum of a frame's prelude is wrong".to_owned()));
        }
        if !(SMALLEST..=FRAME_LIMIT).contains(&total) {
            return Err(FrameError(format!("a frame of {total} bytes")));
        }
        if self.held.len() < total {
            return Ok(None);
        }
        let frame = self.held.split_to(total).freeze();
        let frame = read_message_from(frame).map_err(|error| FrameError(error.to_string()))?;
        message(&frame).map(Some)
    }
}

fn message(frame: &Frame) -> Result<Message, FrameError> {
    let header = |name: &str| {
        let header = frame.headers().iter().find(|header| header.name().as_str() == name)?;
        header.value().as_string().ok().map(|value| value.as_str())
    };
    let (kind, name) = match header(":message-type") {
        Some("event") => (Kind::Event, header(":event-type")),
        Some("exception") => (Kind::Exception, header(":exception-type")),
        Some("error") => (Kind::Error, header(":error-code")),
        other => return Err(FrameError(format!("a message of type {other:?}"))),
    };
    let payload = match (kind, header(":error-message")) {
        (Kind::Error, Some(text)) => Bytes::copy_from_slice(text.as_bytes()),
        _ => frame.payload().clone(),
    };
    Ok(Message { kind, name: name.unwrap_or_default().to_owned(), payload })
}

/// Appends an event with a JSON payload.
pub(crate) fn encode_event(out: &mut BytesMut, event_type: &str, payload: &[u8]) {
    encode(out, ":event-type", event_type, "event", payload);
}

/// Appends an exception with a JSON payload.
pub(crate) fn encode_exception(out: &mut BytesMut, exception_type: &str, payload: &[u8]) {
    encode(out, ":exception-type", exception_type, "exception", payload);
}

fn encode(out: &mut BytesMut, name: &'static str, value: &str, kind: &'static str, payload: &[u8]) {
    let text = |name: &'static str, value: String| Header::new(name, HeaderValue::String(value.into()));
    let frame = Frame::new(Bytes::copy_from_slice(payload))
        .add_header(text(name, value.to_owned()))
        .add_header(text(":content-type", "application/json".to_owned()))
        .add_header(text(":message-type", kind.to_owned()));
    write_message_to(&frame, out).expect("names are short, and a payload has less than 4 GiB");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Message>, FrameError> {
        let (mut decoder, mut messages) = (Decoder::default(), Vec::new());
        for piece in pieces {
            decoder.push(piece);
            while let Some(message) = decoder.next()? {
                messages.push(message);
            }
        }
        assert!(!decoder.is_midway(), "bytes are left over");
        Ok(messages)
    }

    #[test]
    fn an_event_byte_for_byte() {
        let mut out = BytesMut::new();
        encode_event(&mut out, "chunk", b"{}");
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let header = |name: &str, value: &str| [text(name), vec![7, 0], text(value)].concat();
        let headers = [
            header(":event-type", "chunk"),
            header(":content-type", "application/json"),
            header(":message-type", "event"),
        ]
        .concat();
        let mut expect = u32::try_from(16 + headers.len() + 2).unwrap().to_be_bytes().to_vec();
        expect.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
        expect.extend(crc32fast::hash(&expect).to_be_bytes());
        expect.extend(headers);
        expect.extend(b"{}");
        expect.extend(crc32fast::hash(&expect).to_be_bytes());
        assert_eq!(out, expect);
    }

    #[test]
    fn damage_anywhere_is_an_error_and_stays_one() {
        let mut out = BytesMut::new();
        encode_exception(&mut out, "throttlingException", br#"{"message":"slow down"}"#);
        let whole = decode([out.as_ref()]).unwrap();
        assert_eq!((whole[0].kind, whole[0].name.as_str()), (Kind::Exception, "throttlingException"));
        for at in 0..out.len() {
            let mut bytes = out.clone();
            bytes[at] ^= 0x20;
            let mut decoder = Decoder::default();
            decoder.push(&bytes);
            assert!(decoder.next().is_err(), "byte {at}");
            decoder.push(&out);
            assert!(decoder.next().is_err(), "after byte {at}");
        }
        let mut decoder = Decoder::default();
        decoder.push(b"data: {\"no\":\"frame\"}\n\n");
        assert!(decoder.next().is_err());
    }

    #[test]
    fn a_frame_beyond_the_bound_is_not_waited_for() {
        for total in [0u32, 15, (16 << 20) + 1, u32::MAX] {
            let mut prelude = [total.to_be_bytes(), [0; 4]].concat();
            prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
            let mut decoder = Decoder::default();
            decoder.push(&prelude);
            assert!(decoder.next().is_err(), "{total}");
        }
    }

    #[test]
    fn errors_have_a_code_and_a_text() {
        let text =
            |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
        let frame = Frame::new(Bytes::new())
            .add_header(text(":message-type", "error"))
            .add_header(text(":error-code", "InternalFailure"))
            .add_header(text(":error-message", "it broke"));
        let mut out = Vec::new();
        write_message_to(&frame, &mut out).unwrap();
        let expect =
            Message { kind: Kind::Error, name: "InternalFailure".into(), payload: Bytes::from("it broke") };
        assert_eq!(decode([out.as_slice()]), Ok(vec![expect]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_however_it_is_cut(
            messages in proptest::collection::vec((any::<bool>(), "[a-zA-Z]{0,30}", proptest::collection::vec(any::<u8>(), 0..300)), 0..8),
            sizes in proptest::collection::vec(1usize..200, 1..20),
        ) {
            let (mut out, mut expect) = (BytesMut::new(), Vec::new());
            for (event, name, payload) in messages {
                let kind = if event { Kind::Event } else { Kind::Exception };
                if event { encode_event(&mut out, &name, &payload) } else { encode_exception(&mut out, &name, &payload) }
                expect.push(Message { kind, name, payload: payload.into() });
            }
            let (mut rest, mut pieces) = (out.as_ref(), Vec::new());
            for size in sizes.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, tail) = rest.split_at((*size).min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            prop_assert_eq!(decode(pieces), Ok(expect));
        }

        #[test]
        fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), fix: bool) {
            let mut bytes = bytes;
            if fix && bytes.len() >= 16 {
                // A right prelude, so that the headers are reached.
                let total = u32::try_from(bytes.len()).unwrap().to_be_bytes();
                bytes[..4].copy_from_slice(&total);
                bytes[4..7].fill(0);
                let crc = crc32fast::hash(&bytes[..8]).to_be_bytes();
                bytes[8..12].copy_from_slice(&crc);
                let end = bytes.len() - 4;
                let crc = crc32fast::hash(&bytes[..end]).to_be_bytes();
                bytes[end..].copy_from_slice(&crc);
            }
            let mut decoder = Decoder::default();
            for piece in bytes.chunks(7) {
                decoder.push(piece);
                while let Ok(Some(_)) = decoder.next() {}
            }
        }
    }
}
