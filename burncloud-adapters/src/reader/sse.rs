//! Reads usage out of a stream of server-sent events.
//!
//! Whole lines are searched for a marker that only usage reports hold, which skips the rest at the speed of
//! a substring search; only lines with the marker are looked at as JSON. Where each report says everything
//! (Gemini sends one with every event) they are read from the last backwards.

use super::beside::{Beside, Seek, of_event, together};
use super::json::Scanner;
use super::search::Search;
use super::trace::Trace;
use super::{Ending, Mark, Protocol, Report};
use burncloud_core::adapter::{Reading, Terminal, UsageReader};
use bytes::Bytes;
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use std::sync::LazyLock;

/// A line longer than this (a picture in Base64, an echoed prompt) is scanned as it passes, not kept.
const LINE_LIMIT: usize = 64 * 1024;

/// No event without it reports a failure.
pub(crate) static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"error\""));

/// See the module.
pub(crate) struct StreamReader<P: Protocol> {
    protocol: P,
    report: Option<P::Report>,
    error: bool,
    /// The beginning of a line whose end has not come.
    carry: Vec<u8>,
    /// A line too long to keep.
    long: Option<Box<LongLine<P::Facts>>>,
    last: LastEvent,
    seek: Looking,
    beside: P::Beside,
}

/// Whether there may be something beside the report.
#[derive(Clone, Copy, Debug)]
enum Looking {
    No,
    /// The first event tells.
    Perhaps(Seek),
    Yes(Seek),
}

struct LongLine<F> {
    /// It is a `data:` line; others pass by unread.
    data: bool,
    scanner: Scanner,
    facts: F,
    trace: Option<Trace>,
}

/// The latest event, which tells how the stream ended.
#[derive(Default)]
struct LastEvent {
    /// Its JSON, unless it was judged already.
    json: Vec<u8>,
    judged: Option<Mark>,
    seen: bool,
    /// `[DONE]` came after it.
    done: bool,
}

impl LastEvent {
    fn set(&mut self, json: &[u8]) {
        *self = LastEvent { json: std::mem::take(&mut self.json), seen: true, ..LastEvent::default() };
        self.json.clear();
        self.json.extend_from_slice(json);
    }

    fn judge(&mut self, mark: Mark) {
        *self = LastEvent {
            json: std::mem::take(&mut self.json),
            judged: Some(mark),
            seen: true,
            ..LastEvent::default()
        };
        self.json.clear();
    }
}

impl<P: Protocol> StreamReader<P> {
    pub(crate) fn new(protocol: P) -> StreamReader<P> {
        let seek = match protocol.beside() {
            None => Looking::No,
            Some(seek) if seek.head.is_some() => Looking::Perhaps(seek),
            Some(seek) => Looking::Yes(seek),
        };
        StreamReader {
            protocol,
            seek,
            beside: P::Beside::default(),
            report: None,
            error: false,
            carry: Vec::new(),
            long: None,
            last: LastEvent::default(),
        }
    }

    /// Whole lines.
    fn lines(&mut self, lines: &[u8]) {
        if let Looking::Perhaps(seek) = self.seek {
            self.first_event(seek, lines);
        }
        if let Looking::Yes(seek) = self.seek
            && !seek.in_reports
        {
            self.look_beside(seek, lines);
        }
        if let Some(first) = self.protocol.marker().find(lines) {
            self.reports(&lines[line_start(lines, first)..]);
        }
        let mut from = 0;
        while let Some(at) = ERROR.find(&lines[from..]).map(|at| from + at) {
            let end = line_end(lines, at);
            if let Some(json) = data(&lines[line_start(lines, at)..end]) {
                self.error |= self.judge(json) == Mark::Error;
            }
            from = end;
        }
        self.note_last(lines);
    }

    /// Looks at the first event, if there is one among these lines.
    fn first_event(&mut self, seek: Seek, lines: &[u8]) {
        let events = lines.split(|byte| *byte == b'\n').filter_map(data);
        if let Some(json) = events.into_iter().find(|json| !json.is_empty()) {
            self.seek = if seek.may(json) { Looking::Yes(seek) } else { Looking::No };
        }
    }

    /// Takes in the events that may have something beside a report.
    fn look_beside(&mut self, seek: Seek, lines: &[u8]) {
        let mut from = 0;
        while let Some(at) = seek.finder.find(&lines[from..]).map(|at| from + at) {
            let end = line_end(lines, at);
            if let Some(json) = data(&lines[line_start(lines, at)..end]) {
                of_event(json, &mut self.beside);
            }
            from = end;
        }
    }

    /// Lines of which the first holds the marker.
    fn reports(&mut self, lines: &[u8]) {
        if P::Report::IN_PARTS {
            let mut from = 0;
            while let Some(at) = self.protocol.marker().find(&lines[from..]).map(|at| from + at) {
                let end = line_end(lines, at);
                let line = &lines[line_start(lines, at)..end];
                if let Some(report) = self.line_report(line) {
                    self.add(report);
                }
                if let Looking::Yes(seek) = self.seek
                    && seek.in_reports
                {
                    self.look_beside(seek, line);
                }
                from = end;
            }
            return;
        }
        // The last one first: it may say everything.
        let mut latest: Option<P::Report> = None;
        let mut end = lines.len();
        while end > 0 && !latest.as_ref().is_some_and(Report::is_full) {
            let line = &lines[line_start(lines, end - 1)..end];
            end -= line.len();
            if let Some(mut report) = self.line_report(line) {
                if let Some(newer) = latest.take() {
                    report.merge(newer);
                }
                latest = Some(report);
            }
        }
        if let Some(latest) = latest {
            self.add(latest);
        }
    }

    fn line_report(&self, line: &[u8]) -> Option<P::Report> {
        let json = data(line).filter(|json| self.protocol.marker().find(json).is_some())?;
        self.protocol.report(self.reported(json))
    }

    fn add(&mut self, newer: P::Report) {
        match &mut self.report {
            Some(report) => report.merge(newer),
            None => self.report = Some(newer),
        }
    }

    /// All that an event says, or at least its report.
    fn reported(&self, json: &[u8]) -> P::Facts {
        let plan = self.protocol.plan();
        let mut search = Search::new(plan, plan.events_nest);
        search.feed(json);
        search.finish().unwrap_or_else(|| self.facts(json))
    }

    fn judge(&self, json: &[u8]) -> Mark {
        let quick = self.protocol.quick_mark(json);
        quick.unwrap_or_else(|| self.protocol.mark(&self.facts(json), Some(json)))
    }

    fn facts(&self, json: &[u8]) -> P::Facts {
        let mut facts = P::Facts::default();
        Scanner::new(self.protocol.plan()).feed(json, &mut facts);
        facts
    }

    /// Keeps the last event of these lines.
    fn note_last(&mut self, lines: &[u8]) {
        let (mut end, mut done) = (lines.len(), false);
        while end > 0 {
            let line = &lines[line_start(lines, end - 1)..end];
            end -= line.len();
            let Some(json) = data(line).filter(|json| !json.is_empty()) else { continue };
            if json == b"[DONE]" {
                done = true;
                continue;
            }
            if line.len() > LINE_LIMIT {
                self.last.judge(self.protocol.mark(&self.facts(json), None));
            } else {
                self.last.set(json);
            }
            break;
        }
        self.last.done |= done;
    }

    /// The next part of a line that is too long to keep.
    fn long_part(&mut self, part: &[u8]) {
        if let Some(long) = self.long.as_mut().filter(|long| long.data) {
            long.scanner.feed(part, &mut long.facts);
            if let Some(trace) = &mut long.trace {
                trace.feed(part, &mut self.beside);
            }
        }
    }

    fn long_ends(&mut self) {
        let Some(long) = self.long.take().filter(|long| long.data) else { return };
        if long.trace.is_some() {
            self.beside.ends();
        }
        let mark = self.protocol.mark(&long.facts, None);
        self.error |= mark == Mark::Error;
        self.last.judge(mark);
        if let Some(report) = self.protocol.report(long.facts) {
            self.add(report);
        }
    }

    /// Keeps the beginning of a line.
    fn keep(&mut self, part: &[u8]) {
        if self.long.is_some() {
            return self.long_part(part);
        }
        self.carry.extend_from_slice(part);
        if self.carry.len() <= LINE_LIMIT {
            return;
        }
        let line = std::mem::take(&mut self.carry);
        let json = line.strip_prefix(b"data:");
        let scanner = Scanner::new(self.protocol.plan());
        if let (Looking::Perhaps(seek), Some(json)) = (self.seek, json) {
            self.seek = if seek.may(json.trim_ascii_start()) { Looking::Yes(seek) } else { Looking::No };
        }
        let trace = match self.seek {
            Looking::No | Looking::Perhaps(_) => None,
            Looking::Yes(_) => Some(Trace::default()),
        };
        let facts = P::Facts::default();
        self.long = Some(Box::new(LongLine { data: json.is_some(), scanner, facts, trace }));
        self.long_part(json.unwrap_or_default());
    }

    fn terminal(&mut self) -> Terminal {
        let last = std::mem::take(&mut self.last);
        if self.error {
            return Terminal::Error;
        }
        if !last.seen {
            return if last.done { Terminal::Complete } else { Terminal::Unknown };
        }
        let mark = last.judged.unwrap_or_else(|| self.judge(&last.json));
        match (mark, self.protocol.ending()) {
            (Mark::Error, _) => Terminal::Error,
            (Mark::Complete, _) => Terminal::Complete,
            (_, Ending::Done { .. }) if last.done => Terminal::Complete,
            (Mark::Unclear, _) | (_, Ending::Done { always: false }) => Terminal::Unknown,
            (Mark::Nothing, _) => Terminal::Missing,
        }
    }
}

impl<P: Protocol> UsageReader for StreamReader<P> {
    fn data(&mut self, chunk: &Bytes) {
        let mut rest: &[u8] = chunk;
        if !self.carry.is_empty() || self.long.is_some() {
            let Some(end) = memchr(b'\n', rest) else { return self.keep(rest) };
            self.keep(&rest[..=end]);
            rest = &rest[end + 1..];
            self.long_ends();
            let line = std::mem::take(&mut self.carry);
            self.lines(&line);
            self.carry = line;
            self.carry.clear();
        }
        let whole = memrchr(b'\n', rest).map_or(0, |at| at + 1);
        self.lines(&rest[..whole]);
        self.keep(&rest[whole..]);
    }

    fn finish(&mut self) -> Reading {
        self.long_ends();
        let line = std::mem::take(&mut self.carry);
        self.lines(&line);
        let terminal = self.terminal();
        let reported = self.report.take().map(|report| self.protocol.usage(report));
        let provisional = P::Report::GROWS && terminal != Terminal::Complete;
        Reading { usage: together(reported, &self.beside), terminal, provisional }
    }
}

fn line_start(text: &[u8], at: usize) -> usize {
    memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1)
}

/// Past the line's newline.
fn line_end(text: &[u8], at: usize) -> usize {
    memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline + 1)
}

/// The JSON of a `data:` line.
fn data(line: &[u8]) -> Option<&[u8]> {
    Some(line.strip_prefix(b"data:")?.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::json::Plan;
    use burncloud_core::Usage;

    /// What is kept of a stream, whatever comes.
    fn kept<P: Protocol>(reader: &StreamReader<P>) -> usize {
        reader.carry.capacity() + reader.last.json.capacity()
    }

    /// Reports `{"n": …}` under `usage`; ends with an event that holds `end`.
    struct Numbers;

    #[derive(Default)]
    struct Facts {
        n: Option<u64>,
        error: bool,
    }

    impl crate::reader::json::Sink for Facts {
        fn value(&mut self, key: &'static str, _inside: bool, raw: &[u8]) {
            match key {
                "usage" => self.n = crate::reader::walk::count(raw),
                _ => self.error |= raw != b"null",
            }
        }
    }

    impl Report for u64 {
        const IN_PARTS: bool = false;

        fn merge(&mut self, newer: u64) {
            *self = newer;
        }

        fn is_full(&self) -> bool {
            true
        }
    }

    static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usage\""));
    static PLAN: Plan =
        Plan { keys: &["usage", "error"], inside: None, count: None, starts: &[&USAGE], events_nest: false };

    impl Protocol for Numbers {
        type Facts = Facts;
        type Report = u64;
        type Beside = ();

        fn plan(&self) -> &'static Plan {
            &PLAN
        }

        fn marker(&self) -> &'static Finder<'static> {
            &USAGE
        }

        fn report(&self, facts: Facts) -> Option<u64> {
            facts.n
        }

        fn mark(&self, facts: &Facts, json: Option<&[u8]>) -> Mark {
            match json {
                _ if facts.error => Mark::Error,
                None => Mark::Unclear,
                Some(json) if json.ends_with(b"\"end\"}") => Mark::Complete,
                Some(_) => Mark::Nothing,
            }
        }

        fn quick_mark(&self, _json: &[u8]) -> Option<Mark> {
            None
        }

        fn ending(&self) -> Ending {
            Ending::Event
        }

        fn usage(&self, report: u64) -> Usage {
            Usage { input: report, ..Usage::default() }
        }
    }

    fn read(stream: &str, size: usize) -> (Option<u64>, Terminal) {
        let mut reader = StreamReader::new(Numbers);
        for piece in stream.as_bytes().chunks(size) {
            reader.data(&Bytes::copy_from_slice(piece));
            assert!(kept(&reader) <= 4 * LINE_LIMIT + 2 * size);
        }
        let reading = reader.finish();
        (reading.usage.map(|usage| usage.input), reading.terminal)
    }

    #[test]
    fn lines_too_long_to_keep_are_read_as_they_pass() {
        let long = "x".repeat(3 * LINE_LIMIT);
        for size in [1000, 4096, LINE_LIMIT + 1, 10 * LINE_LIMIT] {
            let usage = format!("data: {{\"a\":\"{long}\",\"usage\":7,\"b\":\"{long}\"}}\n\n");
            assert_eq!(read(&usage, size), (Some(7), Terminal::Unknown), "{size}");
            let ended = format!("{usage}data: {{\"end\":\"end\"}}\n");
            assert_eq!(read(&ended, size), (Some(7), Terminal::Complete), "{size}");
            let comment = format!(": {long} {{\"usage\":1}} {long}\ndata: {{\"usage\":2}}\n");
            assert_eq!(read(&comment, size), (Some(2), Terminal::Missing), "{size}");
            let failed = format!("data: {{\"a\":\"{long}\",\"error\":1}}\ndata: {{}}\n");
            assert_eq!(read(&failed, size), (None, Terminal::Error), "{size}");
            let cut = format!("data: {{\"a\":\"{long}\",\"usage\":7,\"b\":\"{long}");
            assert_eq!(read(&cut, size), (Some(7), Terminal::Unknown), "{size}");
        }
    }

    #[test]
    fn lines_about_as_long_as_the_limit() {
        for length in LINE_LIMIT - 40..LINE_LIMIT + 10 {
            let line = format!("data: {{\"usage\":7,\"a\":\"{}\"}}\n", "x".repeat(length - 24));
            let whole = read(&line, 2 * LINE_LIMIT);
            assert_eq!(whole.0, Some(7));
            assert_eq!(read(&line, 5000), whole, "{length}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut reader = StreamReader::new(Numbers);
        let junk = Bytes::from(vec![b'x'; 1024 * 1024]);
        let event = Bytes::from(format!("data: {{\"a\":\"{}\"}}\n", "y".repeat(LINE_LIMIT / 2)));
        for round in 0..50 {
            reader.data(if round % 2 == 0 { &junk } else { &event });
            reader.data(&event);
            assert!(kept(&reader) <= 4 * 1024 * 1024, "{}", kept(&reader));
        }
    }
}
