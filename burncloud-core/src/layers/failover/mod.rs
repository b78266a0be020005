//! One attempt after another, until a provider's answer may go out: until its head and first bytes are here.
//!
//! Reads `candidates`; writes `lane` for each attempt; notes attempts, the served lane and the answer on the
//! draft. An attempt is given up before its first byte has reached the caller and never after: on failure to
//! connect, time-out before the head, 408, 429, 5xx, and 401 / 402 / 403, which mean the channel's own
//! credential. Not on what is the caller's fault (400, 404, 413, 422). When nothing is left, the last 429 or
//! 5xx goes out as the provider gave it; a fault of a credential becomes 502 without a word of it.
//!
//! Before an attempt [`Billing::attempt`] is asked. A lane that it refuses is left out: nobody is called, no attempt is
//! used up, no half-open breaker is tried; the receipt says so among its attempts.
//!
//! Attempts and total time are bounded. `retry-after` is honoured: its lane is tried last until then.
//!
//! Dropping the future drops the attempt under way and with it the provider's connection; but where the request's
//! abort policy wants the provider's report, the attempt under way (no other) is left on the draft to be read on.

mod accept;
mod verdict;

use crate::adapted;
use crate::billing::{Billing, NoBilling};
use crate::context::Context;
use crate::drain::{Attempts, Leftover};
use crate::headers::clean_request;
use crate::layers::Stack;
use crate::meter::{Draft, micros};
use crate::routing::Candidate;
use crate::{Attempt, Body, Error, ErrorKind};
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Duration, Instant};
use tower::{Layer, Service};
use verdict::Verdict;

static STRICT: HeaderName = HeaderName::from_static("x-burncloud-strict");

/// The bounds of failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailoverSettings {
    /// Most attempts for one request.
    pub max_attempts: usize,
    /// After so long no further attempt is begun.
    pub max_total: Duration,
}

impl Default for FailoverSettings {
    /// Four attempts, none begun after 120 s.
    fn default() -> FailoverSettings {
        FailoverSettings { max_attempts: 4, max_total: Duration::from_secs(120) }
    }
}

/// Makes [`Failover`] services.
#[derive(Clone)]
pub struct FailoverLayer {
    settings: Arc<ArcSwap<FailoverSettings>>,
    billing: Arc<dyn Billing>,
}

impl Default for FailoverLayer {
    fn default() -> FailoverLayer {
        FailoverLayer::new(FailoverSettings::default())
    }
}

impl fmt::Debug for FailoverLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailoverLayer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl FailoverLayer {
    /// With bounds.
    #[must_use]
    pub fn new(settings: FailoverSettings) -> FailoverLayer {
        FailoverLayer::live(Arc::new(ArcSwap::from_pointee(settings)))
    }

    /// With bounds that may change while it is used; a request keeps those it started with.
    #[must_use]
    pub fn live(settings: Arc<ArcSwap<FailoverSettings>>) -> FailoverLayer {
        FailoverLayer { settings, billing: Arc::new(NoBilling) }
    }

    /// With whoever keeps the money: asked before each attempt ([`Billing::attempt`]).
    #[must_use]
    pub fn billing(self, billing: Arc<dyn Billing>) -> FailoverLayer {
        FailoverLayer { billing, ..self }
    }
}

impl<S> Layer<S> for FailoverLayer {
    type Service = Failover<S>;

    fn layer(&self, inner: S) -> Failover<S> {
        Failover { inner, settings: self.settings.clone(), billing: self.billing.clone() }
    }
}

/// Tries candidates.
#[derive(Clone)]
pub struct Failover<S> {
    inner: S,
    settings: Arc<ArcSwap<FailoverSettings>>,
    billing: Arc<dyn Billing>,
}

impl<S> fmt::Debug for Failover<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failover").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The attempts of one request.
pub struct FailoverFuture {
    /// Until they have come to something.
    attempts: Option<Attempts>,
    draft: Option<Arc<Draft>>,
}

impl fmt::Debug for FailoverFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailoverFuture")
    }
}

impl Future for FailoverFuture {
    type Output = Result<Response<Body>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let Some(attempts) = &mut self.attempts else { return Poll::Pending };
        let result = task::ready!(attempts.as_mut().poll(cx));
        self.attempts = None;
        Poll::Ready(result)
    }
}

impl Drop for FailoverFuture {
    /// Dropped before there is an answer: the caller went away.
    fn drop(&mut self) {
        let (Some(attempts), Some(draft)) = (self.attempts.take(), &self.draft) else { return };
        if draft.note(|notes| notes.trying.is_some() && notes.drain().is_some()) {
            draft.note(|notes| notes.leftover = Some(Leftover::Attempts(attempts)));
        }
    }
}

impl<S: Stack> Service<Request<Body>> for Failover<S> {
    type Response = Response<Body>;
    type Error = Error;
    type Future = FailoverFuture;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> FailoverFuture {
        let (inner, settings, billing) = (self.inner.clone(), **self.settings.load(), self.billing.clone());
        // Nobody below asks for it.
        let draft = Context::of_mut(&mut request).ok().and_then(|context| context.draft.take());
        let attempts = Box::pin(attempts(inner, settings, billing, request, draft.clone()));
        FailoverFuture { attempts: Some(attempts), draft }
    }
}

/// A failed attempt whose answer the caller gets if nothing better comes.
// Boxed, since it is rare: it would make the future of every request half a kilobyte larger.
type LastAnswer = Option<Box<(Response<Body>, Option<Bytes>, accept::Parts, Candidate)>>;

async fn attempts<S: Stack>(
    mut inner: S,
    settings: FailoverSettings,
    billing: Arc<dyn Billing>,
    mut request: Request<Body>,
    draft: Option<Arc<Draft>>,
) -> Result<Response<Body>, Error> {
    let strict = request.headers().get(&STRICT).is_some_and(|value| value != "false" && value != "0");
    clean_request(request.headers_mut());
    Context::of_mut(&mut request)?.strict = strict;
    let candidates = std::mem::take(&mut Context::of_mut(&mut request)?.candidates);
    let draft = draft.ok_or_else(|| Error::new(ErrorKind::Internal, "`failover` stands below `meter`"))?;
    let at = Context::of(&request)?.at;
    let mut began: Option<Instant> = None;
    let (total, most) = (candidates.len(), settings.max_attempts.max(1));
    let mut tried = 0;
    let mut spare = Some(request);
    let mut last_answer: LastAnswer = None;
    let mut last_error: Option<Error> = None;
    for (number, lane) in candidates.into_iter().enumerate() {
        if tried == most || began.is_some_and(|began| began.elapsed() >= settings.max_total) {
            break;
        }
        let Some(busy) = accept::Slot::take(&lane.channel) else {
            let full =
                Error::new(ErrorKind::RateLimited, "every channel for this model is busy; try again shortly");
            last_error.get_or_insert(full.with_retry_after(Duration::from_secs(1)));
            continue;
        };
        if let Err(error) = draft.afford(&*billing, &lane, at) {
            last_error = Some(error);
            continue;
        }
        tried += 1;
        lane.breaker.probe();
        let attempt = next_request(&mut spare, &lane, number + 1 == total, tried == most)?;
        let started = Instant::now();
        began.get_or_insert(started);
        let mut parts = accept::Parts::of(&attempt, &draft, &lane, busy, started)?;
        draft.note(|notes| notes.trying = Some((lane.channel.id, started)));
        let call = inner.call(attempt);
        let arrival = async {
            let mut response = call.await?;
            lane.channel.map_status(&mut response);
            let first = first_bytes(&mut response).await?;
            Ok((response, first))
        };
        let deadline = started + lane.channel.timeouts.first_byte;
        let timed = tokio::time::timeout_at(deadline.into(), arrival).await;
        let mut arrived = timed.unwrap_or_else(|_| Err(no_first_byte()));
        if parts.is_adapted() {
            // Boxed, so that the future of every other request is not as large as this.
            arrived = Box::pin(parts.whole(arrived, &lane)).await;
        }
        let (result, first) = match arrived {
            Ok((response, first)) => (Ok(response), first),
            Err(error) => (Err(error), None),
        };
        if parts.refused() {
            // Nobody was asked: neither an attempt nor what a half-open breaker waits for.
            tried -= 1;
            lane.breaker.unprobed();
            last_error = last_error.or(result.err());
            if draft.note(|notes| (notes.trying = None, notes.gone).1) {
                break;
            }
            continue;
        }
        let verdict = Verdict::of(&result).or_retry(&lane, &result, first.as_ref());
        let gone = draft.note(|notes| {
            notes.trying = None;
            notes.attempts.push(record(&lane, &result, started));
            notes.gone
        });
        verdict.tell(&lane, &result);
        match (verdict, result) {
            (Verdict::Use, Ok(response)) => return Ok(accept::accept(response, first, parts, &lane)),
            (Verdict::Fatal, Err(error)) => return Err(error),
            (Verdict::Credential, _) => {
                last_error = Some(Error::new(ErrorKind::BadGateway, "the provider refused this gateway"));
            }
            (_, Ok(response)) => last_answer = Some(Box::new((response, first, parts, lane))),
            (_, Err(error)) => last_error = Some(error),
        }
        if gone {
            break;
        }
    }
    finish(last_answer, last_error)
}

/// Nothing is left to try.
fn finish(last_answer: LastAnswer, last_error: Option<Error>) -> Result<Response<Body>, Error> {
    if let Some(last) = last_answer {
        let (response, first, parts, lane) = *last;
        return Ok(accept::accept(response, first, parts, &lane));
    }
    Err(last_error
        .unwrap_or_else(|| Error::new(ErrorKind::Unavailable, "no channel for this model can be tried now")))
}

/// The request for one attempt: a copy, unless it is for the last lane, or the last attempt that is allowed, which one
/// that must be adapted may turn out not to be. Copies share the body's bytes.
fn next_request(
    spare: &mut Option<Request<Body>>,
    lane: &Candidate,
    last_lane: bool,
    last_try: bool,
) -> Result<Request<Body>, Error> {
    let used_up = || Error::new(ErrorKind::Internal, "a request was used up before its attempts");
    let request = spare.as_ref().ok_or_else(used_up)?;
    let slot = adapted::Slot::of(lane, &Context::of(request)?.endpoint);
    let last = last_lane || (last_try && slot.is_none());
    let mut request = if last { spare.take().ok_or_else(used_up)? } else { copy(request)? };
    let context = Context::of_mut(&mut request)?;
    context.adapted = slot;
    context.lane = Some(lane.clone());
    Ok(request)
}

fn copy(request: &Request<Body>) -> Result<Request<Body>, Error> {
    let bytes = request.body().as_bytes().cloned();
    let bytes = bytes.ok_or_else(|| Error::new(ErrorKind::Internal, "a body that cannot be sent twice"))?;
    let mut copy = Request::new(Body::from(bytes));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Ok(copy)
}

fn no_first_byte() -> Error {
    Error::new(ErrorKind::GatewayTimeout, "the provider did not answer in time")
        .with_context("time to first byte")
}

/// Waits for the first bytes of an answer that would go out: until they are there another lane may still do
/// better, and a head that was let out cannot be taken back.
async fn first_bytes(response: &mut Response<Body>) -> Result<Option<Bytes>, Error> {
    if !Verdict::passes(response.status()) {
        return Ok(None);
    }
    while !response.body().is_end_stream() {
        match response.body_mut().frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Ok(Some(data)),
                _ => {}
            },
            Some(Err(error)) => {
                return Err(Error::new(
                    ErrorKind::BadGateway,
                    "the provider broke off after the head of its answer",
                )
                .with_context(error.to_string()));
            }
            None => break,
        }
    }
    Ok(None)
}

fn record(lane: &Candidate, result: &Result<Response<Body>, Error>, started: Instant) -> Attempt {
    Attempt {
        channel: lane.channel.id,
        status: result.as_ref().ok().map(|response| response.status().as_u16()),
        error: result.as_ref().err().map(|error| error.message().to_owned()),
        took_us: micros(started),
    }
}
