//! Brings a store in line with a file.
//!
//! Things are matched by name. What the file declares wins; what it does not name stays as it is, because the
//! console and the command line make things too. A channel or key that an earlier apply found in the file and
//! this one does not is switched off: the names are remembered in a small file beside the journal
//! ([`Managed`]). What was revoked stays revoked. Applying the same file twice changes nothing.

use super::{Declared, DeclaredKey, DeclaredTenant, DeclaredUser};
use burncloud_core::adapter::Registry;
use burncloud_core::store::{CallerStore, Store, StoreError, UserStore};
use burncloud_core::usecase::{UseCaseError, channels, keys};
use burncloud_core::{ApiKey, ChannelConfig, KeyHash, Status, Tenant, TenantId, User, UserId};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

/// The names that the file managed when it was applied last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Managed {
    channels: BTreeSet<String>,
    keys: BTreeSet<String>,
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
    /// What was switched off because the file no longer names it.
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
pub(crate) async fn apply<S: Store + ?Sized>(
    store: &S,
    registry: &Registry,
    declared: &Declared,
    managed: &mut Managed,
) -> Result<Changes, ApplyError> {
    let mut changes = Changes::default();
    let tenants = apply_tenants(store, &declared.tenants, &mut changes).await?;
    let users = apply_users(store, &declared.users, &tenants, &mut changes).await?;
    apply_channels(store, registry, &declared.channels, &mut changes).await?;
    for key in &declared.keys {
        let user = match users.get(&key.user) {
            Some(id) => *id,
            None => user(store, &key.user).await.at(|| format!("key `{}`", key.spec.name))?.id,
        };
        apply_key(store, key, user, &mut changes).await?;
    }
    apply_prices(store, declared, &mut changes).await?;
    let now = Managed {
        channels: declared.channels.iter().map(|c| c.name.clone()).collect(),
        keys: declared.keys.iter().map(|k| k.spec.name.clone()).collect(),
    };
    switch_off(store, managed, &now, &mut changes).await?;
    *managed = now;
    Ok(changes)
}

/// The tenant of that name.
async fn tenant<S: UserStore + ?Sized>(store: &S, name: &str) -> Result<Tenant, UseCaseError> {
    let found = store.tenant_by_name(name).await?;
    Ok(found.ok_or_else(|| StoreError::NotFound { what: "tenant", name: name.to_owned() })?)
}

/// The user of that name.
async fn user<S: UserStore + ?Sized>(store: &S, name: &str) -> Result<User, UseCaseError> {
    let found = store.user_by_name(name).await?;
    Ok(found.ok_or_else(|| StoreError::NotFound { what: "user", name: name.to_owned() })?)
}

async fn apply_tenants<S: UserStore + ?Sized>(
    store: &S,
    declared: &[DeclaredTenant],
    changes: &mut Changes,
) -> Result<HashMap<String, TenantId>, ApplyError> {
    let mut ids = HashMap::new();
    for tenant in declared {
        let what = || format!("tenant `{}`", tenant.name);
        let id = match store.tenant_by_name(&tenant.name).await.at(what)? {
            None => {
                changes.made.push(what());
                store.create_tenant(&tenant.name, tenant.limits).await.at(what)?.id
            }
            Some(stored) if stored.limits == tenant.limits => stored.id,
            Some(stored) => {
                changes.changed.push(what());
                let id = stored.id;
                store.update_tenant(&Tenant { limits: tenant.limits, ..stored }).await.at(what)?;
                id
            }
        };
        ids.insert(tenant.name.clone(), id);
    }
    Ok(ids)
}

async fn apply_users<S: UserStore + ?Sized>(
    store: &S,
    declared: &[DeclaredUser],
    tenants: &HashMap<String, TenantId>,
    changes: &mut Changes,
) -> Result<HashMap<String, UserId>, ApplyError> {
    let mut ids = HashMap::new();
    for user in declared {
        let what = || format!("user `{}`", user.name);
        let tenant = match tenants.get(&user.tenant) {
            Some(id) => *id,
            None => self::tenant(store, &user.tenant).await.at(what)?.id,
        };
        let stored = match store.user_by_name(&user.name).await.at(what)? {
            Some(stored) => stored,
            None => {
                changes.made.push(what());
                let balance = user.opening_balance;
                store.create_user(&user.name, tenant, balance, user.limits).await.at(what)?
            }
        };
        if stored.tenant != tenant {
            let message = format!("{} belongs to another tenant in the store; users do not move", what());
            return Err(UseCaseError::invalid("tenant", message)).at(what);
        }
        ids.insert(user.name.clone(), stored.id);
        if stored.limits != user.limits || stored.status != user.status {
            changes.changed.push(what());
            let next = User { limits: user.limits, status: user.status, ..stored };
            store.update_user(&next).await.at(what)?;
        }
    }
    Ok(ids)
}

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

/// Whether `key` is the one that `hash` opens.
async fn holds<S: CallerStore + ?Sized>(
    store: &S,
    key: &ApiKey,
    hash: &KeyHash,
) -> Result<bool, UseCaseError> {
    Ok(store.caller(hash).await?.is_some_and(|caller| caller.key.id == key.id))
}

fn same_key(stored: &ApiKey, spec: &keys::KeySpec, status: Status) -> bool {
    stored.user == spec.user
        && stored.quota == spec.quota
        && stored.limits == spec.limits
        && stored.models == spec.models
        && stored.ips == spec.ips
        && stored.expires_at == spec.expires_at
        && stored.status == status
}

async fn apply_prices<S: Store + ?Sized>(
    store: &S,
    declared: &Declared,
    changes: &mut Changes,
) -> Result<(), ApplyError> {
    if declared.prices.is_empty() {
        return Ok(());
    }
    let stored = store.prices().await.at(|| "prices".into())?;
    for price in &declared.prices {
        // Versions increase: of two prices from the same moment on the later one holds.
        let held = stored
            .iter()
            .rev()
            .find(|s| s.model == price.model && s.effective_at == price.effective_at)
            .is_some_and(|s| s.rates == price.rates);
        if !held {
            let what = || format!("price of `{}`", price.model);
            store.add_price(price.clone()).await.at(what)?;
            changes.made.push(what());
        }
    }
    Ok(())
}

async fn switch_off<S: Store + ?Sized>(
    store: &S,
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use burncloud_core::store::{ChannelStore, KeyStore, MemoryStore, PriceStore};
    use burncloud_core::{Caller, Limits, Nano};
    use std::sync::Arc;

    const FILE: &str = r#"
allow_inline_secrets = true
[[tenants]]
name = "acme"
[[users]]
name = "ada"
tenant = "acme"
balance_usd = "5.00"
[[channels]]
name = "c"
provider = "openai"
credential = "upstream-1"
models = ["m"]
[[keys]]
name = "k"
user = "ada"
secret = "secret-one"
[[keys]]
name = "l"
secret = "secret-two"
[[prices]]
model = "m"
input = "1"
"#;

    #[derive(Default)]
    struct Bench {
        store: MemoryStore,
        managed: Managed,
    }

    impl Bench {
        async fn applied() -> Bench {
            let mut bench = Bench::default();
            bench.apply(FILE).await;
            bench
        }

        async fn apply(&mut self, text: &str) -> Changes {
            let registry = crate::providers();
            let config = Config::parse(Path::new("t.toml"), text, &registry).unwrap();
            apply(&self.store, &registry, &config.declared, &mut self.managed).await.unwrap()
        }

        async fn key(&self, name: &str) -> ApiKey {
            self.store.key_by_name(name).await.unwrap().unwrap()
        }

        async fn ada(&self) -> User {
            self.store.user_by_name("ada").await.unwrap().unwrap()
        }

        async fn caller(&self, secret: &str) -> Option<Arc<Caller>> {
            self.store.caller(&KeyHash::of(secret.as_bytes())).await.unwrap()
        }
    }

    #[tokio::test]
    async fn applying_twice_changes_nothing() {
        let mut bench = Bench::default();
        let first = bench.apply(FILE).await;
        assert_eq!(first.made.len(), 6, "{first:?}");
        assert_eq!(bench.apply(FILE).await, Changes::default());
        assert_eq!(bench.store.prices().await.unwrap().len(), 1);
        let ada = bench.ada().await;
        assert_eq!((bench.key("k").await.user, ada.balance), (ada.id, Some(Nano(5_000_000_000))));
        let default = bench.store.user_by_name("default").await.unwrap().unwrap();
        assert_eq!(bench.key("l").await.user, default.id);
    }

    #[tokio::test]
    async fn what_the_file_declares_wins_and_balances_stay() {
        let mut bench = Bench::applied().await;
        bench.store.add_balance(bench.ada().await.id, Nano(-1_000_000_000)).await.unwrap();
        let key = bench.key("k").await;
        bench.store.update_key(&ApiKey { quota: Some(Nano(1)), ..key }, None).await.unwrap();
        let changes = bench.apply(&FILE.replace("upstream-1", "upstream-2")).await;
        assert_eq!(changes.changed, ["channel `c`", "key `k`"]);
        assert_eq!(bench.key("k").await.quota, None);
        let channel = bench.store.channel_by_name("c").await.unwrap().unwrap();
        assert_eq!(channel.credential.expose_secret(), "upstream-2");
        assert_eq!(bench.ada().await.balance, Some(Nano(4_000_000_000)));
    }

    #[tokio::test]
    async fn a_new_secret_replaces_the_old_one() {
        let mut bench = Bench::applied().await;
        bench.apply(&FILE.replace("secret-one", "secret-new")).await;
        assert!(bench.caller("secret-one").await.is_none());
        assert_eq!(bench.caller("secret-new").await.unwrap().key.name, "k");
    }

    #[tokio::test]
    async fn what_left_the_file_is_switched_off_and_comes_back() {
        let mut bench = Bench::applied().await;
        let user = bench.ada().await.id;
        let by_hand = keys::KeySpec {
            name: "by-hand".into(),
            user,
            quota: None,
            limits: Limits::default(),
            models: None,
            ips: None,
            expires_at: None,
        };
        keys::create_key(&bench.store, by_hand, None).await.unwrap();
        let without = FILE.replace("[[keys]]\nname = \"l\"\nsecret = \"secret-two\"\n", "");
        assert_eq!(bench.apply(&without).await.disabled, ["key `l`"]);
        assert_eq!(bench.key("l").await.status, Status::Disabled);
        assert_eq!(bench.key("by-hand").await.status, Status::Active);
        assert_eq!(bench.apply(&without).await, Changes::default());
        assert_eq!(bench.apply(FILE).await.changed, ["key `l`"]);
        assert_eq!(bench.key("l").await.status, Status::Active);
    }

    #[tokio::test]
    async fn what_was_revoked_stays_revoked() {
        let mut bench = Bench::applied().await;
        keys::revoke_key(&bench.store, "k").await.unwrap();
        channels::revoke_channel(&bench.store, "c").await.unwrap();
        assert_eq!(bench.apply(FILE).await.revoked, ["channel `c`", "key `k`"]);
        assert_eq!(bench.key("k").await.status, Status::Revoked);
        assert!(channels::disable_channel(&bench.store, "c").await.unwrap().status == Status::Revoked);
    }

    #[test]
    fn managed_names_are_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let path = Managed::path(&dir.path().join("journal"));
        assert_eq!(Managed::load(&path).unwrap(), Managed::default());
        let managed = Managed { channels: ["c".to_owned()].into(), keys: ["k".to_owned()].into() };
        managed.save(&path).unwrap();
        assert_eq!(Managed::load(&path).unwrap(), managed);
    }
}
