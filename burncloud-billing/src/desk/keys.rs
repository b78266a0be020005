//! Keys, as the console handles them.

use super::audit::Change;
use super::common::{
    OneTime, Page, Sight, branch, check_version, missing, present, seen_tenant, tenant_name, users_of,
    version_of,
};
use super::{Actor, Desk};
use crate::people::{self, Tree};
use burncloud_core::store::{KeyQuery, Who};
use burncloud_core::usecase::keys::{self as rules, CreatedKey, KeySpec};
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{ApiKey, KeyId, Limits, Nano, Status, TenantId, UnixMicros, User, UserId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// A key as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// As it is stored; amounts in nano-dollars.
    #[serde(flatten)]
    pub key: ApiKey,
    /// The name of its user.
    pub user_name: String,
    /// The user's tenant.
    pub tenant: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// Which form of it this is; spending does not count.
    pub version: String,
}

/// A key that was just made or rotated.
#[derive(Clone, Debug, Serialize)]
pub struct MadeKey {
    /// The key.
    #[serde(flatten)]
    pub key: KeyView,
    /// Its secret, shown this once.
    pub secret: OneTime,
}

/// Which keys are wanted, among those that one sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyFilter {
    /// This user's.
    pub user: Option<UserId>,
    /// Those of this tenant's users.
    pub tenant: Option<TenantId>,
    /// And of the tenants below it.
    pub below: bool,
    /// Whose name or hint holds this.
    pub text: Option<String>,
    /// Of this status.
    pub status: Option<Status>,
    /// Later than this one: the `next` of the page before.
    pub after: Option<KeyId>,
    /// At most so many; 0 means 50, and 1,000 is the most.
    pub limit: u32,
}

/// A key to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDraft {
    /// Its name; unique.
    pub name: String,
    /// Whose; one's own where it is left out.
    #[serde(default)]
    pub user: Option<UserId>,
    /// What it may spend in its life, in nano-dollars.
    #[serde(default)]
    pub quota: Option<Nano>,
    /// Its limits.
    #[serde(default)]
    pub limits: Limits,
    /// The models it may ask for; all where it is left out.
    #[serde(default)]
    pub models: Option<Vec<String>>,
    /// The addresses it may come from.
    #[serde(default)]
    pub ips: Option<Vec<IpAddr>>,
    /// The applications it may be used by; see [`ApiKey::apps`].
    #[serde(default)]
    pub apps: Option<Vec<String>>,
    /// When it stops working.
    #[serde(default)]
    pub expires_at: Option<UnixMicros>,
    /// The group it calls as.
    #[serde(default)]
    pub group: Option<String>,
}

/// What is to change of a key: what is left out stays, and `null` is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyChange {
    /// On or off.
    pub status: Option<Status>,
    /// What it may spend in its life.
    #[serde(deserialize_with = "present")]
    pub quota: Option<Option<Nano>>,
    /// All of its limits.
    pub limits: Option<Limits>,
    /// The models it may ask for.
    #[serde(deserialize_with = "present")]
    pub models: Option<Option<Vec<String>>>,
    /// The addresses it may come from.
    #[serde(deserialize_with = "present")]
    pub ips: Option<Option<Vec<IpAddr>>>,
    /// The applications it may be used by.
    #[serde(deserialize_with = "present")]
    pub apps: Option<Option<Vec<String>>>,
    /// When it stops working.
    #[serde(deserialize_with = "present")]
    pub expires_at: Option<Option<UnixMicros>>,
    /// The group it calls as.
    #[serde(deserialize_with = "present")]
    pub group: Option<Option<String>>,
}

fn version(key: &ApiKey) -> String {
    version_of(&ApiKey { used: Nano::ZERO, ..key.clone() })
}

fn view(key: ApiKey, owner: &User, tree: &Tree) -> KeyView {
    let tenant_name = tenant_name(tree, owner.tenant);
    KeyView { version: version(&key), user_name: owner.name.clone(), tenant: owner.tenant, tenant_name, key }
}

impl Desk {
    /// The keys that the actor sees, in the order of their ids: those of its branch, or its own.
    ///
    /// # Errors
    /// `Store(NotFound)` for a user or a tenant that it does not see; the store's.
    pub async fn keys(&self, actor: &Actor, filter: &KeyFilter) -> UseCaseResult<Page<KeyView>> {
        Ok(self.keys_and_owners(actor, filter).await?.0)
    }

    /// As [`keys`](Desk::keys), with whose they are.
    pub(super) async fn keys_and_owners(
        &self,
        actor: &Actor,
        filter: &KeyFilter,
    ) -> UseCaseResult<(Page<KeyView>, HashMap<UserId, User>)> {
        let tree = self.tree().await?;
        let who = match (filter.user, filter.tenant) {
            (Some(user), _) => Who::User(self.seen_user(actor, &tree, user).await?.id),
            (None, Some(tenant)) => {
                seen_tenant(actor, &tree, tenant)?;
                Who::Tenants(if filter.below { branch(&tree, tenant) } else { vec![tenant] })
            }
            (None, None) => Sight::of(actor, &tree).who(),
        };
        let KeyFilter { text, status, after, limit, .. } = filter.clone();
        let query = KeyQuery { who, text, status, ids: None, after, limit };
        let found = self.store.find_keys(&query).await?;
        let next = found.last().filter(|_| found.len() >= query.page() as usize).map(|key| key.id.0);
        let total = Some(self.store.count_keys(&query).await?);
        let owners = users_of(&*self.store, found.iter().map(|key| key.user).collect()).await?;
        // Whoever changed hands between two reads belongs on the next look at the list.
        let seen = |key: ApiKey| {
            let owner = owners.get(&key.user)?;
            Some(view(key, owner, &tree))
        };
        let items = found.into_iter().filter_map(seen).collect();
        Ok((Page { items, next, total }, owners))
    }

    /// One key.
    ///
    /// # Errors
    /// `Store(NotFound)` for one that is not there or that the actor does not see.
    pub async fn key(&self, actor: &Actor, id: KeyId) -> UseCaseResult<KeyView> {
        let tree = self.tree().await?;
        let (key, owner) = self.seen_key(actor, &tree, id).await?;
        Ok(view(key, &owner, &tree))
    }

    /// Makes a key; the secret is shown this once.
    ///
    /// # Errors
    /// Those of [`people::create_key`]; `Store(NotFound)` for a user whom the actor does not see.
    pub async fn create_key(&self, actor: &Actor, draft: KeyDraft) -> UseCaseResult<MadeKey> {
        let tree = self.tree().await?;
        let user = draft
            .user
            .or(actor.user)
            .ok_or_else(|| UseCaseError::invalid("user", ("say whose key it is", "请选择密钥归谁")))?;
        let owner = self.seen_user(actor, &tree, user).await?;
        let KeyDraft { name, quota, limits, models, ips, apps, expires_at, group, .. } = draft;
        check_term(expires_at)?;
        let spec = KeySpec { name, user, quota, limits, models, ips, expires_at, group, apps };
        let CreatedKey { key, secret } = people::create_key(&*self.store, actor, spec, None).await?;
        self.note_key(actor, "key.create", &owner, None, Some(&key)).await?;
        Ok(MadeKey { key: view(key, &owner, &tree), secret: OneTime::new(secret) })
    }

    /// Changes a key that is not withdrawn.
    ///
    /// # Errors
    /// `Invalid` names the field; `Forbidden`; `Changed` where it is not the `expected` version; `Store(NotFound)`.
    pub async fn update_key(
        &self,
        actor: &Actor,
        id: KeyId,
        change: KeyChange,
        expected: Option<&str>,
    ) -> UseCaseResult<KeyView> {
        let _one_at_a_time = self.writing.lock().await;
        let tree = self.tree().await?;
        let (old, owner) = self.seen_key(actor, &tree, id).await?;
        let group = change.group.clone().unwrap_or_else(|| old.group.clone());
        people::check_key(&tree, actor, &owner, group != old.group, group.as_ref())?;
        check_version("key", &old.name, expected, &version(&old))?;
        if change.status == Some(Status::Revoked) {
            return Err(UseCaseError::invalid(
                "status",
                (
                    "a key is withdrawn for good by itself, not with other changes",
                    "作废密钥要单独进行，不能与其他修改一起",
                ),
            ));
        }
        check_term(change.expires_at.flatten())?;
        let spec = KeySpec {
            name: old.name.clone(),
            user: old.user,
            quota: change.quota.unwrap_or(old.quota),
            limits: change.limits.unwrap_or(old.limits),
            models: change.models.unwrap_or_else(|| old.models.clone()),
            ips: change.ips.unwrap_or_else(|| old.ips.clone()),
            apps: change.apps.unwrap_or_else(|| old.apps.clone()),
            expires_at: change.expires_at.unwrap_or(old.expires_at),
            group,
        };
        let status = change.status.unwrap_or(old.status);
        let key = rules::update_key(&*self.store, spec, status, None).await?;
        if key != old {
            self.note_key(actor, "key.update", &owner, Some(&old), Some(&key)).await?;
        }
        Ok(view(key, &owner, &tree))
    }

    /// Gives a key a new secret, shown this once. The old one goes on working for `overlap_s` seconds (0 to 604,800); one
    /// that was still working beside it stops.
    ///
    /// # Errors
    /// As [`Desk::update_key`].
    pub async fn rotate_key(
        &self,
        actor: &Actor,
        id: KeyId,
        overlap_s: u32,
        expected: Option<&str>,
    ) -> UseCaseResult<MadeKey> {
        let _one_at_a_time = self.writing.lock().await;
        let (tree, old, owner) = self.expected_key(actor, id, expected).await?;
        let overlap = Duration::from_secs(overlap_s.into());
        let CreatedKey { key, secret } = rules::rotate_key(&*self.store, &old.name, overlap).await?;
        self.note_key(actor, "key.rotate", &owner, Some(&old), Some(&key)).await?;
        Ok(MadeKey { key: view(key, &owner, &tree), secret: OneTime::new(secret) })
    }

    /// Withdraws a key for good. Withdrawing it again changes nothing.
    ///
    /// # Errors
    /// As [`Desk::update_key`].
    pub async fn revoke_key(
        &self,
        actor: &Actor,
        id: KeyId,
        expected: Option<&str>,
    ) -> UseCaseResult<KeyView> {
        let _one_at_a_time = self.writing.lock().await;
        let (tree, old, owner) = self.expected_key(actor, id, expected).await?;
        let key = rules::revoke_key(&*self.store, &old.name).await?;
        if key != old {
            self.note_key(actor, "key.revoke", &owner, Some(&old), Some(&key)).await?;
        }
        Ok(view(key, &owner, &tree))
    }

    /// Ends the secret that still works beside the one that followed it. Where there is none, nothing changes.
    ///
    /// # Errors
    /// As [`Desk::update_key`].
    pub async fn end_overlap(
        &self,
        actor: &Actor,
        id: KeyId,
        expected: Option<&str>,
    ) -> UseCaseResult<KeyView> {
        let _one_at_a_time = self.writing.lock().await;
        let (tree, old, owner) = self.expected_key(actor, id, expected).await?;
        let key = ApiKey { previous_until: None, ..old.clone() };
        if key != old {
            self.store.update_key(&key, None).await?;
            self.note_key(actor, "key.end_overlap", &owner, Some(&old), Some(&key)).await?;
        }
        Ok(view(key, &owner, &tree))
    }

    /// What AWS's SDKs sign with for a key of one's own: its access key id, and the secret. It can be asked for again.
    /// Nobody else is given it: whoever has it calls as the key, and its user would not know.
    ///
    /// # Errors
    /// `Forbidden` for somebody else's key and in another's name; those of [`rules::aws_pair`]; `Store(NotFound)`.
    pub async fn key_pair(&self, actor: &Actor, id: KeyId) -> UseCaseResult<(String, OneTime)> {
        let tree = self.tree().await?;
        let (key, owner) = self.seen_key(actor, &tree, id).await?;
        if actor.user != Some(owner.id) || actor.acting.is_some() {
            let message =
                ("only the user of a key is given what it signs with", "只有密钥的使用者能看签名凭证");
            return Err(UseCaseError::forbidden(message));
        }
        people::check_key(&tree, actor, &owner, false, None)?;
        let pair = rules::aws_pair(&*self.store, &key.name).await?;
        self.note_key(actor, "key.sign", &owner, Some(&key), Some(&key)).await?;
        Ok((pair.access_key_id, OneTime::new(pair.secret_access_key)))
    }

    /// The key that somebody looked at, with its owner, if the actor may change it.
    async fn expected_key(
        &self,
        actor: &Actor,
        id: KeyId,
        expected: Option<&str>,
    ) -> UseCaseResult<(Tree, ApiKey, User)> {
        let tree = self.tree().await?;
        let (key, owner) = self.seen_key(actor, &tree, id).await?;
        people::check_key(&tree, actor, &owner, false, None)?;
        check_version("key", &key.name, expected, &version(&key))?;
        Ok((tree, key, owner))
    }

    pub(super) async fn note_key(
        &self,
        actor: &Actor,
        action: &'static str,
        owner: &User,
        before: Option<&ApiKey>,
        after: Option<&ApiKey>,
    ) -> UseCaseResult<()> {
        let key = after.or(before).ok_or_else(|| missing("key", ""))?;
        let what = ("key", key.id, &*key.name, owner.tenant);
        self.note(actor, Change::of(action, what, before, after)).await
    }
}

fn check_term(expires_at: Option<UnixMicros>) -> UseCaseResult<()> {
    if expires_at.is_some_and(|at| at <= UnixMicros::now()) {
        return Err(UseCaseError::invalid(
            "expires_at",
            (
                "that moment is over; to end the key now, withdraw it",
                "这个时间已经过去；要立即停用请作废密钥",
            ),
        ));
    }
    Ok(())
}
