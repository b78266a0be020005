//! What becomes of an attempt whose request is not passed through as it is: the layer that adapts the request leaves
//! here what the answer must go through, and `failover` takes it.

use crate::adapter::{About, AdaptAsk, Adapted, Rewrite, chain};
use crate::admission::Admission;
use crate::context::Context;
use crate::headers::clean_response;
use crate::inspected::Inspected;
use crate::routing::Lane;
use crate::{Body, Endpoint, Error, ErrorKind};
use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use std::borrow::Cow;
use std::sync::Arc;

/// Most bytes of an answer that is adapted as a whole.
const WHOLE_LIMIT: usize = 128 << 20;

/// The place where an attempt's adaptation is left; only attempts that are adapted have one.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    #[default]
    Empty,
    Refused,
    Ready(Way),
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slot")
    }
}

/// How an adapted attempt's answer goes back.
#[derive(Default)]
pub(crate) struct Way {
    /// What the provider was asked; `None` where that is what the caller asked.
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) change: Option<Change>,
    /// The head as it goes out, where it is known already.
    head: Option<Parts>,
    /// The caller's fields that were left out.
    dropped: Vec<Cow<'static, str>>,
}

/// What an answer's bytes go through.
pub(crate) enum Change {
    /// This, as they pass.
    Rewrite(Box<dyn Rewrite>),
    /// They are swallowed, and this goes out at their end.
    Replace(Bytes),
}

impl Slot {
    /// A slot for an attempt on this lane, if it is adapted.
    pub(crate) fn of(lane: &Lane, endpoint: &Endpoint) -> Option<Slot> {
        let channel = &lane.channel;
        (channel.transform.is_some() || !lane.passes(endpoint)).then(Slot::default)
    }

    /// What was left here, once.
    pub(crate) fn take(&self) -> Option<Way> {
        match std::mem::take(&mut *self.0.lock()) {
            State::Ready(way) => Some(way),
            State::Empty | State::Refused => None,
        }
    }

    /// Whether the request cannot be said in this provider's words: another lane may have them.
    pub(crate) fn refused(&self) -> bool {
        matches!(*self.0.lock(), State::Refused)
    }

    fn refuse(&self, error: Error) -> Error {
        *self.0.lock() = State::Refused;
        error
    }

    fn ready(&self, way: Way) {
        *self.0.lock() = State::Ready(way);
    }
}

/// A request on its way to a provider.
pub(crate) struct Outgoing<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
}

impl Slot {
    /// Has a request translated; what the answer goes through is kept.
    pub(crate) fn translate(
        &self,
        context: &Context,
        lane: &Lane,
        seen: &Inspected,
        request: &Outgoing<'_>,
    ) -> Result<Adapted, Error> {
        let ask = AdaptAsk {
            endpoint: &context.endpoint,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body: &seen.body,
            upstream_model: &lane.upstream_model,
            model: &seen.model,
            streamed: seen.streamed,
            include_usage: lane.channel.include_usage,
        };
        let mut adapted = lane.channel.adapter.adapt(&ask).map_err(|error| self.refuse(error))?;
        if (context.strict || lane.channel.strict) && !adapted.dropped.is_empty() {
            let fields = adapted.dropped.join(", ");
            let how = match lane.channel.strict {
                true => "the operator set `strict`",
                false => "the header `x-burncloud-strict`",
            };
            let text = format!(
                "this model's provider has no counterpart of: {fields}; leave them out, or do not be strict \
                 ({how})"
            );
            let error = Error::new(ErrorKind::BadRequest, text).with_code("unsupported_fields");
            return Err(self.refuse(error));
        }
        self.ready(Way {
            endpoint: Some(adapted.endpoint.clone()),
            change: adapted.answer.take().map(Change::Rewrite),
            head: None,
            dropped: std::mem::take(&mut adapted.dropped),
        });
        Ok(adapted)
    }

    /// Changes the request as the operator wants it; `endpoint` is what the provider is asked.
    pub(crate) fn transform(
        &self,
        context: &Context,
        lane: &Lane,
        seen: &Inspected,
        endpoint: &Endpoint,
        headers: &mut HeaderMap,
        body: &mut Bytes,
    ) -> Result<(), Error> {
        let Some(transform) = &lane.channel.transform else { return Ok(()) };
        let about = About {
            endpoint,
            caller_dialect: context.endpoint.dialect,
            model: &seen.model,
            upstream_model: &lane.upstream_model,
            streamed: seen.streamed,
            channel: &lane.channel.name,
        };
        transform.request(&about, headers, body).map_err(|error| self.refuse(error))?;
        let Some(first) = transform.answer(&about) else { return Ok(()) };
        let mut way = self.take().unwrap_or_default();
        way.change = Some(Change::Rewrite(match way.change.take() {
            Some(Change::Rewrite(then)) => chain(first, then),
            _ => first,
        }));
        self.ready(way);
        Ok(())
    }
}

impl Way {
    /// Reads an answer that is no stream to its end and adapts it, so that one that cannot be read is found out while
    /// another lane may still do better. The provider's own bytes stay the body: they are what is metered.
    pub(crate) async fn whole(
        &mut self,
        response: Response<Body>,
        first: Option<Bytes>,
        admission: Option<&Admission>,
    ) -> Result<(Response<Body>, Option<Bytes>), Error> {
        let Some(Change::Rewrite(rewrite)) = &mut self.change else { return Ok((response, first)) };
        let (head, mut body) = response.into_parts();
        let mut bytes = first.unwrap_or_default();
        let mut more = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                Error::new(ErrorKind::BadGateway, "the provider's answer broke off")
                    .with_context(error.to_string())
            })?;
            if let Ok(data) = frame.into_data() {
                // Counted like a caller's body: what is held in memory is bounded, whoever sends it.
                admission.map_or(Ok(()), |admission| admission.hold(data.len()))?;
                more.extend_from_slice(&data);
            }
            if bytes.len() + more.len() > WHOLE_LIMIT {
                return Err(Error::new(ErrorKind::BadGateway, "the provider's answer is too long"));
            }
        }
        if !more.is_empty() {
            bytes = [&bytes[..], &more].concat().into();
        }
        let mut changed = head.clone();
        let mut out = BytesMut::with_capacity(bytes.len());
        clean_response(&mut changed.headers);
        rewrite.head(&mut changed);
        rewrite.data(&bytes, &mut out)?;
        rewrite.finish(&mut out)?;
        self.head = Some(changed);
        self.change = Some(Change::Replace(out.freeze()));
        Ok((Response::from_parts(head, Body::empty()), Some(bytes)))
    }

    /// The head as the caller gets it.
    pub(crate) fn head(&mut self, response: &mut Response<Body>) {
        let body = std::mem::take(response.body_mut());
        let (mut head, _) = std::mem::take(response).into_parts();
        match (self.head.take(), &mut self.change) {
            (Some(known), _) => head = known,
            (None, Some(Change::Rewrite(rewrite))) => rewrite.head(&mut head),
            (None, _) => {}
        }
        if let Ok(value) = HeaderValue::from_str(&in_header(&self.dropped))
            && !self.dropped.is_empty()
        {
            head.headers.insert("x-burncloud-dropped", value);
        }
        *response = Response::from_parts(head, body);
    }

    /// Says in the log what was left out.
    pub(crate) fn log(&self, trace: &crate::TraceId, lane: &Lane) {
        if !self.dropped.is_empty() {
            let (channel, model) = (&*lane.channel.name, &*lane.upstream_model);
            let dropped = self.dropped.join(", ");
            tracing::info!(%trace, channel, model, dropped, "a translation left fields out");
        }
    }
}

/// Names as a header's value. They are the caller's words: what cannot stand there is shown as `?`, so that one odd
/// name does not hide the others, and the whole is bounded.
fn in_header(names: &[Cow<'static, str>]) -> String {
    const LONGEST: usize = 4096;
    let mut text = String::new();
    for name in names {
        if text.len() + name.len() > LONGEST {
            text.push_str(if text.is_empty() { "and more" } else { ", and more" });
            break;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.extend(name.chars().map(|c| if c.is_ascii_graphic() && c != ',' { c } else { '?' }));
    }
    text
}

impl Change {
    /// The next bytes of the provider's; what goes on instead.
    pub(crate) fn data(&mut self, data: Bytes) -> (Bytes, Result<(), Error>) {
        match self {
            Change::Replace(_) => (Bytes::new(), Ok(())),
            Change::Rewrite(rewrite) => {
                let mut out = BytesMut::with_capacity(data.len());
                let result = rewrite.data(&data, &mut out);
                (out.freeze(), result)
            }
        }
    }

    /// They have ended as they should; what goes on last.
    pub(crate) fn finish(self) -> (Bytes, Result<(), Error>) {
        match self {
            Change::Replace(bytes) => (bytes, Ok(())),
            Change::Rewrite(mut rewrite) => {
                let mut out = BytesMut::new();
                let result = rewrite.finish(&mut out);
                (out.freeze(), result)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_do_not_hide_the_others() {
        let names = ["seed".into(), "größe\r\nx: y".into(), "a,b".into()];
        assert_eq!(in_header(&names), "seed, gr??e??x:?y, a?b");
        let many: Vec<_> = (0..10_000).map(|number| format!("field{number}").into()).collect();
        let text = in_header(&many);
        assert!(text.len() < 4200 && text.ends_with(", and more"));
    }
}
