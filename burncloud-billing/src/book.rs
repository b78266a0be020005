//! The price book: what operators and resellers set, else what is published.

use crate::catalogue::Catalogue;
use crate::error::BillingError;
use crate::ladder::Mint;
use crate::rates::Rates;
use crate::snapshot::Snapshot;
use arc_swap::ArcSwap;
use burncloud_core::UnixMicros;
use burncloud_core::store::PriceOverride;
use genai_prices::Calculator;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What becomes of a request for a model that has no price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unpriced {
    /// It is refused with 403 `model_not_priced`, whoever asks.
    #[default]
    Refuse,
    /// It is served, and the house takes nothing for it.
    Free,
    /// The house takes this for it.
    At(Arc<Rates>),
}

/// Effective-dated prices of the house and of every tenant that sells; shared behind an [`Arc`] and changed in place.
///
/// A request's price comes down from the provider to the user, level by level. Each seller has a
/// [rule](crate::PriceRule) for the model *as asked*, or one for `*`: of several the newest counts that is in force when
/// the request arrives (the last one set, of two from the same moment). The house without a rule takes the published
/// price of the model *as served*, a tenant what it pays itself. That times the ratio of the buyer's group is the
/// buyer's price, rounded once. The provider takes what the channel's buying rule says, else its published price.
pub struct PriceBook {
    catalogue: Catalogue,
    snapshot: ArcSwap<Snapshot>,
    /// What the snapshot is made of.
    overrides: Mutex<Vec<PriceOverride>>,
    unpriced: ArcSwap<Unpriced>,
    /// Never the same for two states of two books, so that one number tells whether a slot is up to date.
    generation: AtomicU64,
    /// The half hour whose published prices are known.
    refreshed: Mutex<i64>,
}

fn next_generation() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// How often published prices are read again, in microseconds; some change on the half hour.
const REFRESH: i64 = 30 * 60 * 1_000_000;

impl PriceBook {
    /// The published prices alone.
    #[must_use]
    pub fn new() -> PriceBook {
        PriceBook {
            catalogue: Catalogue::new(),
            snapshot: ArcSwap::from_pointee(Snapshot::empty()),
            overrides: Mutex::default(),
            unpriced: ArcSwap::default(),
            generation: AtomicU64::new(next_generation()),
            refreshed: Mutex::new(UnixMicros::now().0.div_euclid(REFRESH)),
        }
    }

    /// Replaces all rules by these. Requests under way keep the price of the moment they arrived at.
    ///
    /// # Errors
    /// [`BillingError::Price`] for the first one that is no rule, or whose currency has no rate of exchange when it
    /// begins to hold; then nothing is changed.
    pub fn set_overrides(&self, overrides: Vec<PriceOverride>) -> Result<(), BillingError> {
        let mut held = self.overrides.lock();
        // Whoever reads the store again and finds what there was has changed nothing: what was noted of this state stays.
        if *held != overrides {
            self.snapshot.store(Arc::new(Snapshot::new(overrides.clone())?));
            *held = overrides;
            self.changed();
        }
        Ok(())
    }

    /// Declares what the house takes for models that have no price. [`Biller::open`](crate::Biller::open) does so with
    /// what its options say.
    pub fn set_unpriced(&self, unpriced: Unpriced) {
        self.unpriced.store(Arc::new(unpriced));
        self.changed();
    }

    fn changed(&self) {
        self.generation.store(next_generation(), Ordering::Release);
    }

    /// The version that receipts freeze: one more than the newest rule's, so never 0. Version *v* is the
    /// catalogue with the rules whose own versions are below *v*.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.snapshot.load().version
    }

    /// The published prices.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Reads the published prices again if the half hour has changed since the last time. Takes milliseconds
    /// for each model in use: not for a request's way. The [`Shipper`](crate::Shipper) calls it.
    pub fn refresh(&self, now: UnixMicros) {
        let half_hour = now.0.div_euclid(REFRESH);
        let last = std::mem::replace(&mut *self.refreshed.lock(), half_hour);
        if last != half_hour && self.catalogue.refresh(now) {
            self.changed();
        }
    }

    /// Reads these published prices from now on.
    pub(crate) fn publish(&self, prices: Option<Calculator>, now: UnixMicros) {
        if self.catalogue.replace(prices, now) {
            self.changed();
        }
    }

    /// How long published prices hold at least.
    pub(crate) fn next_refresh(&self, now: UnixMicros) -> Duration {
        let until = (*self.refreshed.lock() + 1).saturating_mul(REFRESH).saturating_sub(now.0);
        Duration::from_micros(u64::try_from(until).unwrap_or(0))
    }

    /// Another number whenever a price may have changed.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Where the prices of that moment are made.
    pub(crate) fn with_mint<R>(&self, at: UnixMicros, of: impl FnOnce(&Mint<'_>) -> R) -> R {
        let (snapshot, unpriced) = (self.snapshot.load(), self.unpriced.load());
        of(&Mint { snapshot: &snapshot, catalogue: &self.catalogue, unpriced: &unpriced, at })
    }

    /// The same as if these were the rules.
    pub(crate) fn with_rules<R>(
        &self,
        rules: &Snapshot,
        at: UnixMicros,
        of: impl FnOnce(&Mint<'_>) -> R,
    ) -> R {
        of(&Mint { snapshot: rules, catalogue: &self.catalogue, unpriced: &self.unpriced.load(), at })
    }
}

impl Default for PriceBook {
    fn default() -> PriceBook {
        PriceBook::new()
    }
}

impl std::fmt::Debug for PriceBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PriceBook").field("version", &self.version()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::Offer;
    use crate::tests::support::{caller, lane_route, rule};
    use burncloud_core::{LineKind, Nano, ServiceTier};
    use serde_json::json;

    fn set(version: u64, model: &str, from: i64, input: &str) -> PriceOverride {
        PriceOverride { version, ..rule(None, model, from, json!({ "input": input })) }
    }

    fn input(book: &PriceBook, at: i64) -> Option<Nano> {
        let (route, lane) = lane_route("m", "no-such-model");
        let quote =
            crate::quote(book, &caller(None, None, 0, 0), &Offer::of(&route, &lane), &[], UnixMicros(at));
        Some(quote.user()?.prices(ServiceTier::Standard, 0).get(LineKind::Input))
    }

    #[test]
    fn rules_that_are_read_again_change_nothing() {
        let book = PriceBook::new();
        book.set_overrides(vec![set(1, "m", 100, "1")]).unwrap();
        let generation = book.generation();
        book.set_overrides(vec![set(1, "m", 100, "1")]).unwrap();
        assert_eq!(book.generation(), generation);
        book.set_overrides(vec![set(1, "m", 100, "2")]).unwrap();
        assert_ne!(book.generation(), generation);
    }

    #[test]
    fn the_newest_rule_in_force_wins() {
        let book = PriceBook::new();
        assert_eq!(book.version(), 1);
        book.set_overrides(vec![set(1, "m", 100, "1"), set(2, "m", 50, "2"), set(3, "m", 100, "3")]).unwrap();
        assert_eq!(book.version(), 4);
        let dollars = |n: i64| Some(Nano(n * 1_000_000_000));
        assert_eq!([input(&book, 49), input(&book, 50), input(&book, 99)], [None, dollars(2), dollars(2)]);
        assert_eq!([input(&book, 100), input(&book, i64::MAX)], [dollars(3), dollars(3)], "the last one set");
        book.set_overrides(vec![set(1, "other", 0, "1"), set(2, "m", 60, "2"), set(3, "*", 0, "9")]).unwrap();
        assert_eq!(
            [input(&book, 59), input(&book, 60)],
            [dollars(9), dollars(2)],
            "`*` is for those without a rule"
        );
    }

    #[test]
    fn a_bad_rule_names_the_model_and_changes_nothing() {
        let book = PriceBook::new();
        book.set_overrides(vec![set(1, "m", 0, "1")]).unwrap();
        let error = book.set_overrides(vec![set(2, "m", 0, "2"), set(3, "n", 0, "-2")]).unwrap_err();
        assert_eq!(error.to_string(), "price of `n`: `input`: a price is not negative");
        let error = book.set_overrides(vec![rule(None, "", 0, json!({"group": {}}))]).unwrap_err();
        assert!(error.to_string().starts_with("settings of the price book: `group`: "), "{error}");
        assert_eq!((book.version(), input(&book, 1)), (2, Some(Nano(1_000_000_000))));
    }
}
