//! Budgets, spending, plans and alerts in memory.

use super::{MemoryStore, missing};
use crate::store::{AlertStore, BudgetStore, PlanStore, SpendingStore, StoreError, StoreResult};
use crate::{Alert, Budget, Plan, QUARTER_US, Receipt, Scope, Spent, UnixMicros, spending};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many alerts are kept.
const ALERTS: usize = 10_000;

#[derive(Default)]
pub(super) struct Budgets {
    budgets: BTreeMap<String, Budget>,
    plans: BTreeMap<String, Plan>,
    alerts: VecDeque<Alert>,
    spent: HashMap<Scope, BTreeMap<i64, Spent>>,
}

impl Budgets {
    /// Adds a new receipt to the sums.
    pub(super) fn note(&mut self, receipt: &Receipt) {
        let quarter = receipt.at.0.div_euclid(QUARTER_US);
        for (scope, more) in spending(receipt) {
            let sum = self.spent.entry(scope).or_default().entry(quarter).or_default();
            *sum = sum.plus(more);
        }
    }
}

fn check_name(name: &str) -> StoreResult<()> {
    let fits = (1..=255).contains(&name.len());
    if fits { Ok(()) } else { Err(StoreError::Invalid("a name has 1 to 255 bytes".into())) }
}

#[async_trait]
impl BudgetStore for MemoryStore {
    async fn set_budget(&self, budget: &Budget) -> StoreResult<()> {
        check_name(&budget.name)?;
        self.state.write().budgets.budgets.insert(budget.name.clone(), budget.clone());
        Ok(())
    }

    async fn budgets(&self) -> StoreResult<Vec<Budget>> {
        Ok(self.state.read().budgets.budgets.values().cloned().collect())
    }

    async fn delete_budget(&self, name: &str) -> StoreResult<()> {
        let gone = self.state.write().budgets.budgets.remove(name);
        gone.map(drop).ok_or_else(|| missing("budget", name))
    }
}

#[async_trait]
impl SpendingStore for MemoryStore {
    async fn spent(&self, scope: &Scope, since: UnixMicros) -> StoreResult<Spent> {
        let state = self.state.read();
        let Some(quarters) = state.budgets.spent.get(scope) else { return Ok(Spent::default()) };
        let since = quarters.range(since.0.div_euclid(QUARTER_US)..);
        Ok(since.fold(Spent::default(), |sum, (_, more)| sum.plus(*more)))
    }
}

#[async_trait]
impl PlanStore for MemoryStore {
    async fn set_plan(&self, plan: &Plan) -> StoreResult<()> {
        check_name(&plan.name)?;
        self.state.write().budgets.plans.insert(plan.name.clone(), plan.clone());
        Ok(())
    }

    async fn plans(&self) -> StoreResult<Vec<Plan>> {
        Ok(self.state.read().budgets.plans.values().cloned().collect())
    }
}

#[async_trait]
impl AlertStore for MemoryStore {
    async fn add_alert(&self, alert: &Alert) -> StoreResult<()> {
        let alerts = &mut self.state.write().budgets.alerts;
        alerts.push_front(alert.clone());
        alerts.truncate(ALERTS);
        Ok(())
    }

    async fn alerts(&self, limit: u32) -> StoreResult<Vec<Alert>> {
        Ok(self.state.read().budgets.alerts.iter().take(limit as usize).cloned().collect())
    }
}
