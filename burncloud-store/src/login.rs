//! How users sign in; the secrets of second factors are sealed on the way in and opened on the way out.

use crate::SqlStore;
use crate::entity::login::{ActiveModel, Column, Entity, Model};
use crate::entity::user;
use crate::error::{Failure, database, is_duplicate, missing};
use crate::lists::one_of;
use async_trait::async_trait;
use burncloud_core::store::{Login, LoginStore, StoreError, StoreResult};
use burncloud_core::{UnixMicros, UserId};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    SqlErr,
};

/// What a secret is sealed for: it opens in no other row.
fn purpose(user: i64) -> String {
    format!("second factor of user {user}")
}

/// Says which of the two unique columns is taken.
fn conflict(error: DbErr, login: &Login) -> StoreError {
    let subject = match error.sql_err() {
        // `logins.subject` or `logins_subject`, as each database names the column or its index.
        Some(SqlErr::UniqueConstraintViolation(text)) => {
            text.contains("logins.subject") || text.contains("logins_subject")
        }
        _ => false,
    };
    match (&login.subject, is_duplicate(&error)) {
        (Some(name), true) if subject => {
            StoreError::Conflict { what: "login of the subject", name: name.clone() }
        }
        (_, true) => StoreError::Conflict { what: "login", name: login.name.clone() },
        _ => database(error),
    }
}

/// A row that must be there, held until the transaction ends.
async fn held(tx: &DatabaseTransaction, user: UserId) -> StoreResult<Option<Model>> {
    Entity::find_by_id(user.0).lock_exclusive().one(tx).await.map_err(database)
}

impl SqlStore {
    fn read_login(&self, row: Model) -> StoreResult<Login> {
        let open = |sealed: Vec<u8>| {
            let opened = self.secrets.open(&purpose(row.user_id), &sealed);
            opened.ok_or_else(|| Failure::SealedLogin { name: row.name.clone() })
        };
        let totp = row.totp.map(open).transpose()?;
        let failures = u32::try_from(row.failures).map_err(|error| Failure::Damaged {
            what: "count of failures of login",
            name: row.name.clone(),
            why: error.to_string(),
        })?;
        Ok(Login {
            user: UserId(row.user_id),
            name: row.name,
            display: row.display,
            password: row.password,
            must_change: row.must_change,
            totp,
            subject: row.subject,
            failures,
            locked_until: row.locked_until.map(UnixMicros),
            last_at: row.last_at.map(UnixMicros),
            created_at: UnixMicros(row.created_at),
        })
    }

    async fn find_login(&self, wanted: impl Into<Condition>) -> StoreResult<Option<Login>> {
        let found = Entity::find().filter(wanted.into()).one(&self.read).await.map_err(database)?;
        found.map(|row| self.read_login(row)).transpose()
    }

    /// What [`LoginStore::set_login`] replaces.
    fn login_terms(&self, login: &Login) -> StoreResult<ActiveModel> {
        let seal = |secret| self.secrets.seal(&purpose(login.user.0), secret);
        let totp = login.totp.as_ref().map(seal).transpose();
        Ok(ActiveModel {
            user_id: Unchanged(login.user.0),
            name: Set(login.name.clone()),
            display: Set(login.display.clone()),
            password: Set(login.password.clone()),
            must_change: Set(login.must_change),
            totp: Set(totp.map_err(|error| StoreError::Unavailable(error.to_string()))?),
            totp_step: NotSet,
            subject: Set(login.subject.clone()),
            failures: NotSet,
            locked_until: NotSet,
            last_at: NotSet,
            created_at: NotSet,
        })
    }
}

#[async_trait]
impl LoginStore for SqlStore {
    async fn set_login(&self, login: &Login) -> StoreResult<()> {
        login.check()?;
        let row = self.login_terms(login)?;
        let tx = self.begin().await?;
        let user = user::Entity::find_by_id(login.user.0).one(&tx).await.map_err(database)?;
        user.ok_or_else(|| missing("user", login.user))?;
        if held(&tx, login.user).await?.is_some() {
            let change = Entity::update(row).validate().map_err(database)?;
            change.exec(&tx).await.map_err(|error| conflict(error, login))?;
        } else {
            let made = if login.created_at.0 == 0 { UnixMicros::now() } else { login.created_at };
            let row = ActiveModel {
                user_id: Set(login.user.0),
                failures: Set(i64::from(login.failures)),
                locked_until: Set(login.locked_until.map(|at| at.0)),
                last_at: Set(login.last_at.map(|at| at.0)),
                created_at: Set(made.0),
                ..row
            };
            Entity::insert(row).exec_without_returning(&tx).await.map_err(|error| conflict(error, login))?;
        }
        tx.commit().await.map_err(database)
    }

    async fn login(&self, user: UserId) -> StoreResult<Option<Login>> {
        self.find_login(Column::UserId.eq(user.0)).await
    }

    async fn login_by_name(&self, name: &str) -> StoreResult<Option<Login>> {
        self.find_login(Column::Name.eq(name)).await
    }

    async fn login_by_subject(&self, subject: &str) -> StoreResult<Option<Login>> {
        self.find_login(Column::Subject.eq(subject)).await
    }

    async fn logins(&self, users: &[UserId]) -> StoreResult<Vec<Login>> {
        let users: Vec<i64> = users.iter().map(|user| user.0).collect();
        let some = one_of("user_id", &users, self.read.get_database_backend());
        let rows = Entity::find().filter(some).order_by_asc(Column::UserId).all(&self.read).await;
        rows.map_err(database)?.into_iter().map(|row| self.read_login(row)).collect()
    }

    async fn has_logins(&self) -> StoreResult<bool> {
        let any: Option<i64> = Entity::find()
            .select_only()
            .column(Column::UserId)
            .limit(1)
            .into_tuple()
            .one(&self.read)
            .await
            .map_err(database)?;
        Ok(any.is_some())
    }

    async fn login_failed(
        &self,
        user: UserId,
        lock: &(dyn Fn(u32) -> Option<UnixMicros> + Send + Sync),
    ) -> StoreResult<u32> {
        let tx = self.begin().await?;
        let row = held(&tx, user).await?.ok_or_else(|| missing("login of the user", user))?;
        let failures = u32::try_from(row.failures).unwrap_or(u32::MAX).saturating_add(1);
        let change = ActiveModel {
            user_id: Unchanged(user.0),
            failures: Set(i64::from(failures)),
            locked_until: lock(failures).map_or(NotSet, |until| Set(Some(until.0))),
            ..Default::default()
        };
        Entity::update(change).validate().map_err(database)?.exec(&tx).await.map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(failures)
    }

    async fn login_succeeded(&self, user: UserId, at: UnixMicros) -> StoreResult<()> {
        let noted = Entity::update_many()
            .col_expr(Column::Failures, Expr::value(0))
            .col_expr(Column::LockedUntil, Expr::value(None::<i64>))
            .col_expr(Column::LastAt, Expr::value(at.0))
            .filter(Column::UserId.eq(user.0))
            .exec(&self.write)
            .await
            .map_err(database)?;
        if noted.rows_affected == 0 { Err(missing("login of the user", user)) } else { Ok(()) }
    }

    async fn use_totp_step(&self, user: UserId, step: i64) -> StoreResult<bool> {
        let unused = Condition::any().add(Column::TotpStep.is_null()).add(Column::TotpStep.lt(step));
        let used = Entity::update_many()
            .col_expr(Column::TotpStep, Expr::value(step))
            .filter(Column::UserId.eq(user.0))
            .filter(unused)
            .exec(&self.write)
            .await
            .map_err(database)?;
        Ok(used.rows_affected == 1)
    }
}
