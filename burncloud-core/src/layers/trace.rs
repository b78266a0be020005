//! One id for the whole life of a request.
//!
//! Reads `traceparent` (W3C trace context) or makes a new trace id; puts the [`Context`] into the request's
//! extensions; answers `x-burncloud-trace-id`. Outermost but for the embedder's own layers, because
//! everything below reads the context. Nothing is held, so cancellation needs no care.
//!
//! The id in a caller's `traceparent` names the trace, not the receipt: receipts have ids of their own.

use crate::context::Context;
use crate::{Body, TraceId, UnixMicros};
use http::{HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Instant;
use tower::{Layer, Service};

/// The header that tells the caller the trace id.
pub static TRACE_HEADER: HeaderName = HeaderName::from_static("x-burncloud-trace-id");
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Makes [`Trace`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceLayer;

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner }
    }
}

/// Gives each request its ids.
#[derive(Clone, Copy, Debug)]
pub struct Trace<S> {
    inner: S,
}

/// The trace id of a `traceparent` header: `00-` and 32 hexadecimal digits.
fn accepted(request: &Request<Body>) -> Option<TraceId> {
    let value = request.headers().get(&TRACEPARENT)?.as_bytes();
    let versioned = value.len() >= 55 && value[2] == b'-' && value[35] == b'-' && &value[..2] != b"ff";
    TraceId::from_hex(value.get(3..35).filter(|_| versioned)?)
}

impl<S> Service<Request<Body>> for Trace<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> TraceFuture<S::Future> {
        let trace_id = accepted(&request).unwrap_or_else(TraceId::random);
        request.extensions_mut().insert(Context::new(UnixMicros::now(), Instant::now(), trace_id));
        TraceFuture { inner: self.inner.call(request), trace_id }
    }
}

pin_project! {
    /// Adds the trace id to the answer.
    #[derive(Debug)]
    pub struct TraceFuture<F> {
        #[pin]
        inner: F,
        trace_id: TraceId,
    }
}

impl<F: Future<Output = Result<Response<Body>, E>>, E> Future for TraceFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.inner.poll(cx).map_ok(|mut response| {
            if let Ok(value) = HeaderValue::from_bytes(&this.trace_id.hex()) {
                response.headers_mut().insert(TRACE_HEADER.clone(), value);
            }
            response
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use tower::{ServiceExt, service_fn};

    async fn traced(parent: Option<&str>) -> String {
        let inner = service_fn(|request: Request<Body>| async move {
            let id = Context::of(&request)?.trace_id.to_string();
            Ok::<_, Error>(Response::builder().header("seen", id).body(Body::empty()).unwrap())
        });
        let mut request = Request::new(Body::empty());
        if let Some(parent) = parent {
            request.headers_mut().insert("traceparent", parent.parse().unwrap());
        }
        let response = TraceLayer.layer(inner).oneshot(request).await.unwrap();
        assert_eq!(response.headers()["seen"], response.headers()[&TRACE_HEADER]);
        response.headers()["seen"].to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn takes_a_callers_trace_and_makes_one_otherwise() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(traced(Some(&format!("00-{id}-00f067aa0ba902b7-01"))).await, id);
        for broken in ["", "00-zz", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
            assert_ne!(traced(Some(broken)).await, "0".repeat(32));
        }
        assert_ne!(traced(None).await, traced(None).await);
    }
}
