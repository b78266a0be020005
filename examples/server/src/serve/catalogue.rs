//! Fetches newer published prices, where the file says from where.
//!
//! A source that is away, or that answers with something else, changes nothing and is asked again within the hour.

use super::parts::Parts;
use crate::cli::CliResult;
use crate::config::CatalogueConfig;
use burncloud_billing::published::{self, Offered};
use burncloud_core::store::AlertStore;
use burncloud_core::transport::Client;
use burncloud_core::{Alert, UnixMicros};
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of a catalogue; the published one has less than one mebibyte.
const MOST: usize = 32 << 20;
const WITHIN: Duration = Duration::from_secs(60);
/// After a failure, at most so long until the next attempt.
const AGAIN: Duration = Duration::from_secs(3600);

/// Fetches until it is aborted.
pub(super) async fn run(parts: Arc<Parts>, config: CatalogueConfig) {
    let Some(url) = config.url.clone() else { return };
    loop {
        let pause = match refresh(&parts, &config, &url).await {
            Ok(()) => config.every,
            Err(error) => {
                tracing::warn!(%error, source = shown(&url), "published prices were not fetched; those in force stay");
                config.every.min(AGAIN)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn refresh(parts: &Arc<Parts>, config: &CatalogueConfig, url: &str) -> CliResult {
    let body = fetch(url, config.proxy.clone()).await?;
    let (parts, bound, source) = (parts.clone(), config.bound_percent, shown(url));
    let runtime = tokio::runtime::Handle::current();
    // Comparing takes about a second of a processor.
    let offered = tokio::task::spawn_blocking(move || {
        let (store, book) = (&*parts.store, parts.biller.book());
        let offered = published::offer(store, book, &body, &source, bound, UnixMicros::now());
        runtime.block_on(async {
            let offered = offered.await?;
            if let Offered::Waiting(version, _) = &offered {
                store.add_alert(&waiting(*version)).await?;
            }
            CliResult::Ok(offered)
        })
    });
    match offered.await?? {
        Offered::Unchanged => tracing::debug!("published prices are those in force"),
        Offered::InForce(changes) => {
            tracing::info!(changes = changes.len(), "newer published prices are in force")
        }
        Offered::Waiting(version, beyond) => {
            let beyond: Vec<String> = beyond.iter().take(5).map(ToString::to_string).collect();
            tracing::warn!(version, ?beyond, "newer published prices wait: burncloud prices catalogue show");
        }
    }
    Ok(())
}

fn waiting(version: i64) -> Alert {
    Alert {
        at: UnixMicros::now(),
        kind: "catalogue".to_owned(),
        subject: version.to_string(),
        text:
            "newer published prices move by more than the bound, or differ otherwise, and wait for approval"
                .to_owned(),
    }
}

/// The data at an address.
///
/// # Errors
/// When it cannot be had; the text does not repeat the address, which may hold a token.
pub(crate) async fn fetch(url: &str, proxy: Option<String>) -> CliResult<String> {
    let uri: Uri = url.parse().map_err(|_| "the address of the published prices is no URL")?;
    let request = Request::get(uri).header("accept", "application/json").header("user-agent", "burncloud");
    let request = request.body(Bytes::new()).map_err(|_| "the address of the published prices is no URL")?;
    let answer = Client::new(proxy).most(MOST).send(request, WITHIN).await;
    let answer = answer.map_err(|error| format!("the source of published prices: {}", error.message()))?;
    if answer.status() != StatusCode::OK {
        return Err(format!("the source of published prices answers {}", answer.status()).into());
    }
    Ok(String::from_utf8(answer.into_body().to_vec()).map_err(|_| "what the source sends is no text")?)
}

/// An address without what may be secret in it.
pub(crate) fn shown(url: &str) -> String {
    let Ok(uri) = url.parse::<Uri>() else { return "?".to_owned() };
    let (host, port) = (uri.host().unwrap_or_default(), uri.port().map(|port| format!(":{port}")));
    format!("{}://{host}{}{}", uri.scheme_str().unwrap_or("http"), port.unwrap_or_default(), uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        assert_eq!(shown("https://u:p@example.com:8443/a.json?token=t"), "https://example.com:8443/a.json");
        assert_eq!(shown("not a url"), "?");
    }
}
