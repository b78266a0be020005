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
use crate::collect::{collect, too_large};
use crate::context::Context;
use crate::inspected::Inspected;
use crate::layers::{Reply, Stack};
use crate::{Body, Error, ErrorKind};
use http::header::EXPECT;
use http::{Request, Response};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use tower::{Layer, Service};

pub use crate::collect::InspectSettings;

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
