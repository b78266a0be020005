//! Looks at the body, once.
//!
//! Reads the whole body (bounded in size and time, counted against what may be in flight), finds the few
//! fields that routing and billing need as byte ranges of it, and writes `inspected`. The body goes on as
//! it is: nothing is parsed into a tree, nothing re-serialised.
//!
//! 400 for a body that cannot be routed (says which field), 403 for a model the key may not use, 408 for a
//! body that does not arrive, 413 for one over the limit. Stands below `auth` and `meter`, above everything
//! that needs the model. A body that breaks off is the caller gone: nothing was spent.

use crate::adapter::Sample;
use crate::context::Context;
use crate::inspected::Inspected;
use crate::layers::{Reply, Stack};
use crate::quiet::Quiet;
use crate::{Body, Error, ErrorKind};
use bytes::{Bytes, BytesMut};
use http::header::EXPECT;
use http::{Request, Response};
use http_body::Body as _;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::Duration;
use tower::{Layer, Service};

/// The bounds on a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InspectSettings {
    /// Most bytes.
    pub max_body_bytes: usize,
    /// Longest wait between two pieces of it.
    pub idle: Duration,
    /// Longest time in all.
    pub total: Duration,
}

impl Default for InspectSettings {
    /// 32 MiB, 30 s, 10 minutes.
    fn default() -> InspectSettings {
        InspectSettings {
            max_body_bytes: 32 << 20,
            idle: Duration::from_secs(30),
            total: Duration::from_secs(600),
        }
    }
}

/// Makes [`Inspect`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct InspectLayer {
    settings: InspectSettings,
}

impl InspectLayer {
    /// With bounds.
    #[must_use]
    pub fn new(settings: InspectSettings) -> InspectLayer {
        InspectLayer { settings }
    }
}

impl<S> Layer<S> for InspectLayer {
    type Service = Inspect<S>;

    fn layer(&self, inner: S) -> Inspect<S> {
        Inspect { inner, settings: self.settings }
    }
}

/// Looks at bodies.
#[derive(Clone, Copy, Debug)]
pub struct Inspect<S> {
    inner: S,
    settings: InspectSettings,
}

fn too_large(limit: usize) -> Error {
    let text = format!("the body is larger than the {limit} bytes this gateway takes");
    Error::new(ErrorKind::TooLarge, text).with_code("request_too_large")
}

fn slow() -> Error {
    Error::new(ErrorKind::RequestTimeout, "the body did not arrive in time").with_code("request_timeout")
}

/// The next piece of a body. The first time that there is none the task is merely polled again: nearly every
/// body is there by then, and a timer costs more than all the looking at it. After that the wait is bounded.
async fn next_piece(body: &mut Body, quiet: &mut Quiet) -> Result<Option<Bytes>, Error> {
    let mut asked = false;
    loop {
        let frame = poll_fn(|cx| match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(Ok(frame)),
            Poll::Pending if !asked => {
                asked = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => quiet.poll(cx).map(|()| Err(slow())),
        });
        match frame.await? {
            None => return Ok(None),
            Some(Err(error)) => {
                return Err(Error::new(ErrorKind::BadRequest, "the body broke off")
                    .with_code("incomplete_body")
                    .with_context(error.to_string()));
            }
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    quiet.heard();
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The whole body. A body in one piece (the usual case) is not copied.
async fn collect(mut body: Body, settings: InspectSettings, context: &Context) -> Result<Bytes, Error> {
    let limit = settings.max_body_bytes;
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large(limit));
    }
    let mut quiet = Quiet::new(settings.idle, Some(context.started + settings.total));
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(data) = next_piece(&mut body, &mut quiet).await? {
        if let Some(admission) = &context.admission {
            admission.hold(data.len())?;
        }
        match &first {
            None => first = Some(data),
            Some(head) if rest.is_empty() => {
                rest.reserve(announced.max(head.len() + data.len()));
                rest.extend_from_slice(head);
                rest.extend_from_slice(&data);
            }
            Some(_) => rest.extend_from_slice(&data),
        }
        let length = rest.len().max(first.as_ref().map_or(0, Bytes::len));
        if length > limit {
            return Err(too_large(limit));
        }
        if length == announced && body.is_end_stream() {
            break;
        }
    }
    Ok(if rest.is_empty() { first.unwrap_or_default() } else { rest.freeze() })
}

async fn inspect(request: &mut Request<Body>, settings: InspectSettings) -> Result<(), Error> {
    let body = std::mem::take(request.body_mut());
    let context = Context::of(request)?;
    let body = match body.as_bytes() {
        Some(bytes) if bytes.len() > settings.max_body_bytes => {
            return Err(too_large(settings.max_body_bytes));
        }
        Some(bytes) => bytes.clone(),
        None => collect(body, settings, context).await?,
    };
    let draft = context.draft()?.clone();
    draft.note(|notes| {
        notes.bytes_in = body.len() as u64;
        notes.request_sample = Sample::of(&body);
    });
    let seen = Inspected::look(&context.endpoint, request.headers(), body)?;
    let caller = context.caller()?;
    draft.note(|notes| {
        notes.model = Some(seen.model.clone());
        notes.streamed = seen.streamed;
    });
    if !caller.may_use(&seen.model) {
        let text = format!("this API key may not use the model `{}`", seen.model);
        return Err(Error::new(ErrorKind::Forbidden, text)
            .with_param("model")
            .with_code("model_not_allowed"));
    }
    // The connection to the provider has its own handshake.
    request.headers_mut().remove(EXPECT);
    *request.body_mut() = Body::from(seen.body.clone());
    Context::of_mut(request)?.inspected = Some(seen);
    Ok(())
}

impl<S: Stack> Service<Request<Body>> for Inspect<S> {
    type Response = Response<Body>;
    type Error = Error;
    type Future = InspectFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> InspectFuture<S::Future> {
        let settings = self.settings;
        if Context::of(&request).is_ok_and(|context| context.endpoint.operation.is_local()) {
            return InspectFuture(Either::Below(Box::pin(Reply::below(self.inner.call(request)))));
        }
        let mut inner = self.inner.clone();
        InspectFuture(Either::Reading(Box::pin(async move {
            inspect(&mut request, settings).await?;
            inner.call(request).await
        })))
    }
}

/// Reads the body, then asks the service below.
pub struct InspectFuture<F>(Either<F>);

type Boxed = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

enum Either<F> {
    Below(Pin<Box<Reply<F>>>),
    Reading(Boxed),
}

impl<F> fmt::Debug for InspectFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InspectFuture")
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for InspectFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        match &mut self.get_mut().0 {
            Either::Below(future) => future.as_mut().poll(cx),
            Either::Reading(future) => future.as_mut().poll(cx),
        }
    }
}
