//! Places where an embedder's own layers go in. Types are erased only there, and only if there are any.

use crate::{Body, BoxError, Error};
use http::{Request, Response};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

/// The service that an embedder's layer wraps: what is left of the gateway below it.
pub type InnerService = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

type Wrap = Arc<dyn Fn(InnerService) -> InnerService + Send + Sync>;

/// Layers for one place, outermost first.
#[derive(Clone, Default)]
pub(crate) struct Layers(Vec<Wrap>);

impl Layers {
    pub(crate) fn push<L>(&mut self, layer: L)
    where
        L: Layer<InnerService> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        self.0.push(Arc::new(move |inner| BoxCloneSyncService::new(layer.layer(inner).map_err(Into::into))));
    }

    pub(crate) fn wrap<S>(&self, inner: S) -> Seam<S>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Error> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        if self.0.is_empty() {
            return Seam::Plain(inner);
        }
        let boxed = BoxCloneSyncService::new(inner.map_err(BoxError::from));
        Seam::Layered(self.0.iter().rev().fold(boxed, |inner, wrap| wrap(inner)))
    }
}

/// A service, with an embedder's layers around it or without.
#[derive(Clone)]
pub(crate) enum Seam<S> {
    Plain(S),
    Layered(InnerService),
}

impl<S> Service<Request<Body>> for Seam<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = SeamFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Seam::Plain(inner) => inner.poll_ready(cx),
            Seam::Layered(inner) => inner.poll_ready(cx).map_err(Error::from),
        }
    }

    fn call(&mut self, request: Request<Body>) -> SeamFuture<S::Future> {
        match self {
            Seam::Plain(inner) => SeamFuture::Plain { future: inner.call(request) },
            // A layer of somebody else's may need to be asked whether it is ready before each call.
            Seam::Layered(inner) => {
                SeamFuture::Layered { future: Box::pin(inner.clone().oneshot(request)) as Boxed }
            }
        }
    }
}

type Boxed = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

pin_project_lite::pin_project! {
    #[project = Projected]
    pub(crate) enum SeamFuture<F> {
        Plain { #[pin] future: F },
        Layered { future: Boxed },
    }
}

impl<F> fmt::Debug for SeamFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeamFuture")
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for SeamFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            Projected::Plain { future } => future.poll(cx),
            Projected::Layered { future } => future.as_mut().poll(cx).map_err(Error::from),
        }
    }
}
