//! Requests per minute, tokens per minute, requests at the same time: per key, tenant, user and model.
//!
//! Reads `caller` and `inspected`. All limits of a request are taken or none; 429 names the one in the way,
//! with `retry-after` and the dialect's rate-limit headers. Requests and tokens are counted over a sliding
//! minute ([`Window`]); a request counts for its estimated tokens until it has ended, then for what it
//! used. The concurrency permits live in the answer's body, or in this layer's future until there is one,
//! so a caller that goes away gives them back.
//!
//! State is per process and in memory: it never waits, and no store being away switches it off.
//! Stands before `reserve`, so that no money is held for what is refused.

mod cells;
mod headers;
mod window;

pub use cells::{CellLimits, Registry};
pub use window::{Refused, Taken, Window};

use crate::context::Context;
use crate::layers::Reply;
use crate::stats::Stats;
use crate::{Body, Error, Limits};
use arc_swap::ArcSwap;
use cells::Permit;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use tower::{Layer, Service};

/// Limits per model, over all callers.
pub type ModelLimits = HashMap<Box<str>, Limits>;

/// Makes [`Limit`] services that share their state.
#[derive(Clone)]
pub struct LimitLayer {
    registry: Arc<Registry>,
    models: Arc<ArcSwap<ModelLimits>>,
    stats: Arc<Stats>,
}

impl LimitLayer {
    /// With the place where the current limits per model are found.
    #[must_use]
    pub fn new(models: Arc<ArcSwap<ModelLimits>>, stats: Arc<Stats>) -> LimitLayer {
        LimitLayer { registry: Arc::default(), models, stats }
    }
}

impl fmt::Debug for LimitLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LimitLayer")
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, layer: self.clone() }
    }
}

/// Refuses what is over a limit.
#[derive(Clone, Debug)]
pub struct Limit<S> {
    inner: S,
    layer: LimitLayer,
}

impl LimitLayer {
    fn admit(&self, request: &Request<Body>) -> Result<Option<Permit>, Error> {
        let context = Context::of(request)?;
        let caller = context.caller()?;
        let Some(seen) = &context.inspected else { return Ok(None) };
        let cells = self.registry.of_caller(caller);
        let models = self.models.load();
        let model = if models.is_empty() { None } else { models.get(&*seen.model) };
        let model = model.map(|limits| self.registry.of_model(&seen.model, *limits));
        // Four bytes are a token, roughly; what was really used replaces it at the end.
        let tokens = (seen.body.len() as u64 / 4).saturating_add(seen.max_output.unwrap_or(0)).min(1 << 40);
        Permit::take(&cells, model, tokens, context.draft()?.clone(), &self.stats)
            .map(Some)
            .map_err(|refusal| headers::error(&refusal, context.endpoint.dialect))
    }
}

impl<S> Service<Request<Body>> for Limit<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = LimitFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> LimitFuture<S::Future> {
        match self.layer.admit(&request) {
            Ok(permit) => LimitFuture { inner: Reply::below(self.inner.call(request)), permit },
            Err(error) => LimitFuture { inner: Reply::now(Err(error)), permit: None },
        }
    }
}

pin_project! {
    /// Moves the permit into the answer's body.
    pub struct LimitFuture<F> {
        #[pin]
        inner: Reply<F>,
        permit: Option<Permit>,
    }
}

impl<F> fmt::Debug for LimitFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LimitFuture")
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for LimitFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        Poll::Ready(Ok(match this.permit.take() {
            Some(permit) if !permit.is_nothing() => response.map(|body| body.hold(permit)),
            _ => response,
        }))
    }
}
