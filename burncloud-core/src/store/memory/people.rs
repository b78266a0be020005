//! Searches of users and keys in memory, which no copy is made of.

use super::{MemoryStore, State};
use crate::store::{BackupDone, BackupStore, KeyQuery, PeopleStore, StoreError, StoreResult, UserQuery, Who};
use crate::{ApiKey, Nano, User};
use async_trait::async_trait;
use std::collections::HashSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::path::Path;

/// Whether `text` holds `part`, whatever the case of letters of ASCII.
fn holds(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

/// The users of a query, but for its page.
fn users(state: &State, query: &UserQuery) -> impl Fn(&User) -> bool {
    let tenants: Option<HashSet<_>> = query.tenants.as_ref().map(|ids| ids.iter().copied().collect());
    let ids: Option<HashSet<_>> = query.ids.as_ref().map(|ids| ids.iter().copied().collect());
    let by_login: Option<HashSet<_>> = query.text.as_ref().map(|text| {
        let logins = state.identity.logins.values().map(|kept| &kept.login);
        logins.filter(|login| login.name.contains(&text.to_lowercase())).map(|login| login.user).collect()
    });
    let (text, status, broke) = (query.text.clone(), query.status, query.broke);
    move |user| {
        let called = |text: &String| {
            holds(&user.name, text) || by_login.as_ref().is_some_and(|some| some.contains(&user.id))
        };
        tenants.as_ref().is_none_or(|tenants| tenants.contains(&user.tenant))
            && ids.as_ref().is_none_or(|ids| ids.contains(&user.id))
            && status.is_none_or(|status| status == user.status)
            && (!broke || (!user.unlimited && user.balance.plus(user.credit) <= Nano::ZERO))
            && text.as_ref().is_none_or(called)
    }
}

/// The keys of a query, but for its page.
fn keys<'a>(state: &'a State, query: &'a KeyQuery) -> impl Fn(&ApiKey) -> bool + 'a {
    let whose = |key: &ApiKey| match &query.who {
        Who::All => true,
        Who::Tenants(tenants) => {
            state.users.get(&key.user).is_some_and(|user| tenants.contains(&user.tenant))
        }
        Who::User(user) => key.user == *user,
        Who::Key(id) => key.id == *id,
    };
    let ids: Option<HashSet<_>> = query.ids.as_ref().map(|ids| ids.iter().copied().collect());
    move |key| {
        whose(key)
            && ids.as_ref().is_none_or(|ids| ids.contains(&key.id))
            && query.status.is_none_or(|status| status == key.status)
            && query.text.as_ref().is_none_or(|text| holds(&key.name, text) || holds(&key.hint, text))
    }
}

#[async_trait]
impl PeopleStore for MemoryStore {
    async fn find_users(&self, query: &UserQuery) -> StoreResult<Vec<User>> {
        let state = &*self.state.read();
        let wanted = users(state, query);
        let later = state.users.range((query.after.map_or(Unbounded, Excluded), Unbounded));
        let found = later.map(|(_, user)| user).filter(|user| wanted(user));
        Ok(found.take(query.page() as usize).cloned().collect())
    }

    async fn count_users(&self, query: &UserQuery) -> StoreResult<u64> {
        let state = &*self.state.read();
        let wanted = users(state, query);
        Ok(state.users.values().filter(|user| wanted(user)).count() as u64)
    }

    async fn find_keys(&self, query: &KeyQuery) -> StoreResult<Vec<ApiKey>> {
        let state = &*self.state.read();
        let wanted = keys(state, query);
        let later = state.keys.range((query.after.map_or(Unbounded, Excluded), Unbounded));
        let found = later.map(|(_, (key, _))| key).filter(|key| wanted(key));
        Ok(found.take(query.page() as usize).cloned().collect())
    }

    async fn count_keys(&self, query: &KeyQuery) -> StoreResult<u64> {
        let state = &*self.state.read();
        let wanted = keys(state, query);
        Ok(state.keys.values().filter(|(key, _)| wanted(key)).count() as u64)
    }
}

#[async_trait]
impl BackupStore for MemoryStore {
    async fn backup(&self, _to: &Path) -> StoreResult<BackupDone> {
        Err(StoreError::Invalid("a store in memory ends with the process; there is nothing to copy".into()))
    }

    fn backs_up(&self) -> bool {
        false
    }
}
