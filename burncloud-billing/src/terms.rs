//! By which terms a caller is served: what becomes of the money when they go away, and which budgets count it.

use crate::budgets::Rule;
use burncloud_core::{AbortPolicy, Caller, ChannelId, Plan, Scope};
use std::collections::HashMap;
use std::sync::Arc;

/// The terms of all: plans and budgets as they are now.
#[derive(Clone, Debug, Default)]
pub(crate) struct House {
    /// Increases with each change; 0 is never looked up.
    pub(crate) generation: u64,
    /// What holds where no plan says otherwise.
    pub(crate) abort: AbortPolicy,
    pub(crate) plans: HashMap<String, AbortPolicy>,
    /// Those of keys, users and tenants.
    pub(crate) people: HashMap<Scope, Vec<Arc<Rule>>>,
    pub(crate) models: HashMap<String, Vec<Arc<Rule>>>,
    pub(crate) channels: HashMap<ChannelId, Vec<Arc<Rule>>>,
}

/// The terms of one caller.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    pub(crate) generation: u64,
    pub(crate) abort: AbortPolicy,
    /// The budgets on the caller's path, with the level whose money each counts: 0 is the user's, then those of the
    /// tenants that pay a parent, from the user's own upwards.
    pub(crate) rules: Vec<(usize, Arc<Rule>)>,
}

impl House {
    pub(crate) fn set_plans(&mut self, plans: Vec<Plan>) {
        self.plans = plans.into_iter().map(|plan| (plan.name, plan.abort)).collect();
    }

    pub(crate) fn set_budgets(&mut self, rules: Vec<Arc<Rule>>) {
        (self.people, self.models, self.channels) = <_>::default();
        for rule in rules {
            let of = match &rule.budget.scope {
                Scope::Model(model) => self.models.entry(model.clone()).or_default(),
                Scope::Channel(id) => self.channels.entry(*id).or_default(),
                people => self.people.entry(people.clone()).or_default(),
            };
            of.push(rule);
        }
    }

    /// The budgets of a model.
    pub(crate) fn model(&self, model: &str) -> &[Arc<Rule>] {
        if self.models.is_empty() { &[] } else { self.models.get(model).map_or(&[], Vec::as_slice) }
    }

    /// The fuses of a channel.
    pub(crate) fn channel(&self, id: ChannelId) -> &[Arc<Rule>] {
        if self.channels.is_empty() { &[] } else { self.channels.get(&id).map_or(&[], Vec::as_slice) }
    }

    /// Looks up a caller's terms: the plan of the user, else that of the nearest tenant that has one.
    pub(crate) fn terms(&self, caller: &Caller) -> Terms {
        let named = std::iter::once(&caller.user.plan).chain(caller.tenants().map(|tenant| &tenant.plan));
        let abort = named.flatten().find_map(|name| self.plans.get(name)).copied().unwrap_or(self.abort);
        let mut rules = Vec::new();
        let mut add = |level: usize, scope: Scope| {
            let found = self.people.get(&scope).into_iter().flatten();
            rules.extend(found.map(|rule| (level, rule.clone())));
        };
        if !self.people.is_empty() {
            add(0, Scope::Key(caller.key.id));
            add(0, Scope::User(caller.user.id));
            let mut level = 0;
            for tenant in caller.tenants() {
                // The house's own money is what the level below pays.
                level += usize::from(tenant.parent.is_some());
                add(level, Scope::Tenant(tenant.id));
            }
        }
        Terms { generation: self.generation, abort, rules }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budgets::{LoadedBudget, Rules};
    use crate::tariff::Amounts;
    use crate::tests::support::{caller, under};
    use burncloud_core::{Allowance, Budget, Enforcement, Nano, Period, Spent, UnixMicros};

    #[test]
    fn each_budget_counts_the_money_of_its_level() {
        let amounts = Amounts { user: Nano(100), tenants: vec![Nano(80), Nano(70)] };
        let budget = |scope: &str| Budget {
            name: scope.into(),
            scope: Scope::parse(scope).unwrap(),
            period: Period::Total,
            allowance: Allowance::Money(Nano(1)),
            enforcement: Enforcement::Hard,
            time_zone: String::new(),
        };
        let counted = |levels: usize, scope: &str| -> Vec<i64> {
            let mut house = House::default();
            let loaded =
                LoadedBudget { budget: budget(scope), since: UnixMicros(0), spent: Spent::default() };
            house.set_budgets(Rules::default().take_over(vec![loaded], |_, _| Spent::default()));
            let terms = house.terms(&under(&caller(None, None, 0, 0), levels));
            terms.rules.iter().map(|(level, _)| amounts.level(*level).0).collect()
        };
        for (scope, money) in
            [("key:1", 100), ("user:2", 100), ("tenant:3", 80), ("tenant:4", 70), ("tenant:5", 70)]
        {
            assert_eq!(counted(2, scope), [money], "{scope}");
        }
        assert_eq!(counted(0, "tenant:3"), [100], "of the house: what its users pay");
        assert_eq!(counted(2, "tenant:6"), [0i64; 0]);
    }

    fn plan(name: &str, abort: AbortPolicy) -> Plan {
        Plan { name: name.into(), abort }
    }

    #[test]
    fn the_nearest_plan_holds() {
        let mut house = House::default();
        let drain = AbortPolicy::Reported { drain_ms: 5 };
        house.set_plans(vec![plan("kind", AbortPolicy::Nothing), plan("careful", drain)]);
        let made = |user: Option<&str>, plans: &[Option<&str>]| {
            let mut caller: Caller = under(&caller(None, None, 0, 0), plans.len() - 1);
            caller.user.plan = user.map(Into::into);
            caller.tenant.plan = plans[0].map(Into::into);
            let above = caller.ancestors.iter_mut().zip(&plans[1..]);
            above.for_each(|(tenant, plan)| tenant.plan = plan.map(Into::into));
            house.terms(&caller).abort
        };
        assert_eq!(made(None, &[None, None, None]), AbortPolicy::Delivered);
        assert_eq!(made(Some("kind"), &[Some("careful")]), AbortPolicy::Nothing, "the user's own");
        assert_eq!(made(None, &[Some("careful"), Some("kind")]), drain, "the nearest tenant's");
        assert_eq!(made(None, &[None, None, Some("kind")]), AbortPolicy::Nothing, "the house's");
        assert_eq!(made(Some("gone"), &[None, Some("careful")]), drain, "a plan that is not there is none");
    }
}
