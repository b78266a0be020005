//! `GET /v1/receipts/{id}`: a receipt for the caller who owns it, with its proof.
//!
//! Reads `caller` and `endpoint`; asks [`Billing::receipt`] and answers what it says. 400 for what is no receipt's
//! id; 404 `receipt_not_found` both for one that is not there and for another user's, so that nobody learns which ids
//! exist. An id of the last five minutes comes with `retry-after: 1`: a receipt is recorded a moment after its answer.
//!
//! Stands above `route`, which knows only models, and below `limit`. Leaves no receipt itself. A caller who goes away
//! cancels the look-up; a store that is away is 503.

use crate::billing::Billing;
use crate::context::Context;
use crate::layers::Reply;
use crate::{Body, Caller, Error, ErrorKind, Operation, ReceiptId, UnixMicros};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use std::fmt;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;
use tower::{Layer, Service};

/// How long a receipt may take from its request's arrival until its absence is final, in microseconds.
const FRESH: i64 = 300_000_000;

/// Makes [`Receipts`] services.
#[derive(Clone)]
pub struct ReceiptsLayer {
    billing: Arc<dyn Billing>,
}

impl ReceiptsLayer {
    /// With whoever keeps the money.
    #[must_use]
    pub fn new(billing: Arc<dyn Billing>) -> ReceiptsLayer {
        ReceiptsLayer { billing }
    }
}

impl fmt::Debug for ReceiptsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiptsLayer")
    }
}

impl<S> Layer<S> for ReceiptsLayer {
    type Service = Receipts<S>;

    fn layer(&self, inner: S) -> Receipts<S> {
        Receipts { inner, layer: self.clone() }
    }
}

/// Shows receipts.
#[derive(Clone, Debug)]
pub struct Receipts<S> {
    inner: S,
    layer: ReceiptsLayer,
}

/// Who asks for which, if it is a receipt that is asked for.
fn asked(request: &Request<Body>) -> Result<Option<(Arc<Caller>, ReceiptId)>, Error> {
    let context = Context::of(request)?;
    if context.endpoint.operation != Operation::Receipt {
        return Ok(None);
    }
    let text = request.uri().path().strip_prefix("/v1/receipts/");
    let id = text.and_then(ReceiptId::parse).ok_or_else(|| {
        Error::new(
            ErrorKind::BadRequest,
            "a receipt's id is `rc_` and 32 hexadecimal digits, as `x-burncloud-receipt-id` said it",
        )
        .with_param("id")
        .with_code("invalid_receipt_id")
    })?;
    Ok(Some((context.caller()?.clone(), id)))
}

async fn answer(
    billing: Arc<dyn Billing>,
    caller: Arc<Caller>,
    id: ReceiptId,
) -> Result<Response<Body>, Error> {
    let json = billing.receipt(&caller, id).await?.ok_or_else(|| missing(id, UnixMicros::now()))?;
    Ok(shown(json))
}

fn shown(json: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn missing(id: ReceiptId, now: UnixMicros) -> Error {
    let error = Error::new(
        ErrorKind::NotFound,
        "there is no such receipt of yours; one is recorded within seconds of its answer's end",
    )
    .with_param("id")
    .with_code("receipt_not_found");
    // Says nothing about what is there: the id itself holds the time.
    if now.0.saturating_sub(id.at().0).abs() < FRESH {
        return error.with_retry_after(Duration::from_secs(1));
    }
    error
}

impl<S> Service<Request<Body>> for Receipts<S>
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
        match asked(&request) {
            Ok(None) => Reply::below(self.inner.call(request)),
            Ok(Some((caller, id))) => Reply::boxed(Box::pin(answer(self.layer.billing.clone(), caller, id))),
            Err(error) => Reply::now(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fresh_id_is_worth_another_try() {
        let now = UnixMicros(1_700_000_000_000_000);
        let old = ReceiptId::new(UnixMicros(now.0 - FRESH - 1000));
        let fresh = missing(ReceiptId::new(now), now);
        assert_eq!(fresh.retry_after(), Some(Duration::from_secs(1)));
        assert_eq!(missing(old, now).retry_after(), None);
        assert_eq!((fresh.code(), fresh.status().as_u16()), (Some("receipt_not_found"), 404));
    }
}
