//! Callers that stop reading, and callers that do not ask.
//!
//! A caller who reads nothing holds an upstream connection, money and permits for as long as its own connection
//! lives, and TCP lets that be for ever. Here a write that makes no progress for a minute ends the connection.
//!
//! So does a caller that sends no request, or not all of its head. hyper would arm a timer for each head; here one per
//! connection looks now and then whether a request has come since it last looked, which costs a request nothing.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a write may make no progress.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a caller may take to send a request's head, or to send nothing on a connection that is kept open; at most
/// twice as long.
pub(super) const HEAD: Duration = Duration::from_secs(75);

/// The requests of a connection, as its service knows them and its stream needs to know.
#[derive(Debug, Default)]
pub(super) struct Activity {
    under_way: AtomicUsize,
    ended: AtomicUsize,
    /// The connection looks after itself: several requests share it (HTTP/2), or it is a web socket by now.
    own: AtomicBool,
}

/// A request under way; dropped, it has ended.
pub(super) struct UnderWay(Arc<Activity>);

impl Activity {
    pub(super) fn begin(self: &Arc<Self>, shared: bool) -> UnderWay {
        self.under_way.fetch_add(1, Relaxed);
        if shared {
            self.own.store(true, Relaxed);
        }
        UnderWay(self.clone())
    }
}

impl UnderWay {
    /// The answer makes something else of the connection than HTTP, which has time limits of its own.
    pub(super) fn upgraded(&self) {
        self.0.own.store(true, Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
        self.0.under_way.fetch_sub(1, Relaxed);
    }
}

/// A stream whose writes must make progress, and on which requests must come.
pub(super) struct Progressing<S> {
    io: S,
    patience: Duration,
    // Armed only while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
    activity: Arc<Activity>,
    /// Looks whether requests came since it looked last, when so many had ended.
    look: Option<Pin<Box<Sleep>>>,
    seen: usize,
}

impl<S> Progressing<S> {
    pub(super) fn new(io: S, patience: Duration, activity: Arc<Activity>) -> Progressing<S> {
        Progressing { io, patience, stalled: None, activity, look: None, seen: 0 }
    }

    /// Whether no request has come for too long.
    fn watch_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let look = self.look.get_or_insert_with(|| Box::pin(sleep(HEAD)));
        while look.as_mut().poll(cx).is_ready() {
            let ended = self.activity.ended.load(Relaxed);
            let busy = self.activity.under_way.load(Relaxed) > 0 || self.activity.own.load(Relaxed);
            if !busy && ended == self.seen {
                let error = io::Error::new(io::ErrorKind::TimedOut, "the caller sent no request in time");
                return Poll::Ready(Err(error));
            }
            self.seen = ended;
            look.as_mut().reset(Instant::now() + HEAD);
        }
        Poll::Pending
    }

    fn watch<T>(&mut self, polled: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        stalled
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the caller stopped reading")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Progressing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if polled.is_pending() { self.watch_idle(cx) } else { polled }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Progressing<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.watch(polled, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.watch(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        if polled.is_pending() { self.watch(polled, cx) } else { polled }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_stops_reading_is_given_up() {
        let (mut caller, ours) = tokio::io::duplex(16);
        let mut ours = Progressing::new(ours, PATIENCE, Arc::default());
        ours.write_all(&[0; 16]).await.unwrap();
        caller.read_exact(&mut [0; 16]).await.unwrap();
        let error = ours.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_never_ends_its_head_is_given_up() {
        let (mut caller, ours) = tokio::io::duplex(16);
        let mut ours = Progressing::new(ours, PATIENCE, Arc::default());
        let drip = async {
            loop {
                tokio::time::sleep(HEAD / 10).await;
                caller.write_all(b"x").await.unwrap();
            }
        };
        let begun = Instant::now();
        let mut head = [0; 1000];
        let read = ours.read_exact(&mut head);
        let error = tokio::select! { _ = drip => unreachable!(), read = read => read.unwrap_err() };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= HEAD && begun.elapsed() <= 2 * HEAD);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_asks_now_and_then_is_not_given_up() {
        let (_caller, ours) = tokio::io::duplex(16);
        let activity = Arc::<Activity>::default();
        let mut ours = Progressing::new(ours, PATIENCE, activity.clone());
        let begun = Instant::now();
        let ask = async {
            // A long one, then short ones with pauses.
            let long = activity.begin(false);
            tokio::time::sleep(3 * HEAD).await;
            drop(long);
            for _ in 0..5 {
                tokio::time::sleep(HEAD - Duration::from_secs(1)).await;
                drop(activity.begin(false));
            }
            std::future::pending::<()>().await;
        };
        let mut byte = [0];
        let error =
            tokio::select! { () = ask => unreachable!(), read = ours.read(&mut byte) => read.unwrap_err() };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() > 8 * HEAD - Duration::from_secs(6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_shared_connection_looks_after_itself() {
        let (_caller, ours) = tokio::io::duplex(16);
        let activity = Arc::<Activity>::default();
        let mut ours = Progressing::new(ours, PATIENCE, activity.clone());
        drop(activity.begin(true));
        let waited = tokio::time::timeout(10 * HEAD, ours.read(&mut [0])).await;
        assert!(waited.is_err());
    }
}
