//! Prices that the operator set: added, never changed.

use crate::SqlStore;
use crate::entity::price;
use crate::error::{Failure, database};
use crate::sql::{Touched, from_json, to_json};
use async_trait::async_trait;
use burncloud_core::store::{PriceOverride, PriceStore, StoreResult};
use burncloud_core::{ChannelId, TenantId, UnixMicros};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{EntityTrait, QueryOrder};

fn version(stored: i64, model: &str) -> StoreResult<u64> {
    u64::try_from(stored).map_err(|error| {
        Failure::Damaged { what: "price version", name: model.to_owned(), why: error.to_string() }.into()
    })
}

#[async_trait]
impl PriceStore for SqlStore {
    async fn add_price(&self, price: PriceOverride) -> StoreResult<u64> {
        let row = price::ActiveModel {
            version: NotSet,
            book: Set(price.book.map(|tenant| tenant.0)),
            channel_id: Set(price.channel.map(|channel| channel.0)),
            model: Set(price.model.clone()),
            effective_at: Set(price.effective_at.0),
            rates: Set(to_json(&price.rates)),
        };
        let tx = self.begin().await?;
        let added = price::Entity::insert(row).exec(&tx).await.map_err(database)?;
        self.commit(tx, Touched::Nobody).await?;
        version(added.last_insert_id, &price.model)
    }

    async fn prices(&self) -> StoreResult<Vec<PriceOverride>> {
        let all = price::Entity::find().order_by_asc(price::Column::Version).all(&self.read).await;
        let read = |row: price::Model| {
            Ok(PriceOverride {
                version: version(row.version, &row.model)?,
                book: row.book.map(TenantId),
                channel: row.channel_id.map(ChannelId),
                effective_at: UnixMicros(row.effective_at),
                rates: from_json("price", &row.model, &row.rates)?,
                model: row.model,
            })
        };
        all.map_err(database)?.into_iter().map(read).collect()
    }
}
