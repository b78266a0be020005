//! One connection, driven by whoever holds it.

use super::stream::Stream;
use super::{ConnectError, Origin};
use crate::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Idle connections, the oldest first. Boxed: one moves between list and request as a pointer, not as a
/// kilobyte.
pub(super) type Shard = Mutex<Vec<Box<Conn>>>;

pub(super) struct Conn {
    sender: http1::SendRequest<Body>,
    io: http1::Connection<TokioIo<Stream>, Body>,
    pub(super) idle_since: Instant,
}

impl Conn {
    pub(super) async fn open(origin: &Origin) -> Result<Conn, ConnectError> {
        let stream = super::connect::open(origin).await?;
        let (sender, io) =
            http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(ConnectError::Http)?;
        Ok(Conn { sender, io, idle_since: Instant::now() })
    }

    /// Whether an idle connection can be used: one look at the socket, without waiting. A connection that
    /// ended, or on which the provider spoke out of turn, is of no use.
    pub(super) fn usable(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        // Unconstrained: with the task's budget spent, tokio would say "pending" without a look at the socket.
        let io = pin!(tokio::task::unconstrained(&mut self.io));
        io.poll(&mut cx).is_pending() && self.sender.is_ready()
    }

    /// Sends a request and drives the connection until the answer's head is there. With the error comes the
    /// request, if not a byte of it was taken.
    ///
    /// The future of the answer needs no waker of its own: it becomes ready only through the connection,
    /// which is polled just before it in the same task. It must not be stopped by the task's budget either: the
    /// waker that is told then is the one that wakes nobody.
    pub(super) fn try_send(&mut self, request: Request<Body>) -> impl Future<Output = Sent> + Send + '_ {
        let answer = tokio::task::unconstrained(self.sender.try_send_request(request));
        Exchange { io: &mut self.io, answer, ended: false }
    }

    /// Drives the connection on behalf of the answer's body. `true` when the connection has ended.
    pub(super) fn poll_drive(&mut self, cx: &mut Context<'_>) -> bool {
        Pin::new(&mut self.io).poll(cx).is_ready()
    }
}

/// What became of a request.
type Sent = Result<Response<Incoming>, (hyper::Error, Option<Request<Body>>)>;

pin_project! {
    /// See [`Conn::try_send`]. Written out because an `async` block would hold the request twice.
    struct Exchange<'a, F> {
        io: &'a mut http1::Connection<TokioIo<Stream>, Body>,
        #[pin]
        answer: F,
        ended: bool,
    }
}

impl<F> Future for Exchange<'_, F>
where
    F: Future<Output = Result<Response<Incoming>, TrySendError<Request<Body>>>>,
{
    type Output = Sent;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Sent> {
        let this = self.project();
        // hyper answers every request on a connection before the connection's future ends.
        *this.ended = *this.ended || Pin::new(&mut **this.io).poll(cx).is_ready();
        match this.answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
            Poll::Ready(Err(mut failed)) => {
                let unsent = failed.take_message();
                Poll::Ready(Err((failed.into_error(), unsent)))
            }
            Poll::Pending => {
                if *this.ended {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }
}
