//! What receipts say of the chain: each knows the number of its link, so that a chain that was deleted, or its end, is missed.

use crate::SqlStore;
use crate::entity::{receipt, receipt_seal};
use crate::error::{Failure, database};
use burncloud_core::ReceiptId;
use burncloud_core::store::StoreResult;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashSet};

/// Receipts read at once.
const PAGE: u64 = 1000;

/// Links whose lists are kept: receipts come in the order of their arrival, which is nearly that of their links.
const LINKS: usize = 64;

/// The receipts that a link lists; none for one that is gone.
type List = HashSet<[u8; 16]>;

impl SqlStore {
    /// The first receipt, by id, that says it is in a link which is not there or does not list it, and the number of that
    /// link. Reads every receipt's number, in pages; chains themselves are checked elsewhere.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](burncloud_core::store::StoreError::Unavailable); `Invalid` for a row that cannot be read.
    pub async fn unlisted_receipt(&self) -> StoreResult<Option<(ReceiptId, i64)>> {
        let mut lists: BTreeMap<i64, List> = BTreeMap::new();
        let mut after = Vec::new();
        loop {
            let page: Vec<(Vec<u8>, i64)> = receipt::Entity::find()
                .select_only()
                .columns([receipt::Column::Id, receipt::Column::Seal])
                .filter(receipt::Column::Id.gt(after))
                .filter(receipt::Column::Seal.is_not_null())
                .order_by_asc(receipt::Column::Id)
                .limit(PAGE)
                .into_tuple()
                .all(&self.read)
                .await
                .map_err(database)?;
            let Some((last, _)) = page.last() else { return Ok(None) };
            after = last.clone();
            for (id, sequence) in page {
                let id = id_of(&id)?;
                if !lists.contains_key(&sequence) {
                    if lists.len() == LINKS {
                        lists.pop_first();
                    }
                    lists.insert(sequence, self.list(sequence).await?);
                }
                if !lists[&sequence].contains(&id) {
                    return Ok(Some((ReceiptId(u128::from_be_bytes(id)), sequence)));
                }
            }
        }
    }

    async fn list(&self, sequence: i64) -> StoreResult<List> {
        let ids: Option<Vec<u8>> = receipt_seal::Entity::find_by_id(sequence)
            .select_only()
            .column(receipt_seal::Column::Receipts)
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(database)?;
        Ok(ids.unwrap_or_default().as_chunks::<16>().0.iter().copied().collect())
    }
}

fn id_of(bytes: &[u8]) -> StoreResult<[u8; 16]> {
    let damaged = |_| Failure::Damaged {
        what: "id",
        name: "a receipt".into(),
        why: format!("{} bytes instead of 16", bytes.len()),
    };
    Ok(bytes.try_into().map_err(damaged)?)
}
