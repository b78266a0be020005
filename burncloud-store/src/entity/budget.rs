use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "budgets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub scope: String,
    /// JSON of the rest.
    #[sea_orm(column_type = "Text")]
    pub terms: String,
}

impl ActiveModelBehavior for ActiveModel {}
