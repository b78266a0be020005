//! Where the gateway keeps what must outlive it: one trait per kind of thing.
//!
//! The in-memory [`MemoryStore`] implements all of them, `burncloud-store` does so over SQL. Anyone may bring
//! another: the suite in `burncloud_core::testing` (feature `testing`) says what each must do.
//!
//! Nothing on a request's way waits for a store but a key seen for the first time.

mod archive;
mod backup;
mod identity;
mod memory;
mod money;
mod people;
mod report;

pub use archive::{ArchiveStore, Archived, ArchivedReceipt, ArchivedSum, ArchivedSums};
pub use backup::{BackupDone, BackupStore};

pub use identity::{
    AuditEntry, AuditFilter, AuditStore, Began, Invitation, InvitationStore, Login, LoginStore, OnceStore,
    Session, SessionStore, SettingStore,
};
pub use memory::MemoryStore;
pub use money::{
    AlertStore, BudgetStore, CatalogueCopy, CatalogueState, CatalogueStore, CodeStore, EntryFilter,
    LedgerStore, NewCode, PlanStore, Posted, ProofKey, ProofStore, RedeemCode, Sealed, Sealer, SpendingStore,
};
pub use people::{KeyQuery, PeopleStore, UserQuery};

pub use report::{
    Dim, Extent, LogQuery, Outcome, ReportStore, Step, TenantRow, UsageQuery, UsageRow, Who, quarters, usage,
};

use crate::ledger::Account;
use crate::{
    ApiKey, Caller, ChannelConfig, ChannelId, KeyHash, KeyId, Limits, Nano, Receipt, ReceiptId, Role, Tenant,
    TenantId, UnixMicros, User, UserId,
};
use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A store's failure.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// There is already one of that name (or that key).
    Conflict {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// There is none.
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Its name or id.
        name: String,
    },
    /// What is to be stored breaks a rule.
    Invalid(String),
    /// The store is away; trying again may help. The text holds no secret.
    Unavailable(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Conflict { what, name } => {
                let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
                write!(f, "there is already {article} {what} `{name}`")
            }
            StoreError::NotFound { what, name } => write!(f, "there is no {what} `{name}`"),
            StoreError::Invalid(why) => f.write_str(why),
            StoreError::Unavailable(why) => write!(f, "the store is away: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// The refusal of [`LedgerStore::post`] when a balance does not fit: every store words it alike.
    #[must_use]
    pub fn balance_overflow(account: Account) -> StoreError {
        StoreError::Invalid(format!("the account `{account}` cannot hold that much; nothing was changed"))
    }
}

/// What a store answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// A key to be made. `id`, `used` and `created_at` are the store's to set.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The operator's name for it; unique.
    pub name: String,
    /// How it is recognised on a screen.
    pub hint: String,
    /// The hash of its secret; unique.
    pub hash: KeyHash,
    /// Whose it is.
    pub user: UserId,
    /// What it may spend.
    pub quota: Option<Nano>,
    /// Its limits.
    pub limits: Limits,
    /// The models it may ask for.
    pub models: Option<Vec<String>>,
    /// The addresses it may come from.
    pub ips: Option<Vec<std::net::IpAddr>>,
    /// When it stops working.
    pub expires_at: Option<UnixMicros>,
    /// The group it calls as.
    pub group: Option<String>,
    /// The applications it may be used by.
    pub apps: Option<Vec<String>>,
}

/// A tenant to be made: everything but the name may be left at its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTenant {
    /// The operator's name for it; unique.
    pub name: String,
    /// Whom it buys from.
    pub parent: Option<TenantId>,
    /// Whether its wallet at its parent has no bound.
    pub unlimited: bool,
    /// Its group in its parent's price book.
    pub group: Option<String>,
    /// Its plan.
    pub plan: Option<String>,
    /// IANA name of its time zone; empty is UTC.
    pub time_zone: String,
    /// Its limits.
    pub limits: Limits,
}

/// A user to be made: everything but name and tenant may be left at its default. The wallet is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewUser {
    /// The operator's name for them; unique.
    pub name: String,
    /// Where they belong.
    pub tenant: TenantId,
    /// What they may do beside calling.
    pub role: Role,
    /// Whether the wallet has no bound.
    pub unlimited: bool,
    /// Their group in their tenant's price book.
    pub group: Option<String>,
    /// Their plan.
    pub plan: Option<String>,
    /// Limits over all their keys.
    pub limits: Limits,
}

/// Finds whoever stands behind a key: what the auth layer needs, and nothing more.
#[async_trait]
pub trait CallerStore: Send + Sync + 'static {
    /// The answer if it is at hand, without waiting: `Some(None)` means "known to be nobody".
    fn peek(&self, _hash: &KeyHash) -> Option<Option<Arc<Caller>>> {
        None
    }

    /// The caller of a key whatever its status, with its user and tenant. A key is found by its secret and, until
    /// [`ApiKey::previous_until`], by the one before, as [`Caller::by_previous`].
    async fn caller(&self, hash: &KeyHash) -> StoreResult<Option<Arc<Caller>>>;

    /// The AWS secret access key with which callers sign for the key of this hash, whether there is such a key or
    /// not: [`KeyHash::signing_secret`] under a key that only the store has. `None` where signatures are not offered.
    fn signing_secret(&self, _hash: &KeyHash) -> Option<SecretString> {
        None
    }
}

/// Keys.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Makes a key. `Conflict` for a name or a hash that is taken.
    async fn create_key(&self, key: NewKey) -> StoreResult<ApiKey>;
    /// The key of that name.
    async fn key_by_name(&self, name: &str) -> StoreResult<Option<ApiKey>>;
    /// The key of that id.
    async fn key(&self, id: KeyId) -> StoreResult<Option<ApiKey>>;
    /// Keys in the order of their ids, after `after`, at most `limit`.
    async fn keys(&self, after: Option<KeyId>, limit: u32) -> StoreResult<Vec<ApiKey>>;
    /// Replaces everything that may change (all but id, used, created_at); `hash` too if given. `NotFound`.
    ///
    /// [`ApiKey::previous_until`] says how long the secret before this one works: with a `hash`, the one that is replaced;
    /// without, the one that was replaced last, if there is one. With `None` there is none any more.
    async fn update_key(&self, key: &ApiKey, hash: Option<KeyHash>) -> StoreResult<()>;
    /// The hash of the key's secret as it is now; `None` for an unknown id.
    async fn key_hash(&self, id: KeyId) -> StoreResult<Option<KeyHash>>;
}

/// Users and tenants.
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// Makes a tenant. `Conflict` for a taken name, `NotFound` for an unknown parent.
    async fn create_tenant(&self, tenant: NewTenant) -> StoreResult<Tenant>;
    /// The tenant of that name.
    async fn tenant_by_name(&self, name: &str) -> StoreResult<Option<Tenant>>;
    /// All tenants in the order of their ids.
    async fn tenants(&self) -> StoreResult<Vec<Tenant>>;
    /// The tenant of that id.
    async fn tenant(&self, id: TenantId) -> StoreResult<Option<Tenant>>;
    /// Replaces everything but identity, name, parent, time of making, and what the ledger says (`balance`, `credit`,
    /// `used`). `NotFound`.
    async fn update_tenant(&self, tenant: &Tenant) -> StoreResult<()>;
    /// Makes a user. `Conflict` for a taken name, `NotFound` for an unknown tenant.
    async fn create_user(&self, user: NewUser) -> StoreResult<User>;
    /// The user of that name.
    async fn user_by_name(&self, name: &str) -> StoreResult<Option<User>>;
    /// The user of that id.
    async fn user(&self, id: UserId) -> StoreResult<Option<User>>;
    /// Users in the order of their ids, after `after`, at most `limit`.
    async fn users(&self, after: Option<UserId>, limit: u32) -> StoreResult<Vec<User>>;
    /// Replaces everything but identity, name, tenant, time of making, and what the ledger says (`balance`, `credit`,
    /// `used`). `NotFound`.
    async fn update_user(&self, user: &User) -> StoreResult<()>;
}

/// Channels. Credentials go in and come out in clear; a store that outlives the process encrypts them.
#[async_trait]
pub trait ChannelStore: Send + Sync + 'static {
    /// Makes a channel; its `id` is ignored and set. `Conflict` for a taken name.
    async fn create_channel(&self, channel: ChannelConfig) -> StoreResult<ChannelConfig>;
    /// All channels in the order of their ids.
    async fn channels(&self) -> StoreResult<Vec<ChannelConfig>>;
    /// The channel of that name.
    async fn channel_by_name(&self, name: &str) -> StoreResult<Option<ChannelConfig>>;
    /// Replaces everything but the id. `NotFound`, `Conflict`.
    async fn update_channel(&self, channel: &ChannelConfig) -> StoreResult<()>;
    /// Removes it. `NotFound`. Receipts keep its id.
    async fn delete_channel(&self, id: ChannelId) -> StoreResult<()>;
}

/// What to list of receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptFilter {
    /// Of this key alone.
    pub key: Option<KeyId>,
    /// Of this user alone.
    pub user: Option<UserId>,
    /// Older than this one (receipts are listed newest first).
    pub before: Option<ReceiptId>,
    /// At most so many; 0 means 100.
    pub limit: u32,
}

/// Receipts, and the spending they add up to.
#[async_trait]
pub trait ReceiptStore: Send + Sync + 'static {
    /// Records receipts and, in the same transaction, posts them to the ledger as one entry (of those that are new, if they
    /// come to anything: [`postings`](crate::ledger::postings)), moves the balances of users and tenants with it, and adds
    /// charges to the `used` of keys, users and tenants. A receipt that is already there is skipped
    /// with all its effects: shipping is idempotent. Returns how many were new.
    async fn record(&self, receipts: &[Arc<Receipt>]) -> StoreResult<usize>;
    /// One receipt.
    async fn receipt(&self, id: ReceiptId) -> StoreResult<Option<Receipt>>;
    /// Receipts, newest first.
    async fn receipts(&self, filter: &ReceiptFilter) -> StoreResult<Vec<Receipt>>;
}

/// A price that the operator set: overrides the catalogue for a model from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceOverride {
    /// The version: set by the store, increasing.
    #[serde(default)]
    pub version: u64,
    /// The tenant in whose book it stands; `None` is the house's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book: Option<TenantId>,
    /// A buying price: what this channel's provider takes. `None` is a selling price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The model as callers ask for it (of a buying price: as the provider knows it); `*` is every model that has no rule
    /// of its own; empty is what holds for the whole book, such as its group ratios.
    pub model: String,
    /// From when on it holds.
    pub effective_at: UnixMicros,
    /// The rates as JSON; `burncloud-billing` knows their shape and checks it.
    pub rates: serde_json::Value,
}

/// Prices that the operator set.
#[async_trait]
pub trait PriceStore: Send + Sync + 'static {
    /// Adds one; returns its version. Prices are never changed, only superseded.
    async fn add_price(&self, price: PriceOverride) -> StoreResult<u64>;
    /// All of them, in the order of their versions.
    async fn prices(&self) -> StoreResult<Vec<PriceOverride>>;
}

/// Everything that the reference server keeps.
pub trait Store:
    CallerStore + KeyStore + UserStore + ChannelStore + ReceiptStore + PriceStore + LedgerStore
{
}

impl<T: CallerStore + KeyStore + UserStore + ChannelStore + ReceiptStore + PriceStore + LedgerStore> Store
    for T
{
}

macro_rules! whoever_is {
    ($(#[$doc:meta])* $name:ident: $first:ident $(+ $part:ident)+) => {
        $(#[$doc])*
        pub trait $name: $first $(+ $part)+ {}

        impl<T: $first $(+ $part)+> $name for T {}
    };
}

whoever_is! {
    /// Everything that the console keeps and shows.
    ConsoleStore: Store
        + AlertStore
        + ArchiveStore
        + AuditStore
        + BackupStore
        + BudgetStore
        + CatalogueStore
        + CodeStore
        + InvitationStore
        + LoginStore
        + OnceStore
        + PeopleStore
        + PlanStore
        + ProofStore
        + ReportStore
        + SessionStore
        + SettingStore
        + SpendingStore
}
