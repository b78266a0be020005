//! Many rows in few statements, whose texts are made once per size.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value, Values};
use std::sync::OnceLock;

/// Rows of one statement, largest first: a batch is cut into these, so that few texts are ever made.
pub(crate) const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// The texts of one kind of statement, by the place of their size in [`SIZES`].
#[derive(Default)]
pub(crate) struct Texts([OnceLock<String>; SIZES.len()]);

impl Texts {
    /// The largest size that `rows` rows fill, and its text.
    fn pick(&self, rows: usize, make: impl Fn(usize) -> String) -> (usize, &str) {
        let place = SIZES.iter().position(|size| *size <= rows).unwrap_or(SIZES.len() - 1);
        let size = SIZES[place];
        (size, self.0[place].get_or_init(|| make(size)))
    }

    /// Runs as many of the statements that `make` writes as all rows of `values` need, each `width` values.
    pub(crate) async fn run(
        &self,
        tx: &DatabaseTransaction,
        values: Vec<Value>,
        width: usize,
        make: impl Fn(usize, DbBackend) -> String,
    ) -> Result<(), DbErr> {
        let rows = values.len() / width;
        self.run_each(tx, rows, values.into_iter(), width, make).await
    }

    /// The same, with values that are made when their statement is: those of a large batch are many times what a
    /// processor's caches hold.
    pub(crate) async fn run_each(
        &self,
        tx: &DatabaseTransaction,
        rows: usize,
        mut values: impl Iterator<Item = Value>,
        width: usize,
        make: impl Fn(usize, DbBackend) -> String,
    ) -> Result<(), DbErr> {
        let backend = tx.get_database_backend();
        let mut left = rows;
        while left > 0 {
            let (size, text) = self.pick(left, |rows| make(rows, backend));
            let mut some = Vec::with_capacity(size * width);
            some.extend(values.by_ref().take(size * width));
            let statement =
                Statement { sql: text.to_owned(), values: Some(Values(some)), db_backend: backend };
            tx.execute_raw(statement).await?;
            left -= size;
        }
        Ok(())
    }
}
