//! Sums that many dashboards ask for, asked once.

use burncloud_core::store::{ReportStore, StoreResult, UsageQuery, UsageRow, quarters};
use burncloud_core::{QUARTER_US, UnixMicros};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// How long sums are shown before they are asked for again.
const FRESH: Duration = Duration::from_secs(2);

/// What was asked, when, and the answer as soon as there is one.
type Slot = (Instant, Arc<OnceCell<Arc<[UsageRow]>>>);

pub(super) struct Sums {
    store: Arc<dyn ReportStore>,
    asked: Mutex<HashMap<UsageQuery, Slot>>,
}

impl Sums {
    pub(super) fn new(store: Arc<dyn ReportStore>) -> Sums {
        Sums { store, asked: Mutex::default() }
    }

    pub(super) async fn usage(&self, query: &UsageQuery) -> StoreResult<Arc<[UsageRow]>> {
        // Stores sum whole quarters: queries that differ within one have the same answer.
        let range = quarters(query.since, query.until);
        let query = UsageQuery {
            since: UnixMicros(range.start.saturating_mul(QUARTER_US)),
            until: UnixMicros(range.end.saturating_mul(QUARTER_US)),
            ..query.clone()
        };
        let cell = {
            let mut asked = self.asked.lock();
            asked.retain(|_, (at, _)| at.elapsed() < FRESH);
            asked.entry(query.clone()).or_insert_with(|| (Instant::now(), Arc::default())).1.clone()
        };
        let rows = cell.get_or_try_init(async || self.store.usage(&query).await.map(Arc::from)).await?;
        Ok(rows.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use burncloud_core::store::{Extent, LogQuery, MemoryStore, ReceiptStore, Step, StoreError, TenantRow};
    use burncloud_core::testing::receipt;
    use burncloud_core::{KeyId, Receipt, TenantId};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    /// Counts what it is asked; away at first.
    struct Counting(MemoryStore, AtomicUsize);

    #[async_trait]
    impl ReportStore for Counting {
        async fn usage(&self, query: &UsageQuery) -> StoreResult<Vec<UsageRow>> {
            let before = self.1.fetch_add(1, SeqCst);
            tokio::task::yield_now().await;
            if before == 0 {
                return Err(StoreError::Unavailable("away".into()));
            }
            self.0.usage(query).await
        }
        async fn paid(
            &self,
            tenants: &[TenantId],
            since: UnixMicros,
            until: UnixMicros,
            step: Step,
        ) -> StoreResult<Vec<TenantRow>> {
            self.0.paid(tenants, since, until, step).await
        }
        async fn log(&self, query: &LogQuery) -> StoreResult<Vec<Receipt>> {
            self.0.log(query).await
        }
        async fn extent(&self) -> StoreResult<Extent> {
            self.0.extent().await
        }
        async fn last_used(&self, keys: &[KeyId]) -> StoreResult<Vec<(KeyId, UnixMicros)>> {
            self.0.last_used(keys).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_ask_and_the_store_is_asked_once() {
        let store = Arc::new(Counting(MemoryStore::default(), AtomicUsize::new(0)));
        store.0.record(&[Arc::new(receipt(1))]).await.unwrap();
        let sums = Arc::new(Sums::new(store.clone()));
        let at = receipt(1).at.0;
        let ask = move |n: i64| UsageQuery { until: UnixMicros(at + n), ..UsageQuery::default() };
        sums.usage(&ask(1)).await.unwrap_err();
        let all: Vec<_> = (1..=200)
            .map(|n| {
                let sums = sums.clone();
                tokio::spawn(async move { sums.usage(&ask(n)).await.unwrap()[0].requests })
            })
            .collect();
        for one in all {
            assert_eq!(one.await.unwrap(), 1);
        }
        assert_eq!(store.1.load(SeqCst), 2, "a failure is not kept; an answer is");
        let other = UsageQuery { model: Some("x".into()), ..ask(1) };
        assert!(sums.usage(&other).await.unwrap().is_empty(), "another question has another answer");
        assert_eq!(store.1.load(SeqCst), 3);

        store.0.record(&[Arc::new(receipt(2))]).await.unwrap();
        tokio::time::advance(FRESH).await;
        assert_eq!(sums.usage(&ask(1)).await.unwrap()[0].requests, 2, "it is asked again after a while");
        assert_eq!(sums.asked.lock().len(), 1, "old answers are forgotten");
    }
}
