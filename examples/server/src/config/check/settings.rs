//! The process's own settings: `[server]`, `[store]`, `[journal]`, `[timeouts]`, `[failover]`.

use super::Checker;
use super::prices::json;
use crate::config::raw::{
    RawBilling, RawCatalogue, RawFailover, RawJournal, RawRetention, RawServer, RawStore,
};
use crate::config::secret::SecretRef;
use crate::config::{
    BillingConfig, CatalogueConfig, FailoverConfig, JournalConfig, RetentionConfig, ServerConfig,
    StoreConfig, TlsConfig,
};
use burncloud_billing::desk::settings::Known;
use burncloud_billing::{Guard, Rates, Unpriced};
use burncloud_core::{AbortPolicy, TimeoutSettings};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

impl Checker {
    pub(super) fn timeouts(
        &mut self,
        field: &str,
        set: Option<&Spanned<TimeoutSettings>>,
    ) -> TimeoutSettings {
        let Some(set) = set else { return TimeoutSettings::default() };
        let TimeoutSettings { connect_ms, first_byte_ms, idle_ms, total_ms } = *set.get_ref();
        if [connect_ms, first_byte_ms, idle_ms, total_ms].contains(&Some(0)) {
            self.report(set.span(), field, "a time limit is at least 1 ms; leave it out for the default");
        }
        *set.get_ref()
    }

    pub(super) fn server(&mut self, raw: RawServer) -> ServerConfig {
        let d = ServerConfig::default();
        let listen = match raw.listen {
            None => d.listen,
            Some(text) => text.get_ref().parse().unwrap_or_else(|_| {
                let message = "write an address and a port such as \"127.0.0.1:3000\" or \"[::]:3000\"";
                self.report(text.span(), "server.listen", message);
                d.listen
            }),
        };
        let tls = raw.tls.map(|tls| {
            let config = TlsConfig { cert: tls.get_ref().cert.clone(), key: tls.get_ref().key.clone() };
            if let Err(why) = crate::serve::tls::acceptor(&config) {
                self.report(tls.span(), "server.tls", why);
            }
            config
        });
        let cors_origins = raw.cors_origins.into_iter().flatten().map(|origin| {
            if let Err(why) = crate::serve::cors::check_origin(origin.get_ref()) {
                self.report(origin.span(), "server.cors_origins", why);
            }
            origin.into_inner()
        });
        let cors_origins = cors_origins.collect();
        let in_flight = raw.max_body_bytes_in_flight;
        ServerConfig {
            listen,
            max_body_bytes: self.positive("server.max_body_bytes", raw.max_body_bytes, d.max_body_bytes),
            max_body_bytes_in_flight: self.positive(
                "server.max_body_bytes_in_flight",
                in_flight,
                d.max_body_bytes_in_flight,
            ),
            max_in_flight: self.positive("server.max_in_flight", raw.max_in_flight, d.max_in_flight),
            keep_alive: raw.keep_alive_ms.map_or(d.keep_alive, Duration::from_millis),
            shutdown_grace: raw.shutdown_grace_ms.map_or(d.shutdown_grace, Duration::from_millis),
            cors_origins,
            tls,
        }
    }

    pub(super) fn store(&mut self, raw: RawStore) -> StoreConfig {
        let default = StoreConfig::default();
        let url = raw.url.and_then(|url| match url.get_ref() {
            SecretRef::Inline(text) if text.expose_secret().contains('@') => self.secret("store.url", &url),
            SecretRef::Inline(text) => Some(text.clone()),
            _ => self.secret("store.url", &url),
        });
        let url = url.unwrap_or(default.url);
        let key_file = raw.key_file.unwrap_or_else(|| beside(&url, "key"));
        StoreConfig { url, key_file }
    }

    pub(super) fn journal(&mut self, raw: RawJournal, store: &StoreConfig) -> JournalConfig {
        let d = JournalConfig::default();
        let charge_orphans = match raw.orphans.as_ref().map(|o| (o.get_ref().as_str(), o.span())) {
            None | Some(("release", _)) => false,
            Some(("charge", _)) => true,
            Some((_, span)) => {
                self.report(span, "journal.orphans", "write \"release\" or \"charge\"");
                false
            }
        };
        let commit_ms = self.positive("journal.commit_ms", raw.commit_ms, 0);
        JournalConfig {
            dir: raw.dir.unwrap_or_else(|| beside(&store.url, "journal")),
            commit: if commit_ms == 0 { d.commit } else { Duration::from_millis(commit_ms) },
            max_bytes: self.positive("journal.max_bytes", raw.max_bytes, d.max_bytes),
            charge_orphans,
        }
    }

    pub(super) fn retention(&mut self, raw: RawRetention, store: &StoreConfig) -> RetentionConfig {
        let mut keep_days = RetentionConfig::default().keep_days;
        if let Some(days) = raw.keep_days {
            // The setting's own check: what the console would refuse is refused here.
            let known = Known::named("log.keep_days").map(|known| known.check);
            match known.map(|check| check(&(*days.get_ref()).into())) {
                Some(Err(why)) => self.report(days.span(), "retention.keep_days", why.en()),
                _ => keep_days = days.into_inner(),
            }
        }
        RetentionConfig { keep_days, dir: raw.dir.unwrap_or_else(|| beside(&store.url, "archive")) }
    }

    pub(super) fn billing(&mut self, raw: RawBilling) -> BillingConfig {
        let d = BillingConfig::default();
        let unpriced = raw.unpriced.map_or(d.unpriced, |value| self.unpriced(&value));
        let guard = match raw.guard.as_ref().map(|g| (g.get_ref().as_str(), g.span())) {
            None => d.guard,
            Some(("off", _)) => Guard::Off,
            Some(("warn", _)) => Guard::Warn,
            Some(("refuse", _)) => Guard::Refuse,
            Some((_, span)) => {
                self.report(span, "billing.guard", "write \"off\", \"warn\" or \"refuse\"");
                d.guard
            }
        };
        let default_max_output =
            self.positive("billing.default_max_output", raw.default_max_output, d.default_max_output);
        let abort = self.abort(raw.abort, raw.drain_ms);
        let max_drains = raw.max_drains.unwrap_or(d.max_drains);
        BillingConfig { unpriced, guard, default_max_output, abort, max_drains }
    }

    fn unpriced(&mut self, value: &Spanned<toml::Value>) -> Unpriced {
        match value.get_ref() {
            toml::Value::String(word) if word == "refuse" => return Unpriced::Refuse,
            toml::Value::String(word) if word == "free" => return Unpriced::Free,
            toml::Value::Table(_) => match Rates::from_json(&json(value.get_ref())) {
                Ok(rates) => return Unpriced::At(Arc::new(rates)),
                Err(error) => {
                    let dot = if error.field.is_empty() { "" } else { "." };
                    self.report(
                        value.span(),
                        format!("billing.unpriced{dot}{}", error.field),
                        error.message.en(),
                    );
                }
            },
            _ => {
                let message = "write \"refuse\", \"free\", or a price for such models: { input = \"1\", output = \"2\" }";
                self.report(value.span(), "billing.unpriced", message);
            }
        }
        Unpriced::Refuse
    }

    fn abort(&mut self, name: Option<Spanned<String>>, drain_ms: Option<Spanned<u32>>) -> AbortPolicy {
        let span = drain_ms.as_ref().map(Spanned::span);
        let drain_ms = self.positive("billing.drain_ms", drain_ms, DRAIN_MS);
        let policy = match name.as_ref().map(|name| (name.get_ref().as_str(), name.span())) {
            None | Some(("delivered", _)) => AbortPolicy::Delivered,
            Some(("reported", _)) => AbortPolicy::Reported { drain_ms },
            Some(("nothing", _)) => AbortPolicy::Nothing,
            Some((_, span)) => {
                self.report(span, "billing.abort", "write \"delivered\", \"reported\" or \"nothing\"");
                return AbortPolicy::default();
            }
        };
        if let (Some(span), None) = (span, policy.drain()) {
            self.report(
                span,
                "billing.drain_ms",
                "only `abort = \"reported\"` reads an answer on; leave it out",
            );
        }
        policy
    }

    pub(super) fn catalogue(&mut self, raw: RawCatalogue) -> CatalogueConfig {
        let d = CatalogueConfig::default();
        let url = raw.url.map(|url| {
            let scheme = url.get_ref().parse::<http::Uri>().ok();
            let scheme = scheme.as_ref().and_then(|uri| uri.scheme_str());
            if !matches!(scheme, Some("http" | "https")) {
                self.report(
                    url.span(),
                    "catalogue.url",
                    "write an address that begins with https:// or http://",
                );
            }
            url.into_inner()
        });
        let hours = self.positive("catalogue.every_hours", raw.every_hours, d.every.as_secs() / 3600);
        CatalogueConfig {
            url,
            every: Duration::from_secs(hours.saturating_mul(3600)),
            bound_percent: raw.bound_percent.map_or(d.bound_percent, Spanned::into_inner),
            proxy: raw.proxy.map(Spanned::into_inner),
        }
    }

    pub(super) fn failover(&mut self, raw: &RawFailover) -> FailoverConfig {
        let d = FailoverConfig::default();
        let max_attempts = self.positive("failover.max_attempts", raw.max_attempts.clone(), d.max_attempts);
        let total = self.positive("failover.max_total_ms", raw.max_total_ms.clone(), 0);
        let max_total = if total == 0 { d.max_total } else { Duration::from_millis(total) };
        FailoverConfig { max_attempts, max_total }
    }
}

/// How long an answer is read on after its caller has gone.
const DRAIN_MS: u32 = 5_000;

/// A file of another extension beside an SQLite file; for other stores, in the working directory.
fn beside(url: &SecretString, extension: &str) -> PathBuf {
    let text = url.expose_secret();
    let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
    let path = path.map(|p| p.split('?').next().unwrap_or(p)).filter(|p| !p.is_empty() && *p != ":memory:");
    Path::new(path.unwrap_or("burncloud.db")).with_extension(extension)
}
