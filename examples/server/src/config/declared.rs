//! What a file declares of the things that the console and the command line edit too.

use burncloud_core::store::PriceOverride;
use burncloud_core::usecase::keys::KeySpec;
use burncloud_core::{ChannelConfig, Limits, Nano, Status};
use secrecy::SecretString;

/// The tenant and the user of whatever names none.
pub(crate) const DEFAULT: &str = "default";

/// Everything that is applied to the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    /// Their ids are the store's to set.
    pub(crate) channels: Vec<ChannelConfig>,
    pub(crate) tenants: Vec<DeclaredTenant>,
    pub(crate) users: Vec<DeclaredUser>,
    pub(crate) keys: Vec<DeclaredKey>,
    /// Their versions are the store's to set.
    pub(crate) prices: Vec<PriceOverride>,
}

/// `[[tenants]]`
#[derive(Clone, Debug)]
pub(crate) struct DeclaredTenant {
    pub(crate) name: String,
    pub(crate) limits: Limits,
}

/// `[[users]]`
#[derive(Clone, Debug)]
pub(crate) struct DeclaredUser {
    pub(crate) name: String,
    pub(crate) tenant: String,
    /// What the user starts with; an existing user's balance is never touched.
    pub(crate) opening_balance: Option<Nano>,
    pub(crate) limits: Limits,
    pub(crate) status: Status,
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
