//! What is done with tenants.

use super::actor::Actor;
use super::roles::Action;
use super::tree::Tree;
use super::{check_word, find_tenant};
use crate::budgets::zone;
use burncloud_core::store::{NewTenant, PlanStore, StoreError, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult, check_limits, check_name};
use burncloud_core::{Limits, Status, Tenant};

/// What is to change of a tenant; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantChange {
    /// Whether anybody in it or below it may call.
    pub status: Option<Status>,
    /// Whether its wallet has no bound.
    pub unlimited: Option<bool>,
    /// Its group in its parent's price book; `Some(None)` is none.
    pub group: Option<Option<String>>,
    /// Its plan; `Some(None)` is its parent's.
    pub plan: Option<Option<String>>,
    /// The IANA name of its time zone.
    pub time_zone: Option<String>,
    /// Limits over all its users.
    pub limits: Option<Limits>,
}

/// Makes a tenant: below its parent, or in the house.
///
/// # Errors
/// `Invalid` for a field that breaks a rule, `Forbidden`, and the store's.
pub async fn create_tenant<S: UserStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    new: NewTenant,
) -> UseCaseResult<Tenant> {
    check_name(&new.name)?;
    check_limits(&new.limits)?;
    check_word("group", new.group.as_ref())?;
    check_time_zone(&new.time_zone)?;
    match new.parent {
        None => {
            actor.check_in_house(Action::ManageHouse)?;
            refuse_wallet(new.unlimited, new.group.as_ref())?;
        }
        Some(parent) => {
            let tree = Tree::load(store).await?;
            actor.check(&tree, Action::CreateTenant, parent)?;
            tree.check_depth(parent)?;
        }
    }
    check_plan(store, actor, new.plan.as_deref()).await?;
    Ok(store.create_tenant(new).await?)
}

/// Changes the terms of the tenant of that name.
///
/// # Errors
/// As [`create_tenant`].
pub async fn update_tenant<S: UserStore + PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    name: &str,
    change: TenantChange,
) -> UseCaseResult<Tenant> {
    let TenantChange { status, unlimited, group, plan, time_zone, limits } = change;
    let stored = find_tenant(store, name).await?;
    actor.check(&Tree::load(store).await?, Action::ChangeTenant, stored.id)?;
    let next = Tenant {
        status: status.unwrap_or(stored.status),
        unlimited: unlimited.unwrap_or(stored.unlimited),
        group: group.unwrap_or_else(|| stored.group.clone()),
        plan: plan.unwrap_or_else(|| stored.plan.clone()),
        time_zone: time_zone.unwrap_or_else(|| stored.time_zone.clone()),
        limits: limits.unwrap_or(stored.limits),
        ..stored.clone()
    };
    check_limits(&next.limits)?;
    check_word("group", next.group.as_ref())?;
    check_time_zone(&next.time_zone)?;
    if next.parent.is_none() {
        refuse_wallet(next.unlimited, next.group.as_ref())?;
    }
    if next.plan != stored.plan {
        actor.check_in_house(Action::ManageHouse)?;
        check_plan(store, actor, next.plan.as_deref()).await?;
    }
    if stored.status == Status::Revoked && next.status != Status::Revoked {
        let message = (
            format!("the tenant `{name}` was withdrawn for good; make one of another name"),
            format!("租户「{name}」已撤销，请用别的名字新建"),
        );
        return Err(UseCaseError::invalid("status", message));
    }
    if next != stored {
        store.update_tenant(&next).await?;
    }
    Ok(next)
}

/// The tenants that the actor may see, with their levels: each right after its parent.
///
/// # Errors
/// The store's.
pub async fn list_tenants<S: UserStore + ?Sized>(
    store: &S,
    actor: &Actor,
) -> UseCaseResult<Vec<(usize, Tenant)>> {
    let tree = Tree::load(store).await?;
    let seen = tree.in_order().into_iter().filter(|(_, tenant)| actor.may(&tree, Action::See, tenant.id));
    Ok(seen.map(|(level, tenant)| (level, tenant.clone())).collect())
}

/// A tenant of the house pays nobody: it has no wallet, and no group in anybody's price book.
fn refuse_wallet(unlimited: bool, group: Option<&String>) -> UseCaseResult<()> {
    let message = (
        "a tenant of the house (without a parent) buys from nobody; leave it out, or name a parent",
        "自营租户（没有上级）不向谁进货，请留空，或指定上级",
    );
    if unlimited {
        return Err(UseCaseError::invalid("unlimited", message));
    }
    match group {
        Some(_) => Err(UseCaseError::invalid("group", message)),
        None => Ok(()),
    }
}

/// A plan decides what unfinished answers cost, at every level up to the house: only the house gives one.
pub(super) async fn check_plan<S: PlanStore + ?Sized>(
    store: &S,
    actor: &Actor,
    plan: Option<&str>,
) -> UseCaseResult<()> {
    let Some(plan) = plan else { return Ok(()) };
    actor.check_in_house(Action::ManageHouse)?;
    if store.plans().await?.iter().any(|known| known.name == plan) {
        return Ok(());
    }
    Err(StoreError::NotFound { what: "plan", name: plan.to_owned() }.into())
}

/// Checks an IANA time zone's name; empty is UTC.
///
/// # Errors
/// `Invalid` with the field `time_zone`.
pub fn check_time_zone(name: &str) -> UseCaseResult<()> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"/_+-".contains(&b);
    if name.len() > 64 || !name.bytes().all(fits) || zone(name).is_none() {
        let message = (
            "write the IANA name of a time zone, such as Europe/Berlin",
            "填写 IANA 时区名，例如 Asia/Shanghai",
        );
        return Err(UseCaseError::invalid("time_zone", message));
    }
    Ok(())
}
