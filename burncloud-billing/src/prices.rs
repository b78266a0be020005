//! What operators do with prices.

use crate::book::PriceBook;
use crate::error::BillingError;
use crate::ladder::{Level, Offer};
use crate::rates::Rates;
use crate::rule::check_rule;
use crate::snapshot::Snapshot;
use burncloud_core::store::{PriceOverride, PriceStore};
use burncloud_core::{Caller, LineKind, ServiceTier, TenantId, UnixMicros};
use std::sync::Arc;

/// Adds a rule to the store and puts it into the book. Returns its version (the one given is ignored). A rule is never
/// changed, only superseded. [`PriceRule`](crate::PriceRule) says what rules look like.
///
/// # Errors
/// [`BillingError::Price`] with the field at fault, before anything is stored; [`BillingError::Store`].
pub async fn set_price<S: PriceStore + ?Sized>(
    store: &S,
    book: &PriceBook,
    rule: PriceOverride,
) -> Result<u64, BillingError> {
    check_rule(rule.book, rule.channel, &rule.model, &rule.rates)
        .map_err(|source| BillingError::Price { model: rule.model.clone(), source })?;
    let mut all = store.prices().await?;
    all.push(PriceOverride { version: u64::MAX, ..rule.clone() });
    Snapshot::new(all)?;
    let version = store.add_price(rule).await?;
    reload_prices(store, book).await?;
    Ok(version)
}

/// Reads all rules from the store into the book.
///
/// # Errors
/// As [`set_price`]; the book is then as it was.
pub async fn reload_prices<S: PriceStore + ?Sized>(store: &S, book: &PriceBook) -> Result<(), BillingError> {
    book.set_overrides(store.prices().await?)
}

/// Who pays what for a model at a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The version of the book.
    pub version: u64,
    /// Before when it holds, unless the book is changed; `None` without an end.
    pub until: Option<UnixMicros>,
    /// What the provider takes, where that is known.
    pub cost: Option<Arc<Rates>>,
    /// From the house's customer down to the user. Empty where the model has no price, so that it is refused.
    pub levels: Vec<QuoteLevel>,
    /// Whether what the operator declared for models without a price applies.
    pub unpriced: bool,
    /// The class that is sold below its cost, and by whom (`None` is the house); the highest such level's.
    pub loss: Option<(Option<TenantId>, LineKind)>,
}

/// What one buyer pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteLevel {
    /// Who sells; `None` is the house.
    pub seller: Option<TenantId>,
    /// Who buys; `None` is the user.
    pub buyer: Option<TenantId>,
    /// Whether it is paid from a wallet; a tenant without a parent is a part of the house, so that its own price is only
    /// what its book is built on.
    pub paid: bool,
    /// The prices.
    pub rates: Arc<Rates>,
}

impl Quote {
    /// The user's prices.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<Rates>> {
        self.levels.last().map(|level| &level.rates)
    }

    /// The classes with a price at any level or a cost, each with its cost and its price at each level, at the standard
    /// tier and the smallest context: nano-dollars per million units.
    #[must_use]
    pub fn table(&self) -> Vec<(LineKind, Option<burncloud_core::Nano>, Vec<burncloud_core::Nano>)> {
        let price = |rates: &Arc<Rates>, kind| rates.prices(ServiceTier::Standard, 0).get(kind);
        let row = |kind| {
            let cost = self.cost.as_ref().map(|rates| price(rates, kind));
            let levels: Vec<_> = self.levels.iter().map(|level| price(&level.rates, kind)).collect();
            let any = cost.iter().chain(&levels).any(|price| price.0 != 0);
            any.then_some((kind, cost, levels))
        };
        crate::rates::KINDS.into_iter().filter_map(row).collect()
    }
}

/// What `caller` and those above pay for what is offered. Where the offer's own provider has no price for the model, the
/// first of `others` counts that has one, as among the lanes of a route.
#[must_use]
pub fn quote(
    book: &PriceBook,
    caller: &Caller,
    offer: &Offer<'_>,
    others: &[Offer<'_>],
    at: UnixMicros,
) -> Quote {
    book.with_mint(at, |mint| {
        let found = mint.levels(caller, offer, others);
        let (_, until) = mint.snapshot.holds(at);
        let level = |level: Level| {
            let Level { seller, buyer, leg, rates } = level;
            QuoteLevel { seller, buyer, paid: leg || buyer.is_none(), rates }
        };
        Quote {
            version: mint.snapshot.version,
            until: (until.0 != i64::MAX).then_some(until),
            cost: found.cost,
            levels: found.levels.into_iter().map(level).collect(),
            unpriced: found.unpriced,
            loss: found.loss,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::support::{MockStore, rule};
    use serde_json::json;

    #[tokio::test]
    async fn a_rule_is_checked_then_stored_then_in_force() {
        let (store, book) = (MockStore::default(), PriceBook::new());
        let set = |model, json| set_price(&store, &book, rule(None, model, 7, json));
        let refused = set("m", json!({"input": "-1"})).await.unwrap_err();
        assert_eq!(refused.to_string(), "price of `m`: `input`: a price is not negative");
        let refused = set("m", json!({"input": "7", "currency": "CNY"})).await.unwrap_err();
        assert!(
            refused.to_string().starts_with("price of `m`: `currency`: no rate of exchange for CNY"),
            "{refused}"
        );
        assert!(store.prices().await.unwrap().is_empty());
        assert_eq!(set("", json!({"fx": {"CNY": "7"}})).await.unwrap(), 1);
        assert_eq!(set("m", json!({"input": "7", "currency": "CNY"})).await.unwrap(), 2);
        assert_eq!(book.version(), 3);
        let refused =
            set_price(&store, &book, rule(None, "m", 6, json!({"input": "7", "currency": "CNY"}))).await;
        assert!(refused.is_err(), "the rate is not in force that early");
    }
}
