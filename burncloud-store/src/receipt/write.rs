//! The dearest part of a request, so it is done in bulk: a batch is one transaction of a few statements,
//! whose texts are made once per size.
//!
//! A batch is first inserted as if nothing of it were there, which is nearly always so. Only when the
//! primary key says otherwise is the transaction begun anew, this time asking first what is there.

use super::row;
use crate::SqlStore;
use crate::entity::{api_key, receipt, user};
use crate::error::{database, is_duplicate};
use burncloud_core::Receipt;
use burncloud_core::store::{StoreError, StoreResult};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QuerySelect, Statement, Values,
};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

/// Rows of one insert, largest first: a batch is cut into these, so that few texts are ever made.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// Keys or users whose spending one statement changes.
const SPENDERS: usize = 32;

/// How often a batch is begun anew because others record parts of it at the same time.
const ROUNDS: usize = 5;

/// The texts of the inserts, by the place of their size in [`SIZES`].
#[derive(Default)]
pub(crate) struct Statements([OnceLock<String>; SIZES.len()]);

impl Statements {
    /// The largest insert that `rows` rows fill, and its text.
    fn pick(&self, rows: usize, backend: DbBackend) -> (usize, &str) {
        let place = SIZES.iter().position(|size| *size <= rows).unwrap_or(SIZES.len() - 1);
        let size = SIZES[place];
        (size, self.0[place].get_or_init(|| insert(size, backend)))
    }
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
    /// A receipt of the batch is there already.
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
        // A receipt twice in the batch is seen the second time.
        let new: Vec<_> = receipts.iter().filter(|receipt| seen.insert(row::id_bytes(receipt.id))).collect();
        self.apply(tx, new).await
    }

    async fn apply(&self, tx: DatabaseTransaction, receipts: Vec<&Arc<Receipt>>) -> Result<usize, Round> {
        let backend = tx.get_database_backend();
        let seal = crate::proof::seal(&tx, self.sealer(), &receipts, 0).await.map_err(raced)?;
        let mut left = receipts.as_slice();
        while !left.is_empty() {
            let (size, text) = self.receipts.pick(left.len(), backend);
            let (rows, others) = left.split_at(size);
            let mut values = Vec::with_capacity(size * row::COLUMNS.len());
            rows.iter().for_each(|receipt| values.extend(row::write(receipt, seal)));
            let statement =
                Statement { sql: text.to_owned(), values: Some(Values(values)), db_backend: backend };
            tx.execute_raw(statement).await.map_err(refused)?;
            left = others;
        }
        let mut spending = Spending::default();
        receipts.iter().for_each(|receipt| spending.add(receipt));
        spending.apply(&tx).await?;
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

/// What a batch comes to. Ordered, so that concurrent batches lock rows in one order.
#[derive(Default)]
struct Spending {
    keys: BTreeMap<i64, i128>,
    users: BTreeMap<i64, i128>,
}

impl Spending {
    fn add(&mut self, receipt: &Receipt) {
        let charge = i128::from(receipt.charge.0);
        if charge != 0 {
            *self.keys.entry(receipt.key.0).or_default() += charge;
            *self.users.entry(receipt.user.0).or_default() += charge;
        }
    }

    async fn apply(self, tx: &DatabaseTransaction) -> StoreResult<()> {
        for some in sums(&self.keys).chunks(SPENDERS) {
            api_key::Entity::update_many()
                .col_expr(api_key::Column::Used, moved(api_key::Column::Used, api_key::Column::Id, some, 1))
                .filter(api_key::Column::Id.is_in(some.iter().map(|(id, _)| *id)))
                .exec(tx)
                .await
                .map_err(database)?;
        }
        for some in sums(&self.users).chunks(SPENDERS) {
            let (used, balance) = (user::Column::Used, user::Column::Balance);
            user::Entity::update_many()
                .col_expr(used, moved(used, user::Column::Id, some, 1))
                .col_expr(balance, moved(balance, user::Column::Id, some, -1))
                .filter(user::Column::Id.is_in(some.iter().map(|(id, _)| *id)))
                .exec(tx)
                .await
                .map_err(database)?;
        }
        Ok(())
    }
}

fn sums(spent: &BTreeMap<i64, i128>) -> Vec<(i64, i64)> {
    let clamp = |sum: i128| i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX });
    spent.iter().map(|(id, sum)| (*id, clamp(*sum))).collect()
}

/// `column`, moved by each row's own sum, up or down, but never beyond the range of an `i64`: past it SQLite
/// would go on in floating point. NULL, an unlimited balance, stays NULL.
fn moved(column: impl ColumnTrait, id: impl ColumnTrait, sums: &[(i64, i64)], sign: i64) -> SimpleExpr {
    let mut moved = CaseStatement::new();
    for (spender, sum) in sums {
        let by = sum.saturating_mul(sign);
        let (beyond, end) = match by {
            0.. => (Expr::col(column).gt(i64::MAX - by), i64::MAX),
            _ => (Expr::col(column).lt(i64::MIN - by), i64::MIN),
        };
        moved = moved
            .case(Expr::col(id).eq(*spender).and(beyond), Expr::value(end))
            .case(Expr::col(id).eq(*spender), Expr::col(column).add(by));
    }
    moved.finally(Expr::col(column)).into()
}
