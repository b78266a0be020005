//! What a request used: token classes that never overlap.

use serde::{Deserialize, Serialize};

/// Counts of one request, in **disjoint** classes: their sum is everything the provider counted.
///
/// Providers overlap them (OpenAI's `prompt_tokens` includes cached ones, Anthropic's `input_tokens` does
/// not); an adapter's reader undoes that, so that rating is one product per class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Text input tokens that were neither read from nor written to a cache.
    pub input: u64,
    /// Input tokens read from the provider's cache.
    pub cached_read: u64,
    /// Input tokens written to a cache that lives five minutes (or of unstated life).
    pub cache_write_5m: u64,
    /// Input tokens written to a cache that lives one hour.
    pub cache_write_1h: u64,
    /// Text output tokens, without reasoning.
    pub output: u64,
    /// Reasoning ("thinking") tokens.
    pub reasoning: u64,
    /// Audio input tokens.
    pub audio_in: u64,
    /// Audio output tokens.
    pub audio_out: u64,
    /// Image input tokens.
    pub image_in: u64,
    /// Image output tokens.
    pub image_out: u64,
    /// Things billed by the piece that the provider reported (pictures made, searches done).
    pub pieces: u64,
    /// Seconds of audio, in milliseconds, where a provider bills by duration.
    pub audio_ms: u64,
    /// Seconds of video made, in milliseconds.
    pub video_ms: u64,
    /// Searches of the web that the provider did for the model and bills by the search.
    pub web_searches: u64,
    /// Searches of uploaded files that the provider did for the model and bills by the search.
    pub file_searches: u64,
    /// Sessions of code execution that the provider opened for the model and bills by the session.
    pub code_sessions: u64,
    /// What the pictures among `pieces` are like, as served.
    pub picture: Picture,
    /// The service tier the provider says it *served*.
    pub tier: ServiceTier,
}

impl Usage {
    /// All input tokens, cached or not.
    #[must_use]
    pub fn total_input(&self) -> u64 {
        [self.input, self.cached_read, self.cache_write_5m, self.cache_write_1h, self.audio_in, self.image_in]
            .iter()
            .fold(0, |a, b| a.saturating_add(*b))
    }

    /// All output tokens, reasoning included.
    #[must_use]
    pub fn total_output(&self) -> u64 {
        [self.output, self.reasoning, self.audio_out, self.image_out]
            .iter()
            .fold(0, |a, b| a.saturating_add(*b))
    }
}

/// The size and quality of pictures that a provider made. What it does not say is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Picture {
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// In the provider's words.
    pub quality: Quality,
}

/// How good a picture is, in the words of the providers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Not said.
    #[default]
    Unstated,
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `standard`
    Standard,
    /// `hd`
    Hd,
}

/// How the provider processed a request; sets which rates apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTier {
    /// The ordinary tier, and every tier a provider did not name.
    #[default]
    Standard,
    /// Cheaper and slower.
    Flex,
    /// Dearer and faster.
    Priority,
    /// Asynchronous batch.
    Batch,
}

/// How the usage on a receipt is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The provider reported it.
    Reported,
    /// The provider reported nothing: counted by a tokenizer from what was seen, an estimate.
    Estimated,
    /// Nothing was used (refused, failed before the provider did any work).
    #[default]
    None,
}
