//! Changes answers as they pass.
//!
//! A whole answer is kept until it has ended; of a stream, one event is kept. An answer that is no JSON, or that is
//! compressed, passes untouched.

mod array;
#[cfg(feature = "event-stream")]
mod frames;
mod sse;

use super::compiled::{AnswerWork, Inner};
use super::json;
use array::Elements;
use burncloud_core::adapter::Rewrite;
use burncloud_core::{Error, ErrorKind};
use bytes::BytesMut;
#[cfg(feature = "event-stream")]
use frames::Frames;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::response::Parts;
use http::{HeaderMap, HeaderName};
use sse::Sse;
use std::sync::Arc;

/// Bytes of one event.
const MAX_EVENT: usize = 16 << 20;
/// Bytes of a whole answer.
const MAX_ANSWER: usize = 64 << 20;

/// What changes an event's JSON; `None` where it stays as it is.
type EditEvent<'a> = dyn FnMut(&[u8]) -> Result<Option<Vec<u8>>, Error> + 'a;

fn too_long(what: &str) -> Error {
    Error::new(ErrorKind::BadGateway, format!("{what} is too long to be transformed"))
}

/// An answer on its way through a channel's transforms.
pub(super) struct Answer {
    inner: Arc<Inner>,
    work: AnswerWork,
    form: Form,
}

/// How the body comes.
#[derive(Debug)]
enum Form {
    /// Untouched.
    Pass,
    /// One JSON document.
    Whole(Vec<u8>),
    /// Server-sent events.
    Events(Sse),
    /// AWS event-stream frames.
    #[cfg(feature = "event-stream")]
    Frames(Frames),
    /// A JSON array, element by element.
    Elements(Elements),
}

impl Answer {
    pub(super) fn new(inner: Arc<Inner>, work: AnswerWork) -> Answer {
        Answer { inner, work, form: Form::Pass }
    }

    fn form(&self, headers: &HeaderMap) -> Form {
        let text =
            |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !matches!(text(CONTENT_ENCODING), "" | "identity") {
            return Form::Pass;
        }
        let json = media == "application/json" || media.ends_with("+json");
        match media.as_str() {
            "text/event-stream" if self.work.edits_events() => Form::Events(Sse::default()),
            #[cfg(feature = "event-stream")]
            "application/vnd.amazon.eventstream" if self.work.edits_events() => {
                Form::Frames(Frames::default())
            }
            #[cfg(not(feature = "event-stream"))]
            "application/vnd.amazon.eventstream" if self.work.edits_events() => {
                self.inner.warn_of_frames();
                Form::Pass
            }
            _ if json && self.work.comes_as_array() => {
                if self.work.edits_events() {
                    Form::Elements(Elements::default())
                } else {
                    Form::Pass
                }
            }
            _ if json && self.work.edits_whole() => Form::Whole(Vec::new()),
            _ => Form::Pass,
        }
    }
}

impl Rewrite for Answer {
    fn head(&mut self, head: &mut Parts) {
        self.work.head(&self.inner, head.status.as_u16(), &head.headers);
        self.form = self.form(&head.headers);
        if !matches!(self.form, Form::Pass) {
            for name in [CONTENT_LENGTH, ETAG] {
                head.headers.remove(name);
            }
            for name in ["content-md5", "content-digest", "digest", "repr-digest"] {
                head.headers.remove(name);
            }
        }
    }

    fn data(&mut self, chunk: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        let (inner, work) = (&self.inner, &self.work);
        let mut edit = |json: &[u8]| inner.edit_answer(work, json, true);
        match &mut self.form {
            Form::Pass => out.extend_from_slice(chunk),
            Form::Events(events) => events.feed(chunk, out, &mut edit)?,
            #[cfg(feature = "event-stream")]
            Form::Frames(frames) => frames.feed(chunk, out, &mut edit)?,
            Form::Elements(elements) => elements.feed(chunk, out, &mut edit)?,
            Form::Whole(body) if body.len() + chunk.len() > MAX_ANSWER => return Err(too_long("the answer")),
            Form::Whole(body) => body.extend_from_slice(chunk),
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        let (inner, work) = (&self.inner, &self.work);
        match &mut self.form {
            Form::Pass => (),
            Form::Events(events) => events.finish(out, &mut |json| inner.edit_answer(work, json, true))?,
            #[cfg(feature = "event-stream")]
            Form::Frames(frames) => frames.finish(out),
            Form::Elements(elements) => elements.finish(out),
            Form::Whole(body) => {
                let body = std::mem::take(body);
                let changed =
                    if json::looks_like_json(&body) { inner.edit_answer(work, &body, false)? } else { None };
                out.extend_from_slice(changed.as_deref().unwrap_or(&body));
            }
        }
        Ok(())
    }
}
