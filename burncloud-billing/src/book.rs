//! The price book: what the operator set, else what is published.
//!
//! Reading it costs a request no look-up by name: what applies to a route and to a lane is kept in their slots,
//! under the generation of the book that it was read from.

use crate::catalogue::{Catalogue, Listed};
use crate::error::BillingError;
use crate::rates::Rates;
use arc_swap::ArcSwap;
use burncloud_core::routing::Lane;
use burncloud_core::store::PriceOverride;
use burncloud_core::{Route, UnixMicros};
use genai_prices::Calculator;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Effective-dated prices; shared behind an [`Arc`] and changed in place.
///
/// The selling price of a request is the newest override of the model *as asked* that is in force when the request
/// arrives (the last version set, of two from the same moment), else the published price of the model *as served*.
/// The buying price is always the published one of the provider that served it.
pub struct PriceBook {
    catalogue: Catalogue,
    snapshot: ArcSwap<Snapshot>,
    /// Never the same for two states of two books, so that one number tells whether a slot is up to date.
    generation: AtomicU64,
    /// The half hour whose published prices are known.
    refreshed: Mutex<i64>,
}

#[derive(Default)]
struct Snapshot {
    version: u64,
    overrides: HashMap<Box<str>, Arc<[Dated]>>,
}

struct Dated {
    from: UnixMicros,
    version: u64,
    rates: Arc<Rates>,
}

fn next_generation() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// How often published prices are read again, in microseconds; some change on the half hour.
const REFRESH: i64 = 30 * 60 * 1_000_000;

/// What a route's slot holds.
pub(crate) struct RoutePrices {
    generation: u64,
    /// Of the book; a receipt freezes it.
    pub(crate) version: u64,
    dated: Option<Arc<[Dated]>>,
    pub(crate) warned: AtomicBool,
}

impl RoutePrices {
    /// The override in force.
    pub(crate) fn at(&self, at: UnixMicros) -> Option<&Arc<Rates>> {
        let dated = self.dated.as_deref()?;
        dated.iter().find(|d| d.from <= at).map(|d| &d.rates)
    }
}

/// What a lane's slot holds.
pub(crate) struct LanePrices {
    generation: u64,
    pub(crate) listed: Option<Arc<Listed>>,
}

struct Cell<T>(ArcSwap<T>);

impl PriceBook {
    /// The published prices alone.
    #[must_use]
    pub fn new() -> PriceBook {
        PriceBook {
            catalogue: Catalogue::new(),
            snapshot: ArcSwap::from_pointee(Snapshot { version: 1, ..Snapshot::default() }),
            generation: AtomicU64::new(next_generation()),
            refreshed: Mutex::new(UnixMicros::now().0.div_euclid(REFRESH)),
        }
    }

    /// Replaces the overrides by these. Requests under way keep the price of the moment they arrived at.
    ///
    /// # Errors
    /// [`BillingError::Price`] for the first one whose rates are none; then nothing is changed.
    pub fn set_overrides(&self, overrides: Vec<PriceOverride>) -> Result<(), BillingError> {
        let mut by_model: HashMap<Box<str>, Vec<Dated>> = HashMap::new();
        let newest = overrides.iter().map(|price| price.version).max().unwrap_or(0);
        for price in overrides {
            let rates = Rates::from_json(&price.rates)
                .map_err(|source| BillingError::Price { model: price.model.clone(), source })?;
            let dated = Dated { from: price.effective_at, version: price.version, rates: Arc::new(rates) };
            by_model.entry(price.model.into_boxed_str()).or_default().push(dated);
        }
        let sorted = by_model.into_iter().map(|(model, mut dated)| {
            dated.sort_by_key(|d| std::cmp::Reverse((d.from, d.version)));
            (model, dated.into())
        });
        let snapshot = Snapshot { version: newest.saturating_add(1), overrides: sorted.collect() };
        self.snapshot.store(Arc::new(snapshot));
        self.generation.store(next_generation(), Ordering::Release);
        Ok(())
    }

    /// The version that receipts freeze: one more than the newest override's, so never 0. Version *v* is the
    /// catalogue with the overrides whose own versions are below *v*.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.snapshot.load().version
    }

    /// The published prices.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What callers of `model` pay at that time if the operator set it.
    #[must_use]
    pub fn override_of(&self, model: &str, at: UnixMicros) -> Option<Arc<Rates>> {
        let snapshot = self.snapshot.load();
        snapshot.overrides.get(model)?.iter().find(|d| d.from <= at).map(|d| d.rates.clone())
    }

    /// Reads the published prices again if the half hour has changed since the last time. Takes milliseconds
    /// for each model in use: not for a request's way. The [`Shipper`](crate::Shipper) calls it.
    pub fn refresh(&self, now: UnixMicros) {
        let half_hour = now.0.div_euclid(REFRESH);
        let last = std::mem::replace(&mut *self.refreshed.lock(), half_hour);
        if last != half_hour && self.catalogue.refresh(now) {
            self.generation.store(next_generation(), Ordering::Release);
        }
    }

    /// Reads these published prices from now on.
    pub(crate) fn publish(&self, prices: Option<Calculator>, now: UnixMicros) {
        if self.catalogue.replace(prices, now) {
            self.generation.store(next_generation(), Ordering::Release);
        }
    }

    /// How long published prices hold at least.
    pub(crate) fn next_refresh(&self, now: UnixMicros) -> Duration {
        let until = (*self.refreshed.lock() + 1).saturating_mul(REFRESH).saturating_sub(now.0);
        Duration::from_micros(u64::try_from(until).unwrap_or(0))
    }

    pub(crate) fn of_route<R>(&self, route: &Route, of: impl FnOnce(&RoutePrices) -> R) -> R {
        let make = || {
            let (generation, snapshot) = (self.generation.load(Ordering::Acquire), self.snapshot.load());
            let dated = snapshot.overrides.get(&*route.model).cloned();
            Arc::new(RoutePrices {
                generation,
                version: snapshot.version,
                dated,
                warned: AtomicBool::new(false),
            })
        };
        match route.billing_slot.get_or_init(|| Arc::new(Cell(ArcSwap::new(make())))) {
            None => of(&make()),
            Some(cell) => {
                if cell.0.load().generation != self.generation.load(Ordering::Acquire) {
                    cell.0.store(make());
                }
                of(&cell.0.load())
            }
        }
    }

    pub(crate) fn of_lane<R>(
        &self,
        route: &Route,
        lane: &Lane,
        at: UnixMicros,
        of: impl FnOnce(Option<&Listed>) -> R,
    ) -> R {
        let make = || {
            let generation = self.generation.load(Ordering::Acquire);
            let provider = lane.channel.adapter.name();
            let listed = self.catalogue.find_mapped(provider, &lane.upstream_model, &route.model, at);
            Arc::new(LanePrices { generation, listed })
        };
        match lane.billing_slot.get_or_init(|| Arc::new(Cell(ArcSwap::new(make())))) {
            None => of(make().listed.as_deref()),
            Some(cell) => {
                if cell.0.load().generation != self.generation.load(Ordering::Acquire) {
                    cell.0.store(make());
                }
                of(cell.0.load().listed.as_deref())
            }
        }
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
    use crate::tests::support::lane_route;
    use burncloud_core::{LineKind, Nano, ServiceTier};
    use serde_json::json;

    fn set(version: u64, model: &str, from: i64, input: &str) -> PriceOverride {
        let rates = json!({ "input": input });
        PriceOverride {
            version,
            book: None,
            channel: None,
            model: model.into(),
            effective_at: UnixMicros(from),
            rates,
        }
    }

    fn input(book: &PriceBook, at: i64) -> Option<Nano> {
        let rates = book.override_of("m", UnixMicros(at))?;
        Some(rates.prices(ServiceTier::Standard, 0).get(LineKind::Input))
    }

    #[test]
    fn the_newest_override_in_force_wins() {
        let book = PriceBook::new();
        assert_eq!(book.version(), 1);
        book.set_overrides(vec![set(1, "m", 100, "1"), set(2, "m", 50, "2"), set(3, "m", 100, "3")]).unwrap();
        assert_eq!(book.version(), 4);
        let dollars = |n: i64| Some(Nano(n * 1_000_000_000));
        assert_eq!([input(&book, 49), input(&book, 50), input(&book, 99)], [None, dollars(2), dollars(2)]);
        assert_eq!([input(&book, 100), input(&book, i64::MAX)], [dollars(3), dollars(3)], "the last one set");
        assert!(book.override_of("other", UnixMicros(200)).is_none());
    }

    #[test]
    fn a_bad_override_names_the_model_and_changes_nothing() {
        let book = PriceBook::new();
        book.set_overrides(vec![set(1, "m", 0, "1")]).unwrap();
        let error = book.set_overrides(vec![set(2, "m", 0, "2"), set(3, "n", 0, "-2")]).unwrap_err();
        assert_eq!(error.to_string(), "price of `n`: `input`: a price is not negative");
        assert_eq!((book.version(), input(&book, 1)), (2, Some(Nano(1_000_000_000))));
    }

    #[test]
    fn slots_follow_the_book() {
        let (route, lane) = lane_route("m", "gpt-4o-mini");
        let (one, other) = (PriceBook::new(), PriceBook::new());
        let price = |book: &PriceBook| book.of_route(&route, |p| (p.version, p.at(UnixMicros(5)).is_some()));
        assert_eq!(price(&one), (1, false));
        one.set_overrides(vec![set(1, "m", 5, "1")]).unwrap();
        assert_eq!((price(&one), price(&other), price(&one)), ((2, true), (1, false), (2, true)));
        assert!(one.of_lane(&route, &lane, UnixMicros::now(), |listed| listed.is_some_and(|l| l.own)));
    }
}
