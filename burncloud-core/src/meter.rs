//! The draft of a receipt: what the layers note about a request while it runs, settled once at its end.
//!
//! A [`Draft`] is shared by the layers that add to it. Its [`Settlement`] is the one place where it ends: a
//! guard that lives in the `meter` layer's future until there is an answer, then in the answer's body.
//! Whatever happens (finished, refused, cut off, caller gone) it is dropped, and its drop settles.

use crate::adapter::Sample;
use crate::billing::{Billing, Hold, Outcome};
use crate::drain::{self, Leftover};
use crate::routing::Candidate;
use crate::stats::Stats;
use crate::{
    Attempt, Caller, ChannelId, End, Endpoint, Error, ErrorKind, Fault, ReceiptId, Route, TraceId,
    UnixMicros, Usage,
};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A receipt in the making.
pub(crate) struct Draft {
    id: ReceiptId,
    trace_id: TraceId,
    at: UnixMicros,
    started: Instant,
    caller: Arc<Caller>,
    endpoint: Endpoint,
    notes: Mutex<Notes>,
}

/// What is noted on the way.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) model: Option<Arc<str>>,
    pub(crate) route: Option<Arc<Route>>,
    pub(crate) hold: Option<Hold>,
    /// The attempt under way: it is recorded even if the caller goes away during it.
    pub(crate) trying: Option<(ChannelId, Instant)>,
    pub(crate) attempts: Vec<Attempt>,
    /// How many of them were refused by whoever keeps the money, so that nobody was asked.
    pub(crate) refused: usize,
    pub(crate) served: Option<Candidate>,
    pub(crate) upstream_request_id: Option<Box<str>>,
    pub(crate) streamed: bool,
    pub(crate) status: u16,
    pub(crate) end: Option<End>,
    /// The answer was read on after its caller had gone.
    pub(crate) drained: bool,
    pub(crate) usage: Option<Usage>,
    /// Whether more may have come of it since it was reported.
    pub(crate) provisional: bool,
    pub(crate) request_sample: Sample,
    pub(crate) response_sample: Sample,
    pub(crate) first_byte_us: Option<u32>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// What is to be read on, now that the caller has gone: left by who is dropped before the settlement.
    pub(crate) leftover: Option<Leftover>,
    /// The caller has gone, and only what is under way may come to its end.
    pub(crate) gone: bool,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Notes {
    /// For how long an answer is to be read on after its caller went away.
    pub(crate) fn drain(&self) -> Option<Duration> {
        self.hold.as_ref().and_then(|hold| hold.abort.drain())
    }
}

impl Draft {
    pub(crate) fn new(context: &crate::Context, caller: Arc<Caller>) -> Draft {
        Draft {
            id: context.receipt_id,
            trace_id: context.trace_id,
            at: context.at,
            started: context.started,
            endpoint: context.endpoint.clone(),
            caller,
            notes: Mutex::default(),
        }
    }

    /// Adds to the draft. The lock is never contended: one task works on a request at a time.
    pub(crate) fn note<T>(&self, add: impl FnOnce(&mut Notes) -> T) -> T {
        add(&mut self.notes.lock())
    }

    /// Asks whoever keeps the money before an attempt, with the hold of the request. A refusal is recorded.
    pub(crate) fn afford(
        &self,
        billing: &dyn Billing,
        lane: &Candidate,
        at: UnixMicros,
    ) -> Result<(), Error> {
        self.note(|notes| {
            let Some(hold) = &mut notes.hold else { return Ok(()) };
            let error = match billing.attempt(hold, lane, at) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let (channel, why) = (lane.channel.id, Some(error.message().to_owned()));
            notes.attempts.push(Attempt { channel, status: None, error: why, took_us: 0 });
            notes.refused += 1;
            Err(error)
        })
    }

    /// Microseconds since the request arrived.
    pub(crate) fn elapsed_us(&self) -> u32 {
        micros(self.started)
    }
}

/// Microseconds since then.
pub(crate) fn micros(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}

/// Settles a draft when it is dropped.
pub(crate) struct Settlement {
    draft: Arc<Draft>,
    billing: Arc<dyn Billing>,
    stats: Arc<Stats>,
}

impl Settlement {
    pub(crate) fn new(draft: Arc<Draft>, billing: Arc<dyn Billing>, stats: Arc<Stats>) -> Settlement {
        stats.drafts.inc();
        Settlement { draft, billing, stats }
    }

    pub(crate) fn draft(&self) -> &Arc<Draft> {
        &self.draft
    }

    pub(crate) fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// The receipt it will end in.
    pub(crate) fn id(&self) -> ReceiptId {
        self.draft.id
    }

    /// The request ends in an error of the gateway's.
    pub(crate) fn refuse(self, error: &Error) {
        self.draft.note(|notes| {
            notes.status = error.status().as_u16();
            // An attempt's failure is the provider's even where the text says that the gateway is at fault.
            let asked = notes.attempts.len() > notes.refused || error.fault() == Fault::Upstream;
            let timed_out = error.kind() == ErrorKind::GatewayTimeout;
            let failed = if timed_out { End::TimedOut } else { End::UpstreamFailed };
            notes.end.get_or_insert(if asked { failed } else { End::Refused });
        });
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        let draft = &self.draft;
        let mut notes = std::mem::take(&mut *draft.notes.lock());
        if let Some(leftover) = notes.leftover.take() {
            let time = notes.drain().unwrap_or_default();
            notes.gone = true;
            *draft.notes.lock() = notes;
            let (billing, stats) = (self.billing.clone(), self.stats.clone());
            return drain::begin(Settlement { draft: draft.clone(), billing, stats }, leftover, time);
        }
        let hold = notes.hold.take();
        let took_us = u64::try_from(draft.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let end = notes.end.unwrap_or(End::CallerGone);
        if let Some((channel, started)) = notes.trying {
            let error = Some(crate::receipt::CALLER_LEFT.to_owned());
            notes.attempts.push(Attempt { channel, status: None, error, took_us: micros(started) });
        }
        self.stats.drafts.dec();
        self.stats.ended(end, took_us);
        let outcome = Outcome {
            id: draft.id,
            trace_id: draft.trace_id,
            at: draft.at,
            caller: draft.caller.clone(),
            endpoint: draft.endpoint.clone(),
            model: notes.model.unwrap_or_else(|| Arc::from("")),
            route: notes.route,
            served: notes.served,
            attempts: notes.attempts,
            upstream_request_id: notes.upstream_request_id,
            streamed: notes.streamed,
            // A caller that left before there was a status: the one proxies log for it.
            status: if notes.status == 0 { 499 } else { notes.status },
            end,
            drained: notes.drained,
            usage: notes.usage,
            provisional: notes.provisional,
            request_sample: notes.request_sample,
            response_sample: notes.response_sample,
            first_byte_us: notes.first_byte_us,
            took_us,
            bytes_in: notes.bytes_in,
            bytes_out: notes.bytes_out,
        };
        self.billing.settle(hold, outcome);
    }
}
