//! A stream of AWS's binary frames that never ends in silence.

use super::shape;
use crate::event_stream::{Frames, exception};
use crate::{Body, BoxError, Dialect, Error};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Wraps the body of a stream of frames. A failure between two frames becomes an exception; one inside a frame cannot
/// be said, and breaks off the connection, which every client notices by the missing bytes.
pub(super) struct FrameStream {
    inner: Option<Body>,
    frames: Frames,
}

impl FrameStream {
    pub(super) fn new(inner: Body) -> FrameStream {
        FrameStream { inner: Some(inner), frames: Frames::default() }
    }
}

impl HttpBody for FrameStream {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        let polled = ready!(Pin::new(inner).poll_frame(cx));
        Poll::Ready(match polled {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    this.frames.saw(data);
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                this.inner = None;
                let error = Error::from(error);
                tracing::debug!(context = error.context(), "a stream failed: {error}");
                if !this.frames.at_border() {
                    return Poll::Ready(Some(Err(error.into())));
                }
                let payload = shape::body(&error, Dialect::Bedrock, "").to_string();
                Some(Ok(Frame::data(exception(shape::bedrock_exception(error.kind()), &payload))))
            }
            None => {
                this.inner = None;
                None
            }
        })
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

    struct Iter(std::vec::IntoIter<Item>);
    impl futures_core::Stream for Iter {
        type Item = Item;
        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Item>> {
            Poll::Ready(self.0.next())
        }
    }

    fn stream(pieces: &[&[u8]]) -> FrameStream {
        let pieces = pieces.iter().map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))));
        let broken = Error::new(ErrorKind::BadGateway, "the provider's answer broke off");
        let items: Vec<Item> = pieces.chain([Err(broken.into())]).collect();
        FrameStream::new(Body::new(StreamBody::new(Iter(items.into_iter()))))
    }

    #[tokio::test]
    async fn a_failure_between_frames_becomes_an_exception() {
        let frame = exception("x", "{}");
        let (head, tail) = frame.split_at(7);
        let body = stream(&[head, tail]).collect().await.unwrap().to_bytes();
        let said = exception("modelStreamErrorException", r#"{"message":"the provider's answer broke off"}"#);
        assert_eq!(body, [frame, said].concat());
    }

    #[tokio::test]
    async fn a_failure_inside_a_frame_breaks_off() {
        let frame = exception("x", "{}");
        let error = stream(&[&frame[..9]]).collect().await.unwrap_err();
        assert_eq!(Error::from(error).kind(), ErrorKind::BadGateway);
    }
}
