//! One receipt per request, whatever happens.
//!
//! Starts a draft that the layers below add to, and owns the guard that settles it: dropped with this
//! layer's future when the caller goes away before there is an answer, moved into the answer's body
//! afterwards. An error from below is noted with its status. See [`crate::billing`].
//!
//! Stands right below `auth`: from here on there is somebody to account to, so that refusals (402, 403,
//! 404, 413, 429) leave receipts too. Each answer names its receipt in `x-burncloud-receipt-id`. What fails above (401, 404 of a path, 503 of `shed`) is counted, not
//! recorded: a stranger must not be able to fill a disk. Model lists are answered without a receipt.

use crate::billing::Billing;
use crate::context::Context;
use crate::layers::Reply;
use crate::meter::{Draft, Settlement};
use crate::stats::Stats;
use crate::{Body, Error};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use tower::{Layer, Service};

/// The header that tells the caller which receipt the request leaves; `GET /v1/receipts/{id}` shows it.
pub static RECEIPT_HEADER: HeaderName = HeaderName::from_static("x-burncloud-receipt-id");

/// Makes [`Meter`] services.
#[derive(Clone)]
pub struct MeterLayer {
    billing: Arc<dyn Billing>,
    stats: Arc<Stats>,
}

impl MeterLayer {
    /// With whoever keeps the money.
    #[must_use]
    pub fn new(billing: Arc<dyn Billing>, stats: Arc<Stats>) -> MeterLayer {
        MeterLayer { billing, stats }
    }
}

impl fmt::Debug for MeterLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeterLayer")
    }
}

impl<S> Layer<S> for MeterLayer {
    type Service = Meter<S>;

    fn layer(&self, inner: S) -> Meter<S> {
        Meter { inner, layer: self.clone() }
    }
}

/// Keeps the draft.
#[derive(Clone, Debug)]
pub struct Meter<S> {
    inner: S,
    layer: MeterLayer,
}

impl<S> Service<Request<Body>> for Meter<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = MeterFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> MeterFuture<S::Future> {
        let started = Context::of_mut(&mut request).and_then(|context| {
            if context.endpoint.operation.is_local() {
                return Ok(None);
            }
            let draft = Arc::new(Draft::new(context, context.caller()?.clone()));
            context.draft = Some(draft.clone());
            Ok(Some(Settlement::new(draft, self.layer.billing.clone(), self.layer.stats.clone())))
        });
        match started {
            Ok(settlement) => MeterFuture { inner: Reply::below(self.inner.call(request)), settlement },
            Err(error) => MeterFuture { inner: Reply::now(Err(error)), settlement: None },
        }
    }
}

pin_project! {
    /// Holds the settlement until there is a body to hold it.
    pub struct MeterFuture<F> {
        // Dropped before the settlement: what runs below still notes how it ended.
        #[pin]
        inner: Reply<F>,
        settlement: Option<Settlement>,
    }
}

impl<F> fmt::Debug for MeterFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeterFuture")
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for MeterFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let settlement = this.settlement.take();
        Poll::Ready(match (result, settlement) {
            (Ok(mut response), Some(settlement)) => {
                name(response.headers_mut(), &settlement);
                Ok(response.map(|body| body.hold(settlement)))
            }
            (Err(mut error), Some(settlement)) => {
                let mut headers = error.take_headers();
                name(&mut headers, &settlement);
                settlement.refuse(&error);
                Err(error.with_headers(headers))
            }
            (result, None) => result,
        })
    }
}

/// Says which receipt it will be.
fn name(headers: &mut HeaderMap, settlement: &Settlement) {
    if let Ok(value) = HeaderValue::from_bytes(&settlement.id().text()) {
        headers.insert(RECEIPT_HEADER.clone(), value);
    }
}
