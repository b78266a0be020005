//! Users, tenants and balances.

use crate::SqlStore;
use crate::entity::{tenant, user};
use crate::error::{conflict, database, missing};
use crate::sql::{Touched, check_name, from_json, to_json};
use async_trait::async_trait;
use burncloud_core::store::{StoreError, StoreResult, UserStore};
use burncloud_core::{Limits, Nano, Status, Tenant, TenantId, UnixMicros, User, UserId};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// A user as the row has them.
pub(crate) fn user(row: user::Model) -> StoreResult<User> {
    Ok(User {
        id: UserId(row.id),
        tenant: TenantId(row.tenant_id),
        status: row.status.into(),
        balance: row.balance.map(Nano),
        used: Nano(row.used),
        limits: from_json("limits", &row.name, &row.limits)?,
        created_at: UnixMicros(row.created_at),
        name: row.name,
    })
}

/// A tenant as its row has it.
pub(crate) fn tenant(row: tenant::Model) -> StoreResult<Tenant> {
    Ok(Tenant {
        id: TenantId(row.id),
        limits: from_json("limits", &row.name, &row.limits)?,
        created_at: UnixMicros(row.created_at),
        name: row.name,
    })
}

/// Changes nothing of a user but what the caller then sets.
fn unchanged(id: i64) -> user::ActiveModel {
    user::ActiveModel {
        id: Unchanged(id),
        name: NotSet,
        tenant_id: NotSet,
        status: NotSet,
        balance: NotSet,
        used: NotSet,
        limits: NotSet,
        created_at: NotSet,
    }
}

impl SqlStore {
    /// The user's row, locked until the transaction ends.
    async fn locked_user(
        &self,
        tx: &DatabaseTransaction,
        id: UserId,
        name: &str,
    ) -> StoreResult<user::Model> {
        let row = user::Entity::find_by_id(id.0).lock_exclusive().one(tx).await.map_err(database)?;
        row.ok_or_else(|| missing("user", name))
    }

    async fn change_user(&self, tx: DatabaseTransaction, change: user::ActiveModel) -> StoreResult<()> {
        let id = *change.id.as_ref();
        user::Entity::update(change).validate().map_err(database)?.exec(&tx).await.map_err(database)?;
        self.commit(tx, Touched::User(id)).await
    }
}

#[async_trait]
impl UserStore for SqlStore {
    async fn create_tenant(&self, name: &str, limits: Limits) -> StoreResult<Tenant> {
        check_name("tenant", name)?;
        let created_at = UnixMicros::now();
        let row = tenant::ActiveModel {
            id: NotSet,
            name: Set(name.to_owned()),
            limits: Set(to_json(&limits)),
            created_at: Set(created_at.0),
        };
        let tx = self.begin().await?;
        let made = tenant::Entity::insert(row).exec(&tx).await.map_err(conflict("tenant", name))?;
        self.commit(tx, Touched::Nobody).await?;
        Ok(Tenant { id: TenantId(made.last_insert_id), name: name.to_owned(), limits, created_at })
    }

    async fn tenant_by_name(&self, name: &str) -> StoreResult<Option<Tenant>> {
        let found = tenant::Entity::find().filter(tenant::Column::Name.eq(name));
        found.one(&self.read).await.map_err(database)?.map(tenant).transpose()
    }

    async fn tenants(&self) -> StoreResult<Vec<Tenant>> {
        let all = tenant::Entity::find().order_by_asc(tenant::Column::Id);
        all.all(&self.read).await.map_err(database)?.into_iter().map(tenant).collect()
    }

    async fn update_tenant(&self, changed: &Tenant) -> StoreResult<()> {
        let tx = self.begin().await?;
        let row =
            tenant::Entity::find_by_id(changed.id.0).lock_exclusive().one(&tx).await.map_err(database)?;
        row.ok_or_else(|| missing("tenant", &changed.name))?;
        let change = tenant::ActiveModel {
            id: Unchanged(changed.id.0),
            name: NotSet,
            limits: Set(to_json(&changed.limits)),
            created_at: NotSet,
        };
        tenant::Entity::update(change).validate().map_err(database)?.exec(&tx).await.map_err(database)?;
        self.commit(tx, Touched::Everybody).await
    }

    async fn create_user(
        &self,
        name: &str,
        tenant: TenantId,
        balance: Option<Nano>,
        limits: Limits,
    ) -> StoreResult<User> {
        check_name("user", name)?;
        let mut made = User {
            id: UserId(0),
            name: name.to_owned(),
            tenant,
            status: Status::Active,
            balance,
            used: Nano::ZERO,
            limits,
            created_at: UnixMicros::now(),
        };
        let row = user::ActiveModel {
            id: NotSet,
            name: Set(made.name.clone()),
            tenant_id: Set(tenant.0),
            status: Set(made.status.into()),
            balance: Set(balance.map(|amount| amount.0)),
            used: Set(made.used.0),
            limits: Set(to_json(&limits)),
            created_at: Set(made.created_at.0),
        };
        let tx = self.begin().await?;
        let home = tenant::Entity::find_by_id(tenant.0).one(&tx).await.map_err(database)?;
        home.ok_or_else(|| missing("tenant", tenant))?;
        let inserted = user::Entity::insert(row).exec(&tx).await.map_err(conflict("user", name))?;
        made.id = UserId(inserted.last_insert_id);
        self.commit(tx, Touched::Nobody).await?;
        Ok(made)
    }

    async fn user_by_name(&self, name: &str) -> StoreResult<Option<User>> {
        let found = user::Entity::find().filter(user::Column::Name.eq(name));
        found.one(&self.read).await.map_err(database)?.map(user).transpose()
    }

    async fn user(&self, id: UserId) -> StoreResult<Option<User>> {
        user::Entity::find_by_id(id.0).one(&self.read).await.map_err(database)?.map(user).transpose()
    }

    async fn users(&self, after: Option<UserId>, limit: u32) -> StoreResult<Vec<User>> {
        let mut page = user::Entity::find().order_by_asc(user::Column::Id).limit(u64::from(limit));
        if let Some(after) = after {
            page = page.filter(user::Column::Id.gt(after.0));
        }
        page.all(&self.read).await.map_err(database)?.into_iter().map(user).collect()
    }

    async fn update_user(&self, changed: &User) -> StoreResult<()> {
        let tx = self.begin().await?;
        self.locked_user(&tx, changed.id, &changed.name).await?;
        let change = user::ActiveModel {
            status: Set(changed.status.into()),
            limits: Set(to_json(&changed.limits)),
            ..unchanged(changed.id.0)
        };
        self.change_user(tx, change).await
    }

    async fn add_balance(&self, id: UserId, amount: Nano) -> StoreResult<Nano> {
        let tx = self.begin().await?;
        let row = self.locked_user(&tx, id, &id.to_string()).await?;
        let sum = row.balance.unwrap_or(0).checked_add(amount.0);
        let sum = sum.ok_or_else(|| StoreError::balance_overflow(&row.name))?;
        self.change_user(tx, user::ActiveModel { balance: Set(Some(sum)), ..unchanged(id.0) }).await?;
        Ok(Nano(sum))
    }

    async fn set_balance(&self, id: UserId, balance: Option<Nano>) -> StoreResult<()> {
        let tx = self.begin().await?;
        self.locked_user(&tx, id, &id.to_string()).await?;
        let balance = Set(balance.map(|amount| amount.0));
        self.change_user(tx, user::ActiveModel { balance, ..unchanged(id.0) }).await
    }
}
