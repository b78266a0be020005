//! Sums and searches over the receipts that are kept in memory.

use super::MemoryStore;
use crate::store::{
    Dim, Extent, LogQuery, Outcome, ReportStore, Step, StoreResult, TenantRow, UsageQuery, UsageRow, Who,
    quarters, usage,
};
use crate::{ChannelId, KeyId, QUARTER_US, Receipt, Scope, TenantId, TraceId, UnixMicros, UserId, spending};
use async_trait::async_trait;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

/// How many sums one query gives.
const ROWS: usize = 100_000;

fn is_of(who: &Who, receipt: &Receipt) -> bool {
    match who {
        Who::All => true,
        Who::Tenants(tenants) => tenants.contains(&receipt.tenant),
        Who::User(user) => receipt.user == *user,
        Who::Key(key) => receipt.key == *key,
    }
}

fn quarter(receipt: &Receipt) -> i64 {
    receipt.at.0.div_euclid(QUARTER_US)
}

/// Start, key, user, tenant, channel, model.
type Place =
    (UnixMicros, Option<KeyId>, Option<UserId>, Option<TenantId>, Option<ChannelId>, Option<Arc<str>>);

fn sums<'a>(receipts: impl Iterator<Item = &'a Receipt>, query: &UsageQuery) -> Vec<UsageRow> {
    let by = |dim| query.by.contains(&dim);
    let (key, user, tenant) = (by(Dim::Key), by(Dim::User), by(Dim::Tenant));
    let (channel, model) = (by(Dim::Channel), by(Dim::Model));
    let wanted = quarters(query.since, query.until);
    let mut rows: BTreeMap<Place, UsageRow> = BTreeMap::new();
    for receipt in receipts {
        let quarter = quarter(receipt);
        let of_model = query.model.as_deref().is_none_or(|model| *model == *receipt.model);
        if !wanted.contains(&quarter) || !of_model || !is_of(&query.who, receipt) {
            continue;
        }
        usage(receipt, |more| {
            if query.channel.is_some() && query.channel != more.channel {
                return;
            }
            let place = (
                query.step.start(quarter),
                key.then_some(receipt.key),
                user.then_some(receipt.user),
                tenant.then_some(receipt.tenant),
                more.channel.filter(|_| channel),
                model.then(|| receipt.model.clone()),
            );
            rows.entry(place).or_default().add(&more);
        });
    }
    let named = |((start, key, user, tenant, channel, model), sums): (Place, UsageRow)| UsageRow {
        start,
        key,
        user,
        tenant,
        channel,
        model: model.map(|model| model.to_string()),
        ..sums
    };
    let mut rows: Vec<UsageRow> = rows.into_iter().map(named).collect();
    if rows.len() > ROWS {
        rows.sort_by_key(|row| Reverse(row.requests));
        rows.truncate(ROWS);
    }
    rows.sort_by_key(|row| (row.start, Reverse(row.requests)));
    rows
}

fn is_listed(receipt: &Receipt, query: &LogQuery, trace: Option<TraceId>) -> bool {
    query.since.is_none_or(|since| receipt.at >= since)
        && query.until.is_none_or(|until| receipt.at < until)
        && query.channel.is_none_or(|channel| receipt.channel == Some(channel))
        && query.model.as_deref().is_none_or(|model| *model == *receipt.model)
        && query.outcome.is_none_or(|outcome| outcome == Outcome::of(receipt))
        && trace.is_none_or(|trace| trace == receipt.trace_id)
        && is_of(&query.who, receipt)
}

#[async_trait]
impl ReportStore for MemoryStore {
    async fn usage(&self, query: &UsageQuery) -> StoreResult<Vec<UsageRow>> {
        let state = self.state.read();
        Ok(sums(state.receipts.values().map(|receipt| &**receipt), query))
    }

    async fn paid(
        &self,
        tenants: &[TenantId],
        since: UnixMicros,
        until: UnixMicros,
        step: Step,
    ) -> StoreResult<Vec<TenantRow>> {
        let wanted = quarters(since, until);
        let mut rows: BTreeMap<(UnixMicros, TenantId), TenantRow> = BTreeMap::new();
        for receipt in self.state.read().receipts.values() {
            let quarter = quarter(receipt);
            if !wanted.contains(&quarter) {
                continue;
            }
            for (scope, more) in spending(receipt) {
                let Scope::Tenant(tenant) = scope else { continue };
                if tenants.contains(&tenant) {
                    let start = step.start(quarter);
                    let row = rows.entry((start, tenant)).or_default();
                    *row = TenantRow {
                        start,
                        tenant,
                        tokens: row.tokens.saturating_add(more.tokens),
                        money: row.money.plus(more.money),
                    };
                }
            }
        }
        Ok(rows.into_values().collect())
    }

    async fn log(&self, query: &LogQuery) -> StoreResult<Vec<Receipt>> {
        let trace = match query.trace.as_deref().map(|trace| TraceId::from_hex(trace.as_bytes())) {
            Some(None) => return Ok(Vec::new()),
            trace => trace.flatten(),
        };
        let state = self.state.read();
        let before = query.before.map_or(Unbounded, Excluded);
        let newest_first = state.receipts.range((Unbounded, before)).rev().map(|(_, receipt)| receipt);
        let wanted = newest_first.filter(|receipt| is_listed(receipt, query, trace));
        Ok(wanted.take(query.most()).map(|receipt| Receipt::clone(receipt)).collect())
    }

    async fn extent(&self) -> StoreResult<Extent> {
        Ok(Extent { receipts: self.state.read().receipts.len() as u64, bytes: None })
    }

    async fn last_used(&self, keys: &[KeyId]) -> StoreResult<Vec<(KeyId, UnixMicros)>> {
        let mut last: BTreeMap<KeyId, i64> = BTreeMap::new();
        for receipt in self.state.read().receipts.values().filter(|receipt| keys.contains(&receipt.key)) {
            let known = last.entry(receipt.key).or_insert(i64::MIN);
            *known = quarter(receipt).max(*known);
        }
        Ok(last.into_iter().map(|(key, quarter)| (key, UnixMicros(quarter * QUARTER_US))).collect())
    }
}
