//! What operators do with prices.

use crate::book::PriceBook;
use crate::error::BillingError;
use crate::ladder::{Level, Offer};
use crate::rates::{Rates, RatesError};
use crate::rule::check_rule;
use crate::snapshot::Snapshot;
use burncloud_core::store::{PriceOverride, PriceStore};
use burncloud_core::usecase::Said;
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
/// [`BillingError::Price`] that names the version of the rule at fault and how to go on, [`BillingError::Store`]; the
/// book is then as it was.
pub async fn reload_prices<S: PriceStore + ?Sized>(store: &S, book: &PriceBook) -> Result<(), BillingError> {
    let rules = store.prices().await?;
    let Some((at, source)) = find_fault(&rules) else { return book.set_overrides(rules) };
    let PriceOverride { version, model, effective_at, .. } = &rules[at];
    let mend = if source.field == "currency" {
        "An exchange rate for it that holds from that moment on or earlier mends it (`prices fx`)"
    } else {
        "It was written by another version of this program: run that one, or take the row out of the store"
    };
    let RatesError { field, message } = source;
    let message = Said::plain(format!(
        "{message}. It is the stored price of version {version}, in force from {} on (microseconds since 1970). {mend}; no \
         stored price is read until then",
        effective_at.0
    ));
    Err(BillingError::Price { model: model.clone(), source: RatesError { field, message } })
}

/// The first of these rules that keeps all of them from being taken into a book, and why: its place in the list.
#[must_use]
pub fn find_fault(rules: &[PriceOverride]) -> Option<(usize, RatesError)> {
    if Snapshot::new(rules.to_vec()).is_ok() {
        return None;
    }
    // A rule may need the exchange rates, which stand in the rows for whole books; those need nothing.
    let settings: Vec<&PriceOverride> = rules
        .iter()
        .filter(|rule| rule.model.is_empty())
        .filter(|rule| check_rule(rule.book, rule.channel, &rule.model, &rule.rates).is_ok())
        .collect();
    rules.iter().enumerate().find_map(|(at, rule)| {
        let one = settings.iter().copied().chain([rule]).cloned().collect();
        match Snapshot::new(one) {
            Err(BillingError::Price { source, .. }) => Some((at, source)),
            _ => None,
        }
    })
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

    #[tokio::test]
    async fn a_stored_rule_that_cannot_be_read_is_named_with_what_mends_it() {
        let (store, book) = (MockStore::default(), PriceBook::new());
        store.add_price(rule(None, "fine", 0, json!({"input": "1"}))).await.unwrap();
        store.add_price(rule(None, "m", 7, json!({"input": "7", "currency": "CNY"}))).await.unwrap();
        let before = book.version();
        let text = reload_prices(&store, &book).await.unwrap_err().to_string();
        for part in ["price of `m`", "`currency`", "version 2", "from 7 on", "prices fx"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(book.version(), before);
        set_price(&store, &book, rule(None, "", 7, json!({"fx": {"CNY": "7"}}))).await.unwrap();
        reload_prices(&store, &book).await.unwrap();
        let odd = [rule(None, "m", 0, json!({"input": "1"})), rule(None, "", 0, json!({"no": 1}))];
        assert_eq!(find_fault(&odd).map(|(at, _)| at), Some(1), "a row for a whole book");
    }
}
