//! The dearest part of a request, so it is done in bulk: a batch is one transaction of a few statements, and one entry of
//! the ledger.
//!
//! A batch is first inserted as if nothing of it were there, which is nearly always so. Only when the
//! primary key says otherwise is the transaction begun anew, this time asking first what is there.

use super::row;
use super::spending::{self, Spending};
use crate::bulk::{SIZES, Texts};
use crate::entity::receipt;
use crate::error::{database, is_duplicate};
use crate::ledger::Postings;
use crate::{SqlStore, archive};
use burncloud_core::Receipt;
use burncloud_core::ledger::postings;
use burncloud_core::store::{StoreError, StoreResult};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashSet;
use std::sync::Arc;

/// How often a batch is begun anew because others record parts of it at the same time.
const ROUNDS: usize = 5;

/// The texts of the statements.
#[derive(Default)]
pub(crate) struct Statements {
    receipts: Texts,
    pub(crate) ledger: Postings,
    spending: spending::Statements,
}

fn insert(rows: usize, backend: DbBackend) -> String {
    let mut insert = Query::insert().into_table(receipt::Entity).columns(row::COLUMNS).to_owned();
    for _ in 0..rows {
        insert.values_panic(row::COLUMNS.map(|_| Expr::value(0)));
    }
    crate::backend::bulk_insert(backend.build(&insert).sql, backend)
}

/// Why a round did not end well.
enum Round {
    /// A receipt of the batch is there already, or was and is archived now.
    Duplicate,
    Failed(StoreError),
}

impl From<StoreError> for Round {
    fn from(error: StoreError) -> Round {
        Round::Failed(error)
    }
}

impl SqlStore {
    /// See [`ReceiptStore::record`](burncloud_core::store::ReceiptStore::record).
    pub(super) async fn record_once(&self, receipts: &[Arc<Receipt>]) -> StoreResult<usize> {
        if receipts.is_empty() {
            return Ok(0);
        }
        match self.record_new(receipts.iter().collect()).await {
            Err(Round::Failed(error)) => return Err(error),
            Err(Round::Duplicate) => {}
            Ok(new) => return Ok(new),
        }
        for _ in 0..ROUNDS {
            match self.record_some(receipts).await {
                Err(Round::Failed(error)) => return Err(error),
                Err(Round::Duplicate) => {}
                Ok(new) => return Ok(new),
            }
        }
        Err(StoreError::Unavailable("others record the same receipts at the same time".into()))
    }

    /// Records receipts of which none is there yet.
    async fn record_new(&self, receipts: Vec<&Arc<Receipt>>) -> Result<usize, Round> {
        let tx = self.begin().await?;
        self.apply(tx, receipts).await
    }

    /// Records those that are not there yet.
    async fn record_some(&self, receipts: &[Arc<Receipt>]) -> Result<usize, Round> {
        let tx = self.begin().await?;
        let mut seen = HashSet::new();
        for some in receipts.chunks(SIZES[0]) {
            let ids = some.iter().map(|receipt| row::id_bytes(receipt.id));
            let there: Vec<Vec<u8>> = receipt::Entity::find()
                .select_only()
                .column(receipt::Column::Id)
                .filter(receipt::Column::Id.is_in(ids))
                .into_tuple()
                .all(&tx)
                .await
                .map_err(database)?;
            seen.extend(there);
        }
        let ids: Vec<_> = receipts.iter().map(|receipt| receipt.id).collect();
        let gone = archive::archived(&tx, &ids).await?;
        seen.extend(gone.iter().map(|receipt| row::id_bytes(receipt.id)));
        // A receipt twice in the batch is seen the second time.
        let new: Vec<_> = receipts.iter().filter(|receipt| seen.insert(row::id_bytes(receipt.id))).collect();
        self.apply(tx, new).await
    }

    async fn apply(&self, tx: DatabaseTransaction, receipts: Vec<&Arc<Receipt>>) -> Result<usize, Round> {
        let postings = postings(receipts.iter().map(|receipt| &***receipt));
        let entry = match postings.is_empty() {
            true => None,
            false => Some(self.receipts.ledger.receipts(&tx, &receipts, &postings).await?),
        };
        let sealed = crate::proof::seal(&tx, self.sealer(), &receipts, entry.unwrap_or_default()).await;
        let seal = sealed.map_err(raced)?;
        let values = receipts.iter().flat_map(|receipt| row::write(receipt, entry, seal));
        let (rows, width) = (receipts.len(), row::COLUMNS.len());
        let inserted = self.receipts.receipts.run_each(&tx, rows, values, width, insert).await;
        inserted.map_err(refused)?;
        let ids: Vec<_> = receipts.iter().map(|receipt| receipt.id).collect();
        if archive::any_archived(&tx, &ids).await? {
            return Err(Round::Duplicate);
        }
        let mut spending = Spending::default();
        receipts.iter().for_each(|receipt| spending.add(receipt));
        spending.apply(&tx, &self.receipts.spending).await.map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(receipts.len())
    }
}

/// Another process has taken the link's place: the batch is begun anew.
fn raced(error: StoreError) -> Round {
    match error {
        StoreError::Conflict { .. } => Round::Duplicate,
        other => Round::Failed(other),
    }
}

fn refused(error: DbErr) -> Round {
    if is_duplicate(&error) { Round::Duplicate } else { Round::Failed(database(error)) }
}
