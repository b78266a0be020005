//! A whole answer, in no wire format.

use super::{Format, Part};
use burncloud_core::Usage;
use serde_json::Value;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The provider's id of it.
    pub id: Option<String>,
    /// The model that answered, by the provider's name.
    pub model: Option<String>,
    /// When, in seconds since 1970.
    pub created: Option<i64>,
    /// The answers; one, unless several were asked for.
    pub choices: Vec<Choice>,
    /// What was used.
    pub usage: Option<Usage>,
    /// The service tier that served, in the provider's word.
    pub service_tier: Option<String>,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Its number, from 0.
    pub index: u32,
    /// What it says, in order.
    pub parts: Vec<Part>,
    /// Why it ended.
    pub stop: Stop,
    /// The text at which it ended.
    pub stop_sequence: Option<String>,
    /// Log probabilities, as OpenAI's chat writes them.
    pub logprobs: Option<Value>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// The model was done.
    #[default]
    End,
    /// A text of the caller's came up.
    Sequence,
    /// The most tokens, or the context's end, were reached.
    MaxTokens,
    /// It calls tools.
    ToolCalls,
    /// It was held back (a filter, a guardrail).
    Filtered,
    /// The model refused.
    Refusal,
    /// To be continued by asking again (Anthropic's server tools).
    Pause,
}

/// Where a text comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Citation {
    /// The page's address.
    pub url: Option<String>,
    /// Its, or the document's, title.
    pub title: Option<String>,
    /// The words cited.
    pub quote: Option<String>,
    /// Where in the text it belongs: the first character.
    pub start: Option<u64>,
    /// And one past the last.
    pub end: Option<u64>,
    /// As its format wrote it.
    pub raw: Option<(Format, Value)>,
}
