//! Budgets and plans, as the console handles them.

use super::audit::Change;
use super::common::{check_version, json, missing, version_of};
use super::{Actor, Desk};
use crate::people;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{
    AbortPolicy, Allowance, Budget, Enforcement, Nano, Period, Plan, Scope, TenantId, UnixMicros,
};
use serde::{Deserialize, Serialize};

/// A budget as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetView {
    /// As it is stored.
    #[serde(flatten)]
    pub budget: Budget,
    /// When the span of time began that it counts in.
    pub since: UnixMicros,
    /// What was spent in that, in nano-dollars, as far as receipts were recorded.
    pub spent_money: Nano,
    /// What was spent in that, in tokens.
    pub spent_tokens: u64,
    /// Which form of it this is; spending does not count.
    pub version: String,
}

/// A budget to be made, or to take the place of the one of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetDraft {
    /// Its name; unique.
    pub name: String,
    /// Whose spending.
    pub scope: Scope,
    /// In which time.
    pub period: Period,
    /// How much.
    pub allowance: Allowance,
    /// And then.
    #[serde(default)]
    pub enforcement: Enforcement,
    /// IANA name of the time zone whose clock it goes by; empty is that of the tenant it is about, or UTC.
    #[serde(default)]
    pub time_zone: String,
}

/// A plan as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanView {
    /// As it is stored.
    #[serde(flatten)]
    pub plan: Plan,
    /// Which form of it this is.
    pub version: String,
}

/// A plan to be made, or to take the place of the one of its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanDraft {
    /// Its name; unique.
    pub name: String,
    /// What is charged for answers that are not finished.
    pub abort: AbortPolicy,
}

impl Desk {
    /// The budgets of those whom the actor sees, and its own, with what was spent.
    ///
    /// # Errors
    /// The store's.
    pub async fn budgets(&self, actor: &Actor) -> UseCaseResult<Vec<BudgetView>> {
        let mut all = Vec::new();
        for budget in people::list_budgets(&*self.store, actor).await? {
            all.push(self.budget_view(budget).await?);
        }
        Ok(all)
    }

    /// Makes a budget, or replaces the one of its name.
    ///
    /// # Errors
    /// Those of [`people::set_budget`]; `Changed` where it is not the `expected` version; `Store(NotFound)` for somebody whom
    /// the actor does not see; `Store(Conflict)` for the name of a budget that it does not see.
    pub async fn set_budget(
        &self,
        actor: &Actor,
        draft: BudgetDraft,
        expected: Option<&str>,
    ) -> UseCaseResult<BudgetView> {
        let _one_at_a_time = self.writing.lock().await;
        let BudgetDraft { name, scope, period, allowance, enforcement, mut time_zone } = draft;
        let tenant = self.tenant_of(actor, &scope).await?;
        if time_zone.is_empty() {
            let tree = self.tree().await?;
            time_zone = tree.get(tenant).map(|tenant| tenant.time_zone.clone()).unwrap_or_default();
        }
        let budget = Budget { name, scope, period, allowance, enforcement, time_zone };
        let old = self.store.budgets().await?.into_iter().find(|old| old.name == budget.name);
        if old.is_some() && self.seen_budget(actor, &budget.name).await?.is_none() {
            let name = budget.name;
            return Err(StoreError::Conflict { what: "budget", name }.into());
        }
        let is = old.as_ref().map(version_of).unwrap_or_default();
        people::check_budget(&*self.store, actor, &budget).await?;
        check_version("budget", &budget.name, expected, &is)?;
        people::set_budget(&*self.store, actor, &budget).await?;
        if old.as_ref() != Some(&budget) {
            self.note(actor, change("budget.set", tenant, old.as_ref(), Some(&budget))).await?;
        }
        self.budget_view(budget).await
    }

    /// Removes a budget.
    ///
    /// # Errors
    /// As [`Desk::set_budget`]; `Store(NotFound)`.
    pub async fn delete_budget(
        &self,
        actor: &Actor,
        name: &str,
        expected: Option<&str>,
    ) -> UseCaseResult<()> {
        let _one_at_a_time = self.writing.lock().await;
        let old = self.seen_budget(actor, name).await?.ok_or_else(|| missing("budget", name))?;
        people::check_budget(&*self.store, actor, &old).await?;
        check_version("budget", name, expected, &version_of(&old))?;
        let tenant = self.tenant_of(actor, &old.scope).await.unwrap_or(actor.tenant);
        people::delete_budget(&*self.store, actor, name).await?;
        self.note(actor, change("budget.delete", tenant, Some(&old), None)).await
    }

    /// The plans. Whoever changes users' or tenants' terms sees what they have by name; what plans say is the house's.
    ///
    /// # Errors
    /// `Forbidden` for all but the house's owners and administrators; the store's.
    pub async fn plans(&self, actor: &Actor) -> UseCaseResult<Vec<PlanView>> {
        actor.check_in_house(people::Action::ManageHouse)?;
        let view = |plan: Plan| PlanView { version: version_of(&plan), plan };
        Ok(self.store.plans().await?.into_iter().map(view).collect())
    }

    /// Makes a plan, or replaces the one of its name: whoever has it is charged by it from then on.
    ///
    /// # Errors
    /// Those of [`people::set_plan`]; `Changed` where it is not the `expected` version.
    pub async fn set_plan(
        &self,
        actor: &Actor,
        draft: PlanDraft,
        expected: Option<&str>,
    ) -> UseCaseResult<PlanView> {
        let _one_at_a_time = self.writing.lock().await;
        actor.check_in_house(people::Action::ManageHouse)?;
        let plan = Plan { name: draft.name, abort: draft.abort };
        let old = self.store.plans().await?.into_iter().find(|old| old.name == plan.name);
        let is = old.as_ref().map(version_of).unwrap_or_default();
        check_version("plan", &plan.name, expected, &is)?;
        people::set_plan(&*self.store, actor, &plan).await?;
        if old.as_ref() != Some(&plan) {
            let change = Change {
                action: "plan.set",
                subject: format!("plan:{}", plan.name),
                name: plan.name.clone(),
                tenant: actor.tenant,
                before: json(&old),
                after: json(&plan),
            };
            self.note(actor, change).await?;
        }
        Ok(PlanView { version: version_of(&plan), plan })
    }

    async fn seen_budget(&self, actor: &Actor, name: &str) -> UseCaseResult<Option<Budget>> {
        let seen = people::list_budgets(&*self.store, actor).await?;
        Ok(seen.into_iter().find(|budget| budget.name == name))
    }

    /// The tenant that a budget concerns; the actor's own for what is the house's.
    async fn tenant_of(&self, actor: &Actor, scope: &Scope) -> UseCaseResult<TenantId> {
        let tree = self.tree().await?;
        Ok(match scope {
            Scope::Channel(_) | Scope::Model(_) => actor.tenant,
            Scope::Tenant(id) => super::common::seen_tenant(actor, &tree, *id)?.id,
            Scope::User(id) => self.seen_user(actor, &tree, *id).await?.tenant,
            Scope::Key(id) => self.seen_key(actor, &tree, *id).await?.1.tenant,
        })
    }

    pub(super) async fn budget_view(&self, budget: Budget) -> UseCaseResult<BudgetView> {
        let since = crate::budgets::window_start(&budget, UnixMicros::now());
        let spent = self.store.spent(&budget.scope, since).await?;
        Ok(BudgetView {
            version: version_of(&budget),
            since,
            spent_money: spent.money,
            spent_tokens: spent.tokens,
            budget,
        })
    }
}

fn change(action: &'static str, tenant: TenantId, before: Option<&Budget>, after: Option<&Budget>) -> Change {
    let name = after.or(before).map(|budget| budget.name.clone()).unwrap_or_default();
    let subject = format!("budget:{name}");
    Change { action, subject, name, tenant, before: json(&before), after: json(&after) }
}
