//! Names for numbers, looked up together.

use super::view::{Customer, Sight, Source, View};
use crate::desk::common::{keys_of, users_of};
use burncloud_core::store::StoreResult;
use burncloud_core::{ApiKey, ChannelId, KeyId, User, UserId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What rows name.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) users: HashMap<UserId, User>,
    pub(super) keys: HashMap<KeyId, ApiKey>,
    /// Name and provider; empty but for the house.
    pub(super) channels: BTreeMap<ChannelId, (String, String)>,
}

impl Names {
    /// Of these users and keys, and for the house of the channels, as far as the sight goes.
    pub(super) async fn load<S: Source + ?Sized>(
        store: &S,
        sight: &Sight,
        users: impl IntoIterator<Item = UserId>,
        keys: impl IntoIterator<Item = KeyId>,
    ) -> StoreResult<Names> {
        let mut users: BTreeSet<UserId> = users.into_iter().collect();
        let keys = keys.into_iter().collect();
        let mut names = Names { keys: keys_of(store, keys).await?, ..Names::default() };
        users.extend(names.keys.values().map(|key| key.user));
        names.users = users_of(store, users).await?;
        names.users.retain(|_, user| sight.sees_user(user));
        let Names { users, keys, .. } = &mut names;
        keys.retain(|_, key| users.contains_key(&key.user));
        if sight.view == View::House {
            let channels = store.channels().await?.into_iter();
            names.channels = channels.map(|channel| (channel.id, (channel.name, channel.provider))).collect();
        }
        Ok(names)
    }

    pub(super) fn user(&self, id: UserId) -> Option<&str> {
        self.users.get(&id).map(|user| user.name.as_str())
    }

    pub(super) fn key(&self, id: KeyId) -> Option<&str> {
        self.keys.get(&id).map(|key| key.name.as_str())
    }

    pub(super) fn channel(&self, id: ChannelId) -> Option<&str> {
        self.channels.get(&id).map(|(name, _)| name.as_str())
    }

    /// A customer's name; `None` for one that is gone.
    pub(super) fn customer(&self, sight: &Sight, customer: Customer) -> Option<String> {
        match customer {
            Customer::User(id) => self.user(id).map(str::to_owned),
            Customer::Tenant(id) => {
                sight.tree.get(id).filter(|_| sight.sees_tenant(id)).map(|tenant| tenant.name.clone())
            }
        }
    }
}
