//! Where OpenAI's operations put their usage, and how their streams end.

use super::report::{OpenAiReport, OutputKind, Reasoning};
use crate::reader::json::{Plan, Sink};
use crate::reader::{ERROR, Ending, Mark, Protocol, leading_type, walk};
use crate::tokens::tier;
use burncloud_core::{Operation, ServiceTier, Usage};
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
    keys: &["usage", "error", "type", "duration", "meta"],
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
            "type" if !inside => self.kind = Kind::of(raw),
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
        if !counts(&report) {
            // Nothing is counted in tokens: pictures and recordings are billed as such.
            let made = (facts.items > 0 && self.makes_images()).then_some(facts.items);
            report.pieces = report.pieces.or(made);
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
