//! The caller's request as the channel's provider must get it: everything as it came, but for what must
//! differ.
//!
//! Reads `lane`, `endpoint` and `inspected`. Changes the path (the provider's API root, the model where the
//! path names it), splices a mapped model name into the body, and asks for usage in chat streams whose
//! caller did not (a channel setting). Takes out headers that belong to the caller's connection or to
//! networks in between; every other header goes on. Not a byte of the body is parsed or re-serialised.
//!
//! Stands below `failover`, because all of this differs between channels, and above `sign`. If an
//! embedder's layer replaced the body, the new one is looked at again here.

use crate::adapter::TargetAsk;
use crate::context::Context;
use crate::envelope::{Edit, splice};
use crate::inspected::Inspected;
use crate::layers::Reply;
use crate::routing::Lane;
use crate::{Body, Endpoint, Error, ErrorKind};
use bytes::Bytes;
use http::{Request, Response, Uri};
use std::task::{self, Poll};
use tower::{Layer, Service};

/// Makes [`Passthrough`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct PassthroughLayer;

impl<S> Layer<S> for PassthroughLayer {
    type Service = Passthrough<S>;

    fn layer(&self, inner: S) -> Passthrough<S> {
        Passthrough { inner }
    }
}

/// Fits requests to channels.
#[derive(Clone, Copy, Debug)]
pub struct Passthrough<S> {
    inner: S,
}

/// The body with the provider's model name in it, and nothing else changed.
fn body(seen: &Inspected, lane: &Lane, endpoint: &Endpoint) -> Body {
    let mut edits: Vec<Edit> = Vec::new();
    if lane.mapped {
        if let Some(at) = seen.envelope.as_ref().and_then(|e| e.model) {
            edits.push(Edit { at, with: lane.upstream_model_json.clone() });
        } else if let Some(at) = seen.form_model {
            edits.push(Edit { at, with: Bytes::copy_from_slice(lane.upstream_model.as_bytes()) });
        }
    }
    if seen.adds_usage(lane, endpoint)
        && let Some(edit) = seen.envelope.as_ref().and_then(|e| e.include_usage_edit(&seen.body))
    {
        edits.push(edit);
    }
    if edits.is_empty() {
        return Body::from(seen.body.clone());
    }
    Body::from(splice(&seen.body, &mut edits))
}

fn fit(request: &mut Request<Body>) -> Result<(), Error> {
    let context = Context::of(request)?;
    let lane = context
        .lane
        .clone()
        .ok_or_else(|| Error::new(ErrorKind::Internal, "an attempt without a channel"))?;
    let replaced = request.body().as_bytes().filter(|bytes| !same(bytes, &context.inspected.as_ref()));
    let seen = match replaced {
        Some(bytes) => &Inspected::look(&context.endpoint, request.headers(), bytes.clone())?,
        None => context.inspected()?,
    };
    let fitted = body(seen, &lane, &context.endpoint);
    let target = lane.channel.adapter.target(&TargetAsk {
        root: &lane.channel.root,
        endpoint: &context.endpoint,
        path: request.uri().path(),
        query: request.uri().query(),
        upstream_model: &lane.upstream_model,
        mapped: lane.mapped,
    })?;
    *request.uri_mut() = Uri::from(target);
    *request.body_mut() = fitted;
    Ok(())
}

/// Whether these are the very bytes that were looked at.
fn same(bytes: &Bytes, seen: &Option<&Inspected>) -> bool {
    seen.is_some_and(|seen| seen.body.as_ptr() == bytes.as_ptr() && seen.body.len() == bytes.len())
}

impl<S> Service<Request<Body>> for Passthrough<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Reply<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Reply<S::Future> {
        match fit(&mut request) {
            Ok(()) => Reply::below(self.inner.call(request)),
            Err(error) => Reply::now(Err(error)),
        }
    }
}
