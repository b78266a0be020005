//! Whole answers, both ways.

use super::read_blocks::read_content;
use super::write_blocks::signature_block;
use crate::anthropic::usage::Reports;
use crate::translate::{
    Caller, Choice, Citation, Content, Fields, Format, Origin, Part, Reply, Stop, Thinking, prefixed_id,
};
use burncloud_core::{Error, ServiceTier, Usage};
use serde_json::{Map, Value, json};

pub(super) fn read_reply(body: Map<String, Value>) -> Result<Reply, Error> {
    let mut fields = Fields::of_answer(body);
    let mut reports = Reports::default();
    let mut service_tier = None;
    if let Some(usage) = fields.take("usage") {
        reports.add(&usage);
        service_tier = usage.get("service_tier").and_then(Value::as_str).map(str::to_owned);
    }
    let choice = Choice {
        index: 0,
        parts: read_content(&mut fields, "content")?,
        stop: fields.string("stop_reason")?.as_deref().map(read_stop).unwrap_or_default(),
        stop_sequence: fields.string("stop_sequence")?,
        logprobs: None,
    };
    Ok(Reply {
        id: fields.string("id")?,
        model: fields.string("model")?,
        created: None,
        choices: vec![choice],
        usage: reports.usage(),
        service_tier,
    })
}

pub(super) fn read_stop(reason: &str) -> Stop {
    match reason {
        "stop_sequence" => Stop::Sequence,
        "max_tokens" | "model_context_window_exceeded" => Stop::MaxTokens,
        "tool_use" => Stop::ToolCalls,
        "pause_turn" => Stop::Pause,
        "refusal" => Stop::Refusal,
        _ => Stop::End,
    }
}

pub(super) fn write_stop(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::Sequence => "stop_sequence",
        Stop::MaxTokens => "max_tokens",
        Stop::ToolCalls => "tool_use",
        Stop::Filtered | Stop::Refusal => "refusal",
        Stop::Pause => "pause_turn",
    }
}

pub(super) fn write_reply(reply: Reply, to: &Caller) -> Value {
    // Anthropic's callers cannot ask for more than one.
    let choice = reply.choices.into_iter().next().unwrap_or_default();
    let content: Vec<Value> = choice.parts.into_iter().flat_map(write_part).collect();
    json!({
        "id": prefixed_id("msg_", reply.id.as_deref()),
        "type": "message",
        "role": "assistant",
        "model": to.model,
        "content": content,
        "stop_reason": write_stop(choice.stop),
        "stop_sequence": choice.stop_sequence,
        "stop_details": null,
        "usage": write_usage(&reply.usage.unwrap_or_default()),
    })
}

/// The blocks of a part: none for an empty text and for what has no place, two where somebody else signed.
fn write_part(part: Part) -> Vec<Value> {
    let mut blocks = Vec::with_capacity(1);
    match part.content {
        Content::Text { text, citations, signature } => {
            blocks.extend(signature.map(|signature| signature_block(&signature)));
            if !text.is_empty() {
                let mut block = json!({"type": "text", "text": text});
                if !citations.is_empty() {
                    block["citations"] = citations.into_iter().map(write_citation).collect();
                }
                blocks.push(block);
            }
        }
        Content::Refusal(text) => blocks.push(json!({"type": "text", "text": text})),
        Content::Thinking(thinking) => blocks.push(write_thinking(thinking)),
        Content::ToolCall(call) => {
            blocks.extend(call.signature.as_ref().map(signature_block));
            let input = call.object();
            blocks.push(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input}));
        }
        Content::Other { format: Format::Messages, value } => blocks.push(value),
        Content::Media(_) | Content::ToolResult(_) | Content::Other { .. } => {}
    }
    // Marks of caching mean nothing in an answer; the rest is of the last block.
    if let Some(Value::Object(block)) = blocks.last_mut() {
        block.extend(part.carry);
    }
    blocks
}

fn write_thinking(thinking: Thinking) -> Value {
    let signature =
        thinking.signature.map(|signature| signature.to_field(Origin::Anthropic)).unwrap_or_default();
    if thinking.redacted && thinking.text.is_empty() {
        return json!({"type": "redacted_thinking", "data": signature});
    }
    json!({"type": "thinking", "thinking": thinking.text, "signature": signature})
}

/// As Anthropic wrote it, else as a source found in the web; `encrypted_index` must be there for its SDKs.
pub(super) fn write_citation(citation: Citation) -> Value {
    match citation.raw {
        Some((Format::Messages, raw)) => raw,
        _ => json!({
            "type": "web_search_result_location",
            "url": citation.url.unwrap_or_default(),
            "title": citation.title,
            "cited_text": citation.quote.unwrap_or_default(),
            "encrypted_index": "",
        }),
    }
}

pub(super) fn write_usage(usage: &Usage) -> Value {
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let input = usage.input.saturating_add(usage.audio_in).saturating_add(usage.image_in);
    let mut out = json!({
        "input_tokens": input,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cached_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.total_output(),
        "service_tier": match usage.tier {
            ServiceTier::Priority => "priority",
            ServiceTier::Batch => "batch",
            ServiceTier::Standard | ServiceTier::Flex => "standard",
        },
    });
    if usage.reasoning > 0 {
        out["output_tokens_details"] = json!({"thinking_tokens": usage.reasoning});
    }
    if usage.pieces > 0 {
        out["server_tool_use"] = json!({"web_search_requests": usage.pieces, "web_fetch_requests": 0});
    }
    out
}
