use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "onces")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub who: String,
    /// The idempotency key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// SHA-256 of what is asked.
    #[sea_orm(column_type = "Binary(32)")]
    pub fingerprint: Vec<u8>,
    pub began_at: i64,
    /// The answer's, once there is one.
    pub status: Option<i32>,
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
