//! API keys, and whoever calls with one.

use crate::{KeyId, Nano, Tenant, UnixMicros, User, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// SHA-256 of an API key. Keys are 256 random bits (or a secret the operator chose), so a fast hash is
/// enough, and a slow one would be the dearest step of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// The hash of a key as the caller sent it.
    #[must_use]
    pub fn of(secret: &[u8]) -> KeyHash {
        KeyHash(Sha256::digest(secret).into())
    }
}

impl fmt::Debug for KeyHash {
    /// Four bytes: enough to tell two apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({:02x}{:02x}{:02x}{:02x}…)", self.0[0], self.0[1], self.0[2], self.0[3])
    }
}

/// Limits on use. `None` is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests in any 60 seconds.
    pub requests_per_minute: Option<u64>,
    /// Tokens (input and output) in any 60 seconds.
    pub tokens_per_minute: Option<u64>,
    /// Requests at the same time.
    pub concurrency: Option<u64>,
}

impl Limits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Limits::default()
    }
}

/// Whether a key, a user or a channel may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In use.
    #[default]
    Active,
    /// Switched off; may be switched on again.
    Disabled,
    /// Withdrawn for good.
    Revoked,
}

/// An API key as it is stored: everything but the secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Identity.
    pub id: KeyId,
    /// The operator's name for it; unique.
    pub name: String,
    /// How it is recognised on a screen, such as `sk-burn-…ab12`.
    pub hint: String,
    /// Whose it is.
    pub user: UserId,
    /// Whether it may be used.
    pub status: Status,
    /// What it may spend in its life; `None` is unlimited.
    pub quota: Option<Nano>,
    /// What it has spent, as far as receipts were shipped.
    pub used: Nano,
    /// Its limits.
    pub limits: Limits,
    /// The models it may ask for; `None` is all.
    pub models: Option<Vec<String>>,
    /// The addresses it may come from; `None` is all.
    pub ips: Option<Vec<IpAddr>>,
    /// When it stops working.
    pub expires_at: Option<UnixMicros>,
    /// The group it calls as: where the price book has a ratio for the pair of this and the user's own group, that one
    /// applies. `None` is the user's own.
    #[serde(default)]
    pub group: Option<String>,
    /// The applications it may be used by; `None` is all. Each is the host of the page that calls (`Origin`, `Referer` or
    /// `HTTP-Referer`) or the name that an application calls itself (`X-Title`), compared without case. Whoever holds the key
    /// can claim to be any application: this finds keys that are used for what they were not made for, and is no lock.
    #[serde(default)]
    pub apps: Option<Vec<String>>,
    /// Until when the secret before this one works as well; `None` where it does not.
    #[serde(default)]
    pub previous_until: Option<UnixMicros>,
    /// When it was made.
    pub created_at: UnixMicros,
}

/// Whoever stands behind a key: what `auth` found, read by every layer after it.
///
/// A caller is made when a key is first seen and again after it changed; layers that keep state per key,
/// user or tenant find that state once and leave it in a [`Slot`].
#[derive(Debug)]
pub struct Caller {
    /// The key.
    pub key: ApiKey,
    /// Its owner.
    pub user: User,
    /// The owner's tenant.
    pub tenant: Tenant,
    /// Whom that one buys from, and so on up to the house: the nearest first.
    pub ancestors: Vec<Tenant>,
    /// Increases with each one made: of two copies of the same numbers, which was read later.
    pub made: u64,
    /// For the rate limiter.
    pub limit_slot: Slot,
    /// For whoever keeps the money.
    pub billing_slot: Slot,
}

impl Caller {
    /// Puts the three together.
    #[must_use]
    pub fn new(key: ApiKey, user: User, tenant: Tenant) -> Caller {
        static MADE: AtomicU64 = AtomicU64::new(1);
        Caller {
            made: MADE.fetch_add(1, Ordering::Relaxed),
            key,
            user,
            tenant,
            ancestors: Vec::new(),
            limit_slot: Slot::default(),
            billing_slot: Slot::default(),
        }
    }

    /// With the tenants above its own, the nearest first.
    #[must_use]
    pub fn under(mut self, ancestors: Vec<Tenant>) -> Caller {
        self.ancestors = ancestors;
        self
    }

    /// Its tenant and those above, from the user's own up to the house.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        std::iter::once(&self.tenant).chain(&self.ancestors)
    }

    /// The group in the house by which channels are [chosen](crate::ChannelSettings::groups): the key's, else the user's,
    /// else their tenant's. Of whoever belongs to a reseller, or to one below it, it is the group of the reseller that buys
    /// from the house: what resellers call their own customers' groups opens no channel of the house.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let group = match self.tenants().filter(|tenant| tenant.parent.is_some()).last() {
            Some(reseller) => &reseller.group,
            None => match (&self.key.group, &self.user.group) {
                (None, None) => &self.tenant.group,
                (None, user) => user,
                (key, _) => key,
            },
        };
        group.as_deref()
    }

    /// The caller whom the key's secret before this one finds: to the end of that secret's term.
    #[must_use]
    pub fn by_previous(mut self) -> Caller {
        let ends = [self.key.expires_at, self.key.previous_until];
        self.key.expires_at = ends.into_iter().flatten().min();
        self
    }

    /// Whether the key may ask for `model`.
    #[must_use]
    pub fn may_use(&self, model: &str) -> bool {
        self.key.models.as_ref().is_none_or(|models| models.iter().any(|m| m == model))
    }
}

/// Room for one value that somebody else derives from an object and wants to find again without a look-up.
#[derive(Default)]
pub struct Slot(OnceLock<Arc<dyn Any + Send + Sync>>);

impl Slot {
    /// The value, made now if it is not there yet. `None` if the slot already holds another type.
    pub fn get_or_init<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> Arc<T>) -> Option<&T> {
        let value = self.0.get_or_init(|| make());
        value.downcast_ref::<T>()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() { "Slot(full)" } else { "Slot(empty)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantId;

    #[test]
    fn the_house_knows_callers_by_the_groups_that_it_gave_them() {
        let group = |name: Option<&str>| name.map(str::to_owned);
        let caller = |key, user, tenant| {
            let key = ApiKey { group: group(key), ..ApiKey::default() };
            let user = User { group: group(user), ..User::default() };
            Caller::new(key, user, Tenant { group: group(tenant), ..Tenant::default() })
        };
        for (key, user, tenant, expected) in [
            (None, None, None, None),
            (None, None, Some("t"), Some("t")),
            (None, Some("u"), Some("t"), Some("u")),
            (Some("k"), Some("u"), Some("t"), Some("k")),
        ] {
            assert_eq!(caller(key, user, tenant).group(), expected);
        }
        let mut below = caller(Some("k"), Some("u"), Some("of the reseller's making"));
        below.tenant.parent = Some(TenantId(2));
        let reseller = Tenant { parent: Some(TenantId(1)), group: group(Some("gold")), ..Tenant::default() };
        let below = below.under(vec![reseller, Tenant::default()]);
        assert_eq!(below.group(), Some("gold"));
    }
}
