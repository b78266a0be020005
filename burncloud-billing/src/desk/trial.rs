//! Calling the gateway from the console, with a key that is chosen by name.

use super::common::missing;
use super::keys::{KeyFilter, KeyView};
use super::{Actor, Desk};
use crate::people::{self, Action};
use burncloud_core::store::AuditEntry;
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use burncloud_core::{ApiKey, KeyHash, KeyId, Status, UnixMicros, User};
use serde_json::Value;

/// The most keys that are offered to choose from.
const OFFERED: u32 = 500;

impl Desk {
    /// The keys in use that the actor may call with from the console: their own first; for those who run the house, those of
    /// others after them.
    ///
    /// # Errors
    /// The store's.
    pub async fn trial_keys(&self, actor: &Actor) -> UseCaseResult<Vec<KeyView>> {
        let mut keys = Vec::new();
        if let Some(user) = actor.user {
            let own = KeyFilter { user: Some(user), ..usable() };
            keys = self.keys(actor, &own).await?.items;
        }
        if actor.may_in_house(Action::ManageHouse) {
            let all = self.keys(actor, &usable()).await?.items;
            keys.extend(all.into_iter().filter(|view| actor.user != Some(view.key.user)));
        }
        let now = UnixMicros::now();
        keys.retain(|view| view.key.expires_at.is_none_or(|at| at > now));
        Ok(keys)
    }

    /// What vouches for a call with that key in this process. A call with somebody else's key, or by somebody who acts as
    /// another, is written down; a call with one's own leaves its receipt.
    ///
    /// # Errors
    /// `Store(NotFound)` for a key that the actor does not see; `Forbidden` where it may not call with it: it is somebody
    /// else's, and the actor does not run the house, or may not act in that one's name.
    pub async fn vouch(&self, actor: &Actor, id: KeyId) -> UseCaseResult<KeyHash> {
        let tree = self.tree().await?;
        let (key, owner) = self.seen_key(actor, &tree, id).await?;
        let own = actor.user == Some(owner.id);
        if !own && !actor.may_in_house(Action::ManageHouse) {
            let text =
                ("calls from the console are made with a key of your own", "在控制台中调用须用自己的密钥");
            return Err(UseCaseError::forbidden(text));
        }
        people::check_key(&tree, actor, &owner, false, None)?;
        let hash = self.store.key_hash(id).await?.ok_or_else(|| missing("key", id))?;
        if !own || actor.acting.is_some() {
            self.store.add_audit(&tried(actor, &key, &owner)).await?;
        }
        Ok(hash)
    }
}

fn usable() -> KeyFilter {
    KeyFilter { status: Some(Status::Active), limit: OFFERED, ..KeyFilter::default() }
}

fn tried(actor: &Actor, key: &ApiKey, owner: &User) -> AuditEntry {
    AuditEntry {
        id: 0,
        at: UnixMicros::now(),
        author: actor.name.clone(),
        user: actor.user,
        acting: actor.acting,
        tenant: owner.tenant,
        action: "key.try".to_owned(),
        subject: format!("key:{}", key.id),
        name: key.name.clone(),
        before: Value::Null,
        after: Value::Null,
        ip: actor.ip.clone(),
    }
}
