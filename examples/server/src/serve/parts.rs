//! What a server is made of: store, money, gateway.

use super::cors::Cors;
use super::signing;
use crate::cli::{CliError, CliResult};
use crate::config::apply::{Changes, Managed, apply};
use crate::config::{Config, StoreConfig};
use burncloud_billing::desk::settings::Settings;
use burncloud_billing::{
    Biller, BillerOptions, BillingError, OrphanPolicy, PriceBook, Shipper, published, reload_budgets,
    reload_prices,
};
use burncloud_core::adapter::Registry;
use burncloud_core::layers::failover::FailoverSettings;
use burncloud_core::layers::inspect::InspectSettings;
use burncloud_core::layers::shed::ShedSettings;
use burncloud_core::routing::{BreakerSettings, Timeouts};
use burncloud_core::store::ChannelStore;
use burncloud_core::{ChannelConfig, DrainSettings, Gateway, RouteTable, TimeoutSettings, UnixMicros};
use burncloud_store::{SecretBox, SqlStore};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The environment variable that may hold the key which provider credentials are encrypted with.
const KEY_VARIABLE: &str = "BURNCLOUD_SECRET_KEY";

/// Opens the store, its folder and key file made if need be.
///
/// # Errors
/// What keeps it from opening, without the address (it may hold a password).
pub(crate) async fn open_store(config: &StoreConfig) -> CliResult<Arc<SqlStore>> {
    if let Some(folder) = sqlite_folder(&config.url) {
        std::fs::create_dir_all(&folder)
            .map_err(|e| format!("the folder {} cannot be made: {e}", folder.display()))?;
    }
    let secrets = match std::env::var(KEY_VARIABLE) {
        Ok(text) => SecretBox::from_text(&SecretString::from(text))
            .map_err(|e| format!("the environment variable {KEY_VARIABLE}: {e}"))?,
        Err(_) => SecretBox::load_or_create(&config.key_file)?,
    };
    Ok(Arc::new(SqlStore::connect(config.url.expose_secret(), secrets).await?))
}

fn sqlite_folder(url: &SecretString) -> Option<PathBuf> {
    let path = url.expose_secret().strip_prefix("sqlite://")?;
    let path = Path::new(path.split('?').next().unwrap_or(path));
    path.parent().filter(|p| !p.as_os_str().is_empty()).map(Path::to_owned)
}

/// What a server is made of.
pub(crate) struct Parts {
    pub(crate) store: Arc<SqlStore>,
    pub(crate) registry: Registry,
    pub(crate) biller: Arc<Biller>,
    pub(crate) gateway: Gateway,
    /// The websites that may call.
    pub(crate) cors: Arc<Cors>,
    /// How many bytes the journal may hold back before requests are refused.
    pub(crate) journal_bound: u64,
    /// For how long requests are kept.
    keep: Mutex<Option<Duration>>,
    /// The number of the published prices that were fetched and are in force, if any are.
    catalogue: Mutex<Option<i64>>,
}

impl Parts {
    /// Opens the journal, applies the file, and stacks the gateway.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub(crate) async fn build(
        config: &Config,
        store: Arc<SqlStore>,
        registry: Registry,
    ) -> CliResult<(Parts, Shipper, Managed)> {
        // Before anything is recorded.
        signing::begin(&store).await?;
        let (biller, mut shipper) = open_biller(config, &store).await?;
        biller.show_receipts_of(store.clone());
        let path = Managed::path(&config.journal.dir);
        let mut managed =
            Managed::load(&path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        apply_file(config, &store, &registry, &mut managed).await?;
        let catalogue = published::restore(&*store, biller.book(), None, UnixMicros::now()).await?;
        reload_prices(&*store, biller.book()).await?;
        // Before the first caller is looked up: accounts are then made from numbers that hold everything.
        if let Err(error) = shipper.recover().await {
            tracing::warn!(%error, "receipts of an earlier run wait in the journal");
        }
        reload_budgets(&*store, &biller).await?;
        let settings = Settings::load_over(&*store, &config.settings).await?;
        let channels = usable_channels(&store, &registry, &config.timeouts, &settings).await?;
        let gateway = Gateway::builder(store.clone(), registry.clone())
            .billing(biller.clone())
            .shed(ShedSettings {
                max_requests: config.server.max_in_flight,
                max_body_bytes: config.server.max_body_bytes_in_flight,
            })
            .inspect(InspectSettings {
                max_body_bytes: config.server.max_body_bytes,
                ..InspectSettings::default()
            })
            .drains(DrainSettings { max: config.billing.max_drains, ..DrainSettings::default() })
            .keep_alive(Some(config.server.keep_alive))
            .build(&channels)?;
        let journal_bound = config.journal.max_bytes;
        let catalogue = Mutex::new(catalogue);
        let cors = Arc::default();
        let keep = Mutex::new(None);
        let parts = Parts { store, registry, biller, gateway, cors, journal_bound, keep, catalogue };
        parts.set_live(config, &settings);
        parts.warm().await;
        Ok((parts, shipper, managed))
    }

    /// Takes channels and prices from the store into the running gateway.
    ///
    /// # Errors
    /// The store's; the gateway goes on with what it has. Prices that cannot be loaded are named in the log, and those
    /// in force stay: channels, plans and budgets are taken all the same.
    pub(crate) async fn refresh(&self, config: &Config) -> CliResult {
        self.store.invalidate_all();
        let settings = Settings::load_over(&*self.store, &config.settings).await?;
        self.set_live(config, &settings);
        signing::follow(&self.store).await?;
        take_prices(self.restore_catalogue().await)?;
        take_prices(reload_prices(&*self.store, self.biller.book()).await)?;
        reload_budgets(&*self.store, &self.biller).await?;
        let channels = usable_channels(&self.store, &self.registry, &config.timeouts, &settings).await?;
        self.gateway.handle().set_channels(&channels)?;
        self.warm().await;
        Ok(())
    }

    /// For how long requests are kept; `None` is for ever.
    pub(crate) fn kept(&self) -> Option<Duration> {
        *self.keep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn restore_catalogue(&self) -> Result<(), BillingError> {
        let known = *self.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
        let now = published::restore(&*self.store, self.biller.book(), known, UnixMicros::now()).await?;
        *self.catalogue.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }

    /// Takes what may change while it runs into the running gateway: limits per model, the bounds of failover, and the
    /// websites that may call.
    fn set_live(&self, config: &Config, settings: &Settings) {
        *self.keep.lock().unwrap_or_else(PoisonError::into_inner) = settings.keep;
        let limits = config.model_limits.iter().map(|(model, limits)| (model.as_str().into(), *limits));
        let handle = self.gateway.handle();
        handle.set_model_limits(limits.collect());
        handle.set_failover(FailoverSettings {
            max_attempts: usize::try_from(settings.max_attempts).unwrap_or(usize::MAX),
            max_total: config.failover.max_total,
        });
        let pause = settings.breaker_pause;
        let breakers = BreakerSettings::default();
        handle.set_breakers(BreakerSettings {
            failures: settings.breaker_failures,
            pause,
            max_pause: breakers.max_pause.max(pause),
            ..breakers
        });
        // What the file may say ("*") is more than what may be set on a page.
        let declared = config.settings.contains_key("cors.origins");
        let origins = if declared { &config.server.cors_origins } else { &settings.cors_origins };
        self.cors.set(origins.clone());
    }

    /// Looks up the prices of the table beside the requests' way.
    async fn warm(&self) {
        let (biller, table) = (self.biller.clone(), self.gateway.handle().table());
        // On a thread that ends: reading the catalogue takes tens of megabytes for a moment, and what a thread has
        // freed is given back to the system when it ends.
        let warm = move || std::thread::spawn(move || biller.warm(&table)).join();
        let warmed = tokio::task::spawn_blocking(warm).await;
        if !matches!(warmed, Ok(Ok(()))) {
            tracing::warn!("prices are looked up by the requests that need them");
        }
    }

    /// Waits until no answer is read on any more after its caller has gone.
    pub(crate) async fn drained(&self) {
        let drains = &self.gateway.handle().stats().drains;
        while drains.running.get() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Has those that are still read on settle with what they know, and no other begin.
    pub(crate) fn stop_drains(&self) {
        self.gateway.handle().stats().drains.close();
    }

    /// Waits (not for ever) until every request that was cut off has left its receipt.
    pub(crate) async fn settled(&self) {
        let stats = self.gateway.handle().stats();
        for _ in 0..500 {
            if stats.drafts.get() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tracing::warn!(requests = stats.drafts.get(), "requests are still not settled");
    }
}

/// Prices that are none are no reason to leave the rest as it was.
fn take_prices(taken: Result<(), BillingError>) -> Result<(), BillingError> {
    match taken {
        Err(error @ (BillingError::Price { .. } | BillingError::Catalogue(_))) => {
            tracing::error!(%error, "prices were not taken; those in force stay");
            Ok(())
        }
        other => other,
    }
}

async fn open_biller(config: &Config, store: &Arc<SqlStore>) -> CliResult<(Arc<Biller>, Shipper)> {
    let mut options = BillerOptions::new(&config.journal.dir);
    options.journal.commit = config.journal.commit;
    options.journal.max_bytes = config.journal.max_bytes;
    options.orphans =
        if config.journal.charge_orphans { OrphanPolicy::Charge } else { OrphanPolicy::Release };
    options.unpriced = config.billing.unpriced.clone();
    options.guard = config.billing.guard;
    options.default_max_output = config.billing.default_max_output;
    options.abort = config.billing.abort;
    let store = store.clone();
    let opened =
        tokio::task::spawn_blocking(move || Biller::open(options, store, Arc::new(PriceBook::new())));
    Ok(opened.await??)
}

/// Applies what the file declares, and remembers what it manages.
///
/// # Errors
/// The first declaration the store refuses.
pub(crate) async fn apply_file(
    config: &Config,
    store: &SqlStore,
    registry: &Registry,
    managed: &mut Managed,
) -> CliResult {
    let before = managed.clone();
    let changes = apply(store, registry, &config.declared, managed).await?;
    report(&changes);
    if *managed != before {
        let path = Managed::path(&config.journal.dir);
        managed.save(&path).map_err(|e| format!("{} cannot be written: {e}", path.display()))?;
    }
    Ok(())
}

fn report(changes: &Changes) {
    if !changes.revoked.is_empty() {
        tracing::warn!(what = ?changes.revoked, "the file declares what was revoked: it stays revoked");
    }
    let Changes { made, changed, disabled, .. } = changes;
    if !(made.is_empty() && changed.is_empty() && disabled.is_empty()) {
        tracing::info!(?made, ?changed, ?disabled, "the file was applied");
    }
}

/// The store's channels, with the file's time limits and the house's proxy where they have none of their own. One that this build
/// cannot use (a provider it does not have, for example) is left out and named in the log, so that the others
/// go on.
async fn usable_channels(
    store: &SqlStore,
    registry: &Registry,
    timeouts: &Timeouts,
    settings: &Settings,
) -> Result<Vec<ChannelConfig>, CliError> {
    let mut usable = Vec::new();
    for mut channel in store.channels().await? {
        if channel.settings.proxy.is_none() {
            channel.settings.proxy.clone_from(&settings.upstream_proxy);
        }
        let set = timeouts.with(&channel.settings.timeouts);
        let ms = |d: Duration| Some(u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        channel.settings.timeouts = TimeoutSettings {
            connect_ms: ms(set.connect),
            first_byte_ms: ms(set.first_byte),
            idle_ms: ms(set.idle),
            total_ms: ms(set.total),
        };
        match RouteTable::build(std::slice::from_ref(&channel), registry, timeouts, None) {
            Ok(_) => usable.push(channel),
            Err(error) => tracing::error!(%error, "this channel cannot be used and is left out"),
        }
    }
    Ok(usable)
}
