//! OpenAI's chat completions, and what everybody makes of them.
//!
//! # What is read
//!
//! OpenAI's fields, their deprecated forms (`functions`, `function_call`, `max_tokens`, the role `function`) and what
//! other providers added: `reasoning_content` and `reasoning` (DeepSeek, xAI, vLLM), `reasoning_details` (OpenRouter),
//! `thinking` chunks in lists (Mistral), `extra_content.google` (Google), `cache_control` (OpenRouter), `thinking` and
//! `reasoning` as settings. Leading `system` and `developer` messages are the conversation's instructions.
//!
//! # What is written
//!
//! To OpenAI itself ([`Profile::genuine`]) its newest words; to those who copy it the older ones: `max_tokens`,
//! `system`, one text instead of a list, and nothing that only OpenAI knows.
//!
//! - A tool's pictures and documents follow the tools' messages in a message of the user's: tools say text only.
//! - A tool that failed says so: its text begins with `Error: `.
//! - A document of plain text is written as text, under its name.
//! - Thoughts go back to those who made them: to OpenAI none, for its chat takes none; to others unsigned ones as
//!   `reasoning_content`, and those that they signed as `reasoning_details`. A provider that takes no `stream_options`
//!   refuses what it does not know, and gets no thoughts either.
//! - Google's signatures go to Google's compatible endpoint alone, which is told by where it counts reasoning.
//! - Reasoning that is switched off is `reasoning_effort: "none"` only for callers who wrote OpenAI's words: older
//!   models refuse it.

mod chunk;
mod message;
mod parts;
mod reply;
mod request;
mod stream_read;
mod stream_write;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_quirks;
mod thoughts;
mod tools;
mod write;

pub(super) use parts::{address, is_cloud, source_of};

use super::codec::{Caller, Codec, Profile, ReadStream, Target, WriteStream};
use super::{Conversation, Notes, Reply, Stop};
use burncloud_core::{Error, ServiceTier, Usage};
use serde_json::{Map, Value, json};

struct Chat;

/// The codec.
pub(super) fn codec() -> &'static dyn Codec {
    &Chat
}

impl Codec for Chat {
    fn read_request(&self, body: Map<String, Value>, _notes: &mut Notes) -> Result<Conversation, Error> {
        request::read(body)
    }

    fn write_request(
        &self,
        conversation: Conversation,
        to: &Target<'_>,
        notes: &mut Notes,
    ) -> Result<Value, Error> {
        write::write(conversation, to, notes)
    }

    fn read_reply(&self, body: Map<String, Value>, from: &Profile) -> Result<Reply, Error> {
        reply::read(body, from)
    }

    fn write_reply(&self, reply: Reply, to: &Caller) -> Value {
        reply::write(reply, to)
    }

    fn stream_reader(&self, from: &Profile) -> Box<dyn ReadStream> {
        Box::new(stream_read::Reader::new(*from))
    }

    fn stream_writer(&self, to: &Caller) -> Box<dyn WriteStream> {
        Box::new(stream_write::Writer::new(to))
    }
}

/// What a reason to finish means; `None` for none. Providers that call tools and say `stop` are put right.
fn stop_of(word: &str, calls: bool) -> Option<Stop> {
    Some(match word {
        "" => return None,
        "length" | "max_tokens" | "model_length" => Stop::MaxTokens,
        "content_filter" => Stop::Filtered,
        "tool_calls" | "function_call" => Stop::ToolCalls,
        _ if calls => Stop::ToolCalls,
        _ => Stop::End,
    })
}

fn finish_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence | Stop::Pause => "stop",
        Stop::MaxTokens => "length",
        Stop::ToolCalls => "tool_calls",
        Stop::Filtered | Stop::Refusal => "content_filter",
    }
}

/// In OpenAI's classes, which include one another.
fn write_usage(usage: &Usage) -> Value {
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let (prompt, completion) = (usage.total_input(), usage.total_output());
    let mut prompt_details = json!({ "cached_tokens": usage.cached_read, "audio_tokens": usage.audio_in });
    let mut completion_details = json!({
        "reasoning_tokens": usage.reasoning,
        "audio_tokens": usage.audio_out,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    });
    if written > 0 {
        prompt_details["cache_write_tokens"] = written.into();
    }
    if usage.image_in > 0 {
        prompt_details["image_tokens"] = usage.image_in.into();
    }
    if usage.image_out > 0 {
        completion_details["image_tokens"] = usage.image_out.into();
    }
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt.saturating_add(completion),
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": completion_details,
    })
}

/// The tier in OpenAI's word: as the provider said it, else as it was counted.
fn tier_word(said: Option<&str>, usage: Option<&Usage>) -> Option<String> {
    const OPENAI: [&str; 6] = ["auto", "default", "flex", "scale", "priority", "fast"];
    let said = said.filter(|word| OPENAI.contains(word));
    said.map(str::to_owned).or_else(|| match usage?.tier {
        ServiceTier::Flex => Some("flex".to_owned()),
        ServiceTier::Priority => Some("priority".to_owned()),
        ServiceTier::Standard | ServiceTier::Batch => None,
    })
}
