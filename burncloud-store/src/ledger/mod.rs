//! The ledger: entries are added, never changed; balances are cached beside them in the same transaction.

mod post;
mod read;
mod rows;

pub(crate) use post::{Outcome, touched};
pub(crate) use rows::Postings;

use crate::SqlStore;
use async_trait::async_trait;
use burncloud_core::ledger::{Account, Entry, NewEntry};
use burncloud_core::store::{EntryFilter, LedgerStore, Posted, StoreResult};
use burncloud_core::{Nano, Receipt, ReceiptId, UnixMicros};

#[async_trait]
impl LedgerStore for SqlStore {
    async fn post(&self, entry: NewEntry) -> StoreResult<Posted> {
        self.post_entry(entry).await
    }

    async fn entry(&self, id: i64) -> StoreResult<Option<Entry>> {
        self.read_entry(id).await
    }

    async fn entries(&self, filter: &EntryFilter) -> StoreResult<Vec<Entry>> {
        self.read_entries(filter).await
    }

    async fn balance(&self, account: Account) -> StoreResult<Nano> {
        self.read_balance(account).await
    }

    async fn balances(&self, after: Option<Account>, limit: u32) -> StoreResult<Vec<(Account, Nano)>> {
        self.read_balances(after, limit).await
    }

    async fn receipts_of(&self, entry: i64) -> StoreResult<Vec<Receipt>> {
        let ids = self.receipt_ids(entry).await?;
        self.read_receipts(&ids).await
    }

    async fn receipt_ids_of(&self, entry: i64) -> StoreResult<Vec<ReceiptId>> {
        self.receipt_ids(entry).await
    }

    async fn ledger_begun(&self) -> StoreResult<UnixMicros> {
        self.begun().await
    }
}
