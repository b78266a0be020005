//! One request over one connection: what `curl` would do.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Posts JSON and hands each piece of the answer to `each` as it arrives. Returns the status.
///
/// # Errors
/// When the connection fails.
pub(super) async fn post(
    to: SocketAddr,
    path: &str,
    key: &str,
    body: String,
    mut each: impl FnMut(&Bytes) -> Result<(), Error>,
) -> Result<u16, Error> {
    let tcp = TcpStream::connect(to).await?;
    tcp.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::post(path)
        .header(header::HOST, to.to_string())
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let mut answer = sender.send_request(request).await?;
    while let Some(frame) = answer.frame().await {
        if let Ok(data) = frame?.into_data() {
            each(&data)?;
        }
    }
    let status = answer.status().as_u16();
    driver.abort();
    Ok(status)
}
