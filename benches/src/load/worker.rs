//! One connection of the load.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use tokio::net::TcpStream;

use super::{Shared, body};
use crate::{Error, cells};

const KEPT_FAILURES: usize = 5;

/// Sends requests one after another until there is no time left; a lost connection is a failure and made anew.
pub(super) async fn run(shared: Rc<Shared>, stagger: Duration) {
    let paced = cells::PACED_MARKS.iter().any(|m| memmem::find(&shared.body, m.as_bytes()).is_some());
    if paced {
        tokio::time::sleep(stagger).await;
    }
    let mut sender = None;
    while shared.may_begin() {
        let result = match sender.take() {
            Some(sender) => request(&shared, sender, paced).await,
            None => match connect(&shared).await {
                Ok(sender) => request(&shared, sender, paced).await,
                Err(error) => Err(error),
            },
        };
        match result {
            Ok(next) => sender = Some(next),
            Err(error) => fail(&shared, &error),
        }
    }
}

fn fail(shared: &Shared, error: &Error) {
    let mut seen = shared.seen.borrow_mut();
    seen.errors += 1;
    if seen.failures.len() < KEPT_FAILURES {
        seen.failures.push(error.to_string());
    }
}

async fn connect(shared: &Shared) -> Result<SendRequest<Full<Bytes>>, Error> {
    let stream = TcpStream::connect(shared.target).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // An error of the connection comes out of the request that it breaks.
    tokio::task::spawn_local(connection);
    Ok(sender)
}

async fn request(
    shared: &Shared,
    mut sender: SendRequest<Full<Bytes>>,
    paced: bool,
) -> Result<SendRequest<Full<Bytes>>, Error> {
    let mut request = Request::new(Full::new(shared.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = shared.uri.clone();
    let headers = request.headers_mut();
    headers.insert(header::HOST, shared.host.clone());
    headers.insert(header::AUTHORIZATION, shared.authorization.clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("gateway-bench"));

    sender.ready().await?;
    let begun = Instant::now();
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(body::refuse(response.status(), response.into_body()).await);
    }
    let answer = body::read(response.into_body(), paced).await?;
    let ended = Instant::now();

    let mut seen = shared.seen.borrow_mut();
    let expected = *seen.body_bytes.get_or_insert(answer.bytes);
    if answer.bytes != expected {
        return Err(format!("{} bytes instead of {expected}", answer.bytes).into());
    }
    seen.requests += 1;
    seen.latency.push(nanos(ended - begun));
    seen.first_byte.push(nanos(answer.first_byte.unwrap_or(ended) - begun));
    seen.chunk.extend(answer.chunks);
    Ok(sender)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
