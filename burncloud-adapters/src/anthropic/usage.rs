//! Usage of messages.
//!
//! `input_tokens` leave out what was read from and written to the cache; `output_tokens` include thinking.
//! In a stream, `message_start` reports the input and `message_delta` what has come of it, cumulatively:
//! each field that is present replaces the earlier one.

use crate::reader::json::{Plan, Sink};
use crate::reader::walk::{Visit, count, text, walk};
use crate::reader::{Ending, Mark, Protocol, Report, leading_type};
use crate::tokens::{Left, tier};
use burncloud_core::{ServiceTier, Usage};
use memchr::memmem::Finder;
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

/// Counts that messages and their iterations share.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_5m: Option<u64>,
    cache_write_1h: Option<u64>,
    output: Option<u64>,
}

/// The `usage` object.
#[derive(Clone, Debug, Default)]
pub(super) struct MessageReport {
    counts: Counts,
    thinking: Option<u64>,
    searches: Option<u64>,
    tier: Option<ServiceTier>,
    /// `speed` is `fast`, which costs more.
    fast: bool,
    /// What an answer was made in besides its messages (compaction, an advisor's turns); in no other count.
    besides: Option<Usage>,
    iteration: Counts,
    iteration_counted: bool,
}

impl Counts {
    fn set(&mut self, path: &[&[u8]], raw: &[u8]) {
        let slot = match path {
            [b"input_tokens"] => &mut self.input,
            [b"cache_read_input_tokens"] => &mut self.cache_read,
            [b"cache_creation_input_tokens"] => &mut self.cache_write,
            [b"cache_creation", b"ephemeral_5m_input_tokens"] => &mut self.cache_write_5m,
            [b"cache_creation", b"ephemeral_1h_input_tokens"] => &mut self.cache_write_1h,
            [b"output_tokens"] => &mut self.output,
            _ => return,
        };
        *slot = count(raw).or(*slot);
    }

    fn merge(&mut self, newer: Counts) {
        self.input = newer.input.or(self.input);
        self.cache_read = newer.cache_read.or(self.cache_read);
        self.cache_write = newer.cache_write.or(self.cache_write);
        self.cache_write_5m = newer.cache_write_5m.or(self.cache_write_5m);
        self.cache_write_1h = newer.cache_write_1h.or(self.cache_write_1h);
        self.output = newer.output.or(self.output);
    }

    /// What was written without saying for how long lives five minutes.
    fn add_to(self, usage: &mut Usage) {
        let (short, long) = (self.cache_write_5m.unwrap_or(0), self.cache_write_1h.unwrap_or(0));
        let mut written = Left(self.cache_write.unwrap_or(short.saturating_add(long)));
        let long = written.take(long);
        for (class, more) in [
            (&mut usage.input, self.input.unwrap_or(0)),
            (&mut usage.cached_read, self.cache_read.unwrap_or(0)),
            (&mut usage.cache_write_5m, written.0),
            (&mut usage.cache_write_1h, long),
            (&mut usage.output, self.output.unwrap_or(0)),
        ] {
            *class = class.saturating_add(more);
        }
    }
}

impl Visit for MessageReport {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        match path {
            [b"output_tokens_details", b"thinking_tokens"] => self.thinking = count(raw),
            [b"server_tool_use", b"web_search_requests"] => self.searches = count(raw),
            [b"service_tier"] => self.tier = text(raw).and_then(tier),
            [b"speed"] => self.fast = raw == b"\"fast\"",
            // Messages are in the counts above already.
            [b"iterations", b"", b"type"] => self.iteration_counted = raw == b"\"message\"",
            [b"iterations", b"", rest @ ..] => self.iteration.set(rest, raw),
            _ => self.counts.set(path, raw),
        }
    }

    fn close(&mut self, path: &[&[u8]]) {
        if let [b"iterations", b""] = path {
            let iteration = std::mem::take(&mut self.iteration);
            if !std::mem::take(&mut self.iteration_counted) {
                iteration.add_to(self.besides.get_or_insert_default());
            }
        }
    }
}

impl Report for MessageReport {
    const IN_PARTS: bool = true;

    fn merge(&mut self, newer: MessageReport) {
        self.counts.merge(newer.counts);
        self.thinking = newer.thinking.or(self.thinking);
        self.searches = newer.searches.or(self.searches);
        self.tier = newer.tier.or(self.tier);
        self.fast |= newer.fast;
        self.besides = newer.besides.or(self.besides);
    }

    fn is_full(&self) -> bool {
        false
    }
}

impl MessageReport {
    fn of(raw: &[u8]) -> MessageReport {
        let mut report = MessageReport::default();
        walk(raw, &mut report);
        report
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        self.counts.add_to(&mut usage);
        let mut output = Left(usage.output);
        usage.reasoning = output.take(self.thinking.unwrap_or(0));
        usage.output = output.0;
        usage.pieces = self.searches.unwrap_or(0);
        usage.tier = if self.fast { ServiceTier::Priority } else { self.tier.unwrap_or_default() };
        if let Some(more) = self.besides {
            for (class, more) in [
                (&mut usage.input, more.input),
                (&mut usage.cached_read, more.cached_read),
                (&mut usage.cache_write_5m, more.cache_write_5m),
                (&mut usage.cache_write_1h, more.cache_write_1h),
                (&mut usage.output, more.output),
            ] {
                *class = class.saturating_add(more);
            }
        }
        usage
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
            "usage" if raw.starts_with(b"{") => self.usage = Some(MessageReport::of(raw)),
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
        facts.usage.filter(|usage| usage.counts.input.is_some() || usage.counts.output.is_some())
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
