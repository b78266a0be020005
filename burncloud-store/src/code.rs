//! Redeem codes.

use crate::SqlStore;
use crate::bulk::SIZES;
use crate::entity::redeem_code::{ActiveModel, Column, Entity, Model};
use crate::entity::user;
use crate::error::{Failure, conflict, database, missing};
use crate::ledger::{Outcome, touched};
use async_trait::async_trait;
use burncloud_core::ledger::NewEntry;
use burncloud_core::store::{CodeStore, NewCode, Posted, RedeemCode, StoreError, StoreResult};
use burncloud_core::{Nano, TenantId, UnixMicros, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

fn read(row: Model) -> StoreResult<RedeemCode> {
    let damaged = |why: &str| Failure::Damaged {
        what: "redeem code of batch",
        name: row.batch.clone(),
        why: why.to_owned(),
    };
    let hash = row.hash.as_slice().try_into().map_err(|_| damaged("its hash has not 32 bytes"))?;
    let redeemed = match (row.redeemed_by, row.redeemed_at, row.entry) {
        (None, None, None) => None,
        (Some(user), Some(at), Some(entry)) => Some((UserId(user), UnixMicros(at), entry)),
        _ => return Err(damaged("it is used by halves").into()),
    };
    let code = NewCode {
        hash,
        amount: Nano(row.amount),
        expires_at: row.expires_at.map(UnixMicros),
        sold: row.sold,
        tenant: TenantId(row.tenant_id),
        batch: row.batch,
    };
    let (created_at, revoked_at) = (UnixMicros(row.created_at), row.revoked_at.map(UnixMicros));
    Ok(RedeemCode { code, created_at, redeemed, revoked_at })
}

fn write(code: &NewCode, now: UnixMicros) -> ActiveModel {
    ActiveModel {
        hash: Set(code.hash.to_vec()),
        batch: Set(code.batch.clone()),
        amount: Set(code.amount.0),
        tenant_id: Set(code.tenant.0),
        sold: Set(code.sold),
        expires_at: Set(code.expires_at.map(|at| at.0)),
        created_at: Set(now.0),
        redeemed_by: Set(None),
        redeemed_at: Set(None),
        entry: Set(None),
        revoked_at: Set(None),
    }
}

/// Refuses a code that this user cannot use now.
async fn check(tx: &DatabaseTransaction, hash: &[u8; 32], of: UserId, now: UnixMicros) -> StoreResult<()> {
    let unknown = || missing("redeem code", "of that hash");
    let row = Entity::find_by_id(hash.to_vec()).lock_exclusive().one(tx).await.map_err(database)?;
    let row = row.ok_or_else(unknown)?;
    let user = user::Entity::find_by_id(of.0).one(tx).await.map_err(database)?;
    if user.ok_or_else(|| missing("user", of))?.tenant_id != row.tenant_id {
        return Err(unknown());
    }
    read(row)?.check(now)
}

#[async_trait]
impl CodeStore for SqlStore {
    async fn create_codes(&self, codes: &[NewCode]) -> StoreResult<()> {
        let (tx, now) = (self.begin().await?, UnixMicros::now());
        for some in codes.chunks(SIZES[0]) {
            let rows = some.iter().map(|code| write(code, now));
            let batch = some.first().map_or("", |code| &code.batch);
            Entity::insert_many(rows)
                .exec_without_returning(&tx)
                .await
                .map_err(conflict("redeem code in batch", batch))?;
        }
        tx.commit().await.map_err(database)
    }

    async fn code(&self, hash: &[u8; 32]) -> StoreResult<Option<RedeemCode>> {
        let found = Entity::find_by_id(hash.to_vec()).one(&self.read).await.map_err(database)?;
        found.map(read).transpose()
    }

    async fn codes(
        &self,
        batch: Option<&str>,
        after: Option<[u8; 32]>,
        limit: u32,
    ) -> StoreResult<Vec<RedeemCode>> {
        let mut page = Entity::find().order_by_asc(Column::Hash).limit(u64::from(limit));
        if let Some(batch) = batch {
            page = page.filter(Column::Batch.eq(batch));
        }
        if let Some(after) = after {
            page = page.filter(Column::Hash.gt(after.to_vec()));
        }
        page.all(&self.read).await.map_err(database)?.into_iter().map(read).collect()
    }

    async fn redeem(
        &self,
        hash: &[u8; 32],
        user: UserId,
        now: UnixMicros,
        mut entry: NewEntry,
    ) -> StoreResult<Posted> {
        entry.check()?;
        entry.postings.sort_by_key(|posting| posting.account);
        let tx = self.begin().await?;
        check(&tx, hash, user, now).await?;
        let used = || StoreError::Conflict { what: "use of the", name: "redeem code".to_owned() };
        let Outcome::Posted(id) = self.post_in(&tx, &entry).await? else { return Err(used()) };
        let marked = Entity::update_many()
            .col_expr(Column::RedeemedBy, Expr::value(user.0))
            .col_expr(Column::RedeemedAt, Expr::value(now.0))
            .col_expr(Column::Entry, Expr::value(id))
            .filter(Column::Hash.eq(hash.to_vec()))
            .filter(Column::RedeemedBy.is_null())
            .exec(&tx)
            .await
            .map_err(database)?;
        if marked.rows_affected != 1 {
            return Err(used());
        }
        self.commit(tx, touched(&entry.postings)).await?;
        Ok(Posted { id, new: true })
    }

    async fn revoke_codes(&self, batch: &str, now: UnixMicros) -> StoreResult<u64> {
        let revoked = Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(now.0))
            .filter(Column::Batch.eq(batch))
            .filter(Column::RedeemedBy.is_null())
            .filter(Column::RevokedAt.is_null())
            .exec(&self.write)
            .await
            .map_err(database)?;
        Ok(revoked.rows_affected)
    }
}
