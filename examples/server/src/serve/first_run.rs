//! The first start without a configuration: someone must be able to get in.

use crate::cli::{CliResult, say};
use burncloud_core::Limits;
use burncloud_core::store::{Store, StoreError};
use burncloud_core::usecase::keys::{KeySpec, create_key};
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;

/// Makes the first key if there is none at all.
///
/// # Errors
/// The store's.
pub(super) async fn first_key<S: Store + ?Sized>(store: &S) -> CliResult<Option<SecretString>> {
    if !store.keys(None, 1).await?.is_empty() {
        return Ok(None);
    }
    let name = "default".to_owned();
    let user = store.user_by_name(&name).await?;
    let user = user.ok_or(StoreError::NotFound { what: "user", name: name.clone() })?.id;
    let spec = KeySpec {
        name: "first".into(),
        user,
        quota: None,
        limits: Limits::default(),
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    };
    Ok(Some(create_key(store, spec, None).await?.secret))
}

/// Shows it, once, with what to do next.
pub(super) fn announce(secret: &SecretString, addr: SocketAddr) -> CliResult {
    say("This is the first start: a key was made. It is shown only this once, keep it now.")?;
    say(&format!("\n    {}\n", secret.expose_secret()))?;
    say("Next, name an upstream account (the credential is read from the environment and kept encrypted):")?;
    say(
        "    burncloud channels create openai-main --provider openai --models gpt-4o-mini --credential-env OPENAI_API_KEY",
    )?;
    say(&format!("then call http://{addr}/v1/chat/completions with the key as the bearer."))
}

/// Says how the console's first owner gets in.
pub(super) fn announce_console(code: &SecretString, scheme: &str, addr: SocketAddr) -> CliResult {
    say("The console has no owner yet. This one-time password makes one; it ends with this process:")?;
    say(&format!("\n    {}\n", code.expose_secret()))?;
    say(&format!("at {scheme}://{addr}/console/setup"))
}
