//! The configuration file: read, checked, applied.
//!
//! [`Config::load`] reads and checks everything without touching the network or the database, and reports every
//! fault with its line; [`Declared`] is what the file says about the things the console edits too, and
//! [`apply`](apply::apply) brings a store in line with it.

pub(crate) mod apply;
mod check;
mod declared;
mod problem;
mod raw;
mod secret;
mod transforms;
mod warnings;

pub(crate) use declared::{
    DEFAULT, Declared, DeclaredBudget, DeclaredKey, DeclaredPrice, DeclaredScope, DeclaredTenant,
    DeclaredUser, DeclaredWallet,
};
pub(crate) use problem::Problems;
pub(crate) use secret::SecretRef;

use burncloud_billing::desk::settings::Values;
use burncloud_billing::{Guard, Unpriced};
use burncloud_core::adapter::Registry;
use burncloud_core::routing::Timeouts;
use burncloud_core::{AbortPolicy, DrainSettings, Limits};
use problem::Problem;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything the server is told, checked and with defaults filled in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) server: ServerConfig,
    pub(crate) console: ConsoleConfig,
    pub(crate) store: StoreConfig,
    pub(crate) journal: JournalConfig,
    pub(crate) retention: RetentionConfig,
    pub(crate) billing: BillingConfig,
    pub(crate) catalogue: CatalogueConfig,
    pub(crate) timeouts: Timeouts,
    pub(crate) failover: FailoverConfig,
    /// Limits of a model over all its callers.
    pub(crate) model_limits: BTreeMap<String, Limits>,
    pub(crate) declared: Declared,
    /// What the file says of things that the console can set too, by the names of settings: it wins.
    pub(crate) settings: Values,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_body_bytes_in_flight: usize,
    pub(crate) max_in_flight: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) shutdown_grace: Duration,
    /// The websites whose pages may call; may change while it runs.
    pub(crate) cors_origins: Vec<String>,
    pub(crate) tls: Option<TlsConfig>,
}

impl Default for ServerConfig {
    fn default() -> ServerConfig {
        ServerConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            max_body_bytes: 32 << 20,
            max_body_bytes_in_flight: 512 << 20,
            max_in_flight: 10_000,
            keep_alive: Duration::from_secs(15),
            shutdown_grace: Duration::from_secs(30),
            cors_origins: Vec::new(),
            tls: None,
        }
    }
}

/// `[console]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConsoleConfig {
    /// Where browsers reach it, behind a proxy: scheme and authority.
    pub(crate) public_url: Option<String>,
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<IpAddr>,
}

/// `[server] tls`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsConfig {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// `[store]`
#[derive(Clone, Debug)]
pub(crate) struct StoreConfig {
    /// May hold a password.
    pub(crate) url: SecretString,
    /// Where the key is that provider credentials are encrypted with, if not in the environment.
    pub(crate) key_file: PathBuf,
}

impl Default for StoreConfig {
    fn default() -> StoreConfig {
        StoreConfig { url: SecretString::from(DEFAULT_STORE), key_file: PathBuf::from("burncloud.key") }
    }
}

impl StoreConfig {
    /// The file of an SQLite store; none for other stores and for those in memory.
    pub(crate) fn sqlite_file(&self) -> Option<PathBuf> {
        let url = self.url.expose_secret();
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
        let (path, options) = path.split_once('?').unwrap_or((path, ""));
        let in_memory = path.is_empty() || path == ":memory:" || options.contains("mode=memory");
        (!in_memory).then(|| PathBuf::from(path))
    }

    fn is(&self, other: &StoreConfig) -> bool {
        self.url.expose_secret() == other.url.expose_secret() && self.key_file == other.key_file
    }
}

/// The store without a configuration: a file in the working directory.
pub(crate) const DEFAULT_STORE: &str = "sqlite://burncloud.db";

/// `[journal]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalConfig {
    pub(crate) dir: PathBuf,
    pub(crate) commit: Duration,
    pub(crate) max_bytes: u64,
    /// Whether a request that was under way when the process was killed is charged what was reserved.
    pub(crate) charge_orphans: bool,
}

impl Default for JournalConfig {
    fn default() -> JournalConfig {
        JournalConfig {
            dir: PathBuf::from("burncloud.journal"),
            commit: Duration::from_millis(5),
            max_bytes: 1 << 30,
            charge_orphans: false,
        }
    }
}

/// `[retention]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetentionConfig {
    /// For how many days requests are kept, 0 for ever; may change while it runs, as the setting `log.keep_days`.
    pub(crate) keep_days: u64,
    /// Where older ones are archived.
    pub(crate) dir: PathBuf,
}

impl Default for RetentionConfig {
    fn default() -> RetentionConfig {
        RetentionConfig { keep_days: 0, dir: PathBuf::from("burncloud.archive") }
    }
}

/// `[billing]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BillingConfig {
    /// What becomes of a request for a model without a price.
    pub(crate) unpriced: Unpriced,
    /// What is done about sales below cost.
    pub(crate) guard: Guard,
    /// Output tokens to reserve for when the caller does not limit them.
    pub(crate) default_max_output: u64,
    /// What is charged for answers that do not come to their end, where no plan says so.
    pub(crate) abort: AbortPolicy,
    /// Answers that are read on after their caller has gone, at the same time.
    pub(crate) max_drains: usize,
}

impl Default for BillingConfig {
    fn default() -> BillingConfig {
        BillingConfig {
            unpriced: Unpriced::Refuse,
            guard: Guard::Warn,
            default_max_output: 4096,
            abort: AbortPolicy::default(),
            max_drains: DrainSettings::default().max,
        }
    }
}

/// `[catalogue]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CatalogueConfig {
    /// Where newer published prices are fetched from; nowhere by default.
    pub(crate) url: Option<String>,
    pub(crate) every: Duration,
    /// By how many percent a price may move without approval.
    pub(crate) bound_percent: u32,
    pub(crate) proxy: Option<String>,
}

impl Default for CatalogueConfig {
    fn default() -> CatalogueConfig {
        CatalogueConfig {
            url: None,
            every: Duration::from_secs(24 * 3600),
            bound_percent: burncloud_billing::published::DEFAULT_BOUND,
            proxy: None,
        }
    }
}

/// `[failover]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailoverConfig {
    pub(crate) max_attempts: usize,
    pub(crate) max_total: Duration,
}

impl Default for FailoverConfig {
    fn default() -> FailoverConfig {
        FailoverConfig { max_attempts: 4, max_total: Duration::from_secs(120) }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Every fault that was found.
    pub(crate) fn load(path: &Path, registry: &Registry) -> Result<Config, Problems> {
        let text = std::fs::read_to_string(path).map_err(|e| Problems::unreadable(path, &e))?;
        Config::parse(path, &text, registry)
    }

    /// Checks the text of a file; `path` is for messages.
    ///
    /// # Errors
    /// Every fault that was found.
    pub(crate) fn parse(path: &Path, text: &str, registry: &Registry) -> Result<Config, Problems> {
        let raw = read(path, text)?;
        check::check(raw, registry).map_err(|list| Problems::new(path, text, list))
    }

    /// Reads a file for `[store]` and `[journal]` alone: all that a command needs that only edits the store.
    /// Secrets of channels and keys need not be at hand.
    ///
    /// # Errors
    /// Faults of the file's shape and of those two.
    pub(crate) fn load_places(path: &Path) -> Result<(StoreConfig, JournalConfig), Problems> {
        let text = std::fs::read_to_string(path).map_err(|e| Problems::unreadable(path, &e))?;
        let raw = read(path, &text)?;
        check::check_places_alone(raw).map_err(|list| Problems::new(path, &text, list))
    }
}

impl Config {
    /// The sections that differ from what `running` was started with and only take effect at a start.
    pub(crate) fn needs_restart(&self, running: &Config) -> Vec<&'static str> {
        let cors_origins = running.server.cors_origins.clone();
        let server = ServerConfig { cors_origins, ..self.server.clone() };
        let sections = [
            ("server", server != running.server),
            ("console", self.console != running.console),
            ("store", !self.store.is(&running.store)),
            ("journal", self.journal != running.journal),
            ("retention", self.retention.dir != running.retention.dir),
            ("billing", self.billing != running.billing),
            ("catalogue", self.catalogue != running.catalogue),
        ];
        sections.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

fn read(path: &Path, text: &str) -> Result<raw::RawFile, Problems> {
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(text.len()..text.len());
        let message = problem::without_values(error.message());
        Problems::new(path, text, vec![Problem { span, field: String::new(), message }])
    })
}

#[cfg(test)]
mod tests;
