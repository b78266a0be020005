//! Users and keys, searched: what long lists are drawn from.

use super::{StoreResult, Who};
use crate::{ApiKey, KeyId, Status, TenantId, User, UserId};
use async_trait::async_trait;

/// Which users are wanted. Each condition that is set narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// Of these tenants alone (not of those below, unless named); `None` is all.
    pub tenants: Option<Vec<TenantId>>,
    /// Whose name, or whose login's name, holds this: whatever the case of letters of ASCII (that of others may count).
    pub text: Option<String>,
    /// Of this status alone.
    pub status: Option<Status>,
    /// Only those with nothing left to spend: balance and credit come to nothing or less, and the wallet has a bound.
    pub broke: bool,
    /// These alone; `None` is all.
    pub ids: Option<Vec<UserId>>,
    /// Later than this one (users are listed in the order of their ids).
    pub after: Option<UserId>,
    /// At most so many; 0 means 50, and 1,000 is the most. Counting takes no notice of it, nor of `after`.
    pub limit: u32,
}

/// Which keys are wanted. Each condition that is set narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyQuery {
    /// Whose.
    pub who: Who,
    /// Whose name or hint holds this: whatever the case of letters of ASCII (that of others may count).
    pub text: Option<String>,
    /// Of this status alone.
    pub status: Option<Status>,
    /// These alone; `None` is all.
    pub ids: Option<Vec<KeyId>>,
    /// Later than this one (keys are listed in the order of their ids).
    pub after: Option<KeyId>,
    /// At most so many; 0 means 50, and 1,000 is the most. Counting takes no notice of it, nor of `after`.
    pub limit: u32,
}

/// How many rows a page has for the `limit` of a query.
fn page(limit: u32) -> u32 {
    if limit == 0 { 50 } else { limit.min(1_000) }
}

impl UserQuery {
    /// How many are answered at most.
    #[must_use]
    pub fn page(&self) -> u32 {
        page(self.limit)
    }
}

impl KeyQuery {
    /// How many are answered at most.
    #[must_use]
    pub fn page(&self) -> u32 {
        page(self.limit)
    }
}

/// Searches of users and keys.
#[async_trait]
pub trait PeopleStore: Send + Sync + 'static {
    /// Users, in the order of their ids.
    async fn find_users(&self, query: &UserQuery) -> StoreResult<Vec<User>>;
    /// How many users there are in all.
    async fn count_users(&self, query: &UserQuery) -> StoreResult<u64>;
    /// Keys, in the order of their ids.
    async fn find_keys(&self, query: &KeyQuery) -> StoreResult<Vec<ApiKey>>;
    /// How many keys there are in all.
    async fn count_keys(&self, query: &KeyQuery) -> StoreResult<u64>;
}
