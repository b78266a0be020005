//! What the layers tell one another about a request.
//!
//! One value in the request's [`http::Extensions`]: each layer reads what those before it found and adds
//! what it finds. An embedder's own layers read it with [`Context::of`].

use crate::adapted::Slot;
use crate::admission::Admission;
use crate::dialect::Found;
use crate::inspected::Inspected;
use crate::meter::Draft;
use crate::routing::Candidate;
use crate::{Caller, Endpoint, Error, ErrorKind, ReceiptId, Route, RouteTable, TraceId, UnixMicros};
use http::Request;
use std::sync::Arc;
use std::time::Instant;

/// All that is known of a request so far.
#[derive(Clone, Debug)]
pub struct Context {
    /// Set by `trace`: its id in logs and headers.
    pub trace_id: TraceId,
    /// Set by `trace`: the receipt it will leave.
    pub receipt_id: ReceiptId,
    /// Set by `trace`: when it arrived, by the wall clock.
    pub at: UnixMicros,
    /// Set by `trace`: when it arrived, by the steady clock.
    pub started: Instant,
    /// Set by `classify`: what the path asks for.
    pub endpoint: Endpoint,
    /// Set by `classify`: the channels and models of this request, for its whole life.
    pub table: Arc<RouteTable>,
    /// Set by `auth`: who calls.
    pub caller: Option<Arc<Caller>>,
    /// Set by `inspect`: the body and what stands in it.
    pub inspected: Option<Inspected>,
    /// Set by `route`: where the model is served.
    pub route: Option<Arc<Route>>,
    /// Set by `route`: where this request may go, in the order of trial.
    pub candidates: Vec<Candidate>,
    /// Set by `failover`, for the layers around an attempt: where this attempt goes.
    pub lane: Option<Candidate>,
    /// Set by `failover`: the caller wants a refusal (400) rather than a translation that leaves fields out.
    pub strict: bool,
    pub(crate) adapted: Option<Slot>,
    pub(crate) found: Option<Found>,
    pub(crate) admission: Option<Admission>,
    pub(crate) draft: Option<Arc<Draft>>,
}

impl Context {
    pub(crate) fn new(at: UnixMicros, started: Instant, trace_id: TraceId) -> Context {
        Context {
            trace_id,
            receipt_id: ReceiptId::new(at),
            at,
            started,
            endpoint: Endpoint::default(),
            table: Arc::default(),
            caller: None,
            inspected: None,
            route: None,
            candidates: Vec::new(),
            lane: None,
            strict: false,
            adapted: None,
            found: None,
            admission: None,
            draft: None,
        }
    }

    /// The context of a request that is inside a gateway's stack.
    ///
    /// # Errors
    /// An internal error when the request did not come through the `trace` layer.
    pub fn of<B>(request: &Request<B>) -> Result<&Context, Error> {
        request.extensions().get::<Context>().ok_or_else(missing)
    }

    /// The context, to be added to.
    ///
    /// # Errors
    /// As [`Context::of`].
    pub fn of_mut<B>(request: &mut Request<B>) -> Result<&mut Context, Error> {
        request.extensions_mut().get_mut::<Context>().ok_or_else(missing)
    }

    /// The caller.
    ///
    /// # Errors
    /// An internal error above the `auth` layer.
    pub fn caller(&self) -> Result<&Arc<Caller>, Error> {
        self.caller.as_ref().ok_or_else(missing)
    }

    /// The body and what stands in it.
    ///
    /// # Errors
    /// An internal error above the `inspect` layer.
    pub fn inspected(&self) -> Result<&Inspected, Error> {
        self.inspected.as_ref().ok_or_else(missing)
    }

    pub(crate) fn draft(&self) -> Result<&Arc<Draft>, Error> {
        self.draft.as_ref().ok_or_else(missing)
    }
}

fn missing() -> Error {
    Error::new(ErrorKind::Internal, "the gateway's layers are out of order")
        .with_context("a layer was called without the layers that belong above it")
}
