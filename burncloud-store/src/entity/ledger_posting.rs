use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_postings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    pub amount: i64,
}

impl ActiveModelBehavior for ActiveModel {}
