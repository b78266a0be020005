//! What proves receipts: nothing here. A store in memory makes no links, since a chain that ends with the process
//! proves nothing to anybody.

use super::MemoryStore;
use crate::store::{ProofKey, ProofStore, Sealed, StoreResult};
use crate::{KeyId, Receipt, ReceiptId, UserId};
use async_trait::async_trait;

#[async_trait]
impl ProofStore for MemoryStore {
    async fn proof_keys(&self) -> StoreResult<Vec<ProofKey>> {
        Ok(Vec::new())
    }

    async fn seal_of(&self, _id: ReceiptId) -> StoreResult<Option<Sealed>> {
        Ok(None)
    }

    async fn seals(&self, _after: i64, _limit: u32) -> StoreResult<Vec<Sealed>> {
        Ok(Vec::new())
    }

    async fn receipts_by_id(&self, ids: &[ReceiptId]) -> StoreResult<Vec<Receipt>> {
        let state = self.state.read();
        let mut found: Vec<Receipt> =
            ids.iter().filter_map(|id| state.receipts.get(id)).map(|receipt| (**receipt).clone()).collect();
        found.sort_unstable_by_key(|receipt| receipt.id);
        found.dedup_by_key(|receipt| receipt.id);
        Ok(found)
    }

    async fn receipt_owner(&self, id: ReceiptId) -> StoreResult<Option<(KeyId, UserId)>> {
        Ok(self.state.read().receipts.get(&id).map(|receipt| (receipt.key, receipt.user)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ReceiptStore;
    use std::sync::Arc;

    #[tokio::test]
    async fn knows_receipts_by_id_and_proves_none() {
        let store = MemoryStore::default();
        let receipts = [2, 1].map(|n| Arc::new(crate::testing::receipt(n)));
        store.record(&receipts).await.unwrap();
        let ids = [receipts[0].id, receipts[1].id, receipts[0].id, ReceiptId(7)];
        let found = store.receipts_by_id(&ids).await.unwrap();
        assert_eq!(found.iter().map(|receipt| receipt.id).collect::<Vec<_>>(), [ids[1], ids[0]]);
        assert_eq!(store.receipt_owner(ids[0]).await.unwrap(), Some((KeyId(7), UserId(8))));
        assert_eq!(store.receipt_owner(ReceiptId(7)).await.unwrap(), None);
        assert!(store.seal_of(ids[0]).await.unwrap().is_none());
    }
}
