//! Usage of messages.
//!
//! `input_tokens` leave out what was read from and written to the cache; `output_tokens` include thinking.
//! In a stream, `message_start` reports the input and `message_delta` what has come of it, cumulatively:
//! each field that is present replaces the earlier one.

use crate::reader::beside::{Beside, Seek};
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
pub(crate) struct Messages;

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
pub(crate) struct MessageReport {
    counts: Counts,
    thinking: Option<u64>,
    searches: Option<u64>,
    code_runs: Option<u64>,
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

    /// What was written without saying for how long lives five minutes; where the sum and its parts disagree, the
    /// larger counts.
    fn add_to(self, usage: &mut Usage) {
        let (short, long) = (self.cache_write_5m.unwrap_or(0), self.cache_write_1h.unwrap_or(0));
        let mut written = Left(self.cache_write.unwrap_or(0).max(short.saturating_add(long)));
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
            [b"server_tool_use", b"code_execution_requests"] => self.code_runs = count(raw),
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
        self.code_runs = newer.code_runs.or(self.code_runs);
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
        usage.web_searches = self.searches.unwrap_or(0);
        // All of an answer's code runs in one container.
        usage.code_sessions = self.code_runs.unwrap_or(0).min(1);
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

/// Reports of one answer, brought together as billing does.
#[cfg(feature = "translate")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports(MessageReport);

#[cfg(feature = "translate")]
impl Reports {
    /// The next `usage` object.
    pub(crate) fn add(&mut self, usage: &serde_json::Value) {
        self.0.merge(MessageReport::of(usage.to_string().as_bytes()));
    }

    /// What they come to; `None` where they count nothing.
    pub(crate) fn usage(&self) -> Option<Usage> {
        (self.0.counts.input.is_some() || self.0.counts.output.is_some()).then(|| self.0.usage())
    }
}

/// The container that the answer's code ran in: it stands in the message, in streams in the last event of it.
#[derive(Debug, Default)]
pub(crate) struct Container(bool);

static CONTAINER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"container\""));

impl Visit for Container {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        if let [b"container", b"id"] | [b"message" | b"delta", b"container", b"id"] = path {
            self.0 |= text(raw).is_some_and(|id| !id.is_empty());
        }
    }
}

impl Beside for Container {
    fn add_to(&self, usage: &mut Usage) {
        usage.code_sessions = usage.code_sessions.max(u64::from(self.0));
    }
}

/// What a body or an event says.
#[derive(Default)]
pub(crate) struct Facts {
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
    type Beside = Container;

    fn beside(&self) -> Option<Seek> {
        Some(Seek { in_reports: true, ..Seek::new(&CONTAINER) })
    }

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

#[cfg(test)]
mod tests {
    use super::super::Anthropic;
    use super::*;
    use crate::testing::{endpoint, read};
    use burncloud_core::adapter::{Reading, Terminal};

    fn messages(streamed: bool, body: &str) -> Reading {
        let endpoint = endpoint("/v1/messages");
        let whole = read(&Anthropic::new(), &endpoint, streamed, [body.as_bytes()]);
        for size in [1, 3, 10] {
            let cut = read(&Anthropic::new(), &endpoint, streamed, body.as_bytes().chunks(size));
            assert_eq!(cut, whole, "{body}");
        }
        whole
    }

    #[test]
    fn a_whole_message() {
        let body = r#"{"type":"message","content":[{"type":"tool_use","input":{"usage":{"input_tokens":1}}}],
            "usage":{"input_tokens":10,"cache_read_input_tokens":20,"cache_creation_input_tokens":30,
            "cache_creation":{"ephemeral_5m_input_tokens":12,"ephemeral_1h_input_tokens":18},"output_tokens":9,
            "output_tokens_details":{"thinking_tokens":4},"server_tool_use":{"web_search_requests":2,
            "web_fetch_requests":5},"service_tier":"batch"},"container":{"usage":{"input_tokens":99}}}"#;
        let expect = Usage {
            input: 10,
            cached_read: 20,
            cache_write_5m: 12,
            cache_write_1h: 18,
            output: 5,
            reasoning: 4,
            web_searches: 2,
            tier: ServiceTier::Batch,
            ..Usage::default()
        };
        assert_eq!(
            messages(false, body),
            Reading { usage: Some(expect), terminal: Terminal::Unknown, ..Reading::default() }
        );
        let fast = body.replace("\"batch\"", "\"standard\",\"speed\":\"fast\"");
        let expect = Usage { tier: ServiceTier::Priority, ..expect };
        assert_eq!(messages(false, &fast).usage, Some(expect));
    }

    #[test]
    fn cache_writes_of_unstated_or_odd_life() {
        let read = |fields: &str| {
            let usage =
                messages(false, &format!(r#"{{"usage":{{"input_tokens":1,{fields}}}}}"#)).usage.unwrap();
            (usage.cache_write_5m, usage.cache_write_1h)
        };
        assert_eq!(read(r#""cache_creation_input_tokens":7"#), (7, 0));
        assert_eq!(read(r#""cache_creation_input_tokens":7,"cache_creation":null"#), (7, 0));
        assert_eq!(
            read(r#""cache_creation":{"ephemeral_5m_input_tokens":3,"ephemeral_1h_input_tokens":4}"#),
            (3, 4)
        );
        assert_eq!(
            read(r#""cache_creation_input_tokens":2,"cache_creation":{"ephemeral_1h_input_tokens":4}"#),
            (0, 4)
        );
    }

    #[test]
    fn turns_besides_the_messages_are_added() {
        let body = r#"{"usage":{"input_tokens":10,"output_tokens":5,"iterations":[
            {"type":"message","input_tokens":10,"output_tokens":5},
            {"input_tokens":100,"output_tokens":50,"cache_read_input_tokens":3,"type":"compaction",
             "cache_creation":{"ephemeral_1h_input_tokens":2}}]}}"#;
        let expect = Usage { input: 110, output: 55, cached_read: 3, cache_write_1h: 2, ..Usage::default() };
        assert_eq!(messages(false, body).usage, Some(expect));
    }

    const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":6,\"cache_creation\":{\"ephemeral_1h_input_tokens\":6},\"output_tokens\":1,\"service_tier\":\"priority\"}}}\n\n";
    const TEXT: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"partial_json\":\"{\\\"usage\\\":{\\\"output_tokens\\\":7\"}}\n\n";
    const BLOCK: &str = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"input\":{\"usage\":{\"output_tokens\":7}}}}\n\n";
    const DELTA: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":8,\"output_tokens_details\":{\"thinking_tokens\":3}}   }\n\n";
    const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"   }\n\n";

    #[test]
    fn a_stream_reports_in_parts_and_overwrites() {
        let start = Usage {
            input: 10,
            cache_write_1h: 6,
            output: 1,
            tier: ServiceTier::Priority,
            ..Usage::default()
        };
        let end = Usage { output: 5, reasoning: 3, ..start };
        for (events, usage, terminal) in [
            (vec![START], Some(start), Terminal::Missing),
            (vec![START, BLOCK, TEXT], Some(start), Terminal::Missing),
            (vec![START, TEXT, DELTA], Some(end), Terminal::Missing),
            (vec![START, BLOCK, TEXT, DELTA, STOP], Some(end), Terminal::Complete),
            (vec![TEXT, STOP], None, Terminal::Complete),
            (vec![], None, Terminal::Unknown),
        ] {
            let provisional = terminal != Terminal::Complete;
            assert_eq!(
                messages(true, &events.concat()),
                Reading { usage, terminal, provisional },
                "{events:?}"
            );
        }
    }

    #[test]
    fn an_error_event() {
        let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"} }\n\n";
        let reading = messages(true, &[START, error].concat());
        assert_eq!(reading.terminal, Terminal::Error);
        assert_eq!(reading.usage.map(|usage| usage.total_input()), Some(16));
    }
}
