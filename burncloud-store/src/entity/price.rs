use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "prices")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub version: i64,
    pub book: Option<i64>,
    pub channel_id: Option<i64>,
    pub model: String,
    pub effective_at: i64,
    /// JSON.
    #[sea_orm(column_type = "Text")]
    pub rates: String,
}

impl ActiveModelBehavior for ActiveModel {}
