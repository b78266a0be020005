//! What the desk's functions share: who sees what, and which form of a thing was looked at.

use super::{Actor, Desk};
use crate::people::{Action, Tree};
use burncloud_core::store::{KeyQuery, PeopleStore, StoreError, StoreResult, UserQuery, Who};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{ApiKey, KeyHash, KeyId, Tenant, TenantId, User, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// A secret that was just made. It serialises in clear, once, for whoever made it; nobody can ask for it again.
#[derive(Clone)]
pub struct OneTime(SecretString);

impl OneTime {
    /// Of this text.
    #[must_use]
    pub fn new(secret: SecretString) -> OneTime {
        OneTime(secret)
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for OneTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTime(…)")
    }
}

impl Serialize for OneTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.expose())
    }
}

/// A part of a long list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to ask for the next one with (`after`, or `before` where lists are newest first); `None` on the last.
    pub next: Option<i64>,
    /// How many there are on all pages, where that is counted.
    pub total: Option<u64>,
}

/// A field that is there, `null` or not: `None` is one that is left out.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Which form of something this is: another where any of it differs.
pub(super) fn version_of(of: &impl Serialize) -> String {
    let text = serde_json::to_vec(of).unwrap_or_default();
    crate::proof::hex(&KeyHash::of(&text).0[..12])
}

/// Refuses a change of what is not what somebody looked at; `None` looked at nothing.
pub(super) fn check_version(
    what: &'static str,
    name: &str,
    expected: Option<&str>,
    is: &str,
) -> UseCaseResult<()> {
    match expected {
        Some(expected) if expected != is => Err(UseCaseError::Changed { what, name: name.to_owned() }),
        _ => Ok(()),
    }
}

pub(super) fn missing(what: &'static str, name: impl fmt::Display) -> UseCaseError {
    StoreError::NotFound { what, name: name.to_string() }.into()
}

pub(super) fn json(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

/// What somebody sees of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everybody.
    All,
    /// Those of these tenants.
    Tenants(Vec<TenantId>),
    /// Themselves.
    Own(UserId),
}

impl Sight {
    pub(super) fn of(actor: &Actor, tree: &Tree) -> Sight {
        if actor.may_in_house(Action::See) {
            return Sight::All;
        }
        let seen = tree.in_order().into_iter().filter(|(_, tenant)| actor.may(tree, Action::See, tenant.id));
        let tenants: Vec<TenantId> = seen.map(|(_, tenant)| tenant.id).collect();
        match actor.user {
            Some(user) if tenants.is_empty() => Sight::Own(user),
            _ => Sight::Tenants(tenants),
        }
    }

    pub(super) fn who(self) -> Who {
        match self {
            Sight::All => Who::All,
            Sight::Tenants(tenants) => Who::Tenants(tenants),
            Sight::Own(user) => Who::User(user),
        }
    }
}

/// A tenant and those below it.
pub(super) fn branch(tree: &Tree, top: TenantId) -> Vec<TenantId> {
    let all = tree.in_order().into_iter().map(|(_, tenant)| tenant.id);
    all.filter(|id| tree.path(*id).any(|above| above.id == top)).collect()
}

impl Desk {
    pub(super) async fn tree(&self) -> UseCaseResult<Tree> {
        Ok(Tree::load(&*self.store).await?)
    }

    /// The user of that id, if the actor sees them.
    pub(super) async fn seen_user(&self, actor: &Actor, tree: &Tree, id: UserId) -> UseCaseResult<User> {
        let found = self.store.user(id).await?;
        let seen = |user: &User| actor.check_user(tree, Action::See, Action::SeeOwn, user).is_ok();
        found.filter(seen).ok_or_else(|| missing("user", id))
    }

    /// The key of that id with its owner, if the actor sees them.
    pub(super) async fn seen_key(
        &self,
        actor: &Actor,
        tree: &Tree,
        id: KeyId,
    ) -> UseCaseResult<(ApiKey, User)> {
        let key = self.store.key(id).await?.ok_or_else(|| missing("key", id))?;
        match self.seen_user(actor, tree, key.user).await {
            Ok(user) => Ok((key, user)),
            Err(UseCaseError::Store(StoreError::NotFound { .. })) => Err(missing("key", id)),
            Err(error) => Err(error),
        }
    }
}

/// Most rows of a page.
const PAGE: usize = 1_000;

/// Those of these users who are there, looked up together.
pub(super) async fn users_of<S: PeopleStore + ?Sized>(
    store: &S,
    ids: BTreeSet<UserId>,
) -> StoreResult<HashMap<UserId, User>> {
    let ids: Vec<UserId> = ids.into_iter().collect();
    let mut users = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(PAGE) {
        let query = UserQuery { ids: Some(ids.to_vec()), limit: PAGE as u32, ..UserQuery::default() };
        users.extend(store.find_users(&query).await?.into_iter().map(|user| (user.id, user)));
    }
    Ok(users)
}

/// Those of these keys that are there, looked up together.
pub(super) async fn keys_of<S: PeopleStore + ?Sized>(
    store: &S,
    ids: BTreeSet<KeyId>,
) -> StoreResult<HashMap<KeyId, ApiKey>> {
    let ids: Vec<KeyId> = ids.into_iter().collect();
    let mut keys = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(PAGE) {
        let query = KeyQuery { ids: Some(ids.to_vec()), limit: PAGE as u32, ..KeyQuery::default() };
        keys.extend(store.find_keys(&query).await?.into_iter().map(|key| (key.id, key)));
    }
    Ok(keys)
}

/// The tenant of that id, if the actor sees it.
pub(super) fn seen_tenant<'a>(actor: &Actor, tree: &'a Tree, id: TenantId) -> UseCaseResult<&'a Tenant> {
    let found = tree.get(id).filter(|_| actor.may(tree, Action::See, id));
    found.ok_or_else(|| missing("tenant", id))
}

pub(super) fn tenant_name(tree: &Tree, id: TenantId) -> String {
    tree.get(id).map(|tenant| tenant.name.clone()).unwrap_or_default()
}

/// Refuses in the words for a field, where a use case names another.
pub(super) fn not_for_oneself(actor: &Actor, user: &User, field: &'static str) -> UseCaseResult<()> {
    if actor.user == Some(user.id) || actor.acting == Some(user.id) {
        let message = (
            "nobody does this to themselves; ask somebody else who may",
            "不能对自己这样做，请让有权限的人来做",
        );
        return Err(UseCaseError::invalid(field, message));
    }
    Ok(())
}
