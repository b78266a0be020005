//! An answer on its way to the caller: read for usage as it passes, watched for silence, and its end noted.

use crate::adapted::Change;
use crate::adapter::{NoUsage, Reading, Sample, Terminal, UsageReader};
use crate::drain::{Leftover, Rest};
use crate::meter::Draft;
use crate::quiet::Quiet;
use crate::sse::UsageChunkFilter;
use crate::{Body, BoxError, End, Error, ErrorKind};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The body of an answer that passes through.
pub(crate) struct Answer {
    upstream: Body,
    reader: Box<dyn UsageReader>,
    filter: Option<UsageChunkFilter>,
    /// What the bytes go through before the filter, after they were read for usage.
    change: Option<Change>,
    quiet: Quiet,
    draft: Arc<Draft>,
    /// The beginning, shared with what went out, in case nothing is reported and it must be estimated.
    sample: Vec<Bytes>,
    sampled: usize,
    bytes: u64,
    /// The first bytes, which had to come before the head was let out.
    first: Option<Bytes>,
    streamed: bool,
    ended: bool,
    /// Said last, where the stream ended without its closing event.
    failure: Option<Error>,
}

/// An answer that is to be wrapped.
pub(crate) struct Arrived {
    pub(crate) upstream: Body,
    pub(crate) first: Option<Bytes>,
    pub(crate) streamed: bool,
    pub(crate) filter: Option<UsageChunkFilter>,
    pub(crate) change: Option<Change>,
}

impl Answer {
    pub(crate) fn new(
        arrived: Arrived,
        reader: Box<dyn UsageReader>,
        quiet: Quiet,
        draft: Arc<Draft>,
    ) -> Answer {
        let Arrived { upstream, first, streamed, filter, change } = arrived;
        let ended = first.is_none() && upstream.is_end_stream();
        let mut answer = Answer {
            upstream,
            reader,
            filter,
            change,
            quiet,
            draft,
            sample: Vec::new(),
            sampled: 0,
            bytes: 0,
            first,
            streamed,
            ended,
            failure: None,
        };
        if ended {
            answer.note_end(None);
        }
        answer
    }

    /// Notes how it ended. `end` is `None` where the body came to its end; the reader knows more.
    fn note_end(&mut self, end: Option<End>) {
        self.ended = true;
        let reading = self.reader.finish();
        let end = end.unwrap_or(match reading.terminal {
            Terminal::Error => End::UpstreamError,
            Terminal::Missing => End::UpstreamCut,
            Terminal::Complete | Terminal::Unknown => End::Finished,
        });
        if end == End::UpstreamCut && self.streamed && reading.terminal == Terminal::Missing {
            let text = "the provider's stream ended without its closing event";
            self.failure = Some(Error::new(ErrorKind::BadGateway, text));
        }
        self.note(reading, Some(end));
    }

    fn note(&mut self, reading: Reading, end: Option<End>) {
        let pieces = std::mem::take(&mut self.sample);
        // A report in a stream that did not finish may be the provisional one of its beginning: the sample shows
        // how much was really received.
        let known = reading.usage.is_some() && end == Some(End::Finished);
        let bytes = if known { Bytes::new() } else { pieces.concat().into() };
        let sample = Sample { bytes, total: self.bytes };
        self.draft.note(|notes| {
            notes.usage = reading.usage;
            notes.provisional = reading.provisional;
            notes.end = end;
            notes.bytes_out = self.bytes;
            notes.response_sample = sample;
        });
    }

    fn saw(&mut self, data: &Bytes) {
        if self.bytes == 0 {
            let elapsed = self.draft.elapsed_us();
            self.draft.note(|notes| notes.first_byte_us = Some(elapsed));
        }
        self.bytes += data.len() as u64;
        self.quiet.heard();
        self.reader.data(data);
        let room = Sample::KEEP.saturating_sub(self.sampled);
        if room > 0 {
            self.sample.push(data.slice(..data.len().min(room)));
            self.sampled += data.len().min(room);
        }
    }

    /// What goes out for these bytes of the provider's.
    fn changed(&mut self, data: Bytes) -> Bytes {
        let data = match &mut self.change {
            None => data,
            Some(change) => {
                let (data, result) = change.data(data);
                if let Err(error) = result {
                    self.break_off(error);
                }
                data
            }
        };
        match &mut self.filter {
            Some(filter) => filter.data(data),
            None => data,
        }
    }

    /// An answer that cannot be read any further. The provider has not said all it had to say, unless it ended before:
    /// what it reported so far may be provisional, so this is a cut.
    fn break_off(&mut self, error: Error) {
        self.change = None;
        if self.ended {
            self.draft.note(|notes| {
                notes.end = notes.end.filter(|end| *end != End::Finished).or(Some(End::UpstreamError));
            });
        } else {
            self.note_end(Some(End::UpstreamCut));
        }
        self.failure = Some(error);
    }

    /// What is left to be read of it.
    fn rest(&mut self) -> Box<Rest> {
        let upstream = std::mem::take(&mut self.upstream);
        let reader = std::mem::replace(&mut self.reader, Box::new(NoUsage));
        let sample = std::mem::take(&mut self.sample);
        Box::new(Rest::new(upstream, self.first.take(), reader, sample, self.bytes))
    }

    /// What was held back, at the end.
    fn last_bytes(&mut self) -> Option<Bytes> {
        let mut last = Bytes::new();
        // A stream that did not end as it should must not be given the closing events of one that did.
        if let Some(change) = self.change.take().filter(|_| self.failure.is_none()) {
            let (bytes, result) = change.finish();
            last = bytes;
            if let Err(error) = result {
                self.break_off(error);
            }
        }
        if let Some(mut filter) = self.filter.take() {
            let passed = filter.data(last);
            last = [passed, filter.finish()].concat().into();
        }
        (!last.is_empty()).then_some(last)
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if self.ended {
                let last = self.last_bytes().map(|bytes| Ok(Frame::data(bytes)));
                return Poll::Ready(last.or_else(|| self.failure.take().map(|error| Err(error.into()))));
            }
            let polled = match self.first.take() {
                Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
                None => Pin::new(&mut self.upstream).poll_frame(cx),
            };
            match polled {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.saw(&data);
                    if self.upstream.is_end_stream() {
                        self.note_end(None);
                    }
                    let data = self.changed(data);
                    if !data.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                Poll::Ready(None) => self.note_end(None),
                Poll::Ready(Some(Err(error))) => {
                    self.note_end(Some(End::UpstreamCut));
                    (self.filter, self.change, self.failure) = (None, None, None);
                    let error = Error::new(ErrorKind::BadGateway, "the provider's answer broke off")
                        .with_context(error.to_string());
                    return Poll::Ready(Some(Err(error.into())));
                }
                Poll::Pending => {
                    if self.quiet.poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.note_end(Some(End::TimedOut));
                    (self.filter, self.change) = (None, None);
                    let error = Error::new(ErrorKind::GatewayTimeout, "the provider fell silent");
                    return Poll::Ready(Some(Err(error.into())));
                }
            }
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.ended && self.filter.is_none() && self.change.is_none() && self.failure.is_none()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        if let (Some(Change::Replace(bytes)), None) = (&self.change, &self.filter) {
            return SizeHint::with_exact(bytes.len() as u64);
        }
        if self.filter.is_some() || self.change.is_some() || self.failure.is_some() {
            return SizeHint::default();
        }
        let first = self.first.as_ref().map_or(0, |first| first.len() as u64);
        match self.upstream.size_hint().exact() {
            Some(rest) => SizeHint::with_exact(first + rest),
            None => SizeHint::default(),
        }
    }
}

impl Drop for Answer {
    /// Dropped before its end: the caller went away, unless the closing event had already passed.
    fn drop(&mut self) {
        if !self.ended {
            // An error answer has nothing to report.
            if self.draft.note(|notes| notes.status < 400 && notes.drain().is_some()) {
                let rest = self.rest();
                return self.draft.note(|notes| notes.leftover = Some(Leftover::Answer(rest)));
            }
            let reading = self.reader.finish();
            let end = (reading.terminal == Terminal::Complete).then_some(End::Finished);
            self.note(reading, end);
        }
    }
}
