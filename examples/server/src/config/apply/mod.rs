//! Brings a store in line with a file.
//!
//! Things are matched by name. What the file declares wins; what it does not name stays as it is, because the
//! console and the command line make things too. A channel or key that an earlier apply found in the file and
//! this one does not is switched off: the names are remembered in a small file beside the journal
//! ([`Managed`]); a budget is removed. What was revoked stays revoked. Applying the same file twice changes nothing.

mod money;
mod people;
#[cfg(test)]
mod tests;

use super::{Declared, DeclaredKey};
use burncloud_billing::people::{Actor, delete_budget, find_user};
use burncloud_core::adapter::Registry;
use burncloud_core::store::{BudgetStore, KeyStore, PlanStore, Store};
use burncloud_core::usecase::{UseCaseError, channels, keys};
use burncloud_core::{ApiKey, ChannelConfig, KeyHash, Status, UserId};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// The names that the file managed when it was applied last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Managed {
    channels: BTreeSet<String>,
    keys: BTreeSet<String>,
    budgets: BTreeSet<String>,
}

impl Managed {
    /// Where it is kept.
    pub(crate) fn path(journal_dir: &Path) -> PathBuf {
        journal_dir.join("file-managed.json")
    }

    /// What was remembered; nothing if there is no such file.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub(crate) fn load(path: &Path) -> std::io::Result<Managed> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(std::io::Error::other),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Managed::default()),
            Err(e) => Err(e),
        }
    }

    /// Whether a key was in the file when it was applied last.
    pub(crate) fn has_key(&self, name: &str) -> bool {
        self.keys.contains(name)
    }

    /// Replaces the file in one step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn save(&self, path: &Path) -> std::io::Result<()> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let next = path.with_extension("json.new");
        std::fs::write(&next, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(next, path)
    }
}

/// What an apply changed, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What was made, such as `channel openai-main`.
    pub(crate) made: Vec<String>,
    /// What was changed.
    pub(crate) changed: Vec<String>,
    /// What was switched off or removed because the file no longer names it.
    pub(crate) disabled: Vec<String>,
    /// What is revoked and was left so although the file declares it.
    pub(crate) revoked: Vec<String>,
}

/// Which declaration could not be applied.
#[derive(Debug)]
pub(crate) struct ApplyError {
    what: String,
    source: UseCaseError,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.source)
    }
}

impl std::error::Error for ApplyError {}

trait At<T> {
    fn at(self, what: impl FnOnce() -> String) -> Result<T, ApplyError>;
}

impl<T, E: Into<UseCaseError>> At<T> for Result<T, E> {
    fn at(self, what: impl FnOnce() -> String) -> Result<T, ApplyError> {
        self.map_err(|e| ApplyError { what: what(), source: e.into() })
    }
}

/// Applies what a file declares; `managed` is what the last apply left, and becomes what this one leaves.
///
/// # Errors
/// The first declaration the store refuses. What was applied before stays: applying again completes it.
pub(crate) async fn apply<S: Store + BudgetStore + PlanStore + ?Sized>(
    store: &S,
    registry: &Registry,
    declared: &Declared,
    managed: &mut Managed,
) -> Result<Changes, ApplyError> {
    let mut changes = Changes::default();
    let actor = Actor::operator(AUTHOR);
    money::apply_plans(store, &actor, &declared.plans, &mut changes).await?;
    people::apply_tenants(store, &actor, &declared.tenants, &mut changes).await?;
    people::apply_users(store, &actor, &declared.users, &mut changes).await?;
    apply_channels(store, registry, &declared.channels, &mut changes).await?;
    for key in &declared.keys {
        let user = find_user(store, &key.user).await.at(|| format!("key `{}`", key.spec.name))?.id;
        apply_key(store, key, user, &mut changes).await?;
    }
    money::apply_budgets(store, &actor, &declared.budgets, &mut changes).await?;
    money::apply_prices(store, &declared.prices, &mut changes).await?;
    let now = Managed {
        channels: declared.channels.iter().map(|c| c.name.clone()).collect(),
        keys: declared.keys.iter().map(|k| k.spec.name.clone()).collect(),
        budgets: declared.budgets.iter().map(|b| b.name.clone()).collect(),
    };
    switch_off(store, &actor, managed, &now, &mut changes).await?;
    *managed = now;
    Ok(changes)
}

/// Whom the ledger names as the author of what the file declares.
const AUTHOR: &str = "configuration file";

async fn apply_channels<S: Store + ?Sized>(
    store: &S,
    registry: &Registry,
    declared: &[ChannelConfig],
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    for channel in declared {
        let what = || format!("channel `{}`", channel.name);
        match store.channel_by_name(&channel.name).await.at(what)? {
            None => {
                channels::create_channel(store, registry, channel.clone()).await.at(what)?;
                changes.made.push(what());
            }
            Some(stored) if stored.status == Status::Revoked => changes.revoked.push(what()),
            Some(stored) if same_channel(&stored, channel) => (),
            Some(stored) => {
                let next = ChannelConfig { id: stored.id, ..channel.clone() };
                channels::update_channel(store, registry, &next).await.at(what)?;
                changes.changed.push(what());
            }
        }
    }
    Ok(())
}

/// Whether two channels are the same but for their ids. Destructured, so that a new field cannot be forgotten.
fn same_channel(a: &ChannelConfig, b: &ChannelConfig) -> bool {
    let ChannelConfig {
        id: _,
        name,
        provider,
        base_url,
        credential,
        models,
        model_mapping,
        priority,
        weight,
        status,
        settings,
    } = a;
    *name == b.name
        && *provider == b.provider
        && *base_url == b.base_url
        && credential.expose_secret() == b.credential.expose_secret()
        && *models == b.models
        && *model_mapping == b.model_mapping
        && *priority == b.priority
        && *weight == b.weight
        && *status == b.status
        && *settings == b.settings
}

async fn apply_key<S: Store + ?Sized>(
    store: &S,
    declared: &DeclaredKey,
    user: UserId,
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    let what = || format!("key `{}`", declared.spec.name);
    let spec = keys::KeySpec { user, ..declared.spec.clone() };
    let Some(stored) = store.key_by_name(&spec.name).await.at(what)? else {
        let created = keys::create_key(store, spec, Some(declared.secret.clone())).await.at(what)?;
        if declared.status != Status::Active {
            keys::disable_key(store, &created.key.name).await.at(what)?;
        }
        changes.made.push(what());
        return Ok(());
    };
    if stored.status == Status::Revoked {
        changes.revoked.push(what());
        return Ok(());
    }
    let hash = KeyHash::of(declared.secret.expose_secret().as_bytes());
    let same_secret = holds(store, &stored, &hash).await.at(what)?;
    if !same_secret || !same_key(&stored, &spec, declared.status) {
        let secret = (!same_secret).then_some(&declared.secret);
        keys::update_key(store, spec, declared.status, secret).await.at(what)?;
        changes.changed.push(what());
    }
    Ok(())
}

/// Whether `hash` is that of the key's present secret.
async fn holds<S: KeyStore + ?Sized>(store: &S, key: &ApiKey, hash: &KeyHash) -> Result<bool, UseCaseError> {
    Ok(store.key_hash(key.id).await?.as_ref() == Some(hash))
}

fn same_key(stored: &ApiKey, spec: &keys::KeySpec, status: Status) -> bool {
    stored.user == spec.user
        && stored.quota == spec.quota
        && stored.limits == spec.limits
        && stored.models == spec.models
        && stored.ips == spec.ips
        && stored.apps == spec.apps
        && stored.expires_at == spec.expires_at
        && stored.group == spec.group
        && stored.status == status
}

async fn switch_off<S: Store + BudgetStore + ?Sized>(
    store: &S,
    actor: &Actor,
    before: &Managed,
    now: &Managed,
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    for name in before.channels.difference(&now.channels) {
        let what = || format!("channel `{name}`");
        if store.channel_by_name(name).await.at(what)?.is_some_and(|c| c.status == Status::Active) {
            channels::disable_channel(store, name).await.at(what)?;
            changes.disabled.push(what());
        }
    }
    for name in before.keys.difference(&now.keys) {
        let what = || format!("key `{name}`");
        if store.key_by_name(name).await.at(what)?.is_some_and(|k| k.status == Status::Active) {
            keys::disable_key(store, name).await.at(what)?;
            changes.disabled.push(what());
        }
    }
    let budgets = store.budgets().await.at(|| "budgets".into())?;
    for name in before.budgets.difference(&now.budgets) {
        let what = || format!("budget `{name}`");
        if budgets.iter().any(|budget| budget.name == *name) {
            delete_budget(store, actor, name).await.at(what)?;
            changes.disabled.push(what());
        }
    }
    Ok(())
}
