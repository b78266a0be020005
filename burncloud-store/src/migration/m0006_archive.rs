//! What stays of receipts that were archived.

use super::columns::{column, number, table, word};
use crate::backend;
use sea_orm::DbBackend;
use sea_orm::Statement;
use sea_orm::sea_query::{Index, TableCreateStatement};

/// Which links were archived, and into which files.
fn archives(backend: DbBackend) -> TableCreateStatement {
    let mut archives = table("archives")
        .col(number("first_link").primary_key())
        .col(number("last_link"))
        .col(number("receipts"))
        // How many were archived so far.
        .col(number("total"))
        .col(word("file", 255))
        .col(column("sha256").binary_len(32).not_null())
        .col(number("at"))
        .to_owned();
    backend::clustered(&mut archives, backend);
    archives
}

/// Their ids: none of them may be recorded, and charged, again.
fn ids(backend: DbBackend) -> TableCreateStatement {
    let mut ids = table("archived_receipts")
        .col(column("id").binary_len(16).not_null().primary_key())
        .col(number("link"))
        .col(number("user_id"))
        .col(number("tenant_id"))
        .to_owned();
    backend::clustered(&mut ids, backend);
    ids
}

/// What they came to.
fn sums(backend: DbBackend) -> TableCreateStatement {
    let mut sums = table("archived_sums")
        // 0: how many are older than the ledger, in `tokens`; 1: key; 2: user; 3: tenant; 4: channel; 5: model.
        .col(number("kind"))
        .col(number("id"))
        .col(backend::exact(&mut word("model", 255), backend))
        .to_owned();
    for sum in backend::ARCHIVED {
        sums.col(number(sum));
    }
    sums.primary_key(Index::create().col("kind").col("id").col("model"));
    backend::clustered(&mut sums, backend);
    sums
}

/// Everything, in order.
pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    [archives(backend), ids(backend), sums(backend)].iter().map(|table| backend.build(table)).collect()
}
