//! Holds an upper estimate of what the request may cost against every budget on the caller's path.
//!
//! Reads `caller`, `route`, `candidates` and `inspected`; the hold goes onto the draft, whose settlement
//! ends it. 402 when a budget does not hold the estimate, 503 when the journal cannot take more. The check
//! and the hold are one atomic step of [`Billing::reserve`], which also notes in the journal that the
//! request is about to be dispatched: that is why this stands right above `failover`.
//!
//! Never waits. A request that is cancelled here was either not held or is settled by its draft.

use crate::billing::{Ask, Billing};
use crate::context::Context;
use crate::layers::Reply;
use crate::{Body, Error, ErrorKind};
use http::{Request, Response};
use std::fmt;
use std::sync::Arc;
use std::task::{self, Poll};
use tower::{Layer, Service};

/// Makes [`Reserve`] services.
#[derive(Clone)]
pub struct ReserveLayer {
    billing: Arc<dyn Billing>,
}

impl ReserveLayer {
    /// With whoever keeps the money.
    #[must_use]
    pub fn new(billing: Arc<dyn Billing>) -> ReserveLayer {
        ReserveLayer { billing }
    }
}

impl fmt::Debug for ReserveLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReserveLayer")
    }
}

impl<S> Layer<S> for ReserveLayer {
    type Service = Reserve<S>;

    fn layer(&self, inner: S) -> Reserve<S> {
        Reserve { inner, billing: self.billing.clone() }
    }
}

/// Holds money.
#[derive(Clone)]
pub struct Reserve<S> {
    inner: S,
    billing: Arc<dyn Billing>,
}

impl<S> fmt::Debug for Reserve<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reserve")
    }
}

impl<S> Reserve<S> {
    fn hold(&self, request: &Request<Body>) -> Result<(), Error> {
        let context = Context::of(request)?;
        let seen = context.inspected()?;
        let draft = context.draft()?;
        if draft.note(|notes| notes.hold.is_some()) {
            let text = "a request is reserved for once; a layer that calls again belongs around an attempt";
            return Err(
                Error::new(ErrorKind::Internal, "the gateway's layers are out of order").with_context(text)
            );
        }
        let route = context.route.as_ref().ok_or_else(|| Error::new(ErrorKind::Internal, "no route"))?;
        let hold = self.billing.reserve(&Ask {
            id: context.receipt_id,
            trace_id: context.trace_id,
            at: context.at,
            caller: context.caller()?,
            endpoint: &context.endpoint,
            route,
            candidates: &context.candidates,
            body_len: seen.body.len() as u64,
            max_output: seen.max_output,
            answers: seen.answers,
            tools: seen.tools(),
        })?;
        draft.note(|notes| notes.hold = Some(hold));
        Ok(())
    }
}

impl<S> Service<Request<Body>> for Reserve<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Reply<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Reply<S::Future> {
        match self.hold(&request) {
            Ok(()) => Reply::below(self.inner.call(request)),
            Err(error) => Reply::now(Err(error)),
        }
    }
}
