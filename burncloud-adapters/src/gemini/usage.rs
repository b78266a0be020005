//! Usage of generated content and embeddings.
//!
//! `promptTokenCount` includes cached tokens, `candidatesTokenCount` leaves thoughts out, and what the
//! provider's own tools put into the prompt is counted apart. Every event of a stream reports, cumulatively.

use super::grounding::{self, Grounding};
use crate::reader::beside::Seek;
use crate::reader::json::{Plan, Sink};
use crate::reader::walk::{Visit, count, text, walk};
use crate::reader::{ERROR, Ending, Mark, Protocol, Report};
use crate::tokens::{Left, tier};
use burncloud_core::{ServiceTier, Usage};
use memchr::memmem::{self, Finder};
use std::sync::LazyLock;

static PLAN: Plan = Plan {
    keys: &["usageMetadata", "error", "promptFeedback"],
    inside: None,
    count: None,
    starts: &[&USAGE],
    events_nest: false,
};

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usageMetadata\""));
static MARKER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"TokenCount\""));

/// Generated content, whole, streamed, or as a list of chunks; and embeddings.
pub(super) struct Content;

/// The `usageMetadata` object.
#[derive(Clone, Debug, Default)]
pub(super) struct ContentReport {
    prompt: Option<u64>,
    cached: Option<u64>,
    candidates: Option<u64>,
    thoughts: Option<u64>,
    tools: Option<u64>,
    prompt_kinds: Option<Kinds>,
    cached_kinds: Option<Kinds>,
    candidate_kinds: Option<Kinds>,
    tool_kinds: Option<Kinds>,
    tier: Option<ServiceTier>,
    /// The list element that is being read.
    element: (Option<Kind>, u64),
}

/// How many of the tokens are no text. Video and documents are billed as text is.
#[derive(Clone, Copy, Debug, Default)]
struct Kinds {
    audio: u64,
    image: u64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Audio,
    Image,
}

impl Kinds {
    /// Those that are not among `others`.
    fn without(self, others: Kinds) -> Kinds {
        Kinds {
            audio: self.audio.saturating_sub(others.audio),
            image: self.image.saturating_sub(others.image),
        }
    }
}

impl Visit for ContentReport {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        match path {
            [_, b"", b"modality"] => {
                self.element.0 = match raw {
                    b"\"AUDIO\"" => Some(Kind::Audio),
                    b"\"IMAGE\"" => Some(Kind::Image),
                    _ => None,
                };
            }
            [_, b"", b"tokenCount"] => self.element.1 = count(raw).unwrap_or(0),
            [b"promptTokenCount"] => self.prompt = count(raw),
            [b"cachedContentTokenCount"] => self.cached = count(raw),
            [b"candidatesTokenCount"] => self.candidates = count(raw),
            [b"thoughtsTokenCount"] => self.thoughts = count(raw),
            [b"toolUsePromptTokenCount"] => self.tools = count(raw),
            // AI Studio's word for it, and Vertex's.
            [b"serviceTier" | b"trafficType"] => self.tier = text(raw).and_then(tier).or(self.tier),
            _ => {}
        }
    }

    fn close(&mut self, path: &[&[u8]]) {
        let [list, b""] = path else { return };
        let (kind, tokens) = std::mem::take(&mut self.element);
        let kinds = match *list {
            // Embeddings write it in the singular.
            b"promptTokensDetails" | b"promptTokenDetails" => &mut self.prompt_kinds,
            b"cacheTokensDetails" => &mut self.cached_kinds,
            b"candidatesTokensDetails" => &mut self.candidate_kinds,
            b"toolUsePromptTokensDetails" => &mut self.tool_kinds,
            _ => return,
        };
        let kinds = kinds.get_or_insert_default();
        match kind {
            Some(Kind::Audio) => kinds.audio = kinds.audio.saturating_add(tokens),
            Some(Kind::Image) => kinds.image = kinds.image.saturating_add(tokens),
            None => {}
        }
    }
}

impl Report for ContentReport {
    const IN_PARTS: bool = false;
    const GROWS: bool = true;

    fn merge(&mut self, newer: ContentReport) {
        if newer.is_full() {
            *self = newer;
            return;
        }
        self.cached = newer.cached.or(self.cached);
        self.candidates = newer.candidates.or(self.candidates);
        self.thoughts = newer.thoughts.or(self.thoughts);
        self.tools = newer.tools.or(self.tools);
        self.prompt_kinds = newer.prompt_kinds.or(self.prompt_kinds);
        self.cached_kinds = newer.cached_kinds.or(self.cached_kinds);
        self.candidate_kinds = newer.candidate_kinds.or(self.candidate_kinds);
        self.tool_kinds = newer.tool_kinds.or(self.tool_kinds);
        self.tier = newer.tier.or(self.tier);
    }

    /// One that counts the prompt counts everything so far.
    fn is_full(&self) -> bool {
        self.prompt.is_some()
    }
}

impl ContentReport {
    fn of(raw: &[u8]) -> ContentReport {
        let mut report = ContentReport::default();
        walk(raw, &mut report);
        report
    }

    fn usage(&self) -> Usage {
        let fresh = self.prompt_kinds.unwrap_or_default().without(self.cached_kinds.unwrap_or_default());
        let by_tools = self.tool_kinds.unwrap_or_default();
        let made = self.candidate_kinds.unwrap_or_default();
        let mut prompt = Left(self.prompt.unwrap_or(0));
        let mut tools = Left(self.tools.unwrap_or(0));
        let mut output = Left(self.candidates.unwrap_or(0));
        Usage {
            cached_read: prompt.take(self.cached.unwrap_or(0)),
            audio_in: prompt.take(fresh.audio).saturating_add(tools.take(by_tools.audio)),
            image_in: prompt.take(fresh.image).saturating_add(tools.take(by_tools.image)),
            input: prompt.0.saturating_add(tools.0),
            audio_out: output.take(made.audio),
            image_out: output.take(made.image),
            output: output.0,
            reasoning: self.thoughts.unwrap_or(0),
            tier: self.tier.unwrap_or_default(),
            ..Usage::default()
        }
    }

    fn counts(&self) -> bool {
        let counts = [self.prompt, self.candidates, self.thoughts, self.tools, self.cached];
        counts.iter().any(Option::is_some)
    }
}

/// Counts along a stream whose reports are cumulative, some of them in part.
#[cfg(feature = "translate")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Option<ContentReport>);

#[cfg(feature = "translate")]
impl Meter {
    /// Takes the next `usageMetadata`; the usage so far, once any count has come.
    pub(crate) fn add(&mut self, metadata: &[u8]) -> Option<Usage> {
        let newer = ContentReport::of(metadata);
        match &mut self.0 {
            Some(report) => report.merge(newer),
            None => self.0 = Some(newer),
        }
        self.0.as_ref().filter(|report| report.counts()).map(ContentReport::usage)
    }
}

/// The usage that a `usageMetadata` reports.
#[cfg(feature = "translate")]
pub(crate) fn usage_of(metadata: &serde_json::Value) -> Option<Usage> {
    Meter::default().add(metadata.to_string().as_bytes())
}

/// What a body or an event says. A list of chunks is taken together.
#[derive(Default)]
pub(super) struct Facts {
    usage: Option<ContentReport>,
    blocked: bool,
    error: bool,
}

impl Sink for Facts {
    fn value(&mut self, key: &'static str, _inside: bool, raw: &[u8]) {
        if !raw.starts_with(b"{") {
            return;
        }
        match key {
            "usageMetadata" => {
                let newer = ContentReport::of(raw);
                match &mut self.usage {
                    Some(usage) => usage.merge(newer),
                    None => self.usage = Some(newer),
                }
            }
            "promptFeedback" => self.blocked |= memmem::find(raw, b"\"blockReason\"").is_some(),
            "error" => self.error = true,
            _ => {}
        }
    }
}

impl Protocol for Content {
    type Facts = Facts;
    type Report = ContentReport;
    type Beside = Grounding;

    fn beside(&self) -> Option<Seek> {
        Some(Seek::new(&grounding::QUERIES))
    }

    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn marker(&self) -> &'static Finder<'static> {
        &MARKER
    }

    fn report(&self, facts: Facts) -> Option<ContentReport> {
        facts.usage.filter(ContentReport::counts)
    }

    /// The last event, and only it, says why generation stopped; a refused prompt has no candidate to say it.
    fn mark(&self, facts: &Facts, json: Option<&[u8]>) -> Mark {
        match json {
            _ if facts.error => Mark::Error,
            _ if facts.blocked => Mark::Complete,
            None => Mark::Unclear,
            Some(json) if memmem::find(json, b"\"finishReason\"").is_some() => Mark::Complete,
            Some(_) => Mark::Nothing,
        }
    }

    fn quick_mark(&self, json: &[u8]) -> Option<Mark> {
        let finished = memmem::find(json, b"\"finishReason\"").is_some();
        (finished && ERROR.find(json).is_none()).then_some(Mark::Complete)
    }

    fn ending(&self) -> Ending {
        Ending::Event
    }

    fn usage(&self, report: ContentReport) -> Usage {
        report.usage()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gemini;
    use super::*;
    use crate::testing::{endpoint, read};
    use burncloud_core::adapter::{Reading, Terminal};

    fn content(streamed: bool, body: &str) -> Reading {
        let endpoint = endpoint("/v1beta/models/m:streamGenerateContent");
        let whole = read(&Gemini::new(), &endpoint, streamed, [body.as_bytes()]);
        for size in [1, 3, 10] {
            let cut = read(&Gemini::new(), &endpoint, streamed, body.as_bytes().chunks(size));
            assert_eq!(cut, whole, "{body}");
        }
        whole
    }

    const REPORT: &str = r#"{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":20,
        "thoughtsTokenCount":7,"toolUsePromptTokenCount":11,"totalTokenCount":138,"serviceTier":"flex",
        "promptTokensDetails":[{"modality":"TEXT","tokenCount":50},{"tokenCount":30,"modality":"AUDIO"},
        {"modality":"IMAGE","tokenCount":20}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":25},
        {"modality":"TEXT","tokenCount":15}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":12}]}"#;

    #[test]
    fn classes_are_disjoint() {
        let body = format!(
            r#"{{"candidates":[{{"args":{{"usageMetadata":{{"promptTokenCount":1}}}}}}],"usageMetadata":{REPORT}}}"#
        );
        let expect = Usage {
            input: 46,
            cached_read: 40,
            audio_in: 5,
            image_in: 20,
            output: 8,
            image_out: 12,
            reasoning: 7,
            tier: ServiceTier::Flex,
            ..Usage::default()
        };
        assert_eq!(
            content(false, &body),
            Reading { usage: Some(expect), terminal: Terminal::Unknown, provisional: false }
        );
        assert_eq!(expect.total_input() + expect.total_output(), 138);
    }

    #[test]
    fn inconsistent_counts_are_cut() {
        let body = r#"{"usageMetadata":{"promptTokenCount":3,"cachedContentTokenCount":9,"candidatesTokenCount":-1,
            "promptTokensDetails":[{"modality":"IMAGE","tokenCount":99}],"thoughtsTokenCount":null}}"#;
        assert_eq!(content(false, body).usage, Some(Usage { cached_read: 3, ..Usage::default() }));
    }

    fn event(prompt: u64, output: u64, more: &str) -> String {
        format!(
            "data: {{\"candidates\": [{{\"content\": {{}}{more}}}],\"usageMetadata\": {{\"promptTokenCount\": {prompt},\"candidatesTokenCount\": {output}}}}}\r\n\r\n"
        )
    }

    #[test]
    fn the_last_report_of_a_stream_counts() {
        let finish = ",\"finishReason\": \"STOP\"";
        let usage = Some(Usage { input: 5, output: 9, ..Usage::default() });
        let stream = [event(5, 1, ""), event(5, 9, finish)].concat();
        assert_eq!(
            content(true, &stream),
            Reading { usage, terminal: Terminal::Complete, provisional: false }
        );
        let cut = [event(5, 1, ""), event(5, 9, "")].concat();
        assert_eq!(content(true, &cut), Reading { usage, terminal: Terminal::Missing, provisional: true });
        // Vertex names the traffic with every event and counts in the last.
        let bare = "data: {\"candidates\":[],\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\"}}\r\n\r\n";
        assert_eq!(content(true, &[bare, &cut, bare].concat()).usage, usage);
        let part = "data: {\"usageMetadata\":{\"candidatesTokenCount\":12}}\r\n\r\n";
        let more = Some(Usage { input: 5, output: 12, ..Usage::default() });
        assert_eq!(content(true, &[&cut, part].concat()).usage, more);
    }

    #[test]
    fn refusals_and_errors() {
        let blocked = "data: {\"promptFeedback\": {\"blockReason\": \"SAFETY\"},\"usageMetadata\": {\"promptTokenCount\": 4}}\r\n\r\n";
        let usage = Some(Usage { input: 4, ..Usage::default() });
        assert_eq!(
            content(true, blocked),
            Reading { usage, terminal: Terminal::Complete, provisional: false }
        );
        let error = "data: {\"error\": {\"code\": 503}}\r\n\r\n";
        assert_eq!(content(true, &[&event(1, 1, ""), error].concat()).terminal, Terminal::Error);
    }

    #[test]
    fn a_list_of_chunks() {
        let list = r#"[{"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1}}
,
{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":9}}]"#;
        let usage = Some(Usage { input: 5, output: 9, ..Usage::default() });
        assert_eq!(content(false, list), Reading { usage, terminal: Terminal::Unknown, provisional: false });
        let failed = list.replace("{\"candidates\"", "{\"error\":{\"code\":503},\"candidates\"");
        assert_eq!(content(false, &failed), Reading { usage, terminal: Terminal::Error, provisional: false });
    }
}
