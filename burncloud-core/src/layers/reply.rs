//! A future for layers that either answer at once or ask the service below: no box, no state machine, unless a
//! layer must wait for something of its own.

use crate::{Body, Error};
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower::Service;

/// What every service inside the gateway is.
pub(crate) trait Stack:
    Service<Request<Body>, Response = Response<Body>, Error = Error, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Stack for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

pin_project! {
    /// Ready at once, or what the service below says; now and then after some waiting of the layer's own.
    pub struct Reply<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<F> {
        // Boxed: rare, and an answer in place would make every future of every layer as large as itself.
        Now { result: Option<Box<Result<Response<Body>, Error>>> },
        Below { #[pin] future: F },
        Boxed { future: Boxed },
    }
}

type Boxed = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

impl<F> fmt::Debug for Reply<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

impl<F> Reply<F> {
    pub(crate) fn now(result: Result<Response<Body>, Error>) -> Reply<F> {
        Reply { state: State::Now { result: Some(Box::new(result)) } }
    }

    pub(crate) fn below(future: F) -> Reply<F> {
        Reply { state: State::Below { future } }
    }

    pub(crate) fn boxed(future: Boxed) -> Reply<F> {
        Reply { state: State::Boxed { future } }
    }
}

impl<F: Future<Output = Result<Response<Body>, Error>>> Future for Reply<F> {
    type Output = Result<Response<Body>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::Below { future } => future.poll(cx),
            Projected::Boxed { future } => future.as_mut().poll(cx),
            Projected::Now { result } => match result.take() {
                Some(result) => Poll::Ready(*result),
                None => Poll::Pending,
            },
        }
    }
}
