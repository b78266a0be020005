//! Sums: from the quarters, or from the hours where those tell apart what is asked for.

use super::narrow;
use super::torn::torn;
use crate::SqlStore;
use crate::backend::{self, ALL, DAYS_BY_USER, HOURS_BY_CHANNEL, HOURS_BY_MODEL, HOURS_BY_TENANT, USAGE};
use crate::error::database;
use crate::receipt::model_key;
use crate::spending::whole;
use burncloud_core::store::{Dim, Step, StoreResult, TenantRow, UsageQuery, UsageRow, Who, quarters};
use burncloud_core::{ChannelId, KeyId, Nano, QUARTER_US, TenantId, UnixMicros, UserId};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

/// How many sums one query gives.
const ROWS: usize = 100_000;
/// Quarters in an hour.
pub(super) const HOUR: i64 = 4;
/// The most hours that are looked up quarter by quarter: a year of days.
const TORN: usize = 366;

/// Sums of hours, or of days, that hold what a query asks for.
struct Hours {
    /// `None` is each.
    tenants: Option<Vec<i64>>,
    kind: i64,
}

impl Hours {
    /// Those of a query, if it tells nothing apart, and asks for nothing, that they do not.
    fn of(query: &UsageQuery) -> Option<Hours> {
        if query.step == Step::Quarter {
            return None;
        }
        let asks = |dim| {
            let named = match dim {
                Dim::Channel => query.channel.is_some(),
                Dim::Model => query.model.is_some(),
                _ => false,
            };
            named || query.by.contains(&dim)
        };
        let ids = |tenants: &[TenantId]| tenants.iter().map(|tenant| tenant.0).collect();
        if asks(Dim::User) && !asks(Dim::Key) && !asks(Dim::Channel) && !asks(Dim::Model) {
            let tenants = match &query.who {
                Who::All => None,
                Who::Tenants(tenants) => Some(ids(tenants)),
                _ => return None,
            };
            return (query.step == Step::Whole).then_some(Hours { tenants, kind: DAYS_BY_USER });
        }
        if asks(Dim::Key) || asks(Dim::User) {
            return None;
        }
        let kind = match (asks(Dim::Channel), asks(Dim::Model), asks(Dim::Tenant), &query.who) {
            (false, _, _, Who::Tenants(tenants)) => {
                return Some(Hours { tenants: Some(ids(tenants)), kind: HOURS_BY_MODEL });
            }
            (_, false, false, Who::All) => HOURS_BY_CHANNEL,
            (false, true, false, Who::All) => HOURS_BY_MODEL,
            (false, false, true, Who::All) => HOURS_BY_TENANT,
            _ => return None,
        };
        Some(Hours { tenants: Some(vec![ALL]), kind })
    }

    /// How many hours each row is of.
    fn width(&self) -> i64 {
        if self.kind == DAYS_BY_USER { 24 } else { 1 }
    }

    /// Those hours of a range of quarters that are whole, or that are of whole days. Where nothing comes `after` the range,
    /// what it holds of its last hour or day is all that this has.
    fn within(&self, quarters: &Range<i64>, after: bool) -> Range<i64> {
        let width = self.width();
        let row = HOUR * width;
        let up = |quarter: i64| quarter.div_euclid(row) + i64::from(quarter.rem_euclid(row) != 0);
        let last = if after { quarters.end.div_euclid(row) } else { up(quarters.end) };
        up(quarters.start) * width..last * width
    }

    fn column(&self, dim: Dim) -> &'static str {
        match dim {
            Dim::Model => "model",
            Dim::Tenant if matches!(self.kind, HOURS_BY_MODEL | DAYS_BY_USER) => "tenant_id",
            _ => "id",
        }
    }
}

fn quarters_column(dim: Dim) -> &'static str {
    match dim {
        Dim::Key => "key_id",
        Dim::User => "user_id",
        Dim::Tenant => "tenant_id",
        Dim::Channel => "channel_id",
        Dim::Model => "model",
    }
}

fn alias(dim: Dim) -> &'static str {
    match dim {
        Dim::Key => "d_key",
        Dim::User => "d_user",
        Dim::Tenant => "d_tenant",
        Dim::Channel => "d_channel",
        Dim::Model => "d_model",
    }
}

/// The number of a row's span of time, of a column that counts quarters (`in_hour` 4) or hours (1).
fn span(step: Step, column: &str, in_hour: i64, backend: DbBackend) -> Option<String> {
    match step {
        Step::Whole => None,
        Step::Quarter => Some(column.to_owned()),
        Step::Hour if in_hour == 1 => Some(column.to_owned()),
        Step::Hour => Some(backend::floored(column, in_hour, backend)),
        Step::Day { offset } => {
            let ahead = offset.div_euclid(QUARTER_US * HOUR / in_hour);
            Some(backend::floored(&format!("({column} + {ahead})"), 24 * in_hour, backend))
        }
    }
}

/// When the span of that number begins.
fn begins(step: Step, number: i64) -> UnixMicros {
    let quarter = match step {
        Step::Whole => return UnixMicros(0),
        Step::Quarter => number,
        Step::Hour => number.saturating_mul(HOUR),
        Step::Day { offset } => number.saturating_mul(24 * HOUR) - offset.div_euclid(QUARTER_US),
    };
    UnixMicros(quarter.saturating_mul(QUARTER_US))
}

/// How sums are asked for: as they are, or in halves.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Plain,
    Halved,
}

impl Asked {
    fn column(self, name: &str, backend: DbBackend) -> String {
        match self {
            Asked::Plain => backend::summed(name, backend),
            Asked::Halved => backend::halves(name, backend),
        }
    }

    fn read(self, row: &QueryResult, name: &str) -> Result<i128, DbErr> {
        match self {
            Asked::Plain => Ok(row.try_get::<Option<i64>>("", name)?.unwrap_or_default().into()),
            Asked::Halved => whole(row, name),
        }
    }
}

fn money(sum: i128) -> Nano {
    Nano(i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX }))
}

fn count(sum: i128) -> u64 {
    u64::try_from(sum.max(0)).unwrap_or(u64::MAX)
}

fn read(row: &QueryResult, query: &UsageQuery, asked: Asked) -> Result<UsageRow, DbErr> {
    let start = match query.step {
        Step::Whole => UnixMicros(0),
        step => begins(step, row.try_get("", "span")?),
    };
    let mut dims = UsageRow { start, ..UsageRow::default() };
    for dim in &query.by {
        let id = || row.try_get::<i64>("", alias(*dim));
        match dim {
            Dim::Key => dims.key = Some(KeyId(id()?)),
            Dim::User => dims.user = Some(UserId(id()?)),
            Dim::Tenant => dims.tenant = Some(TenantId(id()?)),
            Dim::Channel => dims.channel = Some(id()?).filter(|id| *id != 0).map(ChannelId),
            Dim::Model => dims.model = Some(row.try_get("", alias(*dim))?),
        }
    }
    let sum = |name| asked.read(row, name);
    Ok(UsageRow {
        requests: count(sum("requests")?),
        failed: count(sum("failed")?),
        refused: count(sum("refused")?),
        tokens_in: count(sum("tokens_in")?),
        tokens_out: count(sum("tokens_out")?),
        charge: money(sum("charge")?),
        revenue: money(sum("revenue")?),
        cost: money(sum("cost")?),
        begun: count(sum("begun")?),
        waited_us: count(sum("waited_us")?),
        attempts: count(sum("attempts")?),
        attempts_failed: count(sum("attempts_failed")?),
        ..dims
    })
}

/// The sums themselves, and what tells them apart.
fn columns(
    select: &mut SelectStatement,
    asked: Asked,
    sums: &[&str],
    span: Option<String>,
    backend: DbBackend,
) {
    for sum in sums {
        select.expr(Expr::cust(asked.column(sum, backend)));
    }
    if let Some(span) = span {
        select.expr_as(Expr::cust(span.clone()), "span").add_group_by([Expr::cust(span)]);
    }
}

/// Which quarters are asked for.
enum Quarters {
    From(Range<i64>),
    /// Those of these hours.
    Of(Vec<i64>),
}

/// Sums of quarters.
fn of_quarters(query: &UsageQuery, quarters: &Quarters, asked: Asked, backend: DbBackend) -> SelectStatement {
    let mut select = Query::select();
    columns(&mut select, asked, &USAGE, span(query.step, "quarter", HOUR, backend), backend);
    for dim in &query.by {
        let column = quarters_column(*dim);
        select.expr_as(Expr::col(column), alias(*dim)).add_group_by([Expr::col(column)]);
    }
    select.from("usage_quarters");
    match quarters {
        Quarters::From(range) => {
            select.and_where(Expr::col("quarter").gte(range.start));
            select.and_where(Expr::col("quarter").lt(range.end));
        }
        Quarters::Of(hours) => {
            let each = hours.iter().flat_map(|hour| hour * HOUR..(hour + 1) * HOUR);
            select.and_where(Expr::col("quarter").is_in(each));
        }
    }
    narrow(&mut select, &query.who, query.channel, query.model.as_deref());
    select
}

/// Sums of hours.
fn of_hours(
    query: &UsageQuery,
    hours: &Hours,
    range: Range<i64>,
    torn: &[i64],
    asked: Asked,
    backend: DbBackend,
) -> SelectStatement {
    let mut select = Query::select();
    columns(&mut select, asked, &USAGE, span(query.step, "hour", 1, backend), backend);
    for dim in &query.by {
        let column = hours.column(*dim);
        select.expr_as(Expr::col(column), alias(*dim)).add_group_by([Expr::col(column)]);
    }
    select
        .from("usage_hours")
        .and_where(match &hours.tenants {
            Some(tenants) => Expr::col("tenant_id").is_in(tenants.iter().copied()),
            // Those that were active: one by one each is found by the key; without it, all that ever was would be read.
            None => Expr::col("tenant_id").in_subquery(
                Query::select()
                    .distinct()
                    .column("id")
                    .from("usage_hours")
                    .and_where(Expr::col("tenant_id").eq(ALL))
                    .and_where(Expr::col("kind").eq(HOURS_BY_TENANT))
                    .and_where(Expr::col("hour").gte(range.start))
                    .and_where(Expr::col("hour").lt(range.end))
                    .to_owned(),
            ),
        })
        .and_where(Expr::col("kind").eq(hours.kind))
        .and_where(Expr::col("hour").gte(range.start))
        .and_where(Expr::col("hour").lt(range.end));
    if !torn.is_empty() {
        select.and_where(Expr::col("hour").is_not_in(torn.iter().copied()));
    }
    if let Some(channel) = query.channel {
        select.and_where(Expr::col("id").eq(channel.0));
    }
    if let Some(model) = &query.model {
        select.and_where(Expr::col("model").eq(model_key(model)));
    }
    select
}

/// Rows of one span and one of everything else become one.
fn merged(rows: Vec<UsageRow>) -> Vec<UsageRow> {
    let mut all: HashMap<_, UsageRow> = HashMap::with_capacity(rows.len());
    for row in rows {
        let place = (row.start, row.key, row.user, row.tenant, row.channel, row.model.clone());
        match all.get_mut(&place) {
            Some(sum) => sum.add(&row),
            None => drop(all.insert(place, row)),
        }
    }
    all.into_values().collect()
}

impl SqlStore {
    /// What a query for sums gives. They are asked for as they are, and only if a number of 64 bits does not hold one, in
    /// halves, which costs twice as much.
    async fn sums(&self, make: impl Fn(Asked) -> SelectStatement) -> StoreResult<(Vec<QueryResult>, Asked)> {
        let backend = self.read.get_database_backend();
        if let Ok(rows) = self.read.query_all_raw(backend.build(&make(Asked::Plain))).await {
            return Ok((rows, Asked::Plain));
        }
        let rows = self.read.query_all_raw(backend.build(&make(Asked::Halved))).await;
        Ok((rows.map_err(database)?, Asked::Halved))
    }

    async fn is_anything_from(&self, quarter: i64) -> StoreResult<bool> {
        let mut select = Query::select();
        select
            .expr(Expr::cust("1"))
            .from("usage_quarters")
            .and_where(Expr::col("quarter").gte(quarter))
            .limit(1);
        let statement = self.read.get_database_backend().build(&select);
        Ok(self.read.query_one_raw(statement).await.map_err(database)?.is_some())
    }

    async fn some_usage(
        &self,
        query: &UsageQuery,
        make: impl Fn(Asked) -> SelectStatement,
    ) -> StoreResult<Vec<UsageRow>> {
        let (rows, asked) = self
            .sums(|asked| {
                let most = Expr::cust("SUM(requests)");
                make(asked).order_by_expr(most, Order::Desc).limit(ROWS as u64).to_owned()
            })
            .await?;
        rows.iter().map(|row| read(row, query, asked)).collect::<Result<_, _>>().map_err(database)
    }

    pub(super) async fn sum_usage(&self, query: &UsageQuery) -> StoreResult<Vec<UsageRow>> {
        let backend = self.read.get_database_backend();
        let wanted = quarters(query.since, query.until);
        let nobody = matches!(&query.who, Who::Tenants(tenants) if tenants.is_empty());
        if nobody || wanted.is_empty() {
            return Ok(Vec::new());
        }
        // Whole hours from the sums of hours, and quarters before the first and after the last.
        let by_hour = Hours::of(query);
        let hours = match &by_hour {
            None => 0..0,
            Some(of) if wanted.end.rem_euclid(HOUR * of.width()) == 0 => of.within(&wanted, true),
            // Most spans end now.
            Some(of) => of.within(&wanted, self.is_anything_from(wanted.end).await?),
        };
        let torn = torn(query.step, &hours);
        let by_hour = by_hour.filter(|_| !hours.is_empty() && torn.len() <= TORN);
        let mut rows = Vec::new();
        let mut left = Vec::new();
        let mut some = |range: Range<i64>| {
            if !range.is_empty() {
                left.push(Quarters::From(range));
            }
        };
        match &by_hour {
            None => some(wanted),
            Some(of) => {
                some(wanted.start..hours.start * HOUR);
                some(hours.end * HOUR..wanted.end);
                let make = |asked| of_hours(query, of, hours.clone(), &torn, asked, backend);
                rows = self.some_usage(query, make).await?;
                if !torn.is_empty() {
                    left.push(Quarters::Of(torn));
                }
            }
        }
        for quarters in left {
            let more = self.some_usage(query, |asked| of_quarters(query, &quarters, asked, backend));
            rows.extend(more.await?);
        }
        if by_hour.is_some() {
            rows = merged(rows);
        }
        // Without anything to tell apart a database sums nothing to a row of zeros.
        rows.retain(|row| row.requests > 0 || row.attempts > 0);
        if rows.len() > ROWS {
            rows.sort_by_key(|row| Reverse(row.requests));
            rows.truncate(ROWS);
        }
        rows.sort_by_key(|row| (row.start, Reverse(row.requests)));
        Ok(rows)
    }

    pub(super) async fn sum_paid(
        &self,
        tenants: &[TenantId],
        since: UnixMicros,
        until: UnixMicros,
        step: Step,
    ) -> StoreResult<Vec<TenantRow>> {
        let backend = self.read.get_database_backend();
        let wanted = quarters(since, until);
        if tenants.is_empty() || wanted.is_empty() {
            return Ok(Vec::new());
        }
        let make = |asked| {
            let mut select = Query::select();
            columns(&mut select, asked, &["tokens", "money"], span(step, "quarter", HOUR, backend), backend);
            select
                .column("tenant_id")
                .from("tenant_quarters")
                .and_where(Expr::col("tenant_id").is_in(tenants.iter().map(|tenant| tenant.0)))
                .and_where(Expr::col("quarter").gte(wanted.start))
                .and_where(Expr::col("quarter").lt(wanted.end))
                .add_group_by([Expr::col("tenant_id")])
                .to_owned()
        };
        let (rows, asked) = self.sums(make).await?;
        let read = |row: &QueryResult| -> Result<TenantRow, DbErr> {
            let start = match step {
                Step::Whole => UnixMicros(0),
                step => begins(step, row.try_get("", "span")?),
            };
            let tenant = TenantId(row.try_get("", "tenant_id")?);
            let (tokens, money) = (count(asked.read(row, "tokens")?), money(asked.read(row, "money")?));
            Ok(TenantRow { start, tenant, tokens, money })
        };
        let mut rows: Vec<TenantRow> = rows.iter().map(read).collect::<Result<_, _>>().map_err(database)?;
        rows.retain(|row| row.tokens > 0 || row.money != Nano::ZERO);
        rows.sort_unstable_by_key(|row| (row.start, row.tenant));
        Ok(rows)
    }
}
