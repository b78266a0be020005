//! Cohere's chat, version 2.
//!
//! - `tool_plan` is what the model thinks before it calls tools: unsigned thoughts. Thoughts in a turn with calls are
//!   written as the plan, others as parts of the content. A stream cannot know what follows and writes them as content.
//! - Only unsigned thoughts can be written: the API has no place for signatures.
//! - `documents` are documents of plain text in the last turn of the user's; such documents of any caller's are written
//!   there. A document that is JSON is the `data` of one.
//! - One tool by name is that tool alone with `tool_choice: "REQUIRED"`; so is a choice among some.
//! - `p` and the penalties are brought into Cohere's range (0.01 to 0.99, 0 to 1); five texts to stop at are most.
//! - A refusal is text.

mod reply;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod write;

use super::codec::{Caller, Codec, Profile, ReadStream, Target, WriteStream};
use super::{Citation, Conversation, Format, Notes, Reply, Stop};
use burncloud_core::{Error, ErrorKind, Usage};
use serde_json::{Map, Value, json};

struct Cohere;

/// The codec.
pub(super) fn codec() -> &'static dyn Codec {
    &Cohere
}

impl Codec for Cohere {
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

    fn read_reply(&self, body: Map<String, Value>, _from: &Profile) -> Result<Reply, Error> {
        reply::read(body)
    }

    fn write_reply(&self, reply: Reply, _to: &Caller) -> Value {
        reply::write(reply)
    }

    fn stream_reader(&self, _from: &Profile) -> Box<dyn ReadStream> {
        Box::new(stream::Reader::default())
    }

    fn stream_writer(&self, _to: &Caller) -> Box<dyn WriteStream> {
        Box::new(stream::Writer::default())
    }
}

/// Why an answer ended; an error where it failed.
fn stop_of(word: &str, calls: bool) -> Result<Stop, Error> {
    Ok(match word {
        "MAX_TOKENS" | "ERROR_LIMIT" => Stop::MaxTokens,
        "STOP_SEQUENCE" => Stop::Sequence,
        "TOOL_CALL" => Stop::ToolCalls,
        "ERROR_TOXIC" => Stop::Filtered,
        "ERROR" | "TIMEOUT" => {
            return Err(Error::new(ErrorKind::BadGateway, "the provider failed while it answered"));
        }
        _ if calls => Stop::ToolCalls,
        _ => Stop::End,
    })
}

fn finish_reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Pause | Stop::Filtered | Stop::Refusal => "COMPLETE",
        Stop::Sequence => "STOP_SEQUENCE",
        Stop::MaxTokens => "MAX_TOKENS",
        Stop::ToolCalls => "TOOL_CALL",
    }
}

fn write_usage(usage: &Usage) -> Value {
    let (input, output) = (usage.total_input(), usage.total_output());
    let mut tokens = json!({ "input_tokens": input, "output_tokens": output });
    if usage.reasoning > 0 {
        tokens["reasoning_tokens"] = usage.reasoning.into();
    }
    json!({
        "billed_units": { "input_tokens": input, "output_tokens": output },
        "tokens": tokens,
        "cached_tokens": usage.cached_read,
    })
}

/// A source of a text; those of a plan or of thoughts have no place.
fn read_citation(value: Value) -> Option<Citation> {
    if value.get("type").and_then(Value::as_str).is_some_and(|kind| kind != "TEXT_CONTENT") {
        return None;
    }
    let document = value.pointer("/sources/0/document");
    let said = |name: &str| document.and_then(|it| it.get(name)).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    Some(Citation {
        url: said("url"),
        title: said("title").or_else(|| value.pointer("/sources/0/id")?.as_str().map(str::to_owned)),
        quote: value.get("text").and_then(Value::as_str).map(str::to_owned),
        start: number("start"),
        end: number("end"),
        raw: Some((Format::Cohere, value)),
    })
}

/// A source of the text in this part of the content.
fn write_citation(citation: &Citation, content_index: usize) -> Value {
    let mut value = match &citation.raw {
        Some((Format::Cohere, raw)) => raw.clone(),
        _ => {
            let id = citation.url.as_deref().or(citation.title.as_deref()).unwrap_or("document");
            let mut document = Map::from_iter([("id".to_owned(), Value::from(id))]);
            for (name, text) in
                [("title", &citation.title), ("url", &citation.url), ("text", &citation.quote)]
            {
                document.extend(text.as_deref().map(|text| (name.to_owned(), text.into())));
            }
            json!({
                "start": citation.start.unwrap_or(0),
                "end": citation.end.or(citation.start).unwrap_or(0),
                "text": citation.quote.as_deref().unwrap_or_default(),
                "sources": [{ "type": "document", "id": id, "document": document }],
                "type": "TEXT_CONTENT",
            })
        }
    };
    if content_index > 0 && value.is_object() {
        value["content_index"] = content_index.into();
    }
    value
}

/// Log probabilities of pieces of text, as OpenAI's chat writes them.
fn read_logprobs(items: &[Value]) -> Option<Value> {
    let piece = |item: &Value| {
        let logprobs = item.get("logprobs")?.as_array()?;
        let sum: f64 = logprobs.iter().filter_map(Value::as_f64).sum();
        let text = item.get("text").and_then(Value::as_str).unwrap_or_default();
        Some(json!({ "token": text, "logprob": sum, "bytes": text.as_bytes(), "top_logprobs": [] }))
    };
    let content: Vec<Value> = items.iter().filter_map(piece).collect();
    (!content.is_empty()).then(|| json!({ "content": content, "refusal": null }))
}

fn write_logprobs(logprobs: &Value) -> Vec<Value> {
    let items = logprobs.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let piece = |item: &Value| json!({ "text": item.get("token"), "token_ids": [], "logprobs": [item.get("logprob")] });
    items.iter().map(piece).collect()
}
