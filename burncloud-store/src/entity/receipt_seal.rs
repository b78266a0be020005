use sea_orm::entity::prelude::*;

/// A link of the chain of receipts.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "receipt_seals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub entry: i64,
    pub at: i64,
    /// 16 bytes each, sorted.
    #[sea_orm(column_type = "Blob")]
    pub receipts: Vec<u8>,
    /// 32 bytes each, in the same order.
    #[sea_orm(column_type = "Blob")]
    pub leaves: Vec<u8>,
    #[sea_orm(column_type = "Binary(16)")]
    pub salt: Vec<u8>,
    #[sea_orm(column_type = "Binary(32)")]
    pub previous: Vec<u8>,
    #[sea_orm(column_type = "Binary(32)")]
    pub root: Vec<u8>,
    #[sea_orm(column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    #[sea_orm(column_type = "Binary(64)")]
    pub signature: Vec<u8>,
    #[sea_orm(column_type = "Binary(8)")]
    pub signer: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
