//! What a pair cannot do, each with its reason: the dialects themselves have no place for it.

use burncloud_tests::provider::Provider::{self, Anthropic, Bedrock, Chat, Cohere, Gemini, Responses};

/// Why `scenario` is not tried in this pair; `None`: it is.
pub(crate) fn unsupported(caller: Provider, provider: Provider, scenario: &str) -> Option<&'static str> {
    match (scenario, caller, provider) {
        ("stop_sequence", Responses, _) => Some("a caller of Responses has no stop sequences to ask for"),
        ("stop_sequence", _, Responses) => {
            Some("Responses takes no stop sequences: they are dropped, and the answer's header says so")
        }
        ("refusal", Cohere, _) | ("refusal", _, Cohere) => Some("Cohere has no finish reason for a filter"),
        ("reasoning" | "reasoning_stream", Cohere, Responses | Anthropic | Gemini | Bedrock) => {
            Some("Cohere's thinking has no place for the signature that the provider wants back")
        }
        ("agent", Cohere | Bedrock, _) => Some("no agent framework is driven in this dialect"),
        (_, Chat | Responses | Anthropic | Gemini | Cohere | Bedrock, _) => None,
    }
}
