//! What answers and bodies look like, for the document. Tests compare what is answered with what is described here.
#![expect(dead_code, reason = "described, never built: the desk's own types are what is written down")]

mod accounts;
mod door;
mod money;
mod people;
mod prices;
mod reports;

pub(super) use accounts::*;
pub(super) use door::*;
pub(super) use money::*;
pub(super) use people::*;
pub(super) use prices::*;
pub(super) use reports::*;

use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// A page of each of these.
macro_rules! lists {
    ($($(#[$doc:meta])* $list:ident of $item:ty)*) => {$(
        $(#[$doc])*
        #[derive(ToSchema)]
        pub(in crate::api) struct $list {
            /// What is on the page.
            items: Vec<$item>,
            /// What the next page comes after; null on the last.
            next: Option<String>,
        }
    )*};
}
pub(super) use lists;

/// What is named by a number.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct ById {
    /// Its number.
    id: i64,
}

/// What is named by its name.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct ByName {
    /// Its name.
    name: String,
}

/// What is named by a word.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct ByWord {
    /// Its id.
    id: String,
}

/// How many
#[derive(ToSchema)]
pub(in crate::api) struct Count {
    /// So many.
    count: u64,
}

/// That the console is there
#[derive(ToSchema)]
pub(in crate::api) struct Health {
    /// `ok`.
    status: String,
    /// Which version answers.
    version: String,
}

/// Whether something may be used
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum Status {
    /// In use.
    Active,
    /// Switched off; may be switched on again.
    Disabled,
    /// Withdrawn for good.
    Revoked,
}

/// What a user may do beside calling
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum Role {
    /// Everything, everywhere.
    Owner,
    /// Everything in the house but to make or unmake owners.
    Administrator,
    /// Everything in its own tenant and below.
    Reseller,
    /// Calls, and sees its own.
    EndUser,
    /// Sees the money of its tenant and below, and changes nothing.
    Accountant,
}

/// Limits on use; null is no limit
#[derive(ToSchema)]
pub(in crate::api) struct Limits {
    /// Requests in any 60 seconds.
    requests_per_minute: Option<u64>,
    /// Tokens (input and output) in any 60 seconds.
    tokens_per_minute: Option<u64>,
    /// Requests at the same time.
    concurrency: Option<u64>,
}

/// A setting of the house
#[derive(ToSchema)]
pub(in crate::api) struct Setting {
    /// Its name.
    name: String,
    /// What it does.
    about: String,
    /// What holds, or will after a restart.
    value: Value,
    /// What holds where nothing is set.
    default: Value,
    /// Whether the configuration file declares it: change it there.
    declared: bool,
    /// Whether a change takes effect at the next start.
    needs_restart: bool,
    /// Whether a change waits for that.
    waits: bool,
}

/// Settings by name; null is the default
#[derive(ToSchema)]
#[schema(example = json!({ "house.name": "Harbour AI", "routing.max_attempts": 3 }))]
pub(in crate::api) struct SettingValues(BTreeMap<String, Value>);

lists! {
    /// Settings
    SettingList of Setting
}
