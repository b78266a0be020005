//! Bounds on what is in flight: requests, and bytes of their bodies.
//!
//! Over a bound a request is refused at once with 503 and `retry-after`; nothing queues. Reads nothing but
//! `content-length`; puts an `Admission` into the context, which `inspect` charges with the bytes it really
//! reads, and which lives until the answer's last byte or until the request is dropped.
//!
//! Stands before everything that costs memory. Defaults: 10 000 requests, 512 MiB of bodies.

use crate::context::Context;
use crate::layers::Reply;
use crate::stats::Stats;
use crate::{Body, Error, ErrorKind};
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::task::{self, Poll};
use std::time::Duration;
use tower::{Layer, Service};

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShedSettings {
    /// Requests at the same time.
    pub max_requests: usize,
    /// Bytes of callers' bodies that are held at the same time.
    pub max_body_bytes: usize,
}

impl Default for ShedSettings {
    fn default() -> ShedSettings {
        ShedSettings { max_requests: 10_000, max_body_bytes: 512 << 20 }
    }
}

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

fn full() -> Error {
    Error::new(ErrorKind::Unavailable, "the gateway is at its capacity; try again shortly")
        .with_code("overloaded")
        .with_retry_after(Duration::from_secs(1))
}

/// A request's place among those in flight, and the bytes it holds. Clones share it; the last one gives
/// both back.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Place>);

#[derive(Debug)]
struct Place {
    stats: Arc<Stats>,
    max_body_bytes: i64,
    bytes: AtomicI64,
}

impl Admission {
    fn new(settings: &ShedSettings, stats: &Arc<Stats>) -> Result<Admission, Error> {
        let place = Place {
            stats: stats.clone(),
            max_body_bytes: i64::try_from(settings.max_body_bytes).unwrap_or(i64::MAX),
            bytes: AtomicI64::new(0),
        };
        let most = i64::try_from(settings.max_requests).unwrap_or(i64::MAX);
        // Counted before it is judged: the place gives it back when it is dropped, refused or not.
        if stats.requests_in_flight.add(1) > most {
            drop(Admission(Arc::new(place)));
            return Err(full());
        }
        Ok(Admission(Arc::new(place)))
    }

    /// Holds `bytes` more.
    ///
    /// # Errors
    /// 503 when the gateway holds as much as it may.
    pub fn hold(&self, bytes: usize) -> Result<(), Error> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.bytes.fetch_add(bytes, Relaxed);
        if self.0.stats.body_bytes_in_flight.add(bytes) > self.0.max_body_bytes {
            return Err(full());
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stats.requests_in_flight.dec();
        self.stats.body_bytes_in_flight.add(-*self.bytes.get_mut());
    }
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

    #[test]
    fn bytes_are_bounded_and_given_back() {
        let stats = Arc::new(Stats::default());
        let settings = ShedSettings { max_requests: 2, max_body_bytes: 10 };
        let one = Admission::new(&settings, &stats).unwrap();
        assert!(one.hold(8).is_ok());
        let two = Admission::new(&settings, &stats).unwrap();
        assert!(two.hold(8).is_err());
        drop((one, two));
        assert_eq!((stats.body_bytes_in_flight.get(), stats.requests_in_flight.get()), (0, 0));
    }
}
