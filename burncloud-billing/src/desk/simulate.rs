//! What a price would have come to: the last week's usage at today's prices, and with one rule more.

use super::prices::{broken, check_book};
use super::{Actor, Desk, PriceDraft};
use crate::ladder::Levels;
use crate::people::{Action, Tree};
use crate::rates::Rates;
use crate::{Offer, rating};
use burncloud_core::store::{LogQuery, Outcome, PriceOverride, Who};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{
    ApiKey, Caller, ChannelConfig, ChannelId, KeyId, Nano, Receipt, TenantId, UnixMicros, User, UserId,
};
use serde::Serialize;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Receipts that are looked at, at most: the newest.
const MOST: usize = 5_000;
const PAGE: u32 = 1_000;
const WEEK_US: i64 = 7 * 24 * 3_600_000_000;

/// Sums in nano-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SimulatedSums {
    /// What comes in.
    pub revenue: Nano,
    /// What goes out: for the house to providers, for a reseller to its parent.
    pub cost: Nano,
}

/// What a price would come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Simulated {
    /// Requests that were counted.
    pub requests: u64,
    /// From when on: a week ago, or later where there were more requests than are counted.
    pub since: UnixMicros,
    /// Whether all of the week was counted.
    pub whole: bool,
    /// At the prices in force.
    pub before: SimulatedSums,
    /// With the rule.
    pub after: SimulatedSums,
}

/// What a receipt's usage comes to by.
type Both = [(Option<Arc<Rates>>, Option<Arc<Rates>>); 2];

impl Desk {
    /// The last week's answered requests for the draft's model, at the prices in force and as if the draft were. At most the
    /// newest five thousand are counted; with them come their callers' groups and the channels that served.
    ///
    /// # Errors
    /// As [`set_price`](Desk::set_price); `Invalid` for what is not the price of one model.
    pub async fn simulate_price(&self, actor: &Actor, draft: &PriceDraft) -> UseCaseResult<Simulated> {
        let tree = self.tree().await?;
        check_book(actor, &tree, draft.book)?;
        match draft.book.filter(|_| draft.channel.is_none()) {
            None => actor.check_in_house(Action::ManageHouse)?,
            Some(tenant) => actor.check(&tree, Action::SetPrices, tenant)?,
        }
        self.read_prices().await?;
        let now = UnixMicros::now();
        let snapshot = self.snapshot_with(draft, now).await?;
        let channels: HashMap<ChannelId, ChannelConfig> =
            self.store.channels().await?.into_iter().map(|channel| (channel.id, channel)).collect();
        let (receipts, whole) = self.week_of(actor, &tree, draft, now).await?;
        let mut callers: HashMap<(KeyId, UserId), Option<Caller>> = HashMap::new();
        let mut prices: HashMap<(KeyId, UserId, ChannelId, Arc<str>), Both> = HashMap::new();
        let mut sums = Simulated {
            requests: 0,
            since: receipts.last().filter(|_| !whole).map_or(UnixMicros(now.0 - WEEK_US), |last| last.at),
            whole,
            before: SimulatedSums::default(),
            after: SimulatedSums::default(),
        };
        for receipt in &receipts {
            let Some(channel) = receipt.channel.and_then(|id| channels.get(&id)) else { continue };
            let who = (receipt.key, receipt.user);
            if let Entry::Vacant(place) = callers.entry(who) {
                place.insert(self.caller_of(&tree, receipt).await?);
            }
            let Some(Some(caller)) = callers.get(&who) else { continue };
            let key = (who.0, who.1, channel.id, receipt.upstream_model.clone());
            let both = prices.entry(key).or_insert_with(|| {
                let offer = Offer {
                    model: &receipt.model,
                    channel: channel.id,
                    provider: &channel.provider,
                    upstream_model: &receipt.upstream_model,
                };
                let is = self.book.with_mint(now, |mint| mint.levels(caller, &offer, &[]));
                let would = self.book.with_rules(&snapshot, now, |mint| mint.levels(caller, &offer, &[]));
                [paid(is, draft.book), paid(would, draft.book)]
            });
            let [is, would] = both;
            sums.requests += 1;
            add(&mut sums.before, is, receipt);
            add(&mut sums.after, would, receipt);
        }
        Ok(sums)
    }

    /// The rules in force, and the draft as the newest.
    async fn snapshot_with(
        &self,
        draft: &PriceDraft,
        now: UnixMicros,
    ) -> UseCaseResult<crate::snapshot::Snapshot> {
        let mut rules = self.store.prices().await?;
        let version = rules.iter().map(|rule| rule.version).max().unwrap_or(0) + 1;
        let PriceDraft { book, channel, model, rates, .. } = draft.clone();
        rules.push(PriceOverride { version, book, channel, model, effective_at: now, rates });
        crate::snapshot::Snapshot::new(rules).map_err(broken)
    }

    async fn week_of(
        &self,
        actor: &Actor,
        tree: &Tree,
        draft: &PriceDraft,
        now: UnixMicros,
    ) -> UseCaseResult<(Vec<Receipt>, bool)> {
        // A reseller's own users and those of everybody below it pay through its book.
        let who = match draft.book.filter(|_| !actor.may_in_house(Action::ManageHouse)) {
            Some(tenant) => Who::Tenants(super::common::branch(tree, tenant)),
            None => draft.book.map_or(Who::All, |tenant| Who::Tenants(super::common::branch(tree, tenant))),
        };
        let model = (draft.model != "*" && !draft.model.is_empty() && draft.channel.is_none())
            .then(|| draft.model.clone());
        let mut query = LogQuery {
            since: Some(UnixMicros(now.0 - WEEK_US)),
            who,
            channel: draft.channel,
            model,
            outcome: Some(Outcome::Answered),
            limit: PAGE,
            ..LogQuery::default()
        };
        let mut all = Vec::new();
        loop {
            let page = self.store.log(&query).await?;
            let last = page.len() < PAGE as usize;
            query.before = page.last().map(|receipt| receipt.id);
            all.extend(page.into_iter().filter(|receipt| !receipt.operation.is_free()));
            if last || all.len() >= MOST {
                let whole = last && all.len() <= MOST;
                all.truncate(MOST);
                return Ok((all, whole));
            }
        }
    }

    async fn caller_of(&self, tree: &Tree, receipt: &Receipt) -> UseCaseResult<Option<Caller>> {
        let Some(user) = self.store.user(receipt.user).await? else { return Ok(None) };
        let key = self
            .store
            .key(receipt.key)
            .await?
            .unwrap_or_else(|| ApiKey { id: receipt.key, ..ApiKey::default() });
        let user = User { tenant: receipt.tenant, ..user };
        let mut path = tree.path(receipt.tenant).cloned();
        let Some(tenant) = path.next() else { return Ok(None) };
        Ok(Some(Caller::new(key, user, tenant).under(path.collect())))
    }
}

/// What is paid to the book (the house's: by whoever is its customer), and what the book's keeper pays.
fn paid(levels: Levels, book: Option<TenantId>) -> (Option<Arc<Rates>>, Option<Arc<Rates>>) {
    let mut all = levels.levels.into_iter();
    match book {
        None => (all.find(|level| level.leg || level.buyer.is_none()).map(|level| level.rates), levels.cost),
        Some(tenant) => {
            let mut cost = None;
            for level in all {
                if level.seller == Some(tenant) {
                    return (Some(level.rates), cost);
                }
                if level.buyer == Some(tenant) {
                    cost = Some(level.rates);
                }
            }
            (None, cost)
        }
    }
}

fn add(sums: &mut SimulatedSums, prices: &(Option<Arc<Rates>>, Option<Arc<Rates>>), receipt: &Receipt) {
    let of = |rates: &Option<Arc<Rates>>| {
        rates.as_ref().map_or(Nano::ZERO, |rates| rating::total(rates, &receipt.usage))
    };
    sums.revenue = sums.revenue.plus(of(&prices.0));
    sums.cost = sums.cost.plus(of(&prices.1));
}
