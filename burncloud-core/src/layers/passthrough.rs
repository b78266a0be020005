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
use crate::envelope::{Edit, Span, splice};
use crate::inspected::Inspected;
use crate::layers::Reply;
use crate::routing::Lane;
use crate::{Body, Dialect, Endpoint, Error, ErrorKind};
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

/// What makes the body name the provider's model. Callers of Azure name theirs in the path, and in the body another or
/// none; no other provider looks into such a path.
fn model_edit(seen: &Inspected, lane: &Lane, endpoint: &Endpoint) -> Option<Edit> {
    let in_path = endpoint.dialect == Dialect::OpenAi && endpoint.path_model.is_some();
    if !lane.mapped && !in_path {
        return None;
    }
    match (&seen.envelope, seen.form_model) {
        (Some(envelope), _) if in_path => envelope.model_edit(&seen.body, lane.upstream_model_json.clone()),
        (Some(envelope), _) => envelope.model.map(|at| Edit { at, with: lane.upstream_model_json.clone() }),
        (None, Some(at)) => Some(Edit { at, with: Bytes::copy_from_slice(lane.upstream_model.as_bytes()) }),
        (None, None) if in_path => form_part(&seen.body, &lane.upstream_model),
        (None, None) => None,
    }
}

/// A part of a form that names the model, before all others. A form begins with its boundary.
fn form_part(form: &[u8], model: &str) -> Option<Edit> {
    let boundary = form.starts_with(b"--").then(|| form.split(|byte| *byte == b'\n').next())??;
    let boundary = boundary.trim_ascii_end();
    let part = b"\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n";
    let with = [boundary, part, model.as_bytes(), b"\r\n"].concat().into();
    Some(Edit { at: Span { start: 0, end: 0 }, with })
}

/// The body with the provider's model name in it, and nothing else changed.
fn body(seen: &Inspected, lane: &Lane, endpoint: &Endpoint) -> Body {
    let mut edits: Vec<Edit> = model_edit(seen, lane, endpoint).into_iter().collect();
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
    let translated = if lane.passes(&context.endpoint) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_can_be_told_its_model() {
        let form =
            Bytes::from_static(b"--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n");
        let edit = form_part(&form, "m").unwrap();
        let spliced = splice(&form, &mut [edit]).to_bytes();
        let kind = "multipart/form-data; boundary=b";
        for (name, value) in [("model", "m"), ("a", "1")] {
            let at = crate::envelope::multipart_field(kind, &spliced, name).unwrap().unwrap();
            assert_eq!(at.of(&spliced), value.as_bytes());
        }
        assert_eq!(form_part(b"preamble", "m"), None);
    }
}
