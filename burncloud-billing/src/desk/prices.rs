//! The price books, as the console handles them.

use super::audit::Change;
use super::common::{json, seen_tenant};
use super::{Actor, Desk};
use crate::error::BillingError;
use crate::people::{self, Action, Tree};
use crate::rates::Rates;
use crate::{Offer, Quote};
use burncloud_core::store::{PriceOverride, StoreError};
use burncloud_core::usecase::{Said, UseCaseError, UseCaseResult};
use burncloud_core::{
    ApiKey, Caller, ChannelConfig, ChannelId, LineKind, Nano, ServiceTier, Status, TenantId, UnixMicros, User,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Prices by class, such as `input`, in nano-dollars per million units (tokens, pieces, milliseconds), at the standard tier
/// and the smallest context. What is free is left out.
pub type PriceTable = BTreeMap<String, Nano>;

/// Whether a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    /// It is in force.
    InForce,
    /// It will be.
    Scheduled,
    /// A newer one is in its place.
    Superseded,
}

/// A rule that somebody set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleView {
    /// As it is stored.
    #[serde(flatten)]
    pub rule: PriceOverride,
    /// Whether it counts; of rows for a whole book each name in them counts by itself, so that one of those is superseded
    /// by none.
    pub state: RuleState,
}

/// Where a price comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// A rule for the model.
    Rule,
    /// The book's rule for every model that has none of its own.
    Default,
    /// The published prices; of a reseller's book: what it pays itself.
    Catalogue,
}

/// What something is bought for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuyingRow {
    /// Of which channel; `None` is of the parent, in a reseller's book.
    pub channel: Option<ChannelId>,
    /// Its name.
    pub channel_name: Option<String>,
    /// The model as the provider knows it.
    pub upstream_model: String,
    /// Where the price comes from.
    pub source: PriceSource,
    /// The price; empty where it is not known.
    pub prices: PriceTable,
}

/// A model in a price book: what it is sold for to whoever is in no group, and what it is bought for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceRow {
    /// The model as callers ask for it.
    pub model: String,
    /// Where the selling price comes from.
    pub source: PriceSource,
    /// The selling price at the first channel that serves it; empty where it has none, so that requests are refused.
    pub prices: PriceTable,
    /// Buying prices: in the house's book those of each channel, in a reseller's what it pays its parent.
    pub buying: Vec<BuyingRow>,
    /// What a change must expect: the number of the newest rule for the model, `0` where there is none.
    pub version: String,
}

/// A rule to be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceDraft {
    /// In whose book; `None` is the house's.
    #[serde(default)]
    pub book: Option<TenantId>,
    /// A buying price of this channel.
    #[serde(default)]
    pub channel: Option<ChannelId>,
    /// The model, `*` for every one without a rule of its own, empty for what holds for the whole book.
    pub model: String,
    /// From when on it holds; at once where it is left out.
    #[serde(default)]
    pub effective_at: Option<UnixMicros>,
    /// The rule: see [`PriceRule`](crate::PriceRule).
    pub rates: Value,
}

/// What holds for a whole book now. Ratios are decimal text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BookRatios {
    /// The ratio of each customers' group.
    pub groups: BTreeMap<String, String>,
    /// By a user's own group: the ratio of each group that their key calls as.
    pub pairs: BTreeMap<String, BTreeMap<String, String>>,
    /// What a dollar buys of each currency; in the house's book alone.
    pub fx: BTreeMap<String, String>,
    /// What a change must expect, as [`PriceRow::version`].
    pub version: String,
}

impl Desk {
    /// The models that are served, with what a book sells them for.
    ///
    /// # Errors
    /// `Forbidden` for the house's book, for all but its owners and administrators; `Store(NotFound)` for the book of a
    /// tenant that the actor does not see.
    pub async fn price_list(&self, actor: &Actor, book: Option<TenantId>) -> UseCaseResult<Vec<PriceRow>> {
        let tree = self.tree().await?;
        check_book(actor, &tree, book)?;
        self.read_prices().await?;
        let (now, rules) = (UnixMicros::now(), self.store.prices().await?);
        let channels = self.active_channels().await?;
        let seller = Seller { caller: caller(&tree, book), book, rules: &rules, now };
        let models: BTreeSet<&str> = channels.iter().flat_map(served).collect();
        Ok(models.into_iter().map(|model| self.price_row(&seller, &channels, model)).collect())
    }

    /// The rules of a book, the newest first; those that are superseded too if `past`. The house's has the buying prices.
    ///
    /// # Errors
    /// As [`Desk::price_list`].
    pub async fn price_rules(
        &self,
        actor: &Actor,
        book: Option<TenantId>,
        past: bool,
    ) -> UseCaseResult<Vec<RuleView>> {
        check_book(actor, &self.tree().await?, book)?;
        let (now, all) = (UnixMicros::now(), self.store.prices().await?);
        let states: Vec<RuleState> = all.iter().map(|rule| state(&all, rule, now)).collect();
        let mut views: Vec<RuleView> =
            all.into_iter().zip(states).map(|(rule, state)| RuleView { rule, state }).collect();
        views.retain(|view| view.rule.book == book && (past || view.state != RuleState::Superseded));
        views.sort_by_key(|view| std::cmp::Reverse((view.rule.effective_at, view.rule.version)));
        Ok(views)
    }

    /// What holds for a whole book now.
    ///
    /// # Errors
    /// As [`Desk::price_list`].
    pub async fn book_ratios(&self, actor: &Actor, book: Option<TenantId>) -> UseCaseResult<BookRatios> {
        check_book(actor, &self.tree().await?, book)?;
        let (now, mut all) = (UnixMicros::now(), self.store.prices().await?);
        let mut ratios = BookRatios { version: newest(&all, book, None, ""), ..BookRatios::default() };
        all.retain(|rule| is_of(rule, book, None, "") && rule.effective_at <= now);
        all.sort_by_key(|rule| (rule.effective_at, rule.version));
        for rule in &all {
            let member = |name: &str| rule.rates.get(name).and_then(Value::as_object);
            take(&mut ratios.groups, member("groups"));
            take(&mut ratios.fx, member("fx"));
            for (own, used) in member("pairs").into_iter().flatten() {
                take(ratios.pairs.entry(own.clone()).or_default(), used.as_object());
            }
        }
        ratios.pairs.retain(|_, used| !used.is_empty());
        Ok(ratios)
    }

    /// Sets a rule, now or for later, and answers its number. A rule is never changed, only superseded: one like an earlier
    /// one undoes what came between.
    ///
    /// # Errors
    /// Those of [`people::set_price`]; `Changed` where the newest rule there is not the `expected`; `Store(NotFound)` for a
    /// book or a channel that there is not, as far as the actor sees.
    pub async fn set_price(
        &self,
        actor: &Actor,
        draft: PriceDraft,
        expected: Option<&str>,
    ) -> UseCaseResult<u64> {
        let _one_at_a_time = self.writing.lock().await;
        let PriceDraft { book, channel, model, effective_at, rates } = draft;
        let tree = self.tree().await?;
        check_book(actor, &tree, book)?;
        // Asked before the version: whoever may not is not told that there is another one.
        match book.filter(|_| channel.is_none()) {
            None => actor.check_in_house(Action::ManageHouse)?,
            Some(tenant) => actor.check(&tree, Action::SetPrices, tenant)?,
        }
        if let Some(id) = channel
            && !self.store.channels().await?.iter().any(|channel| channel.id == id)
        {
            return Err(super::common::missing("channel", id));
        }
        let all = self.store.prices().await?;
        let is = newest(&all, book, channel, &model);
        let effective_at = effective_at.unwrap_or_else(UnixMicros::now);
        let rule = PriceOverride { version: 0, book, channel, model: model.clone(), effective_at, rates };
        super::common::check_version("price", &model, expected, &is)?;
        let before = all.iter().rfind(|rule| is_of(rule, book, channel, &model)).cloned();
        let version = people::set_price(&*self.store, actor, &self.book, rule.clone()).await?;
        let after = PriceOverride { version, ..rule };
        let change = Change {
            action: "price.set",
            subject: subject(book, channel, &model),
            name: if model.is_empty() { "the whole book".to_owned() } else { model },
            tenant: book.unwrap_or(actor.tenant),
            before: json(&before),
            after: json(&after),
        };
        self.note(actor, change).await?;
        Ok(version)
    }

    /// Brings the desk's price book up to date: other processes may have changed the store.
    pub(super) async fn read_prices(&self) -> UseCaseResult<()> {
        crate::reload_prices(&*self.store, &self.book).await.map_err(broken)
    }

    /// Channels that are on, in the order in which they are tried.
    pub(super) async fn active_channels(&self) -> UseCaseResult<Vec<ChannelConfig>> {
        let mut channels = self.store.channels().await?;
        channels.retain(|channel| channel.status == Status::Active);
        channels.sort_by_key(|channel| std::cmp::Reverse(channel.priority));
        Ok(channels)
    }

    fn price_row(&self, seller: &Seller<'_>, channels: &[ChannelConfig], model: &str) -> PriceRow {
        let Seller { caller, book, rules, now } = seller;
        let serving: Vec<&ChannelConfig> =
            channels.iter().filter(|channel| served(channel).any(|name| name == model)).collect();
        let offers: Vec<Offer<'_>> = serving.iter().map(|channel| offer(channel, model)).collect();
        let quotes: Vec<Quote> =
            offers.iter().map(|offer| crate::quote(&self.book, caller, offer, &[], *now)).collect();
        let first = quotes.first();
        let sold = first.and_then(|quote| quote.levels.iter().find(|level| level.seller == *book));
        let buying = match book {
            None => serving
                .iter()
                .zip(&offers)
                .zip(&quotes)
                .map(|((channel, offer), quote)| BuyingRow {
                    channel: Some(channel.id),
                    channel_name: Some(channel.name.clone()),
                    upstream_model: offer.upstream_model.to_owned(),
                    source: seller.source(Some(channel.id), offer.upstream_model),
                    prices: quote.cost.as_deref().map(table).unwrap_or_default(),
                })
                .collect(),
            Some(_) => first
                .into_iter()
                .map(|quote| BuyingRow {
                    channel: None,
                    channel_name: None,
                    upstream_model: model.to_owned(),
                    source: PriceSource::Catalogue,
                    prices: quote
                        .levels
                        .iter()
                        .find(|level| level.buyer == *book)
                        .map(|level| table(&level.rates))
                        .unwrap_or_default(),
                })
                .collect(),
        };
        PriceRow {
            model: model.to_owned(),
            source: seller.source(None, model),
            prices: sold.map(|level| table(&level.rates)).unwrap_or_default(),
            buying,
            version: newest(rules, *book, None, model),
        }
    }
}

/// Whose prices are looked at.
struct Seller<'a> {
    caller: Caller,
    book: Option<TenantId>,
    rules: &'a [PriceOverride],
    now: UnixMicros,
}

impl Seller<'_> {
    fn source(&self, channel: Option<ChannelId>, model: &str) -> PriceSource {
        let book = self.book.filter(|_| channel.is_none());
        let has = |model| {
            let mut own = self.rules.iter().filter(|rule| is_of(rule, book, channel, model));
            own.any(|rule| rule.effective_at <= self.now)
        };
        match () {
            () if has(model) => PriceSource::Rule,
            () if has("*") => PriceSource::Default,
            () => PriceSource::Catalogue,
        }
    }
}

/// Somebody of that tenant (of the house, of none in particular) who is in no group.
pub(super) fn caller(tree: &Tree, book: Option<TenantId>) -> Caller {
    let mut path = book.into_iter().flat_map(|tenant| tree.path(tenant)).cloned();
    let tenant = path.next().unwrap_or_default();
    let user = User { tenant: tenant.id, ..User::default() };
    let above = path.collect();
    Caller::new(ApiKey::default(), user, tenant).under(above)
}

pub(super) fn served(channel: &ChannelConfig) -> impl Iterator<Item = &str> {
    channel.models.iter().chain(channel.model_mapping.keys()).map(String::as_str)
}

pub(super) fn offer<'a>(channel: &'a ChannelConfig, model: &'a str) -> Offer<'a> {
    let upstream_model = channel.model_mapping.get(model).map_or(model, String::as_str);
    Offer { model, channel: channel.id, provider: &channel.provider, upstream_model }
}

pub(super) fn class(kind: LineKind) -> String {
    json(&kind).as_str().unwrap_or_default().to_owned()
}

pub(super) fn table(rates: &Rates) -> PriceTable {
    let prices = rates.prices(ServiceTier::Standard, 0);
    let row = |kind: LineKind| (class(kind), prices.get(kind));
    crate::rates::KINDS.into_iter().map(row).filter(|(_, price)| price.0 != 0).collect()
}

pub(super) fn check_book(actor: &Actor, tree: &Tree, book: Option<TenantId>) -> UseCaseResult<()> {
    match book {
        None => actor.check_in_house(Action::ManageHouse),
        Some(tenant) => seen_tenant(actor, tree, tenant).map(|_| ()),
    }
}

pub(super) fn broken(error: BillingError) -> UseCaseError {
    match error {
        BillingError::Price { source, .. } => UseCaseError::invalid(source.field, source.message),
        BillingError::Store(error) => UseCaseError::Store(error),
        BillingError::Catalogue(why) => UseCaseError::invalid("body", Said::plain(why)),
        other => UseCaseError::Store(StoreError::Unavailable(other.to_string())),
    }
}

fn is_of(rule: &PriceOverride, book: Option<TenantId>, channel: Option<ChannelId>, model: &str) -> bool {
    rule.book == book && rule.channel == channel && rule.model == model
}

fn newest(
    rules: &[PriceOverride],
    book: Option<TenantId>,
    channel: Option<ChannelId>,
    model: &str,
) -> String {
    let own = rules.iter().filter(|rule| is_of(rule, book, channel, model));
    own.map(|rule| rule.version).max().unwrap_or(0).to_string()
}

fn state(all: &[PriceOverride], rule: &PriceOverride, now: UnixMicros) -> RuleState {
    if rule.effective_at > now {
        return RuleState::Scheduled;
    }
    let when = |rule: &PriceOverride| (rule.effective_at, rule.version);
    let newer = |other: &PriceOverride| {
        is_of(other, rule.book, rule.channel, &rule.model)
            && other.effective_at <= now
            && when(other) > when(rule)
    };
    let superseded = !rule.model.is_empty() && all.iter().any(newer);
    if superseded { RuleState::Superseded } else { RuleState::InForce }
}

fn subject(book: Option<TenantId>, channel: Option<ChannelId>, model: &str) -> String {
    match (book, channel) {
        (Some(tenant), _) => format!("price:tenant:{tenant}:{model}"),
        (None, Some(channel)) => format!("price:channel:{channel}:{model}"),
        (None, None) => format!("price:house:{model}"),
    }
}

/// What a row names takes the place of what was there.
fn take(ratios: &mut BTreeMap<String, String>, named: Option<&Map<String, Value>>) {
    for (name, ratio) in named.into_iter().flatten() {
        match ratio.as_str() {
            Some(ratio) => ratios.insert(name.clone(), ratio.to_owned()),
            None => ratios.remove(name),
        };
    }
}
