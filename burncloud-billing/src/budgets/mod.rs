//! Budgets: what may be spent by whom in a span of time.
//!
//! Each budget has a counter: what was spent in the current window of its period, and what is held for requests under
//! way. A request is held at every counter on its way (its key's, its user's, those of the tenants above, its model's) by its
//! upper estimate, in money and tokens; each check is one step with its hold, and what one counter refuses is taken back at
//! the others. Settling puts what was used in the place of the hold. A hold belongs to the window it was made in: settled
//! after that, it changes nothing.
//!
//! Counters begin with what the store knows of their window, and what the journal of an earlier process held beside it.
//! [`reload_budgets`] takes over what other processes spent: where the store knows of more than this process does, that
//! counts. Between two reloads each process sees only its own spending.

mod alerts;
mod counter;
mod period;

pub use alerts::Alerts;
pub(crate) use counter::{Counter, Held, Refused};

use crate::biller::Biller;
use crate::error::BillingError;
use burncloud_core::store::{BudgetStore, PlanStore, SpendingStore};
use burncloud_core::{
    Allowance, Budget, Enforcement, Error, ErrorKind, Nano, Period, Scope, Spent, UnixMicros,
};
use parking_lot::Mutex;
use period::Window;
pub(crate) use period::zone;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A budget with what the store knows of its window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedBudget {
    /// The budget.
    pub budget: Budget,
    /// From when on: the beginning of its window.
    pub since: UnixMicros,
    /// By recorded receipts.
    pub spent: Spent,
}

/// A budget and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetState {
    /// The budget.
    pub budget: Budget,
    /// What was spent in the current window.
    pub spent: Spent,
    /// What is held for requests under way.
    pub held: Spent,
    /// When the next window begins; `None` is never.
    pub until: Option<UnixMicros>,
}

/// Checks what an operator sets: a name, a time zone that there is, an allowance that is not negative.
///
/// # Errors
/// [`BillingError::Budget`] with the reason.
pub fn check_budget(budget: &Budget) -> Result<(), BillingError> {
    let fault = |why: &str| Err(BillingError::Budget { name: budget.name.clone(), why: why.to_owned() });
    if budget.name.is_empty() || budget.name.len() > 255 {
        return fault("a name has 1 to 255 bytes");
    }
    if period::zone(&budget.time_zone).is_none() {
        return fault(&format!(
            "`{}` is no time zone; use an IANA name such as `Asia/Shanghai`",
            budget.time_zone
        ));
    }
    if matches!(budget.allowance, Allowance::Money(nano) if nano < Nano::ZERO) {
        return fault("an allowance is not negative");
    }
    Ok(())
}

/// When the window began that a budget counts in at that time.
pub(crate) fn window_start(budget: &Budget, now: UnixMicros) -> UnixMicros {
    let zone = period::zone(&budget.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    Window::of(budget.period, &zone, now).since()
}

/// Reads all budgets and what was spent of each in its current window.
///
/// # Errors
/// The store's.
pub async fn load_budgets<S>(store: &S, now: UnixMicros) -> Result<Vec<LoadedBudget>, BillingError>
where
    S: BudgetStore + SpendingStore + ?Sized,
{
    let mut loaded = Vec::new();
    for budget in store.budgets().await? {
        let zone = period::zone(&budget.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let window = Window::of(budget.period, &zone, now);
        let spent = store.spent(&budget.scope, window.since()).await?;
        let since = UnixMicros(window.start);
        loaded.push(LoadedBudget { budget, since, spent });
    }
    Ok(loaded)
}

/// Reads budgets, plans and what was spent from the store into the biller. Call it at the start, after
/// [`Shipper::recover`](crate::Shipper::recover); whenever a budget or a plan has changed; and every minute or so, to
/// take over what other processes spent.
///
/// # Errors
/// The store's; the biller is then as it was.
pub async fn reload_budgets<S>(store: &S, biller: &Biller) -> Result<(), BillingError>
where
    S: BudgetStore + SpendingStore + PlanStore + ?Sized,
{
    let (plans, budgets) = (store.plans().await?, load_budgets(store, UnixMicros::now()).await?);
    biller.set_plans(plans);
    biller.set_budgets(budgets);
    Ok(())
}

/// A budget with its counter.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) budget: Budget,
    pub(crate) counter: Arc<Counter>,
}

impl Rule {
    /// What it refuses beyond; `None` for a soft one.
    fn limit(&self) -> Option<Allowance> {
        (self.budget.enforcement == Enforcement::Hard).then_some(self.budget.allowance)
    }

    pub(crate) fn hold(&self, amount: Spent, at: UnixMicros) -> Result<Held, Refused> {
        self.counter.hold(amount, self.limit(), at)
    }

    /// Settles a hold; an alert is raised when that uses a soft budget up.
    pub(crate) fn settle(&self, held: Held, spent: Spent, alerts: &Alerts) {
        if self.counter.settle(held, spent, self.budget.allowance) {
            self.used_up(alerts);
        }
    }

    fn used_up(&self, alerts: &Alerts) {
        if self.budget.enforcement == Enforcement::Soft {
            let Budget { name, scope, allowance, .. } = &self.budget;
            let text = format!("{scope} has used up {} of {}", amount(*allowance), self.each());
            alerts.raise("budget_soft", name, text);
        }
    }

    fn each(&self) -> &'static str {
        match self.budget.period {
            Period::Hour => "this hour",
            Period::Day => "this day",
            Period::Month => "this month",
            Period::Total => "all time",
        }
    }

    /// The first refusal of a window is told.
    pub(crate) fn tell(&self, kind: &str, refused: Refused, alerts: &Alerts) {
        if refused.first {
            let Budget { name, scope, allowance, .. } = &self.budget;
            let text = format!("{scope} is refused: {} of {} is used up", amount(*allowance), self.each());
            alerts.raise(kind, name, text);
        }
    }

    /// How long it is until the budget begins anew, where that is worth waiting for.
    pub(crate) fn wait(&self, refused: Refused, at: UnixMicros) -> Option<Duration> {
        let soon = matches!(self.budget.period, Period::Hour | Period::Day);
        let left = u64::try_from(refused.until.saturating_sub(at.0)).unwrap_or(0);
        soon.then(|| Duration::from_secs(left.div_ceil(1_000_000).max(1)))
    }

    /// What the caller hears.
    pub(crate) fn refusal(&self, refused: Refused, at: UnixMicros) -> Error {
        let (name, zone) = (&self.budget.name, &self.counter.zone);
        let anew =
            |what| format!("; it begins anew with the {what} at {}", period::spell(zone, refused.until));
        let anew = match self.budget.period {
            Period::Hour => anew("hour"),
            Period::Day => anew("day"),
            Period::Month => anew("month"),
            Period::Total => " and does not begin anew".to_owned(),
        };
        let text = format!("the budget `{name}` does not hold what this request may take{anew}");
        let error = Error::new(ErrorKind::Payment, text).with_code("budget_exceeded");
        match self.wait(refused, at) {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    fn state(&self, at: UnixMicros) -> BudgetState {
        let (spent, held, window) = self.counter.now(at);
        let until = (window.end != i64::MAX).then_some(UnixMicros(window.end));
        BudgetState { budget: self.budget.clone(), spent, held, until }
    }
}

fn amount(allowance: Allowance) -> String {
    match allowance {
        Allowance::Money(nano) => format!("${nano}"),
        Allowance::Tokens(tokens) => format!("{tokens} tokens"),
    }
}

/// What makes two budgets the same count.
type Identity = (String, Scope, Period, String);

/// Every budget there is.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    all: Mutex<HashMap<Identity, Arc<Rule>>>,
    pub(crate) alerts: Alerts,
}

impl Rules {
    /// Takes over budgets: the counters of those that were there before go on. `unshipped` says what the journal held
    /// of a scope beside what the store knows.
    pub(crate) fn take_over(
        &self,
        loaded: Vec<LoadedBudget>,
        unshipped: impl Fn(&Scope, UnixMicros) -> Spent,
    ) -> Vec<Arc<Rule>> {
        let mut all = self.all.lock();
        let before = std::mem::take(&mut *all);
        for LoadedBudget { budget, since, spent } in loaded {
            let identity =
                (budget.name.clone(), budget.scope.clone(), budget.period, budget.time_zone.clone());
            // A budget that is read was read within its window; the next request rolls the counter on.
            let (counter, spent) = match before.get(&identity) {
                Some(rule) => (rule.counter.clone(), spent),
                None => (new_counter(&budget, since), spent.plus(unshipped(&budget.scope, since))),
            };
            counter.take_over(since, spent);
            let rule = Arc::new(Rule { budget, counter });
            if rule.counter.is_newly_used_up(rule.budget.allowance) {
                rule.used_up(&self.alerts);
            }
            all.insert(identity, rule);
        }
        all.values().cloned().collect()
    }

    /// How each stands, by name.
    pub(crate) fn states(&self, at: UnixMicros) -> Vec<BudgetState> {
        let mut states: Vec<_> = self.all.lock().values().map(|rule| rule.state(at)).collect();
        states.sort_by(|a, b| a.budget.name.cmp(&b.budget.name));
        states
    }
}

fn new_counter(budget: &Budget, at: UnixMicros) -> Arc<Counter> {
    let zone = period::zone(&budget.time_zone).unwrap_or_else(|| {
        let (budget, zone) = (&budget.name, &budget.time_zone);
        tracing::error!(budget, zone, "there is no such time zone; the budget goes by UTC");
        jiff::tz::TimeZone::UTC
    });
    Arc::new(Counter::new(budget.period, zone, at))
}
