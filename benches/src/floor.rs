//! The floor: the least that a proxy on hyper does.
//!
//! One thread, HTTP/1 on both sides, hyper-util's pooled client, no Nagle's delay. A request is sent on as it
//! came, but for its authority; an answer is passed back as it came. Nothing is looked at, counted or timed.

use std::net::SocketAddr;

use http::{
    HeaderValue, Request, Response, Uri,
    header::HOST,
    uri::{Authority, PathAndQuery, Scheme},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};

use crate::{Error, net};

/// Where the floor listens and what it stands before.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:3001")]
    listen: SocketAddr,
    /// Host and port of the upstream
    #[arg(long, default_value = "127.0.0.1:3002")]
    upstream: Authority,
}

#[derive(Debug)]
struct Floor {
    client: Client<HttpConnector, Incoming>,
    authority: Authority,
    host: HeaderValue,
}

impl Floor {
    fn new(upstream: Authority) -> Result<Self, Error> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let host = HeaderValue::from_str(upstream.as_str())?;
        Ok(Self { client, authority: upstream, host })
    }

    async fn forward(
        &self,
        mut request: Request<Incoming>,
    ) -> Result<Response<Incoming>, hyper_util::client::legacy::Error> {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
        // The three parts that an absolute URI needs are there.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        request.headers_mut().insert(HOST, self.host.clone());
        self.client.request(request).await
    }
}

/// Proxies until it is killed.
pub(crate) fn run(args: Args) -> Result<(), Error> {
    // For the life of the process: a reference costs nothing per request, not even a count.
    let floor: &'static Floor = Box::leak(Box::new(Floor::new(args.upstream)?));
    net::block_on(net::accept(args.listen, move |stream| async move {
        let service = service_fn(move |request| floor.forward(request));
        // Small frames are cheaper copied together than gathered by the kernel: a tenth of a stream's cost.
        let mut http = http1::Builder::new();
        // A caller that goes away is no failure of the floor.
        let _ = http.writev(false).serve_connection(TokioIo::new(stream), service).await;
    }))
}
