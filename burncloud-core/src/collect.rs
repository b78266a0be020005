//! A caller's body, read whole within bounds: by whoever needs it first.

use crate::context::Context;
use crate::quiet::Quiet;
use crate::{Body, Error, ErrorKind};
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// The bounds on a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InspectSettings {
    /// Most bytes.
    pub max_body_bytes: usize,
    /// Longest wait between two pieces of it.
    pub idle: Duration,
    /// Longest time in all.
    pub total: Duration,
}

impl Default for InspectSettings {
    /// 32 MiB, 30 s, 10 minutes.
    fn default() -> InspectSettings {
        InspectSettings {
            max_body_bytes: 32 << 20,
            idle: Duration::from_secs(30),
            total: Duration::from_secs(600),
        }
    }
}

pub(crate) fn too_large(limit: usize) -> Error {
    let text = format!("the body is larger than the {limit} bytes this gateway takes");
    Error::new(ErrorKind::TooLarge, text).with_code("request_too_large")
}

fn slow() -> Error {
    Error::new(ErrorKind::RequestTimeout, "the body did not arrive in time").with_code("request_timeout")
}

/// The next piece of a body. The first time that there is none the task is merely polled again: nearly every
/// body is there by then, and a timer costs more than all the looking at it. After that the wait is bounded.
async fn next_piece(body: &mut Body, quiet: &mut Quiet) -> Result<Option<Bytes>, Error> {
    let mut asked = false;
    loop {
        let frame = poll_fn(|cx| match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(Ok(frame)),
            Poll::Pending if !asked => {
                asked = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => quiet.poll(cx).map(|()| Err(slow())),
        });
        match frame.await? {
            None => return Ok(None),
            Some(Err(error)) => {
                return Err(Error::new(ErrorKind::BadRequest, "the body broke off")
                    .with_code("incomplete_body")
                    .with_context(error.to_string()));
            }
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    quiet.heard();
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The whole body. A body in one piece (the usual case) is not copied.
pub(crate) async fn collect(
    mut body: Body,
    settings: InspectSettings,
    context: &Context,
) -> Result<Bytes, Error> {
    let limit = settings.max_body_bytes;
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large(limit));
    }
    let mut quiet = Quiet::new(settings.idle, Some(context.started + settings.total));
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(data) = next_piece(&mut body, &mut quiet).await? {
        if let Some(admission) = &context.admission {
            admission.hold(data.len())?;
        }
        match &first {
            None => first = Some(data),
            Some(head) if rest.is_empty() => {
                rest.reserve(announced.max(head.len() + data.len()));
                rest.extend_from_slice(head);
                rest.extend_from_slice(&data);
            }
            Some(_) => rest.extend_from_slice(&data),
        }
        let length = rest.len().max(first.as_ref().map_or(0, Bytes::len));
        if length > limit {
            return Err(too_large(limit));
        }
        if length == announced && body.is_end_stream() {
            break;
        }
    }
    Ok(if rest.is_empty() { first.unwrap_or_default() } else { rest.freeze() })
}
