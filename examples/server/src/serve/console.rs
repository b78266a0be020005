//! The console of this server.

use super::parts::Parts;
use crate::cli::CliResult;
use crate::config::Config;
use axum::Router;
use burncloud_billing::Desk;
use burncloud_billing::desk::login::random_text;
use burncloud_core::store::LoginStore;
use burncloud_liveview::Console;
use secrecy::SecretString;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// What was mounted.
pub(super) struct Mounted {
    pub(super) router: Router,
    /// The one-time password of its first owner, while there is none.
    pub(super) code: Option<SecretString>,
}

/// Letters of the one-time password: 120 bits.
const CODE: usize = 20;

/// Puts the console together; `changed` is told of what it changes.
///
/// # Errors
/// The store's.
pub(super) async fn mount(config: &Config, parts: &Arc<Parts>, changed: Arc<Notify>) -> CliResult<Mounted> {
    let desk = Desk::new(parts.store.clone(), parts.registry.clone())
        .with_book(parts.biller.book().clone())
        .on_change(move || changed.notify_one());
    let mut builder = Console::builder(desk).gateway(parts.gateway.clone()).biller(parts.biller.clone());
    if let Some(url) = &config.console.public_url {
        builder = builder.public_url(url);
    }
    builder = builder.trusted_proxies(config.console.trusted_proxies.iter().copied());
    let mut code = None;
    if !parts.store.has_logins().await? {
        let text: String = random_text()?.chars().take(CODE).collect();
        let secret = SecretString::from(text);
        builder = builder.setup_code(&secret);
        code = Some(secret);
    }
    let router = burncloud_liveview::console(builder.build(Handle::current()));
    Ok(Mounted { router, code })
}
