//! Channels and what is found at them.

use super::{Status, lists};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A channel: one account at one provider
#[derive(ToSchema)]
pub(in crate::api) struct Channel {
    /// Identity.
    id: i64,
    /// The operator's name for it; unique.
    name: String,
    /// The provider's name.
    provider: String,
    /// Where the provider is, if not at its own address.
    base_url: Option<String>,
    /// That there is a credential: its last four characters, or `set`; null where there is none.
    credential: Option<String>,
    /// The models it serves, by the names callers use.
    models: Vec<String>,
    /// Names that the provider knows under another name: asked = sent.
    model_mapping: BTreeMap<String, String>,
    /// Higher first.
    priority: i32,
    /// Share within one priority; 0 takes it out of the draw.
    weight: u32,
    /// On, off, or withdrawn.
    status: Status,
    /// The rest.
    settings: ChannelSettings,
    /// Which form of it this is: the entity tag.
    version: String,
}

/// What may be set on a channel, with defaults that suit most
#[derive(ToSchema)]
pub(in crate::api) struct ChannelSettings {
    /// Its own time limits; unset ones are the gateway's.
    #[schema(required = false)]
    timeouts: TimeoutSettings,
    /// Ask for usage in streams whose caller did not; null is what suits the provider.
    include_usage: Option<bool>,
    /// Requests at the same time; null is unlimited.
    concurrency: Option<u32>,
    /// An HTTP proxy, `http://host:port`.
    proxy: Option<String>,
    /// What only some providers know, such as `region`.
    #[schema(required = false)]
    options: BTreeMap<String, String>,
    /// Refuse what cannot be translated without loss.
    strict: Option<bool>,
    /// Fields of the provider's request that are set whatever the caller says; null takes one out.
    #[schema(required = false)]
    body_override: BTreeMap<String, Value>,
    /// Headers set on every request to the provider; empty takes one out. Never credentials.
    #[schema(required = false)]
    header_override: BTreeMap<String, String>,
    /// Statuses of the provider that are taken as another.
    #[schema(required = false)]
    status_mapping: BTreeMap<String, u16>,
    /// Text that is put among the caller's instructions.
    system_prompt: Option<SystemPrompt>,
    /// Declarative transforms: a document in YAML or JSON.
    transforms: Option<String>,
    /// A script.
    script: Option<Script>,
    /// The callers' groups that it serves; empty is everybody.
    #[schema(required = false)]
    groups: Vec<String>,
}

/// Time limits in milliseconds; null inherits
#[derive(ToSchema)]
pub(in crate::api) struct TimeoutSettings {
    /// To connect, TLS included.
    connect_ms: Option<u64>,
    /// From dispatch to the response's head.
    first_byte_ms: Option<u64>,
    /// Between two chunks of the response.
    idle_ms: Option<u64>,
    /// Over all of a whole answer.
    total_ms: Option<u64>,
}

/// Instructions of the operator's
#[derive(ToSchema)]
pub(in crate::api) struct SystemPrompt {
    /// The text.
    text: String,
    /// Where it goes.
    #[schema(required = false)]
    mode: SystemPromptMode,
}

/// Where instructions go
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum SystemPromptMode {
    /// Before the caller's own.
    Prepend,
    /// After the caller's own.
    Append,
    /// In their place.
    Replace,
    /// Only where the caller gave none.
    Default,
}

/// A script that edits requests and answers
#[derive(ToSchema)]
pub(in crate::api) struct Script {
    /// The source.
    source: String,
    /// What happens to a request on which it fails.
    #[schema(required = false)]
    on_error: ScriptFailure,
}

/// What happens to a request on which a script fails
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum ScriptFailure {
    /// It is refused.
    Refuse,
    /// It goes on as if there were no script.
    Skip,
}

/// All channels but those withdrawn, without credentials: fill them in, and import it elsewhere
#[derive(ToSchema)]
pub(in crate::api) struct ChannelExport {
    /// Them.
    channels: Vec<ChannelRow>,
}

/// A channel in an export
#[derive(ToSchema)]
pub(in crate::api) struct ChannelRow {
    /// Its name.
    name: String,
    /// The provider's name.
    provider: String,
    /// Where the provider is, if not at its own address.
    base_url: Option<String>,
    /// Empty: fill it in.
    credential: String,
    /// The models it serves.
    models: Vec<String>,
    /// Asked = sent.
    model_mapping: BTreeMap<String, String>,
    /// Higher first.
    priority: i32,
    /// Share within one priority.
    weight: u32,
    /// On, or off.
    status: Status,
    /// The rest.
    settings: ChannelSettings,
}

/// What became of an import
#[derive(ToSchema)]
pub(in crate::api) struct ImportReport {
    /// Whether it was only tried.
    dry_run: bool,
    /// How many were made, or would be; 0 where a row is wrong.
    count: u64,
    /// What was made.
    created: Vec<Channel>,
    /// What is wrong.
    errors: Vec<RowError>,
}

/// Why a row cannot be imported
#[derive(ToSchema)]
pub(in crate::api) struct RowError {
    /// Which row, from 1.
    row: u64,
    /// The field at fault.
    field: String,
    /// What is wrong and how to mend it.
    message: String,
}

/// What a look at an account came to
#[derive(ToSchema)]
pub(in crate::api) struct Probe {
    /// In one word.
    outcome: ProbeOutcome,
    /// The provider's status, where the outcome is `odd`.
    status: Option<u16>,
    /// In a sentence, without any secret.
    message: String,
    /// How long it took, in microseconds.
    took_us: u64,
    /// What the provider lists.
    models: Vec<ListedModel>,
}

/// What is known of an account after a look at it
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(in crate::api) enum ProbeOutcome {
    /// The provider takes the credential.
    Works,
    /// It does not.
    CredentialRefused,
    /// No answer came.
    Unreachable,
    /// The account has nothing left to spend.
    OutOfCredit,
    /// The provider asks to wait.
    RateLimited,
    /// It answered something else.
    Odd,
    /// Nothing that costs nothing shows whether the credential is good.
    Uncheckable,
}

/// A model that a provider lists
#[derive(ToSchema)]
pub(in crate::api) struct ListedModel {
    /// The name to ask for.
    name: String,
    /// The name to show.
    display: Option<String>,
    /// Tokens of input, as the provider counts.
    context_window: Option<u64>,
    /// Tokens of output at most.
    max_output: Option<u64>,
}

/// How fast an account answers
#[derive(ToSchema)]
pub(in crate::api) struct Speed {
    /// Which channel.
    channel: i64,
    /// Its name.
    name: String,
    /// How long it took on a new connection, in microseconds; null without an answer.
    took_us: Option<u64>,
    /// What was timed: `list` (the first page of the list of models) or `connect`.
    how: String,
    /// In a sentence, without any secret.
    message: String,
}

lists! {
    /// Channels
    ChannelList of Channel
    /// How fast accounts answer
    SpeedList of Speed
}
