//! What was spent: the sums that recording receipts keeps.

use crate::SqlStore;
use crate::backend::halves;
use crate::error::database;
use crate::receipt::model_key;
use async_trait::async_trait;
use burncloud_core::store::{SpendingStore, StoreResult};
use burncloud_core::{Nano, QUARTER_US, Scope, Spent, UnixMicros};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

/// Which table sums a scope, which of its columns names it, and which say what was spent.
fn place(scope: &Scope) -> (&'static str, &'static str, Value, &'static str, &'static [&'static str]) {
    const TOKENS: &[&str] = &["tokens_in", "tokens_out"];
    match scope {
        Scope::Key(id) => ("usage_quarters", "key_id", id.0.into(), "charge", TOKENS),
        Scope::User(id) => ("usage_quarters", "user_id", id.0.into(), "charge", TOKENS),
        Scope::Channel(id) => ("usage_quarters", "channel_id", id.0.into(), "cost", TOKENS),
        Scope::Model(name) => ("usage_quarters", "model", model_key(name).into(), "charge", TOKENS),
        Scope::Tenant(id) => ("tenant_quarters", "tenant_id", id.0.into(), "money", &["tokens"]),
    }
}

/// A sum that [`halves`] asked for.
pub(crate) fn whole(row: &QueryResult, column: &str) -> Result<i128, DbErr> {
    let half = |name: &str| -> Result<i128, DbErr> {
        let half: Option<i64> = row.try_get("", &format!("{column}_{name}"))?;
        Ok(half.unwrap_or_default().into())
    };
    Ok((half("high")? << 32) + half("low")?)
}

#[async_trait]
impl SpendingStore for SqlStore {
    async fn spent(&self, scope: &Scope, since: UnixMicros) -> StoreResult<Spent> {
        let backend = self.read.get_database_backend();
        let (table, name, value, money, tokens) = place(scope);
        let mut sums = Query::select();
        for column in tokens.iter().chain([&money]) {
            sums.expr(Expr::cust(halves(column, backend)));
        }
        sums.from(Alias::new(table))
            .and_where(Expr::col(Alias::new("quarter")).gte(since.0.div_euclid(QUARTER_US)))
            .and_where(Expr::col(Alias::new(name)).eq(Expr::val(value)));
        let row = self.read.query_one_raw(backend.build(&sums)).await.map_err(database)?;
        let Some(row) = row else { return Ok(Spent::default()) };
        let money = whole(&row, money).map_err(database)?;
        let mut all = 0;
        for column in tokens {
            all += whole(&row, column).map_err(database)?;
        }
        let end = if money < 0 { i64::MIN } else { i64::MAX };
        let money = Nano(i64::try_from(money).unwrap_or(end));
        Ok(Spent { money, tokens: u64::try_from(all.max(0)).unwrap_or(u64::MAX) })
    }
}
