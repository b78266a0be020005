//! Usage of messages.
//!
//! `input_tokens` leave out what was read from and written to the cache; `output_tokens` include thinking.
//! In a stream, `message_start` reports the input and `message_delta` what has come of it, cumulatively:
//! each field that is present replaces the earlier one.

use crate::reader::json::{Plan, Sink};
use crate::reader::{Ending, Mark, Protocol, Report, leading_type, lenient};
use crate::tokens::{Left, tier};
use burncloud_core::{ServiceTier, Usage};
use memchr::memmem::Finder;
use serde::Deserialize;
use std::sync::LazyLock;

static PLAN: Plan = Plan {
    keys: &["usage", "type", "error"],
    inside: Some("message"),
    count: None,
    starts: &[&USAGE],
    events_nest: false,
};

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usage\""));

static MARKER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"_tokens\""));

/// Messages, whole and streamed.
pub(super) struct Messages;

/// The `usage` object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MessageReport {
    #[serde(deserialize_with = "lenient::count")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    cache_read_input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::nested")]
    cache_creation: Option<CacheCreation>,
    #[serde(deserialize_with = "lenient::count")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::nested")]
    output_tokens_details: Option<OutputDetails>,
    #[serde(deserialize_with = "lenient::nested")]
    server_tool_use: Option<ServerTools>,
    #[serde(deserialize_with = "lenient::text")]
    service_tier: Option<Box<str>>,
    /// `fast` costs more.
    #[serde(deserialize_with = "lenient::text")]
    speed: Option<Box<str>>,
    /// What an answer was made in. Those of type `message` are in the counts above, others (compaction,
    /// an advisor's turns) are not.
    #[serde(deserialize_with = "lenient::nested")]
    iterations: Option<Vec<Iteration>>,
}

/// By how long the cache lives.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    #[serde(deserialize_with = "lenient::count")]
    ephemeral_5m_input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "lenient::count")]
    thinking_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct ServerTools {
    #[serde(deserialize_with = "lenient::count")]
    web_search_requests: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Iteration {
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<Box<str>>,
    #[serde(deserialize_with = "lenient::count")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    cache_read_input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::nested")]
    cache_creation: Option<CacheCreation>,
    #[serde(deserialize_with = "lenient::count")]
    output_tokens: Option<u64>,
}

impl Report for MessageReport {
    fn merge(&mut self, newer: MessageReport) {
        fn take<T>(old: &mut Option<T>, new: Option<T>) {
            if new.is_some() {
                *old = new;
            }
        }
        take(&mut self.input_tokens, newer.input_tokens);
        take(&mut self.cache_read_input_tokens, newer.cache_read_input_tokens);
        take(&mut self.cache_creation_input_tokens, newer.cache_creation_input_tokens);
        take(&mut self.cache_creation, newer.cache_creation);
        take(&mut self.output_tokens, newer.output_tokens);
        take(&mut self.output_tokens_details, newer.output_tokens_details);
        take(&mut self.server_tool_use, newer.server_tool_use);
        take(&mut self.service_tier, newer.service_tier);
        take(&mut self.speed, newer.speed);
        take(&mut self.iterations, newer.iterations);
    }

    fn is_full(&self) -> bool {
        false
    }
}

/// Tokens written to the cache: those that live five minutes, and those that live an hour.
fn written(total: Option<u64>, split: Option<CacheCreation>) -> (u64, u64) {
    let split = split.unwrap_or_default();
    let (short, long) =
        (split.ephemeral_5m_input_tokens.unwrap_or(0), split.ephemeral_1h_input_tokens.unwrap_or(0));
    let mut total = Left(total.unwrap_or(short.saturating_add(long)));
    let long = total.take(long);
    (total.0, long)
}

impl MessageReport {
    fn usage(&self) -> Usage {
        let (cache_write_5m, cache_write_1h) = written(self.cache_creation_input_tokens, self.cache_creation);
        let mut output = Left(self.output_tokens.unwrap_or(0));
        let thinking = self.output_tokens_details.and_then(|d| d.thinking_tokens).unwrap_or(0);
        let mut usage = Usage {
            input: self.input_tokens.unwrap_or(0),
            cached_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write_5m,
            cache_write_1h,
            reasoning: output.take(thinking),
            output: output.0,
            pieces: self.server_tool_use.and_then(|t| t.web_search_requests).unwrap_or(0),
            tier: self.tier(),
            ..Usage::default()
        };
        for iteration in self.iterations.iter().flatten() {
            if iteration.kind.as_deref().is_some_and(|kind| kind != "message") {
                iteration.add_to(&mut usage);
            }
        }
        usage
    }

    fn tier(&self) -> ServiceTier {
        if self.speed.as_deref() == Some("fast") {
            return ServiceTier::Priority;
        }
        self.service_tier.as_deref().and_then(tier).unwrap_or_default()
    }
}

impl Iteration {
    fn add_to(&self, usage: &mut Usage) {
        let (short, long) = written(self.cache_creation_input_tokens, self.cache_creation);
        for (class, more) in [
            (&mut usage.input, self.input_tokens.unwrap_or(0)),
            (&mut usage.cached_read, self.cache_read_input_tokens.unwrap_or(0)),
            (&mut usage.cache_write_5m, short),
            (&mut usage.cache_write_1h, long),
            (&mut usage.output, self.output_tokens.unwrap_or(0)),
        ] {
            *class = class.saturating_add(more);
        }
    }
}

/// What a body or an event says.
#[derive(Default)]
pub(super) struct Facts {
    usage: Option<MessageReport>,
    stop: bool,
    error: bool,
}

impl Sink for Facts {
    fn value(&mut self, key: &'static str, inside: bool, raw: &[u8]) {
        match key {
            "usage" if raw.starts_with(b"{") => self.usage = serde_json::from_slice(raw).ok(),
            "type" if !inside => {
                self.stop = raw == b"\"message_stop\"";
                self.error |= raw == b"\"error\"";
            }
            "error" if !inside => self.error |= raw.starts_with(b"{"),
            _ => {}
        }
    }
}

impl Protocol for Messages {
    type Facts = Facts;
    type Report = MessageReport;

    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn marker(&self) -> &'static Finder<'static> {
        &MARKER
    }

    fn report(&self, facts: Facts) -> Option<MessageReport> {
        facts.usage.filter(|usage| usage.input_tokens.is_some() || usage.output_tokens.is_some())
    }

    fn mark(&self, facts: &Facts, _json: Option<&[u8]>) -> Mark {
        match facts {
            Facts { error: true, .. } => Mark::Error,
            Facts { stop: true, .. } => Mark::Complete,
            _ => Mark::Nothing,
        }
    }

    fn quick_mark(&self, json: &[u8]) -> Option<Mark> {
        Some(match leading_type(json)? {
            b"\"message_stop\"" => Mark::Complete,
            b"\"error\"" => Mark::Error,
            _ => Mark::Nothing,
        })
    }

    fn ending(&self) -> Ending {
        Ending::Event
    }

    fn usage(&self, report: MessageReport) -> Usage {
        report.usage()
    }
}
