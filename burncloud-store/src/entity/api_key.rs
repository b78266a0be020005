use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub name: String,
    pub hint: String,
    /// SHA-256 of the secret.
    #[sea_orm(unique, column_type = "Binary(32)")]
    pub hash: Vec<u8>,
    pub user_id: i64,
    pub status: super::Status,
    pub quota: Option<i64>,
    pub used: i64,
    /// JSON of `Limits`.
    #[sea_orm(column_type = "Text")]
    pub limits: String,
    /// A JSON list of names.
    #[sea_orm(column_type = "Text", nullable)]
    pub models: Option<String>,
    /// A JSON list of addresses.
    #[sea_orm(column_type = "Text", nullable)]
    pub ips: Option<String>,
    pub expires_at: Option<i64>,
    pub customer_group: Option<String>,
    /// A JSON list of applications.
    #[sea_orm(column_type = "Text", nullable)]
    pub apps: Option<String>,
    /// SHA-256 of the secret before this one.
    #[sea_orm(column_type = "Binary(32)", nullable)]
    pub previous_hash: Option<Vec<u8>>,
    pub previous_until: Option<i64>,
    pub created_at: i64,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
