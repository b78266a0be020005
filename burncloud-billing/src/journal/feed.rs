//! From the journal to the shipper: durable receipts in the order of the journal.
//!
//! A few thousand are kept in memory, which is all there ever are while the store keeps up. When it is away, the rest
//! stay on disk and are read again from there, so that a long outage costs disk and not memory.

use super::segment::Segment;
use super::{Journal, codec};
use burncloud_core::Receipt;
use std::collections::{HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

/// How many receipts are kept in memory.
const KEPT: usize = 8_192;

#[derive(Debug)]
pub(super) struct Feed {
    kept: VecDeque<(u64, Arc<Receipt>)>,
    /// From here on receipts are on disk alone.
    spilled: Option<u64>,
    /// Everything before it is durable.
    durable: u64,
}

impl Feed {
    pub(super) fn new(durable: u64, spilled: Option<u64>) -> Feed {
        Feed { kept: VecDeque::new(), spilled, durable }
    }

    /// Takes a batch that was written from `begin` to `end`.
    pub(super) fn push(
        &mut self,
        begin: u64,
        end: u64,
        receipts: impl ExactSizeIterator<Item = (u64, Arc<Receipt>)>,
    ) {
        self.durable = end;
        if self.spilled.is_some() || receipts.len() == 0 {
            return;
        }
        if self.kept.len() + receipts.len() > KEPT {
            self.spilled = Some(begin)
        } else {
            self.kept.extend(receipts)
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.spilled.is_none()
    }
}

/// Receipts to be shipped together, and the position that is shipped with them.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) receipts: Vec<Arc<Receipt>>,
    upto: u64,
    from_disk: bool,
}

impl Journal {
    /// The next receipts, at most `most`; `None` when all are shipped. The same again until [`Journal::ship`]
    /// is called with them. May read from disk.
    pub(crate) fn next(&self, most: usize) -> io::Result<Option<Batch>> {
        let (from, durable) = {
            let feed = self.shared.feed.lock();
            if let Some((upto, _)) = feed.kept.iter().take(most).next_back() {
                let receipts: Vec<_> =
                    feed.kept.iter().take(most).map(|(_, receipt)| receipt.clone()).collect();
                return Ok(Some(self.held(Batch { receipts, upto: *upto, from_disk: false })));
            }
            let Some(from) = feed.spilled else {
                // What is left behind the last receipt are admits and checkpoints.
                self.shared.shipped.fetch_max(feed.durable, SeqCst);
                self.shared.oldest.store(0, SeqCst);
                return Ok(None);
            };
            (from, feed.durable)
        };
        let (receipts, upto) = self.read(from, durable, most)?;
        Ok(Some(self.held(Batch { receipts, upto, from_disk: true })))
    }

    fn held(&self, batch: Batch) -> Batch {
        let oldest = batch.receipts.first().map_or(0, |receipt| receipt.at.0);
        self.shared.oldest.store(oldest, SeqCst);
        batch
    }

    /// The batch is in the store: it need not be kept.
    pub(crate) fn ship(&self, batch: &Batch) {
        {
            let mut feed = self.shared.feed.lock();
            if batch.from_disk {
                feed.spilled = (batch.upto < feed.durable).then_some(batch.upto);
            } else {
                feed.kept.drain(..batch.receipts.len());
            }
        }
        self.shared.shipped.fetch_max(batch.upto, SeqCst);
        let mut queue = self.shared.queue.lock();
        queue.checkpoint = Some(batch.upto);
        self.shared.pushed(&mut queue);
    }

    fn read(&self, from: u64, durable: u64, most: usize) -> io::Result<(Vec<Arc<Receipt>>, u64)> {
        let segments: Vec<Segment> = self.shared.segments.lock().clone();
        let (mut receipts, mut seen, mut at) = (Vec::new(), HashSet::new(), from);
        for segment in segments.into_iter().filter(|s| s.end > from && s.end > s.start) {
            let bounded = Segment { end: segment.end.min(durable), ..segment };
            at = at.max(bounded.scan(at, |_, payload| {
                if codec::is_settle(payload)
                    && let Some(codec::Record::Settle(receipt)) = codec::decode(payload)
                    && seen.insert(receipt.id.0)
                {
                    receipts.push(Arc::from(receipt));
                }
                Ok(receipts.len() < most)
            })?);
            if receipts.len() >= most {
                return Ok((receipts, at));
            }
        }
        Ok((receipts, durable))
    }

    /// Completes when something has come in since the last time.
    pub(crate) async fn ready(&self) {
        self.shared.ready.notified().await;
    }

    /// Completes once when the journal is asked to close.
    pub(crate) async fn closing(&self) {
        self.shared.close.notified().await;
    }

    /// Receipts in memory that wait for the store, and whether there are more on disk.
    pub(crate) fn unshipped(&self) -> (usize, bool) {
        let feed = self.shared.feed.lock();
        (feed.kept.len(), feed.spilled.is_some())
    }

    /// When the oldest receipt arrived that the shipper has not been able to ship, in microseconds.
    pub(crate) fn oldest(&self) -> Option<i64> {
        Some(self.shared.oldest.load(SeqCst)).filter(|at| *at > 0)
    }
}
