//! `usageMetadata`, written. It is read by the code that reads it for billing.

use burncloud_core::{ServiceTier, Usage};
use serde_json::{Map, Value, json};

/// `usageMetadata` of disjoint classes. Gemini's prompt includes what was cached, its candidates leave thoughts out;
/// what was written to a cache is prompt to it.
pub(super) fn write(usage: &Usage) -> Value {
    let (prompt, output) = (usage.total_input(), usage.total_output());
    let candidates = output.saturating_sub(usage.reasoning);
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("promptTokenCount", prompt.into());
    put("candidatesTokenCount", candidates.into());
    put("totalTokenCount", prompt.saturating_add(output).into());
    if usage.cached_read > 0 {
        put("cachedContentTokenCount", usage.cached_read.into());
        put("cacheTokensDetails", details(usage.cached_read, 0, 0));
    }
    if usage.reasoning > 0 {
        put("thoughtsTokenCount", usage.reasoning.into());
    }
    put("promptTokensDetails", details(prompt, usage.audio_in, usage.image_in));
    put("candidatesTokensDetails", details(candidates, usage.audio_out, usage.image_out));
    if let Some(tier) = tier(usage.tier) {
        put("serviceTier", tier.into());
    }
    Value::Object(out)
}

fn details(all: u64, audio: u64, image: u64) -> Value {
    let text = all.saturating_sub(audio).saturating_sub(image);
    let kinds = [("TEXT", text), ("AUDIO", audio), ("IMAGE", image)].into_iter();
    let kinds = kinds.filter(|(_, count)| *count > 0);
    kinds.map(|(kind, count)| json!({ "modality": kind, "tokenCount": count })).collect()
}

fn tier(tier: ServiceTier) -> Option<&'static str> {
    match tier {
        ServiceTier::Standard => None,
        ServiceTier::Flex => Some("flex"),
        ServiceTier::Priority => Some("priority"),
        ServiceTier::Batch => Some("batch"),
    }
}

/// The tier that a report names, in OpenAI's words.
pub(super) fn service_tier(metadata: &Value) -> Option<String> {
    let word = ["serviceTier", "trafficType"].iter().find_map(|name| metadata.get(*name)?.as_str())?;
    let word = match crate::tokens::tier(word)? {
        ServiceTier::Standard => "default",
        ServiceTier::Flex => "flex",
        ServiceTier::Priority => "priority",
        ServiceTier::Batch => "batch",
    };
    Some(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemini::usage_of;

    #[test]
    fn what_is_written_reads_the_same() {
        let usage = Usage {
            input: 10,
            cached_read: 5,
            audio_in: 3,
            image_in: 2,
            output: 7,
            image_out: 4,
            audio_out: 1,
            reasoning: 6,
            tier: ServiceTier::Flex,
            ..Usage::default()
        };
        let written = write(&usage);
        assert_eq!(written["totalTokenCount"], 38);
        assert_eq!(usage_of(&written), Some(usage));
        assert_eq!(usage_of(&write(&Usage::default())), Some(Usage::default()));
        assert_eq!(usage_of(&json!({"trafficType": "ON_DEMAND"})), None);
    }
}
