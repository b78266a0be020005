//! Usage of generated content and embeddings.
//!
//! `promptTokenCount` includes cached tokens, `candidatesTokenCount` leaves thoughts out, and what the
//! provider's own tools put into the prompt is counted apart. Every event of a stream reports, cumulatively.

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
