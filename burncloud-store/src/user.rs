//! Users and tenants.

use crate::SqlStore;
use crate::entity::{tenant, user};
use crate::error::{Failure, conflict, database, missing};
use crate::sql::{Touched, check_name, from_json, to_json};
use async_trait::async_trait;
use burncloud_core::store::{NewTenant, NewUser, StoreResult, UserStore};
use burncloud_core::{Nano, Role, Tenant, TenantId, UnixMicros, User, UserId};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// A user as the row has them.
pub(crate) fn user(row: user::Model) -> StoreResult<User> {
    let role = Role::parse(&row.role);
    let unknown = || Failure::Damaged { what: "role", name: row.name.clone(), why: "it is unknown".into() };
    Ok(User {
        id: UserId(row.id),
        tenant: TenantId(row.tenant_id),
        status: row.status.into(),
        role: role.ok_or_else(unknown)?,
        balance: Nano(row.balance.unwrap_or(0)),
        credit: Nano(row.credit),
        unlimited: row.unlimited,
        used: Nano(row.used),
        group: row.customer_group,
        plan: row.plan,
        limits: from_json("limits", &row.name, &row.limits)?,
        created_at: UnixMicros(row.created_at),
        name: row.name,
    })
}

/// A tenant as its row has it.
pub(crate) fn tenant(row: tenant::Model) -> StoreResult<Tenant> {
    Ok(Tenant {
        id: TenantId(row.id),
        parent: row.parent_id.map(TenantId),
        status: row.status.into(),
        balance: Nano(row.balance),
        credit: Nano(row.credit),
        unlimited: row.unlimited,
        used: Nano(row.used),
        group: row.customer_group,
        plan: row.plan,
        time_zone: row.time_zone,
        limits: from_json("limits", &row.name, &row.limits)?,
        created_at: UnixMicros(row.created_at),
        name: row.name,
    })
}

/// What may change of a user.
fn user_terms(of: &User) -> user::ActiveModel {
    user::ActiveModel {
        id: Unchanged(of.id.0),
        name: NotSet,
        tenant_id: NotSet,
        status: Set(of.status.into()),
        role: Set(of.role.as_str().to_owned()),
        balance: NotSet,
        credit: NotSet,
        unlimited: Set(of.unlimited),
        used: NotSet,
        customer_group: Set(of.group.clone()),
        plan: Set(of.plan.clone()),
        limits: Set(to_json(&of.limits)),
        created_at: NotSet,
    }
}

/// What may change of a tenant.
fn tenant_terms(of: &Tenant) -> tenant::ActiveModel {
    tenant::ActiveModel {
        id: Unchanged(of.id.0),
        name: NotSet,
        parent_id: NotSet,
        status: Set(of.status.into()),
        balance: NotSet,
        credit: NotSet,
        unlimited: Set(of.unlimited),
        used: NotSet,
        customer_group: Set(of.group.clone()),
        plan: Set(of.plan.clone()),
        time_zone: Set(of.time_zone.clone()),
        limits: Set(to_json(&of.limits)),
        created_at: NotSet,
    }
}

#[async_trait]
impl UserStore for SqlStore {
    async fn create_tenant(&self, new: NewTenant) -> StoreResult<Tenant> {
        check_name("tenant", &new.name)?;
        let NewTenant { name, parent, unlimited, group, plan, time_zone, limits } = new;
        let created_at = UnixMicros::now();
        let made = Tenant {
            name,
            parent,
            unlimited,
            group,
            plan,
            time_zone,
            limits,
            created_at,
            ..Tenant::default()
        };
        let row = tenant::ActiveModel {
            id: NotSet,
            name: Set(made.name.clone()),
            parent_id: Set(parent.map(|parent| parent.0)),
            balance: Set(0),
            credit: Set(0),
            used: Set(0),
            created_at: Set(created_at.0),
            ..tenant_terms(&made)
        };
        let tx = self.begin().await?;
        if let Some(parent) = parent {
            let above = tenant::Entity::find_by_id(parent.0).one(&tx).await.map_err(database)?;
            above.ok_or_else(|| missing("tenant", parent))?;
        }
        let inserted = tenant::Entity::insert(row).exec(&tx).await.map_err(conflict("tenant", &made.name))?;
        self.commit(tx, Touched::Nobody).await?;
        Ok(Tenant { id: TenantId(inserted.last_insert_id), ..made })
    }

    async fn tenant_by_name(&self, name: &str) -> StoreResult<Option<Tenant>> {
        let found = tenant::Entity::find().filter(tenant::Column::Name.eq(name));
        found.one(&self.read).await.map_err(database)?.map(tenant).transpose()
    }

    async fn tenant(&self, id: TenantId) -> StoreResult<Option<Tenant>> {
        tenant::Entity::find_by_id(id.0).one(&self.read).await.map_err(database)?.map(tenant).transpose()
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
        let change = tenant::Entity::update(tenant_terms(changed)).validate().map_err(database)?;
        change.exec(&tx).await.map_err(database)?;
        self.commit(tx, Touched::Everybody).await
    }

    async fn create_user(&self, new: NewUser) -> StoreResult<User> {
        check_name("user", &new.name)?;
        let NewUser { name, tenant, role, unlimited, group, plan, limits } = new;
        let created_at = UnixMicros::now();
        let made = User { name, tenant, role, unlimited, group, plan, limits, created_at, ..User::default() };
        let row = user::ActiveModel {
            id: NotSet,
            name: Set(made.name.clone()),
            tenant_id: Set(tenant.0),
            balance: Set(Some(0)),
            credit: Set(0),
            used: Set(0),
            created_at: Set(created_at.0),
            ..user_terms(&made)
        };
        let tx = self.begin().await?;
        let home = tenant::Entity::find_by_id(tenant.0).one(&tx).await.map_err(database)?;
        home.ok_or_else(|| missing("tenant", tenant))?;
        let inserted = user::Entity::insert(row).exec(&tx).await.map_err(conflict("user", &made.name))?;
        self.commit(tx, Touched::Nobody).await?;
        Ok(User { id: UserId(inserted.last_insert_id), ..made })
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
        let row = user::Entity::find_by_id(changed.id.0).lock_exclusive().one(&tx).await.map_err(database)?;
        row.ok_or_else(|| missing("user", &changed.name))?;
        let change = user::Entity::update(user_terms(changed)).validate().map_err(database)?;
        change.exec(&tx).await.map_err(database)?;
        self.commit(tx, Touched::User(changed.id.0)).await
    }
}
