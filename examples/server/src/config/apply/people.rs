//! Tenants and users.

use super::{ApplyError, At, Changes};
use crate::config::{DeclaredTenant, DeclaredUser, DeclaredWallet};
use burncloud_billing::people::{
    Actor, TenantChange, UserChange, Wallet, create_tenant, create_user, find_tenant, open_wallet,
    set_credit, set_role, update_tenant, update_user,
};
use burncloud_core::store::{LedgerStore, NewTenant, NewUser, PlanStore, UserStore};
use burncloud_core::usecase::{Said, UseCaseError, UseCaseResult};
use burncloud_core::{Role, Tenant, TenantId, User};

/// In the order declared: each after its parent.
pub(super) async fn apply_tenants<S: UserStore + LedgerStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    declared: &[DeclaredTenant],
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    for tenant in declared {
        let what = || format!("tenant `{}`", tenant.name);
        let stored = store.tenant_by_name(&tenant.name).await.at(what)?;
        let new = stored.is_none();
        let stored = match stored {
            Some(stored) => stored,
            None => make_tenant(store, actor, tenant).await.at(what)?,
        };
        let changed = change_tenant(store, actor, tenant, stored).await.at(what)?;
        if new {
            changes.made.push(what());
        } else if changed {
            changes.changed.push(what());
        }
    }
    Ok(())
}

async fn make_tenant<S: UserStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    tenant: &DeclaredTenant,
) -> UseCaseResult<Tenant> {
    let parent = match &tenant.parent {
        Some(parent) => Some(find_tenant(store, parent).await?.id),
        None => None,
    };
    let new = NewTenant {
        name: tenant.name.clone(),
        parent,
        unlimited: tenant.wallet.unlimited.unwrap_or(false),
        group: tenant.group.clone(),
        plan: tenant.plan.clone(),
        time_zone: tenant.time_zone.clone().unwrap_or_default(),
        limits: tenant.limits,
    };
    create_tenant(store, actor, new).await
}

/// Whether anything was changed.
async fn change_tenant<S: UserStore + LedgerStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    tenant: &DeclaredTenant,
    stored: Tenant,
) -> UseCaseResult<bool> {
    let parent = match stored.parent {
        Some(id) => store.tenant(id).await?.map(|parent| parent.name),
        None => None,
    };
    if parent != tenant.parent {
        let shown = parent.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
        let message =
            format!("its parent in the store is {shown}; tenants do not move: make one of another name");
        return Err(UseCaseError::invalid("parent", Said::plain(message)));
    }
    let change = TenantChange {
        status: tenant.status,
        unlimited: tenant.wallet.unlimited,
        group: tenant.group.clone().map(Some),
        plan: tenant.plan.clone().map(Some),
        time_zone: tenant.time_zone.clone(),
        limits: Some(tenant.limits),
    };
    let next = update_tenant(store, actor, &tenant.name, change).await?;
    let changed = next != stored;
    let wallet = Wallet::Tenant(next);
    Ok(apply_wallet(store, actor, tenant.wallet, &wallet).await? || changed)
}

pub(super) async fn apply_users<S: UserStore + LedgerStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    declared: &[DeclaredUser],
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    for user in declared {
        let what = || format!("user `{}`", user.name);
        let tenant = find_tenant(store, &user.tenant).await.at(what)?.id;
        let stored = store.user_by_name(&user.name).await.at(what)?;
        let new = stored.is_none();
        let stored = match stored {
            Some(stored) => stored,
            None => make_user(store, actor, user, tenant).await.at(what)?,
        };
        if stored.tenant != tenant {
            let message = format!("{} belongs to another tenant in the store; users do not move", what());
            return Err(UseCaseError::invalid("tenant", Said::plain(message))).at(what);
        }
        let changed = change_user(store, actor, user, stored).await.at(what)?;
        if new {
            changes.made.push(what());
        } else if changed {
            changes.changed.push(what());
        }
    }
    Ok(())
}

async fn make_user<S: UserStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    user: &DeclaredUser,
    tenant: TenantId,
) -> UseCaseResult<User> {
    let new = NewUser {
        name: user.name.clone(),
        tenant,
        role: user.role.unwrap_or(Role::EndUser),
        unlimited: user.wallet.begins_unlimited(),
        group: user.group.clone(),
        plan: user.plan.clone(),
        limits: user.limits,
    };
    create_user(store, actor, new).await
}

/// Whether anything was changed.
async fn change_user<S: UserStore + LedgerStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    user: &DeclaredUser,
    stored: User,
) -> UseCaseResult<bool> {
    let change = UserChange {
        status: user.status,
        unlimited: user.wallet.unlimited,
        group: user.group.clone().map(Some),
        plan: user.plan.clone().map(Some),
        limits: Some(user.limits),
    };
    let mut next = update_user(store, actor, &user.name, change).await?;
    if let Some(role) = user.role {
        next = set_role(store, actor, &user.name, role).await?;
    }
    let changed = next != stored;
    let wallet = Wallet::User(next);
    Ok(apply_wallet(store, actor, user.wallet, &wallet).await? || changed)
}

/// Whether money was moved or the credit line changed.
async fn apply_wallet<S: UserStore + LedgerStore + ?Sized>(
    store: &S,
    actor: &Actor,
    declared: DeclaredWallet,
    wallet: &Wallet,
) -> UseCaseResult<bool> {
    let mut moved = false;
    if let Some(opening) = declared.opening_balance {
        moved |= open_wallet(store, actor, wallet, opening).await?.is_some();
    }
    if let Some(credit) = declared.credit {
        moved |= set_credit(store, actor, wallet, credit, "declared").await?.is_some();
    }
    Ok(moved)
}
