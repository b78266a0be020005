use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "redeem_codes")]
pub struct Model {
    /// SHA-256 of the code.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    pub batch: String,
    pub amount: i64,
    pub tenant_id: i64,
    pub sold: bool,
    pub expires_at: Option<i64>,
    pub created_at: i64,
    pub redeemed_by: Option<i64>,
    pub redeemed_at: Option<i64>,
    /// The entry that credited it.
    pub entry: Option<i64>,
    pub revoked_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
