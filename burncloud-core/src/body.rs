//! The one body type of the gateway: requests in, requests out, answers.
//!
//! An enum, so that what passes through costs no allocation and no dynamic call; anything else is boxed.
//! A body can hold guards: permits and settlements that live until its last byte, or until it is dropped.

use crate::BoxError;
use crate::answer::Answer;
use crate::envelope::Segments;
use crate::transport::UpstreamBody;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes on their way.
///
/// `Body` implements [`http_body::Body`]; make one from [`Bytes`], from text, or from any other body with
/// [`Body::new`].
#[derive(Default)]
pub struct Body {
    // Dropped first: an answer notes how it ended before the guards settle it.
    kind: Kind,
    guards: Option<Box<dyn Guard>>,
}

/// Whatever is dropped with a body.
trait Guard: Send {}

/// A guard and those held before it, which are dropped before it.
struct Held<G> {
    _earlier: Option<Box<dyn Guard>>,
    _guard: G,
}

impl<G: Send> Guard for Held<G> {}

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Whole(Bytes),
    // Boxed: eight slices would make every request that moves through the layers twice as large.
    Segments(Box<Segments>),
    Incoming(Incoming),
    Upstream(UpstreamBody),
    Answer(Box<Answer>),
    Boxed(UnsyncBoxBody<Bytes, BoxError>),
}

impl Body {
    /// No bytes.
    #[must_use]
    pub fn empty() -> Body {
        Body::default()
    }

    /// From any other body. One of hyper's own is recognised and not boxed.
    pub fn new<B>(body: B) -> Body
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut slot = Some(body);
        let any: &mut dyn Any = &mut slot;
        if let Some(body) = any.downcast_mut::<Option<Body>>().and_then(Option::take) {
            return body;
        }
        if let Some(body) = any.downcast_mut::<Option<Incoming>>().and_then(Option::take) {
            return Body::from(Kind::Incoming(body));
        }
        match slot {
            Some(body) => Body::from(Kind::Boxed(body.map_err(Into::into).boxed_unsync())),
            None => Body::empty(),
        }
    }

    /// Keeps `guard` until the last byte is out or the body is dropped.
    #[must_use]
    pub fn hold(mut self, guard: impl Send + 'static) -> Body {
        self.guards = Some(Box::new(Held { _earlier: self.guards.take(), _guard: guard }));
        self
    }

    /// All bytes, if they are here already and in one piece.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&Bytes> {
        static NOTHING: Bytes = Bytes::new();
        match &self.kind {
            Kind::Whole(bytes) => Some(bytes),
            Kind::Empty => Some(&NOTHING),
            _ => None,
        }
    }

    /// All bytes in one piece, if they are here already; in however many pieces.
    pub(crate) fn in_memory(&self) -> Option<Bytes> {
        match &self.kind {
            Kind::Segments(segments) => Some(segments.to_bytes()),
            _ => self.as_bytes().cloned(),
        }
    }

    pub(crate) fn answer(answer: Box<Answer>) -> Body {
        Body::from(Kind::Answer(answer))
    }
}

impl From<Kind> for Body {
    fn from(kind: Kind) -> Body {
        Body { kind, guards: None }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body::from(if bytes.is_empty() { Kind::Empty } else { Kind::Whole(bytes) })
    }
}

impl From<UpstreamBody> for Body {
    fn from(body: UpstreamBody) -> Body {
        Body::from(Kind::Upstream(body))
    }
}

impl From<Segments> for Body {
    fn from(mut segments: Segments) -> Body {
        if segments.iter().len() <= 1 {
            return Body::from(segments.pop_front().unwrap_or_default());
        }
        Body::from(Kind::Segments(Box::new(segments)))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        Body::from(Bytes::from(text))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Body {
        Body::from(Bytes::from_static(text.as_bytes()))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::from(Bytes::from(bytes))
    }
}

impl fmt::Debug for Body {
    /// Never the bytes: they are the caller's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("size", &self.size_hint().exact()).finish_non_exhaustive()
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().kind {
            Kind::Empty => Poll::Ready(None),
            kind @ Kind::Whole(_) => match std::mem::take(kind) {
                Kind::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                _ => Poll::Ready(None),
            },
            Kind::Segments(segments) => Poll::Ready(segments.pop_front().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Upstream(body) => {
                body.poll_data(cx).map(|data| Some(data?.map(Frame::data).map_err(Into::into)))
            }
            Kind::Answer(answer) => answer.poll_frame(cx),
            Kind::Boxed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Segments(segments) => segments.total_len() == 0,
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Upstream(body) => body.is_end_stream(),
            Kind::Answer(answer) => answer.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Segments(segments) => SizeHint::with_exact(segments.total_len() as u64),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Upstream(body) => body.size_hint(),
            Kind::Answer(answer) => answer.size_hint(),
            Kind::Boxed(body) => body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn holds_a_guard_until_it_is_dropped() {
        let guard = Arc::new(());
        let body = Body::from("x").hold(guard.clone());
        assert_eq!(Arc::strong_count(&guard), 2);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "x");
        assert_eq!(Arc::strong_count(&guard), 1);
    }

    #[test]
    fn wrapping_its_own_kind_costs_nothing() {
        assert!(Body::new(Body::from("x")).as_bytes().is_some());
        assert!(Body::new(http_body_util::Full::new(Bytes::from("x"))).as_bytes().is_none());
    }
}
