//! What is known of archived receipts. Taking them out is in [`take`].

mod sums;
mod take;

pub(crate) use take::Statements;

use crate::SqlStore;
use crate::entity::{archive, archived_receipt, receipt};
use crate::error::{Failure, database};
use crate::receipt::row;
use async_trait::async_trait;
use burncloud_core::store::{ArchiveStore, Archived, ArchivedReceipt, ArchivedSums, StoreResult};
use burncloud_core::{ReceiptId, TenantId, UnixMicros, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

/// Receipts looked up by their ids in one statement.
const SOME: usize = 500;

fn damaged(part: i64, why: &str) -> Failure {
    Failure::Damaged { what: "archive", name: format!("link {part}"), why: why.to_owned() }
}

fn read(row: archive::Model) -> Result<Archived, Failure> {
    let first = row.first_link;
    let count = |n: i64| u64::try_from(n).map_err(|_| damaged(first, "a count is negative"));
    let sha256 = row.sha256.as_slice().try_into();
    Ok(Archived {
        first,
        last: row.last_link,
        receipts: count(row.receipts)?,
        total: count(row.total)?,
        file: row.file,
        sha256: sha256.map_err(|_| damaged(first, "its hash has not 32 bytes"))?,
        at: UnixMicros(row.at),
    })
}

/// What was archived last.
async fn last(connection: &impl ConnectionTrait) -> StoreResult<Option<Archived>> {
    let last = archive::Entity::find().order_by_desc(archive::Column::FirstLink).one(connection).await;
    Ok(last.map_err(database)?.map(read).transpose()?)
}

/// How many were.
pub(crate) async fn total(connection: &impl ConnectionTrait) -> StoreResult<u64> {
    Ok(last(connection).await?.map_or(0, |last| last.total))
}

/// Whether one of these receipts, which were inserted a moment ago, was archived: then they must not be recorded. Asked
/// after they are inserted, and of what is committed now: whoever archives one deletes it first, and until that is
/// committed it cannot be inserted.
pub(crate) async fn any_archived(tx: &DatabaseTransaction, ids: &[ReceiptId]) -> StoreResult<bool> {
    let Some(oldest) = ids.iter().min() else { return Ok(false) };
    // Nearly always all are newer than whatever was archived: one look at the end of the table.
    let newer = archived_receipt::Entity::find()
        .select_only()
        .column(archived_receipt::Column::Id)
        .filter(archived_receipt::Column::Id.gte(row::id_bytes(*oldest)))
        .limit(1)
        .lock_shared();
    let newer: Option<Vec<u8>> = newer.into_tuple().one(tx).await.map_err(database)?;
    if newer.is_none() {
        return Ok(false);
    }
    for some in ids.chunks(SOME) {
        let ids = some.iter().map(|id| row::id_bytes(*id));
        let found: Option<Vec<u8>> = archived_receipt::Entity::find()
            .select_only()
            .column(archived_receipt::Column::Id)
            .filter(archived_receipt::Column::Id.is_in(ids))
            .lock_shared()
            .limit(1)
            .into_tuple()
            .one(tx)
            .await
            .map_err(database)?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Those of these receipts that were archived, in no order.
pub(crate) async fn archived(
    connection: &impl ConnectionTrait,
    ids: &[ReceiptId],
) -> StoreResult<Vec<ArchivedReceipt>> {
    let mut all = Vec::new();
    for some in ids.chunks(SOME) {
        let ids = some.iter().map(|id| row::id_bytes(*id));
        let rows = archived_receipt::Entity::find().filter(archived_receipt::Column::Id.is_in(ids));
        for row in rows.all(connection).await.map_err(database)? {
            let id = row.id.as_slice().try_into().map(u128::from_be_bytes);
            all.push(ArchivedReceipt {
                id: ReceiptId(id.map_err(|_| damaged(row.link, "an id has not 16 bytes"))?),
                link: row.link,
                user: UserId(row.user_id),
                tenant: TenantId(row.tenant_id),
            });
        }
    }
    Ok(all)
}

#[async_trait]
impl ArchiveStore for SqlStore {
    async fn archive(&self, part: &Archived) -> StoreResult<()> {
        self.take_part(part).await
    }

    async fn archives(&self, after: i64, limit: u32) -> StoreResult<Vec<Archived>> {
        let rows = archive::Entity::find()
            .filter(archive::Column::FirstLink.gt(after))
            .order_by_asc(archive::Column::FirstLink)
            .limit(u64::from(limit));
        let rows = rows.all(&self.read).await.map_err(database)?;
        rows.into_iter().map(|row| Ok(read(row)?)).collect()
    }

    async fn last_archive(&self) -> StoreResult<Option<Archived>> {
        last(&self.read).await
    }

    async fn archived_receipts(&self, ids: &[ReceiptId]) -> StoreResult<Vec<ArchivedReceipt>> {
        let mut all = archived(&self.read, ids).await?;
        all.sort_unstable_by_key(|receipt| receipt.id);
        all.dedup_by_key(|receipt| receipt.id);
        Ok(all)
    }

    async fn archived_sums(&self) -> StoreResult<ArchivedSums> {
        sums::read(&self.read).await
    }

    async fn oldest_receipt(&self) -> StoreResult<Option<UnixMicros>> {
        let at: Option<i64> = receipt::Entity::find()
            .select_only()
            .column(receipt::Column::At)
            .order_by_asc(receipt::Column::Id)
            .limit(1)
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(database)?;
        Ok(at.map(UnixMicros))
    }
}
