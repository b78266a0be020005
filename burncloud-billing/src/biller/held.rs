//! What a [`Hold`] of ours holds beside the user's own money.

use crate::budgets::{self, Alerts, Rule};
use crate::tariff::Amounts;
use burncloud_core::billing::Hold;
use burncloud_core::routing::Candidate;
use burncloud_core::{ChannelId, Scope, Spent, UnixMicros};
use std::sync::Arc;

/// Beside the user's own money: what is held at budgets, in money of a level each, and what it takes to hold at channels.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) amounts: Amounts,
    pub(super) rules: Vec<AtRule>,
    /// At the budgets of the channel of the current attempt.
    pub(super) fuses: Vec<AtRule>,
    /// What each candidate that has fuses may take at most.
    pub(super) costs: Vec<(Candidate, Spent)>,
    /// The channels that would sell it below its cost.
    pub(super) blocked: Vec<ChannelId>,
}

/// A hold at a budget.
#[derive(Debug)]
pub(super) struct AtRule {
    pub(super) level: usize,
    pub(super) rule: Arc<Rule>,
    pub(super) held: budgets::Held,
}

impl Held {
    /// Whether the hold's own number says it all.
    pub(super) fn is_plain(&self) -> bool {
        let Held { amounts, rules, costs, blocked, .. } = self;
        amounts.tenants.is_empty() && rules.is_empty() && costs.is_empty() && blocked.is_empty()
    }

    pub(super) fn find(hold: &Hold) -> Option<&Held> {
        hold.state.as_ref()?.downcast_ref()
    }

    /// Takes what a hold holds out of it.
    pub(super) fn of(hold: Hold) -> Held {
        let plain = Amounts { user: hold.reserved, tenants: Vec::new() };
        let state = hold.state.and_then(|state| state.downcast::<Held>().ok());
        state.map_or_else(|| Held { amounts: plain, ..Held::default() }, |held| *held)
    }

    /// Takes the holds at budgets back.
    pub(super) fn release(&mut self) {
        release(&mut self.rules);
        release(&mut self.fuses);
    }

    /// Puts what was used in the place of what is held at budgets: money by level, the provider's at the channel that
    /// served.
    pub(super) fn settle(
        &mut self,
        charged: &Amounts,
        served: Option<ChannelId>,
        cost: Spent,
        alerts: &Alerts,
    ) {
        for AtRule { level, rule, held } in self.rules.drain(..) {
            rule.settle(held, Spent { money: charged.level(level), ..cost }, alerts);
        }
        let served = served.map(Scope::Channel);
        for AtRule { rule, held, .. } in self.fuses.drain(..) {
            if served.as_ref() == Some(&rule.budget.scope) {
                rule.settle(held, cost, alerts);
            } else {
                rule.counter.release(held);
            }
        }
    }
}

pub(super) fn release(at: &mut Vec<AtRule>) {
    at.drain(..).for_each(|AtRule { rule, held, .. }| rule.counter.release(held));
}

/// Holds at all of these, or at none: then what was refused is said.
pub(super) fn hold_all<'a>(
    rules: impl Iterator<Item = (usize, &'a Arc<Rule>)>,
    of: impl Fn(usize) -> Spent,
    at: UnixMicros,
) -> Result<Vec<AtRule>, (Arc<Rule>, budgets::Refused)> {
    let mut all = Vec::new();
    for (level, rule) in rules {
        match rule.hold(of(level), at) {
            Ok(held) => all.push(AtRule { level, rule: rule.clone(), held }),
            Err(refused) => {
                release(&mut all);
                return Err((rule.clone(), refused));
            }
        }
    }
    Ok(all)
}
