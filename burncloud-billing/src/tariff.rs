//! What an answer costs at each level of a caller's path: what the user pays their tenant, what each tenant pays its
//! parent, and what the provider takes from the house.

use crate::book::PriceBook;
use crate::rates::Rates;
use burncloud_core::routing::Lane;
use burncloud_core::{Caller, Nano, Route, UnixMicros};
use std::sync::Arc;

/// Amounts of one request by level: the user's, and those of the tenants with a parent, from the user's own upwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub(crate) user: Nano,
    pub(crate) tenants: Vec<Nano>,
}

impl Amounts {
    /// The larger one at each level.
    pub(crate) fn max(mut self, other: &Amounts) -> Amounts {
        self.user = self.user.max(other.user);
        let levels = self.tenants.len().max(other.tenants.len());
        self.tenants.resize(levels, Nano::ZERO);
        self.tenants.iter_mut().zip(&other.tenants).for_each(|(a, b)| *a = (*a).max(*b));
        self
    }

    /// The amount at a level: 0 is the user's; beyond the levels that pay, what the highest of them does.
    pub(crate) fn level(&self, level: usize) -> Nano {
        let paid = self.tenants.get(..level).unwrap_or(&self.tenants).last();
        paid.copied().unwrap_or(self.user)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.user == Nano::ZERO && self.tenants.iter().all(|amount| *amount == Nano::ZERO)
    }
}

/// The rates at each level for one model on one lane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladder {
    /// What the user pays; `None` where the model has no price.
    pub(crate) user: Option<Arc<Rates>>,
    /// What each tenant with a parent pays that parent, from the user's own upwards.
    pub(crate) tenants: Vec<Arc<Rates>>,
    /// What the provider takes, where that is known.
    pub(crate) cost: Option<Arc<Rates>>,
    /// How many tokens go in and out together, where that is known.
    pub(crate) window: Option<u64>,
    /// Of the book.
    pub(crate) version: u64,
}

impl PriceBook {
    /// What `caller` and those above pay for `route`'s model when `lane` serves it.
    pub(crate) fn ladder<R>(
        &self,
        _caller: &Caller,
        route: &Route,
        lane: &Lane,
        at: UnixMicros,
        of: impl FnOnce(&Ladder) -> R,
    ) -> R {
        let listed = self.of_lane(route, lane, at, |listed| listed.cloned());
        let (set, version) = self.of_route(route, |prices| (prices.at(at).cloned(), prices.version));
        let cost = listed.as_ref().filter(|listed| listed.own).map(|listed| listed.rates.clone());
        let window = listed.as_ref().and_then(|listed| listed.context_window);
        let user = set.or(listed.map(|listed| listed.rates));
        of(&Ladder { user, tenants: Vec::new(), cost, window, version })
    }
}
