//! What archived receipts came to, by scope.

use crate::backend::{ARCHIVED, Sums};
use crate::bulk::Texts;
use crate::error::{Failure, database};
use burncloud_core::store::{ArchivedSum, ArchivedSums, StoreResult};
use burncloud_core::{ChannelId, KeyId, Nano, Scope, Spent, TenantId, UserId};
use sea_orm::sea_query::Query;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, Value};

const SUMS: Sums = Sums { table: "archived_sums", key: &["kind", "id", "model"], sums: &ARCHIVED };

/// The kind of the row that counts receipts older than the ledger.
const OLDER: i64 = 0;

/// Kind, id, model.
fn place(scope: &Scope) -> (i64, i64, &str) {
    match scope {
        Scope::Key(id) => (1, id.0, ""),
        Scope::User(id) => (2, id.0, ""),
        Scope::Tenant(id) => (3, id.0, ""),
        Scope::Channel(id) => (4, id.0, ""),
        Scope::Model(name) => (5, 0, name),
    }
}

fn scope(kind: i64, id: i64, model: String) -> Option<Scope> {
    Some(match kind {
        1 => Scope::Key(KeyId(id)),
        2 => Scope::User(UserId(id)),
        3 => Scope::Tenant(TenantId(id)),
        4 => Scope::Channel(ChannelId(id)),
        5 => Scope::Model(model),
        _ => return None,
    })
}

fn count(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

/// Adds what a part came to.
pub(super) async fn add(tx: &DatabaseTransaction, texts: &Texts, more: &ArchivedSums) -> Result<(), DbErr> {
    let mut values: Vec<Value> = Vec::with_capacity((more.scopes.len() + 1) * SUMS.width());
    let mut row = |(kind, id, model): (i64, i64, &str), sums: [i64; 5]| {
        values.extend([Value::from(kind), id.into(), model.into()]);
        values.extend(sums.map(Value::from));
    };
    if more.older > 0 {
        row((OLDER, 0, ""), [0, count(more.older), 0, 0, 0]);
    }
    for (scope, sum) in &more.scopes {
        let ArchivedSum { spent, later, used } = sum;
        let sums = [spent.money.0, count(spent.tokens), later.money.0, count(later.tokens), used.0];
        row(place(scope), sums);
    }
    texts.run(tx, values, SUMS.width(), |rows, of| SUMS.add(rows, of)).await
}

pub(super) async fn read(connection: &DatabaseConnection) -> StoreResult<ArchivedSums> {
    let mut query = Query::select();
    query.columns(SUMS.key.iter().chain(SUMS.sums).copied()).from(SUMS.table);
    let backend = connection.get_database_backend();
    let mut all = ArchivedSums::default();
    for row in connection.query_all_raw(backend.build(&query)).await.map_err(database)? {
        let number = |name: &str| -> StoreResult<i64> { row.try_get("", name).map_err(database) };
        let damaged = |why: &str| Failure::Damaged {
            what: "sum",
            name: "archived receipts".into(),
            why: why.to_owned(),
        };
        let tokens = |name: &str| -> StoreResult<u64> {
            Ok(u64::try_from(number(name)?).map_err(|_| damaged("a count is negative"))?)
        };
        let kind = number("kind")?;
        if kind == OLDER {
            all.older = tokens("tokens")?;
            continue;
        }
        let model: String = row.try_get("", "model").map_err(database)?;
        let scope = scope(kind, number("id")?, model).ok_or_else(|| damaged("its kind is unknown"))?;
        let spent = Spent { money: Nano(number("money")?), tokens: tokens("tokens")? };
        let later = Spent { money: Nano(number("later_money")?), tokens: tokens("later_tokens")? };
        all.scopes.insert(scope, ArchivedSum { spent, later, used: Nano(number("used")?) });
    }
    Ok(all)
}
