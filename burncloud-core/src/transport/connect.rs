//! Opening a connection: TCP, perhaps a CONNECT through a proxy, perhaps TLS.

use super::Origin;
use super::stream::Stream;
use std::fmt;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Why no connection could be opened. Texts name no credential.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The network refused.
    Io(io::Error),
    /// TLS failed.
    Tls(String),
    /// The proxy refused, with this status line.
    Proxy(String),
    /// HTTP could not be started on the connection.
    Http(hyper::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Io(e) => write!(f, "connect: {e}"),
            ConnectError::Tls(e) => write!(f, "tls: {e}"),
            ConnectError::Proxy(line) => write!(f, "proxy: {line}"),
            ConnectError::Http(e) => write!(f, "http: {e}"),
        }
    }
}

impl std::error::Error for ConnectError {}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> ConnectError {
        ConnectError::Io(error)
    }
}

pub(super) async fn open(origin: &Origin) -> Result<Stream, ConnectError> {
    let (host, port) = origin.proxy().unwrap_or((origin.host(), origin.port()));
    let mut tcp = TcpStream::connect((host, port)).await?;
    // Without it a small request waits 40 ms for the acknowledgement of the one before.
    tcp.set_nodelay(true)?;
    if origin.proxy().is_some() {
        tunnel(&mut tcp, origin).await?;
    }
    if !origin.tls() {
        return Ok(Stream::Plain(tcp));
    }
    #[cfg(feature = "tls")]
    return super::tls::handshake(origin.host(), tcp).await;
    #[cfg(not(feature = "tls"))]
    Err(ConnectError::Tls("built without the feature `tls`".into()))
}

/// Asks an HTTP proxy for a tunnel. The answer's head is read byte by byte, so that nothing of what the
/// provider says first is swallowed; it is bounded to 8 KiB.
async fn tunnel(tcp: &mut TcpStream, origin: &Origin) -> Result<(), ConnectError> {
    let host =
        if origin.host().contains(':') { format!("[{}]", origin.host()) } else { origin.host().into() };
    let target = format!("{host}:{}", origin.port());
    tcp.write_all(format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n").as_bytes()).await?;
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 8192 {
            return Err(ConnectError::Proxy("its answer has no end".into()));
        }
        head.push(tcp.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head);
    let line = text.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        _ => Err(ConnectError::Proxy(line.to_owned())),
    }
}
