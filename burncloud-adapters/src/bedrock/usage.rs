//! Usage at Bedrock.
//!
//! Converse reports `usage` at the top of its answer, and in the stream's `metadata` event; `inputTokens` leave out
//! what was read from and written to the cache. InvokeModel answers in the words of the model's maker: Anthropic's are
//! read as elsewhere, and of all makers AWS reports counts itself, in headers and in the stream's last chunk.

use crate::anthropic::usage::Messages;
use crate::reader::json::{Plan, Sink};
use crate::reader::walk::{Visit, count, text, walk};
use crate::reader::{Ending, Mark, Protocol, Report, StreamReader, reader};
use crate::tokens::{Left, tier};
use crate::wire::event_stream::{Decoder, Kind, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::adapter::{AnswerHead, Reading, Terminal, UsageReader};
use burncloud_core::{ServiceTier, Usage};
use bytes::Bytes;
use http::HeaderMap;
use memchr::memmem::Finder;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::LazyLock;

static PLAN: Plan =
    Plan { keys: &["usage", "serviceTier"], inside: None, count: None, starts: &[], events_nest: false };

static MARKER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"Tokens\""));

/// Counts as AWS writes them: in `usage`, in metrics, in headers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_1h: u64,
    /// The sum of `cacheDetails`.
    cache_details: u64,
    /// The lifetime and count of the entry of `cacheDetails` that is being read.
    detail: (bool, u64),
}

impl Visit for Counts {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        let slot = match path {
            [b"inputTokens" | b"inputTokenCount"] => &mut self.input,
            [b"outputTokens" | b"outputTokenCount"] => &mut self.output,
            [b"cacheReadInputTokens" | b"cacheReadInputTokenCount"] => &mut self.cache_read,
            [b"cacheWriteInputTokens" | b"cacheWriteInputTokenCount"] => &mut self.cache_write,
            [b"cacheDetails", b"", b"ttl"] => return self.detail.0 = raw == b"\"1h\"",
            [b"cacheDetails", b"", b"inputTokens"] => return self.detail.1 = count(raw).unwrap_or(0),
            _ => return,
        };
        *slot = count(raw).or(*slot);
    }

    fn close(&mut self, path: &[&[u8]]) {
        if let [b"cacheDetails", b""] = path {
            let (long, tokens) = std::mem::take(&mut self.detail);
            self.cache_details = self.cache_details.saturating_add(tokens);
            if long {
                self.cache_write_1h = self.cache_write_1h.saturating_add(tokens);
            }
        }
    }
}

impl Counts {
    fn of(raw: &[u8]) -> Counts {
        let mut counts = Counts::default();
        walk(raw, &mut counts);
        counts
    }

    fn of_headers(headers: &HeaderMap) -> Counts {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        Counts {
            input: number("x-amzn-bedrock-input-token-count"),
            output: number("x-amzn-bedrock-output-token-count"),
            cache_read: number("x-amzn-bedrock-cache-read-input-token-count"),
            cache_write: number("x-amzn-bedrock-cache-write-input-token-count"),
            ..Counts::default()
        }
    }

    /// What was written without saying for how long lives five minutes; where the sum and its parts disagree, the
    /// larger counts.
    fn usage(self, tier: ServiceTier) -> Option<Usage> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let mut written = Left(self.cache_write.unwrap_or(0).max(self.cache_details));
        Some(Usage {
            input: self.input.unwrap_or(0),
            cached_read: self.cache_read.unwrap_or(0),
            cache_write_1h: written.take(self.cache_write_1h),
            cache_write_5m: written.0,
            output: self.output.unwrap_or(0),
            tier,
            ..Usage::default()
        })
    }
}

/// `{"type": "flex"}`.
#[derive(Default)]
struct Tier(Option<ServiceTier>);

impl Visit for Tier {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        if let [b"type"] = path {
            self.0 = text(raw).and_then(tier);
        }
    }
}

/// Converse.
pub(super) struct Converse;

/// What an answer, or the `metadata` event, says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    counts: Counts,
    tier: Option<ServiceTier>,
}

impl Sink for Facts {
    fn value(&mut self, key: &'static str, _inside: bool, raw: &[u8]) {
        if key == "usage" {
            self.counts = Counts::of(raw);
        } else {
            let mut tier = Tier::default();
            walk(raw, &mut tier);
            self.tier = tier.0;
        }
    }
}

impl Report for Facts {
    const IN_PARTS: bool = false;

    fn merge(&mut self, newer: Facts) {
        *self = newer;
    }

    fn is_full(&self) -> bool {
        true
    }
}

impl Protocol for Converse {
    type Facts = Facts;
    type Report = Facts;
    type Beside = ();

    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn marker(&self) -> &'static Finder<'static> {
        &MARKER
    }

    fn report(&self, facts: Facts) -> Option<Facts> {
        facts.counts.usage(ServiceTier::Standard).map(|_| facts)
    }

    fn mark(&self, _facts: &Facts, _json: Option<&[u8]>) -> Mark {
        Mark::Nothing
    }

    fn quick_mark(&self, _json: &[u8]) -> Option<Mark> {
        Some(Mark::Nothing)
    }

    fn ending(&self) -> Ending {
        Ending::Event
    }

    fn usage(&self, facts: Facts) -> Usage {
        facts.counts.usage(facts.tier.unwrap_or_default()).unwrap_or_default()
    }
}

/// What the `usage` of an answer, or of the `metadata` event, and the `serviceTier` beside it say.
#[cfg(feature = "translate")]
pub(crate) fn usage_of(usage: &serde_json::Value, tier: Option<&serde_json::Value>) -> Option<Usage> {
    let mut served = Tier::default();
    if let Some(tier) = tier {
        walk(tier.to_string().as_bytes(), &mut served);
    }
    Counts::of(usage.to_string().as_bytes()).usage(served.0.unwrap_or_default())
}

/// The messages of a stream, and how it ended.
#[derive(Default)]
struct Frames {
    decoder: Decoder,
    seen: bool,
    failed: bool,
    broken: bool,
}

impl Frames {
    fn events(&mut self, chunk: &[u8], mut event: impl FnMut(&Message)) {
        self.decoder.push(chunk);
        loop {
            match self.decoder.next() {
                Ok(Some(message)) => {
                    self.seen = true;
                    self.failed |= message.kind != Kind::Event;
                    if message.kind == Kind::Event {
                        event(&message);
                    }
                }
                Ok(None) => return,
                Err(_) => {
                    self.broken = true;
                    return;
                }
            }
        }
    }

    /// `done` is whether the closing event came.
    fn terminal(&self, done: bool) -> Terminal {
        if self.failed {
            Terminal::Error
        } else if done {
            Terminal::Complete
        } else if self.seen && !self.broken {
            Terminal::Missing
        } else {
            Terminal::Unknown
        }
    }
}

/// Converse, streamed.
#[derive(Default)]
pub(super) struct ConverseStream {
    frames: Frames,
    usage: Option<Usage>,
    stopped: bool,
}

impl UsageReader for ConverseStream {
    fn data(&mut self, chunk: &Bytes) {
        let (usage, stopped) = (&mut self.usage, &mut self.stopped);
        self.frames.events(chunk, |message| match message.name.as_str() {
            "messageStop" => *stopped = true,
            "metadata" => {
                let mut facts = Facts::default();
                crate::reader::json::Scanner::new(&PLAN).feed(&message.payload, &mut facts);
                *usage = facts.counts.usage(facts.tier.unwrap_or_default()).or(*usage);
            }
            _ => {}
        });
    }

    /// `metadata` comes last, but the answer is whole with `messageStop`.
    fn finish(&mut self) -> Reading {
        Reading { usage: self.usage, terminal: self.frames.terminal(self.stopped), provisional: false }
    }
}

/// InvokeModel: an answer in the words of the model's maker.
pub(super) struct Invoke {
    anthropic: Box<dyn UsageReader>,
    converse: Box<dyn UsageReader>,
    headers: Option<Usage>,
}

impl Invoke {
    pub(super) fn new(head: &AnswerHead<'_>) -> Invoke {
        let head = AnswerHead { streamed: false, ..*head };
        Invoke {
            anthropic: reader(Messages, &head),
            converse: reader(Converse, &head),
            headers: Counts::of_headers(head.headers).usage(ServiceTier::Standard),
        }
    }
}

impl UsageReader for Invoke {
    fn data(&mut self, chunk: &Bytes) {
        self.anthropic.data(chunk);
        self.converse.data(chunk);
    }

    /// A maker's own report says more than AWS's headers do.
    fn finish(&mut self) -> Reading {
        let (anthropic, converse) = (self.anthropic.finish().usage, self.converse.finish().usage);
        Reading { usage: anthropic.or(converse).or(self.headers), ..Reading::default() }
    }
}

/// A `chunk` event: bytes of the maker's stream.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    bytes: Cow<'a, str>,
}

/// What a `chunk` event carries.
pub(super) fn chunk(payload: &[u8]) -> Option<Vec<u8>> {
    let chunk: Chunk<'_> = serde_json::from_slice(payload).ok()?;
    STANDARD.decode(chunk.bytes.as_bytes()).ok()
}

static METRICS: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(b"\"amazon-bedrock-invocationMetrics\""));

static METRICS_PLAN: Plan = Plan {
    keys: &["amazon-bedrock-invocationMetrics"],
    inside: None,
    count: None,
    starts: &[],
    events_nest: false,
};

/// AWS's own counts, in a stream's last chunk.
#[derive(Default)]
struct Metrics(Counts, bool);

impl Sink for Metrics {
    fn value(&mut self, _key: &'static str, _inside: bool, raw: &[u8]) {
        *self = Metrics(Counts::of(raw), true);
    }
}

/// InvokeModel, streamed.
pub(super) struct InvokeStream {
    frames: Frames,
    anthropic: StreamReader<Messages>,
    metrics: Option<Usage>,
    headers: Option<Usage>,
    done: bool,
}

impl InvokeStream {
    pub(super) fn new(head: &AnswerHead<'_>) -> InvokeStream {
        InvokeStream {
            frames: Frames::default(),
            anthropic: StreamReader::new(Messages),
            metrics: None,
            headers: Counts::of_headers(head.headers).usage(ServiceTier::Standard),
            done: false,
        }
    }
}

impl UsageReader for InvokeStream {
    fn data(&mut self, chunk: &Bytes) {
        let (anthropic, metrics, done) = (&mut self.anthropic, &mut self.metrics, &mut self.done);
        self.frames.events(chunk, |message| {
            let Some(json) = self::chunk(&message.payload).filter(|_| message.name == "chunk") else {
                return;
            };
            if METRICS.find(&json).is_some() {
                let mut found = Metrics::default();
                crate::reader::json::Scanner::new(&METRICS_PLAN).feed(&json, &mut found);
                *done |= found.1;
                *metrics = found.0.usage(ServiceTier::Standard).or(*metrics);
            }
            anthropic.data(&Bytes::from([b"data: ", json.as_slice(), b"\n\n"].concat()));
        });
    }

    /// The last chunk has AWS's counts, of every maker.
    fn finish(&mut self) -> Reading {
        let messages = self.anthropic.finish();
        let terminal = match messages.terminal {
            Terminal::Error => Terminal::Error,
            ended => self.frames.terminal(self.done || ended == Terminal::Complete),
        };
        let provisional = messages.provisional && messages.usage.is_some();
        Reading { usage: messages.usage.or(self.metrics).or(self.headers), terminal, provisional }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::Bedrock;
    use crate::testing::{endpoint, read};
    use crate::wire::event_stream::{encode_event, encode_exception};
    use bytes::BytesMut;
    use serde_json::{Value, json};

    fn reading(path: &str, body: &[u8]) -> Reading {
        let (adapter, endpoint) = (Bedrock::new(), endpoint(path));
        let whole = read(&adapter, &endpoint, true, [body]);
        for size in [1, 2, 9, 100] {
            assert_eq!(read(&adapter, &endpoint, true, body.chunks(size)), whole, "in pieces of {size}");
        }
        whole
    }

    const CONVERSE: &str = "/model/m/converse-stream";
    const INVOKE: &str = "/model/m/invoke-with-response-stream";

    #[test]
    fn a_converse_stream_ends_with_its_metadata() {
        let mut body = BytesMut::new();
        encode_event(&mut body, "messageStart", br#"{"role":"assistant"}"#);
        encode_event(
            &mut body,
            "contentBlockDelta",
            br#"{"delta":{"text":"\"usage\""},"usage":{"inputTokens":1}}"#,
        );
        let cut = body.clone();
        assert_eq!(
            reading(CONVERSE, &cut),
            Reading { usage: None, terminal: Terminal::Missing, ..Reading::default() }
        );
        encode_event(&mut body, "messageStop", br#"{"stopReason":"end_turn"}"#);
        encode_event(
            &mut body,
            "metadata",
            br#"{"usage":{"inputTokens":5,"outputTokens":2,"cacheReadInputTokens":3},"serviceTier":{"type":"priority"}}"#,
        );
        let usage =
            Usage { input: 5, output: 2, cached_read: 3, tier: ServiceTier::Priority, ..Usage::default() };
        assert_eq!(
            reading(CONVERSE, &body),
            Reading { usage: Some(usage), terminal: Terminal::Complete, ..Reading::default() }
        );
        let mut failed = cut;
        encode_exception(&mut failed, "throttlingException", br#"{"message":"m"}"#);
        assert_eq!(reading(CONVERSE, &failed).terminal, Terminal::Error);
    }

    fn wrapped(out: &mut BytesMut, event: &Value) {
        let payload = json!({"bytes": STANDARD.encode(event.to_string()), "p": "ab"}).to_string();
        encode_event(out, "chunk", payload.as_bytes());
    }

    #[test]
    fn invoked_streams_of_anthropic_and_of_others() {
        let metrics = json!({"inputTokenCount": 7, "outputTokenCount": 9, "cacheReadInputTokenCount": 1});
        let mut body = BytesMut::new();
        let start = json!({"usage": {"input_tokens": 7, "output_tokens": 1,
            "cache_creation": {"ephemeral_1h_input_tokens": 4}}});
        wrapped(&mut body, &json!({"type": "message_start", "message": start}));
        wrapped(&mut body, &json!({"type": "message_delta", "usage": {"output_tokens": 9}}));
        assert_eq!(reading(INVOKE, &body).terminal, Terminal::Missing);
        wrapped(&mut body, &json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics}));
        let usage = Usage { input: 7, output: 9, cache_write_1h: 4, ..Usage::default() };
        assert_eq!(
            reading(INVOKE, &body),
            Reading { usage: Some(usage), terminal: Terminal::Complete, ..Reading::default() }
        );
        let mut body = BytesMut::new();
        wrapped(&mut body, &json!({"generation": "x", "stop_reason": null}));
        wrapped(&mut body, &json!({"generation": "", "amazon-bedrock-invocationMetrics": metrics}));
        let usage = Usage { input: 7, output: 9, cached_read: 1, ..Usage::default() };
        assert_eq!(
            reading(INVOKE, &body),
            Reading { usage: Some(usage), terminal: Terminal::Complete, ..Reading::default() }
        );
    }

    #[test]
    fn headers_count_where_the_maker_does_not() {
        let headers: HeaderMap = [
            ("x-amzn-bedrock-input-token-count", "5"),
            ("x-amzn-bedrock-output-token-count", "6"),
            ("x-amzn-bedrock-cache-write-input-token-count", "2"),
        ]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect();
        let head = AnswerHead { status: http::StatusCode::OK, headers: &headers, streamed: false };
        let mut reader = Invoke::new(&head);
        reader.data(&Bytes::from_static(br#"{"generations":[]}"#));
        let usage = Usage { input: 5, output: 6, cache_write_5m: 2, ..Usage::default() };
        assert_eq!(reader.finish().usage, Some(usage));
        let mut reader = Invoke::new(&head);
        reader.data(&Bytes::from_static(br#"{"usage":{"input_tokens":1,"output_tokens":2}}"#));
        assert_eq!(reader.finish().usage, Some(Usage { input: 1, output: 2, ..Usage::default() }));
    }
}
