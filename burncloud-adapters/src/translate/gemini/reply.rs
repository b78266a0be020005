//! Whole answers.

use super::super::codec::Caller;
use super::super::{Choice, Content, Fields, Part, Reply, Stop, new_id};
use super::citation::{self, Grounding};
use super::names::{camel, object, objects};
use super::part::{self, Calls};
use super::{logprobs, sign, usage};
use crate::gemini::usage_of;
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// Reads a provider's answer.
pub(super) fn read(body: Map<String, Value>) -> Result<Reply, Error> {
    let mut answer = Fields::of_answer(camel(body));
    let id = answer.string("responseId")?;
    let mut calls = Calls::of_answer(id.as_deref());
    let mut choices = Vec::new();
    for (number, candidate) in objects(&mut answer, "candidates")?.into_iter().enumerate() {
        choices.push(read_choice(candidate, number, &mut calls)?);
    }
    if choices.is_empty() {
        let blocked = answer.peek("promptFeedback").is_some_and(blocks);
        let stop = if blocked { Stop::Filtered } else { Stop::End };
        choices.push(Choice { stop, ..Choice::default() });
    }
    let metadata = answer.take("usageMetadata").unwrap_or_default();
    Ok(Reply {
        id,
        model: answer.string("modelVersion")?,
        created: None,
        choices,
        usage: usage_of(&metadata),
        service_tier: usage::service_tier(&metadata),
    })
}

/// Whether `promptFeedback` says that the prompt was refused.
pub(super) fn blocks(feedback: &Value) -> bool {
    feedback.get("blockReason").and_then(Value::as_str).is_some_and(|reason| !reason.is_empty())
}

fn read_choice(mut candidate: Fields, number: usize, calls: &mut Calls) -> Result<Choice, Error> {
    let index = candidate.unsigned("index")?.and_then(|index| u32::try_from(index).ok());
    let mut parts = Vec::new();
    if let Some(mut content) = object(&mut candidate, "content")? {
        for fields in objects(&mut content, "parts")? {
            // What else a part says means nothing in an answer of another format.
            parts.extend(part::read(fields, calls)?.map(|part| Part::new(part.content)));
        }
    }
    let sources = citation::read(candidate.peek("groundingMetadata"), candidate.peek("citationMetadata"));
    citation::attach(&mut parts, sources);
    let called = parts.iter().any(|part| matches!(part.content, Content::ToolCall(_)));
    let reason = candidate.string("finishReason")?;
    Ok(Choice {
        index: index.unwrap_or(u32::try_from(number).unwrap_or(u32::MAX)),
        parts,
        stop: stop(reason.as_deref().unwrap_or_default(), called),
        stop_sequence: None,
        logprobs: candidate.peek("logprobsResult").and_then(logprobs::read),
    })
}

/// What a `finishReason` means. `STOP` stands for calls, too.
pub(super) fn stop(reason: &str, called: bool) -> Stop {
    match reason {
        "MAX_TOKENS" | "CONTINUATION" => Stop::MaxTokens,
        "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
        | "MODEL_ARMOR" | "ESCALATION" => Stop::Filtered,
        reason if reason.starts_with("IMAGE_") => Stop::Filtered,
        _ if called => Stop::ToolCalls,
        // A malformed call and the like: there is nothing a caller could do about it.
        _ => Stop::End,
    }
}

/// The `finishReason` for it.
pub(super) fn finish_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence | Stop::ToolCalls | Stop::Pause => "STOP",
        Stop::MaxTokens => "MAX_TOKENS",
        Stop::Filtered | Stop::Refusal => "SAFETY",
    }
}

/// Writes an answer for a caller.
pub(super) fn write(reply: Reply, to: &Caller) -> Value {
    let candidates: Vec<Value> = reply.choices.into_iter().map(write_choice).collect();
    let mut out = Map::new();
    out.insert("candidates".to_owned(), candidates.into());
    out.extend(reply.usage.map(|it| ("usageMetadata".to_owned(), usage::write(&it))));
    out.insert("modelVersion".to_owned(), to.model.as_str().into());
    out.insert("responseId".to_owned(), reply.id.unwrap_or_else(|| new_id("")).into());
    Value::Object(out)
}

fn write_choice(choice: Choice) -> Value {
    let mut grounding = Grounding::default();
    let mut parts: Vec<Value> = Vec::with_capacity(choice.parts.len());
    for part in choice.parts {
        if let Content::Text { text, citations, .. } = &part.content {
            for citation in citations {
                grounding.add(citation, parts.len(), Some(text));
            }
        }
        parts.extend(write_part(part));
    }
    let mut out = Map::new();
    out.insert("content".to_owned(), json!({ "parts": parts, "role": "model" }));
    out.insert("finishReason".to_owned(), finish_reason(choice.stop).into());
    out.insert("index".to_owned(), choice.index.into());
    out.extend(grounding.into_value().map(|it| ("groundingMetadata".to_owned(), it)));
    let logprobs = choice.logprobs.as_ref().and_then(logprobs::write);
    out.extend(logprobs.map(|it| ("logprobsResult".to_owned(), it)));
    Value::Object(out)
}

/// A part for a caller; `None` for what Gemini's answers cannot hold.
pub(super) fn write_part(part: Part) -> Option<Value> {
    let written = match part.content {
        Content::Text { text, signature, .. } => {
            part::text(&text, false, signature.map(|signature| sign::write(&signature, false)))
        }
        Content::Refusal(text) => part::text(&text, false, None),
        Content::Thinking(thinking) => part::text(&thinking.text, true, sign::write_thinking(&thinking)),
        Content::ToolCall(call) => {
            let signature = call.signature.as_ref().map(|signature| sign::write(signature, false));
            part::call(&call, Some(part::for_caller(&call.id)), signature)
        }
        Content::Media(media) => super::media::write(media, false, true).ok()?,
        Content::Other { format: super::super::Format::Gemini, value: Value::Object(value) } => value,
        Content::Other { .. } | Content::ToolResult(_) => return None,
    };
    Some(Value::Object(written))
}
