//! Keys with what they are used for: the list of keys, and one of them.

use super::span::{Grain, Span, Window, bins, date_of, midnight, pieces};
use super::view::Sight;
use crate::desk::{AuditQuery, BudgetView, Desk, KeyFilter, KeyView};
use crate::people::{self, Actor, Tree};
use burncloud_core::store::{Dim, KeyQuery, LogQuery, StoreResult, UsageQuery, UsageRow, Who};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{Allowance, ApiKey, Enforcement, KeyId, Nano, Scope, Status, UnixMicros, User};
use jiff::ToSpan;
use serde::Serialize;
use std::collections::HashMap;

/// From this share of a budget on somebody should look at it, in hundredths.
const NEAR: u128 = 80;
/// A key that nobody used for so long is idle.
const IDLE_US: i64 = 7 * 86_400_000_000;
/// Keys looked through for one page of those in a state that the store does not know.
const LOOK: usize = 5_000;
/// Days shown of one key, today's included.
const DAYS: i64 = 30;
/// "Now", where it is asked what a key carries.
const LATELY_US: i64 = 300_000_000;

/// How a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// In use.
    Active,
    /// Four fifths of a budget or of its quota are used.
    Near,
    /// A budget that is enforced, or its quota, is used up: it is refused.
    Spent,
    /// Nobody used it in the last seven days.
    Idle,
    /// Its time is over.
    Expired,
    /// Switched off.
    Off,
    /// Withdrawn for good.
    Revoked,
}

/// A key with what it is used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// The key.
    #[serde(flatten)]
    pub view: KeyView,
    /// How it stands.
    pub state: KeyState,
    /// What its user was charged for it since midnight.
    pub today: Nano,
    /// When it was used last, to the quarter of an hour.
    pub last_used: Option<UnixMicros>,
    /// Its budgets, by name.
    pub budgets: Vec<BudgetView>,
    /// What the actor may do with it.
    pub may: KeyMay,
}

/// Keys, with what they are used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyList {
    /// In the order of their ids.
    pub rows: Vec<KeyRow>,
    /// The `after` of the next page; `None` on the last.
    pub next: Option<KeyId>,
    /// How many fit the filter, whatever their state.
    pub total: u64,
    /// How many of all that the actor sees are switched on.
    pub active: u64,
    /// How many of the first thousand of those are near an end or at it.
    pub care: u64,
}

/// A day of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KeyDay {
    /// When it begins.
    pub at: UnixMicros,
    /// What was charged.
    pub charge: Nano,
    /// Requests.
    pub requests: u64,
}

/// What the actor may do with a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KeyMay {
    /// Change, rotate and withdraw it.
    pub change: bool,
    /// Set budgets for it.
    pub budgets: bool,
    /// Choose the group it calls as.
    pub group: bool,
    /// Ask for what AWS's SDKs sign with: its own user.
    pub sign: bool,
}

impl KeyMay {
    /// With the keys of that user.
    fn with(actor: &Actor, tree: &Tree, owner: &User) -> KeyMay {
        let may = |regroup| people::check_key(tree, actor, owner, regroup, None).is_ok();
        KeyMay {
            change: may(false),
            budgets: may(false) && actor.may(tree, people::Action::ManageUsers, owner.tenant),
            group: may(true),
            sign: actor.user == Some(owner.id) && actor.acting.is_none(),
        }
    }

    /// Nobody does anything with a key that is withdrawn.
    fn of(self, key: &ApiKey) -> KeyMay {
        if key.status == Status::Revoked { KeyMay::default() } else { self }
    }
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyPage {
    /// The key, with what it is used for.
    #[serde(flatten)]
    pub row: KeyRow,
    /// The last thirty days, today's last.
    pub days: Vec<KeyDay>,
    /// Requests in those that were refused: the caller's own fault.
    pub refused: u64,
    /// Requests in the last five minutes; 1,000 stands for more.
    pub lately: u64,
    /// Who made it, where that was written down and may be seen.
    pub made_by: Option<String>,
}

/// How much of a whole, in hundredths; over a hundred is over it.
fn share(part: u128, whole: u128) -> u128 {
    part.saturating_mul(100).checked_div(whole).unwrap_or(100)
}

fn nanos(amount: Nano) -> u128 {
    u128::try_from(amount.0).unwrap_or_default()
}

impl BudgetView {
    /// How much of it is used, in hundredths, rounded down; more than a hundred where more was spent than it holds.
    #[must_use]
    pub fn percent(&self) -> u32 {
        let used = match self.budget.allowance {
            Allowance::Money(all) => share(nanos(self.spent_money), nanos(all)),
            Allowance::Tokens(all) => share(self.spent_tokens.into(), all.into()),
        };
        u32::try_from(used).unwrap_or(u32::MAX)
    }
}

impl KeyRow {
    /// How much of its quota is used, in hundredths; `None` without one.
    #[must_use]
    pub fn quota_percent(&self) -> Option<u32> {
        quota_percent(&self.view.key)
    }
}

fn quota_percent(key: &ApiKey) -> Option<u32> {
    key.quota.map(|quota| u32::try_from(share(nanos(key.used), nanos(quota))).unwrap_or(u32::MAX))
}

/// How a key stands that has these budgets and was used last then.
fn state(key: &ApiKey, budgets: &[BudgetView], last: Option<UnixMicros>, now: UnixMicros) -> KeyState {
    let hard = |budget: &&BudgetView| budget.budget.enforcement == Enforcement::Hard;
    let over = budgets.iter().filter(hard).any(|budget| budget.percent() >= 100);
    let most = budgets.iter().map(BudgetView::percent).chain(quota_percent(key)).max().unwrap_or(0);
    match key.status {
        Status::Revoked => KeyState::Revoked,
        Status::Disabled => KeyState::Off,
        Status::Active if key.expires_at.is_some_and(|at| at <= now) => KeyState::Expired,
        Status::Active if over || quota_percent(key).is_some_and(|used| used >= 100) => KeyState::Spent,
        Status::Active if u128::from(most) >= NEAR => KeyState::Near,
        Status::Active if last.is_none_or(|at| now.0 - at.0 > IDLE_US) => KeyState::Idle,
        Status::Active => KeyState::Active,
    }
}

type Budgets = HashMap<KeyId, Vec<BudgetView>>;

impl Desk {
    async fn budgets_of_keys(&self, actor: &Actor) -> UseCaseResult<Budgets> {
        let mut all = Budgets::new();
        for budget in people::list_budgets(&*self.store, actor).await? {
            if let Scope::Key(id) = budget.scope {
                all.entry(id).or_default().push(self.budget_view(budget).await?);
            }
        }
        Ok(all)
    }

    async fn last_uses(&self, keys: &[KeyId]) -> StoreResult<HashMap<KeyId, UnixMicros>> {
        Ok(self.store.last_used(keys).await?.into_iter().collect())
    }

    /// What was charged since midnight by the clock of the actor's tenant, by key.
    async fn charged_today(
        &self,
        sight: &Sight,
        who: Who,
        now: UnixMicros,
    ) -> UseCaseResult<HashMap<KeyId, Nano>> {
        let Window { since, until } = Span::Today.resolve(&sight.zone, now)?.now;
        // The quarter of an hour that is now counts whole.
        let until = UnixMicros(until.0 + 1);
        let query = UsageQuery { since, until, by: vec![Dim::Key], who, ..UsageQuery::default() };
        let rows = self.store.usage(&query).await?;
        Ok(rows.into_iter().filter_map(|row| Some((row.key?, row.charge))).collect())
    }

    /// The keys that the actor sees, with what they are used for; those of a `state` alone, if one is given. Where a state is
    /// wanted that few keys are in, a page may have less rows than its limit and be followed by another.
    ///
    /// # Errors
    /// As [`Desk::keys`].
    pub async fn keys_in_use(
        &self,
        actor: &Actor,
        filter: &KeyFilter,
        wanted: Option<KeyState>,
    ) -> UseCaseResult<KeyList> {
        let now = UnixMicros::now();
        let sight = Sight::of(&*self.store, actor).await?;
        let budgets = self.budgets_of_keys(actor).await?;
        let who = filter.user.map_or_else(|| sight.who(), Who::User);
        let today = self.charged_today(&sight, who, now).await?;
        let limit = if filter.limit == 0 { 50 } else { filter.limit as usize };
        let (mut filter, mut rows, mut looked) = (filter.clone(), Vec::new(), 0);
        let (mut total, mut next) = (None, None);
        loop {
            let (page, users) = self.keys_and_owners(actor, &filter).await?;
            let ids: Vec<KeyId> = page.items.iter().map(|view| view.key.id).collect();
            let last = self.last_uses(&ids).await?;
            looked += ids.len();
            let mut more = page.next.map(KeyId);
            total = total.or(page.total);
            for view in page.items {
                let id = view.key.id;
                let (last_used, budgets) =
                    (last.get(&id).copied(), budgets.get(&id).cloned().unwrap_or_default());
                let state = state(&view.key, &budgets, last_used, now);
                if wanted.is_some_and(|wanted| wanted != state) {
                    continue;
                }
                let today = today.get(&id).copied().unwrap_or(Nano::ZERO);
                let owner = users.get(&view.key.user);
                let may = owner.map_or_else(KeyMay::default, |user| KeyMay::with(actor, &sight.tree, user));
                let may = may.of(&view.key);
                rows.push(KeyRow { view, state, today, last_used, budgets, may });
                if rows.len() == limit && ids.last() != Some(&id) {
                    more = Some(id);
                    break;
                }
            }
            next = more.or(next.filter(|_| more.is_some()));
            if rows.len() >= limit || looked >= LOOK || next.is_none() {
                break;
            }
            filter.after = next;
        }
        let (active, care) = self.keys_summary(&sight, &budgets, now).await?;
        Ok(KeyList { rows, next, total: total.unwrap_or_default(), active, care })
    }

    async fn keys_summary(
        &self,
        sight: &Sight,
        budgets: &Budgets,
        now: UnixMicros,
    ) -> UseCaseResult<(u64, u64)> {
        let query =
            KeyQuery { who: sight.who(), status: Some(Status::Active), limit: 1_000, ..KeyQuery::default() };
        let active = self.store.count_keys(&query).await?;
        let keys = self.store.find_keys(&query).await?;
        let care = |key: &&ApiKey| {
            let budgets = budgets.get(&key.id).map(Vec::as_slice).unwrap_or_default();
            matches!(state(key, budgets, Some(now), now), KeyState::Near | KeyState::Spent)
        };
        Ok((active, keys.iter().filter(care).count() as u64))
    }

    /// One key, with what it is used for.
    ///
    /// # Errors
    /// As [`Desk::key`].
    pub async fn key_in_use(&self, actor: &Actor, id: KeyId) -> UseCaseResult<KeyPage> {
        let now = UnixMicros::now();
        let view = self.key(actor, id).await?;
        let sight = Sight::of(&*self.store, actor).await?;
        let budgets = self.budgets_of_keys(actor).await?.remove(&id).unwrap_or_default();
        let last_used = self.last_uses(&[id]).await?.remove(&id);
        let (days, refused) = self.key_days(&sight, id, now).await?;
        let since = Some(UnixMicros(now.0 - LATELY_US));
        let lately = LogQuery { since, who: Who::Key(id), limit: 1_000, ..LogQuery::default() };
        let lately = self.store.log(&lately).await?.len() as u64;
        let subject = Some(format!("key:{id}"));
        let audit = self.audit(actor, &AuditQuery { subject, limit: 1_000, ..AuditQuery::default() }).await?;
        let made = audit.items.into_iter().find(|view| view.entry.action == "key.create");
        let owner = self.store.user(view.key.user).await?;
        let may = owner.map_or_else(KeyMay::default, |user| KeyMay::with(actor, &sight.tree, &user));
        let may = may.of(&view.key);
        let state = state(&view.key, &budgets, last_used, now);
        let today = days.last().map_or(Nano::ZERO, |day| day.charge);
        Ok(KeyPage {
            row: KeyRow { view, state, today, last_used, budgets, may },
            days,
            refused,
            lately,
            made_by: made.map(|view| view.entry.author),
        })
    }

    async fn key_days(&self, sight: &Sight, id: KeyId, now: UnixMicros) -> UseCaseResult<(Vec<KeyDay>, u64)> {
        let zone = &sight.zone;
        let first = date_of(zone, now)?.saturating_sub((DAYS - 1).days());
        let window = Window { since: midnight(zone, first)?, until: UnixMicros(now.0 + 1) };
        let mut sums: HashMap<UnixMicros, UsageRow> = HashMap::new();
        for piece in pieces(zone, window) {
            let Window { since, until } = piece.window;
            let step = piece.step(Grain::Day);
            let query = UsageQuery { since, until, step, who: Who::Key(id), ..UsageQuery::default() };
            for row in self.store.usage(&query).await? {
                let at = piece.begin(zone, Grain::Day, row.start);
                sums.entry(at).or_default().add(&row);
            }
        }
        let refused = sums.values().map(|row| row.refused).sum();
        let day = |at: UnixMicros| {
            let row = sums.get(&at);
            KeyDay {
                at,
                charge: row.map_or(Nano::ZERO, |row| row.charge),
                requests: row.map_or(0, |row| row.requests),
            }
        };
        Ok((bins(zone, window, Grain::Day).into_iter().map(day).collect(), refused))
    }

    /// The models that some account serves now, by name: what a key can be given.
    ///
    /// # Errors
    /// The store's.
    pub async fn models_served(&self) -> UseCaseResult<Vec<String>> {
        let channels = self.active_channels().await?;
        let names: std::collections::BTreeSet<&str> =
            channels.iter().flat_map(crate::desk::prices::served).collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::World;
    use super::*;
    use crate::desk::{BudgetDraft, KeyChange};
    use burncloud_core::adapter::Registry;
    use burncloud_core::store::ReceiptStore;
    use burncloud_core::{Period, Role};
    use std::sync::Arc;

    /// The world of reports, with receipts of the last minutes: ann 2, cho 1.
    async fn desk() -> (Desk, World) {
        let mut world = World::new().await;
        let now = UnixMicros::now().0;
        let receipts = [
            world.receipt("ulla", "fast", now - 1_000_000),
            world.receipt("ulla", "fast", now - 40 * 86_400_000_000),
            world.receipt("cho", "fast", now - 1_000_000),
        ];
        for receipt in receipts {
            world.store.record(&[Arc::new(receipt)]).await.unwrap();
        }
        (Desk::new(world.store.clone(), Registry::default()), world)
    }

    fn names(list: &KeyList) -> Vec<&str> {
        list.rows.iter().map(|row| row.view.key.name.as_str()).collect()
    }

    #[tokio::test]
    async fn a_list_says_what_each_key_is_used_for_and_nobody_sees_more_than_their_keys() {
        let (desk, world) = desk().await;
        let boss = Actor::operator("boss");
        let all = desk.keys_in_use(&boss, &KeyFilter::default(), None).await.unwrap();
        assert_eq!((all.rows.len(), all.total, all.active, all.care), (5, 5, 5, 0));
        let ann = &all.rows[0];
        assert_eq!((ann.view.user_name.as_str(), ann.state), ("ulla", KeyState::Active));
        assert!(ann.today == Nano(20_002) || ann.today == Nano::ZERO, "midnight may have just passed");
        assert!(ann.last_used.is_some());
        assert_eq!(all.rows[2].state, KeyState::Idle, "never used");
        let idle = desk.keys_in_use(&boss, &KeyFilter::default(), Some(KeyState::Idle)).await.unwrap();
        assert_eq!(names(&idle), ["key-of-rex", "key-of-bob", "key-of-yves"]);
        let rex = Actor::of(&world.users["rex"]);
        let seen = desk.keys_in_use(&rex, &KeyFilter::default(), None).await.unwrap();
        assert_eq!(names(&seen), ["key-of-rex", "key-of-bob", "key-of-cho"]);
        let cho = Actor::of(&world.users["cho"]);
        let seen = desk.keys_in_use(&cho, &KeyFilter::default(), None).await.unwrap();
        assert_eq!((names(&seen), seen.active), (vec!["key-of-cho"], 1));
        assert!(desk.key_in_use(&cho, world.keys["ulla"]).await.is_err());
    }

    #[tokio::test]
    async fn pages_of_a_state_leave_nothing_out() {
        let (desk, _) = desk().await;
        let boss = Actor::operator("boss");
        let (mut after, mut found) = (None, Vec::new());
        for _ in 0..10 {
            let filter = KeyFilter { after, limit: 2, ..KeyFilter::default() };
            let page = desk.keys_in_use(&boss, &filter, Some(KeyState::Idle)).await.unwrap();
            found.extend(names(&page).into_iter().map(str::to_owned));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, ["key-of-rex", "key-of-bob", "key-of-yves"]);
    }

    #[tokio::test]
    async fn budgets_and_quotas_decide_how_a_key_stands() {
        let (desk, world) = desk().await;
        let boss = Actor::operator("boss");
        let id = world.keys["ulla"];
        let budget = |money: i64, enforcement| BudgetDraft {
            name: "b".into(),
            scope: Scope::Key(id),
            period: Period::Total,
            allowance: Allowance::Money(Nano(money)),
            enforcement,
            time_zone: "UTC".into(),
        };
        for (money, enforcement, wanted) in [
            (1_000_000, Enforcement::Hard, KeyState::Active),
            (45_000, Enforcement::Hard, KeyState::Near),
            (40_004, Enforcement::Hard, KeyState::Spent),
            (40_004, Enforcement::Soft, KeyState::Near),
        ] {
            desk.set_budget(&boss, budget(money, enforcement), None).await.unwrap();
            let page = desk.key_in_use(&boss, id).await.unwrap();
            assert_eq!(page.row.state, wanted, "{money} {enforcement:?}");
        }
        let list = desk.keys_in_use(&boss, &KeyFilter::default(), None).await.unwrap();
        assert_eq!(list.care, 1);
        let change = KeyChange { status: Some(Status::Disabled), ..KeyChange::default() };
        desk.update_key(&boss, id, change, None).await.unwrap();
        assert_eq!(desk.key_in_use(&boss, id).await.unwrap().row.state, KeyState::Off);
    }

    #[tokio::test]
    async fn one_key_has_thirty_days_and_says_what_may_be_done() {
        let (desk, world) = desk().await;
        let ann = Actor::of(&world.users["ulla"]);
        let page = desk.key_in_use(&ann, world.keys["ulla"]).await.unwrap();
        assert_eq!(page.days.len(), 30);
        let charged = page.days.iter().fold(Nano::ZERO, |sum, day| sum.plus(day.charge));
        assert_eq!((charged, page.lately), (Nano(20_002), 1), "forty days ago is not in it");
        assert_eq!(page.row.may, KeyMay { change: true, budgets: false, group: false, sign: true });
        let boss = Actor::operator("boss");
        let page = desk.key_in_use(&boss, world.keys["ulla"]).await.unwrap();
        assert_eq!(page.row.may, KeyMay { change: true, budgets: true, group: true, sign: false });
        let books = Actor { role: Role::Accountant, tenant: world.tenants["default"], ..boss };
        let page = desk.key_in_use(&books, world.keys["ulla"]).await.unwrap();
        assert_eq!(page.row.may, KeyMay::default());
        assert_eq!(desk.models_served().await.unwrap(), ["fast"]);
    }
}
