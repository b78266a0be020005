use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_entries")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: i64,
    pub kind: String,
    #[sea_orm(unique)]
    pub reference: Option<String>,
    pub author: String,
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    #[sea_orm(unique)]
    pub reverses: Option<i64>,
    /// The ids of the receipts that it posts, 16 bytes each, sorted.
    #[sea_orm(column_type = "Blob", nullable)]
    pub receipts: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
