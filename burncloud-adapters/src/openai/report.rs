//! What OpenAI, and those who speak its API, report as usage.
//!
//! `prompt_tokens` include cached and cache-written ones, `completion_tokens` include reasoning. Where a
//! provider counts otherwise, its total tells (xAI leaves reasoning out of the chat's `completion_tokens`,
//! Mistral audio out of `prompt_tokens`), or its [`Reasoning`] says so.

use crate::reader::{Report, lenient};
use crate::tokens::{Left, tier};
use burncloud_core::{ServiceTier, Usage};
use serde::Deserialize;

/// Where reasoning tokens are counted, when a report's own total does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reasoning {
    /// Within the completion, as at OpenAI.
    #[default]
    Within,
    /// Neither within the completion nor within the total.
    Beside,
    /// Not named: what the total holds beyond prompt and completion.
    Hidden,
}

/// What made the output, where a report does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputKind {
    Text,
    Image,
    Audio,
}

/// The `usage` object of every operation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OpenAiReport {
    #[serde(deserialize_with = "lenient::count")]
    prompt_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    completion_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    pub(super) input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    total_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::nested")]
    prompt_tokens_details: Option<InputDetails>,
    #[serde(deserialize_with = "lenient::nested")]
    input_tokens_details: Option<InputDetails>,
    /// Transcriptions write it in the singular.
    #[serde(deserialize_with = "lenient::nested")]
    input_token_details: Option<InputDetails>,
    #[serde(deserialize_with = "lenient::nested")]
    completion_tokens_details: Option<OutputDetails>,
    #[serde(deserialize_with = "lenient::nested")]
    output_tokens_details: Option<OutputDetails>,
    /// DeepSeek.
    #[serde(deserialize_with = "lenient::count")]
    prompt_cache_hit_tokens: Option<u64>,
    /// Moonshot, Together.
    #[serde(deserialize_with = "lenient::count")]
    cached_tokens: Option<u64>,
    /// Mistral.
    #[serde(deserialize_with = "lenient::count")]
    num_cached_tokens: Option<u64>,
    /// Vercel.
    #[serde(deserialize_with = "lenient::count")]
    cache_creation_input_tokens: Option<u64>,
    /// Perplexity.
    #[serde(deserialize_with = "lenient::count")]
    reasoning_tokens: Option<u64>,
    /// Perplexity.
    #[serde(deserialize_with = "lenient::count")]
    num_search_queries: Option<u64>,
    /// xAI.
    #[serde(deserialize_with = "lenient::count")]
    num_sources_used: Option<u64>,
    /// xAI.
    #[serde(deserialize_with = "lenient::count")]
    num_server_side_tools_used: Option<u64>,
    /// OpenRouter.
    #[serde(deserialize_with = "lenient::nested")]
    server_tool_use_details: ServerTools,
    /// Transcriptions billed by duration.
    #[serde(deserialize_with = "lenient::millis")]
    seconds: Option<u64>,
    /// Mistral's transcriptions.
    #[serde(deserialize_with = "lenient::millis")]
    prompt_audio_seconds: Option<u64>,
    /// Mistral.
    #[serde(deserialize_with = "lenient::text")]
    service_tier: Option<Box<str>>,
    #[serde(skip)]
    pub(super) beside: Beside,
}

/// What a report needs and does not hold itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    pub(super) tier: Option<ServiceTier>,
    /// Length of a transcription.
    pub(super) audio_ms: u64,
    /// Pictures made, searches done.
    pub(super) pieces: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    #[serde(deserialize_with = "lenient::count")]
    cached_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    cache_write_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    audio_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    image_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "lenient::count")]
    reasoning_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    audio_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    image_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct ServerTools {
    #[serde(deserialize_with = "lenient::count")]
    web_search_requests: Option<u64>,
}

/// Of reranking, as Cohere writes it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Meta {
    #[serde(deserialize_with = "lenient::nested")]
    billed_units: Units,
    #[serde(deserialize_with = "lenient::nested")]
    tokens: Units,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Units {
    #[serde(deserialize_with = "lenient::count")]
    search_units: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "lenient::count")]
    output_tokens: Option<u64>,
}

impl Meta {
    /// The same as a `usage` object would say it, if it says anything.
    pub(super) fn report(self) -> Option<OpenAiReport> {
        let (billed, tokens) = (self.billed_units, self.tokens);
        let report = OpenAiReport {
            input_tokens: billed.input_tokens.or(tokens.input_tokens),
            output_tokens: billed.output_tokens.or(tokens.output_tokens),
            beside: Beside { pieces: billed.search_units.unwrap_or(0), ..Beside::default() },
            ..OpenAiReport::default()
        };
        (report.counts_tokens() || billed.search_units.is_some()).then_some(report)
    }
}

impl Report for OpenAiReport {
    fn merge(&mut self, newer: OpenAiReport) {
        *self = newer;
    }

    fn is_full(&self) -> bool {
        true
    }
}

impl OpenAiReport {
    pub(super) fn with(mut self, beside: Beside) -> OpenAiReport {
        self.beside = beside;
        self
    }

    pub(super) fn counts_tokens(&self) -> bool {
        let counts = [
            self.prompt_tokens,
            self.completion_tokens,
            self.input_tokens,
            self.output_tokens,
            self.total_tokens,
        ];
        counts.iter().any(Option::is_some)
    }

    /// Milliseconds of audio, where it says so.
    pub(super) fn duration(&self) -> Option<u64> {
        self.seconds.or(self.prompt_audio_seconds)
    }

    fn inputs(&self) -> InputDetails {
        let mut details = self
            .prompt_tokens_details
            .or(self.input_tokens_details)
            .or(self.input_token_details)
            .unwrap_or_default();
        let elsewhere = [self.prompt_cache_hit_tokens, self.cached_tokens, self.num_cached_tokens];
        details.cached_tokens = elsewhere.into_iter().fold(details.cached_tokens, Option::or);
        details.cache_write_tokens = details.cache_write_tokens.or(self.cache_creation_input_tokens);
        details
    }

    /// In disjoint classes. Parts that are larger than their whole are cut to it.
    pub(super) fn usage(&self, reasoning: Reasoning, output_kind: OutputKind) -> Usage {
        let inputs = self.inputs();
        let details = self.completion_tokens_details.or(self.output_tokens_details);
        let outputs = details.unwrap_or_default();
        let mut completion = Left(self.completion_tokens.or(self.output_tokens).unwrap_or(0));
        // Embeddings and reranking may name the total alone.
        let alone = self.total_tokens.filter(|_| completion.0 == 0);
        let mut prompt = Left(self.prompt_tokens.or(self.input_tokens).or(alone).unwrap_or(0));
        let audio_in = inputs.audio_tokens.unwrap_or(0);
        let mut thought = outputs.reasoning_tokens.or(self.reasoning_tokens).unwrap_or(0);
        let mut spare = self.total_tokens.unwrap_or(0).saturating_sub(prompt.0.saturating_add(completion.0));
        let by_total = thought > 0 && (spare == thought || spare == thought.saturating_add(audio_in));
        if by_total {
            spare -= thought;
        } else if reasoning == Reasoning::Hidden && thought == 0 {
            thought = std::mem::take(&mut spare);
        }
        if by_total || reasoning != Reasoning::Within {
            completion.0 = completion.0.saturating_add(thought);
        }
        if audio_in > 0 && spare == audio_in {
            prompt.0 = prompt.0.saturating_add(audio_in);
        }
        let mut usage = Usage {
            cached_read: prompt.take(inputs.cached_tokens.unwrap_or(0)),
            cache_write_5m: prompt.take(inputs.cache_write_tokens.unwrap_or(0)),
            audio_in: prompt.take(inputs.audio_tokens.unwrap_or(0)),
            image_in: prompt.take(inputs.image_tokens.unwrap_or(0)),
            input: prompt.0,
            reasoning: completion.take(thought),
            audio_out: completion.take(outputs.audio_tokens.unwrap_or(0)),
            image_out: completion.take(outputs.image_tokens.unwrap_or(0)),
            pieces: self.pieces(),
            audio_ms: self.beside.audio_ms,
            tier: self.tier(),
            ..Usage::default()
        };
        *match output_kind {
            OutputKind::Image if details.is_none() => &mut usage.image_out,
            OutputKind::Audio if details.is_none() => &mut usage.audio_out,
            _ => &mut usage.output,
        } += completion.0;
        usage
    }

    fn pieces(&self) -> u64 {
        let counts = [
            self.num_search_queries,
            self.num_sources_used,
            self.num_server_side_tools_used,
            self.server_tool_use_details.web_search_requests,
        ];
        counts.into_iter().flatten().fold(self.beside.pieces, u64::saturating_add)
    }

    fn tier(&self) -> ServiceTier {
        let own = self.service_tier.as_deref().and_then(tier);
        own.or(self.beside.tier).unwrap_or_default()
    }
}
