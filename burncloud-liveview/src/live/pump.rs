//! Between the websocket and the components.

use super::client::Client;
use super::conn::Conn;
use super::filter::{Inbound, inbound};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use dioxus::prelude::*;
use dioxus_liveview::{LiveViewError, LiveViewPool};
use futures_util::{Sink, Stream};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::PollSender;

/// The longest frame that a browser may send, in bytes. What is larger goes by POST.
pub(crate) const MAX_FRAME: usize = 256 << 10;
/// How many frames wait on either side before the faster one has to.
const WAITING: usize = 64;
/// A browser says every 25 s that it is there; this long without a word, and it is not.
const IDLE: Duration = Duration::from_secs(75);
/// How long one frame may take to leave.
const SLOW: Duration = Duration::from_secs(15);
/// The first byte of a frame with edits.
const EDITS: u8 = 1;
const PONG: &[u8] = b"\0__pong__";

/// Why the server closes a socket: a code that the script knows, and a word for whoever debugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Close {
    /// The session ended: the page is loaded anew and leads to the sign-in.
    Ended,
    /// A component panicked: the script starts over.
    Failed,
    /// More events than anybody can click.
    Flood,
}

impl Close {
    fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Close::Ended => (4401, "session ended"),
            Close::Failed => (1011, "page failed"),
            Close::Flood => (1008, "too many events"),
        };
        CloseFrame { code, reason: reason.into() }
    }
}

/// The components' side of the socket.
struct Pipe {
    out: PollSender<Vec<u8>>,
    events: mpsc::Receiver<Vec<u8>>,
}

impl Stream for Pipe {
    type Item = Result<Vec<u8>, LiveViewError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(ready!(self.events.poll_recv(cx)).map(Ok))
    }
}

impl Sink<Vec<u8>> for Pipe {
    type Error = LiveViewError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), LiveViewError>> {
        self.out.poll_reserve(cx).map_err(|_| LiveViewError::SendingFailed)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Vec<u8>) -> Result<(), LiveViewError> {
        self.out.send_item(frame).map_err(|_| LiveViewError::SendingFailed)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), LiveViewError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), LiveViewError>> {
        Poll::Ready(Ok(()))
    }
}

/// What the pump does with what came from the browser.
struct Intake {
    events: mpsc::Sender<Vec<u8>>,
    moves: watch::Sender<String>,
}

impl Intake {
    /// Passes it on; the reason to close where there is one. What means nothing is dropped.
    fn take(&self, text: &str) -> Result<(), Close> {
        let event = match inbound(text) {
            Some(Inbound::Ping) => b"__ping__".to_vec(),
            Some(Inbound::Event(event)) => event,
            Some(Inbound::Move(path)) => {
                // Only the last one counts: somebody who goes back five times wants the fifth page.
                self.moves.send_replace(path);
                return Ok(());
            }
            None => return Ok(()),
        };
        match self.events.try_send(event) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Close::Flood),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Close::Failed),
        }
    }
}

/// Whether a frame of the components may leave: edits, commands and the answer to a ping, never what dioxus would have
/// the browser evaluate.
fn may_leave(frame: &[u8]) -> bool {
    matches!(frame.first(), Some(&EDITS | &super::client::COMMAND)) || frame == PONG
}

/// Runs one page on one socket, until either goes away or the session ends.
pub(crate) async fn pump(
    mut socket: WebSocket,
    pool: LiveViewPool,
    conn: Conn,
    app: fn() -> Element,
    build: &str,
) {
    let (out, mut frames) = mpsc::channel::<Vec<u8>>(WAITING);
    let (events, inbox) = mpsc::channel::<Vec<u8>>(WAITING);
    let (moves, moved) = watch::channel(conn.path.clone());
    let client = Client::new(out.clone());
    client.hello(build);
    let ended = conn.viewer.ended.clone();
    let conn = conn.live(client, moved);
    let pipe = Pipe { out: PollSender::new(out), events: inbox };
    let intake = Intake { events, moves };
    let page = async move {
        let look = conn.look.clone();
        let dom = move || VirtualDom::new(app).with_root_context(look).with_root_context(conn);
        pool.launch_virtualdom(pipe, dom).await
    };
    // On a task of its own: a panic in it is that page's end only.
    let mut page = tokio::spawn(page);
    let mut heard = Instant::now();
    let close = loop {
        tokio::select! {
            Some(frame) = frames.recv() => {
                if !may_leave(&frame) {
                    continue;
                }
                match timeout(SLOW, socket.send(Message::Binary(frame.into()))).await {
                    Ok(Ok(())) => {}
                    _ => break None,
                }
            }
            message = socket.recv() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) => if let Err(close) = intake.take(&text) { break Some(close) },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => break None,
                }
            }
            () = sleep_until(heard + IDLE) => break None,
            () = ended.cancelled() => break Some(Close::Ended),
            _ = &mut page => break Some(Close::Failed),
        }
    };
    if let Some(close) = close {
        tracing::debug!(?close, "a console page was closed");
        let _ = timeout(SLOW, socket.send(Message::Close(Some(close.frame())))).await;
    }
    // The channels end here, and the components with them.
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake(room: usize) -> (Intake, mpsc::Receiver<Vec<u8>>, watch::Receiver<String>) {
        let (events, inbox) = mpsc::channel(room);
        let (moves, moved) = watch::channel(String::new());
        (Intake { events, moves }, inbox, moved)
    }

    #[tokio::test]
    async fn only_the_last_of_many_moves_counts_and_none_is_a_flood() {
        let (intake, _inbox, moved) = intake(1);
        for n in 0..1_000 {
            intake.take(&format!(r#"{{"method":"nav","params":"/console/{n}"}}"#)).unwrap();
        }
        assert_eq!(*moved.borrow(), "/console/999");
    }

    #[tokio::test]
    async fn events_beyond_what_may_wait_close_the_socket() {
        let (intake, mut inbox, _moved) = intake(2);
        let event = r#"{"method":"user_event","params":{}}"#;
        assert_eq!([intake.take(event), intake.take("__ping__")], [Ok(()), Ok(())]);
        assert_eq!(intake.take(event), Err(Close::Flood));
        inbox.recv().await.unwrap();
        assert_eq!(inbox.recv().await.unwrap(), b"__ping__");
        assert_eq!(intake.take("nonsense"), Ok(()));
        drop(inbox);
        assert_eq!(intake.take(event), Err(Close::Failed));
    }

    #[test]
    fn nothing_that_would_be_evaluated_leaves() {
        assert!(may_leave(&[1, 0]) && may_leave(&[2, b'[']) && may_leave(PONG));
        assert!(!may_leave(b"\0{\"type\":\"query\",\"data\":\"alert(1)\"}"));
        assert!(!may_leave(b"") && !may_leave(&[3]));
    }
}
