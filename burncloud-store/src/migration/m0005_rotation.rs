//! Keys whose secret before the present one works for a while, and keys of applications.

use super::columns::column;
use sea_orm::sea_query::{Index, Table};
use sea_orm::{DbBackend, Statement};

/// In the order in which they must run.
pub(super) fn statements(backend: DbBackend) -> Vec<Statement> {
    let added = [
        column("apps").text().to_owned(),
        column("previous_hash").binary_len(32).to_owned(),
        column("previous_until").big_integer().to_owned(),
    ];
    // One column per statement: SQLite adds no more at once.
    let add = |mut added| backend.build(&Table::alter().table("api_keys").add_column(&mut added).to_owned());
    let mut all: Vec<Statement> = added.into_iter().map(add).collect();
    let index = Index::create().name("api_keys_previous").table("api_keys").col("previous_hash").to_owned();
    all.push(backend.build(&index));
    all
}
