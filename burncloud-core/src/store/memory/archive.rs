//! Nothing is archived out of memory: what has no link stays, and a store in memory makes none.

use super::{MemoryStore, missing};
use crate::store::{ArchiveStore, Archived, ArchivedReceipt, ArchivedSums, StoreResult};
use crate::{ReceiptId, UnixMicros};
use async_trait::async_trait;

#[async_trait]
impl ArchiveStore for MemoryStore {
    async fn archive(&self, part: &Archived) -> StoreResult<()> {
        Err(missing("link", part.first))
    }

    async fn archives(&self, _after: i64, _limit: u32) -> StoreResult<Vec<Archived>> {
        Ok(Vec::new())
    }

    async fn last_archive(&self) -> StoreResult<Option<Archived>> {
        Ok(None)
    }

    async fn archived_receipts(&self, _ids: &[ReceiptId]) -> StoreResult<Vec<ArchivedReceipt>> {
        Ok(Vec::new())
    }

    async fn archived_sums(&self) -> StoreResult<ArchivedSums> {
        Ok(ArchivedSums::default())
    }

    async fn oldest_receipt(&self) -> StoreResult<Option<UnixMicros>> {
        Ok(self.state.read().receipts.values().next().map(|receipt| receipt.at))
    }
}
