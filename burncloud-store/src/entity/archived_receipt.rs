use sea_orm::entity::prelude::*;

/// What is known of a receipt that was archived.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "archived_receipts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(16)")]
    pub id: Vec<u8>,
    pub link: i64,
    pub user_id: i64,
    pub tenant_id: i64,
}

impl ActiveModelBehavior for ActiveModel {}
