//! How usage is read out of answers, whatever their wire format.
//!
//! A [`Protocol`] says where a provider puts its report and what it means; [`WholeReader`] and
//! [`StreamReader`] find it in bodies and in streams. Both keep only what they were told to look for.

pub(crate) mod json;
pub(crate) mod lenient;
mod sse;

use burncloud_core::Usage;
use burncloud_core::adapter::{AnswerHead, NoUsage, Reading, Terminal, UsageReader};
use bytes::Bytes;
use json::{Plan, Scanner, Sink};
use memchr::memmem::Finder;
pub(crate) use sse::StreamReader;

/// One wire format, as far as usage goes.
pub(crate) trait Protocol: Send + 'static {
    /// What one document says.
    type Facts: Sink + Default + Send;
    /// What was reported.
    type Report: Report;

    fn plan(&self) -> &'static Plan;

    /// Bytes without which no document reports usage.
    fn marker(&self) -> &'static Finder<'static>;

    fn report(&self, facts: Self::Facts) -> Option<Self::Report>;

    /// What an event means for the end of its stream. `json` is `None` for an event too large to be kept.
    fn mark(&self, facts: &Self::Facts, json: Option<&[u8]>) -> Mark;

    fn ending(&self) -> Ending;

    /// The report in disjoint classes.
    fn usage(&self, report: Self::Report) -> Usage;
}

/// A report of usage, whole or in part.
pub(crate) trait Report: Send {
    /// Takes in what came later.
    fn merge(&mut self, newer: Self);

    /// Whether it says everything, so that earlier reports do not matter.
    fn is_full(&self) -> bool;
}

/// What an event means for the end of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// No more than another event.
    Nothing,
    /// It was too large to tell.
    Unclear,
    /// The answer is complete.
    Complete,
    /// The provider failed.
    Error,
}

/// How streams end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With an event of their own.
    Event,
    /// With `data: [DONE]`.
    Done {
        /// Without fail.
        always: bool,
    },
}

/// The reader that suits the answer's head.
pub(crate) fn reader<P: Protocol>(protocol: P, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
    if !head.status.is_success() {
        Box::new(NoUsage)
    } else if head.streamed {
        Box::new(StreamReader::new(protocol))
    } else {
        Box::new(WholeReader::new(protocol))
    }
}

/// Reads usage out of a body that is one JSON document, or a list of them.
pub(crate) struct WholeReader<P: Protocol> {
    protocol: P,
    scanner: Scanner,
    facts: P::Facts,
}

impl<P: Protocol> WholeReader<P> {
    fn new(protocol: P) -> WholeReader<P> {
        WholeReader { scanner: Scanner::new(protocol.plan()), facts: P::Facts::default(), protocol }
    }
}

impl<P: Protocol> UsageReader for WholeReader<P> {
    fn data(&mut self, chunk: &Bytes) {
        self.scanner.feed(chunk, &mut self.facts);
    }

    fn finish(&mut self) -> Reading {
        let facts = std::mem::take(&mut self.facts);
        // How a whole answer ended, its length tells; only a failure inside it needs a word.
        let failed = self.protocol.mark(&facts, None) == Mark::Error;
        let terminal = if failed { Terminal::Error } else { Terminal::Unknown };
        let usage = self.protocol.report(facts).map(|report| self.protocol.usage(report));
        Reading { usage, terminal }
    }
}
