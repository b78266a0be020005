//! Just enough HTTP/1.1 to see every byte: heads, headers in order and case, and bodies with the borders at which
//! they were sent. Used by both the fake provider and the raw client.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Headers in the order and case in which they arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value of `name`, compared without regard to case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every value of `name`.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// A start line and headers.
#[derive(Clone, Debug)]
pub struct Head {
    /// `POST /v1/x HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub start: String,
    /// The headers.
    pub headers: Headers,
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By its own framing: the whole length, or the last chunk.
    Complete,
    /// The connection was closed before the framing said so.
    Cut,
    /// The connection was reset before the framing said so.
    Reset,
}

/// A body with the borders at which it was framed.
#[derive(Clone, Debug)]
pub struct Framed {
    /// Chunk by chunk as sent; one element for a body with a length.
    pub frames: Vec<Vec<u8>>,
    /// How it ended.
    pub ended: Ended,
}

impl Framed {
    /// The frames joined.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.frames.concat()
    }
}

/// A reader with a buffer of its own, so that what follows one message is kept for the next.
#[derive(Debug)]
pub struct Reader<R> {
    inner: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, buffer: Vec::new() }
    }

    /// What it reads from; bytes already read ahead are dropped.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// Reads more into the buffer; 0 at the end.
    async fn fill(&mut self) -> io::Result<usize> {
        let mut piece = vec![0; 64 * 1024];
        let read = self.inner.read(&mut piece).await?;
        self.buffer.extend_from_slice(&piece[..read]);
        Ok(read)
    }

    /// Waits until the peer closes or resets; what arrives before that is dropped.
    pub async fn closed(&mut self) {
        while self.fill().await.is_ok_and(|read| read > 0) {
            self.buffer.clear();
        }
    }

    /// The next head; `None` when the peer closed before one began.
    ///
    /// # Errors
    ///
    /// A reset, or a close in the middle of a head.
    pub async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 4);
                return Ok(Some(parse_head(&text)));
            }
            if self.fill().await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// The body that follows `headers`. A response without framing runs `until_close`.
    pub async fn body(&mut self, headers: &Headers, until_close: bool) -> Framed {
        let mut frames = Vec::new();
        let ended = if headers.get("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
            loop {
                match self.chunk().await {
                    Ok(Some(chunk)) if chunk.is_empty() => break Ended::Complete,
                    Ok(Some(chunk)) => frames.push(chunk),
                    Ok(None) => break Ended::Cut,
                    Err(_) => break Ended::Reset,
                }
            }
        } else if let Some(length) = headers.get("content-length").and_then(|value| value.parse().ok()) {
            let (bytes, ended) = self.take(length).await;
            frames.push(bytes);
            ended
        } else if until_close {
            let (bytes, ended) = self.take(usize::MAX).await;
            frames.push(bytes);
            if ended == Ended::Cut { Ended::Complete } else { ended }
        } else {
            Ended::Complete
        };
        Framed { frames, ended }
    }

    /// One chunk of a chunked body: empty for the last one, `None` when the peer closed instead.
    ///
    /// # Errors
    ///
    /// A reset.
    pub async fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line_end = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                break end;
            }
            if self.fill().await? == 0 {
                return Ok(None);
            }
        };
        let line = String::from_utf8_lossy(&self.buffer[..line_end]).into_owned();
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("not a chunk size: {line:?}")))?;
        while self.buffer.len() < line_end + 2 + size + 2 {
            if self.fill().await? == 0 {
                return Ok(None);
            }
        }
        let chunk = self.buffer[line_end + 2..line_end + 2 + size].to_vec();
        self.buffer.drain(..line_end + 2 + size + 2);
        Ok(Some(chunk))
    }

    async fn take(&mut self, length: usize) -> (Vec<u8>, Ended) {
        while self.buffer.len() < length {
            match self.fill().await {
                Ok(0) => return (std::mem::take(&mut self.buffer), Ended::Cut),
                Ok(_) => {}
                Err(_) => return (std::mem::take(&mut self.buffer), Ended::Reset),
            }
        }
        let rest = self.buffer.split_off(length);
        (std::mem::replace(&mut self.buffer, rest), Ended::Complete)
    }
}

fn parse_head(text: &str) -> Head {
    let mut lines = text.split("\r\n");
    let start = lines.next().unwrap_or_default().to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    Head { start, headers: Headers(headers) }
}

/// One chunk as it goes on the wire.
#[must_use]
pub fn encode_chunk(bytes: &[u8]) -> Vec<u8> {
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

/// A body cut after each blank line: the events of an SSE stream, each with its own terminator.
#[must_use]
pub fn sse_frames(body: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < body.len() {
        let step = if body[at..].starts_with(b"\r\n\r\n") {
            4
        } else if body[at..].starts_with(b"\n\n") {
            2
        } else {
            at += 1;
            continue;
        };
        at += step;
        frames.push(body[start..at].to_vec());
        start = at;
    }
    if start < body.len() {
        frames.push(body[start..].to_vec());
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_what_chunked_framing_says() {
        let wire: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
        let mut reader = Reader::new(wire);
        let head = reader.head().await.unwrap().unwrap();
        let body = reader.body(&head.headers, true).await;
        assert_eq!(body.frames, [b"abc".to_vec(), b"d".to_vec()]);
        assert_eq!(body.ended, Ended::Complete);
        assert_eq!(reader.head().await.unwrap().unwrap().start, "HTTP/1.1 204 No");
    }

    #[tokio::test]
    async fn a_short_body_is_cut() {
        let mut reader = Reader::new(&b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"[..]);
        let head = reader.head().await.unwrap().unwrap();
        let body = reader.body(&head.headers, true).await;
        assert_eq!((body.bytes().as_slice(), body.ended), (&b"abc"[..], Ended::Cut));
    }

    #[test]
    fn cuts_sse_at_both_kinds_of_blank_line() {
        let body = b"data: 1\r\n\r\ndata: 2\n\ndata: 3";
        assert_eq!(
            sse_frames(body),
            [b"data: 1\r\n\r\n".to_vec(), b"data: 2\n\n".to_vec(), b"data: 3".to_vec()]
        );
    }
}
