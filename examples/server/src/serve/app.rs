//! Who answers: the gateway, but for the few paths that are the operator's.

use super::cors::{Allowed, Cors};
use super::ops::Ops;
use super::parts::Parts;
use super::stall::{Activity, UnderWay};
use axum::Router;
use burncloud_core::layers::auth::RemoteIp;
use burncloud_core::{Answering, Body, Gateway};
use futures_util::future::{BoxFuture, Either, FutureExt};
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;

/// The service of one connection.
#[derive(Clone)]
pub(super) struct App {
    gateway: Gateway,
    ops: Arc<Ops>,
    cors: Arc<Cors>,
    peer: Option<IpAddr>,
    activity: Arc<Activity>,
}

impl App {
    pub(super) fn new(parts: Arc<Parts>, stopping: watch::Receiver<bool>, console: Option<Router>) -> App {
        let (gateway, cors) = (parts.gateway.clone(), parts.cors.clone());
        let ops = Arc::new(Ops::new(parts, stopping, console));
        App { gateway, ops, cors, peer: None, activity: Arc::default() }
    }

    /// The service of a connection from there, which tells `activity` of its requests.
    pub(super) fn at(&self, peer: SocketAddr, activity: Arc<Activity>) -> App {
        App { peer: Some(peer.ip()), activity, ..self.clone() }
    }
}

impl hyper::service::Service<Request<Incoming>> for App {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Serving;

    fn call(&self, mut request: Request<Incoming>) -> Serving {
        let under_way = Some(self.activity.begin(request.version() == Version::HTTP_2));
        if let Some(ip) = self.peer {
            request.extensions_mut().insert(RemoteIp(ip));
        }
        if self.ops.answers(request.uri().path()) {
            let ops = self.ops.clone();
            let answer = async move { Ok(ops.answer(request.map(Body::new)).await) }.boxed();
            return Serving { answer: Either::Right(answer), allowed: None, under_way };
        }
        let allowed = self.cors.allows(request.headers());
        if let Some(answer) = allowed.as_ref().and_then(|allowed| allowed.preflight(&request)) {
            let answer = std::future::ready(Ok(answer)).boxed();
            return Serving { answer: Either::Right(answer), allowed: None, under_way };
        }
        Serving { answer: Either::Left(self.gateway.answer(request.map(Body::new))), allowed, under_way }
    }
}

/// An answer on its way; the request is under way until the last byte of its body.
pub(super) struct Serving {
    answer: Either<Answering, BoxFuture<'static, Result<Response<Body>, Infallible>>>,
    /// The page that may see it, where one asked.
    allowed: Option<Allowed>,
    under_way: Option<UnderWay>,
}

impl Future for Serving {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(mut response) = ready!(Pin::new(&mut self.answer).poll(cx));
        if let Some(allowed) = &self.allowed {
            allowed.mark(response.headers_mut());
        }
        let under_way = self.under_way.take();
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && let Some(under_way) = &under_way
        {
            under_way.upgraded();
        }
        Poll::Ready(Ok(response.map(|body| body.hold(under_way))))
    }
}
