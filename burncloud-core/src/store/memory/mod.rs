//! A store in memory: for tests, embedders without a database, and as the reference of the traits.

mod archive;
mod budgets;
mod codes;
mod identity;
mod ledger;
mod people;
mod proof;
mod records;
mod reports;
mod trade;

use super::{
    CallerStore, KeyStore, NewKey, NewTenant, NewUser, PriceOverride, ReceiptFilter, ReceiptStore,
    StoreError, StoreResult, UserStore,
};
use crate::{
    ApiKey, Caller, ChannelConfig, ChannelId, KeyHash, KeyId, Nano, Receipt, ReceiptId, Status, Tenant,
    TenantId, UnixMicros, User, UserId,
};
use async_trait::async_trait;
use parking_lot::RwLock;
use secrecy::SecretString;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// How many receipts a [`MemoryStore`] keeps unless told otherwise.
const RECEIPTS: usize = 100_000;

/// Keeps everything in memory; implements every trait of [`super`].
///
/// A new one holds the tenant `default` and in it the user `default`, whose balance is unlimited. Receipts
/// are bounded: beyond the newest 100 000 (or [`MemoryStore::keeping`]) the oldest are forgotten, and with
/// them the knowledge that they were recorded. What they added to `used` and took from balances stays.
pub struct MemoryStore {
    state: RwLock<State>,
    keep: usize,
    /// What callers' signing secrets are derived from: random, and gone with the process.
    signing_key: Option<[u8; 32]>,
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::keeping(RECEIPTS)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// A store that keeps the newest `receipts` receipts.
    #[must_use]
    pub fn keeping(receipts: usize) -> MemoryStore {
        let mut state = State::default();
        let tenant = state.add_tenant(NewTenant { name: "default".into(), ..NewTenant::default() });
        let user =
            NewUser { name: "default".into(), tenant: tenant.id, unlimited: true, ..NewUser::default() };
        state.add_user(user);
        let mut signing_key = [0; 32];
        let signing_key = getrandom::fill(&mut signing_key).ok().map(|()| signing_key);
        MemoryStore { state: RwLock::new(state), keep: receipts.max(1), signing_key }
    }
}

#[derive(Default)]
struct State {
    last_id: i64,
    tenants: BTreeMap<TenantId, Tenant>,
    users: BTreeMap<UserId, User>,
    keys: BTreeMap<KeyId, (ApiKey, KeyHash)>,
    hashes: HashMap<KeyHash, KeyId>,
    /// The secrets before, while they may still work.
    previous: HashMap<KeyHash, KeyId>,
    /// Callers already made: their slots must live until the key, the user or the tenant changes.
    callers: HashMap<KeyHash, Arc<Caller>>,
    channels: BTreeMap<ChannelId, ChannelConfig>,
    receipts: BTreeMap<ReceiptId, Arc<Receipt>>,
    prices: Vec<PriceOverride>,
    books: ledger::Books,
    codes: codes::Codes,
    budgets: budgets::Budgets,
    identity: identity::Identity,
    records: records::Records,
}

fn conflict<T>(what: &'static str, name: &str) -> StoreResult<T> {
    Err(StoreError::Conflict { what, name: name.to_owned() })
}

fn missing(what: &'static str, name: impl fmt::Display) -> StoreError {
    StoreError::NotFound { what, name: name.to_string() }
}

impl State {
    fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    fn add_tenant(&mut self, new: NewTenant) -> Tenant {
        let NewTenant { name, parent, unlimited, group, plan, time_zone, limits } = new;
        let tenant = Tenant {
            id: TenantId(self.next_id()),
            name,
            parent,
            unlimited,
            group,
            plan,
            time_zone,
            limits,
            created_at: UnixMicros::now(),
            ..Tenant::default()
        };
        self.tenants.insert(tenant.id, tenant.clone());
        tenant
    }

    fn add_user(&mut self, new: NewUser) -> User {
        let NewUser { name, tenant, role, unlimited, group, plan, limits } = new;
        let user = User {
            id: UserId(self.next_id()),
            name,
            tenant,
            role,
            unlimited,
            group,
            plan,
            limits,
            created_at: UnixMicros::now(),
            ..User::default()
        };
        self.users.insert(user.id, user.clone());
        user
    }

    /// The tenants above this one, the nearest first.
    fn ancestors(&self, of: &Tenant) -> Vec<Tenant> {
        let mut above = Vec::new();
        let mut next = of.parent;
        while let Some(tenant) = next.and_then(|id| self.tenants.get(&id)) {
            above.push(tenant.clone());
            next = tenant.parent;
        }
        above
    }

    /// The key that a secret opens, and whether that is the one before.
    fn key_of(&self, hash: &KeyHash) -> Option<(&ApiKey, bool)> {
        if let Some(id) = self.hashes.get(hash) {
            return Some((&self.keys.get(id)?.0, false));
        }
        let (key, _) = self.keys.get(self.previous.get(hash)?)?;
        key.previous_until.is_some_and(|until| until > UnixMicros::now()).then_some((key, true))
    }

    /// A known caller, or known to be nobody; `None` if it is still to be made.
    fn known(&self, hash: &KeyHash) -> Option<Option<Arc<Caller>>> {
        if self.key_of(hash).is_none() {
            return Some(None);
        }
        self.callers.get(hash).map(|caller| Some(caller.clone()))
    }

    fn make_caller(&mut self, hash: &KeyHash) -> Option<Arc<Caller>> {
        if let Some(known) = self.known(hash) {
            return known;
        }
        let (key, previous) = self.key_of(hash)?;
        let user = self.users.get(&key.user)?;
        let tenant = self.tenants.get(&user.tenant)?;
        let caller = Caller::new(key.clone(), user.clone(), tenant.clone()).under(self.ancestors(tenant));
        let caller = Arc::new(if previous { caller.by_previous() } else { caller });
        self.callers.insert(*hash, caller.clone());
        Some(caller)
    }

    /// Refuses a key whose name or hash belongs to another, or whose owner does not exist.
    fn check_key(&self, id: Option<KeyId>, name: &str, hash: &KeyHash, user: UserId) -> StoreResult<()> {
        if !self.users.contains_key(&user) {
            return Err(missing("user", user));
        }
        let others = || self.keys.values().filter(|(key, _)| Some(key.id) != id);
        if others().any(|(key, _)| key.name == name) {
            return conflict("key", name);
        }
        if others().any(|(_, taken)| taken == hash) {
            return conflict("key with the same secret as", name);
        }
        Ok(())
    }

    fn changed_user(&mut self, id: UserId) {
        self.callers.retain(|_, caller| caller.user.id != id);
    }

    fn check_channel(&self, id: Option<ChannelId>, name: &str) -> StoreResult<()> {
        let taken = self.channels.values().any(|c| c.name == name && Some(c.id) != id);
        if taken { conflict("channel", name) } else { Ok(()) }
    }

    fn spend(&mut self, receipt: &Receipt) {
        if let Some((key, _)) = self.keys.get_mut(&receipt.key) {
            key.used = key.used.plus(receipt.charge);
        }
        if let Some(user) = self.users.get_mut(&receipt.user) {
            user.used = user.used.plus(receipt.charge);
        }
        for leg in &receipt.legs {
            if let Some(tenant) = self.tenants.get_mut(&leg.tenant) {
                tenant.used = tenant.used.plus(leg.charge);
            }
        }
    }
}

/// At most `limit` of `map` after the id `after`.
fn page<K: Ord + Copy, V, T>(
    map: &BTreeMap<K, V>,
    after: Option<K>,
    limit: u32,
    take: impl Fn(&V) -> T,
) -> Vec<T> {
    use std::ops::Bound::{Excluded, Unbounded};
    let from = after.map_or(Unbounded, Excluded);
    map.range((from, Unbounded)).take(limit as usize).map(|(_, value)| take(value)).collect()
}

#[async_trait]
impl CallerStore for MemoryStore {
    fn peek(&self, hash: &KeyHash) -> Option<Option<Arc<Caller>>> {
        let known = self.state.read().known(hash);
        Some(known.unwrap_or_else(|| self.state.write().make_caller(hash)))
    }

    async fn caller(&self, hash: &KeyHash) -> StoreResult<Option<Arc<Caller>>> {
        Ok(self.peek(hash).flatten())
    }

    fn signing_secret(&self, hash: &KeyHash) -> Option<SecretString> {
        Some(hash.signing_secret(self.signing_key.as_ref()?))
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn create_key(&self, new: NewKey) -> StoreResult<ApiKey> {
        let state = &mut *self.state.write();
        state.check_key(None, &new.name, &new.hash, new.user)?;
        let key = ApiKey {
            id: KeyId(state.next_id()),
            name: new.name,
            hint: new.hint,
            user: new.user,
            status: Status::Active,
            quota: new.quota,
            used: Nano::ZERO,
            limits: new.limits,
            models: new.models,
            ips: new.ips,
            expires_at: new.expires_at,
            group: new.group,
            apps: new.apps,
            previous_until: None,
            created_at: UnixMicros::now(),
        };
        state.hashes.insert(new.hash, key.id);
        state.keys.insert(key.id, (key.clone(), new.hash));
        Ok(key)
    }

    async fn key_by_name(&self, name: &str) -> StoreResult<Option<ApiKey>> {
        Ok(self.state.read().keys.values().find(|(key, _)| key.name == name).map(|(key, _)| key.clone()))
    }

    async fn key(&self, id: KeyId) -> StoreResult<Option<ApiKey>> {
        Ok(self.state.read().keys.get(&id).map(|(key, _)| key.clone()))
    }

    async fn keys(&self, after: Option<KeyId>, limit: u32) -> StoreResult<Vec<ApiKey>> {
        Ok(page(&self.state.read().keys, after, limit, |(key, _)| key.clone()))
    }

    async fn update_key(&self, key: &ApiKey, hash: Option<KeyHash>) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let old_hash = state.keys.get(&key.id).ok_or_else(|| missing("key", &key.name))?.1;
        let hash = hash.unwrap_or(old_hash);
        state.check_key(Some(key.id), &key.name, &hash, key.user)?;
        state.callers.retain(|_, caller| caller.key.id != key.id);
        state.hashes.remove(&old_hash);
        state.hashes.insert(hash, key.id);
        if hash != old_hash || key.previous_until.is_none() {
            state.previous.retain(|_, id| *id != key.id);
        }
        if hash != old_hash && key.previous_until.is_some() {
            state.previous.insert(old_hash, key.id);
        }
        let previous_until = key.previous_until.filter(|_| state.previous.values().any(|id| *id == key.id));
        if let Some((stored, stored_hash)) = state.keys.get_mut(&key.id) {
            let (used, created_at) = (stored.used, stored.created_at);
            *stored = ApiKey { used, created_at, previous_until, ..key.clone() };
            *stored_hash = hash;
        }
        Ok(())
    }

    async fn key_hash(&self, id: KeyId) -> StoreResult<Option<KeyHash>> {
        Ok(self.state.read().keys.get(&id).map(|(_, hash)| *hash))
    }
}

#[async_trait]
impl UserStore for MemoryStore {
    async fn create_tenant(&self, tenant: NewTenant) -> StoreResult<Tenant> {
        let state = &mut *self.state.write();
        if state.tenants.values().any(|other| other.name == tenant.name) {
            return conflict("tenant", &tenant.name);
        }
        if let Some(parent) = tenant.parent.filter(|parent| !state.tenants.contains_key(parent)) {
            return Err(missing("tenant", parent));
        }
        Ok(state.add_tenant(tenant))
    }

    async fn tenant(&self, id: TenantId) -> StoreResult<Option<Tenant>> {
        Ok(self.state.read().tenants.get(&id).cloned())
    }

    async fn tenant_by_name(&self, name: &str) -> StoreResult<Option<Tenant>> {
        Ok(self.state.read().tenants.values().find(|tenant| tenant.name == name).cloned())
    }

    async fn tenants(&self) -> StoreResult<Vec<Tenant>> {
        Ok(self.state.read().tenants.values().cloned().collect())
    }

    async fn update_tenant(&self, tenant: &Tenant) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let stored = state.tenants.get_mut(&tenant.id).ok_or_else(|| missing("tenant", &tenant.name))?;
        *stored = Tenant {
            name: stored.name.clone(),
            parent: stored.parent,
            balance: stored.balance,
            credit: stored.credit,
            used: stored.used,
            created_at: stored.created_at,
            ..tenant.clone()
        };
        state.callers.retain(|_, caller| caller.tenants().all(|above| above.id != tenant.id));
        Ok(())
    }

    async fn create_user(&self, user: NewUser) -> StoreResult<User> {
        let state = &mut *self.state.write();
        if !state.tenants.contains_key(&user.tenant) {
            return Err(missing("tenant", user.tenant));
        }
        if state.users.values().any(|other| other.name == user.name) {
            return conflict("user", &user.name);
        }
        Ok(state.add_user(user))
    }

    async fn user_by_name(&self, name: &str) -> StoreResult<Option<User>> {
        Ok(self.state.read().users.values().find(|user| user.name == name).cloned())
    }

    async fn user(&self, id: UserId) -> StoreResult<Option<User>> {
        Ok(self.state.read().users.get(&id).cloned())
    }

    async fn users(&self, after: Option<UserId>, limit: u32) -> StoreResult<Vec<User>> {
        Ok(page(&self.state.read().users, after, limit, User::clone))
    }

    async fn update_user(&self, user: &User) -> StoreResult<()> {
        let state = &mut *self.state.write();
        let stored = state.users.get_mut(&user.id).ok_or_else(|| missing("user", &user.name))?;
        *stored = User {
            name: stored.name.clone(),
            tenant: stored.tenant,
            balance: stored.balance,
            credit: stored.credit,
            used: stored.used,
            created_at: stored.created_at,
            ..user.clone()
        };
        state.changed_user(user.id);
        Ok(())
    }
}

#[async_trait]
impl ReceiptStore for MemoryStore {
    async fn record(&self, receipts: &[Arc<Receipt>]) -> StoreResult<usize> {
        let state = &mut *self.state.write();
        let mut new = Vec::new();
        for receipt in receipts {
            if let Entry::Vacant(place) = state.receipts.entry(receipt.id) {
                place.insert(receipt.clone());
                state.spend(receipt);
                state.budgets.note(receipt);
                new.push(receipt.clone());
            }
        }
        state.post_receipts(&new);
        while state.receipts.len() > self.keep {
            state.receipts.pop_first();
        }
        Ok(new.len())
    }

    async fn receipt(&self, id: ReceiptId) -> StoreResult<Option<Receipt>> {
        Ok(self.state.read().receipts.get(&id).map(|receipt| Receipt::clone(receipt)))
    }

    async fn receipts(&self, filter: &ReceiptFilter) -> StoreResult<Vec<Receipt>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let wanted = |receipt: &&Arc<Receipt>| {
            filter.key.is_none_or(|key| key == receipt.key)
                && filter.user.is_none_or(|user| user == receipt.user)
        };
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        let before = filter.before.map_or(Unbounded, Excluded);
        let state = self.state.read();
        let newest_first = state.receipts.range((Unbounded, before)).rev().map(|(_, receipt)| receipt);
        Ok(newest_first.filter(wanted).take(limit as usize).map(|r| Receipt::clone(r)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_every_promise_of_a_store() {
        crate::testing::store_suite(async || MemoryStore::default()).await;
        crate::testing::money_suite(async || MemoryStore::default()).await;
        crate::testing::people_suite(async || MemoryStore::default()).await;
        crate::testing::archive_suite(async || MemoryStore::default()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn keeps_every_promise_of_who_signs_in() {
        crate::testing::identity_suite(async || MemoryStore::default()).await;
        crate::testing::report_suite(async || MemoryStore::default()).await;
    }

    #[tokio::test]
    async fn forgets_the_oldest_receipts_only() {
        let store = MemoryStore::keeping(2);
        let receipts: Vec<_> = (0..3).map(|n| Arc::new(crate::testing::receipt(n))).collect();
        assert_eq!(store.record(&receipts).await.unwrap(), 3);
        let kept = store.receipts(&ReceiptFilter::default()).await.unwrap();
        assert_eq!(kept, [(*receipts[2]).clone(), (*receipts[1]).clone()]);
    }
}
