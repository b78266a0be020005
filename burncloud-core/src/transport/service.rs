//! The innermost service: sends an attempt to its lane's provider.

use super::SendError;
use crate::context::Context;
use crate::{Body, Error, ErrorKind};
use http::{Request, Response};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use tower::Service;

/// Sends attempts. Reads `lane`; leaves everything else as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transport;

/// An attempt under way. Dropping it closes its connection.
pub struct TransportFuture(Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>);

impl fmt::Debug for TransportFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransportFuture")
    }
}

impl Future for TransportFuture {
    type Output = Result<Response<Body>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

fn failed(error: &SendError) -> Error {
    let (kind, text) = match error {
        SendError::Connect(_) => (ErrorKind::BadGateway, "the provider cannot be reached"),
        SendError::ConnectTimeout => (ErrorKind::GatewayTimeout, "the provider cannot be reached in time"),
        SendError::Broken(_) => (ErrorKind::BadGateway, "the provider broke off before it answered"),
    };
    Error::new(kind, text).with_context(error.to_string())
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Body>;
    type Error = Error;
    type Future = TransportFuture;

    fn poll_ready(&mut self, _cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> TransportFuture {
        // The context stays here: a provider's connection has no use for it.
        let context = std::mem::take(request.extensions_mut());
        let lane = context.get::<Context>().and_then(|context| context.lane.clone());
        drop(context);
        *request.version_mut() = http::Version::HTTP_11;
        TransportFuture(Box::pin(async move {
            let Some(lane) = lane else {
                return Err(Error::new(ErrorKind::Internal, "an attempt without a channel"));
            };
            let connect = lane.channel.timeouts.connect;
            let mut response =
                lane.channel.upstream.send(request, connect).await.map_err(|error| failed(&error))?;
            response.extensions_mut().clear();
            Ok(response.map(Body::from))
        }))
    }
}
