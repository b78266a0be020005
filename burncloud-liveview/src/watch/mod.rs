//! What happens at the moment: seen once, for everybody who looks.

mod pulse;
mod sums;

pub use pulse::Pulse;

use burncloud_billing::Feed;
use burncloud_core::store::{LogQuery, ReportStore, StoreResult, UsageQuery, UsageRow};
use burncloud_core::{Receipt, UnixMicros};
use pulse::{Ring, SECONDS};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use sums::Sums;
use tokio::runtime::Handle;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// Between two pulses, at least.
const BEAT: Duration = Duration::from_secs(1);
/// Receipts read from the store at most, the newest of the last quarter of an hour: a busy house has many times more, and
/// the curve fills by itself.
const FILL: usize = 20_000;
/// Receipts in one page of them.
const PAGE: u32 = 1_000;
/// How long the feed may tell of receipts that were read from the store.
const KNOWN: Duration = Duration::from_secs(900);

/// One for each console, however many look: one task listens to the feed, and sums that many ask for are asked once.
/// Cheap to clone; its task ends with the last clone.
#[derive(Clone)]
pub struct Watch(Arc<Inner>);

struct Inner {
    feed: Feed,
    pulses: watch::Sender<Arc<Pulse>>,
    somebody: Arc<Notify>,
    sums: Sums,
    task: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("looking", &self.0.pulses.receiver_count()).finish_non_exhaustive()
    }
}

impl Watch {
    /// Begins to listen, on `runtime`; what happened in the last 15 minutes is read from the store first.
    #[must_use]
    pub fn start(feed: Feed, store: Arc<dyn ReportStore>, runtime: &Handle) -> Watch {
        let (pulses, somebody) = (watch::Sender::default(), Arc::new(Notify::new()));
        // From here on: what is recorded while the store is read is in the one, the other, or both.
        let batches = feed.subscribe();
        let task = Task {
            batches,
            store: store.clone(),
            pulses: pulses.clone(),
            somebody: somebody.clone(),
            ring: Ring::new(UnixMicros::now()),
        };
        let task = runtime.spawn(task.run()).abort_handle();
        Watch(Arc::new(Inner { feed, pulses, somebody, sums: Sums::new(store), task }))
    }

    /// How things go: once a second at most, and for nobody never. The first is there within a moment.
    #[must_use]
    pub fn pulses(&self) -> watch::Receiver<Arc<Pulse>> {
        let pulses = self.0.pulses.subscribe();
        self.0.somebody.notify_one();
        pulses
    }

    /// Receipts as they are recorded: everybody's. A page shows whose its reader may see.
    #[must_use]
    pub fn receipts(&self) -> broadcast::Receiver<Arc<[Arc<Receipt>]>> {
        self.0.feed.subscribe()
    }

    /// What [`ReportStore::usage`] gave less than two seconds ago, to whoever asked the same (times within one quarter of an
    /// hour are the same); asked now otherwise, and once however many wait for it.
    ///
    /// # Errors
    /// The store's; those are not kept.
    pub async fn usage(&self, query: &UsageQuery) -> StoreResult<Arc<[UsageRow]>> {
        self.0.sums.usage(query).await
    }
}

struct Task {
    batches: broadcast::Receiver<Arc<[Arc<Receipt>]>>,
    store: Arc<dyn ReportStore>,
    pulses: watch::Sender<Arc<Pulse>>,
    somebody: Arc<Notify>,
    ring: Ring,
}

impl Task {
    async fn run(mut self) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut published: Option<Instant> = None;
        let mut filled: Option<Instant> = None;
        let mut known = false;
        loop {
            if filled.is_none() {
                match self.fill().await {
                    Ok(()) => (filled, known) = (Some(Instant::now()), true),
                    Err(error) => tracing::debug!(%error, "the last minutes cannot be read yet"),
                }
            }
            tokio::select! {
                batch = self.batches.recv() => match batch {
                    Ok(batch) => {
                        self.ring.turn(UnixMicros::now());
                        batch.iter().for_each(|receipt| self.ring.add(receipt));
                        continue;
                    }
                    // Too much at once: the store has it.
                    Err(RecvError::Lagged(_)) => {
                        self.ring = Ring::new(UnixMicros::now());
                        filled = None;
                        // Not in a circle as fast as it goes.
                        beat.tick().await;
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = beat.tick() => {}
                () = self.somebody.notified() => {}
            }
            if known && filled.is_some_and(|at| at.elapsed() > KNOWN) {
                self.ring.forget_known();
                known = false;
            }
            let due = published.is_none_or(|at| at.elapsed() >= BEAT);
            if due && self.pulses.receiver_count() > 0 {
                let now = UnixMicros::now();
                self.ring.turn(now);
                self.pulses.send_replace(Arc::new(self.ring.pulse(now)));
                published = Some(Instant::now());
            }
        }
    }

    /// Reads what happened before. Nothing changes unless all could be read.
    async fn fill(&mut self) -> StoreResult<()> {
        let now = UnixMicros::now();
        let since = Some(UnixMicros(now.0 - SECONDS * 1_000_000));
        let mut found: Vec<Receipt> = Vec::new();
        while found.len() < FILL {
            let before = found.last().map(|receipt| receipt.id);
            let query = LogQuery { since, before, limit: PAGE, ..LogQuery::default() };
            let page = self.store.log(&query).await?;
            let last = page.len() < PAGE as usize;
            found.extend(page);
            if last {
                break;
            }
        }
        self.ring.turn(now);
        self.ring.fill(found.into_iter().rev());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::store::{MemoryStore, ReceiptStore};
    use burncloud_core::testing::receipt;
    use burncloud_core::{End, ReceiptId, Usage};

    fn now(n: u64) -> Arc<Receipt> {
        let at = UnixMicros::now();
        let usage = Usage { output: 1_000, ..Usage::default() };
        Arc::new(Receipt { id: ReceiptId::new(at), at, took_us: 1, usage, end: End::Finished, ..receipt(n) })
    }

    async fn until(pulses: &mut watch::Receiver<Arc<Pulse>>, wanted: impl Fn(&Pulse) -> bool) -> Arc<Pulse> {
        let seen = async {
            loop {
                let pulse = pulses.borrow_and_update().clone();
                if wanted(&pulse) {
                    return pulse;
                }
                pulses.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(60), seen).await.unwrap()
    }

    #[tokio::test]
    async fn who_looks_sees_what_was_and_what_comes() {
        let store = Arc::new(MemoryStore::default());
        let before: Vec<_> = (0..3).map(now).collect();
        let old = Arc::new(receipt(9));
        store.record(&before).await.unwrap();
        store.record(std::slice::from_ref(&old)).await.unwrap();
        let feed = Feed::default();
        let watch = Watch::start(feed.clone(), store.clone(), &Handle::current());
        let mut pulses = watch.pulses();
        let pulse = until(&mut pulses, |pulse| pulse.requests > 0).await;
        assert_eq!((pulse.requests, pulse.answered, pulse.newest.len()), (3, 3, 3), "the last 15 minutes");

        let mut receipts = watch.receipts();
        let next = [before[2].clone(), now(4)];
        feed.publish(&next);
        let pulse = until(&mut pulses, |pulse| pulse.requests > 3).await;
        assert_eq!(pulse.requests, 4, "what was read from the store counts once");
        assert_eq!(pulse.newest[0].id, next[1].id);
        assert_eq!(receipts.recv().await.unwrap()[..], next);
    }

    #[tokio::test]
    async fn for_nobody_there_is_no_pulse_and_the_task_ends_with_the_watch() {
        let feed = Feed::default();
        let watch = Watch::start(feed.clone(), Arc::new(MemoryStore::default()), &Handle::current());
        let mut pulses = watch.pulses();
        until(&mut pulses, |pulse| pulse.at > UnixMicros(0)).await;
        drop(pulses);
        assert_eq!(watch.0.pulses.receiver_count(), 0);
        let seen = watch.0.pulses.borrow().at;
        feed.publish(&[now(1)]);
        tokio::time::sleep(BEAT * 2).await;
        assert_eq!(watch.0.pulses.borrow().at, seen, "nobody looked");
        let pulse = until(&mut watch.pulses(), |pulse| pulse.requests > 0).await;
        assert_eq!(pulse.requests, 1, "what came meanwhile was heard all the same");
        let pulses = watch.0.pulses.clone();
        drop(watch);
        let ended = async {
            while pulses.sender_count() > 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
    }

    #[tokio::test]
    async fn who_cannot_keep_up_with_the_feed_reads_the_store_anew() {
        let store = Arc::new(MemoryStore::default());
        let feed = Feed::default();
        let watch = Watch::start(feed.clone(), store.clone(), &Handle::current());
        // Without an await in between the task hears none of these.
        let all: Vec<_> = (0..300).map(now).collect();
        store.record(&all).await.unwrap();
        all.iter().for_each(|one| feed.publish(std::slice::from_ref(one)));
        let pulse = until(&mut watch.pulses(), |pulse| pulse.requests >= 300).await;
        assert_eq!(pulse.requests, 300);
    }
}
