//! The rules of all price books at one moment of their writing, sorted so that what holds is found quickly.

use crate::error::BillingError;
use crate::rates::{Rates, RatesError};
use crate::ratio::{Factor, Ratio};
use crate::rule::{BookSettings, PriceRule, check_rule};
use burncloud_core::store::PriceOverride;
use burncloud_core::{ChannelId, TenantId, UnixMicros};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// The group of whoever has none.
pub(crate) const DEFAULT_GROUP: &str = "default";

/// The model of rules that are every model's.
const EVERY: &str = "*";

#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) version: u64,
    books: HashMap<Option<TenantId>, Book>,
    buying: HashMap<ChannelId, Rules>,
    /// All moments at which something begins to hold, in order.
    changes: Vec<UnixMicros>,
}

#[derive(Debug, Default)]
struct Book {
    rules: Rules,
    settings: Vec<Dated<BookSettings>>,
    /// When its first rule began to hold.
    since: Option<UnixMicros>,
}

#[derive(Debug, Default)]
struct Rules(HashMap<Box<str>, Vec<Dated<PriceRule>>>);

#[derive(Debug)]
struct Dated<T> {
    from: UnixMicros,
    version: u64,
    what: T,
}

/// The newest first; of two from the same moment the last one set.
fn sort<T>(dated: &mut [Dated<T>]) {
    dated.sort_by_key(|d| Reverse((d.from, d.version)));
}

fn in_force<T>(dated: &[Dated<T>], at: UnixMicros) -> impl Iterator<Item = &T> {
    dated.iter().filter(move |d| d.from <= at).map(|d| &d.what)
}

impl Rules {
    fn at(&self, model: &str, at: UnixMicros) -> Option<&PriceRule> {
        let of = |model| in_force(self.0.get(model)?, at).next();
        of(model).or_else(|| of(EVERY))
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Vec<Dated<PriceRule>>> {
        self.0.values_mut()
    }
}

impl Snapshot {
    /// Without any rule.
    pub(crate) fn empty() -> Snapshot {
        Snapshot { version: 1, books: HashMap::new(), buying: HashMap::new(), changes: Vec::new() }
    }

    /// Sorts the operator's rows.
    ///
    /// # Errors
    /// [`BillingError::Price`] for the first one that is no rule, or whose currency has no rate when it begins to hold.
    pub(crate) fn new(overrides: Vec<PriceOverride>) -> Result<Snapshot, BillingError> {
        let mut snapshot = Snapshot::empty();
        let mut foreign: Vec<(String, UnixMicros, Box<str>)> = Vec::new();
        for price in overrides {
            let PriceOverride { version, book, channel, model, effective_at: from, rates } = price;
            let what = check_rule(book, channel, &model, &rates)
                .map_err(|source| BillingError::Price { model: model.clone(), source })?;
            snapshot.version = snapshot.version.max(version.saturating_add(1));
            snapshot.changes.push(from);
            if let PriceRule::List { currency: Some(currency), .. } = &what {
                foreign.push((model.clone(), from, currency.clone()));
            }
            snapshot.add(book, channel, model, Dated { from, version, what });
        }
        snapshot.changes.sort_unstable();
        snapshot.changes.dedup();
        for book in snapshot.books.values_mut() {
            sort(&mut book.settings);
            book.rules.all_mut().for_each(|dated| sort(dated));
        }
        snapshot.buying.values_mut().flat_map(Rules::all_mut).for_each(|dated| sort(dated));
        let unknown = foreign.into_iter().find(|(_, from, currency)| snapshot.fx(currency, *from).is_none());
        unknown.map_or(Ok(snapshot), |(model, _, currency)| {
            let message = format!(
                "no rate of exchange for {currency} is in force when this price begins to hold; set one first, for the \
                 model \"\": {{\"fx\": {{\"{currency}\": \"7.20\"}}}}"
            );
            let zh = format!("这个价格生效时 {currency} 还没有汇率，请先为整张价目表设置");
            Err(BillingError::Price { model, source: RatesError { field: "currency".into(), message: (message, zh).into() } })
        })
    }

    fn add(
        &mut self,
        book: Option<TenantId>,
        channel: Option<ChannelId>,
        model: String,
        rule: Dated<PriceRule>,
    ) {
        let rules = if let Some(channel) = channel {
            self.buying.entry(channel).or_default()
        } else {
            let book = self.books.entry(book).or_default();
            book.since = Some(book.since.map_or(rule.from, |since| since.min(rule.from)));
            if let PriceRule::Settings(what) = rule.what {
                return book.settings.push(Dated { from: rule.from, version: rule.version, what });
            }
            &mut book.rules
        };
        rules.0.entry(model.into_boxed_str()).or_default().push(rule);
    }

    /// Whether the tenant has a book of its own by then.
    pub(crate) fn has_book(&self, tenant: TenantId, at: UnixMicros) -> bool {
        self.books.get(&Some(tenant)).is_some_and(|book| book.since.is_some_and(|since| since <= at))
    }

    /// The selling rule in a book.
    pub(crate) fn rule(&self, book: Option<TenantId>, model: &str, at: UnixMicros) -> Option<&PriceRule> {
        self.books.get(&book)?.rules.at(model, at)
    }

    /// The buying rule of a channel, for a model as its provider knows it.
    pub(crate) fn buying(&self, channel: ChannelId, model: &str, at: UnixMicros) -> Option<&PriceRule> {
        self.buying.get(&channel)?.at(model, at)
    }

    /// The ratio of whoever is in the group `own` and calls as the group `used`.
    pub(crate) fn ratio(
        &self,
        book: Option<TenantId>,
        own: Option<&str>,
        used: Option<&str>,
        at: UnixMicros,
    ) -> Ratio {
        let Some(book) = self.books.get(&book) else { return Ratio::ONE };
        let own = own.unwrap_or(DEFAULT_GROUP);
        let used = used.unwrap_or(own);
        let settings = || in_force(&book.settings, at);
        let pair = settings().find_map(|set| set.pairs.get(own)?.get(used)).copied().flatten();
        let group = || settings().find_map(|set| set.groups.get(used)).copied().flatten();
        pair.or_else(group).unwrap_or_default()
    }

    fn fx(&self, currency: &str, at: UnixMicros) -> Option<Ratio> {
        let house = self.books.get(&None)?;
        in_force(&house.settings, at).find_map(|set| set.fx.get(currency)).copied().flatten()
    }

    /// A list price in dollars, times `ratio`; `None` where nobody knows what the currency is worth.
    pub(crate) fn listed(
        &self,
        rates: &Arc<Rates>,
        currency: Option<&str>,
        ratio: Ratio,
        at: UnixMicros,
    ) -> Option<Arc<Rates>> {
        Some(match currency {
            None => times(rates, Factor::product(ratio, Ratio::ONE)),
            Some(currency) => times(rates, Factor::quotient(ratio, self.fx(currency, at)?)),
        })
    }

    /// From when until before when what holds at `at` holds.
    pub(crate) fn holds(&self, at: UnixMicros) -> (UnixMicros, UnixMicros) {
        let next = self.changes.partition_point(|from| *from <= at);
        let from = next.checked_sub(1).map_or(UnixMicros(i64::MIN), |last| self.changes[last]);
        (from, self.changes.get(next).copied().unwrap_or(UnixMicros(i64::MAX)))
    }
}

/// Every price times `factor`, rounded once.
pub(crate) fn times(rates: &Arc<Rates>, factor: Factor) -> Arc<Rates> {
    if factor.is_one() { rates.clone() } else { Arc::new(rates.map(|price| factor.of(price))) }
}
