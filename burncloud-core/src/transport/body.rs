//! A provider's answer on its way: drives its connection, joins what has arrived, gives the connection back.

use super::conn::{Conn, Shard};
use super::upstream::give_back;
use bytes::{Bytes, BytesMut};
use http::Response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// How many bytes of frames that have already arrived are joined into one. Nothing waits for more: a paced
/// stream is not delayed, a burst costs one write instead of many. Only chunk borders move.
pub const JOIN_LIMIT: usize = 64 * 1024;

/// The body of a provider's answer.
pub struct UpstreamBody {
    body: Incoming,
    conn: Option<Box<Conn>>,
    shard: Arc<Shard>,
    /// What ended the last joining, told once the joined bytes are out.
    pending_error: Option<hyper::Error>,
    done: bool,
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("done", &self.done).finish_non_exhaustive()
    }
}

impl UpstreamBody {
    pub(super) fn wrap(
        response: Response<Incoming>,
        conn: Box<Conn>,
        shard: Arc<Shard>,
    ) -> Response<UpstreamBody> {
        response.map(|body| {
            let mut body = UpstreamBody { body, conn: Some(conn), shard, pending_error: None, done: false };
            if body.body.is_end_stream() {
                body.finish();
            }
            body
        })
    }

    /// The answer was read to its end: the connection may serve another request.
    fn finish(&mut self) {
        self.done = true;
        if let Some(conn) = self.conn.take() {
            give_back(&self.shard, conn);
        }
    }

    /// The next frame of hyper's, the connection being driven for it.
    ///
    /// The body's own waker is not needed: it gets bytes only from the connection, which was polled with
    /// the task's waker right before, after the body had said (by being polled) that it wants more. Were it
    /// registered, each frame would wake the task once more for nothing.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let noop = &mut Context::from_waker(Waker::noop());
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(noop) {
            return Poll::Ready(frame);
        }
        if let Some(conn) = &mut self.conn
            && conn.poll_drive(cx)
        {
            // It ended: what it had is in the body's channel, and nothing comes after that.
            self.conn = None;
        }
        Pin::new(&mut self.body).poll_frame(noop)
    }

    /// Bytes that are here, joined.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        if let Some(error) = self.pending_error.take() {
            self.done = true;
            return Poll::Ready(Some(Err(error)));
        }
        let mut joined = Joined::default();
        while !self.done && joined.len() < JOIN_LIMIT {
            match self.poll_next(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        joined.push(data);
                    }
                    if self.body.is_end_stream() {
                        self.finish();
                    }
                }
                Poll::Ready(None) => self.finish(),
                Poll::Ready(Some(Err(error))) => {
                    self.conn = None;
                    if joined.len() == 0 {
                        self.done = true;
                        return Poll::Ready(Some(Err(error)));
                    }
                    self.pending_error = Some(error);
                    break;
                }
                Poll::Pending if joined.len() == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(joined.into_bytes().map(Ok))
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.done && self.pending_error.is_none()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        if self.done { SizeHint::with_exact(0) } else { self.body.size_hint() }
    }
}

/// One frame is passed on as it is; two or more are copied together.
#[derive(Default)]
struct Joined {
    first: Option<Bytes>,
    rest: Option<BytesMut>,
}

impl Joined {
    fn len(&self) -> usize {
        match (&self.rest, &self.first) {
            (Some(rest), _) => rest.len(),
            (None, Some(first)) => first.len(),
            (None, None) => 0,
        }
    }

    fn push(&mut self, data: Bytes) {
        match (&mut self.rest, &self.first) {
            (Some(rest), _) => rest.extend_from_slice(&data),
            (None, None) => self.first = Some(data).filter(|d| !d.is_empty()),
            (None, Some(first)) => {
                let mut rest = BytesMut::with_capacity((first.len() + data.len()).max(8 * 1024));
                rest.extend_from_slice(first);
                rest.extend_from_slice(&data);
                self.rest = Some(rest);
            }
        }
    }

    fn into_bytes(self) -> Option<Bytes> {
        self.rest.map(BytesMut::freeze).or(self.first)
    }
}
