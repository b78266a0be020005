use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenants")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub name: String,
    pub parent_id: Option<i64>,
    pub status: super::Status,
    /// Nano-dollars, as every amount in these tables; what the ledger says.
    pub balance: i64,
    pub credit: i64,
    pub unlimited: bool,
    pub used: i64,
    pub customer_group: Option<String>,
    pub plan: Option<String>,
    pub time_zone: String,
    /// JSON of `Limits`.
    #[sea_orm(column_type = "Text")]
    pub limits: String,
    /// Unix microseconds, as every time in these tables.
    pub created_at: i64,
    #[sea_orm(has_many)]
    pub users: HasMany<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
