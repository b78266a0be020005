//! Copies of the published prices.

use crate::SqlStore;
use crate::entity::catalogue::{ActiveModel, Column, Entity, Model};
use crate::error::{Failure, database, missing};
use crate::sql::Touched;
use async_trait::async_trait;
use burncloud_core::UnixMicros;
use burncloud_core::store::{CatalogueCopy, CatalogueState, CatalogueStore, StoreResult};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// How many of the newest are kept.
const KEPT: u64 = 20;

fn word(state: CatalogueState) -> &'static str {
    match state {
        CatalogueState::Active => "active",
        CatalogueState::Pending => "pending",
        CatalogueState::Rejected => "rejected",
    }
}

fn read(row: Model) -> StoreResult<CatalogueCopy> {
    use CatalogueState as S;
    let state = [S::Active, S::Pending, S::Rejected].into_iter().find(|state| word(*state) == row.state);
    let unknown = || Failure::Damaged {
        what: "copy of the published prices",
        name: row.version.to_string(),
        why: "its state is unknown".into(),
    };
    Ok(CatalogueCopy {
        version: row.version,
        fetched_at: UnixMicros(row.fetched_at),
        state: state.ok_or_else(unknown)?,
        source: row.source,
        body: row.body,
    })
}

/// Removes what is neither among the newest nor in force.
async fn prune(tx: &DatabaseTransaction) -> StoreResult<()> {
    let mut kept: Vec<i64> = Entity::find()
        .select_only()
        .column(Column::Version)
        .order_by_desc(Column::Version)
        .limit(KEPT)
        .into_tuple()
        .all(tx)
        .await
        .map_err(database)?;
    let in_force: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Version)
        .filter(Column::State.eq(word(CatalogueState::Active)))
        .order_by_desc(Column::Version)
        .into_tuple()
        .one(tx)
        .await
        .map_err(database)?;
    kept.extend(in_force);
    Entity::delete_many().filter(Column::Version.is_not_in(kept)).exec(tx).await.map_err(database)?;
    Ok(())
}

#[async_trait]
impl CatalogueStore for SqlStore {
    async fn add_catalogue(&self, copy: CatalogueCopy) -> StoreResult<i64> {
        let row = ActiveModel {
            version: NotSet,
            fetched_at: Set(copy.fetched_at.0),
            source: Set(copy.source),
            state: Set(word(copy.state).to_owned()),
            body: Set(copy.body),
        };
        let tx = self.begin().await?;
        let added = Entity::insert(row).exec(&tx).await.map_err(database)?;
        prune(&tx).await?;
        self.commit(tx, Touched::Nobody).await?;
        Ok(added.last_insert_id)
    }

    async fn catalogue(&self, state: CatalogueState) -> StoreResult<Option<CatalogueCopy>> {
        let newest = Entity::find().filter(Column::State.eq(word(state))).order_by_desc(Column::Version);
        newest.one(&self.read).await.map_err(database)?.map(read).transpose()
    }

    async fn set_catalogue_state(&self, version: i64, state: CatalogueState) -> StoreResult<()> {
        let tx = self.begin().await?;
        let there = Entity::find_by_id(version).lock_exclusive().one(&tx).await.map_err(database)?;
        there.ok_or_else(|| missing("copy of the published prices", version))?;
        let row = ActiveModel {
            version: Unchanged(version),
            state: Set(word(state).to_owned()),
            ..Default::default()
        };
        let change = Entity::update(row).validate().map_err(database)?;
        change.exec(&tx).await.map_err(database)?;
        self.commit(tx, Touched::Nobody).await
    }
}
