//! An event stream that never ends in silence and never falls silent.

use super::shape;
use crate::quiet::Quiet;
use crate::sse::at_boundary;
use crate::{Body, BoxError, Dialect, Error, Operation};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Wraps the body of an event stream.
pub(super) struct EventStream {
    inner: Option<Body>,
    dialect: Dialect,
    operation: Operation,
    keep_alive: Option<(Quiet, &'static [u8])>,
    /// The last four bytes: an event's end may come in pieces.
    tail: [u8; 4],
    at_boundary: bool,
}

impl EventStream {
    pub(super) fn new(
        inner: Body,
        dialect: Dialect,
        operation: Operation,
        keep_alive: Option<Duration>,
    ) -> EventStream {
        let sign = keep_alive_of(dialect).zip(keep_alive);
        let keep_alive = sign.map(|(bytes, after)| (Quiet::new(after, None), bytes));
        EventStream {
            inner: Some(inner),
            dialect,
            operation,
            keep_alive,
            tail: *b"\n\n\n\n",
            at_boundary: true,
        }
    }

    fn failure(&self, error: BoxError) -> Bytes {
        let error = Error::from(error);
        tracing::debug!(context = error.context(), "a stream failed: {error}");
        let json = shape::body(&error, self.dialect, "");
        let event = match (self.dialect, self.operation) {
            (Dialect::OpenAi, Operation::Responses) => {
                let mut json = json;
                json["type"] = "error".into();
                format!("event: error\ndata: {json}\n\n")
            }
            (Dialect::Anthropic, _) => format!("event: error\ndata: {json}\n\n"),
            (Dialect::Gemini, _) => format!("data: {json}\r\n\r\n"),
            _ => format!("data: {json}\n\n"),
        };
        // What was begun is ended first, or the event would be part of it.
        let gap = if self.at_boundary { "" } else { "\n\n" };
        Bytes::from(format!("{gap}{event}"))
    }

    fn silent(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let Some((quiet, sign)) = &mut self.keep_alive else { return Poll::Pending };
        loop {
            std::task::ready!(quiet.poll(cx));
            quiet.heard();
            if self.at_boundary {
                return Poll::Ready(Bytes::from_static(sign));
            }
        }
    }
}

/// What the dialect's SDK passes over. Google's would raise an error on a comment, so it gets none.
fn keep_alive_of(dialect: Dialect) -> Option<&'static [u8]> {
    match dialect {
        Dialect::OpenAi | Dialect::Cohere => Some(b": keep-alive\n\n"),
        Dialect::Anthropic => Some(b"event: ping\ndata: {\"type\": \"ping\"}\n\n"),
        Dialect::Gemini | Dialect::Bedrock => None,
    }
}

impl HttpBody for EventStream {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        match Pin::new(inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    let kept = this.tail.len();
                    let (tail, last) = (&mut this.tail, &data[data.len().saturating_sub(4)..]);
                    tail.rotate_left(last.len());
                    tail[kept - last.len()..].copy_from_slice(last);
                    this.at_boundary = at_boundary(tail);
                }
                if let Some((quiet, _)) = &mut this.keep_alive {
                    quiet.heard();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let event = this.failure(error);
                this.inner = None;
                Poll::Ready(Some(Ok(Frame::data(event))))
            }
            Poll::Ready(None) => {
                this.inner = None;
                Poll::Ready(None)
            }
            Poll::Pending => this.silent(cx).map(|sign| Some(Ok(Frame::data(sign)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use http_body_util::{BodyExt, StreamBody};

    type Item = Result<Frame<Bytes>, BoxError>;

    fn stream(dialect: Dialect, items: Vec<Item>) -> EventStream {
        let body = Body::new(StreamBody::new(Iter(items.into_iter())));
        EventStream::new(body, dialect, Operation::Chat, None)
    }

    struct Iter(std::vec::IntoIter<Item>);
    impl futures_core::Stream for Iter {
        type Item = Item;
        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Item>> {
            Poll::Ready(self.0.next())
        }
    }

    fn data(text: &'static str) -> Item {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    fn broken() -> Item {
        Err(Error::new(ErrorKind::BadGateway, "the provider's answer broke off").into())
    }

    async fn text(stream: EventStream) -> String {
        String::from_utf8(stream.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_failure_becomes_the_dialects_event() {
        let openai = text(stream(Dialect::OpenAi, vec![data("data: {}\n\n"), broken()])).await;
        assert!(openai.starts_with("data: {}\n\ndata: {\"error\":{"), "{openai}");
        let anthropic = text(stream(Dialect::Anthropic, vec![data("event: x\nda"), broken()])).await;
        assert!(anthropic.starts_with("event: x\nda\n\nevent: error\ndata: {"), "{anthropic}");
        let gemini = text(stream(Dialect::Gemini, vec![broken()])).await;
        assert!(gemini.ends_with("}\r\n\r\n") && gemini.contains("\"UNAVAILABLE\""), "{gemini}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_broken_only_between_events() {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<Item>();
        let inner = Body::new(StreamBody::new(Channel(receiver)));
        let after = Some(Duration::from_secs(15));
        let mut stream = EventStream::new(inner, Dialect::Anthropic, Operation::Messages, after);
        sender.send(data("event: a\ndata: {}\n\n")).unwrap();
        stream.frame().await.unwrap().unwrap();
        let ping = stream.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(ping.starts_with(b"event: ping"));
        sender.send(data("event: b\nda")).unwrap();
        stream.frame().await.unwrap().unwrap();
        let waited = tokio::time::timeout(Duration::from_secs(100), stream.frame()).await;
        assert!(waited.is_err(), "inside an event nothing is said");
    }

    struct Channel(tokio::sync::mpsc::UnboundedReceiver<Item>);
    impl futures_core::Stream for Channel {
        type Item = Item;
        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
            self.0.poll_recv(cx)
        }
    }
}
