//! The server: store, money, gateway and listener put together, and kept in line with file and store while
//! it runs.

mod app;
mod catalogue;
mod console;
pub(crate) mod cors;
mod first_run;
mod listener;
mod metrics;
mod ops;
mod parts;
mod reload;
mod retention;
mod signing;
mod stall;
pub(crate) mod tls;

pub(crate) use catalogue::{fetch as fetch_catalogue, shown as shown_address};
pub(crate) use parts::open_store;
pub(crate) use signing::make as make_signing_key;

use crate::cli::{CliResult, say};
use crate::config::{Config, Problems};
use burncloud_core::adapter::Registry;
use burncloud_store::SqlStore;
use listener::Listener;
use parts::Parts;
use reload::Reloader;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// `burncloud serve` and `burncloud router`: runs until SIGTERM or SIGINT.
///
/// # Errors
/// Whatever keeps it from starting.
pub(crate) async fn run(
    path: Option<&Path>,
    listen: Option<SocketAddr>,
    registry: Registry,
    console: bool,
) -> CliResult {
    let source = Source { path: path.map(Path::to_owned), listen };
    let config = source.load(&registry)?;
    // Before anything is started: a signal that comes early must not kill what is half open.
    let mut signals = Signals::new()?;
    let server = Server::start(config, source, registry, console).await?;
    if path.is_none()
        && let Some(secret) = first_run::first_key(&*server.store).await?
    {
        first_run::announce(&secret, server.addr)?;
    }
    say(&format!("burncloud listens on {}://{}", server.scheme, server.addr))?;
    if let Some(code) = &server.code {
        first_run::announce_console(code, server.scheme, server.addr)?;
    }
    signals.stop().await;
    server.stop(async move { signals.stop().await }).await;
    Ok(())
}

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The file; without one there are defaults.
    pub(crate) path: Option<PathBuf>,
    /// Where to listen, whatever the file says.
    pub(crate) listen: Option<SocketAddr>,
}

impl Source {
    /// Reads and checks it.
    ///
    /// # Errors
    /// Every fault of the file.
    pub(crate) fn load(&self, registry: &Registry) -> Result<Config, Problems> {
        let mut config = match &self.path {
            Some(path) => Config::load(path, registry)?,
            None => Config::default(),
        };
        if let Some(listen) = self.listen {
            config.server.listen = listen;
            config.settings.insert("server.listen".to_owned(), listen.to_string().into());
        }
        Ok(config)
    }
}

/// SIGTERM and SIGINT.
pub(crate) struct Signals {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

impl Signals {
    pub(crate) fn new() -> std::io::Result<Signals> {
        Ok(Signals { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.term.recv() => (),
            _ = self.int.recv() => (),
        }
    }
}

/// A server that runs.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    /// `http`, or `https`.
    pub(crate) scheme: &'static str,
    /// Its store.
    pub(crate) store: Arc<SqlStore>,
    /// The one-time password for the console's first owner, while there is none.
    pub(crate) code: Option<SecretString>,
    parts: Arc<Parts>,
    grace: Duration,
    stopping: watch::Sender<bool>,
    listener: JoinHandle<()>,
    force: watch::Sender<bool>,
    reloader: JoinHandle<()>,
    catalogue: JoinHandle<()>,
    retention: JoinHandle<()>,
    shipper: JoinHandle<()>,
}

/// How long the last receipts may take into the store; what is left is shipped at the next start.
const SHIP: Duration = Duration::from_secs(15);

impl Server {
    /// Starts everything and listens. `source` is where `config` was read from; its file is watched from now on.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub(crate) async fn start(
        config: Config,
        source: Source,
        registry: Registry,
        console: bool,
    ) -> CliResult<Server> {
        let store = parts::open_store(&config.store).await?;
        let mut config = config;
        console::take_settings(&mut config, &store).await?;
        let listener = Listener::bind(&config.server).await?;
        let (addr, scheme) = (listener.addr(), listener.scheme());
        let (parts, shipper, managed) = Parts::build(&config, store, registry).await?;
        let shipper = tokio::spawn(shipper.run());
        let parts = Arc::new(parts);
        let (stopping, stopped) = watch::channel(false);
        let (force, forced) = watch::channel(false);
        let changed = Arc::new(Notify::new());
        let console = match console {
            true => Some(console::mount(&config, &parts, changed.clone()).await?),
            false => None,
        };
        let (console, code, declared) = match console {
            Some(mounted) => (Some(mounted.router), mounted.code, mounted.declared),
            None => (None, None, console::nobody()),
        };
        let app = app::App::new(parts.clone(), stopped.clone(), console);
        let grace = config.server.shutdown_grace;
        let catalogue = tokio::spawn(catalogue::run(parts.clone(), config.catalogue.clone()));
        let retention = tokio::spawn(retention::run(parts.clone(), config.retention.dir.clone()));
        let reloader = Reloader::new(config, source, managed, parts.clone(), changed, declared).await?;
        let reloader = tokio::spawn(reloader.run());
        let listener = tokio::spawn(listener.run(app, stopped, forced));
        tracing::info!(%addr, scheme, "ready");
        let store = parts.store.clone();
        Ok(Server {
            addr,
            scheme,
            store,
            code,
            parts,
            grace,
            stopping,
            listener,
            force,
            reloader,
            catalogue,
            retention,
            shipper,
        })
    }

    /// Stops: no new connection, requests under way get the grace (or until `hurry`), then they are cut off;
    /// every receipt goes to the journal and what can be into the store.
    pub(crate) async fn stop(self, hurry: impl Future<Output = ()>) {
        let Server {
            parts,
            grace,
            stopping,
            mut listener,
            force,
            reloader,
            catalogue,
            retention,
            shipper,
            ..
        } = self;
        tracing::info!(grace_ms = grace.as_millis(), "stopping: no new connections");
        reloader.abort();
        catalogue.abort();
        retention.abort();
        stopping.send_replace(true);
        let ended = async {
            let _ = (&mut listener).await;
            parts.drained().await;
        };
        tokio::select! {
            () = ended => (),
            () = tokio::time::sleep(grace) => tracing::warn!("the grace is over, cutting off what still runs"),
            () = hurry => tracing::warn!("asked to hurry, cutting off what still runs"),
        }
        // Before callers are cut off: what they leave is not read on.
        parts.stop_drains();
        force.send_replace(true);
        if !listener.is_finished() {
            let _ = listener.await;
        }
        parts.settled().await;
        parts.biller.close();
        if tokio::time::timeout(SHIP, shipper).await.is_err() {
            tracing::warn!("the store did not take every receipt; the journal keeps them for the next start");
        }
        if let Err(error) = parts.store.close().await {
            tracing::warn!(%error, "the store did not close in order");
        }
        tracing::info!("stopped");
    }
}
