use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "catalogues")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub version: i64,
    pub fetched_at: i64,
    #[sea_orm(column_type = "Text")]
    pub source: String,
    pub state: String,
    #[sea_orm(column_type = "Text")]
    pub body: String,
}

impl ActiveModelBehavior for ActiveModel {}
