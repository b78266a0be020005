//! Every error below becomes an answer in the caller's own dialect, so that its SDK raises its own
//! exception type; also in the middle of a stream, and with a sign of life while a stream is silent.
//!
//! Finds out the dialect from the request line before anything can fail. An error becomes a JSON answer
//! with its status, `retry-after` and whatever headers came with it. The body of an event stream is wrapped:
//! a failure after the first byte becomes the dialect's error event and the stream ends; silence is broken
//! by the dialect's keep-alive, never inside an event (AWS's frames have none). A whole answer that breaks off ends the connection,
//! which every client notices by the missing bytes.
//!
//! Stands above everything that fails. Nothing is held, so cancellation needs no care.

mod events;
mod frames;
mod shape;

use crate::context::Context;
use crate::sse::{Framing, framing};
use crate::stats::Stats;
use crate::{Body, Dialect, Endpoint, Error, Operation};
use events::EventStream;
use frames::FrameStream;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use std::time::Duration;
use tower::{Layer, Service};

/// Makes [`Rescue`] services.
#[derive(Clone, Debug)]
pub struct RescueLayer {
    keep_alive: Option<Duration>,
    stats: Arc<Stats>,
}

impl RescueLayer {
    /// Counts answers in `stats`; breaks a stream's silence after 15 s.
    #[must_use]
    pub fn new(stats: Arc<Stats>) -> RescueLayer {
        RescueLayer { keep_alive: Some(Duration::from_secs(15)), stats }
    }

    /// Breaks a stream's silence after so long; `None` never does.
    #[must_use]
    pub fn keep_alive(mut self, after: Option<Duration>) -> RescueLayer {
        self.keep_alive = after.filter(|after| !after.is_zero());
        self
    }
}

impl<S> Layer<S> for RescueLayer {
    type Service = Rescue<S>;

    fn layer(&self, inner: S) -> Rescue<S> {
        Rescue { inner, layer: self.clone() }
    }
}

/// Answers errors.
#[derive(Clone, Debug)]
pub struct Rescue<S> {
    inner: S,
    layer: RescueLayer,
}

impl<S> Service<Request<Body>> for Rescue<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = RescueFuture<S::Future>;

    fn poll_ready(&mut self, _cx: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        // Services of the gateway are always ready: admission happens in `call`.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> RescueFuture<S::Future> {
        let found = Endpoint::of(&request);
        let (dialect, operation) = match &found {
            Ok(endpoint) => (endpoint.dialect, endpoint.operation),
            Err((dialect, _)) => (*dialect, Operation::default()),
        };
        let trace_id = Context::of_mut(&mut request).ok().map(|context| {
            context.found = Some(found);
            context.trace_id
        });
        RescueFuture {
            inner: self.inner.call(request),
            dialect,
            operation,
            trace_id,
            keep_alive: self.layer.keep_alive,
            stats: self.layer.stats.clone(),
        }
    }
}

pin_project! {
    /// Turns an error into an answer.
    #[derive(Debug)]
    pub struct RescueFuture<F> {
        #[pin]
        inner: F,
        dialect: Dialect,
        operation: Operation,
        trace_id: Option<crate::TraceId>,
        keep_alive: Option<Duration>,
        stats: Arc<Stats>,
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for RescueFuture<F> {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match ready!(this.inner.poll(cx)) {
            Ok(response) => match framing(&response) {
                Some(framing) => {
                    let (mut parts, body) = response.into_parts();
                    // An event of ours may be added.
                    parts.headers.remove(CONTENT_LENGTH);
                    let body = match framing {
                        Framing::Lines => {
                            let (dialect, operation) = (*this.dialect, *this.operation);
                            Body::new(EventStream::new(body, dialect, operation, *this.keep_alive))
                        }
                        Framing::Frames => Body::new(FrameStream::new(body)),
                    };
                    Response::from_parts(parts, body)
                }
                None => response,
            },
            Err(error) => {
                let trace = this.trace_id.map(|id| id.to_string()).unwrap_or_default();
                log(&error, &trace);
                shape::response(error, *this.dialect, &trace)
            }
        };
        this.stats.answered(*this.dialect, response.status());
        Poll::Ready(Ok(response))
    }
}

fn log(error: &Error, trace: &str) {
    let (status, context) = (error.status().as_u16(), error.context().unwrap_or_default());
    if error.fault() == crate::Fault::Gateway {
        tracing::error!(trace, status, context, "{error}");
    } else {
        tracing::debug!(trace, status, context, "{error}");
    }
}
