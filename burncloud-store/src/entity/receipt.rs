use sea_orm::entity::prelude::*;

/// Few columns: each costs on every request. What is listed or summed has one, the rest is in `rest`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "receipts")]
pub struct Model {
    /// The id, big-endian: the order of bytes is the order of time.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Binary(16)")]
    pub id: Vec<u8>,
    pub at: i64,
    pub key_id: i64,
    pub user_id: i64,
    pub tenant_id: i64,
    pub channel_id: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub model: String,
    #[sea_orm(column_type = "Text")]
    pub upstream_model: String,
    pub dialect: String,
    pub operation: String,
    pub status: i32,
    pub end: String,
    pub streamed: bool,
    pub input: i64,
    pub cached_read: i64,
    pub output: i64,
    pub reasoning: i64,
    pub charge: i64,
    pub upstream_cost: i64,
    pub first_byte_us: Option<i64>,
    pub took_us: i64,
    pub entry: Option<i64>,
    pub seal: Option<i64>,
    /// JSON of everything else.
    #[sea_orm(column_type = "Text")]
    pub rest: String,
}

impl ActiveModelBehavior for ActiveModel {}
