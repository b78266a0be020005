//! What Cohere reports as used.
//!
//! `billed_units` are what it charges for: without its own instructions to the model, which `tokens` include. Where
//! they are missing, `tokens` count. `cached_tokens` are of `tokens` and lower no charge, so they count only there.
//! Some models' reasoning is within the billed output, some models' is in `tokens` alone: the sums tell.

use crate::reader::json::{Plan, Sink};
use crate::reader::walk::{Visit, count, text, walk};
use crate::reader::{Ending, Mark, Protocol, Report};
use crate::tokens::Left;
use burncloud_core::Usage;
use memchr::memmem::Finder;
use std::sync::LazyLock;

static PLAN: Plan = Plan {
    keys: &["usage", "meta", "type", "error", "finish_reason"],
    inside: Some("delta"),
    count: None,
    starts: &[],
    events_nest: true,
};

static MARKER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"_tokens\""));

/// Chat, whole and streamed, and reranking.
pub(super) struct Version2;

/// The `usage` of a chat, or the `meta` of reranking.
#[derive(Clone, Debug, Default)]
pub(super) struct CohereReport {
    billed_input: Option<u64>,
    billed_output: Option<u64>,
    input: Option<u64>,
    output: Option<u64>,
    reasoning: u64,
    images: u64,
    cached: u64,
    searches: Option<u64>,
}

impl Visit for CohereReport {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        // Cohere's SDK types them as floats.
        let raw = raw.strip_suffix(b".0").unwrap_or(raw);
        let number = count(raw);
        match path {
            [b"billed_units", b"input_tokens"] => self.billed_input = number,
            [b"billed_units", b"output_tokens"] => self.billed_output = number,
            [b"billed_units", b"search_units"] => self.searches = number,
            [b"tokens", b"input_tokens"] => self.input = number,
            [b"tokens", b"output_tokens"] => self.output = number,
            [b"tokens", b"reasoning_tokens"] => self.reasoning = number.unwrap_or(0),
            [b"tokens", b"image_tokens"] => self.images = number.unwrap_or(0),
            [b"cached_tokens"] => self.cached = number.unwrap_or(0),
            _ => {}
        }
    }
}

impl Report for CohereReport {
    const IN_PARTS: bool = false;

    fn merge(&mut self, newer: CohereReport) {
        *self = newer;
    }

    fn is_full(&self) -> bool {
        true
    }
}

impl CohereReport {
    fn of(raw: &[u8]) -> CohereReport {
        let mut report = CohereReport::default();
        walk(raw, &mut report);
        report
    }

    fn counts(&self) -> bool {
        let counts = [self.billed_input, self.billed_output, self.input, self.output, self.searches];
        counts.iter().any(Option::is_some)
    }

    fn usage(&self) -> Usage {
        let billed = self.billed_input.is_some() || self.billed_output.is_some();
        let (input, output) = if billed {
            (self.billed_input, self.billed_output)
        } else {
            // Pictures stand beside the tokens of the text.
            (self.input.map(|input| input.saturating_add(self.images)), self.output)
        };
        let (mut input, mut output) = (Left(input.unwrap_or(0)), Left(output.unwrap_or(0)));
        let beside = billed && self.output.is_some_and(|all| output.0.saturating_add(self.reasoning) <= all);
        Usage {
            image_in: input.take(self.images),
            cached_read: if billed { 0 } else { input.take(self.cached) },
            input: input.0,
            reasoning: if beside { 0 } else { output.take(self.reasoning) },
            output: output.0,
            pieces: self.searches.unwrap_or(0),
            ..Usage::default()
        }
    }
}

/// A `usage` object that was parsed already, read as for billing.
#[cfg(feature = "translate")]
pub(crate) fn usage_of(usage: &serde_json::Value) -> Option<Usage> {
    let raw = serde_json::to_vec(usage).ok().filter(|raw| raw.starts_with(b"{"))?;
    let report = CohereReport::of(&raw);
    report.counts().then(|| report.usage())
}

/// What a body or an event says.
#[derive(Default)]
pub(super) struct Facts {
    report: Option<CohereReport>,
    end: bool,
    error: bool,
}

impl Sink for Facts {
    fn value(&mut self, key: &'static str, _inside: bool, raw: &[u8]) {
        match key {
            "usage" | "meta" if raw.starts_with(b"{") => self.report = Some(CohereReport::of(raw)),
            "type" => self.end |= raw == b"\"message-end\"",
            "error" => self.error |= raw.starts_with(b"{") || text(raw).is_some_and(|text| !text.is_empty()),
            "finish_reason" => self.error |= matches!(raw, b"\"ERROR\"" | b"\"TIMEOUT\""),
            _ => {}
        }
    }
}

impl Protocol for Version2 {
    type Facts = Facts;
    type Report = CohereReport;
    type Beside = ();

    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn marker(&self) -> &'static Finder<'static> {
        &MARKER
    }

    fn report(&self, facts: Facts) -> Option<CohereReport> {
        facts.report.filter(CohereReport::counts)
    }

    fn mark(&self, facts: &Facts, _json: Option<&[u8]>) -> Mark {
        match facts {
            Facts { error: true, .. } => Mark::Error,
            Facts { end: true, .. } => Mark::Complete,
            _ => Mark::Nothing,
        }
    }

    fn quick_mark(&self, json: &[u8]) -> Option<Mark> {
        // The last event says whether all went well, and is read for that.
        static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"message-end"));
        static FAILED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"error\""));
        let plain = END.find(json).is_none() && FAILED.find(json).is_none();
        plain.then_some(Mark::Nothing)
    }

    fn ending(&self) -> Ending {
        Ending::Event
    }

    fn usage(&self, report: CohereReport) -> Usage {
        report.usage()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cohere;
    use super::*;
    use crate::testing::{endpoint, read};
    use burncloud_core::adapter::{Reading, Terminal};

    fn at(path: &str, streamed: bool, body: &str) -> Reading {
        let whole = read(&Cohere::new(), &endpoint(path), streamed, [body.as_bytes()]);
        for size in [1, 3, 10] {
            let cut = read(&Cohere::new(), &endpoint(path), streamed, body.as_bytes().chunks(size));
            assert_eq!(cut, whole, "{body}");
        }
        whole
    }

    fn chat(usage: &str) -> Option<Usage> {
        let body = format!(
            r#"{{"id":"a","message":{{"content":[{{"text":"\"usage\""}}],"tool_calls":[{{"usage":{{"tokens":{{"input_tokens":1}}}}}}]}},"finish_reason":"COMPLETE","usage":{usage}}}"#
        );
        at("/v2/chat", false, &body).usage
    }

    #[test]
    fn what_is_billed_counts() {
        let usage = chat(
            r#"{"billed_units":{"input_tokens":10.0,"output_tokens":104},"tokens":{"input_tokens":505,"output_tokens":107},"cached_tokens":448}"#,
        );
        assert_eq!(usage, Some(Usage { input: 10, output: 104, ..Usage::default() }));
        let tokens = chat(
            r#"{"tokens":{"input_tokens":50,"output_tokens":7,"reasoning_tokens":3},"cached_tokens":40}"#,
        );
        let expect = Usage { input: 10, cached_read: 40, output: 4, reasoning: 3, ..Usage::default() };
        assert_eq!(tokens, Some(expect));
        assert_eq!(chat("null"), None);
    }

    #[test]
    fn reasoning_and_pictures() {
        let within = r#"{"billed_units":{"input_tokens":8,"output_tokens":50},"tokens":{"input_tokens":1394,"output_tokens":55,"reasoning_tokens":38}}"#;
        let expect = Usage { input: 8, output: 12, reasoning: 38, ..Usage::default() };
        assert_eq!(chat(within), Some(expect));
        let beside = r#"{"billed_units":{"input_tokens":67,"output_tokens":66},"tokens":{"input_tokens":510,"output_tokens":99,"reasoning_tokens":29}}"#;
        assert_eq!(chat(beside), Some(Usage { input: 67, output: 66, ..Usage::default() }));
        let picture = r#"{"billed_units":{"input_tokens":267,"output_tokens":52},"tokens":{"input_tokens":34,"output_tokens":56,"image_tokens":259}}"#;
        assert_eq!(chat(picture), Some(Usage { input: 8, image_in: 259, output: 52, ..Usage::default() }));
    }

    const START: &str = "event: message-start\ndata: {\"id\":\"a\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}\n\n";
    const END: &str = "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\",\"usage\":{\"billed_units\":{\"input_tokens\":4,\"output_tokens\":8}}}}\n\n";

    #[test]
    fn streams_end_with_their_last_event() {
        let usage = Some(Usage { input: 4, output: 8, ..Usage::default() });
        let failed = END.replace("COMPLETE", "ERROR");
        for (stream, expect) in [
            (
                [START, END, "data: [DONE]\n\n"].concat(),
                Reading { usage, terminal: Terminal::Complete, ..Reading::default() },
            ),
            ([START, END].concat(), Reading { usage, terminal: Terminal::Complete, ..Reading::default() }),
            ([START, &failed].concat(), Reading { usage, terminal: Terminal::Error, ..Reading::default() }),
            (START.to_owned(), Reading { usage: None, terminal: Terminal::Missing, ..Reading::default() }),
        ] {
            assert_eq!(at("/v2/chat", true, &stream), expect, "{stream}");
        }
    }

    #[test]
    fn searches_are_counted_by_the_piece() {
        let body = r#"{"results":[{"index":0}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}"#;
        assert_eq!(at("/v2/rerank", false, body).usage, Some(Usage { pieces: 1, ..Usage::default() }));
    }
}
