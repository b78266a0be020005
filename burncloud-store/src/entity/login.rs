use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "logins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    #[sea_orm(unique)]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub display: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub password: Option<String>,
    pub must_change: bool,
    /// Sealed by the `SecretBox`.
    #[sea_orm(column_type = "Blob", nullable)]
    pub totp: Option<Vec<u8>>,
    /// The latest code of the second factor that was used.
    pub totp_step: Option<i64>,
    #[sea_orm(unique)]
    pub subject: Option<String>,
    pub failures: i64,
    pub locked_until: Option<i64>,
    pub last_at: Option<i64>,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
