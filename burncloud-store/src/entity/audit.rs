use sea_orm::entity::prelude::*;

/// Only ever inserted.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audits")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: i64,
    #[sea_orm(column_type = "Text")]
    pub author: String,
    pub user_id: Option<i64>,
    pub acting_id: Option<i64>,
    pub tenant_id: i64,
    pub action: String,
    pub subject: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub was: String,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub became: String,
    #[sea_orm(column_type = "Text")]
    pub ip: String,
}

impl ActiveModelBehavior for ActiveModel {}
