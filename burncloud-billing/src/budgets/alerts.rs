//! What operators should know, until somebody takes it.

use burncloud_core::store::{AlertStore, StoreResult};
use burncloud_core::{Alert, UnixMicros};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many wait at most; beyond them the oldest are dropped and counted.
const MOST: usize = 1024;

/// A bounded queue of alerts. Each says something once: the same budget is heard of at most twice in its period (used
/// up; a request refused).
#[derive(Debug, Default)]
pub struct Alerts {
    queue: Mutex<VecDeque<Alert>>,
    raised: tokio::sync::Notify,
    dropped: AtomicU64,
}

impl Alerts {
    pub(crate) fn raise(&self, kind: &str, subject: &str, text: String) {
        let alert = Alert { at: UnixMicros::now(), kind: kind.to_owned(), subject: subject.to_owned(), text };
        let mut queue = self.queue.lock();
        if queue.len() == MOST {
            queue.pop_front();
            self.dropped.fetch_add(1, Relaxed);
        }
        queue.push_back(alert);
        drop(queue);
        self.raised.notify_one();
    }

    /// Takes what waits, the oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Alert> {
        self.queue.lock().drain(..).collect()
    }

    /// Alerts that were dropped because nobody took them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Waits until something was raised since the last call.
    pub async fn raised(&self) {
        self.raised.notified().await;
    }

    /// Says what waits in the log and keeps it in the store. What the store does not take waits again, in its place; it
    /// is then said again when it is kept. Returns how many were kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn keep<S: AlertStore + ?Sized>(&self, store: &S) -> StoreResult<usize> {
        let (mut waiting, mut kept) = (VecDeque::from(self.take()), 0);
        while let Some(alert) = waiting.front() {
            tracing::warn!(kind = %alert.kind, subject = %alert.subject, "{}", alert.text);
            if let Err(error) = store.add_alert(alert).await {
                self.put_back(waiting);
                return Err(error);
            }
            waiting.pop_front();
            kept += 1;
        }
        Ok(kept)
    }

    fn put_back(&self, mut waiting: VecDeque<Alert>) {
        let mut queue = self.queue.lock();
        waiting.extend(queue.drain(..));
        let over = waiting.len().saturating_sub(MOST);
        waiting.drain(..over);
        self.dropped.fetch_add(over as u64, Relaxed);
        *queue = waiting;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use burncloud_core::store::{MemoryStore, StoreError};

    struct Away;

    #[async_trait]
    impl AlertStore for Away {
        async fn add_alert(&self, _: &Alert) -> StoreResult<()> {
            Err(StoreError::Unavailable("away".into()))
        }
        async fn alerts(&self, _: u32) -> StoreResult<Vec<Alert>> {
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn alerts_wait_until_they_are_kept_and_are_bounded() {
        let (alerts, store) = (Alerts::default(), MemoryStore::default());
        (0..=MOST).for_each(|n| alerts.raise("fuse", &n.to_string(), "text".into()));
        alerts.raised().await;
        assert_eq!(alerts.dropped(), 1);
        assert!(alerts.keep(&Away).await.is_err());
        alerts.raise("fuse", "last", String::new());
        assert_eq!(alerts.dropped(), 2);
        assert_eq!(alerts.keep(&store).await.unwrap(), MOST);
        let kept = store.alerts(2_000).await.unwrap();
        assert_eq!((kept.len(), &*kept[0].subject, &*kept[MOST - 1].subject), (MOST, "last", "2"));
        assert_eq!(alerts.take(), []);
    }
}
