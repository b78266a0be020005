//! What people brought in this month: one by one, and each tenant with everybody below it.

use super::books::seen;
use super::span::{Span, Window};
use super::tally::{By, Of};
use super::view::{Customer, Sight, View};
use crate::desk::common::{missing, users_of};
use crate::desk::{Desk, TenantView};
use crate::people::{Action, Actor, Tree};
use burncloud_core::store::{Dim, Step, UsageQuery, UserQuery, Who};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Nano, TenantId, UnixMicros, User, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// How many customers are named beside the tenants.
const LEADERS: usize = 8;
/// In tenants of no more users than these, all of them are summed at once.
const NEIGHBOURS: u64 = 2_000;

/// A tenant with everybody in it and below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The tenant.
    pub tenant: TenantView,
    /// Users in it and below it.
    pub users: u64,
    /// Tenants below it.
    pub below: u64,
    /// What it paid its parent this month; of a tenant of the house, and of one's own, what came in.
    pub month: Nano,
    /// What of that stays with the house; for its eyes alone.
    pub margin: Option<Nano>,
}

/// A user of one's own who brought in much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leader {
    /// Who.
    pub user: User,
    /// What they were charged this month.
    pub month: Nano,
}

/// The tenants that somebody sees, and the customers of their own who brought in most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// Each right after its parent.
    pub branches: Vec<Branch>,
    /// The first of one's own users; those below are their resellers' matter.
    pub leaders: Vec<Leader>,
}

impl Desk {
    /// What each of these users was charged this month, by the clock of whoever asks; those without a charge are left out.
    ///
    /// # Errors
    /// `Store(NotFound)` for one whose money the actor does not see; the store's.
    pub async fn charged_this_month(
        &self,
        actor: &Actor,
        users: &[UserId],
    ) -> UseCaseResult<BTreeMap<UserId, Nano>> {
        let sight = Sight::of(&*self.store, actor).await?;
        let window = Span::ThisMonth.resolve(&sight.zone, UnixMicros::now())?.now;
        let mut sums = BTreeMap::new();
        let found = users_of(&*self.store, users.iter().copied().collect()).await?;
        let mut tenants = BTreeSet::new();
        for id in users {
            let user = found.get(id).ok_or_else(|| missing("user", id))?;
            actor
                .check_user(&sight.tree, Action::See, Action::SeeOwn, user)
                .map_err(|_| missing("user", id))?;
            actor.check_user(&sight.tree, Action::SeeMoney, Action::SeeOwn, user)?;
            tenants.insert(user.tenant);
        }
        // Of few neighbours all are read in less time than each of these by itself.
        let tenants: Vec<TenantId> = tenants.into_iter().collect();
        let of_tenants = UserQuery { tenants: Some(tenants.clone()), ..UserQuery::default() };
        let few = users.len() > 1 && self.store.count_users(&of_tenants).await? <= NEIGHBOURS;
        let rows = if few {
            self.store.usage(&query(window, vec![Dim::User], Who::Tenants(tenants))).await?
        } else {
            let mut rows = Vec::new();
            for id in users {
                rows.extend(self.store.usage(&query(window, vec![Dim::User], Who::User(*id))).await?);
            }
            rows
        };
        for row in rows {
            if let Some(id) = row.user.filter(|id| found.contains_key(id) && row.charge != Nano::ZERO) {
                let sum: &mut Nano = sums.entry(id).or_default();
                *sum = sum.plus(row.charge);
            }
        }
        Ok(sums)
    }

    /// The tenants that the actor sees, with what each branch brought in this month.
    ///
    /// # Errors
    /// The store's.
    pub async fn family(&self, actor: &Actor) -> UseCaseResult<Family> {
        let sight = Sight::of(&*self.store, actor).await?;
        if matches!(sight.view, View::EndUser(_)) {
            return Ok(Family::default());
        }
        let window = Span::ThisMonth.resolve(&sight.zone, UnixMicros::now())?.now;
        let tenants = self.tenants(actor).await?;
        let ids: Vec<TenantId> = tenants.iter().map(|view| view.tenant.id).collect();
        let paid = self.store.paid(&ids, window.since, window.until, Step::Whole).await?;
        let mut month: BTreeMap<TenantId, Nano> = paid.iter().map(|row| (row.tenant, row.money)).collect();
        if let View::Reseller(own) = sight.view {
            let sums = self.sums(actor, Span::ThisMonth).await?;
            month.insert(own, sums.revenue.unwrap_or_default());
        }
        let margins = if sight.is_house() { Some(self.margins(&sight, window).await?) } else { None };
        let branch = |view: &TenantView| {
            let id = view.tenant.id;
            let within = |of: TenantId| sight.tree.path(of).any(|above| above.id == id);
            let inside: Vec<&TenantView> = tenants.iter().filter(|other| within(other.tenant.id)).collect();
            let sum = |all: &BTreeMap<TenantId, Nano>| {
                all.iter().filter(|(of, _)| within(**of)).fold(Nano::ZERO, |sum, (_, more)| sum.plus(*more))
            };
            Branch {
                users: inside.iter().map(|other| other.users).sum(),
                below: u64::try_from(inside.len().saturating_sub(1)).unwrap_or_default(),
                month: month.get(&id).copied().unwrap_or_default(),
                margin: margins.as_ref().map(sum),
                tenant: view.clone(),
            }
        };
        let branches = tenants.iter().map(branch).collect();
        Ok(Family { branches, leaders: self.leaders(actor, &sight.tree).await? })
    }

    /// What stays of what the users of each tenant brought in.
    async fn margins(&self, sight: &Sight, window: Window) -> UseCaseResult<BTreeMap<TenantId, Nano>> {
        let rows = self.store.usage(&query(window, vec![Dim::Tenant], sight.who())).await?;
        let mut sums: BTreeMap<TenantId, Nano> = BTreeMap::new();
        for row in rows {
            let sum = sums.entry(row.tenant.unwrap_or_default()).or_default();
            *sum = sum.plus(row.revenue).minus(row.cost);
        }
        Ok(sums)
    }

    async fn leaders(&self, actor: &Actor, tree: &Tree) -> UseCaseResult<Vec<Leader>> {
        let seen = seen(&*self.store, actor, Span::ThisMonth, By::Customer, UnixMicros::now()).await?;
        let mut leaders = Vec::new();
        for slice in seen.leaders {
            let Of::Customer(Customer::User(id)) = slice.of else { continue };
            if leaders.len() < LEADERS
                && let Ok(user) = self.seen_user(actor, tree, id).await
            {
                leaders.push(Leader { user, month: slice.sums.charge });
            }
        }
        Ok(leaders)
    }
}

fn query(window: Window, by: Vec<Dim>, who: Who) -> UsageQuery {
    let (channel, model) = (None, None);
    UsageQuery { since: window.since, until: window.until, step: Step::Whole, by, who, channel, model }
}
