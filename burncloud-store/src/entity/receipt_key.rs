use sea_orm::entity::prelude::*;

/// A key that links are signed with.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "receipt_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(8)")]
    pub id: Vec<u8>,
    #[sea_orm(column_type = "Binary(32)")]
    pub public: Vec<u8>,
    /// Sealed by the `SecretBox`.
    #[sea_orm(column_type = "Blob")]
    pub seed: Vec<u8>,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
