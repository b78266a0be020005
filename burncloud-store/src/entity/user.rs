use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub name: String,
    pub tenant_id: i64,
    pub status: super::Status,
    pub role: String,
    /// Nano-dollars, as every amount in these tables; what the ledger says.
    pub balance: Option<i64>,
    pub credit: i64,
    pub unlimited: bool,
    pub used: i64,
    pub customer_group: Option<String>,
    pub plan: Option<String>,
    /// JSON of `Limits`.
    #[sea_orm(column_type = "Text")]
    pub limits: String,
    pub created_at: i64,
    #[sea_orm(belongs_to, from = "tenant_id", to = "id")]
    pub tenant: BelongsTo<super::tenant::Entity>,
    #[sea_orm(has_many)]
    pub keys: HasMany<super::api_key::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
