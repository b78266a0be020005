//! Receipts: recorded in batches, once each, with the spending they add up to.

pub(crate) mod row;
mod spending;
mod write;

pub(crate) use spending::model_key;
pub(crate) use write::Statements;

use crate::SqlStore;
use crate::entity::receipt;
use crate::error::database;
use async_trait::async_trait;
use burncloud_core::store::{ReceiptFilter, ReceiptStore, StoreResult};
use burncloud_core::{Receipt, ReceiptId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::sync::Arc;

/// The receipts listed when the filter does not say how many.
const PAGE: u32 = 100;

#[async_trait]
impl ReceiptStore for SqlStore {
    async fn record(&self, receipts: &[Arc<Receipt>]) -> StoreResult<usize> {
        self.record_once(receipts).await
    }

    async fn receipt(&self, id: ReceiptId) -> StoreResult<Option<Receipt>> {
        let found = receipt::Entity::find_by_id(row::id_bytes(id)).one(&self.read).await;
        found.map_err(database)?.map(row::read).transpose()
    }

    async fn receipts(&self, filter: &ReceiptFilter) -> StoreResult<Vec<Receipt>> {
        let limit = if filter.limit == 0 { PAGE } else { filter.limit };
        let mut list = receipt::Entity::find().order_by_desc(receipt::Column::Id).limit(u64::from(limit));
        if let Some(key) = filter.key {
            list = list.filter(receipt::Column::KeyId.eq(key.0));
        }
        if let Some(user) = filter.user {
            list = list.filter(receipt::Column::UserId.eq(user.0));
        }
        if let Some(before) = filter.before {
            list = list.filter(receipt::Column::Id.lt(row::id_bytes(before)));
        }
        list.all(&self.read).await.map_err(database)?.into_iter().map(row::read).collect()
    }
}
