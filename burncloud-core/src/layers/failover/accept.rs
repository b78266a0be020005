//! A provider's answer becomes the gateway's.

use crate::adapted::{self, Way};
use crate::adapter::AnswerHead;
use crate::admission::Admission;
use crate::answer::{Answer, Arrived};
use crate::context::Context;
use crate::headers::clean_response;
use crate::meter::Draft;
use crate::quiet::Quiet;
use crate::routing::{Candidate, Channel};
use crate::sse::{UsageChunkFilter, is_event_stream};
use crate::{Body, Endpoint, Error, ErrorKind, TraceId};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Request, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Instant;

/// A place on a channel that bounds how many requests it takes at the same time.
pub(super) struct Slot(Option<Arc<AtomicU32>>);

impl Slot {
    pub(super) fn take(channel: &Channel) -> Option<Slot> {
        let Some(most) = channel.concurrency else { return Some(Slot(None)) };
        let took = channel.in_flight.fetch_update(Relaxed, Relaxed, |n| (n < most).then_some(n + 1));
        took.ok().map(|_| Slot(Some(channel.in_flight.clone())))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(count) = &self.0 {
            count.fetch_sub(1, Relaxed);
        }
    }
}

/// What an answer's reading needs of its request, which the attempt takes along.
pub(super) struct Parts {
    endpoint: Endpoint,
    withhold_usage: bool,
    started: Instant,
    draft: Arc<Draft>,
    slot: Slot,
    trace_id: TraceId,
    adapted: Option<adapted::Slot>,
    way: Option<Way>,
    admission: Option<Admission>,
}

impl Parts {
    pub(super) fn of(
        request: &Request<Body>,
        draft: &Arc<Draft>,
        lane: &Candidate,
        slot: Slot,
        started: Instant,
    ) -> Result<Parts, Error> {
        let context = Context::of(request)?;
        let translated = context.adapted.is_some() && !lane.passes(&context.endpoint);
        Ok(Parts {
            withhold_usage: !translated && context.inspected()?.adds_usage(lane, &context.endpoint),
            trace_id: context.trace_id,
            adapted: context.adapted.clone(),
            way: None,
            admission: context.adapted.as_ref().and(context.admission.clone()),
            endpoint: context.endpoint.clone(),
            started,
            draft: draft.clone(),
            slot,
        })
    }
}

impl Parts {
    /// Whether the answer must go [through](Parts::whole) something.
    pub(super) fn is_adapted(&self) -> bool {
        self.adapted.is_some()
    }

    /// Whether the request cannot be said in this provider's words.
    pub(super) fn refused(&self) -> bool {
        self.adapted.as_ref().is_some_and(adapted::Slot::refused)
    }

    /// Takes what the answer must go through, and has it go through at once where it is no stream.
    pub(super) async fn whole(
        &mut self,
        arrived: Result<(Response<Body>, Option<Bytes>), Error>,
        lane: &Candidate,
    ) -> Result<(Response<Body>, Option<Bytes>), Error> {
        let Some(slot) = &self.adapted else { return arrived };
        let (response, first) = arrived?;
        let way = self.way.insert(slot.take().unwrap_or_default());
        way.log(&self.trace_id, lane);
        if is_event_stream(&response) || !response.status().is_success() {
            return Ok((response, first));
        }
        let left = lane.channel.timeouts.total.saturating_sub(self.started.elapsed());
        tokio::time::timeout(left, way.whole(response, first, self.admission.as_ref())).await.map_err(
            |_| {
                Error::new(ErrorKind::GatewayTimeout, "the provider did not answer in time")
                    .with_context("total time")
            },
        )?
    }
}

/// The provider's own id of an exchange.
fn request_id(headers: &HeaderMap) -> Option<Box<str>> {
    let names = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid"];
    // One pass over the few that are there: to look a name up takes a hash, and first a parse.
    let ranked = headers.iter().filter_map(|(name, value)| {
        let rank = names.iter().position(|wanted| name == wanted)?;
        Some((rank, value))
    });
    let (_, value) = ranked.min_by_key(|(rank, _)| *rank)?;
    let value = value.to_str().ok()?;
    value.get(..value.len().min(128)).map(Into::into)
}

/// Wraps the answer so that it is read for usage and its end noted, and notes its head.
pub(super) fn accept(
    mut response: Response<Body>,
    first: Option<Bytes>,
    mut parts: Parts,
    lane: &Candidate,
) -> Response<Body> {
    clean_response(response.headers_mut());
    let streamed = is_event_stream(&response);
    let status = response.status();
    parts.draft.note(|notes| {
        notes.status = status.as_u16();
        notes.served = Some(lane.clone());
        notes.streamed = streamed;
        notes.upstream_request_id = request_id(response.headers());
    });
    let head = AnswerHead { status, headers: response.headers(), streamed };
    let mut way = parts.way.take().unwrap_or_default();
    let endpoint = way.endpoint.as_ref().unwrap_or(&parts.endpoint);
    let reader = lane.channel.adapter.usage_reader(endpoint, &head);
    let filter = (streamed && parts.withhold_usage).then(UsageChunkFilter::default);
    if parts.adapted.is_some() {
        way.head(&mut response);
        let status = response.status().as_u16();
        parts.draft.note(|notes| notes.status = status);
    }
    if filter.is_some() || way.change.is_some() {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    let timeouts = &lane.channel.timeouts;
    let deadline = (!streamed).then(|| parts.started + timeouts.total);
    let quiet = Quiet::new(timeouts.idle, deadline);
    let Parts { draft, slot, .. } = parts;
    response.map(|upstream| {
        // Held by what comes from the provider: it may be read on when the caller has gone.
        let upstream = if slot.0.is_some() { upstream.hold(slot) } else { upstream };
        let arrived = Arrived { upstream, first, streamed, filter, change: way.change };
        Body::answer(Box::new(Answer::new(arrived, reader, quiet, draft)))
    })
}
