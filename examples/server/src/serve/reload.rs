//! Keeps the running gateway in line with the file and the store.
//!
//! The file is read each second and compared byte by byte (no file watcher: an editor's rename, a mounted
//! secret's symlink and a network folder all look the same this way), and applied when it changed or on
//! SIGHUP. The store is asked each second whether somebody else changed it. A file with a fault changes
//! nothing.

use super::parts::{Parts, apply_file};
use super::{Source, console};
use crate::cli::CliResult;
use crate::config::Config;
use crate::config::apply::Managed;
use burncloud_billing::reload_budgets;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

const EVERY: Duration = Duration::from_secs(1);
/// How often it is asked what others spent of budgets.
const BUDGETS: Duration = Duration::from_secs(60);

pub(super) struct Reloader {
    parts: Arc<Parts>,
    /// What runs.
    config: Config,
    managed: Managed,
    source: Source,
    /// The file as it was read last, whether it was in order or not.
    text: Option<Vec<u8>>,
    /// The store's change counter when channels and prices were read last.
    version: Option<i64>,
    /// When what others spent of budgets was read last.
    budgets: Instant,
    hangup: Signal,
    /// Told of changes that the console of this process makes.
    changed: Arc<Notify>,
    /// Told of what the file declares.
    declared: Box<dyn Fn(&Config) + Send + Sync>,
}

impl Reloader {
    /// Takes note of how things stand now.
    ///
    /// # Errors
    /// When SIGHUP cannot be listened to.
    pub(super) async fn new(
        config: Config,
        source: Source,
        managed: Managed,
        parts: Arc<Parts>,
        changed: Arc<Notify>,
        declared: Box<dyn Fn(&Config) + Send + Sync>,
    ) -> CliResult<Reloader> {
        let text = match &source.path {
            Some(path) => tokio::fs::read(path).await.ok(),
            None => None,
        };
        // Unknown: the first look reads everything once more, so that no change slips in between.
        let version = None;
        let hangup = signal(SignalKind::hangup())?;
        let budgets = Instant::now();
        Ok(Reloader { parts, config, managed, source, text, version, budgets, hangup, changed, declared })
    }

    /// Runs until it is aborted.
    pub(super) async fn run(mut self) {
        let mut clock = tokio::time::interval(EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let asked = tokio::select! {
                _ = clock.tick() => false,
                _ = self.hangup.recv() => true,
                // What somebody changed on a page holds for the next request, not in a second.
                () = self.changed.notified() => {
                    self.look_at_store().await;
                    continue;
                }
            };
            self.look_at_file(asked).await;
            self.look_at_store().await;
            self.look_at_budgets().await;
        }
    }

    /// Takes over what other processes spent, and keeps what operators should know.
    async fn look_at_budgets(&mut self) {
        let Parts { store, biller, .. } = &*self.parts;
        if let Err(error) = biller.alerts().keep(&**store).await {
            tracing::warn!(%error, "alerts wait for the store");
        }
        if self.budgets.elapsed() < BUDGETS {
            return;
        }
        self.budgets = Instant::now();
        if let Err(error) = reload_budgets(&**store, biller).await {
            tracing::warn!(%error, "budgets go on with what this process knows");
        }
    }

    async fn look_at_file(&mut self, asked: bool) {
        let Some(path) = self.source.path.clone() else { return };
        let text = match tokio::fs::read(&path).await {
            Ok(text) => Some(text),
            Err(error) => {
                if asked || self.text.is_some() {
                    tracing::error!(file = %path.display(), %error, "cannot be read; what runs goes on");
                }
                None
            }
        };
        let changed = text != self.text;
        self.text = text;
        if self.text.is_none() || !(asked || changed) {
            return;
        }
        match self.reload().await {
            Ok(()) => tracing::info!(file = %path.display(), "reloaded"),
            Err(error) => tracing::error!(%error, "the file was not applied; what runs goes on"),
        }
    }

    async fn reload(&mut self) -> CliResult {
        let mut config = self.source.load(&self.parts.registry)?;
        console::take_settings(&mut config, &self.parts.store).await?;
        for what in config.needs_restart(&self.config) {
            tracing::warn!("a change of [{what}] takes effect at the next start");
        }
        apply_file(&config, &self.parts.store, &self.parts.registry, &mut self.managed).await?;
        self.parts.refresh(&config).await?;
        (self.declared)(&config);
        self.config = config;
        Ok(())
    }

    async fn look_at_store(&mut self) {
        let version = match self.parts.store.change_version().await {
            Ok(version) => version,
            Err(error) => {
                tracing::warn!(%error, "the store was not asked for changes");
                return;
            }
        };
        if self.version == Some(version) {
            return;
        }
        match self.parts.refresh(&self.config).await {
            Ok(()) => {
                tracing::debug!(version, "channels and prices are those of the store");
                self.version = Some(version);
            }
            Err(error) => tracing::error!(%error, "the store's changes were not taken; what runs goes on"),
        }
    }
}
