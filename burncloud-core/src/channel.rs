//! Channels: upstream accounts at providers, as they are declared and stored.

use crate::{ChannelId, Status};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One upstream account at one provider.
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// Identity.
    pub id: ChannelId,
    /// The operator's name for it; unique.
    pub name: String,
    /// The provider's name in the adapter registry, such as `openai`.
    pub provider: String,
    /// Where the provider is, if not at its own address. Without a path the provider's own API root is
    /// appended; with one it *is* the API root.
    pub base_url: Option<String>,
    /// The credential; encrypted at rest, never shown. Empty for a provider that wants none.
    pub credential: SecretString,
    /// The models it serves, by the name callers use. Names in `model_mapping` are served too.
    pub models: Vec<String>,
    /// Asked = sent: names that the provider knows under another name.
    pub model_mapping: BTreeMap<String, String>,
    /// Higher first.
    pub priority: i32,
    /// Share within one priority; 0 takes it out of the draw.
    pub weight: u32,
    /// On, or off.
    pub status: Status,
    /// The rest.
    pub settings: ChannelSettings,
}

/// What may be set on a channel, with defaults that suit most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelSettings {
    /// Its own time limits; unset ones are the gateway's.
    pub timeouts: TimeoutSettings,
    /// Ask for usage in streams whose caller did not, and keep the extra chunk from the caller.
    /// `None` is what suits the provider (on, unless it refuses the field).
    pub include_usage: Option<bool>,
    /// Requests at the same time on this channel; `None` is unlimited.
    pub concurrency: Option<u32>,
    /// An HTTP proxy (`http://host:port`) for this channel. Taken by CONNECT for TLS providers.
    pub proxy: Option<String>,
}

/// Time limits of an upstream call in milliseconds. `None` inherits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutSettings {
    /// To connect, TLS included.
    pub connect_ms: Option<u64>,
    /// From dispatch to the response's head.
    pub first_byte_ms: Option<u64>,
    /// Between two chunks of the response.
    pub idle_ms: Option<u64>,
    /// Over all of a whole (not streamed) answer.
    pub total_ms: Option<u64>,
}
