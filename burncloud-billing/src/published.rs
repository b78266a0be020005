//! Newer published prices than those that came with the build: fetched, compared, kept, and put in force.
//!
//! Whoever fetches (the reference server does on a schedule) hands the data to [`offer`]. What cannot be read changes
//! nothing. What can is compared with what is in force, model by model; where no price moved by more than a bound and no priced
//! model went missing it is put in force at once, else it waits for [`approve`]. That compares prices of some requests of each
//! model. Where a copy was in force before, everything else of the two is compared as well, as data: which names a model
//! matches, prices of other classes, conditions and dates. Any difference there waits, and so does a new model that takes
//! names which had a price. The bundled data is not there to be compared that way: against it the sampled prices are all
//! that is. Each copy is kept in the store: the one in force is
//! read again at the next start ([`restore`]), so a source that is away does no harm.
//!
//! The data is the second version of what the `genai-prices` project publishes.

mod rest;

use crate::book::PriceBook;
use crate::catalogue::{per_million, pico};
use crate::error::BillingError;
use burncloud_core::store::{CatalogueCopy, CatalogueState, CatalogueStore, StoreError};
use burncloud_core::{Nano, UnixMicros};
use genai_prices::{Calculator, PriceRequest, Usage, UsageKey};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where the project behind the bundled catalogue publishes newer ones.
pub const DEFAULT_URL: &str = genai_prices::REMOTE_DATA_URL;

/// By how many percent a price may move without anybody's approval, unless said otherwise.
pub const DEFAULT_BOUND: u32 = 30;

/// A price that differs. Prices are nano-dollars per million tokens; `None` is no price, and where both are it is something
/// else that differs, which `what` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The provider, by the catalogue's name.
    pub provider: String,
    /// The model, by the catalogue's id.
    pub model: String,
    /// What of it, such as `input` or `output above 200000`.
    pub what: &'static str,
    /// What it was.
    pub from: Option<Nano>,
    /// What it becomes.
    pub to: Option<Nano>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |price: Option<Nano>| price.map_or_else(|| "none".to_owned(), |price| format!("${price}"));
        let Change { provider, model, what, from, to } = self;
        if from.is_none() && to.is_none() {
            return write!(f, "{provider}/{model}: {what} differs");
        }
        write!(f, "{provider}/{model} {what}: {} to {}", show(*from), show(*to))
    }
}

impl Change {
    /// Whether it is one that nobody need approve. A model that is new is; one that goes missing, becomes free or moves by
    /// more than `bound` percent of what it was is not.
    fn is_within(&self, bound: u32) -> bool {
        match (self.from, self.to) {
            (None, Some(_)) => true,
            (_, None) => false,
            (Some(from), Some(to)) => {
                let moved = (i128::from(to.0) - i128::from(from.0)).abs();
                to > Nano::ZERO && moved * 100 <= i128::from(from.0.abs()) * i128::from(bound)
            }
        }
    }
}

/// What became of prices that were offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// They are those in force.
    Unchanged,
    /// They are in force now; what that changed.
    InForce(Vec<Change>),
    /// They wait for approval under that number; the changes beyond the bound.
    Waiting(i64, Vec<Change>),
}

/// Offers data that was fetched from `source`.
///
/// Takes about a second of one processor: call it beside the requests' way, from where blocking is allowed.
///
/// # Errors
/// [`BillingError::Catalogue`] for data that is no catalogue, or has lost half of its models; [`BillingError::Store`].
pub async fn offer<S: CatalogueStore + ?Sized>(
    store: &S,
    book: &PriceBook,
    body: &str,
    source: &str,
    bound: u32,
    now: UnixMicros,
) -> Result<Offered, BillingError> {
    let (fresh, changes) = compare(store, book, body, now).await?;
    if changes.is_empty() {
        return Ok(Offered::Unchanged);
    }
    let copy = |state| CatalogueCopy {
        version: 0,
        fetched_at: now,
        source: source.to_owned(),
        state,
        body: body.to_owned(),
    };
    let beyond: Vec<Change> = changes.iter().filter(|change| !change.is_within(bound)).cloned().collect();
    if beyond.is_empty() {
        store.add_catalogue(copy(CatalogueState::Active)).await?;
        book.publish(Some(fresh), now);
        return Ok(Offered::InForce(changes));
    }
    if let Some(waiting) = store.catalogue(CatalogueState::Pending).await? {
        if waiting.body == body {
            return Ok(Offered::Waiting(waiting.version, beyond));
        }
        store.set_catalogue_state(waiting.version, CatalogueState::Rejected).await?;
    }
    let version = store.add_catalogue(copy(CatalogueState::Pending)).await?;
    Ok(Offered::Waiting(version, beyond))
}

fn read(body: &str) -> Result<Calculator, BillingError> {
    Calculator::from_json(body).map_err(|error| BillingError::Catalogue(error.to_string()))
}

async fn compare<S: CatalogueStore + ?Sized>(
    store: &S,
    book: &PriceBook,
    body: &str,
    now: UnixMicros,
) -> Result<(Calculator, Vec<Change>), BillingError> {
    let in_force = store.catalogue(CatalogueState::Active).await?;
    let (fresh, mut changes) = sampled(book, body, now)?;
    if let Some(copy) = in_force {
        changes.extend(rest::differences(&copy.body, body));
    }
    Ok((fresh, changes))
}

fn sampled(book: &PriceBook, body: &str, now: UnixMicros) -> Result<(Calculator, Vec<Change>), BillingError> {
    let fresh = read(body)?;
    let (old, new) = (book.catalogue().with(|prices| all(prices, now)), all(&fresh, now));
    if new.len() * 2 < old.len() {
        let text = format!("{} priced models instead of {}: the data is incomplete", new.len(), old.len());
        return Err(BillingError::Catalogue(text));
    }
    let mut changes = Vec::new();
    for (name, was) in &old {
        match new.get(name) {
            Some(is) => changes.extend(was.differences(name, Some(is))),
            None => changes.extend(was.differences(name, None)),
        }
    }
    for ((provider, model), is) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        let (provider, model) = (provider.clone(), model.clone());
        changes.push(Change { provider, model, what: WHAT[0], from: None, to: Some(is.0[0]) });
    }
    Ok((fresh, changes))
}

/// The copy that waits for approval, with everything that it would change.
///
/// # Errors
/// As [`offer`].
pub async fn waiting<S: CatalogueStore + ?Sized>(
    store: &S,
    book: &PriceBook,
    now: UnixMicros,
) -> Result<Option<(CatalogueCopy, Vec<Change>)>, BillingError> {
    let Some(copy) = store.catalogue(CatalogueState::Pending).await? else { return Ok(None) };
    let (_, changes) = compare(store, book, &copy.body, now).await?;
    Ok(Some((copy, changes)))
}

/// Puts the copy that waits in force. `version` is the number that was looked at: another that came in since is not
/// approved with it.
///
/// # Errors
/// [`BillingError::Store`] with `NotFound` where that copy does not wait; as [`offer`].
pub async fn approve<S: CatalogueStore + ?Sized>(
    store: &S,
    book: &PriceBook,
    version: i64,
    now: UnixMicros,
) -> Result<(), BillingError> {
    let copy = decided(store, version).await?;
    let fresh = read(&copy.body)?;
    // A new copy rather than a changed one: the last active one is in force, and a later fetch may have come between.
    let copy = CatalogueCopy { state: CatalogueState::Active, ..copy };
    store.set_catalogue_state(version, CatalogueState::Rejected).await?;
    store.add_catalogue(copy).await?;
    book.publish(Some(fresh), now);
    Ok(())
}

/// Puts the copy that waits aside.
///
/// # Errors
/// As [`approve`].
pub async fn reject<S: CatalogueStore + ?Sized>(store: &S, version: i64) -> Result<(), BillingError> {
    decided(store, version).await?;
    Ok(store.set_catalogue_state(version, CatalogueState::Rejected).await?)
}

async fn decided<S: CatalogueStore + ?Sized>(store: &S, version: i64) -> Result<CatalogueCopy, BillingError> {
    let waiting = store.catalogue(CatalogueState::Pending).await?.filter(|copy| copy.version == version);
    let missing = || StoreError::NotFound { what: "waiting catalogue", name: version.to_string() };
    Ok(waiting.ok_or_else(missing)?)
}

/// Reads the copy that is in force in the store into the book: at the start, and when another process may have changed it.
/// Returns its number.
///
/// # Errors
/// As [`offer`]; the book is then as it was.
pub async fn restore<S: CatalogueStore + ?Sized>(
    store: &S,
    book: &PriceBook,
    known: Option<i64>,
    now: UnixMicros,
) -> Result<Option<i64>, BillingError> {
    let Some(copy) = store.catalogue(CatalogueState::Active).await? else { return Ok(None) };
    if known != Some(copy.version) {
        book.publish(Some(read(&copy.body)?), now);
    }
    Ok(Some(copy.version))
}

/// What is compared of a model: in this order.
const WHAT: [&str; 7] = [
    "input",
    "output",
    "cached input",
    "cache write",
    "input above 300000",
    "output above 300000",
    "input of a batch",
];

/// The prices of a model, in the order of `WHAT`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sampled([Nano; WHAT.len()]);

impl Sampled {
    fn differences(&self, (provider, model): &(String, String), to: Option<&Sampled>) -> Vec<Change> {
        let change = |n: usize, to| Change {
            provider: provider.clone(),
            model: model.clone(),
            what: WHAT[n],
            from: Some(self.0[n]),
            to,
        };
        match to {
            None => vec![change(0, None)],
            Some(to) => {
                let moved = (0..WHAT.len()).filter(|n| self.0[*n] != to.0[*n]);
                moved.map(|n| change(n, Some(to.0[n]))).collect()
            }
        }
    }
}

/// Every priced model.
fn all(prices: &Calculator, now: UnixMicros) -> BTreeMap<(String, String), Sampled> {
    let at = UNIX_EPOCH + Duration::from_micros(u64::try_from(now.0).unwrap_or(0));
    let mut all = BTreeMap::new();
    for provider in prices.providers() {
        for model in provider.models() {
            if let Some(found) = sample(prices, provider.id(), model.id(), at) {
                all.insert((provider.id().to_owned(), model.id().to_owned()), found);
            }
        }
    }
    all
}

fn sample(prices: &Calculator, provider: &str, model: &str, at: SystemTime) -> Option<Sampled> {
    let ask = |counts: &[(UsageKey, u64)], batch: bool| {
        let usage: Usage = counts.iter().map(|(key, n)| (key.clone(), *n as f64)).collect();
        let request = PriceRequest::new(model, &usage).with_provider_id(provider).with_timestamp(at);
        let request = if batch { request.with_price_context("processing", "batch") } else { request };
        prices.calculate(&request).ok()
    };
    let (small, large) = (1_000, 301_000);
    let input = |n, also: Option<UsageKey>, batch| {
        let counts: Vec<_> =
            [(UsageKey::INPUT_TOKENS, n)].into_iter().chain(also.map(|key| (key, n))).collect();
        ask(&counts, batch).map_or(Nano::ZERO, |found| per_million(pico(found.input_price), n))
    };
    let output = |n| {
        let counts = [(UsageKey::INPUT_TOKENS, n), (UsageKey::OUTPUT_TOKENS, small)];
        ask(&counts, false).map_or(Nano::ZERO, |found| per_million(pico(found.output_price), small))
    };
    let sampled = Sampled([
        input(small, None, false),
        output(small),
        input(small, Some(UsageKey::CACHE_READ_TOKENS), false),
        input(small, Some(UsageKey::CACHE_WRITE_TOKENS), false),
        input(large, None, false),
        output(large),
        input(small, None, true),
    ]);
    (sampled.0.iter().any(|price| *price != Nano::ZERO)).then_some(sampled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use burncloud_core::store::StoreResult;
    use burncloud_core::{LineKind, ServiceTier};
    use parking_lot::Mutex;
    use serde_json::{Value, json};

    const NOW: UnixMicros = UnixMicros(1_793_534_400_000_000);

    #[derive(Default)]
    struct Copies(Mutex<Vec<CatalogueCopy>>);

    #[async_trait]
    impl CatalogueStore for Copies {
        async fn add_catalogue(&self, copy: CatalogueCopy) -> StoreResult<i64> {
            let mut all = self.0.lock();
            let version = all.len() as i64 + 1;
            all.push(CatalogueCopy { version, ..copy });
            Ok(version)
        }

        async fn catalogue(&self, state: CatalogueState) -> StoreResult<Option<CatalogueCopy>> {
            Ok(self.0.lock().iter().rev().find(|copy| copy.state == state).cloned())
        }

        async fn set_catalogue_state(&self, version: i64, state: CatalogueState) -> StoreResult<()> {
            self.0.lock()[version as usize - 1].state = state;
            Ok(())
        }
    }

    /// A catalogue of `n` models of OpenAI's, the first at these dollars per million.
    fn data(n: usize, input: f64) -> String {
        let model = |i: usize| {
            let price = if i == 0 { input } else { 1.0 };
            json!({
                "id": format!("made-up-{i}"), "match": {"equals": format!("made-up-{i}")},
                "prices": {"input_mtok": price, "output_mtok": 4},
            })
        };
        let models: Vec<Value> = (0..n).map(model).collect();
        let provider = json!({
            "id": "openai", "name": "OpenAI", "api_pattern": "https://api\\.openai\\.com", "models": models,
        });
        json!([provider]).to_string()
    }

    /// A book that reads a catalogue of ten models.
    fn book() -> PriceBook {
        let book = PriceBook::new();
        book.publish(Some(read(&data(10, 2.0)).unwrap()), NOW);
        book
    }

    fn input(book: &PriceBook) -> Option<Nano> {
        let listed = book.catalogue().find("openai", "made-up-0", NOW)?;
        Some(listed.rates.prices(ServiceTier::Standard, 1).get(LineKind::Input))
    }

    async fn offered(store: &Copies, book: &PriceBook, body: &str) -> Result<Offered, BillingError> {
        offer(store, book, body, "http://127.0.0.1/", 30, NOW).await
    }

    #[tokio::test]
    async fn a_small_change_is_in_force_at_once_and_after_a_restart() {
        let (store, book) = (Copies::default(), book());
        assert_eq!(input(&book), Some(Nano(2_000_000_000)));
        assert_eq!(offered(&store, &book, &data(10, 2.0)).await.unwrap(), Offered::Unchanged);
        let Offered::InForce(changes) = offered(&store, &book, &data(11, 2.5)).await.unwrap() else {
            panic!("25 percent is within 30")
        };
        let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert!(shown.contains(&"openai/made-up-0 input: $2.00 to $2.50".to_owned()), "{shown:?}");
        assert!(shown.contains(&"openai/made-up-10 input: none to $1.00".to_owned()), "{shown:?}");
        assert_eq!(input(&book), Some(Nano(2_500_000_000)), "also for a model that was asked for before");
        let next = self::book();
        let version = restore(&store, &next, None, NOW).await.unwrap();
        assert_eq!((version, input(&next)), (Some(1), Some(Nano(2_500_000_000))));
    }

    #[tokio::test]
    async fn a_large_change_waits_for_approval() {
        let (store, book) = (Copies::default(), book());
        for (body, why) in
            [(data(10, 4.0), "doubled"), (data(10, 1.0), "halved"), (data(9, 2.0), "one is missing")]
        {
            let waits = offered(&store, &book, &body).await.unwrap();
            let Offered::Waiting(version, beyond) = waits else { panic!("{why}: {waits:?}") };
            assert!(!beyond.is_empty(), "{why}");
            assert_eq!(
                offered(&store, &book, &body).await.unwrap(),
                Offered::Waiting(version, beyond),
                "{why}"
            );
            assert_eq!(input(&book), Some(Nano(2_000_000_000)), "{why}: nothing is in force");
            assert_eq!(restore(&store, &book, None, NOW).await.unwrap(), None, "{why}");
        }
        let Offered::Waiting(version, _) = offered(&store, &book, &data(10, 4.0)).await.unwrap() else {
            panic!()
        };
        assert!(approve(&store, &book, version - 1, NOW).await.is_err(), "only what was looked at");
        let (copy, changes) = waiting(&store, &book, NOW).await.unwrap().unwrap();
        assert_eq!((copy.version, changes.is_empty()), (version, false));
        approve(&store, &book, version, NOW).await.unwrap();
        assert_eq!(input(&book), Some(Nano(4_000_000_000)));
        assert!(waiting(&store, &book, NOW).await.unwrap().is_none());
        let Offered::Waiting(version, _) = offered(&store, &book, &data(10, 9.0)).await.unwrap() else {
            panic!()
        };
        reject(&store, version).await.unwrap();
        assert_eq!(input(&book), Some(Nano(4_000_000_000)));
        assert!(reject(&store, version).await.is_err(), "it does not wait any more");
    }

    #[tokio::test]
    async fn what_samples_do_not_show_waits_once_there_is_a_copy_to_compare_with() {
        let (store, book) = (Copies::default(), book());
        let rare =
            |body: &str| body.replacen("\"output_mtok\":4", "\"output_mtok\":4,\"requests_kcount\":9", 1);
        assert_ne!(rare(&data(10, 2.0)), data(10, 2.0));
        let first = offered(&store, &book, &data(10, 2.1)).await.unwrap();
        assert!(matches!(first, Offered::InForce(_)), "{first:?}");
        let next = offered(&store, &book, &data(10, 2.2)).await.unwrap();
        assert!(matches!(next, Offered::InForce(_)), "prices within the bound still pass: {next:?}");
        let waits = offered(&store, &book, &rare(&data(10, 2.2))).await.unwrap();
        let Offered::Waiting(version, beyond) = waits else { panic!("{waits:?}") };
        assert_eq!(beyond[0].to_string(), "openai/made-up-0: another price or its conditions differs");
        assert_eq!(waiting(&store, &book, NOW).await.unwrap().unwrap().1, beyond);
        approve(&store, &book, version, NOW).await.unwrap();
        assert_eq!(offered(&store, &book, &rare(&data(10, 2.2))).await.unwrap(), Offered::Unchanged);
        let new = offered(&store, &book, &rare(&data(11, 2.2))).await.unwrap();
        assert!(matches!(new, Offered::InForce(_)), "a new model with names of its own: {new:?}");
    }

    #[tokio::test]
    async fn what_is_no_catalogue_changes_nothing() {
        let (store, book) = (Copies::default(), book());
        for body in ["", "<html>", "[]", "{}", &data(4, 2.0)] {
            let error = offered(&store, &book, body).await.unwrap_err();
            assert!(matches!(error, BillingError::Catalogue(_)), "{body}: {error}");
        }
        assert!(store.0.lock().is_empty());
        assert_eq!(input(&book), Some(Nano(2_000_000_000)));
    }

    #[test]
    fn the_bundled_catalogue_is_read_whole() {
        let all = all(Calculator::bundled(), NOW);
        assert!(all.len() > 500, "{}", all.len());
    }
}
