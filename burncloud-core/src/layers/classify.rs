//! Path → endpoint: which dialect is spoken, and what it asks for.
//!
//! Writes `endpoint` and `table` (the routing snapshot that this request keeps). Answers 404 for a path no
//! dialect knows and 405 for a wrong method. Stands before `auth`, which must know where the dialect's SDK
//! puts its key. Looks at nothing but the request line and, where three SDKs share `/v1/models`, headers.

use crate::context::Context;
use crate::layers::Reply;
use crate::{Body, Endpoint, Error, ErrorKind, NoEndpoint, RouteTable};
use arc_swap::ArcSwap;
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Request, Response};
use std::sync::Arc;
use std::task::{self, Poll};
use tower::{Layer, Service};

/// Makes [`Classify`] services.
#[derive(Clone, Debug)]
pub struct ClassifyLayer {
    table: Arc<ArcSwap<RouteTable>>,
}

impl ClassifyLayer {
    /// With the place where the current table is found.
    #[must_use]
    pub fn new(table: Arc<ArcSwap<RouteTable>>) -> ClassifyLayer {
        ClassifyLayer { table }
    }
}

impl<S> Layer<S> for ClassifyLayer {
    type Service = Classify<S>;

    fn layer(&self, inner: S) -> Classify<S> {
        Classify { inner, table: self.table.clone() }
    }
}

/// Understands paths.
#[derive(Clone, Debug)]
pub struct Classify<S> {
    inner: S,
    table: Arc<ArcSwap<RouteTable>>,
}

fn classify(request: &mut Request<Body>, table: Arc<RouteTable>) -> Result<(), Error> {
    let found = match Context::of_mut(request)?.found.take() {
        Some(found) => found,
        None => Endpoint::of(request),
    };
    let context = Context::of_mut(request)?;
    context.table = table;
    match found {
        Ok(endpoint) => {
            context.endpoint = endpoint;
            Ok(())
        }
        Err((dialect, why)) => {
            context.endpoint.dialect = dialect;
            Err(match why {
                NoEndpoint::Path => Error::new(
                    ErrorKind::NotFound,
                    "there is no such endpoint; check the base URL and the path",
                )
                .with_code("unknown_url"),
                NoEndpoint::Method { allow } => {
                    let mut headers = HeaderMap::new();
                    headers.insert(ALLOW, HeaderValue::from_static(allow));
                    Error::new(ErrorKind::MethodNotAllowed, format!("this endpoint takes {allow} requests"))
                        .with_code("method_not_allowed")
                        .with_headers(headers)
                }
            })
        }
    }
}

impl<S> Service<Request<Body>> for Classify<S>
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
        match classify(&mut request, self.table.load_full()) {
            Ok(()) => Reply::below(self.inner.call(request)),
            Err(error) => Reply::now(Err(error)),
        }
    }
}
