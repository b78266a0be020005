//! Server-sent events, as far as the gateway must know them: where a frame ends, and the one chunk that the
//! caller did not ask for.

use bytes::{Bytes, BytesMut};
use http::Response;
use http::header::CONTENT_TYPE;
use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// How much of an unfinished event is held back; a longer one is no usage chunk.
const HOLD_LIMIT: usize = 64 * 1024;

/// How a streamed answer's events are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Lines,
    /// AWS's binary frames.
    Frames,
}

/// How an answer's events are divided, where it is a stream of them.
pub(crate) fn framing<B>(response: &Response<B>) -> Option<Framing> {
    let kind = response.headers().get(CONTENT_TYPE)?.as_bytes();
    if kind.starts_with(b"text/event-stream") {
        Some(Framing::Lines)
    } else if kind.starts_with(b"application/vnd.amazon.eventstream") {
        Some(Framing::Frames)
    } else {
        None
    }
}

/// Whether an answer is a stream of events.
pub(crate) fn is_event_stream<B>(response: &Response<B>) -> bool {
    framing(response).is_some()
}

/// Whether bytes end at the border between two events.
pub(crate) fn at_boundary(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n\n") || bytes.ends_with(b"\r\n\r\n") || bytes.ends_with(b"\r\r")
}

/// Just past the last border between events, or 0.
fn last_boundary(bytes: &[u8]) -> usize {
    let lf = memmem::rfind(bytes, b"\n\n").map_or(0, |at| at + 2);
    let crlf = memmem::rfind(bytes, b"\r\n\r\n").map_or(0, |at| at + 4);
    lf.max(crlf)
}

/// Just past the first border at or after `from`.
fn next_boundary(bytes: &[u8], from: usize) -> usize {
    let find = |needle: &[u8]| memmem::find(&bytes[from..], needle).map(|at| from + at + needle.len());
    match (find(b"\n\n"), find(b"\r\n\r\n")) {
        (Some(a), Some(b)) => a.min(b),
        (Some(a), None) | (None, Some(a)) => a,
        (None, None) => bytes.len(),
    }
}

/// Withholds the chunk that carries only usage (`"choices":[]` and a `usage` object), which a provider adds
/// to a chat stream because the gateway asked for usage and the caller did not.
///
/// Whole events pass on at once; the beginning of one that is not complete is held until it is.
#[derive(Debug, Default)]
pub(crate) struct UsageChunkFilter {
    held: BytesMut,
}

impl UsageChunkFilter {
    /// The next bytes in, what may go on out.
    pub(crate) fn data(&mut self, data: Bytes) -> Bytes {
        let data = if self.held.is_empty() {
            data
        } else {
            self.held.extend_from_slice(&data);
            self.held.split().freeze()
        };
        let border = last_boundary(&data);
        if data.len() - border > HOLD_LIMIT {
            return data;
        }
        self.held.extend_from_slice(&data[border..]);
        without_usage_chunk(data.slice(..border))
    }

    /// The stream has ended: what is held passes on.
    pub(crate) fn finish(self) -> Bytes {
        self.held.freeze()
    }
}

fn without_usage_chunk(events: Bytes) -> Bytes {
    let mut from = 0;
    while let Some(at) = memmem::find(&events[from..], b"\"usage\"").map(|at| from + at) {
        let start = last_boundary(&events[..at]);
        let end = next_boundary(&events, at);
        if opens_object(&events[at + 7..end]) && is_usage_chunk(&events[start..end]) {
            if start == 0 {
                return without_usage_chunk(events.slice(end..));
            }
            if end == events.len() {
                return events.slice(..start);
            }
            let mut kept = BytesMut::with_capacity(events.len() - (end - start));
            kept.extend_from_slice(&events[..start]);
            kept.extend_from_slice(&without_usage_chunk(events.slice(end..)));
            return kept.freeze();
        }
        from = end;
    }
    events
}

/// After a key: a colon and the start of an object. Most chunks say `null`.
fn opens_object(after_key: &[u8]) -> bool {
    let mut bytes = after_key.iter().filter(|b| !b.is_ascii_whitespace());
    bytes.next() == Some(&b':') && bytes.next() == Some(&b'{')
}

fn is_usage_chunk(event: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Chunk {
        choices: Option<Vec<IgnoredAny>>,
        usage: Option<IgnoredAny>,
    }
    let data = event.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"data:"));
    data.and_then(|json| serde_json::from_slice::<Chunk>(json).ok())
        .is_some_and(|chunk| chunk.usage.is_some() && chunk.choices.is_some_and(|c| c.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"é\"}}],\"usage\":null}\n\n";
    const BOTH: &str = "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":1}}\n\n";
    const USAGE: &str = "data: {\"id\":1,\"choices\": [],\"usage\" : {\"prompt_tokens\":1}}\n\n";
    const DONE: &str = "data: [DONE]\n\n";

    fn through(input: &str, cuts: &[usize]) -> String {
        let mut filter = UsageChunkFilter::default();
        let mut out = Vec::new();
        let mut at = 0;
        for cut in cuts.iter().copied().filter(|c| *c <= input.len()).chain([input.len()]) {
            if cut > at {
                out.extend_from_slice(&filter.data(Bytes::copy_from_slice(&input.as_bytes()[at..cut])));
                at = cut;
            }
        }
        out.extend_from_slice(&filter.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn withholds_only_the_chunk_without_choices() {
        let stream = [TEXT, BOTH, USAGE, DONE].concat();
        assert_eq!(through(&stream, &[]), [TEXT, BOTH, DONE].concat());
        let crlf = stream.replace('\n', "\r\n");
        assert_eq!(through(&crlf, &[]), [TEXT, BOTH, DONE].concat().replace('\n', "\r\n"));
        assert_eq!(through(USAGE, &[]), "");
    }

    #[test]
    fn a_stream_that_is_cut_passes_what_it_held() {
        assert_eq!(through("data: {\"choices\":[],\"usa", &[3, 9]), "data: {\"choices\":[],\"usa");
    }

    proptest! {
        #[test]
        fn borders_do_no_harm(mut cuts in proptest::collection::vec(0usize..300, 0..20)) {
            cuts.sort_unstable();
            let stream = [TEXT, TEXT, BOTH, USAGE, DONE].concat();
            prop_assert_eq!(through(&stream, &cuts), [TEXT, TEXT, BOTH, DONE].concat());
        }

        #[test]
        fn other_bytes_pass_unchanged(text in "[a-z\n\r:\" ]{0,200}", cut in 0usize..200) {
            prop_assert_eq!(through(&text, &[cut]), text);
        }
    }
}
