//! The caller's request as the channel's provider must get it: everything as it came, but for what must
//! differ; or, where the provider does not speak the caller's dialect, translated by its
//! [`Adapter`](crate::adapter::Adapter).
//!
//! Reads `lane`, `endpoint` and `inspected`. Changes the path (the provider's API root, the model where the
//! path names it), splices a mapped model name into the body, and asks for usage in chat streams whose
//! caller did not (a channel setting). Takes out headers that belong to the caller's connection or to
//! networks in between; every other header goes on. Not a byte of the body is parsed or re-serialised, unless it must
//! be translated or the operator has [transforms](crate::adapter::Transform) on the channel: what the answer
//! must go through then is left for `failover`, which stands where the answer is metered.
//!
//! Stands below `failover`, because all of this differs between channels, and above `sign`. If an
//! embedder's layer replaced the body, the new one is looked at again here.

use crate::adapted::{Outgoing, Slot};
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
    if let Some(slot) = context.adapted.clone() {
        return adapt(request, &lane, &slot, seen.clone());
    }
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

/// The same for a request that cannot go as it is: translated, changed as the operator wants it, or both.
fn adapt(request: &mut Request<Body>, lane: &Lane, slot: &Slot, seen: Inspected) -> Result<(), Error> {
    let mut headers = std::mem::take(request.headers_mut());
    let context = Context::of(request)?;
    let adapter = &lane.channel.adapter;
    let (path, query) = (request.uri().path(), request.uri().query());
    let translated = if adapter.serves(&context.endpoint) {
        None
    } else {
        Some(slot.translate(context, lane, &seen, &Outgoing { path, query, headers: &headers })?)
    };
    let endpoint = translated.as_ref().map_or(&context.endpoint, |adapted| &adapted.endpoint);
    let target = adapter.target(&TargetAsk {
        root: &lane.channel.root,
        endpoint,
        path: translated.as_ref().map_or(path, |adapted| &adapted.path),
        query: translated.as_ref().map_or(query, |adapted| adapted.query.as_deref()),
        upstream_model: &lane.upstream_model,
        mapped: lane.mapped,
    })?;
    let endpoint = endpoint.clone();
    let mut bytes = match translated {
        Some(adapted) => {
            headers = adapted.headers;
            adapted.body
        }
        None => body(&seen, lane, &context.endpoint).in_memory().unwrap_or_default(),
    };
    slot.transform(context, lane, &seen, &endpoint, &mut headers, &mut bytes)?;
    *request.uri_mut() = Uri::from(target);
    *request.headers_mut() = headers;
    *request.body_mut() = Body::from(bytes);
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
