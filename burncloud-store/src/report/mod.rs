//! Sums and searches: what pages and exports are drawn from.

mod log;
mod torn;
mod usage;

use crate::SqlStore;
use crate::backend::{self, ALL, HOURS_BY_CHANNEL};
use crate::error::database;
use crate::receipt::model_key;
use async_trait::async_trait;
use burncloud_core::store::{
    Extent, LogQuery, ReportStore, Step, StoreResult, TenantRow, UsageQuery, UsageRow, Who,
};
use burncloud_core::{ChannelId, KeyId, QUARTER_US, Receipt, TenantId, UnixMicros};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};

/// Keys looked up in one statement.
const SOME: usize = 100;

#[async_trait]
impl ReportStore for SqlStore {
    async fn usage(&self, query: &UsageQuery) -> StoreResult<Vec<UsageRow>> {
        self.sum_usage(query).await
    }

    async fn paid(
        &self,
        tenants: &[TenantId],
        since: UnixMicros,
        until: UnixMicros,
        step: Step,
    ) -> StoreResult<Vec<TenantRow>> {
        self.sum_paid(tenants, since, until, step).await
    }

    async fn log(&self, query: &LogQuery) -> StoreResult<Vec<Receipt>> {
        self.list_receipts(query).await
    }

    async fn extent(&self) -> StoreResult<Extent> {
        let backend = self.read.get_database_backend();
        let count = Query::select()
            .expr(Expr::cust(backend::summed("requests", backend)))
            .from("usage_hours")
            .and_where(Expr::col("tenant_id").eq(ALL))
            .and_where(Expr::col("kind").eq(HOURS_BY_CHANNEL))
            .to_owned();
        let count = self.read.query_one_raw(backend.build(&count)).await.map_err(database)?;
        let receipts: Option<i64> = match count {
            Some(row) => row.try_get("", "requests").map_err(database)?,
            None => None,
        };
        let size = sea_orm::Statement::from_string(backend, backend::size(backend));
        let size = self.read.query_one_raw(size).await.map_err(database)?;
        let bytes: Option<i64> = match size {
            Some(row) => row.try_get("", "bytes").map_err(database)?,
            None => None,
        };
        let whole = |number: i64| u64::try_from(number).unwrap_or_default();
        // Sums by the hour know those that were archived too.
        let archived = crate::archive::total(&self.read).await?;
        let receipts = receipts.map_or(0, whole).saturating_sub(archived);
        Ok(Extent { receipts, bytes: bytes.map(whole) })
    }

    async fn last_used(&self, keys: &[KeyId]) -> StoreResult<Vec<(KeyId, UnixMicros)>> {
        let backend = self.read.get_database_backend();
        let mut all = Vec::with_capacity(keys.len());
        // One by one each is a look-up in the index; grouped, all that a key ever used would be read.
        let last = |key: &KeyId| -> SelectStatement {
            Query::select()
                .expr_as(Expr::val(key.0), "one")
                .expr_as(Expr::col("quarter").max(), "last")
                .from("usage_quarters")
                .and_where(Expr::col("key_id").eq(key.0))
                .to_owned()
        };
        for some in keys.chunks(SOME) {
            let mut query = last(&some[0]);
            for key in &some[1..] {
                query.union(UnionType::All, last(key));
            }
            for row in self.read.query_all_raw(backend.build(&query)).await.map_err(database)? {
                let last: Option<i64> = row.try_get("", "last").map_err(database)?;
                if let Some(quarter) = last {
                    let key = row.try_get("", "one").map_err(database)?;
                    all.push((KeyId(key), UnixMicros(quarter.saturating_mul(QUARTER_US))));
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }
}

/// Cuts quarters of usage to whose they are, to the channel and to the model.
fn narrow(select: &mut SelectStatement, who: &Who, channel: Option<ChannelId>, model: Option<&str>) {
    match who {
        Who::All => {}
        Who::Tenants(tenants) => {
            select.and_where(Expr::col("tenant_id").is_in(tenants.iter().map(|tenant| tenant.0)));
        }
        Who::User(user) => {
            select.and_where(Expr::col("user_id").eq(user.0));
        }
        Who::Key(key) => {
            select.and_where(Expr::col("key_id").eq(key.0));
        }
    }
    if let Some(channel) = channel {
        select.and_where(Expr::col("channel_id").eq(channel.0));
    }
    if let Some(model) = model {
        select.and_where(Expr::col("model").eq(model_key(model)));
    }
}
