//! How the price of a model comes down from the provider to the user: each seller's rule, on what it pays itself,
//! times the ratio of its buyer's group.

use crate::book::Unpriced;
use crate::catalogue::Catalogue;
use crate::rates::Rates;
use crate::ratio::{Factor, Ratio};
use crate::rule::PriceRule;
use crate::snapshot::{Snapshot, times};
use burncloud_core::routing::Lane;
use burncloud_core::{Caller, ChannelId, LineKind, Route, TenantId, UnixMicros};
use std::sync::Arc;

/// One model at one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The model as callers ask for it.
    pub model: &'a str,
    /// The channel.
    pub channel: ChannelId,
    /// Its provider, by its name in the adapter registry.
    pub provider: &'a str,
    /// The model as the provider knows it.
    pub upstream_model: &'a str,
}

impl<'a> Offer<'a> {
    /// A lane's.
    #[must_use]
    pub fn of(route: &'a Route, lane: &'a Lane) -> Offer<'a> {
        Offer {
            model: &route.model,
            channel: lane.channel.id,
            provider: lane.channel.adapter.name(),
            upstream_model: &lane.upstream_model,
        }
    }
}

/// What one buyer on the way pays whom.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// `None` is the house.
    pub(crate) seller: Option<TenantId>,
    /// `None` is the user.
    pub(crate) buyer: Option<TenantId>,
    /// Whether it is posted: a tenant without a parent is a part of the house.
    pub(crate) leg: bool,
    pub(crate) rates: Arc<Rates>,
}

/// All levels, from the house's customer down to the user; none where the model has no price.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    pub(crate) levels: Vec<Level>,
    /// What the provider takes, where that is known.
    pub(crate) cost: Option<Arc<Rates>>,
    pub(crate) window: Option<u64>,
    /// Whether what the operator declared for models without a price applies.
    pub(crate) unpriced: bool,
    /// Who sells which class for less than it pays.
    pub(crate) loss: Option<(Option<TenantId>, LineKind)>,
}

/// What a lane's goods cost the house.
#[derive(Default)]
struct Goods {
    /// The buying price, where it is known.
    cost: Option<Arc<Rates>>,
    /// The provider's published price, or another's for a model of that name.
    published: Option<Arc<Rates>>,
    window: Option<u64>,
}

impl Goods {
    /// What a markup is put on.
    fn base(&self) -> Option<Arc<Rates>> {
        self.cost.as_ref().or(self.published.as_ref()).cloned()
    }

    fn published(&self) -> Option<Arc<Rates>> {
        self.published.clone()
    }
}

/// The groups of a buyer: its own, and the one it buys as.
type Groups<'a> = (Option<&'a str>, Option<&'a str>);

/// Where prices are made.
pub(crate) struct Mint<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) unpriced: &'a Unpriced,
    pub(crate) at: UnixMicros,
}

impl Mint<'_> {
    /// The levels of `offer` for `caller`. Where the offer's own provider has no price, that of the first of `others`
    /// that has one counts: it is the same model.
    pub(crate) fn levels(&self, caller: &Caller, offer: &Offer<'_>, others: &[Offer<'_>]) -> Levels {
        let goods = self.goods(offer);
        let mut levels = Levels { cost: goods.cost.clone(), window: goods.window, ..Levels::default() };
        let tenants: Vec<_> = caller.tenants().collect();
        let mut path: Vec<(Option<TenantId>, bool, Groups<'_>)> = Vec::with_capacity(tenants.len() + 1);
        for tenant in tenants.into_iter().rev() {
            let leg = tenant.parent.is_some();
            if leg || self.snapshot.has_book(tenant.id, self.at) {
                path.push((Some(tenant.id), leg, (tenant.group.as_deref(), None)));
            }
        }
        path.push((None, false, (caller.user.group.as_deref(), caller.key.group.as_deref())));
        let mut seller: Option<(TenantId, Arc<Rates>)> = None;
        // What whoever sells really pays: a tenant of the house pays nobody, whatever its book reckons with.
        let mut spent = levels.cost.clone();
        for (buyer, leg, groups) in path {
            let sold = match &seller {
                None => self.house(offer.model, &goods, others, groups, &mut levels.unpriced),
                Some((tenant, cost)) => self.resold(*tenant, offer.model, cost, groups),
            };
            let Some(rates) = sold else {
                return Levels { levels: Vec::new(), unpriced: false, loss: None, ..levels };
            };
            let from = seller.as_ref().map(|(tenant, _)| *tenant);
            if leg || buyer.is_none() {
                let cost = spent.as_ref().filter(|cost| levels.loss.is_none() && !Arc::ptr_eq(cost, &rates));
                let below = cost.and_then(|cost| rates.first_below(cost)).map(|kind| (from, kind));
                levels.loss = levels.loss.or(below);
                spent = Some(rates.clone());
            }
            if let Some(tenant) = buyer {
                seller = Some((tenant, rates.clone()));
            }
            levels.levels.push(Level { seller: from, buyer, leg, rates });
        }
        levels
    }

    fn goods(&self, offer: &Offer<'_>) -> Goods {
        let Offer { model, channel, provider, upstream_model } = *offer;
        let listed = self.catalogue.find_mapped(provider, upstream_model, model, self.at);
        let published = listed.as_ref().map(|listed| listed.rates.clone());
        let cost = match self.snapshot.buying(channel, upstream_model, self.at) {
            Some(PriceRule::List { rates, currency }) => {
                self.snapshot.listed(rates, currency.as_deref(), Ratio::ONE, self.at)
            }
            Some(PriceRule::Markup(ratio)) => {
                published.as_ref().map(|rates| times(rates, Factor::product(*ratio, Ratio::ONE)))
            }
            _ => listed.as_ref().filter(|listed| listed.own).map(|listed| listed.rates.clone()),
        };
        Goods { cost, published, window: listed.and_then(|listed| listed.context_window) }
    }

    /// What the house takes.
    fn house(
        &self,
        model: &str,
        goods: &Goods,
        others: &[Offer<'_>],
        groups: Groups<'_>,
        unpriced: &mut bool,
    ) -> Option<Arc<Rates>> {
        let ratio = self.snapshot.ratio(None, groups.0, groups.1, self.at);
        let first = |of: fn(&Goods) -> Option<Arc<Rates>>| {
            of(goods).or_else(|| others.iter().find_map(|other| of(&self.goods(other))))
        };
        let price = match self.snapshot.rule(None, model, self.at) {
            // A price in a currency that nobody can convert is none, whatever is declared for models without one.
            Some(PriceRule::List { rates, currency }) => {
                return self.snapshot.listed(rates, currency.as_deref(), ratio, self.at);
            }
            Some(PriceRule::Markup(markup)) => {
                first(Goods::base).map(|base| times(&base, Factor::product(*markup, ratio)))
            }
            _ => first(Goods::published).map(|base| times(&base, Factor::product(ratio, Ratio::ONE))),
        };
        price.or_else(|| {
            *unpriced = true;
            match self.unpriced {
                Unpriced::Refuse => None,
                Unpriced::Free => Some(Arc::default()),
                Unpriced::At(rates) => Some(times(rates, Factor::product(ratio, Ratio::ONE))),
            }
        })
    }

    /// What a tenant takes for what it pays `cost` for.
    fn resold(
        &self,
        seller: TenantId,
        model: &str,
        cost: &Arc<Rates>,
        groups: Groups<'_>,
    ) -> Option<Arc<Rates>> {
        let ratio = self.snapshot.ratio(Some(seller), groups.0, groups.1, self.at);
        match self.snapshot.rule(Some(seller), model, self.at) {
            Some(PriceRule::List { rates, currency }) => {
                self.snapshot.listed(rates, currency.as_deref(), ratio, self.at)
            }
            Some(PriceRule::Markup(markup)) => Some(times(cost, Factor::product(*markup, ratio))),
            _ => Some(times(cost, Factor::product(ratio, Ratio::ONE))),
        }
    }
}
