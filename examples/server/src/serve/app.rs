//! Who answers: the gateway, but for the few paths that are the operator's.

use super::ops::Ops;
use super::parts::Parts;
use burncloud_core::layers::auth::RemoteIp;
use burncloud_core::{Answering, Body, Gateway};
use futures_util::future::{BoxFuture, Either, FutureExt};
use http::{Request, Response};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::watch;

/// The service of one connection.
#[derive(Clone)]
pub(super) struct App {
    gateway: Gateway,
    ops: Arc<Ops>,
    peer: Option<IpAddr>,
}

impl App {
    pub(super) fn new(parts: Arc<Parts>, stopping: watch::Receiver<bool>, console: bool) -> App {
        let gateway = parts.gateway.clone();
        App { gateway, ops: Arc::new(Ops::new(parts, stopping, console)), peer: None }
    }

    /// The service of a connection from there.
    pub(super) fn at(&self, peer: SocketAddr) -> App {
        App { peer: Some(peer.ip()), ..self.clone() }
    }
}

impl hyper::service::Service<Request<Incoming>> for App {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Answering, BoxFuture<'static, Result<Response<Body>, Infallible>>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        if self.ops.answers(request.uri().path()) {
            let ops = self.ops.clone();
            return Either::Right(async move { Ok(ops.answer(request.map(Body::new)).await) }.boxed());
        }
        if let Some(ip) = self.peer {
            request.extensions_mut().insert(RemoteIp(ip));
        }
        Either::Left(self.gateway.answer(request.map(Body::new)))
    }
}
