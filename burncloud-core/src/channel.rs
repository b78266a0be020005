//! Channels: upstream accounts at providers, as they are declared and stored.

use crate::{ChannelId, Status};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    /// The callers' groups that it serves, see [`Caller::group`](crate::Caller::group); empty is everybody.
    pub groups: Vec<String>,
    /// Ask for usage in streams whose caller did not, and keep the extra chunk from the caller.
    /// `None` is what suits the provider (on, unless it refuses the field).
    pub include_usage: Option<bool>,
    /// Requests at the same time on this channel; `None` is unlimited.
    pub concurrency: Option<u32>,
    /// An HTTP proxy (`http://host:port`) for this channel. Taken by CONNECT for TLS providers.
    pub proxy: Option<String>,
    /// What only some providers know, such as `region` or `api_version`; their adapter reads and checks it.
    pub options: BTreeMap<String, String>,
    /// Refuse (400) what cannot be translated without loss, rather than leave out what the provider has no words for.
    pub strict: Option<bool>,
    /// Fields of the provider's request that are set whatever the caller says: a path such as `temperature` or
    /// `provider.order`, and the value; null takes the field out.
    pub body_override: BTreeMap<String, Value>,
    /// Headers set on every request to the provider; an empty value takes the header out. Never credentials.
    pub header_override: BTreeMap<String, String>,
    /// Statuses of the provider that are treated as, and answered as, another: `{"404": 503}`.
    pub status_mapping: BTreeMap<u16, u16>,
    /// Text that is put among the caller's instructions.
    pub system_prompt: Option<SystemPrompt>,
    /// Declarative transforms: a document in YAML or JSON.
    pub transforms: Option<String>,
    /// A script.
    pub script: Option<ScriptSettings>,
}

impl ChannelSettings {
    /// Whether requests or answers are to be changed.
    #[must_use]
    pub fn transforms(&self) -> bool {
        !self.body_override.is_empty()
            || !self.header_override.is_empty()
            || self.system_prompt.is_some()
            || self.transforms.is_some()
            || self.script.is_some()
    }
}

/// Instructions of the operator's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemPrompt {
    /// The text.
    pub text: String,
    /// Where it goes.
    #[serde(default)]
    pub mode: SystemPromptMode,
}

/// Where an operator's instructions go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemPromptMode {
    /// Before the caller's own.
    #[default]
    Prepend,
    /// After the caller's own.
    Append,
    /// In their place.
    Replace,
    /// Only where the caller gave none.
    Default,
}

/// A script that edits requests and answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptSettings {
    /// The source.
    pub source: String,
    /// What happens to a request on which it fails.
    #[serde(default)]
    pub on_error: ScriptFailure,
}

/// What happens to a request on which a script fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptFailure {
    /// It is refused.
    #[default]
    Refuse,
    /// It goes on as if there were no script.
    Skip,
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
