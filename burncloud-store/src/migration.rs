//! Brings the tables up to date, once, whoever comes first.
//!
//! A migration that has been released is never edited; a later one follows it.

mod columns;
mod m0001_begin;
mod m0002_money;
mod m0003_console;
mod m0004_reports;
mod m0005_rotation;
mod m0006_archive;
mod m0007_days;

use crate::backend;
use crate::entity::migration::{ActiveModel, Column, Entity};
use crate::error::database;
use burncloud_core::UnixMicros;
use burncloud_core::store::{StoreError, StoreResult};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{ColumnDef, Table};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, QueryOrder, QuerySelect, Statement,
    TransactionTrait,
};

pub(crate) struct Migration {
    name: &'static str,
    statements: fn(DbBackend) -> Vec<Statement>,
}

/// In order; the first is version 1.
pub(crate) const ALL: &[Migration] = &[
    Migration { name: "begin", statements: m0001_begin::statements },
    Migration { name: "money", statements: m0002_money::statements },
    Migration { name: "console", statements: m0003_console::statements },
    Migration { name: "reports", statements: m0004_reports::statements },
    Migration { name: "rotation", statements: m0005_rotation::statements },
    Migration { name: "archive", statements: m0006_archive::statements },
    Migration { name: "days", statements: m0007_days::statements },
];

/// Applies what is missing.
pub(crate) async fn run(connection: &DatabaseConnection) -> StoreResult<()> {
    run_all(connection, ALL).await
}

/// Applies what is missing of `all`.
pub(crate) async fn run_all(connection: &DatabaseConnection, all: &[Migration]) -> StoreResult<()> {
    // Without a transaction first: most of the time there is nothing to do, and no lock to wait for.
    if done(connection).await.is_ok_and(|done| done == all.len()) {
        return Ok(());
    }
    let tx = connection.begin_with_options(backend::writing()).await.map_err(database)?;
    let table = Table::create()
        .table(Entity)
        .if_not_exists()
        .col(ColumnDef::new(Column::Version).integer().not_null().primary_key())
        .col(ColumnDef::new(Column::Name).string().not_null())
        .col(ColumnDef::new(Column::AppliedAt).big_integer().not_null())
        .to_owned();
    tx.execute(&table).await.map_err(database)?;
    let done = done(&tx).await?;
    if done > all.len() {
        return Err(StoreError::Invalid(format!(
            "the database was made by a newer version of BurnCloud (tables of version {done}, this one knows {}); \
             start that version or a later one",
            all.len()
        )));
    }
    for (index, migration) in all.iter().enumerate().skip(done) {
        for statement in (migration.statements)(connection.get_database_backend()) {
            tx.execute_raw(statement).await.map_err(database)?;
        }
        let row = ActiveModel {
            version: Set(i32::try_from(index + 1).unwrap_or(i32::MAX)),
            name: Set(migration.name.to_owned()),
            applied_at: Set(UnixMicros::now().0),
        };
        Entity::insert(row).exec_without_returning(&tx).await.map_err(database)?;
        tracing::info!(migration = migration.name, "the database's tables were brought up to date");
    }
    tx.commit().await.map_err(database)
}

/// How many were applied.
async fn done(connection: &impl ConnectionTrait) -> StoreResult<usize> {
    let last: Option<i32> = Entity::find()
        .select_only()
        .column(Column::Version)
        .order_by_desc(Column::Version)
        .into_tuple()
        .one(connection)
        .await
        .map_err(database)?;
    Ok(last.map_or(0, |version| usize::try_from(version).unwrap_or(0)))
}
