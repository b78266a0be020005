//! Names for numbers, looked up together.

use super::view::{Customer, Sight, Source, View};
use burncloud_core::store::StoreResult;
use burncloud_core::{ApiKey, ChannelId, KeyId, User, UserId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Ids that lie no further apart than this are read as one page.
const NEAR: i64 = 200;
/// Most rows of a page.
const PAGE: i64 = 1_000;

/// Ids as pages: after which, and at most how many.
fn pages(ids: &BTreeSet<i64>) -> Vec<(i64, u32)> {
    let mut out: Vec<(i64, i64)> = Vec::new();
    for id in ids {
        match out.last_mut() {
            Some((first, last)) if id - *last <= NEAR && id - *first < PAGE => *last = *id,
            _ => out.push((*id, *id)),
        }
    }
    let most = |first: i64, last: i64| u32::try_from(last - first + 1).unwrap_or(1);
    out.into_iter().map(|(first, last)| (first - 1, most(first, last))).collect()
}

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
        let mut names = Names::default();
        let wanted: BTreeSet<i64> = keys.into_iter().map(|key| key.0).collect();
        for (after, limit) in pages(&wanted) {
            let page = store.keys(Some(KeyId(after)), limit).await?;
            let page = page.into_iter().filter(|key| wanted.contains(&key.id.0));
            names.keys.extend(page.map(|key| (key.id, key)));
        }
        let owners = names.keys.values().map(|key| key.user.0);
        let wanted: BTreeSet<i64> = users.into_iter().map(|user| user.0).chain(owners).collect();
        for (after, limit) in pages(&wanted) {
            let page = store.users(Some(UserId(after)), limit).await?;
            let page = page.into_iter().filter(|user| wanted.contains(&user.id.0) && sight.sees_user(user));
            names.users.extend(page.map(|user| (user.id, user)));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_near_are_one_page() {
        let of = |ids: &[i64]| pages(&ids.iter().copied().collect());
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[7]), [(6, 1)]);
        assert_eq!(of(&[7, 9, 200]), [(6, 194)]);
        assert_eq!(of(&[7, 9, 5000]), [(6, 3), (4999, 1)]);
        let long: Vec<i64> = (1..=2_500).collect();
        assert_eq!(of(&long), [(0, 1000), (1000, 1000), (2000, 500)]);
    }
}
