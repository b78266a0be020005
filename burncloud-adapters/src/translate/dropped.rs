//! The record of what a translation leaves out.

use super::Format;
use burncloud_core::{Error, ErrorKind};
use std::borrow::Cow;

/// Settings of the hub that not every format has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Setting {
    Temperature,
    TopP,
    TopK,
    Stop,
    Seed,
    FrequencyPenalty,
    PresencePenalty,
    Answers,
    Logprobs,
    Output,
    OutputStrict,
    Reasoning,
    ShowReasoning,
    ToolChoice,
    ParallelTools,
    ToolStrict,
    BuiltInTool,
    User,
    Metadata,
    ServiceTier,
    CacheKey,
    CacheMark,
    Verbosity,
    Name,
    Detail,
    Citations,
    ForeignThinking,
    ToolError,
}

impl Setting {
    /// Its name in a format, as its callers write it; the hub's own where that format has none.
    #[must_use]
    pub fn name(self, format: Format) -> &'static str {
        use Setting as S;
        let [chat, responses, messages, gemini, cohere, converse] = match self {
            S::Temperature => ["temperature"; 6],
            S::TopP => ["top_p", "top_p", "top_p", "topP", "p", "topP"],
            S::TopK => ["top_k", "top_k", "top_k", "topK", "k", "top_k"],
            S::Stop => ["stop", "stop", "stop_sequences", "stopSequences", "stop_sequences", "stopSequences"],
            S::Seed => ["seed"; 6],
            S::FrequencyPenalty => [
                "frequency_penalty",
                "frequency_penalty",
                "frequency_penalty",
                "frequencyPenalty",
                "frequency_penalty",
                "frequency_penalty",
            ],
            S::PresencePenalty => [
                "presence_penalty",
                "presence_penalty",
                "presence_penalty",
                "presencePenalty",
                "presence_penalty",
                "presence_penalty",
            ],
            S::Answers => ["n", "n", "n", "candidateCount", "n", "n"],
            S::Logprobs => {
                ["logprobs", "top_logprobs", "logprobs", "responseLogprobs", "logprobs", "logprobs"]
            }
            S::Output => [
                "response_format",
                "text.format",
                "output_config.format",
                "responseSchema",
                "response_format",
                "outputConfig",
            ],
            S::OutputStrict => [
                "response_format.json_schema.strict",
                "text.format.strict",
                "strict",
                "strict",
                "strict",
                "strict",
            ],
            S::Reasoning => [
                "reasoning_effort",
                "reasoning",
                "thinking",
                "thinkingConfig",
                "thinking",
                "additionalModelRequestFields.thinking",
            ],
            S::ShowReasoning => [
                "reasoning",
                "reasoning.summary",
                "thinking.display",
                "thinkingConfig.includeThoughts",
                "thinking",
                "thinking",
            ],
            S::ToolChoice => {
                ["tool_choice", "tool_choice", "tool_choice", "toolConfig", "tool_choice", "toolChoice"]
            }
            S::ParallelTools => [
                "parallel_tool_calls",
                "parallel_tool_calls",
                "tool_choice.disable_parallel_tool_use",
                "parallel_tool_calls",
                "parallel_tool_calls",
                "parallel_tool_calls",
            ],
            S::ToolStrict => [
                "tools.function.strict",
                "tools.strict",
                "tools.strict",
                "tools.strict",
                "strict_tools",
                "tools.strict",
            ],
            S::BuiltInTool => ["tools"; 6],
            S::User => ["user", "safety_identifier", "metadata.user_id", "labels", "user", "requestMetadata"],
            S::Metadata => ["metadata", "metadata", "metadata", "labels", "metadata", "requestMetadata"],
            S::ServiceTier => {
                ["service_tier", "service_tier", "service_tier", "serviceTier", "priority", "serviceTier"]
            }
            S::CacheKey => ["prompt_cache_key"; 6],
            S::CacheMark => [
                "prompt_cache_breakpoint",
                "prompt_cache_breakpoint",
                "cache_control",
                "cachedContent",
                "cache",
                "cachePoint",
            ],
            S::Verbosity => {
                ["verbosity", "text.verbosity", "verbosity", "verbosity", "verbosity", "verbosity"]
            }
            S::Name => [
                "messages.name",
                "input.name",
                "messages.name",
                "contents.name",
                "messages.name",
                "messages.name",
            ],
            S::Detail => [
                "image_url.detail",
                "input_image.detail",
                "detail",
                "mediaResolution",
                "image_url.detail",
                "detail",
            ],
            S::Citations => {
                ["annotations", "annotations", "citations", "citations", "citations", "citationsContent"]
            }
            S::ForeignThinking => [
                "reasoning_details",
                "reasoning",
                "thinking",
                "thoughtSignature",
                "thinking",
                "reasoningContent",
            ],
            S::ToolError => [
                "tool",
                "function_call_output",
                "tool_result.is_error",
                "functionResponse",
                "tool",
                "toolResult.status",
            ],
        };
        match format {
            Format::Chat => chat,
            Format::Responses => responses,
            Format::Messages => messages,
            Format::Gemini => gemini,
            Format::Cohere => cohere,
            Format::Converse => converse,
        }
    }
}

/// So many names are recorded one by one: a body may have millions of odd fields, and each is looked for among those
/// before it.
const MOST_NAMES: usize = 64;
/// The longest name, in characters.
const LONGEST_NAME: usize = 80;
/// Stands for the rest.
const MORE: &str = "and more";

/// What a translation leaves out.
#[derive(Clone, Debug)]
pub struct Notes {
    caller: Format,
    dropped: Vec<Cow<'static, str>>,
}

impl Notes {
    /// Nothing yet, for a caller of this format.
    #[must_use]
    pub fn new(caller: Format) -> Notes {
        Notes { caller, dropped: Vec::new() }
    }

    /// The caller's format.
    #[must_use]
    pub fn caller(&self) -> Format {
        self.caller
    }

    /// Records a setting that the provider has no words for.
    pub fn drop(&mut self, setting: Setting) {
        self.drop_named(setting.name(self.caller));
    }

    /// Records a field by the caller's name for it. A record has each name once; long ones are cut, and after 64 of them
    /// `and more` stands for the rest.
    pub fn drop_named(&mut self, name: impl Into<Cow<'static, str>>) {
        if self.dropped.len() > MOST_NAMES {
            return;
        }
        let mut name = name.into();
        if let Some((end, _)) = name.char_indices().nth(LONGEST_NAME) {
            name = Cow::Owned(name[..end].to_owned());
        }
        if !self.dropped.contains(&name) {
            let full = self.dropped.len() == MOST_NAMES;
            self.dropped.push(if full { Cow::Borrowed(MORE) } else { name });
        }
    }

    /// What was left out, by the caller's names.
    #[must_use]
    pub fn into_dropped(self) -> Vec<Cow<'static, str>> {
        self.dropped
    }

    /// What was left out so far.
    #[must_use]
    pub fn dropped(&self) -> &[Cow<'static, str>] {
        &self.dropped
    }

    /// Content that the provider's format cannot say: never left out, the request is refused.
    #[must_use]
    pub fn cannot_say(what: &str, target: Format, fix: &str) -> Error {
        let text = format!("this model's provider ({} format) takes no {what}; {fix}", target.as_str());
        Error::new(ErrorKind::BadRequest, text).with_code("unsupported_content")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_bounded() {
        let mut notes = Notes::new(Format::Chat);
        for number in 0..1000 {
            notes.drop_named(format!("field{number}"));
            notes.drop_named("field0");
        }
        assert_eq!((notes.dropped().len(), notes.dropped()[64].as_ref()), (65, "and more"));
        let mut notes = Notes::new(Format::Chat);
        notes.drop_named("é".repeat(10_000));
        assert_eq!(notes.into_dropped(), ["é".repeat(80)]);
    }
}
