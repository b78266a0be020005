//! Reading an answer on after its caller has gone, to learn what the provider reports.
//!
//! When the policy of a request's hold is [`AbortPolicy::Reported`](crate::AbortPolicy::Reported) and its caller goes
//! away, what is left of the exchange (an attempt under way, or an answer that has begun) is put on the draft. The
//! draft's settlement, which is dropped after it, hands itself and the rest to a task here, and the request is settled
//! when that task ends: at the provider's last byte, at the policy's time, at the bound on bytes, when the gateway
//! is stopped, or when the runtime goes down. Nothing is kept of what is read but the state of the usage reader.
//!
//! The caller's permits (requests and bytes in flight, concurrency limits) are given back when the caller goes, but
//! for an attempt that still holds the request's body. The channel's own place stays taken: the provider is at work.

use crate::adapter::{Sample, Terminal, UsageReader};
use crate::meter::{Draft, Settlement};
use crate::stats::{Counter, Gauge};
use crate::{Body, End, Error};
use bytes::Bytes;
use http::Response;
use http_body::Body as _;
use http_body_util::BodyExt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Notify;

/// The bounds on answers that are read on after their caller has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainSettings {
    /// How many at the same time; what is over it is cancelled at once, as under
    /// [`AbortPolicy::Delivered`](crate::AbortPolicy::Delivered).
    pub max: usize,
    /// How many bytes of each.
    pub max_bytes: u64,
}

impl Default for DrainSettings {
    /// 256 at the same time, 64 MiB of each.
    fn default() -> DrainSettings {
        DrainSettings { max: 256, max_bytes: 64 << 20 }
    }
}

/// How the reading on of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainEnd {
    /// The provider came to its end, or broke off.
    Ended,
    /// Not within the policy's time.
    TimedOut,
    /// Not within the bound on bytes.
    TooLong,
    /// The gateway, or its runtime, was stopped.
    Stopped,
    /// It was not begun: too many were under way, the gateway was stopping, or there was no runtime.
    Refused,
}

impl DrainEnd {
    /// All of them.
    pub const ALL: [DrainEnd; 5] =
        [DrainEnd::Ended, DrainEnd::TimedOut, DrainEnd::TooLong, DrainEnd::Stopped, DrainEnd::Refused];

    /// The name used in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DrainEnd::Ended => "ended",
            DrainEnd::TimedOut => "timed_out",
            DrainEnd::TooLong => "too_long",
            DrainEnd::Stopped => "stopped",
            DrainEnd::Refused => "refused",
        }
    }
}

/// What is counted of answers that are read on, and the means to stop them.
#[derive(Debug)]
pub struct Drains {
    /// How many are under way.
    pub running: Gauge,
    ends: [Counter; 5],
    max: AtomicU64,
    max_bytes: AtomicU64,
    closed: AtomicBool,
    close: Notify,
}

impl Default for Drains {
    fn default() -> Drains {
        let DrainSettings { max, max_bytes } = DrainSettings::default();
        Drains {
            running: Gauge::default(),
            ends: Default::default(),
            max: AtomicU64::new(max as u64),
            max_bytes: AtomicU64::new(max_bytes),
            closed: AtomicBool::new(false),
            close: Notify::new(),
        }
    }
}

impl Drains {
    pub(crate) fn set(&self, settings: DrainSettings) {
        self.max.store(settings.max as u64, Relaxed);
        self.max_bytes.store(settings.max_bytes, Relaxed);
    }

    /// How many have ended, by how.
    pub fn ends(&self) -> impl Iterator<Item = (DrainEnd, u64)> + '_ {
        DrainEnd::ALL.into_iter().zip(&self.ends).map(|(end, count)| (end, count.get()))
    }

    /// Has those that are under way settle with what they know, and no other begin.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
        self.close.notify_waiters();
    }

    fn enter(&self) -> bool {
        let most = i64::try_from(self.max.load(Relaxed)).unwrap_or(i64::MAX);
        if self.closed.load(Relaxed) {
            return false;
        }
        let entered = self.running.add(1) <= most;
        if !entered {
            self.running.dec();
        }
        entered
    }

    /// Comes back when [`Drains::close`] was called, however long ago.
    async fn closed(&self) {
        let mut notified = pin!(self.close.notified());
        notified.as_mut().enable();
        if !self.closed.load(Relaxed) {
            notified.await;
        }
    }
}

pub(crate) type Attempts = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

/// What is left of an exchange whose caller has gone.
pub(crate) enum Leftover {
    /// Attempts that have not come to an answer.
    Attempts(Attempts),
    /// An answer.
    Answer(Box<Rest>),
}

/// The rest of an answer.
pub(crate) struct Rest {
    pub(crate) upstream: Body,
    /// Bytes that the caller did not get any more.
    pub(crate) first: Option<Bytes>,
    pub(crate) reader: Box<dyn UsageReader>,
    /// The beginning of what the caller got.
    pub(crate) sample: Vec<Bytes>,
    /// How much that was.
    pub(crate) delivered: u64,
    /// How much more was read since.
    read: u64,
}

impl Rest {
    pub(crate) fn new(
        upstream: Body,
        first: Option<Bytes>,
        reader: Box<dyn UsageReader>,
        sample: Vec<Bytes>,
        delivered: u64,
    ) -> Rest {
        Rest { upstream, first, reader, sample, delivered, read: 0 }
    }

    fn saw(&mut self, data: &Bytes) {
        self.reader.data(data);
        self.read += data.len() as u64;
    }

    async fn read_on(&mut self, max_bytes: u64) -> DrainEnd {
        if let Some(first) = self.first.take() {
            self.saw(&first);
        }
        while !self.upstream.is_end_stream() {
            if self.read > max_bytes {
                return DrainEnd::TooLong;
            }
            match self.upstream.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.saw(&data);
                    }
                }
                Some(Err(_)) | None => break,
            }
        }
        DrainEnd::Ended
    }

    /// Notes what is known. Where the closing event had passed before the caller went, the answer was finished.
    fn note(&mut self, draft: &Draft, drained: bool) {
        let reading = self.reader.finish();
        let whole = reading.terminal == Terminal::Complete && self.read == 0;
        let sample = Sample { bytes: self.sample.concat().into(), total: self.delivered };
        draft.note(|notes| {
            notes.usage = reading.usage;
            notes.provisional = reading.provisional;
            notes.end = Some(if whole { End::Finished } else { End::CallerGone });
            // What a provider said before it broke off is not its last word.
            notes.drained = drained && !whole && !reading.provisional;
            notes.bytes_out = self.delivered;
            notes.response_sample = sample;
        });
    }
}

/// Reads on in the background, or cancels. Either way the settlement is dropped once more, without a leftover.
pub(crate) fn begin(settlement: Settlement, leftover: Leftover, time: Duration) {
    let mut work = Work { left: Some(leftover), end: DrainEnd::Refused, entered: false, settlement };
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    if !work.settlement.stats().drains.enter() {
        return;
    }
    (work.entered, work.end) = (true, DrainEnd::Stopped);
    runtime.spawn(work.run(time));
}

/// A drain. Settles when it is dropped, wherever it stands.
struct Work {
    left: Option<Leftover>,
    end: DrainEnd,
    entered: bool,
    // Dropped last: what is left notes how it ended.
    settlement: Settlement,
}

impl Work {
    async fn run(mut self, time: Duration) {
        let stats = self.settlement.stats().clone();
        let end = {
            let mut reading = pin!(self.read_on(stats.drains.max_bytes.load(Relaxed)));
            let mut closed = pin!(stats.drains.closed());
            let either = poll_fn(|cx| match reading.as_mut().poll(cx) {
                Poll::Ready(end) => Poll::Ready(end),
                Poll::Pending => closed.as_mut().poll(cx).map(|()| DrainEnd::Stopped),
            });
            tokio::time::timeout(time, either).await.unwrap_or(DrainEnd::TimedOut)
        };
        self.end = end;
    }

    async fn read_on(&mut self, max_bytes: u64) -> DrainEnd {
        if let Some(Leftover::Attempts(attempts)) = &mut self.left {
            let answer = attempts.as_mut().await;
            self.left = None;
            // An answer that is dropped leaves its rest on the draft, unless it is at its end: an error too.
            drop(answer);
            self.left = self.settlement.draft().note(|notes| notes.leftover.take());
        }
        match &mut self.left {
            Some(Leftover::Answer(rest)) => rest.read_on(max_bytes).await,
            _ => DrainEnd::Ended,
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let draft = self.settlement.draft();
        // What a broken reader says now is not worth a second panic.
        if !std::thread::panicking() {
            match self.left.take() {
                Some(Leftover::Answer(mut rest)) => rest.note(draft, self.end == DrainEnd::Ended),
                Some(Leftover::Attempts(attempts)) => {
                    drop(attempts);
                    // An answer may have been on its way out of it.
                    let rest = draft.note(|notes| notes.leftover.take());
                    if let Some(Leftover::Answer(mut rest)) = rest {
                        rest.note(draft, false);
                    }
                }
                // The attempts came to an answer that had ended, or to none: nothing of it has reached the caller.
                None => draft.note(|notes| {
                    notes.drained = notes.usage.is_some() && !notes.provisional;
                    (notes.end, notes.bytes_out) = (Some(End::CallerGone), 0);
                    notes.response_sample = Sample::default();
                }),
            }
        }
        let drains = &self.settlement.stats().drains;
        if let Some(at) = DrainEnd::ALL.iter().position(|end| *end == self.end) {
            drains.ends[at].inc();
        }
        if self.entered {
            drains.running.dec();
        }
    }
}
