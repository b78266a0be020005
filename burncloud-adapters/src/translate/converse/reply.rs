//! Whole answers, both ways.

use super::media::MediaWriter;
use super::read::read_blocks;
use super::write_blocks::{reasoning, text_block};
use crate::bedrock::usage::usage_of;
use crate::translate::{Choice, Citation, Content, Fields, Format, Part, Reply, Signature, Stop, Thinking};
use burncloud_core::{Error, ServiceTier, Usage};
use serde_json::{Map, Value, json};

pub(super) fn read_reply(body: Map<String, Value>) -> Result<Reply, Error> {
    let mut fields = Fields::of_answer(body);
    let tier = fields.take("serviceTier");
    let usage = fields.take("usage").and_then(|usage| usage_of(&usage, tier.as_ref()));
    let mut message = fields.fields("output")?.fields("message")?;
    let choice = Choice {
        index: 0,
        parts: read_blocks(&mut message, "content")?,
        stop: fields.string("stopReason")?.as_deref().map(read_stop).unwrap_or_default(),
        ..Choice::default()
    };
    let service_tier = tier.and_then(|tier| tier["type"].as_str().map(str::to_owned));
    Ok(Reply { choices: vec![choice], usage, service_tier, ..Reply::default() })
}

pub(super) fn read_stop(reason: &str) -> Stop {
    match reason {
        "stop_sequence" => Stop::Sequence,
        "max_tokens" | "model_context_window_exceeded" => Stop::MaxTokens,
        "tool_use" => Stop::ToolCalls,
        "guardrail_intervened" | "content_filtered" => Stop::Filtered,
        _ => Stop::End,
    }
}

pub(super) fn write_stop(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Pause => "end_turn",
        Stop::Sequence => "stop_sequence",
        Stop::MaxTokens => "max_tokens",
        Stop::ToolCalls => "tool_use",
        Stop::Filtered | Stop::Refusal => "content_filtered",
    }
}

pub(super) fn write_reply(reply: Reply) -> Value {
    // Converse's callers cannot ask for more than one.
    let choice = reply.choices.into_iter().next().unwrap_or_default();
    let mut media = MediaWriter::default();
    let content: Vec<Value> =
        choice.parts.into_iter().flat_map(|part| write_part(part, &mut media)).collect();
    let usage = reply.usage.unwrap_or_default();
    let mut body = json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": write_stop(choice.stop),
        "usage": write_usage(&usage),
        "metrics": {"latencyMs": 0},
    });
    if let Some(tier) = write_tier(usage.tier) {
        body["serviceTier"] = tier;
    }
    body
}

/// Somebody else's signature of a text or a call, as a block of thoughts without words.
fn signature_block(signature: Signature) -> Value {
    reasoning(Thinking { text: String::new(), signature: Some(signature), redacted: false })
}

/// A source of somebody else's, as a page in the web.
pub(super) fn foreign_citation(citation: Citation) -> Value {
    let mut out = json!({});
    if let Some(title) = citation.title {
        out["title"] = Value::String(title);
    }
    if let Some(quote) = citation.quote {
        out["sourceContent"] = json!([{"text": quote}]);
    }
    if let Some(url) = citation.url {
        out["location"] = json!({"web": {"url": url}});
    }
    out
}

/// The blocks of a part: none for an empty text and for what has no place, two where somebody else signed.
fn write_part(part: Part, media: &mut MediaWriter) -> Vec<Value> {
    let mut blocks = Vec::with_capacity(1);
    let mut carry = part.carry;
    match part.content {
        Content::Text { text, citations, signature } => {
            blocks.extend(signature.map(signature_block));
            if !text.is_empty() || !citations.is_empty() {
                let known = citations.into_iter().map(|citation| match citation.raw {
                    Some((Format::Converse, _)) => citation,
                    _ => {
                        let raw = foreign_citation(citation);
                        Citation { raw: Some((Format::Converse, raw)), ..Citation::default() }
                    }
                });
                blocks.push(text_block(text, known.collect(), carry));
            }
        }
        Content::Refusal(text) => blocks.push(json!({"text": text})),
        Content::Thinking(thinking) => blocks.push(reasoning(thinking)),
        Content::ToolCall(mut call) => {
            blocks.extend(call.signature.take().map(signature_block));
            let input = call.object();
            blocks.push(json!({"toolUse": {"toolUseId": call.id, "name": call.name, "input": input}}));
        }
        Content::Media(it) => blocks.extend(media.write(it, &mut carry)),
        Content::Other { format: Format::Converse, value } => blocks.push(value),
        Content::ToolResult(_) | Content::Other { .. } => {}
    }
    blocks
}

/// `inputTokens` leave out what was read from and written to the cache; the total has all.
pub(super) fn write_usage(usage: &Usage) -> Value {
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let mut out = json!({
        "inputTokens": usage.input.saturating_add(usage.audio_in).saturating_add(usage.image_in),
        "outputTokens": usage.total_output(),
        "totalTokens": usage.total_input().saturating_add(usage.total_output()),
        "cacheReadInputTokens": usage.cached_read,
        "cacheWriteInputTokens": written,
    });
    let details = [("5m", usage.cache_write_5m), ("1h", usage.cache_write_1h)];
    let details: Vec<Value> = details
        .into_iter()
        .filter(|(_, tokens)| *tokens > 0)
        .map(|(ttl, tokens)| json!({"ttl": ttl, "inputTokens": tokens}))
        .collect();
    if !details.is_empty() {
        out["cacheDetails"] = Value::Array(details);
    }
    out
}

pub(super) fn write_tier(tier: ServiceTier) -> Option<Value> {
    match tier {
        ServiceTier::Flex => Some(json!({"type": "flex"})),
        ServiceTier::Priority => Some(json!({"type": "priority"})),
        ServiceTier::Standard | ServiceTier::Batch => None,
    }
}
