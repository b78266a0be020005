//! What OpenAI, and those who speak its API, report as usage.
//!
//! `prompt_tokens` include cached and cache-written ones, `completion_tokens` include reasoning. Where a
//! provider counts otherwise, its total tells (xAI leaves reasoning out of the chat's `completion_tokens`,
//! Mistral audio out of `prompt_tokens`), or its [`Reasoning`] says so.

use crate::reader::Report;
use crate::reader::walk::{Visit, count, millis, text, walk};
use crate::tokens::{Left, tier};
use burncloud_core::{Picture, Quality, ServiceTier, Usage};

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

/// What the output is, where a report does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputKind {
    Text,
    Image,
    Audio,
}

/// A report, its synonyms brought together: the largest of them counts.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenAiReport {
    prompt: Option<u64>,
    completion: Option<u64>,
    total: Option<u64>,
    cached: u64,
    written: u64,
    audio_in: u64,
    image_in: u64,
    reasoning: u64,
    audio_out: u64,
    image_out: u64,
    /// The output is told apart.
    details: bool,
    /// Pictures made, units of reranking, sources read.
    pub(super) pieces: Option<u64>,
    pub(super) picture: Picture,
    /// One picture of a stream, which may have more.
    pub(super) one_of_many: bool,
    web_searches: u64,
    file_searches: u64,
    code_calls: u64,
    /// Calls of the provider's tools, of whatever kind.
    tool_calls: u64,
    /// They are told apart.
    tools_told: bool,
    /// Milliseconds of audio.
    pub(super) audio_ms: Option<u64>,
    pub(super) tier: Option<ServiceTier>,
}

fn up(slot: &mut u64, raw: &[u8]) {
    *slot = (*slot).max(count(raw).unwrap_or(0));
}

fn up_some(slot: &mut Option<u64>, raw: &[u8]) {
    *slot = (*slot).max(count(raw));
}

impl Visit for OpenAiReport {
    fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
        match path {
            [key] => self.top(key, raw),
            // Transcriptions write it in the singular.
            [b"prompt_tokens_details" | b"input_tokens_details" | b"input_token_details", key] => {
                match *key {
                    b"cached_tokens" => up(&mut self.cached, raw),
                    b"cache_write_tokens" => up(&mut self.written, raw),
                    b"audio_tokens" => up(&mut self.audio_in, raw),
                    b"image_tokens" => up(&mut self.image_in, raw),
                    _ => {}
                }
            }
            [b"completion_tokens_details" | b"output_tokens_details", key] => {
                self.details = true;
                match *key {
                    b"reasoning_tokens" => up(&mut self.reasoning, raw),
                    b"audio_tokens" => up(&mut self.audio_out, raw),
                    b"image_tokens" => up(&mut self.image_out, raw),
                    _ => {}
                }
            }
            // OpenRouter.
            [b"server_tool_use_details" | b"server_tool_use", b"web_search_requests"] => {
                up(&mut self.web_searches, raw);
            }
            // xAI.
            [b"server_side_tool_usage_details", key] => self.tool(key, raw),
            // Perplexity's responses.
            [b"tool_calls_details", b"search_web", b"invocation"] => up(&mut self.web_searches, raw),
            _ => {}
        }
    }
}

impl OpenAiReport {
    /// A `usage` object.
    pub(super) fn of(raw: &[u8]) -> OpenAiReport {
        let mut report = OpenAiReport::default();
        walk(raw, &mut report);
        report
    }

    /// The usage in the last of a chunk's choices that has some.
    pub(super) fn of_choices(raw: &[u8]) -> Option<OpenAiReport> {
        struct Choices(OpenAiReport);

        impl Visit for Choices {
            fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
                if let [b"", b"usage", rest @ ..] = path {
                    self.0.scalar(rest, raw);
                }
            }
        }

        let mut choices = Choices(OpenAiReport::default());
        walk(raw, &mut choices);
        Some(choices.0).filter(OpenAiReport::counts_tokens)
    }

    /// The `meta` object of reranking, as Cohere writes it.
    pub(super) fn of_meta(raw: &[u8]) -> OpenAiReport {
        struct Meta(OpenAiReport);

        impl Visit for Meta {
            fn scalar(&mut self, path: &[&[u8]], raw: &[u8]) {
                match path {
                    [b"billed_units", b"search_units"] => self.0.add_pieces(raw),
                    [b"billed_units" | b"tokens", key @ (b"input_tokens" | b"output_tokens")] => {
                        self.0.top(key, raw);
                    }
                    _ => {}
                }
            }
        }

        let mut meta = Meta(OpenAiReport::default());
        walk(raw, &mut meta);
        meta.0
    }

    fn top(&mut self, key: &[u8], raw: &[u8]) {
        match key {
            b"prompt_tokens" | b"input_tokens" => up_some(&mut self.prompt, raw),
            b"completion_tokens" | b"output_tokens" => up_some(&mut self.completion, raw),
            b"total_tokens" => up_some(&mut self.total, raw),
            // DeepSeek, Moonshot and Together, Mistral.
            b"prompt_cache_hit_tokens" | b"cached_tokens" | b"num_cached_tokens" => up(&mut self.cached, raw),
            // Vercel.
            b"cache_creation_input_tokens" => up(&mut self.written, raw),
            // Perplexity.
            b"reasoning_tokens" => up(&mut self.reasoning, raw),
            // Perplexity.
            b"num_search_queries" => up(&mut self.web_searches, raw),
            // xAI, which charges by the source, and by the call.
            b"num_sources_used" => self.add_pieces(raw),
            b"num_server_side_tools_used" => up(&mut self.tool_calls, raw),
            // Transcriptions, in OpenAI's words and in Mistral's.
            b"seconds" | b"prompt_audio_seconds" => self.audio_ms = millis(raw),
            // Mistral.
            b"service_tier" => self.tier = text(raw).and_then(tier),
            _ => {}
        }
    }

    /// A count of xAI's tools. It charges for each run of code.
    fn tool(&mut self, key: &[u8], raw: &[u8]) {
        let slot = match key {
            b"web_search_calls" | b"x_search_calls" => &mut self.web_searches,
            b"file_search_calls" | b"document_search_calls" => &mut self.file_searches,
            b"code_interpreter_calls" => &mut self.code_calls,
            _ => return,
        };
        *slot = slot.saturating_add(count(raw).unwrap_or(0));
        self.tools_told = true;
    }

    fn add_pieces(&mut self, raw: &[u8]) {
        if let Some(more) = count(raw) {
            self.pieces = Some(self.pieces.unwrap_or(0).saturating_add(more));
        }
    }

    pub(super) fn counts_input(&self) -> bool {
        self.prompt.is_some()
    }

    pub(super) fn counts_tokens(&self) -> bool {
        self.prompt.is_some() || self.completion.is_some() || self.total.is_some()
    }

    /// In disjoint classes. Parts that are larger than their whole are cut to it.
    pub(super) fn usage(&self, reasoning: Reasoning, output_kind: OutputKind) -> Usage {
        let mut completion = Left(self.completion.unwrap_or(0));
        // Embeddings and reranking may name the total alone.
        let alone = self.total.filter(|_| completion.0 == 0);
        let mut prompt = Left(self.prompt.or(alone).unwrap_or(0));
        let mut thought = self.reasoning;
        let mut spare = self.total.unwrap_or(0).saturating_sub(prompt.0.saturating_add(completion.0));
        let by_total = thought > 0 && (spare == thought || spare == thought.saturating_add(self.audio_in));
        if by_total {
            spare -= thought;
        } else if reasoning == Reasoning::Hidden && thought == 0 {
            thought = std::mem::take(&mut spare);
        }
        if by_total || reasoning != Reasoning::Within {
            completion.0 = completion.0.saturating_add(thought);
        }
        if self.audio_in > 0 && spare == self.audio_in {
            prompt.0 = prompt.0.saturating_add(self.audio_in);
        }
        let untold = if self.tools_told { 0 } else { self.tool_calls };
        let mut usage = Usage {
            cached_read: prompt.take(self.cached),
            cache_write_5m: prompt.take(self.written),
            audio_in: prompt.take(self.audio_in),
            image_in: prompt.take(self.image_in),
            input: prompt.0,
            reasoning: completion.take(thought),
            audio_out: completion.take(self.audio_out),
            image_out: completion.take(self.image_out),
            pieces: self.pieces.unwrap_or(0).saturating_add(untold),
            picture: self.picture,
            web_searches: self.web_searches,
            file_searches: self.file_searches,
            code_sessions: self.code_calls,
            audio_ms: self.audio_ms.unwrap_or(0),
            tier: self.tier.unwrap_or_default(),
            ..Usage::default()
        };
        *match output_kind {
            OutputKind::Image if !self.details => &mut usage.image_out,
            OutputKind::Audio if !self.details => &mut usage.audio_out,
            _ => &mut usage.output,
        } += completion.0;
        usage
    }
}

impl Report for OpenAiReport {
    const IN_PARTS: bool = false;

    /// The last one says everything, but for pictures: each has a report of its own.
    fn merge(&mut self, newer: OpenAiReport) {
        if !self.one_of_many || !newer.one_of_many {
            *self = newer;
            return;
        }
        let sum = |a: &mut Option<u64>, b: Option<u64>| {
            *a = if a.is_none() { b } else { a.map(|a| a.saturating_add(b.unwrap_or(0))) };
        };
        sum(&mut self.pieces, newer.pieces);
        sum(&mut self.prompt, newer.prompt);
        sum(&mut self.completion, newer.completion);
        sum(&mut self.total, newer.total);
        for (count, more) in [
            (&mut self.cached, newer.cached),
            (&mut self.written, newer.written),
            (&mut self.audio_in, newer.audio_in),
            (&mut self.image_in, newer.image_in),
            (&mut self.reasoning, newer.reasoning),
            (&mut self.audio_out, newer.audio_out),
            (&mut self.image_out, newer.image_out),
        ] {
            *count = count.saturating_add(more);
        }
        self.details |= newer.details;
    }

    fn is_full(&self) -> bool {
        !self.one_of_many
    }
}

/// `"1024x1536"`.
pub(super) fn size(raw: &[u8]) -> Option<(u16, u16)> {
    let (width, height) = text(raw)?.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// In the provider's words; what it did not choose, or we do not know, is not stated.
pub(super) fn quality(raw: &[u8]) -> Quality {
    match text(raw).unwrap_or_default() {
        "low" => Quality::Low,
        "medium" => Quality::Medium,
        "high" => Quality::High,
        "standard" => Quality::Standard,
        "hd" => Quality::Hd,
        _ => Quality::Unstated,
    }
}
