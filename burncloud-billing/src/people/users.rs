//! What is done with users.

use super::actor::Actor;
use super::roles::Action;
use super::tenants::check_plan;
use super::tree::Tree;
use super::{check_word, find_user};
use burncloud_core::store::{NewUser, PlanStore, StoreError, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult, check_limits, check_name};
use burncloud_core::{Limits, Role, Status, TenantId, User};

const PAGE: u32 = 500;

/// What is to change of a user; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Whether they may call.
    pub status: Option<Status>,
    /// Whether their wallet has no bound.
    pub unlimited: Option<bool>,
    /// Their group in their tenant's price book; `Some(None)` is none.
    pub group: Option<Option<String>>,
    /// Their plan; `Some(None)` is their tenant's.
    pub plan: Option<Option<String>>,
    /// Limits over all their keys.
    pub limits: Option<Limits>,
}

/// Makes a user.
///
/// # Errors
/// `Invalid` for a field that breaks a rule, `Forbidden`, and the store's.
pub async fn create_user<S: UserStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    new: NewUser,
) -> UseCaseResult<User> {
    check_name(&new.name)?;
    check_limits(&new.limits)?;
    check_word("group", new.group.as_ref())?;
    let tree = Tree::load(store).await?;
    actor.check(&tree, Action::ManageUsers, new.tenant)?;
    if new.role != Role::EndUser {
        check_role(&tree, actor, new.tenant, new.role)?;
    }
    check_plan(store, actor, new.plan.as_deref()).await?;
    Ok(store.create_user(new).await?)
}

/// Changes the terms of the user of that name. Those of owners and administrators are changed by whoever could make them.
///
/// # Errors
/// As [`create_user`].
pub async fn update_user<S: UserStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    name: &str,
    change: UserChange,
) -> UseCaseResult<User> {
    let UserChange { status, unlimited, group, plan, limits } = change;
    let stored = find_user(store, name).await?;
    let tree = Tree::load(store).await?;
    check_user(&tree, actor, &stored)?;
    let next = User {
        status: status.unwrap_or(stored.status),
        unlimited: unlimited.unwrap_or(stored.unlimited),
        group: group.unwrap_or_else(|| stored.group.clone()),
        plan: plan.unwrap_or_else(|| stored.plan.clone()),
        limits: limits.unwrap_or(stored.limits),
        ..stored.clone()
    };
    check_limits(&next.limits)?;
    check_word("group", next.group.as_ref())?;
    if next.unlimited != stored.unlimited {
        actor.check(&tree, Action::CreditUser, stored.tenant)?;
    }
    if next.plan != stored.plan {
        actor.check_in_house(Action::ManageHouse)?;
        check_plan(store, actor, next.plan.as_deref()).await?;
    }
    if stored.status == Status::Revoked && next.status != Status::Revoked {
        let message = (
            format!("the user `{name}` was withdrawn for good; make one of another name"),
            format!("用户「{name}」已注销，请用别的名字新建"),
        );
        return Err(UseCaseError::invalid("status", message));
    }
    if next != stored {
        store.update_user(&next).await?;
    }
    Ok(next)
}

/// Gives the user of that name another role.
///
/// # Errors
/// As [`create_user`].
pub async fn set_role<S: UserStore + ?Sized>(
    store: &S,
    actor: &Actor,
    name: &str,
    role: Role,
) -> UseCaseResult<User> {
    let stored = find_user(store, name).await?;
    let tree = Tree::load(store).await?;
    check_change_of_role(&tree, actor, &stored, role)?;
    let next = User { role, ..stored.clone() };
    if next != stored {
        store.update_user(&next).await?;
    }
    Ok(next)
}

/// The users that the actor may see: those of its branch, or itself.
///
/// # Errors
/// The store's.
pub async fn list_users<S: UserStore + ?Sized>(store: &S, actor: &Actor) -> UseCaseResult<Vec<User>> {
    let tree = Tree::load(store).await?;
    let mut all: Vec<User> = Vec::new();
    let mut after = None;
    loop {
        let page = store.users(after, PAGE).await?;
        after = page.last().map(|user| user.id);
        let last = page.len() < PAGE as usize;
        let seen = |user: &User| actor.check_user(&tree, Action::See, Action::SeeOwn, user).is_ok();
        all.extend(page.into_iter().filter(seen));
        if last {
            return Ok(all);
        }
    }
}

/// Whether the actor may change the terms of a user.
pub(crate) fn check_user(tree: &Tree, actor: &Actor, user: &User) -> UseCaseResult<()> {
    actor.check(tree, Action::ManageUsers, user.tenant)?;
    check_office(actor, user.role)
}

/// Whether the actor may give a user that role instead of theirs.
pub(crate) fn check_change_of_role(tree: &Tree, actor: &Actor, user: &User, role: Role) -> UseCaseResult<()> {
    check_role(tree, actor, user.tenant, role)?;
    check_office(actor, user.role)
}

/// Whether the actor may give that role to somebody of that tenant.
pub(crate) fn check_role(tree: &Tree, actor: &Actor, tenant: TenantId, role: Role) -> UseCaseResult<()> {
    actor.check(tree, Action::SetRole, tenant)?;
    check_office(actor, role)?;
    let tenant =
        tree.get(tenant).ok_or_else(|| StoreError::NotFound { what: "tenant", name: tenant.to_string() })?;
    let of_house = matches!(role, Role::Owner | Role::Administrator);
    if of_house && tenant.parent.is_some() {
        let message = (
            format!(
                "an {} belongs to a tenant of the house (without a parent), `{}` is not one",
                role.as_str(),
                tenant.name
            ),
            format!("{} 须属于自营租户（没有上级），`{}` 不是", role.as_str(), tenant.name),
        );
        return Err(UseCaseError::invalid("role", message));
    }
    // One could grant credit and put in money without end: nobody above would pay for it but the house.
    if role == Role::Reseller && tenant.parent.is_none() {
        let message = (
            format!(
                "a reseller belongs to a tenant with a parent, which it buys from; `{}` is a tenant of the house: make a \
             tenant below it, or an administrator",
                tenant.name
            ),
            format!(
                "分销商须属于有上级的租户，向上级进货；`{}` 是自营租户：请在其下新建租户，或设为管理员",
                tenant.name
            ),
        );
        return Err(UseCaseError::invalid("role", message));
    }
    Ok(())
}

/// Owners are made, unmade and changed by owners, administrators by those two.
pub(crate) fn check_office(actor: &Actor, role: Role) -> UseCaseResult<()> {
    match role {
        Role::Owner => actor.check_in_house(Action::ManageOwners),
        Role::Administrator => actor.check_in_house(Action::ManageAdministrators),
        Role::Reseller | Role::EndUser | Role::Accountant => Ok(()),
    }
}
