//! Where OpenAI's operations put their usage, and how their streams end.

use super::report::{self, OpenAiReport, OutputKind, Reasoning};
use super::tools::{self, Tools};
use crate::reader::beside::Seek;
use crate::reader::json::{Plan, Sink};
use crate::reader::{ERROR, Ending, Mark, Protocol, leading_type, walk};
use crate::tokens::tier;
use burncloud_core::{Operation, Picture, ServiceTier, Usage};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// How a provider departs from OpenAI in what it reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Where reasoning tokens are counted.
    pub reasoning: Reasoning,
    /// Its chat streams always end with `data: [DONE]`: one without was cut off.
    pub always_done: bool,
    /// Usage in streamed chat may stand in the last choice only (Moonshot).
    pub usage_in_choices: bool,
    /// Its chat has models that search the web, say so in their name (`-search-`) and cite what they found; each answer
    /// with a citation is charged as one search.
    pub cites_searches: bool,
}

static CHAT: Plan = Plan {
    keys: &["usage", "service_tier", "error"],
    inside: Some("x_groq"),
    count: None,
    starts: &[&USAGE, &TIER],
    events_nest: false,
};
static CHOICES: Plan = Plan {
    keys: &["usage", "service_tier", "error", "choices"],
    inside: None,
    count: None,
    starts: &[],
    events_nest: false,
};
static RESPONSES: Plan = Plan {
    keys: &["usage", "service_tier", "error", "type"],
    inside: Some("response"),
    count: None,
    starts: &[&USAGE, &TIER],
    events_nest: true,
};
static EMBEDDINGS: Plan =
    Plan { keys: &["usage"], inside: None, count: None, starts: &[&USAGE], events_nest: false };
static OTHER: Plan = Plan {
    keys: &["usage", "error", "type", "duration", "meta", "size", "quality"],
    inside: None,
    count: Some("data"),
    starts: &[],
    events_nest: false,
};

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usage\""));
static TIER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"service_tier\""));
static ANY_TOKENS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"_tokens\""));
static FINISH_REASON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"finish_reason\""));
static NO_CHOICES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"choices\""));
/// Not the plain `_tokens"`: the first events of a response name `max_output_tokens` in a long echo.
static INPUT_TOKENS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"input_tokens\""));

/// The reports of one operation at one provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenAiProtocol {
    operation: Operation,
    quirks: Quirks,
}

impl OpenAiProtocol {
    /// `None` where nothing is ever reported.
    pub(super) fn new(operation: Operation, quirks: Quirks) -> Option<OpenAiProtocol> {
        use Operation as O;
        let reports = matches!(
            operation,
            O::Chat
                | O::Completions
                | O::Responses
                | O::Embeddings
                | O::ImageGeneration
                | O::ImageEdit
                | O::ImageVariation
                | O::Speech
                | O::Transcription
                | O::Translation
                | O::Rerank
        );
        reports.then_some(OpenAiProtocol { operation, quirks })
    }

    fn is_chat(&self) -> bool {
        matches!(self.operation, Operation::Chat | Operation::Completions)
    }

    fn makes_images(&self) -> bool {
        use Operation as O;
        matches!(self.operation, O::ImageGeneration | O::ImageEdit | O::ImageVariation)
    }

    fn hears(&self) -> bool {
        matches!(self.operation, Operation::Transcription | Operation::Translation)
    }
}

/// What a body, a chunk or an event says.
#[derive(Default)]
pub(super) struct Facts {
    usage: Option<OpenAiReport>,
    tier: Option<ServiceTier>,
    meta: Option<OpenAiReport>,
    duration: Option<u64>,
    items: u64,
    picture: Picture,
    /// A streamed picture is done.
    pictured: bool,
    kind: Kind,
    error: bool,
}

/// The `type` of an event, as far as it tells of the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Other,
    Complete,
    Failed,
}

impl Kind {
    fn of(raw: &[u8]) -> Kind {
        match raw {
            b"\"response.completed\""
            | b"\"response.incomplete\""
            | b"\"image_generation.completed\""
            | b"\"image_edit.completed\""
            | b"\"transcript.text.done\""
            | b"\"speech.audio.done\"" => Kind::Complete,
            b"\"response.failed\"" | b"\"error\"" => Kind::Failed,
            _ => Kind::Other,
        }
    }
}

impl Sink for Facts {
    fn value(&mut self, key: &'static str, inside: bool, raw: &[u8]) {
        match key {
            // Groq repeats usage inside `x_groq`; a response's own is the only one.
            "usage" if raw.starts_with(b"{") => self.usage = Some(OpenAiReport::of(raw)),
            "choices" if self.usage.is_none() => self.usage = OpenAiReport::of_choices(raw),
            "service_tier" => self.tier = walk::text(raw).and_then(tier).or(self.tier),
            "type" if !inside => {
                self.kind = Kind::of(raw);
                self.pictured =
                    matches!(raw, b"\"image_generation.completed\"" | b"\"image_edit.completed\"");
            }
            "size" => (self.picture.width, self.picture.height) = report::size(raw).unwrap_or_default(),
            "quality" => self.picture.quality = report::quality(raw),
            "error" => self.error |= raw.starts_with(b"{") || walk::text(raw).is_some_and(|t| !t.is_empty()),
            "duration" => self.duration = walk::millis(raw),
            "meta" if raw.starts_with(b"{") => self.meta = Some(OpenAiReport::of_meta(raw)),
            _ => {}
        }
    }

    fn item(&mut self) {
        self.items += 1;
    }
}

impl Protocol for OpenAiProtocol {
    type Facts = Facts;
    type Report = OpenAiReport;
    type Beside = Tools;

    fn beside(&self) -> Option<Seek> {
        tools::seek(self.operation, self.quirks.cites_searches)
    }

    fn plan(&self) -> &'static Plan {
        match self.operation {
            Operation::Chat if self.quirks.usage_in_choices => &CHOICES,
            Operation::Chat | Operation::Completions => &CHAT,
            Operation::Responses => &RESPONSES,
            Operation::Embeddings => &EMBEDDINGS,
            _ => &OTHER,
        }
    }

    fn marker(&self) -> &'static Finder<'static> {
        if self.operation == Operation::Responses { &INPUT_TOKENS } else { &ANY_TOKENS }
    }

    fn report(&self, facts: Facts) -> Option<OpenAiReport> {
        let meta = facts.meta.unwrap_or_default();
        let counts = |usage: &OpenAiReport| match self.operation {
            Operation::Responses => usage.counts_input(),
            _ => usage.counts_tokens(),
        };
        let usage = facts.usage.unwrap_or_default();
        let spoken = usage.audio_ms.filter(|_| self.hears());
        let mut report = if counts(&usage) { usage } else { meta.clone() };
        report.pieces = report.pieces.max(meta.pieces);
        report.audio_ms = spoken;
        report.tier = report.tier.or(facts.tier);
        if self.makes_images() {
            // Also where tokens are counted: one of both has a price.
            let made = facts.items.max(u64::from(facts.pictured));
            (report.pieces, report.picture) = (Some(made).filter(|made| *made > 0), facts.picture);
            report.one_of_many = facts.pictured;
        }
        if !counts(&report) {
            // Nothing is counted in tokens: recordings are billed as such.
            report.audio_ms = spoken.or(facts.duration.filter(|_| self.hears()));
        }
        (counts(&report) || report.pieces.is_some() || report.audio_ms.is_some()).then_some(report)
    }

    fn mark(&self, facts: &Facts, json: Option<&[u8]>) -> Mark {
        if facts.error || facts.kind == Kind::Failed {
            Mark::Error
        } else if facts.kind == Kind::Complete {
            Mark::Complete
        } else if !self.is_chat() {
            Mark::Nothing
        } else {
            match json {
                None => Mark::Unclear,
                Some(json) if closes(json, facts.usage.is_some()) => Mark::Complete,
                Some(_) => Mark::Nothing,
            }
        }
    }

    fn quick_mark(&self, json: &[u8]) -> Option<Mark> {
        if self.is_chat() {
            let usage = ANY_TOKENS.find(json).is_some();
            let mark = if closes(json, usage) { Mark::Complete } else { Mark::Nothing };
            return ERROR.find(json).is_none().then_some(mark);
        }
        match Kind::of(leading_type(json)?) {
            Kind::Complete => Some(Mark::Complete),
            Kind::Failed => Some(Mark::Error),
            Kind::Other => Some(Mark::Nothing),
        }
    }

    fn ending(&self) -> Ending {
        if self.is_chat() { Ending::Done { always: self.quirks.always_done } } else { Ending::Event }
    }

    fn usage(&self, report: OpenAiReport) -> Usage {
        let output = match self.operation {
            Operation::Speech => OutputKind::Audio,
            _ if self.makes_images() => OutputKind::Image,
            _ => OutputKind::Text,
        };
        report.usage(self.quirks.reasoning, output)
    }
}

/// What a `usage` object of one of OpenAI's operations counts, read as it is for billing.
#[cfg(feature = "translate")]
pub(crate) fn usage_of(
    operation: Operation,
    reasoning: Reasoning,
    usage: &serde_json::Value,
    service_tier: Option<&str>,
) -> Option<Usage> {
    let protocol = OpenAiProtocol::new(operation, Quirks { reasoning, ..Quirks::STANDARD })?;
    let raw = serde_json::to_vec(usage).ok()?;
    let facts = Facts {
        usage: usage.is_object().then(|| OpenAiReport::of(&raw)),
        tier: service_tier.and_then(tier),
        ..Facts::default()
    };
    protocol.report(facts).map(|report| protocol.usage(report))
}

/// Whether a chunk is among the last: it names a reason to finish, or has usage and no choices.
fn closes(json: &[u8], has_usage: bool) -> bool {
    let says = |key: &Finder<'_>, value: &[u8]| {
        key.find_iter(json).any(|at| {
            let after = &json[at + key.needle().len()..];
            after
                .trim_ascii_start()
                .strip_prefix(b":")
                .is_some_and(|after| after.trim_ascii_start().starts_with(value))
        })
    };
    says(&FINISH_REASON, b"\"") || (has_usage && says(&NO_CHOICES, b"[]"))
}

#[cfg(test)]
mod tests {
    use super::super::OPENAI;
    use super::*;
    use crate::openai::OpenAiCompatible;
    use crate::testing::{endpoint, read};
    use burncloud_core::adapter::{Reading, Terminal};

    fn at(provider: &OpenAiCompatible, path: &str, streamed: bool, body: &str) -> Reading {
        let endpoint = endpoint(path);
        let whole = read(provider, &endpoint, streamed, [body.as_bytes()]);
        for size in [1, 3, 10] {
            assert_eq!(read(provider, &endpoint, streamed, body.as_bytes().chunks(size)), whole, "{body}");
        }
        whole
    }

    fn with(quirks: Quirks) -> OpenAiCompatible {
        OpenAiCompatible { quirks, ..OPENAI.clone() }
    }

    fn chat(body: &str) -> Option<Usage> {
        at(&OPENAI, "/v1/chat/completions", false, body).usage
    }

    #[test]
    fn classes_are_disjoint() {
        let usage = chat(
            r#"{"choices":[],"service_tier":"flex","usage":{"prompt_tokens":100,"completion_tokens":50,
            "total_tokens":150,"prompt_tokens_details":{"cached_tokens":30,"cache_write_tokens":10,"audio_tokens":5,
            "image_tokens":4},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":6,"image_tokens":3}}}"#,
        );
        let expect = Usage {
            input: 51,
            cached_read: 30,
            cache_write_5m: 10,
            audio_in: 5,
            image_in: 4,
            output: 21,
            reasoning: 20,
            audio_out: 6,
            image_out: 3,
            tier: ServiceTier::Flex,
            ..Usage::default()
        };
        assert_eq!(usage, Some(expect));
    }

    #[test]
    fn parts_larger_than_their_whole_are_cut() {
        let usage = chat(
            r#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":
            {"cached_tokens":161,"audio_tokens":9},"completion_tokens_details":{"reasoning_tokens":11}}}"#,
        );
        assert_eq!(usage, Some(Usage { cached_read: 10, reasoning: 5, ..Usage::default() }));
    }

    #[test]
    fn the_total_tells_what_is_counted_beside() {
        let xai = r#"{"usage":{"prompt_tokens":401,"completion_tokens":44,"total_tokens":630,
            "completion_tokens_details":{"reasoning_tokens":185}}}"#;
        assert_eq!(chat(xai), Some(Usage { input: 401, output: 44, reasoning: 185, ..Usage::default() }));
        let mistral = r#"{"usage":{"prompt_tokens":9,"completion_tokens":201,"total_tokens":585,
            "prompt_tokens_details":{"audio_tokens":375},"service_tier":"standard"}}"#;
        assert_eq!(chat(mistral), Some(Usage { input: 9, audio_in: 375, output: 201, ..Usage::default() }));
    }

    #[test]
    fn a_provider_may_count_reasoning_elsewhere() {
        let read = |reasoning, body| {
            at(&with(Quirks { reasoning, ..Quirks::STANDARD }), "/v1/chat/completions", false, body).usage
        };
        let beside =
            r#"{"usage":{"prompt_tokens":28,"completion_tokens":5,"total_tokens":33,"reasoning_tokens":49}}"#;
        let expect = Usage { input: 28, output: 5, reasoning: 49, ..Usage::default() };
        assert_eq!(read(Reasoning::Beside, beside), Some(expect));
        let hidden = r#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":75}}"#;
        let expect = Usage { input: 10, output: 5, reasoning: 60, ..Usage::default() };
        assert_eq!(read(Reasoning::Hidden, hidden), Some(expect));
        assert_eq!(read(Reasoning::Within, hidden), Some(Usage { reasoning: 0, ..expect }));
    }

    #[test]
    fn synonyms() {
        for (field, value) in [
            ("prompt_cache_hit_tokens", "6"),
            ("cached_tokens", "6"),
            ("num_cached_tokens", "\"6\""),
            ("prompt_tokens_details", "{\"cached_tokens\":6.0}"),
        ] {
            let usage =
                chat(&format!(r#"{{"usage":{{"{field}":{value},"prompt_tokens":8,"output_tokens":2}}}}"#));
            let expect = Usage { input: 2, cached_read: 6, output: 2, ..Usage::default() };
            assert_eq!(usage, Some(expect), "{field}");
        }
    }

    #[test]
    fn what_a_model_writes_is_no_report() {
        let decoys = [
            r#"{"choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":1}"}}]}"#,
            r#"{"choices":[{"usage":{"prompt_tokens":1}}],"usage":null}"#,
            r#"{"a":{"usage":{"prompt_tokens":1}},"usage":{"cost":1}}"#,
            r#"[{"choices":{"usage":{"prompt_tokens":1}}}]"#,
        ];
        for body in decoys {
            assert_eq!(chat(body), None, "{body}");
            assert_eq!(at(&OPENAI, "/v1/chat/completions", true, &format!("data: {body}\n\n")).usage, None);
        }
    }

    const CHUNK: &str = "data: {\"service_tier\":\"priority\",\"choices\":[{\"delta\":{\"content\":\"é\"},\"finish_reason\":null}],\"usage\":null}\r\n\r\n";
    const FINISH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\": \"stop\"}]}\n\n";
    const USED: &str = "data: {\"service_tier\":\"priority\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";
    const DONE: &str = "data: [DONE]\n\n";
    const FAILED: &str = "event: error\ndata: {\"error\":{\"message\":\"no\"}}\n\n";

    #[test]
    fn how_a_chat_stream_ends() {
        let loose = with(Quirks::STANDARD);
        for (events, strict, lax) in [
            (vec![], Terminal::Unknown, Terminal::Unknown),
            (vec![": hello\n\n"], Terminal::Unknown, Terminal::Unknown),
            (vec![CHUNK], Terminal::Missing, Terminal::Unknown),
            (vec![CHUNK, DONE], Terminal::Complete, Terminal::Complete),
            (vec![CHUNK, FINISH], Terminal::Complete, Terminal::Complete),
            (vec![CHUNK, FINISH, USED], Terminal::Complete, Terminal::Complete),
            (vec![CHUNK, USED, DONE, ": bye\n\n"], Terminal::Complete, Terminal::Complete),
            (vec![CHUNK, FAILED], Terminal::Error, Terminal::Error),
            (vec![CHUNK, FAILED, USED, DONE], Terminal::Error, Terminal::Error),
            (vec![CHUNK, "data: {\"error\":null,\"choices\":[]}\n"], Terminal::Missing, Terminal::Unknown),
        ] {
            let stream = events.concat();
            let path = "/v1/chat/completions";
            assert_eq!(at(&OPENAI, path, true, &stream).terminal, strict, "{stream}");
            assert_eq!(at(&loose, path, true, &stream).terminal, lax, "{stream}");
        }
    }

    #[test]
    fn the_last_report_of_a_stream_counts() {
        let first = USED.replace(":3", ":1");
        let stream = [CHUNK, &first, CHUNK, USED, DONE].concat();
        let expect = Usage { input: 3, output: 2, tier: ServiceTier::Priority, ..Usage::default() };
        assert_eq!(at(&OPENAI, "/v1/chat/completions", true, &stream).usage, Some(expect));
        // Also where the stream is cut before the line's end.
        let cut = [CHUNK, USED.trim_end()].concat();
        assert_eq!(at(&OPENAI, "/v1/chat/completions", true, &cut).usage, Some(expect));
    }

    #[test]
    fn usage_inside_x_groq_and_inside_choices() {
        let groq = "data: {\"choices\":[],\"x_groq\":{\"id\":\"r\",\"usage\":{\"prompt_tokens\":3}}}\n\n";
        let expect = Some(Usage { input: 3, ..Usage::default() });
        assert_eq!(at(&OPENAI, "/v1/chat/completions", true, groq).usage, expect);
        let moonshot = with(Quirks { usage_in_choices: true, ..Quirks::STANDARD });
        let stream = "data: {\"choices\":[{\"delta\":{\"usage\":{\"prompt_tokens\":9}},\"usage\":{\"prompt_tokens\":3}}]}\n\n";
        assert_eq!(at(&moonshot, "/v1/chat/completions", true, stream).usage, expect);
        assert_eq!(at(&OPENAI, "/v1/chat/completions", true, stream).usage, None);
    }

    #[test]
    fn responses() {
        let usage = r#""usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":5}}"#;
        let output =
            r#""output":[{"type":"function_call","arguments":"{\"usage\":1}","usage":{"input_tokens":1}}]"#;
        let expect = Usage { input: 5, cached_read: 4, output: 2, reasoning: 5, ..Usage::default() };
        let whole =
            format!(r#"{{"id":"r","error":null,{output},"service_tier":"default",{usage},"metadata":{{}}}}"#);
        assert_eq!(at(&OPENAI, "/v1/responses", false, &whole).usage, Some(expect));
        let background = r#"{"id":"r","status":"queued","output":[],"usage":null}"#;
        assert_eq!(at(&OPENAI, "/v1/responses", false, background), Reading::default());
        let created = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"error\":null,\"usage\":null,\"max_output_tokens\":1}}\n\n";
        for (kind, terminal) in [
            ("response.completed", Terminal::Complete),
            ("response.incomplete", Terminal::Complete),
            ("response.failed", Terminal::Error),
            ("response.in_progress", Terminal::Missing),
        ] {
            for order in [
                format!(
                    r#"{{"type":"{kind}","response":{{{output},"service_tier":"default",{usage}}},"n":1}}"#
                ),
                format!(r#"{{"response":{{{usage},{output}}},"n":1,"type":"{kind}"}}"#),
            ] {
                let reading = at(&OPENAI, "/v1/responses", true, &format!("{created}data: {order}\n\n"));
                assert_eq!(
                    reading,
                    Reading { usage: Some(expect), terminal, ..Reading::default() },
                    "{order}"
                );
            }
        }
        for error in [r#"{"type":"error","code":"x"}"#, r#"{"n":1,"error":{"code":"x"},"type":"error"}"#] {
            let reading = at(&OPENAI, "/v1/responses", true, &format!("{created}data: {error}\n\n"));
            assert_eq!(reading, Reading { usage: None, terminal: Terminal::Error, ..Reading::default() });
        }
    }

    #[test]
    fn pictures_and_recordings() {
        let read = |path, body| at(&OPENAI, path, false, body).usage;
        let pieces = |pieces| Some(Usage { pieces, ..Usage::default() });
        assert_eq!(read("/v1/images/generations", r#"{"data":[{"url":"a"},{"b64_json":"[{"}]}"#), pieces(2));
        assert_eq!(read("/v1/images/generations", r#"{"data":[]}"#), None);
        let counted = r#"{"data":[{}],"usage":{"input_tokens":50,"output_tokens":40,
            "input_tokens_details":{"text_tokens":10,"image_tokens":40}}}"#;
        let expect = Usage { input: 10, image_in: 40, image_out: 40, pieces: 1, ..Usage::default() };
        assert_eq!(read("/v1/images/edits", counted), Some(expect));
        let told_apart = counted.replace(
            "\"output_tokens\"",
            "\"output_tokens_details\":{\"image_tokens\":30},\"output_tokens\"",
        );
        let expect = Usage { image_out: 30, output: 10, ..expect };
        assert_eq!(read("/v1/images/edits", &told_apart), Some(expect));
        let ms = |audio_ms| Some(Usage { audio_ms, ..Usage::default() });
        let transcribed = |body| read("/v1/audio/transcriptions", body);
        assert_eq!(transcribed(r#"{"text":"a","usage":{"type":"duration","seconds":9}}"#), ms(9000));
        assert_eq!(transcribed(r#"{"text":"a","duration":8.4701}"#), ms(8471));
        assert_eq!(transcribed("WEBVTT\n\n00:00 \"usage\":{\"seconds\":1}"), None);
        let tokens = r#"{"text":"a","duration":9,"usage":{"input_tokens":14,"input_token_details":{"audio_tokens":10},"output_tokens":4}}"#;
        let expect = Usage { input: 4, audio_in: 10, output: 4, ..Usage::default() };
        assert_eq!(transcribed(tokens), Some(expect));
    }

    #[test]
    fn embeddings_and_reranking() {
        let tokens = |input| Some(Usage { input, ..Usage::default() });
        let embedded = r#"{"data":[{"embedding":[0.1,-2e-3]}],"usage":{"total_tokens":8}}"#;
        assert_eq!(at(&OPENAI, "/v1/embeddings", false, embedded).usage, tokens(8));
        let ranked = |body| at(&OPENAI, "/v1/rerank", false, body).usage;
        let units =
            r#"{"results":[],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}"#;
        assert_eq!(ranked(units), Some(Usage { pieces: 1, ..Usage::default() }));
        let both = r#"{"results":[],"meta":{"billed_units":{"input_tokens":7},"tokens":{"input_tokens":7,"output_tokens":1}}}"#;
        assert_eq!(ranked(both), Some(Usage { input: 7, output: 1, ..Usage::default() }));
        assert_eq!(ranked(r#"{"results":[],"usage":{"total_tokens":43}}"#), tokens(43));
    }

    #[test]
    fn streamed_pictures_and_speech() {
        let done = "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"AA==\",\"usage\":{\"input_tokens\":2,\"output_tokens\":9}}\n\n";
        let expect = Usage { input: 2, image_out: 9, pieces: 1, ..Usage::default() };
        let reading = at(&OPENAI, "/v1/images/generations", true, done);
        assert_eq!(
            reading,
            Reading { usage: Some(expect), terminal: Terminal::Complete, ..Reading::default() }
        );
        let twice = at(&OPENAI, "/v1/images/generations", true, &done.repeat(2)).usage;
        assert_eq!(twice, Some(Usage { input: 4, image_out: 18, pieces: 2, ..Usage::default() }));
        let spoken =
            "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":2,\"output_tokens\":9}}\n\n";
        let expect = Usage { input: 2, audio_out: 9, ..Usage::default() };
        let reading = at(&OPENAI, "/v1/audio/speech", true, spoken);
        assert_eq!(
            reading,
            Reading { usage: Some(expect), terminal: Terminal::Complete, ..Reading::default() }
        );
    }
}
