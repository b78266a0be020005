//! Bounds on what is in flight: requests, and bytes of their bodies.
//!
//! Over a bound a request is refused at once with 503 and `retry-after`; nothing queues. Reads nothing but
//! `content-length`; puts an `Admission` into the context, which `inspect` charges with the bytes it really
//! reads, and which lives until the answer's last byte or until the request is dropped.
//!
//! Stands before everything that costs memory. Defaults: 10 000 requests, 512 MiB of bodies.

pub use crate::admission::{Admission, ShedSettings};
use crate::context::Context;
use crate::layers::Reply;
use crate::stats::Stats;
use crate::{Body, Error};
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use tower::{Layer, Service};

/// Makes [`Shed`] services that share their bounds.
#[derive(Clone, Debug)]
pub struct ShedLayer {
    settings: ShedSettings,
    stats: Arc<Stats>,
}

impl ShedLayer {
    /// With the bounds; the gauges of `stats` are what is counted against them.
    #[must_use]
    pub fn new(settings: ShedSettings, stats: Arc<Stats>) -> ShedLayer {
        ShedLayer { settings, stats }
    }
}

impl<S> Layer<S> for ShedLayer {
    type Service = Shed<S>;

    fn layer(&self, inner: S) -> Shed<S> {
        Shed { inner, settings: self.settings, stats: self.stats.clone() }
    }
}

/// Refuses what is over the bounds.
#[derive(Clone, Debug)]
pub struct Shed<S> {
    inner: S,
    settings: ShedSettings,
    stats: Arc<Stats>,
}

impl<S> Service<Request<Body>> for Shed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = ShedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> ShedFuture<S::Future> {
        let admission = match Admission::new(&self.settings, &self.stats) {
            Ok(admission) => admission,
            Err(error) => return ShedFuture { inner: Reply::now(Err(error)), admission: None },
        };
        if let Ok(context) = Context::of_mut(&mut request) {
            context.admission = Some(admission.clone());
        }
        ShedFuture { inner: Reply::below(self.inner.call(request)), admission: Some(admission) }
    }
}

pin_project! {
    /// Moves the request's place into the answer's body.
    #[derive(Debug)]
    pub struct ShedFuture<F> {
        #[pin]
        inner: Reply<F>,
        admission: Option<Admission>,
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for ShedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.inner.poll(cx);
        if polled.is_pending() {
            return Poll::Pending;
        }
        let admission = this.admission.take();
        polled.map_ok(|response| response.map(|body| body.hold(admission)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower::{ServiceExt, service_fn};

    #[tokio::test]
    async fn refuses_over_the_bound_and_gives_places_back() {
        let stats = Arc::new(Stats::default());
        let settings = ShedSettings { max_requests: 2, max_body_bytes: 10 };
        let echo = service_fn(|r: Request<Body>| async move { Ok::<_, Error>(Response::new(r.into_body())) });
        let shed = ShedLayer::new(settings, stats.clone()).layer(echo);
        let call = || shed.clone().oneshot(Request::new(Body::from("x")));
        let (a, b) = (call().await.unwrap(), call().await.unwrap());
        let refused = call().await.unwrap_err();
        assert_eq!((refused.status().as_u16(), refused.retry_after().is_some()), (503, true));
        assert_eq!(stats.requests_in_flight.get(), 2);
        drop((a, b));
        assert_eq!(stats.requests_in_flight.get(), 0);
        assert!(call().await.is_ok());
    }
}
