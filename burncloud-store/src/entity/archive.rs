use sea_orm::entity::prelude::*;

/// Neighbouring links whose receipts lie in a file.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "archives")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_link: i64,
    pub last_link: i64,
    pub receipts: i64,
    pub total: i64,
    pub file: String,
    #[sea_orm(column_type = "Binary(32)")]
    pub sha256: Vec<u8>,
    pub at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
