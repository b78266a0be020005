use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// SHA-256 of what the cookie holds.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    pub user_id: i64,
    pub acting_id: Option<i64>,
    pub created_at: i64,
    pub seen_at: i64,
    pub expires_at: i64,
    #[sea_orm(column_type = "Text")]
    pub ip: String,
    #[sea_orm(column_type = "Text")]
    pub agent: String,
}

impl ActiveModelBehavior for ActiveModel {}
