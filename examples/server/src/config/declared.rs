//! What a file declares of the things that the console and the command line edit too.

use burncloud_core::usecase::keys::KeySpec;
use burncloud_core::{
    Allowance, ChannelConfig, Enforcement, Limits, Nano, Period, Plan, Role, Status, UnixMicros,
};
use secrecy::SecretString;

/// The tenant and the user of whatever names none.
pub(crate) const DEFAULT: &str = "default";

/// Everything that is applied to the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    /// Their ids are the store's to set.
    pub(crate) channels: Vec<ChannelConfig>,
    pub(crate) plans: Vec<Plan>,
    /// Each after its parent.
    pub(crate) tenants: Vec<DeclaredTenant>,
    pub(crate) users: Vec<DeclaredUser>,
    pub(crate) keys: Vec<DeclaredKey>,
    pub(crate) budgets: Vec<DeclaredBudget>,
    pub(crate) prices: Vec<DeclaredPrice>,
}

/// `[[tenants]]`. `None` is not named: what the store has stays.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredTenant {
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) status: Option<Status>,
    pub(crate) wallet: DeclaredWallet,
    pub(crate) group: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) time_zone: Option<String>,
    pub(crate) limits: Limits,
}

/// `[[users]]`. `None` is not named: what the store has stays.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredUser {
    pub(crate) name: String,
    pub(crate) tenant: String,
    pub(crate) role: Option<Role>,
    pub(crate) wallet: DeclaredWallet,
    pub(crate) group: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) limits: Limits,
    /// `None`: as it is in the store.
    pub(crate) status: Option<Status>,
}

/// The wallet of a tenant or a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeclaredWallet {
    /// What it starts with; one that was in use is never touched.
    pub(crate) opening_balance: Option<Nano>,
    pub(crate) credit: Option<Nano>,
    pub(crate) unlimited: Option<bool>,
}

impl DeclaredWallet {
    /// Whether it is made without a bound, of a user: so it is where nothing is said.
    pub(crate) fn begins_unlimited(self) -> bool {
        self.unlimited.unwrap_or(self.opening_balance.is_none() && self.credit.is_none())
    }
}

/// `[[budgets]]`
#[derive(Clone, Debug)]
pub(crate) struct DeclaredBudget {
    pub(crate) name: String,
    pub(crate) scope: DeclaredScope,
    pub(crate) period: Period,
    pub(crate) allowance: Allowance,
    pub(crate) enforcement: Enforcement,
    /// The tenant's own by default.
    pub(crate) time_zone: Option<String>,
}

/// Whose spending, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeclaredScope {
    Key(String),
    User(String),
    Tenant(String),
    Channel(String),
    Model(String),
}

/// `[[prices]]`, `[[price_groups]]` and `[[exchange_rates]]`: a row of a price book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeclaredPrice {
    /// The tenant in whose book it stands; `None` is the house.
    pub(crate) book: Option<String>,
    /// The channel whose buying price it is.
    pub(crate) channel: Option<String>,
    /// Empty for what holds for the whole book.
    pub(crate) model: String,
    pub(crate) effective_at: UnixMicros,
    pub(crate) rates: serde_json::Value,
}

/// `[[keys]]`
#[derive(Clone, Debug)]
pub(crate) struct DeclaredKey {
    /// Its `user` is filled in when the user's id is known.
    pub(crate) spec: KeySpec,
    pub(crate) user: String,
    pub(crate) secret: SecretString,
    pub(crate) status: Status,
}

/// On or off, as a file says it.
pub(crate) fn status(enabled: bool) -> Status {
    if enabled { Status::Active } else { Status::Disabled }
}
