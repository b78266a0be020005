//! Puts the channel's credential onto an attempt.
//!
//! Reads `lane`. Most headers were made and marked sensitive when the channel was prepared; here they are
//! only added. A channel whose credential is no fixed header has a
//! [`Signer`](crate::adapter::Signer), which may have to fetch a token first. Stands right above the transport, below every layer an embedder can add, so that no layer,
//! log or error ever sees a credential.

use crate::context::Context;
use crate::layers::{Reply, Stack};
use crate::{Body, Error, ErrorKind};
use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response};
use http_body_util::BodyExt;
use std::task::{self, Poll};
use tower::{Layer, Service};

/// Makes [`Sign`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct SignLayer;

impl<S> Layer<S> for SignLayer {
    type Service = Sign<S>;

    fn layer(&self, inner: S) -> Sign<S> {
        Sign { inner }
    }
}

/// Signs attempts.
#[derive(Clone, Copy, Debug)]
pub struct Sign<S> {
    inner: S,
}

/// All of a body that `passthrough` made: it is in memory already.
async fn whole(body: Body) -> Result<Bytes, Error> {
    if let Some(bytes) = body.in_memory() {
        return Ok(bytes);
    }
    Ok(body.collect().await?.to_bytes())
}

impl<S: Stack> Service<Request<Body>> for Sign<S> {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Reply<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Reply<S::Future> {
        let Some(lane) = Context::of(&request).ok().and_then(|context| context.lane.clone()) else {
            return Reply::now(Err(Error::new(ErrorKind::Internal, "an attempt without a channel")));
        };
        let headers = request.headers_mut();
        headers.insert(HOST, lane.channel.host.clone());
        for (name, value) in &lane.channel.headers {
            headers.insert(name.clone(), value.clone());
        }
        for (name, value) in &lane.channel.default_headers {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        let Some(signer) = lane.channel.signer.clone() else {
            return Reply::below(self.inner.call(request));
        };
        let mut inner = self.inner.clone();
        Reply::boxed(Box::pin(async move {
            let (mut head, body) = request.into_parts();
            let body = whole(body).await?;
            signer.sign(&mut head, &body).await?;
            inner.call(Request::from_parts(head, Body::from(body))).await
        }))
    }
}
