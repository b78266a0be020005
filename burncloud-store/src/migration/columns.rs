//! Columns as the migrations write them.

use sea_orm::sea_query::{ColumnDef, IntoIden, Table, TableCreateStatement};

pub(super) fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).to_owned()
}

pub(super) fn column(name: &'static str) -> ColumnDef {
    ColumnDef::new(name.into_iden())
}

/// Never given twice, not even after a row was deleted.
pub(super) fn id(name: &'static str) -> ColumnDef {
    column(name).big_integer().not_null().auto_increment().primary_key().to_owned()
}

pub(super) fn number(name: &'static str) -> ColumnDef {
    column(name).big_integer().not_null().to_owned()
}

/// Text that has an index or is short.
pub(super) fn word(name: &'static str, length: u32) -> ColumnDef {
    column(name).string_len(length).not_null().to_owned()
}

pub(super) fn text(name: &'static str) -> ColumnDef {
    column(name).text().not_null().to_owned()
}
