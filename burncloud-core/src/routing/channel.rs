//! A channel, made ready to be used.

use super::ChannelError;
use crate::adapter::{Adapter, Registry, Signer, Transform};
use crate::transport::{Client, Origin, Upstream};
use crate::usecase::Said;
use crate::{ChannelConfig, ChannelId, TimeoutSettings};
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Time limits of an upstream call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect, TLS included.
    pub connect: Duration,
    /// From dispatch to the response's head.
    pub first_byte: Duration,
    /// Between two chunks of the response.
    pub idle: Duration,
    /// Over all of a whole (not streamed) answer.
    pub total: Duration,
}

impl Default for Timeouts {
    /// Connect 10 s, first byte 120 s, idle 120 s, total 600 s: reasoning models think for minutes.
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(120),
            total: Duration::from_secs(600),
        }
    }
}

impl Timeouts {
    /// These, but for what is set.
    #[must_use]
    pub fn with(self, set: &TimeoutSettings) -> Timeouts {
        let or = |ms: Option<u64>, default| ms.map_or(default, Duration::from_millis);
        Timeouts {
            connect: or(set.connect_ms, self.connect),
            first_byte: or(set.first_byte_ms, self.first_byte),
            idle: or(set.idle_ms, self.idle),
            total: or(set.total_ms, self.total),
        }
    }
}

/// One upstream account, ready: address split, credential turned into headers, connections pooled.
pub struct Channel {
    /// Identity.
    pub id: ChannelId,
    /// The operator's name for it.
    pub name: Arc<str>,
    /// Its provider.
    pub adapter: Arc<dyn Adapter>,
    /// Higher first.
    pub priority: i32,
    /// Share within one priority.
    pub weight: u32,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Whether usage is asked for in streams whose caller did not.
    pub include_usage: bool,
    /// The callers' groups that it serves; empty is everybody.
    pub groups: Box<[Box<str>]>,
    /// Requests at the same time; `None` is unlimited.
    pub concurrency: Option<u32>,
    /// Requests under way now.
    pub(crate) in_flight: Arc<AtomicU32>,
    pub(crate) answered: Arc<AtomicU64>,
    pub(crate) failed: Arc<AtomicU64>,
    /// The API root: a path without a trailing slash.
    pub(crate) root: String,
    pub(crate) host: HeaderValue,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) default_headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    signed_with: [u8; 32],
    /// What the operator wants changed.
    pub(crate) transform: Option<Arc<dyn Transform>>,
    pub(crate) strict: bool,
    pub(crate) status_mapping: Vec<(StatusCode, StatusCode)>,
    pub(crate) upstream: Arc<Upstream>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

fn fault(
    config: &ChannelConfig,
    field: impl Into<Cow<'static, str>>,
    message: impl Into<Said>,
) -> ChannelError {
    ChannelError { channel: config.name.clone(), field: field.into(), message: message.into() }
}

impl Channel {
    pub(crate) fn prepare(
        config: &ChannelConfig,
        registry: &Registry,
        defaults: &Timeouts,
        old: Option<&Channel>,
    ) -> Result<Channel, ChannelError> {
        let adapter = registry.get(&config.provider).ok_or_else(|| {
            let known = registry.names().join(", ");
            fault(
                config,
                "provider",
                (
                    format!("`{}` is not known; one of: {known}", config.provider),
                    format!("没有平台 `{}`，可选：{known}", config.provider),
                ),
            )
        })?;
        let adapter = match adapter.configure(config) {
            Ok(Some(configured)) => configured,
            Ok(None) => match config.settings.options.keys().next() {
                Some(name) => {
                    let text = (
                        format!("`{}` has no such option; take it out", config.provider),
                        format!("`{}` 没有这个选项，请删去", config.provider),
                    );
                    return Err(fault(config, format!("options.{name}"), text));
                }
                None => adapter.clone(),
            },
            Err(error) => return Err(fault(config, error.field, Said::plain(error.message))),
        };
        let base = config.base_url.as_deref().unwrap_or_else(|| adapter.default_base_url());
        if base.is_empty() {
            return Err(fault(
                config,
                "base_url",
                (
                    "this provider has no address of its own: set base_url",
                    "这个平台没有默认地址，请填写接口地址",
                ),
            ));
        }
        let uri: Uri = base.parse().map_err(|e| {
            fault(config, "base_url", (format!("not a URL: {e}"), format!("不是有效的网址：{e}")))
        })?;
        let proxy = config.settings.proxy.as_deref();
        let origin = Origin::new(&uri, proxy).map_err(|(field, why)| fault(config, field, why))?;
        let headers = adapter
            .authorize(&config.credential)
            .map_err(|e| fault(config, "credential", Said::plain(e.to_string())))?;
        let signed_with = fingerprint(config);
        let signer = match old {
            // Its tokens are still good: a reload must not fetch them all again.
            Some(old) if old.signed_with == signed_with => old.signer.clone(),
            _ => {
                let client = Client::new(config.settings.proxy.clone());
                let signer = adapter.signer(&config.credential, &client);
                signer.map_err(|e| fault(config, "credential", Said::plain(e.to_string())))?
            }
        };
        let transform =
            registry.transform(config).map_err(|e| fault(config, e.field, Said::plain(e.message)))?;
        let status_mapping = statuses(config).map_err(|e| fault(config, "status_mapping", Said::plain(e)))?;
        let upstream = match old {
            Some(old) if *old.upstream.origin() == origin => old.upstream.clone(),
            _ => Arc::new(Upstream::new(origin)),
        };
        let host = HeaderValue::from_str(upstream.origin().authority()).map_err(|_| {
            fault(config, "base_url", ("the host cannot stand in a header", "主机名不能用在请求头里"))
        })?;
        Ok(Channel {
            id: config.id,
            name: config.name.as_str().into(),
            root: api_root(uri.path(), adapter.as_ref()),
            default_headers: adapter.default_headers(),
            include_usage: config.settings.include_usage.unwrap_or_else(|| adapter.takes_include_usage()),
            adapter,
            priority: config.priority,
            weight: config.weight,
            timeouts: defaults.with(&config.settings.timeouts),
            groups: config.settings.groups.iter().map(|group| group.as_str().into()).collect(),
            concurrency: config.settings.concurrency,
            in_flight: old.map(|c| c.in_flight.clone()).unwrap_or_default(),
            answered: old.map(|c| c.answered.clone()).unwrap_or_default(),
            failed: old.map(|c| c.failed.clone()).unwrap_or_default(),
            host,
            headers,
            signer,
            signed_with,
            transform,
            strict: config.settings.strict.unwrap_or_default(),
            status_mapping,
            upstream,
        })
    }

    /// Whether it serves callers of this group.
    #[must_use]
    pub fn serves_group(&self, group: Option<&str>) -> bool {
        self.groups.is_empty() || group.is_some_and(|group| self.groups.iter().any(|own| **own == *group))
    }

    /// A status of the provider's as the operator wants it taken.
    pub(crate) fn map_status<B>(&self, response: &mut http::Response<B>) {
        let status = response.status();
        if let Some((_, to)) = self.status_mapping.iter().find(|(from, _)| *from == status) {
            *response.status_mut() = *to;
        }
    }

    pub(crate) fn count_success(&self) {
        self.answered.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_failure(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    /// Attempts that were answered, and attempts that failed.
    #[must_use]
    pub fn attempts(&self) -> (u64, u64) {
        (self.answered.load(Relaxed), self.failed.load(Relaxed))
    }

    /// Requests under way now; `None` where nothing bounds them, since they are not counted then.
    #[must_use]
    pub fn in_flight(&self) -> Option<u32> {
        self.concurrency.map(|_| self.in_flight.load(Relaxed))
    }

    /// Connections to the provider that are open and idle.
    #[must_use]
    pub fn idle_connections(&self) -> usize {
        self.upstream.idle()
    }
}

/// All that a signer is made from.
fn fingerprint(config: &ChannelConfig) -> [u8; 32] {
    let settings = &config.settings;
    let parts =
        [&config.provider, config.credential.expose_secret(), settings.proxy.as_deref().unwrap_or_default()];
    let options = settings.options.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let mut hash = Sha256::new();
    for part in parts.into_iter().chain(config.base_url.as_deref()).chain(options) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn statuses(config: &ChannelConfig) -> Result<Vec<(StatusCode, StatusCode)>, String> {
    let status = |code: u16| {
        let status = StatusCode::from_u16(code).ok().filter(|s| s.is_client_error() || s.is_server_error());
        status.ok_or_else(|| format!("{code} is not the status of an error; use 400 to 599"))
    };
    config.settings.status_mapping.iter().map(|(from, to)| Ok((status(*from)?, status(*to)?))).collect()
}

/// An address without a path lies at the provider's own API root; one with a path *is* an API root.
fn api_root(path: &str, adapter: &dyn Adapter) -> String {
    let path = path.trim_end_matches('/');
    if path.is_empty() { adapter.api_root().trim_end_matches('/').to_owned() } else { path.to_owned() }
}
