//! Receipts, searched. Receipts have an index by key, by user, and for what failed or was refused; every other index would
//! cost on every request. What else is asked for is found by way of the sums: they know in which quarters of an hour there
//! was any, and receipts lie in the order of time.

use super::narrow;
use crate::SqlStore;
use crate::backend;
use crate::entity::receipt::{Column, Entity, Model};
use crate::error::database;
use crate::receipt::row;
use burncloud_core::store::{LogQuery, Outcome, StoreResult, Who};
use burncloud_core::{QUARTER_US, Receipt, ReceiptId, TraceId, UnixMicros};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Statement,
};
use std::collections::BTreeSet;
use std::ops::Range;

/// Quarters looked up at once.
const SOME: usize = 64;

/// The first id of that millisecond.
fn first_id(ms: i64) -> ReceiptId {
    ReceiptId(u128::from(u64::try_from(ms).unwrap_or_default()) << 80)
}

/// The first id of a quarter of an hour.
fn first_of(quarter: i64) -> ReceiptId {
    first_id(quarter.saturating_mul(QUARTER_US / 1_000))
}

/// The ids that a query allows, by its times and by where it goes on.
fn ids(query: &LogQuery) -> Range<ReceiptId> {
    let since = query.since.map_or(ReceiptId(0), |since| first_id(since.0.div_euclid(1_000)));
    let until = query.until.map_or(ReceiptId(u128::MAX), |until| {
        first_id(until.0.div_euclid(1_000) + i64::from(until.0.rem_euclid(1_000) != 0))
    });
    since..query.before.map_or(until, |before| before.min(until))
}

/// Which of the indexes for outcomes is of use: that for failures, or that for refusals.
fn odd(outcome: Option<Outcome>) -> Option<bool> {
    match outcome? {
        Outcome::Failed => Some(true),
        Outcome::Refused => Some(false),
        Outcome::Answered => None,
    }
}

/// What finds the quarters in which there is something.
enum Way {
    /// None: the receipts themselves, or an index of theirs, are read.
    Straight,
    /// By what failed or was refused.
    Odd(bool),
    /// The sums of requests.
    Sums,
    /// What each of these tenants paid: it has a row for every quarter in which it, or one below it, asked anything.
    Tenants(Vec<i64>),
}

impl Way {
    fn of(query: &LogQuery) -> Way {
        let (odd, named) = (odd(query.outcome), query.model.is_some() || query.channel.is_some());
        if query.trace.is_some() {
            return Way::Straight;
        }
        match (&query.who, odd) {
            _ if named => Way::Sums,
            (Who::User(_) | Who::Key(_), Some(_)) => Way::Sums,
            (Who::User(_) | Who::Key(_), None) => Way::Straight,
            (Who::All | Who::Tenants(_), Some(failed)) => Way::Odd(failed),
            (Who::Tenants(tenants), None) => Way::Tenants(tenants.iter().map(|tenant| tenant.0).collect()),
            (Who::All, None) => Way::Straight,
        }
    }
}

/// Quarters with requests as a query asks for, the newest first.
fn summed_quarters(query: &LogQuery, range: &Range<i64>) -> SelectStatement {
    let mut select = Query::select();
    select
        .distinct()
        .column("quarter")
        .from("usage_quarters")
        .and_where(Expr::col("quarter").gte(range.start))
        .and_where(Expr::col("quarter").lt(range.end))
        .and_where(Expr::col("requests").gt(0))
        .order_by("quarter", Order::Desc)
        .limit(SOME as u64);
    narrow(&mut select, &query.who, query.channel, query.model.as_deref());
    match odd(query.outcome) {
        Some(true) => select.and_where(Expr::col("failed").gt(0)),
        Some(false) => select.and_where(Expr::col("refused").gt(0)),
        None => &mut select,
    };
    select
}

fn tenant_quarters(tenant: i64, range: &Range<i64>) -> SelectStatement {
    Query::select()
        .column("quarter")
        .from("tenant_quarters")
        .and_where(Expr::col("tenant_id").eq(tenant))
        .and_where(Expr::col("quarter").gte(range.start))
        .and_where(Expr::col("quarter").lt(range.end))
        .order_by("quarter", Order::Desc)
        .limit(SOME as u64)
        .to_owned()
}

/// The receipts of these ids that a query asks for, the newest first.
fn page(
    query: &LogQuery,
    trace: Option<TraceId>,
    ids: &Range<ReceiptId>,
    most: usize,
    backend: DbBackend,
) -> Statement {
    let mut list = Entity::find()
        .filter(Column::Id.gte(row::id_bytes(ids.start)))
        .filter(Column::Id.lt(row::id_bytes(ids.end)))
        .order_by_desc(Column::Id)
        .limit(most as u64);
    list = match &query.who {
        Who::All => list,
        Who::Tenants(tenants) => list.filter(Column::TenantId.is_in(tenants.iter().map(|tenant| tenant.0))),
        Who::User(user) => list.filter(Column::UserId.eq(user.0)),
        Who::Key(key) => list.filter(Column::KeyId.eq(key.0)),
    };
    if let Some(UnixMicros(since)) = query.since {
        list = list.filter(Column::At.gte(since));
    }
    if let Some(UnixMicros(until)) = query.until {
        list = list.filter(Column::At.lt(until));
    }
    if let Some(channel) = query.channel {
        list = list.filter(Column::ChannelId.eq(channel.0));
    }
    if let Some(model) = &query.model {
        list = list.filter(Column::Model.eq(model.as_str()));
    }
    if let Some(trace) = trace {
        // It is what the rest of a receipt begins with.
        list = list.filter(Column::Rest.like(format!("{{\"trace\":\"{trace}\"%")));
    }
    match query.outcome {
        None => {}
        Some(Outcome::Answered) => {
            list = list.filter(Column::End.is_in(["finished", "refused"])).filter(Column::Status.lt(400));
        }
        Some(outcome) => {
            let (also, index) = backend::outcome(outcome == Outcome::Failed, backend);
            list = list.filter(Expr::cust(format!("({index})"))).filter(Expr::cust(also));
        }
    }
    list.build(backend)
}

impl SqlStore {
    async fn newest(&self, select: SelectStatement) -> StoreResult<Vec<i64>> {
        let backend = self.read.get_database_backend();
        let rows = self.read.query_all_raw(backend.build(&select)).await.map_err(database)?;
        rows.iter().map(|row| row.try_get("", "quarter").map_err(database)).collect()
    }

    /// At most [`SOME`] quarters of the range in which there may be something, the newest first.
    async fn candidates(&self, query: &LogQuery, way: &Way, range: &Range<i64>) -> StoreResult<Vec<i64>> {
        let Way::Tenants(tenants) = way else { return self.newest(summed_quarters(query, range)).await };
        let mut all = BTreeSet::new();
        for tenant in tenants {
            all.extend(self.newest(tenant_quarters(*tenant, range)).await?);
        }
        Ok(all.into_iter().rev().take(SOME).collect())
    }

    async fn read_page(
        &self,
        query: &LogQuery,
        trace: Option<TraceId>,
        ids: &Range<ReceiptId>,
        most: usize,
    ) -> StoreResult<Vec<Receipt>> {
        let backend = self.read.get_database_backend();
        let mut statement = page(query, trace, ids, most, backend);
        if let Way::Odd(failed) = Way::of(query) {
            statement.sql = backend::by_outcome(&statement.sql, failed, backend);
        }
        let rows = Model::find_by_statement(statement).all(&self.read).await.map_err(database)?;
        rows.into_iter().map(row::read).collect()
    }

    pub(super) async fn list_receipts(&self, query: &LogQuery) -> StoreResult<Vec<Receipt>> {
        let trace = query.trace.as_deref().map(|trace| TraceId::from_hex(trace.as_bytes()));
        let nobody = matches!(&query.who, Who::Tenants(tenants) if tenants.is_empty());
        let allowed = ids(query);
        if nobody || trace == Some(None) || allowed.is_empty() {
            return Ok(Vec::new());
        }
        let (trace, most, way) = (trace.flatten(), query.most(), Way::of(query));
        if matches!(way, Way::Straight | Way::Odd(_)) {
            return self.read_page(query, trace, &allowed, most).await;
        }
        let quarter = |id: ReceiptId| id.at().0.div_euclid(QUARTER_US);
        let mut range = quarter(allowed.start)..quarter(allowed.end).saturating_add(1);
        let mut found = Vec::new();
        loop {
            let some = self.candidates(query, &way, &range).await?;
            // Neighbours are read at once.
            for run in some.chunk_by(|newer, older| newer - older == 1) {
                let (newest, oldest) = (run[0], run[run.len() - 1]);
                let ids = first_of(oldest).max(allowed.start)..first_of(newest + 1).min(allowed.end);
                found.extend(self.read_page(query, trace, &ids, most - found.len()).await?);
                if found.len() == most {
                    return Ok(found);
                }
            }
            match some.last() {
                Some(oldest) if some.len() == SOME => range.end = *oldest,
                _ => return Ok(found),
            }
        }
    }
}
