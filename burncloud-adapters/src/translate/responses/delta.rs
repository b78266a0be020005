//! The frequent events, as they are read off the wire: typed, because parsing is what a stream costs.

use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// The type of an event that has no name.
#[derive(Deserialize)]
pub(super) struct Typed<'a> {
    #[serde(borrow, default)]
    pub(super) r#type: Cow<'a, str>,
}

/// The frequent events.
#[derive(Deserialize)]
pub(super) struct DeltaEvent {
    #[serde(default)]
    pub(super) output_index: u64,
    #[serde(default)]
    pub(super) content_index: u64,
    #[serde(default)]
    pub(super) summary_index: u64,
    pub(super) delta: Option<String>,
    pub(super) logprobs: Option<Vec<Value>>,
}
