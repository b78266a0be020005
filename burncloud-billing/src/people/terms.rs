//! Budgets and plans, as far as it matters who sets them.

use super::actor::Actor;
use super::roles::Action;
use super::tenants::check_time_zone;
use super::tree::Tree;
use burncloud_core::store::{BudgetStore, KeyStore, PlanStore, StoreError, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult, check_name};
use burncloud_core::{Allowance, Budget, Nano, Plan, Scope, TenantId, UserId};

/// Makes a budget, or replaces the one of its name.
///
/// # Errors
/// `Invalid` for a field that breaks a rule, `Forbidden` for this budget or the one it replaces, and the store's.
pub async fn set_budget<S: BudgetStore + UserStore + KeyStore + ?Sized>(
    store: &S,
    actor: &Actor,
    budget: &Budget,
) -> UseCaseResult<()> {
    check_budget(store, actor, budget).await?;
    Ok(store.set_budget(budget).await?)
}

/// Whether the actor may set that budget, or remove it: it and the one that it replaces.
pub(crate) async fn check_budget<S: BudgetStore + UserStore + KeyStore + ?Sized>(
    store: &S,
    actor: &Actor,
    budget: &Budget,
) -> UseCaseResult<()> {
    check_name(&budget.name)?;
    check_time_zone(&budget.time_zone)?;
    let nothing = match budget.allowance {
        Allowance::Money(amount) => amount < Nano::ZERO,
        Allowance::Tokens(_) => false,
    };
    if nothing {
        return Err(UseCaseError::invalid("allowance", ("a budget is not negative", "预算不能为负")));
    }
    let tree = Tree::load(store).await?;
    check_scope(store, actor, &tree, &budget.scope).await?;
    if let Some(replaced) = budget_by_name(store, &budget.name).await? {
        check_scope(store, actor, &tree, &replaced.scope).await?;
    }
    Ok(())
}

/// Removes the budget of that name.
///
/// # Errors
/// `Store(NotFound)`, `Forbidden`.
pub async fn delete_budget<S: BudgetStore + UserStore + KeyStore + ?Sized>(
    store: &S,
    actor: &Actor,
    name: &str,
) -> UseCaseResult<()> {
    let found = budget_by_name(store, name).await?;
    let budget = found.ok_or_else(|| StoreError::NotFound { what: "budget", name: name.to_owned() })?;
    check_scope(store, actor, &Tree::load(store).await?, &budget.scope).await?;
    Ok(store.delete_budget(name).await?)
}

/// The budgets of those whom the actor may see, and of itself.
///
/// # Errors
/// The store's.
pub async fn list_budgets<S: BudgetStore + UserStore + KeyStore + ?Sized>(
    store: &S,
    actor: &Actor,
) -> UseCaseResult<Vec<Budget>> {
    let tree = Tree::load(store).await?;
    let mut seen = Vec::new();
    for budget in store.budgets().await? {
        let may = match holder(store, &budget.scope).await? {
            Holder::House => actor.may_in_house(Action::ManageHouse),
            Holder::Tenant(id) => actor.may(&tree, Action::See, id),
            Holder::User(user, tenant) => actor.user == Some(user) || actor.may(&tree, Action::See, tenant),
        };
        if may {
            seen.push(budget);
        }
    }
    Ok(seen)
}

/// Makes a plan, or replaces the one of its name. Whoever has it is charged by it from then on.
///
/// # Errors
/// `Invalid` for a field that breaks a rule, `Forbidden`, and the store's.
pub async fn set_plan<S: PlanStore + ?Sized>(store: &S, actor: &Actor, plan: &Plan) -> UseCaseResult<()> {
    check_name(&plan.name)?;
    actor.check_in_house(Action::ManageHouse)?;
    if plan.abort.drain().is_some_and(|drain| drain > MAX_DRAIN) {
        return Err(UseCaseError::invalid(
            "drain_ms",
            ("an answer is read on for ten minutes at most (600000)", "应答最多再读十分钟（600000）"),
        ));
    }
    Ok(store.set_plan(plan).await?)
}

const MAX_DRAIN: std::time::Duration = std::time::Duration::from_secs(600);

async fn budget_by_name<S: BudgetStore + ?Sized>(store: &S, name: &str) -> UseCaseResult<Option<Budget>> {
    Ok(store.budgets().await?.into_iter().find(|budget| budget.name == name))
}

/// Whom a budget holds.
enum Holder {
    House,
    Tenant(TenantId),
    User(UserId, TenantId),
}

async fn holder<S: UserStore + KeyStore + ?Sized>(store: &S, scope: &Scope) -> UseCaseResult<Holder> {
    let user = match scope {
        Scope::Channel(_) | Scope::Model(_) => return Ok(Holder::House),
        Scope::Tenant(id) => return Ok(Holder::Tenant(*id)),
        Scope::User(id) => Some(*id),
        Scope::Key(id) => store.key(*id).await?.map(|key| key.user),
    };
    // What was withdrawn is nobody's but the house's to tidy up.
    let user = match user {
        Some(id) => store.user(id).await?,
        None => None,
    };
    Ok(user.map_or(Holder::House, |user| Holder::User(user.id, user.tenant)))
}

async fn check_scope<S: UserStore + KeyStore + ?Sized>(
    store: &S,
    actor: &Actor,
    tree: &Tree,
    scope: &Scope,
) -> UseCaseResult<()> {
    match holder(store, scope).await? {
        Holder::House => actor.check_in_house(Action::ManageHouse),
        Holder::Tenant(id) => actor.check(tree, Action::ChangeTenant, id),
        Holder::User(_, tenant) => actor.check(tree, Action::ManageUsers, tenant),
    }
}
