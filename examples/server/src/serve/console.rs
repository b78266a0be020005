//! The console of this server.

use super::parts::Parts;
use crate::cli::CliResult;
use crate::config::Config;
use axum::Router;
use burncloud_billing::Desk;
use burncloud_billing::desk::login::random_text;
use burncloud_billing::desk::settings::{Settings, SettingsSource, Values};
use burncloud_core::store::{LoginStore, SettingStore};
use burncloud_liveview::Console;
use burncloud_store::SqlStore;
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// Whom to tell what the file declares when it was read again.
pub(super) type Declared = Box<dyn Fn(&Config) + Send + Sync>;

/// What was mounted.
pub(super) struct Mounted {
    pub(super) router: Router,
    /// The one-time password of its first owner, while there is none.
    pub(super) code: Option<SecretString>,
    pub(super) declared: Declared,
}

/// Version and build.
const RELEASE: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("BURNCLOUD_BUILD"), ")");
/// Letters of the one-time password: 120 bits.
const CODE: usize = 20;

/// Nobody is told.
pub(super) fn nobody() -> Declared {
    Box::new(|_| ())
}

/// What was set on a page of what takes effect at a start, where the file does not say otherwise.
///
/// # Errors
/// The store's.
pub(super) async fn take_settings(config: &mut Config, store: &SqlStore) -> CliResult {
    let settings = Settings::load_over(store, &config.settings).await?;
    let says = |name: &str| config.settings.contains_key(name);
    let (listen, public_url, proxies) =
        (says("server.listen"), says("server.public_url"), says("server.trusted_proxies"));
    if let Some(addr) = settings.listen.as_deref().filter(|_| !listen).and_then(|text| text.parse().ok()) {
        config.server.listen = addr;
    }
    if !public_url {
        config.console.public_url = settings.public_url;
    }
    if !proxies {
        let parsed = settings.trusted_proxies.iter().filter_map(|text| text.parse().ok());
        config.console.trusted_proxies = parsed.collect();
    }
    Ok(())
}

/// Puts the console together; `changed` is told of what it changes.
///
/// # Errors
/// The store's.
pub(super) async fn mount(config: &Config, parts: &Arc<Parts>, changed: Arc<Notify>) -> CliResult<Mounted> {
    let desk = Desk::new(parts.store.clone(), parts.registry.clone())
        .with_book(parts.biller.book().clone())
        .with_biller(parts.biller.clone())
        .with_backups(backups(config))
        .with_archive(config.retention.dir.clone())
        .on_change(move || changed.notify_one());
    let mut running: Values = parts.store.settings().await?.into_iter().collect();
    running.extend(config.settings.clone());
    let source = move |config: &Config| SettingsSource {
        declared: config.settings.clone(),
        running: Some(running.clone()),
    };
    desk.settings_from(source(config));
    let mut builder =
        Console::builder(desk.clone()).gateway(parts.gateway.clone()).biller(parts.biller.clone());
    if let Some(url) = &config.console.public_url {
        builder = builder.public_url(url);
    }
    builder = builder.release(RELEASE);
    builder = builder.trusted_proxies(config.console.trusted_proxies.iter().copied());
    let mut code = None;
    if !parts.store.has_logins().await? {
        let text: String = random_text()?.chars().take(CODE).collect();
        let secret = SecretString::from(text);
        builder = builder.setup_code(&secret);
        code = Some(secret);
    }
    let router = burncloud_liveview::console(builder.build(Handle::current()));
    Ok(Mounted { router, code, declared: Box::new(move |config| desk.settings_from(source(config))) })
}

/// Copies lie beside the database.
fn backups(config: &Config) -> PathBuf {
    let file = config.store.sqlite_file().unwrap_or_else(|| PathBuf::from("burncloud.db"));
    file.with_extension("backups")
}
