//! A raw HTTP/1.1 caller: sends bytes as slowly and as oddly as a test wants, and keeps what comes back as it came.

use crate::http1::{Ended, Framed, Head, Headers, Reader, encode_chunk};
use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// A response as it came.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Headers,
    /// The body and its borders.
    pub body: Framed,
}

impl Response {
    /// The body's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.body.bytes()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is not JSON, showing what it is.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes()).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    /// The gateway's id of this request.
    ///
    /// # Panics
    ///
    /// When the response carries none.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.headers
            .get("x-burncloud-trace-id")
            .unwrap_or_else(|| panic!("no trace id in {self:?}"))
            .to_owned()
    }
}

/// A request to be sent: build, then [`Request::encode`] or [`Request::send`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers in order; `host` and the framing are added when encoded.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self { method: "GET".into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A JSON `POST`.
    #[must_use]
    pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".into(), "application/json".into())];
        Self { method: "POST".into(), target: target.into(), headers, body: body.into() }
    }

    /// A JSON `POST` of a value.
    #[must_use]
    pub fn json(target: &str, body: &Value) -> Self {
        Self::post(target, body.to_string())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds `authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// The head as it goes on the wire, with `framing` as its last header line.
    fn encode_head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: gateway.test\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(framing);
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// The whole request with `content-length`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut wire = self.encode_head(&format!("content-length: {}\r\n", self.body.len()));
        wire.extend_from_slice(&self.body);
        wire
    }

    /// The whole request with a chunked body, `size` bytes a chunk.
    #[must_use]
    pub fn encode_chunked(&self, size: usize) -> Vec<u8> {
        let mut wire = self.encode_head("transfer-encoding: chunked\r\n");
        for chunk in self.body.chunks(size) {
            wire.extend_from_slice(&encode_chunk(chunk));
        }
        wire.extend_from_slice(b"0\r\n\r\n");
        wire
    }

    /// Sends over a connection of its own and reads the whole response.
    ///
    /// # Panics
    ///
    /// When there is no response within [`crate::PATIENCE`].
    pub async fn send(&self, addr: SocketAddr) -> Response {
        self.try_send(addr).await.unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
    }

    /// As [`Request::send`], for a test in which the gateway may be gone.
    ///
    /// # Errors
    ///
    /// When the connection fails or there is no head within [`crate::PATIENCE`].
    pub async fn try_send(&self, addr: SocketAddr) -> io::Result<Response> {
        let mut connection = Connection::open(addr).await?;
        connection.write(&self.encode()).await?;
        connection.response().await
    }
}

/// One connection to the gateway.
#[derive(Debug)]
pub struct Connection {
    reader: Reader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When nobody listens.
    pub async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader: Reader::new(reader), writer })
    }

    /// Writes.
    ///
    /// # Errors
    ///
    /// When the gateway has closed.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await
    }

    /// Writes in pieces of `size` bytes, `gap` apart.
    ///
    /// # Errors
    ///
    /// When the gateway has closed.
    pub async fn write_slowly(&mut self, bytes: &[u8], size: usize, gap: Duration) -> io::Result<()> {
        for piece in bytes.chunks(size) {
            self.writer.write_all(piece).await?;
            if gap.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(gap).await;
            }
        }
        Ok(())
    }

    /// The next response's head.
    ///
    /// # Errors
    ///
    /// When the connection ends first, or nothing comes within [`crate::PATIENCE`].
    pub async fn head(&mut self) -> io::Result<(u16, Headers)> {
        let head = tokio::time::timeout(crate::PATIENCE, self.reader.head()).await??;
        let Head { start, headers } = head.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = start.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok((status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, start))?, headers))
    }

    /// The next chunk of a streamed body; empty for the last, `None` when the gateway closed instead.
    ///
    /// # Errors
    ///
    /// A reset, or nothing within [`crate::PATIENCE`].
    pub async fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        tokio::time::timeout(crate::PATIENCE, self.reader.chunk()).await?
    }

    /// The next `count` bytes, whatever they mean.
    ///
    /// # Errors
    ///
    /// When the gateway closes first, or nothing comes within [`crate::PATIENCE`].
    pub async fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let headers = Headers(vec![("content-length".into(), count.to_string())]);
        let body = self.rest(&headers).await?;
        if body.ended == Ended::Complete {
            Ok(body.bytes())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// The rest of the body after its head and perhaps some chunks.
    ///
    /// # Errors
    ///
    /// When it does not end within [`crate::PATIENCE`].
    pub async fn rest(&mut self, headers: &Headers) -> io::Result<Framed> {
        Ok(tokio::time::timeout(crate::PATIENCE, self.reader.body(headers, true)).await?)
    }

    /// The next whole response.
    ///
    /// # Errors
    ///
    /// As [`Connection::head`] and [`Connection::rest`].
    pub async fn response(&mut self) -> io::Result<Response> {
        loop {
            let (status, headers) = self.head().await?;
            if status == 100 {
                continue;
            }
            let empty = matches!(status, 204 | 304);
            let body = if empty {
                Framed { frames: Vec::new(), ended: Ended::Complete }
            } else {
                self.rest(&headers).await?
            };
            return Ok(Response { status, headers, body });
        }
    }

    /// Reads whatever comes and drops it, and writes `word` every so often, until the gateway closes.
    ///
    /// # Errors
    ///
    /// A reset.
    pub async fn drain(self, word: &[u8], every: Duration) -> io::Result<()> {
        let Self { reader, mut writer } = self;
        let (mut reader, mut sink) = (reader.into_inner(), tokio::io::sink());
        let mut reading = std::pin::pin!(tokio::io::copy(&mut reader, &mut sink));
        loop {
            match tokio::time::timeout(every, &mut reading).await {
                Ok(closed) => return closed.map(drop),
                Err(_) => writer.write_all(word).await?,
            }
        }
    }

    /// Hangs up with a reset, as a process that dies does.
    ///
    /// # Panics
    ///
    /// When the two halves are not of one socket, which cannot be.
    pub fn hang_up(self) {
        let Self { reader, writer } = self;
        let stream = reader.into_inner().reunite(writer).expect("two halves of one socket");
        reset(stream);
    }
}

/// Closes a socket so that the peer sees a reset.
pub fn reset(stream: TcpStream) {
    // Failing to set it leaves an ordinary close, which the tests that need a reset would notice.
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}
