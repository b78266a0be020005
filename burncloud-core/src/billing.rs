//! What the gateway asks of whoever keeps the money.
//!
//! The `reserve` and `meter` layers call a [`Billing`]; `burncloud-billing` is the real one. Both calls are
//! synchronous and must not wait: they are on every request's way, and a settlement runs in a `Drop`.

use crate::adapter::Sample;
use crate::routing::Candidate;
use crate::{
    AbortPolicy, Attempt, Caller, End, Endpoint, Error, Nano, ReceiptId, Route, TraceId, UnixMicros, Usage,
};
use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A request that wants to be dispatched, and what its cost can be told from.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The receipt it will end in.
    pub id: ReceiptId,
    /// Its trace.
    pub trace_id: TraceId,
    /// When it arrived.
    pub at: UnixMicros,
    /// Who pays.
    pub caller: &'a Arc<Caller>,
    /// What is asked.
    pub endpoint: &'a Endpoint,
    /// Where it may go, with the prices that can apply.
    pub route: &'a Arc<Route>,
    /// The candidates of this very request, in the order of trial.
    pub candidates: &'a [Candidate],
    /// Bytes of the body: a token is at least one byte, so this bounds the input.
    pub body_len: u64,
    /// The most output tokens the caller allows, if they say so.
    pub max_output: Option<u64>,
    /// How many answers are asked for (`n`); at least 1.
    pub answers: u64,
    /// What the caller lets the provider use, as JSON that names it; empty where that is nothing.
    pub tools: &'a [u8],
}

/// Money that is held until the request ends. The hold itself has no `Drop`: [`Billing::settle`] is called
/// exactly once for it.
#[derive(Debug, Default)]
pub struct Hold {
    /// How much, of the user's own money.
    pub reserved: Nano,
    /// What is to happen when the caller goes away.
    pub abort: AbortPolicy,
    /// The implementation's own.
    pub state: Option<Box<dyn Any + Send + Sync>>,
}

/// How a request ended: the facts a receipt is made from.
#[derive(Debug)]
pub struct Outcome {
    /// The receipt's identity.
    pub id: ReceiptId,
    /// Its trace.
    pub trace_id: TraceId,
    /// When it arrived.
    pub at: UnixMicros,
    /// Who called.
    pub caller: Arc<Caller>,
    /// What was asked.
    pub endpoint: Endpoint,
    /// The model asked for; empty if that was never known.
    pub model: Arc<str>,
    /// Where it was routed, if it came so far.
    pub route: Option<Arc<Route>>,
    /// Whose answer the caller got.
    pub served: Option<Candidate>,
    /// Each attempt, in order.
    pub attempts: Vec<Attempt>,
    /// The provider's id of the exchange.
    pub upstream_request_id: Option<Box<str>>,
    /// Whether the answer was a stream of events.
    pub streamed: bool,
    /// The status the caller got.
    pub status: u16,
    /// Why it ended.
    pub end: End,
    /// Whether, after its caller had gone, the answer was read on to where the provider ended it, as
    /// [`AbortPolicy::Reported`] asks for: what the provider reported is its last word.
    pub drained: bool,
    /// What the provider reported.
    pub usage: Option<Usage>,
    /// Whether it reported that in the course of the answer, so that more may have come of it since.
    pub provisional: bool,
    /// The beginning of the request's body, for an estimate.
    pub request_sample: Sample,
    /// The beginning of the answer's body, for an estimate.
    pub response_sample: Sample,
    /// Microseconds to the first byte.
    pub first_byte_us: Option<u32>,
    /// Microseconds in all.
    pub took_us: u64,
    /// Bytes of the caller's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
}

/// What [`Billing::receipt`] answers.
pub type ReceiptFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<bytes::Bytes>, Error>> + Send + 'a>>;

/// Keeps the money: holds it before dispatch, settles it after.
pub trait Billing: Send + Sync + 'static {
    /// Holds an upper estimate against every budget on the caller's path, in one atomic step, and notes in
    /// the journal that the request is under way.
    ///
    /// # Errors
    /// [`ErrorKind::Payment`](crate::ErrorKind::Payment) when a budget does not hold it,
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the journal cannot take more.
    fn reserve(&self, ask: &Ask<'_>) -> Result<Hold, Error>;

    /// Called before each attempt, with the hold of the request: what is to be spent at this channel is held against the
    /// channel's own budgets, in the place of what was held for the attempt before.
    ///
    /// # Errors
    /// When the channel must not be used now: a budget of its is used up, or it would sell below cost. The next
    /// candidate is tried; where none is left the caller gets the last such error.
    fn attempt(&self, _hold: &mut Hold, _lane: &Candidate, _at: UnixMicros) -> Result<(), Error> {
        Ok(())
    }

    /// The receipt of that id as its owner may see it, with its proof: JSON. `None` if there is none, or it is another
    /// user's.
    fn receipt<'a>(&'a self, _caller: &'a Caller, _id: ReceiptId) -> ReceiptFuture<'a> {
        Box::pin(async { Ok(None) })
    }

    /// Ends a request: replaces the hold by the charge and records the receipt. Called exactly once per
    /// authenticated request, with the hold if there was one, possibly from a `Drop`.
    fn settle(&self, hold: Option<Hold>, outcome: Outcome);
}

/// Charges nothing and records nothing: for embedders who only route.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBilling;

impl Billing for NoBilling {
    fn reserve(&self, _ask: &Ask<'_>) -> Result<Hold, Error> {
        Ok(Hold::default())
    }

    fn settle(&self, _hold: Option<Hold>, _outcome: Outcome) {}
}
