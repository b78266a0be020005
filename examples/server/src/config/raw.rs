//! The file as it is written, before anything in it is checked. Fields whose faults are found later carry
//! their place in the file.

use super::secret::SecretRef;
use super::transforms::{RawBody, RawPrompt, RawScript, RawStatuses, TextRef};
use burncloud_core::{Limits, TimeoutSettings};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

type At<T> = Spanned<T>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawFile {
    pub(super) allow_inline_secrets: bool,
    pub(super) server: RawServer,
    pub(super) console: RawConsole,
    pub(super) store: RawStore,
    pub(super) journal: RawJournal,
    pub(super) retention: RawRetention,
    pub(super) billing: RawBilling,
    pub(super) catalogue: RawCatalogue,
    pub(super) timeouts: Option<At<TimeoutSettings>>,
    pub(super) failover: RawFailover,
    pub(super) limits: RawLimits,
    pub(super) channels: Vec<At<RawChannel>>,
    pub(super) plans: Vec<RawPlan>,
    pub(super) tenants: Vec<At<RawTenant>>,
    pub(super) users: Vec<At<RawUser>>,
    pub(super) keys: Vec<At<RawKey>>,
    pub(super) budgets: Vec<At<RawBudget>>,
    pub(super) prices: Vec<At<RawPrice>>,
    pub(super) price_groups: Vec<At<RawPriceGroups>>,
    pub(super) exchange_rates: Vec<At<RawExchangeRates>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawServer {
    pub(super) listen: Option<At<String>>,
    pub(super) max_body_bytes: Option<At<usize>>,
    pub(super) max_body_bytes_in_flight: Option<At<usize>>,
    pub(super) max_in_flight: Option<At<usize>>,
    pub(super) keep_alive_ms: Option<u64>,
    pub(super) shutdown_grace_ms: Option<u64>,
    #[serde(default)]
    pub(super) cors_origins: Option<Vec<At<String>>>,
    pub(super) tls: Option<At<RawTls>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawConsole {
    pub(super) public_url: Option<At<String>>,
    pub(super) trusted_proxies: Option<Vec<At<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) url: Option<At<SecretRef>>,
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawJournal {
    pub(super) dir: Option<PathBuf>,
    pub(super) commit_ms: Option<At<u64>>,
    pub(super) max_bytes: Option<At<u64>>,
    pub(super) orphans: Option<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRetention {
    pub(super) keep_days: Option<At<u64>>,
    pub(super) dir: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawBilling {
    /// A word, or a table of rates as the price book knows them.
    pub(super) unpriced: Option<At<toml::Value>>,
    pub(super) guard: Option<At<String>>,
    pub(super) default_max_output: Option<At<u64>>,
    pub(super) abort: Option<At<String>>,
    pub(super) drain_ms: Option<At<u32>>,
    pub(super) max_drains: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCatalogue {
    pub(super) url: Option<At<String>>,
    pub(super) every_hours: Option<At<u64>>,
    pub(super) bound_percent: Option<At<u32>>,
    pub(super) proxy: Option<At<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawFailover {
    pub(super) max_attempts: Option<At<usize>>,
    pub(super) max_total_ms: Option<At<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) models: BTreeMap<String, At<Limits>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawChannel {
    pub(super) name: At<String>,
    pub(super) provider: At<String>,
    pub(super) base_url: Option<At<String>>,
    pub(super) credential: Option<At<SecretRef>>,
    pub(super) models: Option<At<Vec<String>>>,
    pub(super) model_mapping: Option<At<BTreeMap<String, String>>>,
    #[serde(default)]
    pub(super) priority: i32,
    pub(super) weight: Option<u32>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) timeouts: Option<At<TimeoutSettings>>,
    pub(super) groups: Option<At<Vec<String>>>,
    pub(super) include_usage: Option<bool>,
    pub(super) concurrency: Option<At<u32>>,
    pub(super) proxy: Option<At<String>>,
    #[serde(default)]
    pub(super) options: BTreeMap<String, At<String>>,
    pub(super) strict: Option<bool>,
    pub(super) body_override: Option<At<RawBody>>,
    #[serde(default)]
    pub(super) header_override: BTreeMap<String, At<String>>,
    pub(super) status_mapping: Option<At<RawStatuses>>,
    pub(super) system_prompt: Option<At<RawPrompt>>,
    pub(super) transforms: Option<At<TextRef>>,
    pub(super) script: Option<At<RawScript>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    pub(super) name: At<String>,
    pub(super) abort: At<String>,
    pub(super) drain_ms: Option<At<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTenant {
    pub(super) name: At<String>,
    pub(super) parent: Option<At<String>>,
    pub(super) enabled: Option<bool>,
    pub(super) unlimited: Option<At<bool>>,
    pub(super) balance_usd: Option<At<Usd>>,
    pub(super) credit_usd: Option<At<Usd>>,
    pub(super) group: Option<At<String>>,
    pub(super) plan: Option<At<String>>,
    pub(super) time_zone: Option<At<String>>,
    pub(super) rate_limit: Option<At<Limits>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUser {
    pub(super) name: At<String>,
    pub(super) tenant: Option<At<String>>,
    pub(super) role: Option<At<String>>,
    pub(super) unlimited: Option<At<bool>>,
    pub(super) balance_usd: Option<At<Usd>>,
    pub(super) credit_usd: Option<At<Usd>>,
    pub(super) group: Option<At<String>>,
    pub(super) plan: Option<At<String>>,
    pub(super) rate_limit: Option<At<Limits>>,
    pub(super) enabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKey {
    pub(super) name: At<String>,
    pub(super) secret: Option<At<SecretRef>>,
    pub(super) user: Option<At<String>>,
    pub(super) quota_usd: Option<At<Usd>>,
    pub(super) rate_limit: Option<At<Limits>>,
    pub(super) models: Option<At<Vec<String>>>,
    pub(super) ips: Option<At<Vec<At<String>>>>,
    pub(super) apps: Option<At<Vec<String>>>,
    pub(super) expires: Option<At<Moment>>,
    pub(super) group: Option<At<String>>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBudget {
    pub(super) name: At<String>,
    pub(super) key: Option<At<String>>,
    pub(super) user: Option<At<String>>,
    pub(super) tenant: Option<At<String>>,
    pub(super) channel: Option<At<String>>,
    pub(super) model: Option<At<String>>,
    pub(super) per: At<String>,
    pub(super) usd: Option<At<Usd>>,
    pub(super) tokens: Option<At<u64>>,
    #[serde(default)]
    pub(super) soft: bool,
    pub(super) time_zone: Option<At<String>>,
}

/// What holds for a whole price book.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPriceGroups {
    pub(super) tenant: Option<At<String>>,
    pub(super) effective: Option<At<Moment>>,
    #[serde(default)]
    pub(super) groups: BTreeMap<String, At<toml::Value>>,
    #[serde(default)]
    pub(super) pairs: BTreeMap<String, At<BTreeMap<String, toml::Value>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExchangeRates {
    pub(super) effective: Option<At<Moment>>,
    pub(super) rates: BTreeMap<String, At<toml::Value>>,
}

/// `model`, `effective`, `tenant` or `channel`, and rates as the price book knows them; it also says which fields there are.
pub(super) type RawPrice = BTreeMap<String, At<toml::Value>>;

/// A moment, as a TOML date-time or the same as a text: RFC 3339.
#[derive(Debug)]
pub(super) struct Moment(pub(super) String);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Moment, D::Error> {
        Moment::of(&toml::Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl Moment {
    /// The text of a value that is one.
    pub(super) fn of(value: &toml::Value) -> Result<Moment, &'static str> {
        match value {
            toml::Value::Datetime(date) => Ok(Moment(date.to_string())),
            toml::Value::String(text) => Ok(Moment(text.clone())),
            _ => Err("write a moment such as \"2027-01-31T00:00:00Z\""),
        }
    }
}

/// Dollars: a text, for a number in TOML may be a float.
#[derive(Debug)]
pub(super) struct Usd(pub(super) String);

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Usd, D::Error> {
        match toml::Value::deserialize(from)? {
            toml::Value::String(text) => Ok(Usd(text)),
            _ => Err(serde::de::Error::custom("write an amount in dollars as a text, such as \"10.00\"")),
        }
    }
}

fn yes() -> bool {
    true
}
