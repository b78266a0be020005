use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channels")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub name: String,
    pub provider: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub base_url: Option<String>,
    /// Sealed by the `SecretBox`.
    #[sea_orm(column_type = "Blob")]
    pub credential: Vec<u8>,
    /// A JSON list of names.
    #[sea_orm(column_type = "Text")]
    pub models: String,
    /// A JSON object: asked = sent.
    #[sea_orm(column_type = "Text")]
    pub model_mapping: String,
    pub priority: i32,
    pub weight: i64,
    pub status: super::Status,
    /// JSON of `ChannelSettings`.
    #[sea_orm(column_type = "Text")]
    pub settings: String,
}

impl ActiveModelBehavior for ActiveModel {}
