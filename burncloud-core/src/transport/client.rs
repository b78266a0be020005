//! A small client for what is asked beside the requests: token services, health of a provider.

use super::{Origin, Upstream};
use crate::{Body, Error, ErrorKind};
use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use std::time::Duration;

/// Most bytes of an answer that are kept, unless said otherwise.
const ANSWER_LIMIT: usize = 1 << 20;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Asks for small documents, each over a connection of its own.
#[derive(Clone)]
pub struct Client {
    proxy: Option<String>,
    most: usize,
}

impl Default for Client {
    fn default() -> Client {
        Client::new(None)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

fn failed(context: String) -> Error {
    Error::new(ErrorKind::BadGateway, "a service that the provider needs could not be asked")
        .with_context(context)
}

impl Client {
    /// Through this HTTP proxy, or directly.
    #[must_use]
    pub fn new(proxy: Option<String>) -> Client {
        Client { proxy, most: ANSWER_LIMIT }
    }

    /// Takes answers of at most so many bytes, instead of a mebibyte.
    #[must_use]
    pub fn most(mut self, bytes: usize) -> Client {
        self.most = bytes;
        self
    }

    /// Sends a request with an absolute URI and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`ErrorKind::BadGateway`] without an answer, or with one that is too long;
    /// [`ErrorKind::GatewayTimeout`] when it takes longer than `within`.
    pub async fn send(&self, request: Request<Bytes>, within: Duration) -> Result<Response<Bytes>, Error> {
        tokio::time::timeout(within, self.exchange(request)).await.map_err(|_| {
            Error::new(ErrorKind::GatewayTimeout, "a service that the provider needs did not answer")
        })?
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let (mut head, body) = request.into_parts();
        let origin =
            Origin::new(&head.uri, self.proxy.as_deref()).map_err(|(_, why)| failed(why.to_string()))?;
        let host = HeaderValue::from_str(origin.authority()).map_err(|e| failed(e.to_string()))?;
        head.headers.insert(HOST, host);
        head.uri = Uri::from(head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")));
        let request = Request::from_parts(head, Body::from(body));
        let answer = Upstream::new(origin).send(request, CONNECT_WITHIN).await;
        let (head, mut body) = answer.map_err(|e| failed(e.to_string()))?.map(Body::from).into_parts();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(|e| failed(e.to_string()))?.into_data() {
                bytes.extend_from_slice(&data);
            }
            if bytes.len() > self.most {
                return Err(failed("its answer is too long".to_owned()));
            }
        }
        Ok(Response::from_parts(head, bytes.freeze()))
    }
}
