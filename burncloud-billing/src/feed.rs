//! Receipts as they are recorded, for whoever looks.

use burncloud_core::Receipt;
use std::fmt;
use std::sync::Arc;
use tokio::sync::broadcast;

/// Batches that wait for somebody who listens; whoever is further behind misses the oldest.
const WAITING: usize = 64;

/// Receipts as the store takes them, batch by batch. Cheap to clone; every clone is the same feed.
///
/// Nothing is copied while nobody listens. What has been recorded is never lost because of who listens, or does not: a
/// listener that falls behind misses batches (and is told so), and reads what it missed from the store. After a crash a batch
/// may hold receipts that were recorded before it.
#[derive(Clone)]
pub struct Feed(broadcast::Sender<Arc<[Arc<Receipt>]>>);

impl Default for Feed {
    fn default() -> Feed {
        Feed(broadcast::Sender::new(WAITING))
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("listeners", &self.0.receiver_count()).finish()
    }
}

impl Feed {
    /// What is recorded from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Arc<Receipt>]>> {
        self.0.subscribe()
    }

    /// Tells whoever listens of receipts that were recorded. Never waits.
    pub fn publish(&self, receipts: &[Arc<Receipt>]) {
        if self.0.receiver_count() > 0 && !receipts.is_empty() {
            // That the last one went away in between is no error.
            let _ = self.0.send(receipts.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::receipt;
    use tokio::sync::broadcast::error::TryRecvError;

    #[test]
    fn who_listens_hears_what_comes_and_nobody_costs_nothing() {
        let feed = Feed::default();
        let one = [Arc::new(receipt(1))];
        feed.publish(&one);
        assert_eq!(Arc::strong_count(&one[0]), 1, "nothing is kept for nobody");
        let mut listener = feed.subscribe();
        feed.clone().publish(&one);
        feed.publish(&[]);
        assert_eq!(listener.try_recv().unwrap()[..], one);
        assert_eq!(listener.try_recv(), Err(TryRecvError::Empty));
    }

    #[test]
    fn who_falls_behind_is_told_so_and_hinders_nobody() {
        let feed = Feed::default();
        let mut slow = feed.subscribe();
        for n in 0..=WAITING as u64 {
            feed.publish(&[Arc::new(receipt(n))]);
        }
        assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(1)));
        assert_eq!(slow.try_recv().unwrap()[0].id, receipt(1).id);
    }
}
