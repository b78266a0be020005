//! What costs money, or runs out of it.

use super::super::books::{total, wallet};
use super::super::names::Names;
use super::super::span::Window;
use super::super::tally::{Asked, By, Of, Tally};
use super::super::view::{Customer, Source, View};
use super::{Finding, Kind, Look, Severity, Suggestion, id, state};
use crate::desk::prices::{offer, served};
use crate::people;
use burncloud_core::store::CatalogueState;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{
    Allowance, ApiKey, Caller, Enforcement, LineKind, Nano, Scope, Status, Tenant, TenantId, UnixMicros,
    User, UserId,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

const DAY_US: i128 = 86_400_000_000;
/// Of a thousand: a budget that is worth a word.
const NEARLY: u64 = 800;
/// Customers whose wallets are looked at: those with the most requests.
const WALLETS: usize = 500;

/// What is in a wallet, and what was spent from it in the time looked at.
struct Purse {
    balance: Nano,
    credit: Nano,
    spent: Nano,
}

impl Purse {
    fn left(&self) -> Nano {
        self.balance.plus(self.credit)
    }

    /// Whether it is empty; `None` where it lasts another day at the pace of so many microseconds.
    fn empty(&self, over_us: i64) -> Option<bool> {
        let (left, spent) = (i128::from(self.left().0), i128::from(self.spent.0));
        if left <= 0 {
            return Some(true);
        }
        (spent > 0 && left * i128::from(over_us.max(1)) < spent * DAY_US).then_some(false)
    }
}

impl Look<'_> {
    pub(super) async fn losses(&self, all: &mut Vec<Finding>) -> UseCaseResult<()> {
        // Where it is served is the house's to know: others see a model once, whatever the account.
        type Seen = (std::sync::Arc<str>, Option<TenantId>, LineKind, Option<burncloud_core::ChannelId>);
        let house = self.sight.is_house();
        let mut seen: BTreeMap<Seen, UnixMicros> = BTreeMap::new();
        for loss in &self.live.losses {
            let own = |seller| house || self.sight.sees_tenant(seller);
            if matches!(self.sight.view, View::EndUser(_)) || !loss.seller.map_or(house, own) {
                continue;
            }
            let channel = Some(loss.channel).filter(|_| house);
            let at = seen.entry((loss.model.clone(), loss.seller, loss.class, channel)).or_insert(loss.at);
            *at = (*at).min(loss.at);
        }
        if seen.is_empty() {
            return Ok(());
        }
        let names = Names::load(&*self.desk.store, self.sight, [], []).await?;
        for ((model, seller, class, channel), at) in seen {
            let book = seller.and_then(|seller| self.sight.tree.get(seller));
            // A tenant that pays nobody is a part of the house.
            let own = seller.is_none_or(|seller| seller == self.actor.tenant)
                || book.is_some_and(|tenant| tenant.parent.is_none());
            let severity = match () {
                () if own => Severity::Hurt,
                () if house => Severity::Info,
                () => Severity::Care,
            };
            let set = vec![Suggestion::SetPrice { book: seller, model: model.to_string() }];
            let kind = Kind::Loss {
                model: model.to_string(),
                seller,
                seller_name: book.map(|tenant| tenant.name.clone()),
                channel,
                channel_name: channel.and_then(|id| names.channel(id)).map(str::to_owned),
                class,
            };
            let found = state(
                id(&("loss", &*model, seller, class, channel)),
                kind,
                severity,
                self.suggest(set, None),
            );
            all.push(Finding { first: Some(at), ..found });
        }
        Ok(())
    }

    /// Models without a price, and prices that wait: of whoever can do something about them.
    pub(super) async fn prices(&self, all: &mut Vec<Finding>) -> UseCaseResult<()> {
        if !self.manages() {
            return Ok(());
        }
        if let Some(copy) = self.desk.store.catalogue(CatalogueState::Pending).await? {
            let version = copy.version;
            let kind = Kind::PricesWait { version, fetched_at: copy.fetched_at, source: copy.source };
            let approve = vec![Suggestion::ApprovePrices { version }];
            let found = state(id(&("prices_wait", version)), kind, Severity::Care, approve);
            all.push(Finding { first: Some(copy.fetched_at), ..found });
        }
        self.desk.read_prices().await?;
        let channels = self.desk.active_channels().await?;
        let caller = Caller::new(ApiKey::default(), User::default(), Tenant::default());
        let models: BTreeSet<&str> = channels.iter().flat_map(served).collect();
        for model in models {
            let lanes = channels.iter().filter(|channel| served(channel).any(|name| name == model));
            let offers: Vec<_> = lanes.map(|channel| offer(channel, model)).collect();
            let Some(first) = offers.first() else { continue };
            let quote = crate::quote(&self.desk.book, &caller, first, &offers, self.now);
            let refused = quote.levels.is_empty();
            if refused || quote.unpriced {
                let kind = Kind::Unpriced { model: model.to_owned(), refused };
                let set = vec![Suggestion::SetPrice { book: None, model: model.to_owned() }];
                all.push(state(id(&("unpriced", model)), kind, Severity::Care, set));
            }
        }
        Ok(())
    }

    pub(super) async fn budgets(&self, all: &mut Vec<Finding>) -> UseCaseResult<()> {
        for view in self.desk.budgets(self.actor).await? {
            let crate::desk::BudgetView { budget, spent_money, spent_tokens, .. } = view;
            let (spent, most) = match budget.allowance {
                Allowance::Money(most) => (spent_money.0.max(0).unsigned_abs(), most.0.max(0).unsigned_abs()),
                Allowance::Tokens(most) => (spent_tokens, most),
            };
            let permille = u128::from(spent) * 1_000 / u128::from(most.max(1));
            let permille = if most == 0 { 1_000 } else { u64::try_from(permille).unwrap_or(u64::MAX) };
            if permille < NEARLY {
                continue;
            }
            let hard = budget.enforcement == Enforcement::Hard;
            let own = matches!(self.sight.view, View::EndUser(_));
            let many = matches!(budget.scope, Scope::Tenant(_) | Scope::Model(_));
            let severity = match (permille >= 1_000, hard) {
                (true, true) if own || many => Severity::Hurt,
                (true, true) => Severity::Care,
                (false, true) if own => Severity::Care,
                _ => Severity::Info,
            };
            let may = people::check_budget(&*self.desk.store, self.actor, &budget).await.is_ok();
            let raise = may.then(|| Suggestion::RaiseBudget { budget: budget.name.clone() });
            let found_id = id(&("budget", &budget.name));
            let kind = Kind::Budget {
                name: budget.name,
                scope: budget.scope,
                allowance: budget.allowance,
                spent_money,
                spent_tokens,
                permille,
                hard,
            };
            all.push(state(found_id, kind, severity, raise.into_iter().collect()));
        }
        Ok(())
    }

    pub(super) async fn credit(&self, all: &mut Vec<Finding>) -> UseCaseResult<()> {
        let store = &*self.desk.store;
        let (providers, window) = (BTreeMap::new(), Window { since: self.since, until: self.now });
        let asked = |by| Asked {
            store,
            sight: self.sight,
            window,
            by,
            grain: None,
            only: None,
            providers: &providers,
        };
        if let Some(own) = wallet(store, self.sight).await?
            && !own.unlimited
        {
            let spent = total(&asked(None)).await?;
            let whose = match self.sight.view {
                View::EndUser(user) => Customer::User(user),
                View::House | View::Reseller(_) => Customer::Tenant(self.actor.tenant),
            };
            let purse = Purse {
                balance: own.balance,
                credit: own.credit,
                spent: spent.cost.unwrap_or(spent.row.charge),
            };
            let name = match whose {
                Customer::Tenant(id) => self.sight.tree.get(id).map(|tenant| tenant.name.clone()),
                Customer::User(_) => Some(self.actor.name.clone()),
            };
            all.extend(self.wallet_finding((whose, name), None, &purse, &spent, true));
        }
        if matches!(self.sight.view, View::EndUser(_)) {
            return Ok(());
        }
        self.customers(asked(Some(By::Customer)), all).await
    }

    /// Of those who made most requests in that time.
    async fn customers<S: Source + ?Sized>(
        &self,
        asked: Asked<'_, S>,
        all: &mut Vec<Finding>,
    ) -> UseCaseResult<()> {
        let mut active: Vec<(Customer, Tally)> = Vec::new();
        for ((_, of), tally) in asked.tallies().await? {
            if let Of::Customer(customer) = of {
                active.push((customer, tally));
            }
        }
        active.sort_by_key(|(_, tally)| Reverse(tally.row.requests));
        active.truncate(WALLETS);
        let users: BTreeSet<UserId> = active
            .iter()
            .filter_map(|(customer, _)| match customer {
                Customer::User(id) => Some(*id),
                Customer::Tenant(_) => None,
            })
            .collect();
        let names = Names::load(asked.store, self.sight, users, []).await?;
        for (customer, tally) in &active {
            let (of, tenant) = match customer {
                Customer::User(id) => {
                    let Some(user) = names.users.get(id) else { continue };
                    ((user.balance, user.credit, user.unlimited, user.status), Some(user.tenant))
                }
                Customer::Tenant(id) => {
                    let Some(of) = self.sight.tree.get(*id) else { continue };
                    ((of.balance, of.credit, of.unlimited, of.status), Some(*id))
                }
            };
            let (balance, credit, unlimited, status) = of;
            // What the actor itself has was said.
            if unlimited || status != Status::Active || *customer == Customer::Tenant(self.actor.tenant) {
                continue;
            }
            let purse = Purse { balance, credit, spent: tally.value() };
            let name = names.customer(self.sight, *customer);
            all.extend(self.wallet_finding((*customer, name), tenant, &purse, tally, false));
        }
        Ok(())
    }

    fn wallet_finding(
        &self,
        (whose, name): (Customer, Option<String>),
        tenant: Option<TenantId>,
        purse: &Purse,
        tally: &Tally,
        own: bool,
    ) -> Option<Finding> {
        let empty = purse.empty(self.now.0 - self.since.0)?;
        let severity = match (own, empty) {
            (true, true) => Severity::Hurt,
            (true, false) | (false, true) => Severity::Care,
            (false, false) => Severity::Info,
        };
        let (balance, credit) = (purse.balance, purse.credit);
        let kind = Kind::Credit { whose, name, own, balance, credit, empty };
        let fund = vec![Suggestion::TopUpCustomer { customer: whose }];
        let found = state(id(&("credit", whose)), kind, severity, self.suggest(fund, tenant));
        Some(Finding { count: tally.row.requests.max(1), customers: 1, ..found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_that_does_not_last_a_day_is_nearly_empty() {
        let week = i64::try_from(7 * DAY_US).unwrap();
        let of = |balance, credit, spent| {
            Purse { balance: Nano(balance), credit: Nano(credit), spent: Nano(spent) }.empty(week)
        };
        assert_eq!(of(0, 0, 0), Some(true));
        assert_eq!(of(-5, 5, 70), Some(true));
        assert_eq!(of(-5, 6, 70), Some(false));
        assert_eq!(of(9, 0, 70), Some(false), "10 a day");
        assert_eq!(of(10, 0, 70), None);
        assert_eq!(of(1, 0, 0), None, "nobody spends it");
        assert_eq!(of(i64::MAX, 0, i64::MAX), None);
    }
}
