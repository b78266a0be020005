//! How usage is read out of answers, whatever their wire format.
//!
//! A [`Protocol`] says where a provider puts its report and what it means; [`WholeReader`] and
//! [`StreamReader`] find it in bodies and in streams. Both keep only what they were told to look for.

pub(crate) mod beside;
pub(crate) mod json;

mod search;
mod sse;
pub(crate) mod trace;
pub(crate) mod walk;

use beside::{Beside, Seek, together};
use burncloud_core::Usage;
use burncloud_core::adapter::{AnswerHead, NoUsage, Reading, Terminal, UsageReader};
use bytes::Bytes;
use json::{Plan, Scanner, Sink};
use memchr::memmem::Finder;
use search::Search;
pub(crate) use sse::{ERROR, StreamReader};

/// One wire format, as far as usage goes.
pub(crate) trait Protocol: Send + 'static {
    /// What one document says.
    type Facts: Sink + Default + Send;
    /// What was reported.
    type Report: Report;
    /// What is counted beside the report; `()` where nothing is.
    type Beside: Beside;

    /// Where to look for what is counted beside the report, if anything.
    fn beside(&self) -> Option<Seek> {
        None
    }

    fn plan(&self) -> &'static Plan;

    /// Bytes without which no document reports usage.
    fn marker(&self) -> &'static Finder<'static>;

    fn report(&self, facts: Self::Facts) -> Option<Self::Report>;

    /// What an event means for the end of its stream. `json` is `None` for an event too large to be kept.
    fn mark(&self, facts: &Self::Facts, json: Option<&[u8]>) -> Mark;

    /// The same from a look at the event, where that is enough.
    fn quick_mark(&self, json: &[u8]) -> Option<Mark>;

    fn ending(&self) -> Ending;

    /// The report in disjoint classes.
    fn usage(&self, report: Self::Report) -> Usage;
}

/// A report of usage, whole or in part.
pub(crate) trait Report: Send {
    /// Streams report in parts, none of which is ever full.
    const IN_PARTS: bool;

    /// What a stream reports before its end may grow until then.
    const GROWS: bool = Self::IN_PARTS;

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

/// The value of `type` with its quotes, where an event begins with it.
pub(crate) fn leading_type(json: &[u8]) -> Option<&[u8]> {
    let value = json.strip_prefix(b"{\"type\":")?.trim_ascii_start();
    let end = memchr::memchr(b'"', value.strip_prefix(b"\"")?)?;
    Some(&value[..end + 2])
}

/// Reads usage out of a body that is one JSON document, or a list of them.
pub(crate) struct WholeReader<P: Protocol> {
    protocol: P,
    way: Way<P::Facts>,
    beside: Option<beside::Whole<P::Beside>>,
}

/// How a body is read; its first bytes tell.
enum Way<F> {
    /// Too few came to tell.
    Unknown(Vec<u8>),
    Search(Box<Search<F>>),
    Walk(Box<(Scanner, F)>),
}

impl<F: Sink + Default> Way<F> {
    /// A list has no one end, and an error must be seen though there is no usage: those are walked through.
    /// `None` where more bytes must come.
    fn choose(plan: &'static Plan, start: &[u8]) -> Option<Way<F>> {
        const ERROR: &[u8] = b"\"error\"";
        /// Enough for any start; what is longer is white space.
        const ENOUGH: usize = 64;
        let text = start.trim_ascii_start();
        let walk = || Some(Way::Walk(Box::new((Scanner::new(plan), F::default()))));
        let Some(key) = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start) else {
            return if text.is_empty() && start.len() < ENOUGH { None } else { walk() };
        };
        if plan.starts.is_empty() || key.starts_with(ERROR) {
            walk()
        } else if ERROR.starts_with(key) && start.len() < ENOUGH {
            None
        } else {
            Some(Way::Search(Box::new(Search::new(plan, false))))
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        match self {
            Way::Search(search) => search.feed(bytes),
            Way::Walk(walk) => {
                walk.0.feed(bytes, &mut walk.1);
            }
            Way::Unknown(start) => start.extend_from_slice(bytes),
        }
    }
}

impl<P: Protocol> WholeReader<P> {
    fn new(protocol: P) -> WholeReader<P> {
        let beside = protocol.beside().map(beside::Whole::new);
        WholeReader { protocol, way: Way::Unknown(Vec::new()), beside }
    }
}

impl<P: Protocol> UsageReader for WholeReader<P> {
    fn data(&mut self, chunk: &Bytes) {
        if let Some(beside) = &mut self.beside {
            beside.feed(chunk);
        }
        if let Way::Unknown(start) = &mut self.way {
            let start = std::mem::take(start);
            let known =
                if start.is_empty() { chunk } else { &Bytes::from([&start, chunk.as_ref()].concat()) };
            self.way = Way::choose(self.protocol.plan(), known).unwrap_or(Way::Unknown(Vec::new()));
            self.way.feed(known);
        } else {
            self.way.feed(chunk);
        }
    }

    fn finish(&mut self) -> Reading {
        let facts = match std::mem::replace(&mut self.way, Way::Unknown(Vec::new())) {
            Way::Search(search) => search.finish(),
            Way::Walk(walk) => Some(walk.1),
            Way::Unknown(_) => None,
        };
        let beside = self.beside.take().map(beside::Whole::finish).unwrap_or_default();
        let Some(facts) = facts else {
            return Reading { usage: together(None, &beside), ..Reading::default() };
        };
        // How a whole answer ended, its length tells; only a failure inside it needs a word.
        let failed = self.protocol.mark(&facts, None) == Mark::Error;
        let terminal = if failed { Terminal::Error } else { Terminal::Unknown };
        let usage = self.protocol.report(facts).map(|report| self.protocol.usage(report));
        Reading { usage: together(usage, &beside), terminal, provisional: false }
    }
}
