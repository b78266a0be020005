//! An entry's rows.

use crate::backend::{Sums, bulk_insert};
use crate::bulk::Texts;
use crate::entity::{ledger_entry, ledger_posting};
use crate::error::database;
use crate::receipt::row::id_bytes;
use burncloud_core::ledger::{Account, EntryKind, Posting};
use burncloud_core::store::StoreResult;
use burncloud_core::{Receipt, UnixMicros};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{DatabaseTransaction, DbBackend, EntityTrait, Value};
use std::sync::Arc;

const BALANCES: Sums = Sums { table: "ledger_balances", key: &["account"], sums: &["balance"] };

/// Who posts receipts.
const GATEWAY: &str = "gateway";

/// The texts of the statements.
#[derive(Default)]
pub(crate) struct Postings {
    postings: Texts,
    balances: Texts,
}

fn insert(rows: usize, backend: DbBackend) -> String {
    use ledger_posting::Column as C;
    let columns = [C::Entry, C::Account, C::Amount];
    let mut insert = Query::insert().into_table(ledger_posting::Entity).columns(columns).to_owned();
    for _ in 0..rows {
        insert.values_panic(columns.map(|_| Expr::value(0)));
    }
    bulk_insert(backend.build(&insert).sql, backend)
}

impl Postings {
    /// Adds the postings of an entry, and moves the balances of its accounts.
    pub(super) async fn add(
        &self,
        tx: &DatabaseTransaction,
        entry: i64,
        postings: &[Posting],
    ) -> StoreResult<()> {
        let row = |posting: &Posting| {
            [entry.into(), Value::from(posting.account.to_string()), posting.amount.0.into()]
        };
        let rows = postings.iter().flat_map(row).collect();
        self.postings.run(tx, rows, 3, insert).await.map_err(database)?;
        self.shift(tx, postings.iter().map(|posting| (posting.account, posting.amount.0))).await
    }

    /// Makes the balances that are not there yet, and keeps others from moving any of these until the transaction ends: a
    /// row that is not there cannot be locked, so that of two first postings each would miss the other.
    pub(super) async fn hold(&self, tx: &DatabaseTransaction, postings: &[Posting]) -> StoreResult<()> {
        self.shift(tx, postings.iter().map(|posting| (posting.account, 0))).await
    }

    async fn shift(
        &self,
        tx: &DatabaseTransaction,
        by: impl Iterator<Item = (Account, i64)>,
    ) -> StoreResult<()> {
        let sums = by.flat_map(|(account, by)| [Value::from(account.to_string()), by.into()]).collect();
        let width = BALANCES.width();
        let moved = self.balances.run(tx, sums, width, |rows, of| BALANCES.add(rows, of)).await;
        moved.map_err(database)
    }

    /// Posts receipts that are new, as one entry; returns its number. Whom it concerns may be gone: what was spent is posted
    /// all the same.
    pub(crate) async fn receipts(
        &self,
        tx: &DatabaseTransaction,
        receipts: &[&Arc<Receipt>],
        postings: &[Posting],
    ) -> StoreResult<i64> {
        let mut ids: Vec<_> = receipts.iter().map(|receipt| receipt.id).collect();
        ids.sort_unstable();
        let row = ledger_entry::ActiveModel {
            id: NotSet,
            at: Set(UnixMicros::now().0),
            kind: Set(EntryKind::Receipts.as_str().to_owned()),
            reference: Set(None),
            author: Set(GATEWAY.to_owned()),
            reason: Set(format!("{} receipts", receipts.len())),
            reverses: Set(None),
            receipts: Set(Some(ids.into_iter().flat_map(id_bytes).collect())),
        };
        let entry = ledger_entry::Entity::insert(row).exec(tx).await.map_err(database)?.last_insert_id;
        self.add(tx, entry, postings).await?;
        Ok(entry)
    }
}
