//! Usage of generated content and embeddings.
//!
//! `promptTokenCount` includes cached tokens, `candidatesTokenCount` leaves thoughts out, and what the
//! provider's own tools put into the prompt is counted apart. Every event of a stream reports, cumulatively.

use crate::reader::json::{Plan, Sink};
use crate::reader::{ERROR, Ending, Mark, Protocol, Report, lenient};
use crate::tokens::{Left, tier};
use burncloud_core::Usage;
use memchr::memmem::{self, Finder};
use serde::Deserialize;
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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContentReport {
    #[serde(deserialize_with = "lenient::count")]
    prompt_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    cached_content_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    candidates_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    thoughts_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    tool_use_prompt_token_count: Option<u64>,
    #[serde(deserialize_with = "lenient::nested")]
    prompt_tokens_details: Option<Details>,
    /// Embeddings write it so.
    #[serde(deserialize_with = "lenient::nested")]
    prompt_token_details: Option<Details>,
    #[serde(deserialize_with = "lenient::nested")]
    cache_tokens_details: Option<Details>,
    #[serde(deserialize_with = "lenient::nested")]
    candidates_tokens_details: Option<Details>,
    #[serde(deserialize_with = "lenient::nested")]
    tool_use_prompt_tokens_details: Option<Details>,
    #[serde(deserialize_with = "lenient::text")]
    service_tier: Option<Box<str>>,
    /// Vertex's word for the tier.
    #[serde(deserialize_with = "lenient::text")]
    traffic_type: Option<Box<str>>,
}

/// Counts by kind of content.
type Details = Vec<Modality>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modality {
    #[serde(deserialize_with = "lenient::text")]
    modality: Option<Box<str>>,
    #[serde(deserialize_with = "lenient::count")]
    token_count: Option<u64>,
}

/// The counts of one kind. Video and documents are billed as text is.
fn of(details: Option<&Details>, modality: &str) -> u64 {
    let counts = details.into_iter().flatten().filter(|d| d.modality.as_deref() == Some(modality));
    counts.filter_map(|d| d.token_count).fold(0, u64::saturating_add)
}

impl Report for ContentReport {
    fn merge(&mut self, newer: ContentReport) {
        if newer.is_full() {
            *self = newer;
            return;
        }
        fn take<T>(old: &mut Option<T>, new: Option<T>) {
            if new.is_some() {
                *old = new;
            }
        }
        take(&mut self.cached_content_token_count, newer.cached_content_token_count);
        take(&mut self.candidates_token_count, newer.candidates_token_count);
        take(&mut self.thoughts_token_count, newer.thoughts_token_count);
        take(&mut self.tool_use_prompt_token_count, newer.tool_use_prompt_token_count);
        take(&mut self.prompt_tokens_details, newer.prompt_tokens_details);
        take(&mut self.prompt_token_details, newer.prompt_token_details);
        take(&mut self.cache_tokens_details, newer.cache_tokens_details);
        take(&mut self.candidates_tokens_details, newer.candidates_tokens_details);
        take(&mut self.tool_use_prompt_tokens_details, newer.tool_use_prompt_tokens_details);
        take(&mut self.service_tier, newer.service_tier);
        take(&mut self.traffic_type, newer.traffic_type);
    }

    /// One that counts the prompt counts everything so far.
    fn is_full(&self) -> bool {
        self.prompt_token_count.is_some()
    }
}

impl ContentReport {
    fn usage(&self) -> Usage {
        let prompt_details = self.prompt_tokens_details.as_ref().or(self.prompt_token_details.as_ref());
        let (cached, made) = (self.cache_tokens_details.as_ref(), self.candidates_tokens_details.as_ref());
        let tools = self.tool_use_prompt_tokens_details.as_ref();
        let fresh = |kind| of(prompt_details, kind).saturating_sub(of(cached, kind));
        let mut prompt = Left(self.prompt_token_count.unwrap_or(0));
        let mut tool = Left(self.tool_use_prompt_token_count.unwrap_or(0));
        let mut output = Left(self.candidates_token_count.unwrap_or(0));
        let name = self.service_tier.as_deref().or(self.traffic_type.as_deref());
        Usage {
            cached_read: prompt.take(self.cached_content_token_count.unwrap_or(0)),
            audio_in: prompt.take(fresh("AUDIO")).saturating_add(tool.take(of(tools, "AUDIO"))),
            image_in: prompt.take(fresh("IMAGE")).saturating_add(tool.take(of(tools, "IMAGE"))),
            input: prompt.0.saturating_add(tool.0),
            audio_out: output.take(of(made, "AUDIO")),
            image_out: output.take(of(made, "IMAGE")),
            output: output.0,
            reasoning: self.thoughts_token_count.unwrap_or(0),
            tier: name.and_then(tier).unwrap_or_default(),
            ..Usage::default()
        }
    }

    fn counts(&self) -> bool {
        let counts = [
            self.prompt_token_count,
            self.candidates_token_count,
            self.thoughts_token_count,
            self.tool_use_prompt_token_count,
            self.cached_content_token_count,
        ];
        counts.iter().any(Option::is_some)
    }
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
                let Ok(newer) = serde_json::from_slice::<ContentReport>(raw) else { return };
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
